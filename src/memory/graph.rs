//! Nodes and edges: who and what the memories are about.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{Id, Moment};

/// The name of an entity within its space: its type-free normalised name (see [`normalize_name`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityId(pub String);

impl EntityId {
    /// The entity that a name stands for; `None` for a name without letters or digits. However the
    /// owner is called in the first or third person, it is the entity `user`; the agent likewise is
    /// `assistant`.
    pub fn of(name: &str) -> Option<Self> {
        let normalized = normalize_name(name);
        let id = match normalized.as_str() {
            "" => return None,
            "i" | "me" | "myself" | "the user" => "user",
            "the assistant" | "the ai" => "assistant",
            other => other,
        };
        Some(Self(id.to_owned()))
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person, place, thing or idea that memories mention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its id in the space.
    pub id: EntityId,
    /// The name as it was first written.
    pub name: String,
    /// `person`, `place`, `food`, … as the extraction named it.
    pub kind: String,
    /// When it was first mentioned.
    pub created_at: Moment,
}

/// What a relation points at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// Another entity.
    Entity(EntityId),
    /// A plain value: a number, a date, a phrase.
    Literal(String),
}

/// A typed, directed edge with two times: when it held in the world, and when we knew it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// From.
    pub subject: EntityId,
    /// The verb, in snake_case: `lives_in`, `allergic_to`.
    pub predicate: String,
    /// To.
    pub object: Object,
    /// When it began to hold in the world, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// When it stopped holding in the world; `None` while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Moment>,
    /// When we learnt it.
    pub known_from: Moment,
    /// When we stopped believing it; `None` while we do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to: Option<Moment>,
    /// The memories that support it.
    pub memories: Vec<Id>,
}

impl Relation {
    /// Whether it is believed and holds today.
    pub fn is_current(&self) -> bool {
        self.known_to.is_none() && self.valid_to.is_none()
    }
}

/// The form of a name under which two spellings are the same entity: NFKC, lower case, single
/// spaces, without surrounding punctuation.
pub fn normalize_name(name: &str) -> String {
    let folded: String = name.nfkc().flat_map(char::to_lowercase).collect();
    folded
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_agree() {
        assert_eq!(normalize_name("  San   Francisco. "), "san francisco");
        assert_eq!(normalize_name("ＴＯＫＹＯ"), "tokyo");
        assert_eq!(normalize_name("東京"), "東京");
    }
}
