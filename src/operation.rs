//! The narrow waist: everything a space can be asked, and everything it answers.
//!
//! REST, MCP, the JavaScript class and the WebAssembly component are each a thin translation to
//! [`Operation`] and from [`Reply`]. Both are plain serde data, so that they also travel between a
//! gateway and the object that holds a space.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::memory::{Category, EventStatus, Problem};

use crate::memory::{
    Change, ChangeKind, Claim, Contradiction, Entity, EntityId, Filter, Id, Memory, Message,
    Moment, Precision, Relation, Scope,
};

/// Something to ask of a space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", content = "with", rename_all = "snake_case")]
pub enum Operation {
    /// Remember a conversation. The messages are stored before the reply; extraction is a job.
    /// Answers [`Reply::Event`].
    Add(Box<Add>),
    /// Run the jobs that are due, or the job of one event at once. Answers [`Reply::Ran`].
    RunJobs {
        /// Only this event's job, due or not.
        #[serde(default)]
        event: Option<Id>,
    },
    /// Recall. Answers [`Reply::Hits`], or [`Reply::Related`] when relations are asked for.
    Search(Search),
    /// What an agent should have before its eyes when it answers a question, as one text for a prompt.
    /// Answers [`Reply::Context`].
    Context(Context),
    /// What happened and what held, in the order of its time in the world. Answers [`Reply::Timeline`].
    Timeline(Timeline),
    /// One memory. Answers [`Reply::Memory`].
    Get {
        /// Its id.
        id: Id,
    },
    /// Memories, newest first, a page at a time. Answers [`Reply::Page`].
    List(List),
    /// Change one memory by hand. Answers [`Reply::Memory`].
    Update(Update),
    /// Erase one memory and everything derived from it. Answers [`Reply::Deleted`].
    Delete {
        /// Its id.
        id: Id,
    },
    /// Erase every memory that a filter selects, and everything derived from them. Answers
    /// [`Reply::Deleted`].
    DeleteAll {
        /// Which ones.
        #[serde(default)]
        filter: Filter,
    },
    /// What happened to one memory, oldest first. Answers [`Reply::History`].
    History {
        /// Its id.
        id: Id,
    },
    /// What became of an add. Answers [`Reply::Event`].
    Event {
        /// The event's id.
        id: Id,
    },
    /// Entities and relations, a page at a time. Answers [`Reply::Graph`].
    Graph(Graph),
    /// One entity with all that is known of it. Answers [`Reply::Entity`].
    Entity {
        /// Its id, or any of its names.
        id: EntityId,
    },
    /// How two entities hang together. Answers [`Reply::Paths`].
    Path {
        /// Where to begin: an entity's id, or any of its names.
        from: EntityId,
        /// Where to arrive.
        to: EntityId,
        /// Over relations that held in the world at this moment, rather than over those that hold now.
        #[serde(default)]
        as_of: Option<Moment>,
    },
    /// Say that two entities are one. The first one's names, relations and memories become the second
    /// one's. Answers [`Reply::Entity`].
    MergeEntities {
        /// The one that goes.
        from: EntityId,
        /// The one that stays.
        into: EntityId,
    },
    /// Say that some of an entity's memories are about another one, which is made. Answers
    /// [`Reply::Entity`] with the new one.
    SplitEntity {
        /// The entity.
        entity: EntityId,
        /// The name of the new one.
        name: String,
        /// The memories that are about it.
        memories: Vec<Id>,
    },
    /// What cannot all be true, newest first. Answers [`Reply::Contradictions`].
    Contradictions {
        /// Also those that are resolved.
        #[serde(default)]
        resolved: bool,
    },
    /// Say which side of a contradiction is true. What the others rest on is no longer believed.
    /// Answers [`Reply::Contradictions`] with this one.
    Resolve {
        /// The contradiction.
        id: Id,
        /// The claim that is true: one of its own, or the memory that one of them rests on.
        keep: Claim,
    },
    /// The running summary of a conversation. Answers [`Reply::Summary`].
    Summary {
        /// The conversation's ids.
        scope: Scope,
    },
    /// Counts. Answers [`Reply::Stats`].
    Stats,
}

