//! The form of a story: see `tests/stories/README.md`.

use edgemem::memory::{Message, Moment};
use model_server::cassette::Entry;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    pub id: String,
    pub language: String,
    pub about: String,
    /// Says who wrote the replies.
    pub replies: String,
    pub steps: Vec<Step>,
    pub expected: Expected,
}

/// What happens, and when.
#[derive(Debug, Deserialize)]
pub struct Step {
    pub time: Moment,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A conversation, and what the model is taken to say about it.
    Session(Session),
    /// Erase the memory that says this.
    Delete(String),
    /// Change a memory by hand.
    Update { memory: String, text: String },
    /// Decide the open contradiction that has this side.
    Resolve { keep: String },
    /// Two entities are one.
    Merge { from: String, into: String },
    /// Some memories of an entity are about another one.
    Split {
        entity: String,
        name: String,
        memories: Vec<String>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub messages: Vec<Message>,
    pub replies: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Texts of the memories that are believed.
    pub memories: Vec<String>,
    pub entities: Vec<Named>,
    /// Relations that are believed.
    pub relations: Vec<Edge>,
    /// Relations that were believed once.
    #[serde(default)]
    pub unbelieved: Vec<Edge>,
    /// The sides of each open contradiction.
    #[serde(default)]
    pub contradictions: Vec<Vec<String>>,
    /// Contradictions that were decided.
    #[serde(default)]
    pub resolved: Vec<Resolved>,
    /// What holds in the world at a time.
    #[serde(default)]
    pub at: Vec<At>,
    #[serde(default)]
    pub questions: Vec<Question>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub name: String,
    pub kind: String,
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// Subject, predicate, object, from, to.
#[derive(Debug, Deserialize)]
pub struct Edge(
    pub String,
    pub String,
    pub String,
    pub Option<String>,
    pub Option<String>,
);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    pub sides: Vec<String>,
    /// The side that is believed; `None` when something else took the place of all.
    pub kept: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    pub time: Moment,
    /// Each as subject, predicate, object.
    #[serde(default)]
    pub holds: Vec<[String; 3]>,
    /// Likewise.
    #[serde(default)]
    pub not: Vec<[String; 3]>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub query: String,
    /// Ask what was so then.
    #[serde(default)]
    pub as_of: Option<String>,
    /// How many of the first memories are looked at.
    pub k: usize,
    /// Texts of memories that must be among them.
    #[serde(default)]
    pub first: Vec<String>,
    /// Texts that must not.
    #[serde(default)]
    pub not: Vec<String>,
}
