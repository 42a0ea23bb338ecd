//! The operator's keys, and the project that each opens.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::super::hosted::ORGANIZATION;
use crate::memory::Problem;

/// The variable that lists the keys: `key` or `project:key`, separated by commas or lines.
pub const KEYS_VARIABLE: &str = "EDGEMEM_API_KEYS";

/// The shortest key that is taken, in characters.
const MIN_KEY_CHARS: usize = 16;
const MAX_PROJECT_CHARS: usize = 64;

/// What a key opens. Two projects share nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Project {
    /// The name before the colon in [`KEYS_VARIABLE`]; `default` for a key without one.
    pub id: String,
}

impl Project {
    /// What a client asks for when it is made: that the key is good, and whose it is.
    pub(in crate::api) fn ping(&self) -> Value {
        json!({
            "status": "ok",
            "org_id": ORGANIZATION,
            "project_id": self.id,
            "user_email": self.email(),
        })
    }

    /// An address that leads nowhere, as clients want one.
    pub(in crate::api) fn email(&self) -> String {
        format!("{}@edgemem.invalid", self.id)
    }
}

/// The configured keys. Only their hashes are held.
#[derive(Clone)]
pub struct Keys(Vec<(blake3::Hash, Project)>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// Why the list of keys cannot be used. Keys are named by their place, never shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeysError {
    /// No key at all.
    #[error(
        "this server has no API key yet, so it refuses every request: set one with \
         `wrangler secret put {KEYS_VARIABLE}` (in development a line {KEYS_VARIABLE}=... in \
         .dev.vars); a good key is the output of `openssl rand -hex 24`"
    )]
    NoneConfigured,
    /// A key that can be guessed.
    #[error(
        "key number {place} in {KEYS_VARIABLE} has fewer than {MIN_KEY_CHARS} characters: use a \
         longer one, such as the output of `openssl rand -hex 24`"
    )]
    TooShort {
        /// Which one, from 1.
        place: usize,
    },
    /// A key that no header can carry.
    #[error(
        "key number {place} in {KEYS_VARIABLE} has spaces or characters outside of ASCII; separate \
         keys with commas or lines"
    )]
    Unusable {
        /// Which one, from 1.
        place: usize,
    },
    /// A project name that is none.
    #[error(
        "the project of key number {place} in {KEYS_VARIABLE} must have 1 to {MAX_PROJECT_CHARS} \
         letters, digits, '-', '_' or '.'"
    )]
    BadProject {
        /// Which one, from 1.
        place: usize,
    },
    /// One key for two projects.
    #[error("key number {place} in {KEYS_VARIABLE} is listed before, for another project")]
    Ambiguous {
        /// Which one, from 1.
        place: usize,
    },
}

impl KeysError {
    pub(in crate::api) fn problem(&self) -> Problem {
        let code = match self {
            KeysError::NoneConfigured => "no_api_key_configured",
            _ => "bad_api_key_configuration",
        };
        Problem::new(503, code, self.to_string())
    }
}

impl Keys {
    /// Reads the value of [`KEYS_VARIABLE`].
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn read(list: &str) -> Result<Self, KeysError> {
        let mut keys: Vec<(blake3::Hash, Project)> = Vec::new();
        let entries = list
            .split([',', '\n', '\r'])
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        for (entry, place) in entries.zip(1..) {
            let (id, key) = match entry.split_once(':') {
                Some((project, key)) => (project.trim(), key.trim()),
                None => ("default", entry),
            };
            if key.len() < MIN_KEY_CHARS {
                return Err(KeysError::TooShort { place });
            }
            if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(KeysError::Unusable { place });
            }
            let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if id.is_empty() || id.len() > MAX_PROJECT_CHARS || !id.chars().all(named) {
                return Err(KeysError::BadProject { place });
            }
            let hash = blake3::hash(key.as_bytes());
            match keys.iter().find(|(known, _)| *known == hash) {
                Some((_, project)) if project.id != id => {
                    return Err(KeysError::Ambiguous { place });
                }
                Some(_) => {}
                None => keys.push((hash, Project { id: id.to_owned() })),
            }
        }
        if keys.is_empty() {
            return Err(KeysError::NoneConfigured);
        }
        Ok(Self(keys))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none; never so for a list that was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The project that a key opens. Keys are compared by their hashes, in constant time (as [`blake3::Hash`]
    /// does), and all of them every time.
    pub fn opened_by(&self, key: &str) -> Option<&Project> {
        let hash = blake3::hash(key.as_bytes());
        let mut found = None;
        for (known, project) in &self.0 {
            if *known == hash {
                found = Some(project);
            }
        }
        found
    }

    /// The project of this name, if it has a key.
    pub fn project(&self, id: &str) -> Option<&Project> {
        let mut projects = self.0.iter().map(|(_, project)| project);
        projects.find(|project| project.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef";
    const OTHER: &str = "fedcba9876543210";

    #[test]
    fn a_key_opens_its_project() {
        let keys = Keys::read(&format!(" {KEY} ,\n team-a : {OTHER}\r\n,")).unwrap();
        assert_eq!(keys.len(), 2);
        let open = |key: &str| keys.opened_by(key).map(|project| project.id.as_str());
        assert_eq!(open(KEY), Some("default"));
        assert_eq!(open(OTHER), Some("team-a"));
        for wrong in ["", &format!("{KEY}0"), &format!("team-a:{OTHER}")] {
            assert_eq!(open(wrong), None);
        }
        assert!(keys.project("team-a").is_some() && keys.project("team-b").is_none());
    }

    #[test]
    fn an_unusable_list_names_the_variable_and_never_the_key() {
        for (list, expected) in [
            ("".to_owned(), KeysError::NoneConfigured),
            (" ,\n".to_owned(), KeysError::NoneConfigured),
            (format!("{KEY},short"), KeysError::TooShort { place: 2 }),
            (format!("{KEY} {OTHER}"), KeysError::Unusable { place: 1 }),
            (format!("a b:{KEY}"), KeysError::BadProject { place: 1 }),
            (format!(":{KEY}"), KeysError::BadProject { place: 1 }),
            (
                format!("a:{KEY},b:{KEY}"),
                KeysError::Ambiguous { place: 2 },
            ),
        ] {
            let error = Keys::read(&list).unwrap_err();
            assert_eq!(error, expected, "{list}");
            assert!(error.to_string().contains(KEYS_VARIABLE), "{error}");
            assert!(!error.to_string().contains(KEY) && !error.to_string().contains("short,"));
            assert_eq!(error.problem().status, 503);
        }
        assert!(
            KeysError::NoneConfigured
                .to_string()
                .contains("wrangler secret put")
        );
    }

    #[test]
    fn debug_output_holds_no_key() {
        assert_eq!(format!("{:?}", Keys::read(KEY).unwrap()), "Keys(1)");
    }
}
