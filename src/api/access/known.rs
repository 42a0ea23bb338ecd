//! What directories said of keys, for a minute.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::directory::ApiKey;
use crate::memory::Moment;

/// How long what a directory said is taken for true, in milliseconds: so long a key that was revoked opens.
const TRUSTED_MS: i64 = 60_000;

/// Keys that are remembered, good and bad ones.
const MOST: usize = 4_096;

type Entry<T> = (T, Moment);

/// What directories said of keys. One for each gateway's isolate.
#[derive(Default)]
pub struct Known {
    /// By their hashes; `None` is one that there is not.
    keys: RefCell<HashMap<String, Entry<Option<ApiKey>>>>,
    /// By their projects.
    secrets: RefCell<HashMap<String, Entry<String>>>,
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

    pub(super) fn learn_key(&self, sha256: &str, key: Option<ApiKey>, now: Moment) {
        let mut keys = self.keys.borrow_mut();
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
