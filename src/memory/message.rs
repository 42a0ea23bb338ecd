//! One turn of a conversation.

use serde::{Deserialize, Serialize};

use super::Moment;

/// The longest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 100 * 1024;

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model that answers.
    Assistant,
    /// Instructions to the model. Never extracted from, never stored.
    System,
    /// The output of a tool the assistant called.
    Tool,
}

impl Role {
    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
            Role::Tool => "tool",
        }
    }
}

/// One turn of a conversation, kept verbatim and never rewritten, but that the words of its files take the place of their
/// placeholders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// The speaker's name, when the conversation names its speakers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was said; the time of the add when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
}

impl Message {
    /// A message of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self {
            role: Role::User,
            content: content.into(),
            name: None,
            time: None,
        }
    }

    /// A message of the assistant.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self {
            role: Role::Assistant,
            ..Self::user(content)
        }
    }

    /// The speaker as a line of a transcript shows it: the name, else the role.
    pub fn speaker(&self) -> &str {
        self.name.as_deref().unwrap_or(self.role.as_str())
    }
}
