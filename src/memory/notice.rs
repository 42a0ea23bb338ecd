//! What a space tells others of what happened in it.

use serde::{Deserialize, Serialize};

use super::{ChangeKind, Id, Moment};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Its id, ascending.
    pub id: Id,
    /// When.
    pub at: Moment,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// A memory was stored, changed, retired or erased.
    Memory {
        /// The memory.
        id: Id,
        /// What was done with it.
        kind: ChangeKind,
        /// What it says after it; empty once erased.
        text: String,
        /// Its topics, of one that was stored.
        #[serde(default)]
        categories: Vec<String>,
    },
    /// An add was accepted.
    Event {
        /// The event.
        id: Id,
    },
}
