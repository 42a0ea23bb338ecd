//! Memories as values of a schema.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Filter;

/// What an export is made for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Somebody asked for it once.
    #[default]
    Export,
    /// The profile of the space's owner, which is made anew from time to time.
    Profile,
}

/// Memories as values of a schema.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Export {
    /// What it is made for.
    pub purpose: Purpose,
    /// A JSON schema: an object with properties.
    pub schema: Value,
    /// What else to heed, in the caller's words.
    pub instructions: Option<String>,
    /// Which memories.
    pub filter: Filter,
}
