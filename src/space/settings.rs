//! What an operator sets for spaces.

use crate::index::VectorIndexKind;
use crate::model::config::{ConfigError, ConfigProblem};

const VECTOR_INDEX: &str = "EDGEMEM_VECTOR_INDEX";
const MEGABYTES: &str = "EDGEMEM_SPACE_MEGABYTES";
const DAILY_TOKENS: &str = "EDGEMEM_DAILY_TOKENS";
const DAILY_CALLS: &str = "EDGEMEM_DAILY_CALLS";
const PURGE_DAYS: &str = "EDGEMEM_PURGE_EXPIRED_DAYS";

/// The longest time that an expired memory can be kept, in days: a century.
const MOST_DAYS: i64 = 36_500;

const DAY_MS: i64 = 86_400_000;

/// What WebAssembly can address.
const MOST_MEGABYTES: usize = 4_000;

/// What an operator sets for spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Which vector index serves.
    pub vector_index: VectorIndexKind,
    /// How much memory the indexes of a space may take, in bytes. What would need more is refused.
    pub budget: usize,
    /// How long a memory is kept, hidden, after it expired, in milliseconds; then it is erased.
    pub purge_after: i64,
    /// Keep notices of what happens, for a directory that fetches them.
    pub notices: bool,
    /// How many tokens the LLM may cost an owner on one day (UTC), read and written; any number when `None`.
    pub daily_tokens: Option<u64>,
    /// How often it may be asked for an owner on one day.
    pub daily_calls: Option<u64>,
}

impl Default for Settings {
    /// Half of what Cloudflare gives an isolate.
    fn default() -> Self {
        Self {
            vector_index: VectorIndexKind::Auto,
            budget: 64 << 20,
            purge_after: 30 * DAY_MS,
            notices: false,
            daily_tokens: None,
            daily_calls: None,
        }
    }
}

impl Settings {
    /// Reads them from variables; blank ones count as unset.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let set = |name: &str| {
            let value = variable(name)?.trim().to_lowercase();
            (!value.is_empty()).then_some(value)
        };
        let mut settings = Self::default();
        if let Some(name) = set(VECTOR_INDEX) {
            let kind = VectorIndexKind::named(&name);
            settings.vector_index = kind.ok_or(ConfigError {
                variable: VECTOR_INDEX,
                problem: ConfigProblem::UnknownWord {
                    found: name,
                    expected: "auto, flat or hnsw",
                },
            })?;
        }
        if let Some(value) = set(MEGABYTES) {
            let megabytes = value.parse().ok();
            let megabytes = megabytes.filter(|size| (1..=MOST_MEGABYTES).contains(size));
            let megabytes = megabytes.ok_or(ConfigError {
                variable: MEGABYTES,
                problem: ConfigProblem::NoNumber {
                    found: value,
                    least: 1,
                    most: MOST_MEGABYTES as u64,
                },
            })?;
            settings.budget = megabytes << 20;
        }
        if let Some(value) = set(PURGE_DAYS) {
            let days = value.parse().ok();
            let days = days.filter(|days| (0..=MOST_DAYS).contains(days));
            let days = days.ok_or(ConfigError {
                variable: PURGE_DAYS,
                problem: ConfigProblem::NoNumber {
                    found: value,
                    least: 0,
                    most: MOST_DAYS.unsigned_abs(),
                },
            })?;
            settings.purge_after = days * DAY_MS;
        }
        let count = |name: &'static str| match set(name) {
            None => Ok(None),
            Some(value) => match value.parse() {
                Ok(count) => Ok(Some(count)),
                Err(_) => Err(ConfigError {
                    variable: name,
                    problem: ConfigProblem::NoNumber {
                        found: value,
                        least: 0,
                        most: u64::MAX,
                    },
                }),
            },
        };
        settings.daily_tokens = count(DAILY_TOKENS)?;
        settings.daily_calls = count(DAILY_CALLS)?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Settings, ConfigError> {
        Settings::from_env(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn variables_are_read() {
        assert_eq!(read("OTHER", "1"), Ok(Settings::default()));
        assert_eq!(read(VECTOR_INDEX, " "), Ok(Settings::default()));
        let hnsw = read(VECTOR_INDEX, "HNSW").unwrap();
        assert_eq!(hnsw.vector_index, VectorIndexKind::Hnsw);
        assert_eq!(read(MEGABYTES, "96").unwrap().budget, 96 << 20);
        assert_eq!(read(PURGE_DAYS, "0").unwrap().purge_after, 0);
        assert_eq!(
            read(DAILY_TOKENS, "5000").unwrap().daily_tokens,
            Some(5_000)
        );
        assert_eq!(read(DAILY_CALLS, "0").unwrap().daily_calls, Some(0));
    }

    #[test]
    fn wrong_ones_are_named() {
        let wrong = read(VECTOR_INDEX, "ivf").unwrap_err().to_string();
        assert_eq!(
            wrong,
            "EDGEMEM_VECTOR_INDEX is \"ivf\"; write auto, flat or hnsw"
        );
        assert!(read(MEGABYTES, "0").is_err());
        assert!(read(MEGABYTES, "lots").is_err());
        assert!(read(PURGE_DAYS, "-1").is_err());
        assert!(read(DAILY_TOKENS, "few").is_err());
    }
}
