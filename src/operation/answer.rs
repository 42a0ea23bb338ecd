//! What the answers are made of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::memory::{
    Change, ChangeKind, Claim, Contradiction, Entity, EntityId, EventStatus, Id, Memory, Message,
    Moment, Notice, Owner, OwnerKind, Precision, Problem, Relation, Scope, Usage,
};

/// An entity with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityView {
    /// The entity. One that was merged is shown as what it was merged into.
    pub entity: Entity,
    /// All its relations in the order in which they began, also those that are over or no longer
    /// believed.
    pub relations: Vec<Relation>,
    /// The names of the entities at the other ends.
    pub names: Vec<(EntityId, String)>,
    /// The memories that mention it, in the order of their time in the world.
    pub memories: Vec<Memory>,
}

/// A relation as one step of a way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The relation.
    pub relation: Relation,
    /// Whether the way goes from its object to its subject.
    pub backwards: bool,
}

/// A contradiction in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The contradiction.
    pub contradiction: Contradiction,
    /// What its claims say, in their order.
    pub sides: Vec<Side>,
}

/// What a claim says and rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// The claim.
    pub claim: Claim,
    /// What it says: the memory's text, or the relation in words.
    pub text: String,
    /// The memories that it rests on.
    pub memories: Vec<Id>,
    /// When it was said last.
    pub said_at: Option<Moment>,
}

/// What became of an add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The event's id.
    pub id: Id,
    /// How far it is.
    pub status: EventStatus,
    /// When it was accepted.
    pub created_at: Moment,
    /// When anything about it last changed.
    pub updated_at: Moment,
    /// The ids the add was for.
    pub scope: Scope,
    /// How often the models were asked.
    pub attempts: u32,
    /// Why the last attempt failed, with its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// When it will be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Moment>,
    /// What was decided, in order; empty until it succeeded.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
    /// The relations that it brought.
    #[serde(default)]
    pub relations: Vec<Triple>,
    /// Something the caller should know: that no model is configured, for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One decision of an add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The memory it is about.
    pub id: Id,
    /// What was done with it.
    pub kind: ChangeKind,
    /// The memory's text after it (before it, of a DELETE); empty once erased.
    pub text: String,
    /// The text before an UPDATE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_text: Option<String>,
}

/// A relation in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triple {
    /// From.
    pub source: String,
    /// How.
    pub relationship: String,
    /// To.
    pub target: String,
}

/// A memory that recall found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The memory.
    pub memory: Memory,
    /// How well it answers, 0 to 1.
    pub score: f32,
    /// What the reranking model gave it, of its own scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerank_score: Option<f32>,
    /// Why it was returned.
    pub receipt: Receipt,
    /// The memories that cannot be true together with it, as nobody has said which of them is. Those that
    /// are hits too stand next to it, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contradicts: Vec<Id>,
}

/// A line of a timeline: one version of a memory, or a relation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dated {
    /// When it began or happened; when it was said, if nobody told.
    pub from: Moment,
    /// How exactly `from` is known. `None` when nobody told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_precision: Option<Precision>,
    /// The first moment at which it did not hold any more; `None` while it does, and of what happened once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Moment>,
    /// How exactly `to` is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_precision: Option<Precision>,
    /// What it says.
    pub text: String,
    /// Whether it is believed today and, as far as is known, holds on.
    pub current: bool,
    /// The memories that it rests on.
    pub memories: Vec<Id>,
    /// The relation that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
}

/// Why a memory was returned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The channels that found it, in a fixed order.
    pub channels: Vec<ChannelScore>,
    /// The messages it came from.
    pub sources: Vec<Id>,
    /// The way on which the graph channel came to it, from what the question names; empty when it did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Step>,
}

/// One step on the way from a question to a memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// How it leads on: the predicate of a relation; `named` from the question to what it names, `found` to a
    /// memory that another channel found, `mentions` between an entity and a memory, `source` between a fact and
    /// its message, `next` between neighbours in a conversation, `session` to a memory of the same session, `word`
    /// between a memory and a rare word of it, `alike` to what is near by meaning.
    pub by: String,
    /// Against the direction of the relation: from its object to its subject.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backwards: bool,
    /// Where it arrives.
    pub to: Stop,
    /// The name of where it arrives; empty for a memory.
    pub name: String,
}

