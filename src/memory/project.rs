//! What a project sets for all its spaces.

use serde::{Deserialize, Serialize};

use super::Category;

/// What a project asks of extraction where an add says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectSettings {
    /// What to extract, in the operator's words.
    pub instructions: Option<String>,
    /// The same for the memory of an agent without a user; that of all when absent.
    pub agent_instructions: Option<String>,
    /// What to remember only.
    pub includes: Option<String>,
    /// What not to remember.
    pub excludes: Option<String>,
    /// The topics to choose from; the standard ones when empty.
    pub categories: Vec<Category>,
}
