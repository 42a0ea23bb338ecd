//! Memories, their versions, and the facts they come from.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{EntityId, Id, Message, Moment, Precision, Role, Scope};
use crate::compact::{lower, nfkc};

/// Whom a fact is about or from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The person.
    User,
    /// The agent.
    Assistant,
}

impl Speaker {
    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        }
    }
}

/// An entity as the extraction named it, before it is resolved in the space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactEntity {
    /// The name, in the conversation's language.
    pub name: String,
    /// `person`, `place`, `food`, …
    pub kind: String,
    /// Other names by which it was called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

/// A relation as the extraction stated it, before its ends are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRelation {
    /// From: a name; `user` for the owner.
    pub subject: String,
    /// The verb, in snake_case.
    pub predicate: String,
    /// To: the name of an entity, or a plain value.
    pub object: String,
}

/// What the extraction found in messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// One self-contained sentence, in the conversation's language.
    pub text: String,
    /// Topics, lower case.
    pub categories: Vec<String>,
    /// Who said it or whom it is about.
    pub attributed_to: Speaker,
    /// An instruction or preference that should always be followed.
    pub standing: bool,
    /// When it began to hold, or happened.
    pub valid_from: Option<Moment>,
    /// When it stops holding, if it says so: the first moment at which it does not.
    pub valid_to: Option<Moment>,
    /// How exactly `valid_from` was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_precision: Option<Precision>,
    /// How exactly `valid_to` was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_precision: Option<Precision>,
    /// The situation that a standing fact is for; always, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_when: Option<String>,
    /// Who and what it mentions.
    pub entities: Vec<FactEntity>,
    /// How they relate.
    pub relations: Vec<FactRelation>,
    /// The messages it came from.
    pub sources: Vec<Id>,
    /// What it says in the shape that the add asked for.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub structured_data: Map<String, Value>,
}

/// What a memory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Extracted by a model.
    Fact,
    /// A message, verbatim.
    Message,
}

/// One text of a memory, with the span it was known and the span it held in the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The text.
    pub text: String,
    /// When it was stored.
    pub known_from: Moment,
    /// When a newer version or a retirement replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to: Option<Moment>,
    /// When what it says began to hold, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// When what it says stopped holding: the first moment at which it did not. Never before
    /// `valid_from`; equal to it for what never came true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Moment>,
    /// How exactly `valid_from` is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_precision: Option<Precision>,
    /// How exactly `valid_to` is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_precision: Option<Precision>,
    /// The messages that caused it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Id>,
    /// What it says in the shape that an add asked for; empty when none did.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub structured_data: Map<String, Value>,
}

/// What happened to a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeKind {
    /// It was stored.
    Add,
    /// It got a new version.
    Update,
    /// It is no longer true, or was erased.
    Delete,
    /// Nothing: what was said is known already.
    None,
}

impl ChangeKind {
    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Add => "ADD",
            ChangeKind::Update => "UPDATE",
            ChangeKind::Delete => "DELETE",
            ChangeKind::None => "NONE",
        }
    }
}

/// One line of a memory's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The change's own id.
    pub id: Id,
    /// The memory.
    pub memory_id: Id,
    /// What happened.
    pub kind: ChangeKind,
    /// The text before; absent for an ADD and after an erase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_text: Option<String>,
    /// The text after; absent for a DELETE and after an erase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_text: Option<String>,
    /// When.
    pub at: Moment,
    /// The messages that caused it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Id>,
}

/// A name that a memory has for an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// The entity.
    pub entity: EntityId,
    /// The name, as it was written.
    pub name: String,
}

/// What its owner thinks of a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Feedback {
    /// It helps.
    Positive,
    /// It does not help.
    Negative,
    /// It is wrong, and is not to be believed any more.
    VeryNegative,
}