/// Where a step arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// An entity.
    Entity(EntityId),
    /// A plain value.
    Value(String),
    /// A memory.
    Memory(Id),
}

/// What one channel says of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelScore {
    /// The name of a [`Channel`](super::Channel).
    pub channel: String,
    /// Its place among the channel's candidates, from 1.
    pub rank: usize,
    /// The channel's own score: a cosine, a BM25 sum, the strength of a path.
    pub raw: f32,
    /// The score after normalisation, 0 to 1.
    pub score: f32,
}

/// A change with the words of the messages that caused it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// The change.
    pub change: Change,
    /// The messages that caused it, as far as they are still kept.
    pub input: Vec<Message>,
    /// The ids the memory was added under.
    pub scope: Scope,
    /// The memory's topics.
    pub categories: Vec<String>,
    /// The client's own fields.
    pub metadata: Map<String, Value>,
    /// What the memory said after the change, in the shape that an add asked for.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub structured_data: Map<String, Value>,
}

/// The running summary of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summed {
    /// The conversation's ids.
    pub scope: Scope,
    /// The text.
    pub text: String,
    /// When it was made.
    pub updated_at: Moment,
}

/// An export and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exported {
    /// Its id.
    pub id: Id,
    /// How far it is.
    pub status: EventStatus,
    /// When it was asked for.
    pub created_at: Moment,
    /// When anything about it last changed.
    pub updated_at: Moment,
    /// How many memories it was made of.
    pub memories: usize,
    /// How often one for this purpose was made.
    pub made: u32,
    /// The values; null until it is made.
    pub result: Value,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// What a space tells the directory: what it holds now, and what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whose space it is; `None` of one that was never written to.
    pub owner: Option<Owner>,
    /// Memories that are listed.
    pub memories: usize,
    /// The ids that its listed memories were added under.
    pub named: Vec<Named>,
    /// What happened, oldest first.
    pub notices: Vec<Notice>,
    /// Whether there is more to tell.
    pub more: bool,
}

/// A user, an agent, an app or a run, as one space knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What it is.
    pub kind: OwnerKind,
    /// Its id.
    pub id: String,
    /// Listed memories under it.
    pub memories: usize,
    /// When the first of them was said.
    pub created_at: Moment,
    /// When any of them last changed.
    pub updated_at: Moment,
}

/// Counts of a space.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Memories that are listed.
    pub memories: usize,
    /// Messages kept beside their facts.
    pub transcript: usize,
    /// Entities.
    pub entities: usize,
    /// Relations that hold.
    pub relations: usize,
    /// Contradictions that nobody has resolved.
    #[serde(default)]
    pub contradictions: usize,
    /// Jobs that wait.
    pub jobs: usize,
    /// The embedder the space was built with.
    pub embedder: Option<String>,
    /// What is kept in memory of the vectors: `resident` (all that a search needs but for its last step), or `lean`
    /// (what is left when the budget is short: searches read more from storage).
    pub vectors: String,
    /// Bytes that the indexes take in memory, about.
    pub bytes: usize,
    /// Bytes that they may take.
    pub budget: usize,
    /// Bytes of the whole module's memory, where that can be told.
    pub module: Option<usize>,
    /// A hash of what is stored ([`digest`](crate::store::digest)), if it was asked for.
    #[serde(default)]
    pub digest: Option<String>,
    /// What the LLM cost, where that is counted.
    #[serde(default)]
    pub spent: Option<Spent>,
}

/// The code of the problem of an event that waits for the next day, as the LLM cost what it may on this one.
pub const OVER_BUDGET: &str = "daily_budget_spent";

/// What the LLM cost an owner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Today.
    pub today: Usage,
    /// On the days before on which it was asked, the newest first; at most 30.
    pub earlier: Vec<Usage>,
    /// How often it may be asked on one day.
    pub daily_calls: Option<u64>,
    /// How many tokens that may take.
    pub daily_tokens: Option<u64>,
}
