//! What becomes of an add.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

impl Category {
    /// Reads what clients write: `[{name: description}]`, `[{"name": ..., "description": ...}]`, `[name]` or
    /// `{name: description}`. `None` when it is something else.
    pub fn list(value: &Value) -> Option<Vec<Self>> {
        let mut categories = Vec::new();
        match value {
            Value::Null => {}
            Value::Object(pairs) => Self::of_pairs(pairs, &mut categories),
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::String(name) => Self::push(name, "", &mut categories),
                        Value::Object(pairs) => match pairs.get("name").and_then(Value::as_str) {
                            Some(name) => {
                                let description = pairs.get("description").and_then(Value::as_str);
                                Self::push(name, description.unwrap_or_default(), &mut categories);
                            }
                            None => Self::of_pairs(pairs, &mut categories),
                        },
                        _ => return None,
                    }
                }
            }
            _ => return None,
        }
        Some(categories)
    }

    fn of_pairs(pairs: &Map<String, Value>, categories: &mut Vec<Self>) {
        for (name, description) in pairs {
            Self::push(name, description.as_str().unwrap_or_default(), categories);
        }
    }

    fn push(name: &str, description: &str, categories: &mut Vec<Self>) {
        let name = name.trim();
        if !name.is_empty() {
            categories.push(Self {
                name: name.to_owned(),
                description: description.trim().to_owned(),
            });
        }
    }
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
