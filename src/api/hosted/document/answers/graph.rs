//! What is answered of the graph, and made of it: contexts, timelines, entities, paths, contradictions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Memory, Time, Uuid};

/// A text for a prompt.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Context {
    /// Sections of lines; a line ends with what it rests on: `[m1]`.
    context: String,
    /// How many tokens it takes, about.
    tokens: u64,
    /// Whether anything was left out for the budget's sake.
    truncated: bool,
    /// The memories by what the lines call them.
    citations: Map<String, Value>,
}

/// What happened and what held, in the order in which it began.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Timeline {
    count: u64,
    results: Vec<Dated>,
}

/// A line of a timeline.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Dated {
    #[serde(flatten)]
    line: Line,
    /// The relation that it is.
    relation: Option<Ends>,
}

/// What happened or held.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Line {
    from: Time,
    /// How exactly it is known: `instant` to `year`. Nothing when it is only when it was said.
    from_precision: Option<String>,
    to: Option<Time>,
    to_precision: Option<String>,
    text: String,
    /// Whether it is believed today and holds on.
    current: bool,
    memories: Vec<Uuid>,
}

/// The two ends of a relation, by id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Ends {
    source_id: String,
    relationship: String,
    target_id: Option<String>,
}

/// A page of entities, and the relations that begin at them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Graph {
    /// Entities on all pages.
    count: u64,
    next: Option<String>,
    previous: Option<String>,
    entities: Vec<Entity>,
    relations: Vec<Relation>,
}

/// A person, a place or a thing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Entity {
    id: String,
    name: String,
    r#type: String,
    aliases: Vec<String>,
    created_at: Time,
}

/// How two entities relate, or an entity and a plain value.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Relation {
    source: String,
    source_id: String,
    relationship: String,
    target: String,
    /// Nothing for a plain value.
    target_id: Option<String>,
    valid_from: Option<Time>,
    valid_from_precision: Option<String>,
    valid_to: Option<Time>,
    valid_to_precision: Option<String>,
    known_from: Time,
    known_to: Option<Time>,
    /// From 0 to 1.
    confidence: f64,
    /// The memories that it rests on.
    memories: Vec<Uuid>,
    /// The messages that it rests on.
    messages: Vec<Uuid>,
}

/// An entity with all that is known of it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EntityView {
    #[serde(flatten)]
    entity: Entity,
    /// How it came to its names.
    history: Vec<EntityChange>,
    relations: Vec<Relation>,
    memories: Vec<Memory>,
    timeline: Vec<Line>,
}

/// How an entity changed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EntityChange {
    /// `renamed`, `alias`, `merged` or `split`.
    event: String,
    at: Time,
    names: Vec<String>,
}

/// Ways between two entities, the best first.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Paths {
    /// The two ends, then those between.
    entities: Vec<Entity>,
    paths: Vec<Path>,
}

/// A way.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Path {
    /// Such as `Tokyo <-visits- Alice -allergic_to-> peanuts`.
    text: String,
    steps: Vec<Link>,
}

/// A relation as a step of a way.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Link {
    #[serde(flatten)]
    relation: Relation,
    backwards: bool,
}

/// What cannot all be true, the newest first.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Contradictions {
    count: u64,
    results: Vec<Contradiction>,
}

/// Claims that cannot all be true.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Contradiction {
    id: Uuid,
    found_at: Time,
    sides: Vec<Side>,
    resolved: Option<Resolved>,
}

/// One of the claims.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Side {
    /// `{"memory": id}` or `{"relation": key}`.
    claim: Map<String, Value>,
    text: String,
    memories: Vec<Uuid>,
    said_at: Option<Time>,
}

/// How a contradiction was resolved.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Resolved {
    at: Time,
    kept: Value,
    by: Value,
}
