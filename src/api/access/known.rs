//! What directories said of keys, for a minute.

use std::cell::RefCell;
use std::collections::HashMap;

use super::super::limits::Window;
use crate::directory::ApiKey;
use crate::memory::{Moment, Problem};

/// How long what a directory said is taken for true, in milliseconds: so long a key that was revoked opens.
const TRUSTED_MS: i64 = 60_000;

/// Keys that are remembered, good and bad ones.
const MOST: usize = 4_096;

/// Keys never seen before that the directory of a project is asked about in a minute. Guesses that are no key are so
/// many calls of it at most, and keys that have opened before are none of them.
const STRANGERS: u32 = 120;

type Entry<T> = (T, Moment);

/// What directories said of keys. One for each gateway's isolate.
#[derive(Default)]
pub struct Known {
    /// By their hashes; `None` is one that there is not.
    keys: RefCell<HashMap<String, Entry<Option<ApiKey>>>>,
    /// By their projects.
    secrets: RefCell<HashMap<String, Entry<String>>>,
    /// By their projects, the lookups of keys never seen before.
    strangers: RefCell<HashMap<String, Window>>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({})", self.keys.borrow().len())
    }
}

impl Known {
    /// What was said of the key with this hash lately.
    pub(super) fn key(&self, sha256: &str, now: Moment) -> Option<Option<ApiKey>> {
        fresh(&self.keys.borrow(), sha256, now)
    }

    /// Whether the directory may be asked about a key now.
    ///
    /// # Errors
    /// 429 when it was asked about too many that nobody has seen.
    pub(super) fn may_ask(&self, project: &str, sha256: &str, now: Moment) -> Result<(), Problem> {
        let keys = self.keys.borrow();
        if keys.get(sha256).is_some_and(|(key, _)| key.is_some()) {
            return Ok(());
        }
        let mut strangers = self.strangers.borrow_mut();
        let window = strangers.entry(project.to_owned()).or_default();
        window.take(STRANGERS, now).check().map_err(|_| {
            Problem::new(
                429,
                "too_many_unknown_keys",
                "too many keys that are none were tried: one that this server has not seen lately can be tried again \
                 in a minute",
            )
        })
    }

    /// Refuses a key that was revoked here from now on. What was said of it before, and arrives later, changes nothing.
    pub(in crate::api) fn revoke(&self, id: &str, now: Moment) {
        for (known, at) in self.keys.borrow_mut().values_mut() {
            if known.as_ref().is_some_and(|key| key.id == id) {
                (*known, *at) = (None, now);
            }
        }
    }

    /// Forgets everything: a project and its keys are gone.
    pub(in crate::api) fn forget(&self) {
        self.keys.borrow_mut().clear();
        self.secrets.borrow_mut().clear();
    }

    pub(super) fn learn_key(&self, sha256: &str, key: Option<ApiKey>, now: Moment) {
        let mut keys = self.keys.borrow_mut();
        let refused = keys.get(sha256);
        if refused.is_some_and(|(key, at)| key.is_none() && is_fresh(*at, now)) {
            return;
        }
        if keys.len() >= MOST {
            keys.retain(|_, (key, at)| key.is_some() && is_fresh(*at, now));
        }
        if keys.len() >= MOST {
            keys.clear();
        }
        keys.insert(sha256.to_owned(), (key, now));
    }

    /// What signs the tokens of a project.
    pub(super) fn secret(&self, project: &str, now: Moment) -> Option<String> {
        fresh(&self.secrets.borrow(), project, now)
    }

    pub(super) fn learn_secret(&self, project: &str, secret: &str, now: Moment) {
        let mut secrets = self.secrets.borrow_mut();
        secrets.insert(project.to_owned(), (secret.to_owned(), now));
    }
}

fn is_fresh(at: Moment, now: Moment) -> bool {
    at <= now && now < at.plus_millis(TRUSTED_MS)
}

fn fresh<T: Clone>(all: &HashMap<String, Entry<T>>, name: &str, now: Moment) -> Option<T> {
    let (value, at) = all.get(name)?;
    is_fresh(*at, now).then(|| value.clone())
}
