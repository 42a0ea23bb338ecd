//! What comes with the questions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::memory::{Category, EntityId, Feedback, File, Filter, Id, Message, Moment, Scope};

/// A conversation to remember.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Add {
    /// Whose it is.
    pub scope: Scope,
    /// The turns, oldest first.
    pub messages: Vec<Message>,
    /// Files of the turns, in order. A job reads them: until then, and where one cannot be read, its placeholder stands in
    /// the words of its turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
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
    /// A JSON schema: each fact is also given in its shape, as far as it tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_data_schema: Option<Value>,
}

/// A file of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The place of the turn among the messages.
    pub message: usize,
    /// The file.
    pub file: File,
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
    /// Of memories that contradict each other, only the newest.
    #[serde(default)]
    pub latest_only: bool,
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
            latest_only: false,
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
    /// The most tokens of the text, 50 to 100,000, as [`Reply::Context`](super::Reply::Context) counts them.
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// Memories to leave out before the first page.
    #[serde(default)]
    pub skip: usize,
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
            skip: 0,
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

/// What an owner thinks of a memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The memory.
    pub memory: Id,
    /// What they think; nothing any more when absent.
    #[serde(default)]
    pub feedback: Option<Feedback>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
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
