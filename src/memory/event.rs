//! What becomes of an add.

use serde::{Deserialize, Serialize};

/// How far an add is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventStatus {
    /// Stored; waiting for a model, or for its turn.
    Pending,
    /// A model is at work.
    Running,
    /// Done.
    Succeeded,
    /// Given up; the messages are kept and can be recalled.
    Failed,
}

/// A topic that extraction may assign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// What belongs to it, for the model.
    #[serde(default)]
    pub description: String,
}

/// An error as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable code, `[a-z_]+`.
    pub code: String,
    /// The HTTP status that says the same.
    pub status: u16,
    /// A sentence that helps.
    pub message: String,
}

impl Problem {
    /// An error from its parts.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            status,
            message: message.into(),
        }
    }
}
