//! Nodes and edges: who and what the memories are about.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Id, Moment, Precision, Speaker, plain_name, pronoun};

/// The name of an entity within its space: the normalised name that it was first known by (see
/// [`normalize_name`](super::normalize_name)), with ` #2`, ` #3` … behind it when another entity has that already.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityId(pub String);

impl EntityId {
    /// The owner.
    pub fn owner() -> Self {
        Self("user".to_owned())
    }

    /// The agent.
    pub fn agent() -> Self {
        Self("assistant".to_owned())
    }

    /// The id that an entity of this name gets, when no other has it; `None` for a name without
    /// letters or digits. However the owner is called in the first or third person, it is `user`;
    /// the agent likewise is `assistant`.
    pub fn of(name: &str) -> Option<Self> {
        match pronoun(name) {
            Some(Speaker::User) => Some(Self::owner()),
            Some(Speaker::Assistant) => Some(Self::agent()),
            None => Some(plain_name(name))
                .filter(|name| !name.is_empty())
                .map(Self),
        }
    }

    /// Whether it is the owner or the agent.
    pub fn is_party(&self) -> bool {
        matches!(self.0.as_str(), "user" | "assistant")
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
    /// The name it goes by, as it was written.
    pub name: String,
    /// `person`, `place`, `food`, … as the extraction named it.
    pub kind: String,
    /// Its other names, as they were written: short names, earlier ones, `my sister`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// When it was first mentioned.
    pub created_at: Moment,
    /// The entity that this one turned out to be; then nothing refers to this one any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<EntityId>,
    /// What happened to its names, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<EntityChange>,
}

impl Entity {
    /// Its name, then the others.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// One line of an entity's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityChange {
    /// What happened.
    pub kind: EntityChangeKind,
    /// When.
    pub at: Moment,
    /// The names that it is about: the earlier and the new one of a renaming, the alias, the name of
    /// the entity that was merged or split off.
    pub of: Vec<String>,
}

/// What happened to an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntityChangeKind {
    /// It goes by another name.
    Renamed,
    /// It has one more name.
    Alias,
    /// Another entity turned out to be this one.
    Merged,
    /// Some of its memories turned out to be about another.
    Split,
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

impl Object {
    /// The entity, if it is one.
    pub fn entity(&self) -> Option<&EntityId> {
        match self {
            Object::Entity(id) => Some(id),
            Object::Literal(_) => None,
        }
    }
}

/// A typed, directed edge with two times: when it held in the world, and when we believed it. Spans
/// are half open: it holds from `valid_from` on, and at `valid_to` no longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// From.
    pub subject: EntityId,
    /// The verb, in snake_case: `lives_in`, `allergic_to`.
    pub predicate: String,
    /// To.
    pub object: Object,
    /// When it began to hold in the world; `None` when it began before anything that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// When it stopped holding in the world, never before `valid_from`; `None` while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Moment>,
    /// How exactly `valid_from` is known. `None` when nobody said when it began: it is the time at
    /// which it was said to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_precision: Option<Precision>,
    /// How exactly `valid_to` is known. `None` when nobody said when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_precision: Option<Precision>,
    /// When we learnt it.
    pub known_from: Moment,
    /// When we stopped believing it; `None` while we do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to: Option<Moment>,
    /// How sure it is, 0 to 1.
    #[serde(default = "sure", skip_serializing_if = "is_sure")]
    pub confidence: f32,
    /// The memories that support it; never empty.
    pub memories: Vec<Id>,
    /// The messages in which it was said, as far as they are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Id>,
}

fn sure() -> f32 {
    1.0
}

fn is_sure(confidence: &f32) -> bool {
    *confidence >= 1.0
}

impl Relation {
    /// Whether it is believed and, as far as is known, holds on.
    pub fn is_current(&self) -> bool {
        self.known_to.is_none() && self.valid_to.is_none()
    }

    /// Whether it was believed at `known_at` (today: `None`).
    pub fn is_believed(&self, known_at: Option<Moment>) -> bool {
        match known_at {
            None => self.known_to.is_none(),
            Some(at) => self.known_from <= at && self.known_to.is_none_or(|to| at < to),
        }
    }

    /// Whether it holds in the world at `at`.
    pub fn holds_at(&self, at: Moment) -> bool {
        self.valid_from.is_none_or(|from| from <= at) && self.valid_to.is_none_or(|to| at < to)
    }

    /// Whether an entity is one of its ends.
    pub fn touches(&self, entity: &EntityId) -> bool {
        self.subject == *entity || self.object.entity() == Some(entity)
    }
}

/// Something that may be true or not: one side of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// What a memory says.
    Memory(Id),
    /// A relation, by its key.
    Relation(String),
}

/// Claims that cannot all be true, of which nobody has said yet which one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// Its id.
    pub id: Id,
    /// Two or more claims, as they were found.
    pub claims: Vec<Claim>,
    /// When it was noticed.
    pub found_at: Moment,
    /// How it ended; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolution>,
}

impl Contradiction {
    /// Whether nobody has decided it yet.
    pub fn is_open(&self) -> bool {
        self.resolved.is_none()
    }
}

/// How a contradiction ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// When.
    pub at: Moment,
    /// The claim that is believed; `None` when something else took the place of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Claim>,
    /// Who decided.
    pub by: ResolvedBy,
}

/// Who decided a contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResolvedBy {
    /// The memory's owner: by resolving it, or by changing what a side rests on.
    Owner,
    /// Something that was said later.
    Update,
}
