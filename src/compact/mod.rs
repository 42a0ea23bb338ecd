//! What well-kept crates and the standard library do with large tables, done with small ones: a page has to load them.
//!
//! Every other room may use this one; it uses none of them. The tests compare it with what it stands for.

mod checksum;
mod decimal;
mod ordered;
mod unicode;

use serde::de::DeserializeOwned;

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
