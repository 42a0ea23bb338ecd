//! What well-kept crates and the standard library do with large tables, or with much code for each type, done with little: a page has
//! to load it.
//!
//! Every other room may use this one; it uses none of them. The tests compare it with what it stands for.

mod checksum;
mod decimal;
mod ordered;
mod unicode;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use checksum::crc32;
pub use decimal::decimal;
pub use ordered::{OrderedMap, OrderedSet};
pub use unicode::{
    capitals, is_combining_mark, is_nonspacing_mark, is_other, is_punctuation, lower, lowercase,
    nfd, nfkc, sentences, word_bounds, words,
};

/// Reads JSON. `serde_json` makes all readers once for texts and once for bytes; records are bytes.
///
/// # Errors
/// When it is none, or not that of such a value.
pub fn from_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_slice(text.as_bytes())
}

/// A value as JSON. By its `to_string` it would go through a formatter, for which all writers would be made once more.
pub fn to_json(value: &Value) -> String {
    // Only a map whose keys are no strings could fail, and a value has none.
    serde_json::to_string(value).unwrap_or_default()
}
