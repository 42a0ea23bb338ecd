//! What is always at hand of a memory: everything but its words.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::compact;

use super::{
    EntityId, Feedback, Id, Kind, Memory, Moment, Role, Scope, Speaker, Subject, normalized_hash,
};

/// What many memories have in common, kept once for all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Traits {
    /// The ids it was added under.
    pub scope: Scope,
    /// The speaker's role, of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The speaker's name, of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom a fact is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributed_to: Option<Speaker>,
    /// Topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// The client's own fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// A time that a memory is about, other than the one at which it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// When it begins.
    pub from: Moment,
    /// The first moment after it.
    pub until: Moment,
    /// It is known of the memory, rather than named in its text.
    pub known: bool,
}

/// What is known of the times of a memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// Those that it is about.
    pub about: Box<[About]>,
    /// When what it says stopped to hold.
    pub over: Option<Moment>,
}

/// A memory without its words: enough to select, to order and to link memories without reading them.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The memory's id.
    pub id: Id,
    /// Fact or message.
    pub kind: Kind,
    /// Kept beside the facts that came from it.
    pub transcript: bool,
    /// Believed today.
    pub current: bool,
    /// An instruction or preference that should always be followed.
    pub standing: bool,
    /// Never to be changed.
    pub immutable: bool,
    /// What its owner thinks of it.
    pub feedback: Option<Feedback>,
    /// How much it tells: of a message its words, where those of questions count a quarter; 255 and more are 255, as
    /// of any fact.
    pub tells: u8,
    /// Its times, unless it is about the one at which it was said and still holds.
    pub times: Option<Rc<Times>>,
    /// What it shares with others.
    pub traits: Rc<Traits>,
    /// When it was said or stored.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// Hidden after this moment.
    pub expires_at: Option<Moment>,
    /// The messages that its newest version came from.
    pub sources: Box<[Id]>,
    /// The messages that only its earlier versions came from.
    pub earlier_sources: Box<[Id]>,
    /// Who and what it mentions.
    pub entities: Rc<[EntityId]>,
    /// The [`normalized_hash`] of its newest text, its first half.
    pub says: u64,
    /// A hash of its newest text, letter for letter.
    pub text: u64,
}

impl Traits {
    /// Those of a memory.
    pub fn of(memory: &Memory) -> Self {
        Self {
            scope: memory.scope.clone(),
            role: memory.role,
            name: memory.name.clone(),
            attributed_to: memory.attributed_to,
            categories: memory.categories.clone(),
            metadata: memory.metadata.clone(),
        }
    }
}

impl Card {
    /// The card of a memory with these [`Traits`] and times.
    pub fn of(memory: &Memory, traits: Rc<Traits>, times: Option<Times>) -> Self {
        let sources = memory.sources();
        let mut earlier: Vec<Id> = memory
            .versions
            .iter()
            .flat_map(|version| version.sources.iter().copied())
            .filter(|id| !sources.contains(id))
            .collect();
        earlier.sort_unstable();
        earlier.dedup();
        Self {
            id: memory.id,
            kind: memory.kind,
            transcript: memory.transcript,
            current: memory.is_current(),
            standing: memory.standing,
            immutable: memory.immutable,
            feedback: memory.feedback,
            tells: match memory.kind {
                Kind::Fact => u8::MAX,
                Kind::Message => tells(memory.text()),
            },
            times: times.map(Rc::new),
            traits,
            created_at: memory.created_at,
            updated_at: memory.updated_at,
            expires_at: memory.expires_at,
            sources: sources.into(),
            earlier_sources: earlier.into(),
            entities: memory.entities.as_slice().into(),
            says: says(memory.text()),
            text: text_hash(memory.text()),
        }
    }

    /// Whether it counts as a memory of its own: a fact, or a message that stands for itself.
    pub fn is_listed(&self) -> bool {
        !self.transcript
    }

    /// Whether it is past its expiration.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The messages that any of its versions came from.
    pub fn all_sources(&self) -> impl Iterator<Item = &Id> {
        self.sources.iter().chain(&self.earlier_sources)
    }
}

/// How much a text tells: see [`Card::tells`].
fn tells(text: &str) -> u8 {
    let mut quarters = 0_usize;
    for sentence in text.split_inclusive(['.', '!', '?', '\n', '。', '！', '？', '؟']) {
        let asks = sentence.ends_with(['?', '？', '؟']);
        let words = compact::words(sentence).count();
        quarters += if asks { words } else { 4 * words };
    }
    u8::try_from(quarters / 4).unwrap_or(u8::MAX)
}

/// The first half of the [`normalized_hash`] of a text.
pub fn says(text: &str) -> u64 {
    let hash = normalized_hash(text);
    hash.get(..16)
        .and_then(|half| u64::from_str_radix(half, 16).ok())
        .unwrap_or_default()
}

/// A hash of a text, letter for letter.
pub fn text_hash(text: &str) -> u64 {
    let mut first = [0u8; 8];
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

/// All fields that a filter can name, but for `text`.
impl Subject for Card {
    /// The memory's own fields first, then its metadata: a client's field cannot pass for an id.
    fn field(&self, name: &str) -> Option<Value> {
        let text = |text: Option<&str>| text.map(Value::from);
        let Traits {
            scope,
            role,
            name: speaker,
            attributed_to,
            categories,
            metadata,
        } = &*self.traits;
        match name {
            "id" => Some(self.id.to_string().into()),
            "kind" => text(Some(match self.kind {
                Kind::Fact => "fact",
                Kind::Message => "message",
            })),
            "user_id" => text(scope.user_id.as_deref()),
            "agent_id" => text(scope.agent_id.as_deref()),
            "app_id" => text(scope.app_id.as_deref()),
            "run_id" => text(scope.run_id.as_deref()),
            "role" => text(role.map(|role| role.as_str())),
            "actor_id" => text(speaker.as_deref()),
            "attributed_to" => text(attributed_to.map(|speaker| speaker.as_str())),
            "standing" => Some(self.standing.into()),
            "immutable" => Some(self.immutable.into()),
            "categories" => (!categories.is_empty()).then(|| categories.clone().into()),
            "created_at" | "timestamp" => Some(self.created_at.to_string().into()),
            "updated_at" => Some(self.updated_at.to_string().into()),
            // The last day on which it holds, as clients write it.
            "expiration_date" => self.expires_at.map(|at| at.plus_millis(-1).date().into()),
            key => metadata
                .get(key.strip_prefix("metadata.").unwrap_or(key))
                .filter(|value| !value.is_null())
                .cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_or_only_asks_tells_little() {
        assert_eq!(tells("I moved to Oslo. Where do you live now?"), 4 + 1);
        assert_eq!(tells("本当ですか？"), 1);
        assert_eq!((tells(""), tells("!?")), (0, 0));
        assert_eq!(tells(&"word ".repeat(1_000)), u8::MAX);
    }
}