/// A stored fact or a stored verbatim message, with an id that never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Its id.
    pub id: Id,
    /// Fact or message.
    pub kind: Kind,
    /// A message kept beside the facts that were extracted from it. It is not listed as a memory
    /// of its own, and recall returns it only where no fact of it answers.
    #[serde(default)]
    pub transcript: bool,
    /// The ids it was added under.
    pub scope: Scope,
    /// Its versions, oldest first; never empty.
    pub versions: Vec<Version>,
    /// The speaker's role, of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The speaker's name, of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom a fact is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributed_to: Option<Speaker>,
    /// An instruction or preference that should always be followed.
    #[serde(default)]
    pub standing: bool,
    /// The situation that a standing memory is for; always, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_when: Option<String>,
    /// Topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Who and what it mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<EntityId>,
    /// How it, or an earlier version of it, names entities: what an entity is called lasts as long as
    /// a memory calls it so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Naming>,
    /// The client's own fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Hidden after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Never changed by extraction, nor by an update.
    #[serde(default)]
    pub immutable: bool,
    /// A decision of the update phase could not be read, so the fact was added as it is.
    #[serde(default)]
    pub undecided: bool,
    /// What its owner thinks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
    /// Why they think so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback_reason: Option<String>,
    /// When it was said or stored.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
}

impl Memory {
    /// The newest version.
    pub fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The newest text.
    pub fn text(&self) -> &str {
        self.latest().map_or("", |version| version.text.as_str())
    }

    /// The version that a change made: the last one of its text.
    pub fn version_of(&self, change: &Change) -> Option<&Version> {
        let text = change.new_text.as_deref()?;
        let mut versions = self.versions.iter().rev();
        versions.find(|version| version.text == text)
    }

    /// Whether what it says is believed today: not retired by a DELETE.
    pub fn is_current(&self) -> bool {
        self.latest()
            .is_some_and(|version| version.known_to.is_none())
    }

    /// Whether it is past its expiration.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether it counts as a memory of its own: a fact, or a message that stands for itself.
    pub fn is_listed(&self) -> bool {
        !self.transcript
    }

    /// The message it is, of a verbatim one.
    pub fn message(&self) -> Option<Message> {
        (self.kind == Kind::Message).then(|| Message {
            role: self.role.unwrap_or(Role::User),
            content: self.text().to_owned(),
            name: self.name.clone(),
            time: Some(self.created_at),
        })
    }

    /// The messages that its newest version came from.
    pub fn sources(&self) -> &[Id] {
        self.latest()
            .map_or(&[], |version| version.sources.as_slice())
    }
}

/// The hash by which two texts are the same memory: BLAKE3 over the words in NFKC and lower case,
/// without sentence marks around them. 32 hex digits.
pub fn normalized_hash(text: &str) -> String {
    let folded: String = nfkc(text).chars().flat_map(lower).collect();
    let mut hasher = blake3::Hasher::new();
    for word in folded
        .split_whitespace()
        .map(|word| word.trim_matches(is_sentence_mark))
        .filter(|word| !word.is_empty())
    {
        hasher.update(word.as_bytes());
        hasher.update(b" ");
    }
    let hex = hasher.finalize().to_hex();
    hex.chars().take(32).collect()
}

/// Marks that separate sentences or quote words. Others, as in `C++` or `#1`, tell things apart.
fn is_sentence_mark(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '"'
            | '\''
            | '('
            | ')'
            | '“'
            | '”'
            | '‘'
            | '’'
            | '«'
            | '»'
            | '…'
            | '。'
            | '、'
            | '，'
            | '！'
            | '？'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restatement_in_other_punctuation_is_the_same() {
        assert_eq!(
            normalized_hash("User is allergic to peanuts."),
            normalized_hash("user is  allergic to “peanuts”!")
        );
        assert_ne!(normalized_hash("likes tea"), normalized_hash("likes teas"));
        assert_ne!(normalized_hash("likes C"), normalized_hash("likes C++"));
    }
}