/// A conversation to remember.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Add {
    /// Whose it is.
    pub scope: Scope,
    /// The turns, oldest first.
    pub messages: Vec<Message>,
    /// Whether a model extracts facts; otherwise the messages are stored as they are.
    pub infer: bool,
    /// The client's own fields, copied to every memory that comes of this.
    pub metadata: Map<String, Value>,
    /// When the conversation took place; now when absent.
    pub time: Option<Moment>,
    /// Hide what comes of this after this moment.
    pub expires_at: Option<Moment>,
    /// Never change what comes of this.
    pub immutable: bool,
    /// What to extract, in the operator's words.
    pub instructions: Option<String>,
    /// What to remember only.
    pub includes: Option<String>,
    /// What not to remember.
    pub excludes: Option<String>,
    /// The topics to choose from; the standard ones when empty.
    pub categories: Vec<Category>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Search {
    /// The question, in words.
    pub query: String,
    /// Which memories may answer.
    pub filter: Filter,
    /// The most hits, 1 to 1000.
    pub top_k: usize,
    /// The lowest score, 0 to 1.
    pub threshold: f32,
    /// Also memories past their expiration.
    pub show_expired: bool,
    /// Which verbatim messages may answer beside the facts.
    pub transcript: Transcript,
    /// Also the relations at the entities that the hits mention.
    pub relations: bool,
    /// The moment to take for now.
    pub reference_time: Option<Moment>,
    /// Have the reranking model, if there is one, order the hits.
    #[serde(default)]
    pub rerank: bool,
    /// Answer from what held in the world at this moment: also what is no longer true, each memory in
    /// the words of that time.
    pub as_of: Option<Moment>,
    /// Answer from what was believed at this moment.
    pub known_at: Option<Moment>,
    /// Channels that are not asked: to measure what they are good for.
    pub without: Vec<Channel>,
}

/// One of the ways by which recall finds memories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By the words of the question.
    Keyword,
    /// By its meaning.
    Vector,
    /// By who and what it names, and by what hangs together with what was found.
    Graph,
    /// By the time that it asks about.
    Time,
    /// Instructions and preferences, by the situation that they are for.
    Standing,
}

impl Channel {
    /// All of them, in the order in which receipts name them.
    pub const ALL: [Self; 5] = [
        Self::Keyword,
        Self::Vector,
        Self::Graph,
        Self::Time,
        Self::Standing,
    ];

    /// The name used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Vector => "vector",
            Self::Graph => "graph",
            Self::Time => "time",
            Self::Standing => "standing",
        }
    }
}

impl Default for Search {
    fn default() -> Self {
        Self {
            query: String::new(),
            filter: Filter::all(),
            top_k: 10,
            threshold: 0.1,
            show_expired: false,
            transcript: Transcript::Fill,
            relations: false,
            reference_time: None,
            rerank: false,
            as_of: None,
            known_at: None,
            without: Vec::new(),
        }
    }
}

/// A question that an agent is about to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The question, or what the person just said.
    pub query: String,
    /// Which memories may appear.
    pub filter: Filter,
    /// The most tokens of the text, 50 to 100,000, as [`Reply::Context`] counts them.
    pub budget_tokens: usize,
    /// Tell what held in the world at this moment.
    pub as_of: Option<Moment>,
    /// The moment to take for now.
    pub reference_time: Option<Moment>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            query: String::new(),
            filter: Filter::all(),
            budget_tokens: 1_500,
            as_of: None,
            reference_time: None,
        }
    }
}

/// What to put in the order of time: all that is known of an entity, what a question finds, or everything that
/// has a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeline {
    /// Only what is about this entity: its id, or any of its names.
    pub entity: Option<EntityId>,
    /// Only what answers this question.
    pub query: Option<String>,
    /// Only what lasted beyond this moment or came after it.
    pub from: Option<Moment>,
    /// Only what began before this moment.
    pub to: Option<Moment>,
    /// Only what rests on memories that this selects.
    pub filter: Filter,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            entity: None,
            query: None,
            from: None,
            to: None,
            filter: Filter::all(),
        }
    }
}

/// A page of the graph: entities in the order of their ids, and the relations that begin at them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Graph {
    /// Also relations that no longer hold.
    pub past: bool,
    /// Only relations that held in the world at this moment; ended ones too.
    pub as_of: Option<Moment>,
    /// What was believed at this moment, rather than what is now.
    pub known_at: Option<Moment>,
    /// Only what rests on memories that this selects.
    pub filter: Filter,
    /// The page, from 1.
    pub page: usize,
    /// Entities on a page, 1 to 1,000,000.
    pub page_size: usize,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            past: false,
            as_of: None,
            known_at: None,
            filter: Filter::all(),
            page: 1,
            page_size: 1_000,
        }
    }
}

