//! The Worker's variables for `cargo xtask dev`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, While};
use crate::shell::Project;

/// Where a developer may keep variables and secrets.
const DEV_VARS: &str = ".dev.vars";
const KEYS: &str = "EDGEMEM_API_KEYS";
/// The key of another project of the tests, in which everything may be erased.
pub const SPARE_KEY: &str = "key-of-the-tests-1";
/// Variables that are passed on from the environment.
const PASSED: [&str; 11] = [
    KEYS,
    "EDGEMEM_TOKEN_SECRET",
    "EDGEMEM_CORS_ORIGINS",
    "EDGEMEM_FETCH_ORIGINS",
    "EDGEMEM_USER_REQUESTS_PER_MINUTE",
    "EDGEMEM_DAILY_",
    "EDGEMEM_LLM_",
    "EDGEMEM_EMBEDDER_",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
];
/// Variables that say which LLM there is, or that there is none; others only refine it.
const MODEL: [&str; 5] = [
    "EDGEMEM_LLM_PROVIDER",
    "EDGEMEM_LLM_BASE_URL",
    "EDGEMEM_LLM_API_KEY",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
];

/// The Worker's variables.
#[derive(Debug)]
pub struct Settings {
    variables: BTreeMap<String, String>,
    /// A key that the Worker takes.
    pub key: String,
}

impl Settings {
    /// Those of `.dev.vars`, of the environment (which win), and an API key if there is none.
    pub fn read(project: &Project) -> Result<Self, Failure> {
        let file = fs::read_to_string(project.root.join(DEV_VARS)).unwrap_or_default();
        let mut variables = parse(&file);
        let passed =
            std::env::vars().filter(|(name, value)| named(name, &PASSED) && !value.is_empty());
        variables.extend(passed);
        let key = match variables.get(KEYS).and_then(|keys| first_key(keys)) {
            Some(key) => key,
            None => {
                let key = dev_key(project)?;
                variables.insert(KEYS.into(), key.clone());
                key
            }
        };
        Ok(Self { variables, key })
    }

    /// API keys and nothing else, whatever the environment says.
    pub fn for_tests() -> Self {
        let key = "key-of-the-tests-0".to_owned();
        let keys = format!("{key},spare:{SPARE_KEY}");
        Self {
            variables: BTreeMap::from([(KEYS.to_owned(), keys)]),
            key,
        }
    }

    /// Whether an LLM is configured.
    pub fn has_model(&self) -> bool {
        MODEL.iter().any(|name| self.variables.contains_key(*name))
    }

    /// Uses the model server that replays replies.
    pub fn use_replayed(&mut self, base: &str) {
        let settings = [
            ("BASE_URL", format!("{base}/v1")),
            ("MODEL", "replayed".into()),
            ("API_KEY", "replayed".into()),
        ];
        for (name, value) in settings {
            self.variables.insert(format!("EDGEMEM_LLM_{name}"), value);
        }
    }

    /// Lets the Worker fetch files in messages from there.
    pub fn fetch_from(&mut self, origin: &str) {
        let variable = "EDGEMEM_FETCH_ORIGINS".to_owned();
        self.variables.insert(variable, origin.to_owned());
    }

    /// Writes them to a file that only its owner can read, for wrangler.
    pub fn write(&self, file: &Path) -> Result<PathBuf, Failure> {
        let mut text = String::new();
        for (name, value) in &self.variables {
            let _ = writeln!(text, "{name}={}", quoted(value));
        }
        private(file, &text)?;
        Ok(file.to_path_buf())
    }
}

fn named(name: &str, patterns: &[&str]) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('_') {
            Some(_) => name.starts_with(pattern),
            None => name == *pattern,
        })
}

/// A key that is made once and kept, so that what one has at hand goes on working.
fn dev_key(project: &Project) -> Result<String, Failure> {
    let file = project.tools.join("dev-key");
    if let Ok(key) = fs::read_to_string(&file)
        && key.len() >= 16
    {
        return Ok(key);
    }
    let mut bytes = [0; 16];
    let random = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    random.trying("making an API key")?;
    let key = bytes
        .iter()
        .fold("dev-".to_owned(), |key, byte| format!("{key}{byte:02x}"));
    private(&file, &key)?;
    Ok(key)
}

fn private(file: &Path, text: &str) -> Result<(), Failure> {
    let doing = || format!("writing {}", file.display());
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).trying(doing())?;
    }
    let opened = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file);
    opened
        .trying(doing())?
        .write_all(text.as_bytes())
        .trying(doing())
}

/// The first key of a list like `key, project:key`.
fn first_key(keys: &str) -> Option<String> {
    let entry = keys
        .split([',', '\n'])
        .map(str::trim)
        .find(|entry| !entry.is_empty())?;
    Some(
        entry
            .split_once(':')
            .map_or(entry, |(_, key)| key)
            .trim()
            .to_owned(),
    )
}

/// Lines of `NAME=value`, the value perhaps in quotes.
fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let pairs =
        lines.filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), unquoted(value.trim())))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\'', '`'] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some((inside, _)) = rest.split_once(quote)
        {
            return inside.to_owned();
        }
    }
    value
        .split(" #")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// In quotes that it does not contain; wrangler would expand a `$`.
fn quoted(value: &str) -> String {
    let quote = ['\'', '"', '`']
        .into_iter()
        .find(|quote| !value.contains(*quote))
        .unwrap_or('\'');
    format!("{quote}{}{quote}", value.replace('$', "\\$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_variables_is_read_as_wrangler_does() {
        let text =
            "# comment\nA=1\nexport B = 'two words' # note\nC=\"x#y\"\nD=plain # note\nEMPTY=\n";
        let read = parse(text);
        let expected = [("A", "1"), ("B", "two words"), ("C", "x#y"), ("D", "plain")];
        assert_eq!(
            read,
            expected
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        );
    }

    #[test]
    fn the_first_key_comes_without_its_project() {
        assert_eq!(first_key("team:abc, def").as_deref(), Some("abc"));
        assert_eq!(first_key("abc").as_deref(), Some("abc"));
        assert_eq!(first_key(" , "), None);
    }

    #[test]
    fn a_value_with_quotes_and_dollars_survives() {
        assert_eq!(quoted("it's $5"), "\"it's \\$5\"");
    }
}