/// Which messages, kept beside the facts extracted from them, may answer a question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transcript {
    /// None.
    Never,
    /// Those of which no fact answers about as well.
    #[default]
    Fill,
    /// All.
    Always,
}

/// A page of memories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    /// Which memories.
    pub filter: Filter,
    /// The page, from 1.
    pub page: usize,
    /// Memories on a page, 1 to 1000.
    pub page_size: usize,
    /// Also memories past their expiration.
    pub show_expired: bool,
    /// Also memories that are no longer true.
    pub show_past: bool,
    /// Also messages kept beside the facts extracted from them.
    pub transcript: bool,
}

impl Default for List {
    fn default() -> Self {
        Self {
            filter: Filter::all(),
            page: 1,
            page_size: 100,
            show_expired: false,
            show_past: false,
            transcript: false,
        }
    }
}

/// A change by hand. What is `None` stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// The memory.
    pub id: Id,
    /// The new text.
    #[serde(default)]
    pub text: Option<String>,
    /// Fields to set in the metadata; a null removes one.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    /// The new time of the memory.
    #[serde(default)]
    pub time: Option<Moment>,
    /// The new expiration; `Some(None)` clears it.
    #[serde(
        default,
        with = "double_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Option<Moment>>,
}

/// Tells an absent field from a null one.
mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::memory::Moment;

    pub fn serialize<S: Serializer>(
        value: &Option<Option<Moment>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.flatten().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<Moment>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "with", rename_all = "snake_case")]
pub enum Reply {
    /// An add, and what has become of it so far.
    Event(Box<Event>),
    /// Jobs were run.
    Ran {
        /// When the next job is due; `None` when none is left.
        next_due: Option<Moment>,
    },
    /// What recall found, best first.
    Hits(Vec<Hit>),
    /// What recall found, best first, and what the graph says of it.
    Related {
        /// The hits.
        hits: Vec<Hit>,
        /// Relations that hold: those that the hits state, then others at the entities that they mention.
        relations: Vec<Triple>,
    },
    /// A text for a prompt.
    Context {
        /// Sections of lines; a line ends with the numbers of the memories that it rests on: `[m1]`.
        text: String,
        /// The memories by those numbers: `[m1]` is the first.
        memories: Vec<Id>,
        /// How many tokens the text takes, about: one for four bytes of an alphabet, two for three
        /// characters of Chinese, Japanese or Korean.
        tokens: usize,
        /// Whether anything was left out for the budget's sake.
        truncated: bool,
    },
    /// What happened and what held, in the order in which it began.
    Timeline(Vec<Dated>),
    /// One memory.
    Memory(Box<Memory>),
    /// A page of memories.
    Page {
        /// How many there are on all pages.
        total: usize,
        /// Those of this page.
        memories: Vec<Memory>,
    },
    /// Memories were erased.
    Deleted {
        /// How many.
        count: usize,
    },
    /// The history of one memory, oldest first.
    History(Vec<HistoryLine>),
    /// A page of the graph.
    Graph {
        /// How many entities there are on all pages.
        total: usize,
        /// The nodes of this page.
        entities: Vec<Entity>,
        /// The edges that begin at them. What they point at can be on another page.
        relations: Vec<Relation>,
        /// The names of the entities on other pages that they point at.
        #[serde(default)]
        names: Vec<(EntityId, String)>,
    },
    /// Ways from one entity to another over relations, the best first.
    Paths {
        /// The two ends, then the entities between them.
        entities: Vec<Entity>,
        /// The ways: none when the two do not hang together closely.
        paths: Vec<Vec<Link>>,
    },
    /// One entity.
    Entity(Box<EntityView>),
    /// Contradictions with their words.
    Contradictions(Vec<Conflict>),
    /// The running summary; empty when there is none yet.
    Summary {
        /// The text.
        text: String,
        /// When it was made.
        updated_at: Option<Moment>,
        /// What it said before, oldest first, each with when it was made.
        #[serde(default)]
        earlier: Vec<(Moment, String)>,
    },
    /// Counts.
    Stats(Box<Stats>),
}

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
    /// its message, `next` between neighbours in a conversation.
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
    /// The name of a [`Channel`].
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
}
