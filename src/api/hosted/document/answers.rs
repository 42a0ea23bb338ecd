//! What the routes answer. Ids are UUIDs, and moments are in UTC.

mod graph;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use graph::*;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, extend("format" = "uuid"))]
pub(crate) struct Uuid(String);

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, extend("format" = "date-time"))]
pub(crate) struct Time(String);

/// A refusal or a failure.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Problem {
    /// What is wrong, and often what to do: for people.
    error: String,
    /// The same.
    detail: String,
    /// What is wrong: for programs. It does not change.
    code: String,
}

/// That something was done.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Done {
    message: String,
    /// How many memories it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// With `delete_linked`: to how many others.
    #[serde(skip_serializing_if = "Option::is_none")]
    cascade_count: Option<u64>,
    /// Of a batch: what it was not done to, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<Vec<Failed>>,
}

/// What a batch was not done to.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Failed {
    memory_id: Uuid,
    code: String,
    error: String,
}

/// Feedback that was taken.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Judged {
    id: Uuid,
    memory_id: Uuid,
    feedback: Option<String>,
    feedback_reason: Option<String>,
}

/// An export that was asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Requested {
    message: String,
    /// To ask for it.
    id: Uuid,
}

/// A page of users, agents, apps and runs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Owners {
    count: u64,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<Owner>,
    total_users: u64,
    total_agents: u64,
    total_apps: u64,
    total_runs: u64,
}

/// A user, an agent, an app or a run.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Owner {
    /// Its number.
    id: String,
    /// Its id.
    name: String,
    /// `user`, `agent`, `app` or `run`.
    r#type: String,
    owner: String,
    metadata: Option<Map<String, Value>>,
    total_memories: u64,
    created_at: Time,
    updated_at: Time,
}

/// A page of what was lately added.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Events {
    count: u64,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<Map<String, Value>>,
}

/// The ids under which something is remembered.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Ids {
    user_id: Option<String>,
    agent_id: Option<String>,
    app_id: Option<String>,
    run_id: Option<String>,
    /// The same as run_id.
    session_id: Option<String>,
}

/// A fact, or a message word for word. In lists, `fields` may have cut it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = may_be_cut)]
pub(crate) struct Memory {
    id: Uuid,
    /// What it says.
    memory: String,
    /// Of the text, its case and white space aside.
    hash: String,
    /// `fact`, or `message`: word for word.
    kind: String,
    /// Of a message: who said it.
    role: Option<String>,
    /// Of a message: the name of who said it.
    actor_id: Option<String>,
    /// Of a fact: who said it, `user` or `assistant`.
    attributed_to: Option<String>,
    /// Whether it is an instruction or a preference that should always be followed.
    standing: bool,
    /// Whether it may be changed.
    immutable: bool,
    /// The client's own fields.
    metadata: Map<String, Value>,
    categories: Vec<String>,
    /// What it says in the shape of the `structured_data_schema` of an add; only when one asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_data: Option<Map<String, Value>>,
    /// What its owner thought of it: `POSITIVE`, `NEGATIVE` or `VERY_NEGATIVE`.
    feedback: Option<String>,
    structured_attributes: Option<Map<String, Value>>,
    replaced_by: Option<Uuid>,
    synthesized: bool,
    /// The last day on which it is shown.
    expiration_date: Option<String>,
    /// Since when it holds in the world.
    valid_from: Option<Time>,
    /// The first moment at which it did not hold any more.
    valid_to: Option<Time>,
    /// The messages that it came from.
    sources: Vec<Uuid>,
    created_at: Time,
    updated_at: Time,
    #[serde(flatten)]
    ids: Ids,
    /// Of one memory alone: `active`, or `retired` when it is no longer true.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_state: Option<String>,
}

pub(super) fn may_be_cut(schema: &mut schemars::Schema) {
    schema.remove("required");
}

/// A page of memories.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Memories {
    /// On all pages.
    count: u64,
    /// The address of the next page.
    next: Option<String>,
    previous: Option<String>,
    results: Vec<Memory>,
}

/// What answers a question, the best first.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Hits {
    results: Vec<Hit>,
    /// With `enable_graph`: what the graph says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    relations: Option<Vec<Edge>>,
}

/// A memory that answers a question.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = may_be_cut)]
pub(crate) struct Hit {
    #[serde(flatten)]
    memory: Memory,
    /// How well it answers, 0 to 1.
    score: f64,
    /// The memories that cannot be true together with it.
    contradicts: Vec<Uuid>,
    /// With `rerank`: what the reranking model gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rerank_score: Option<f64>,
    score_breakdown: Breakdown,
    /// With `explain`: why it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
}

/// Scores by what they come from, 0 to 1.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Breakdown {
    /// From the meaning.
    semantic: f64,
    /// From the words.
    bm25: f64,
    /// From the graph.
    entity: f64,
}

/// Why a memory was found.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Receipt {
    channels: Vec<Channel>,
    /// The messages that it came from.
    sources: Vec<Uuid>,
    /// The way on which the graph came to it.
    path: Vec<Step>,
}

/// One of the ways by which memories are found.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Channel {
    /// `keyword`, `vector`, `graph`, `time` or `standing`.
    channel: String,
    /// Its place among those that this way found, from 1.
    rank: u64,
    /// On the way's own scale.
    raw: f64,
    /// From 0 to 1.
    score: f64,
}

/// A step from a question to a memory.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Step {
    /// A relation's name, or `named`, `found`, `mentions`, `source`, `next`.
    by: String,
    /// Whether it goes against the direction of the relation.
    backwards: bool,
    /// `{"entity": id}`, `{"value": text}` or `{"memory": id}`.
    to: Map<String, Value>,
    name: String,
}

/// A relation in words.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Edge {
    source: String,
    relationship: String,
    target: String,
    /// The same as target.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
}

/// What became of an add so far.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Added {
    message: String,
    /// To ask for it later.
    event_id: Uuid,
    /// `PENDING`, `SUCCEEDED` or `FAILED`.
    status: String,
    /// What was decided, once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<Outcome>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relations: Option<Vec<Edge>>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Why an attempt failed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Failure {
    code: String,
    message: String,
}

/// One decision.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Outcome {
    /// The memory's id.
    id: Uuid,
    data: Said,
    /// What it says after it.
    memory: String,
    /// `ADD`, `UPDATE`, `DELETE`, or `NONE` of what was known already.
    event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_memory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_memory: Option<String>,
}

/// What a memory says.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Said {
    memory: String,
}

/// What became of an add.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Event {
    id: Uuid,
    event_type: String,
    /// `PENDING`, `RUNNING`, `SUCCEEDED` or `FAILED`.
    status: String,
    /// The ids that it was for.
    payload: Ids,
    metadata: Map<String, Value>,
    results: Vec<EventOutcome>,
    relations: Vec<Edge>,
    created_at: Time,
    updated_at: Time,
    started_at: Option<Time>,
    completed_at: Option<Time>,
    /// From the first to the last, in milliseconds.
    latency: Option<u64>,
    graph_status: Option<String>,
    /// How often the models were asked.
    attempts: u64,
    error: Option<String>,
    error_code: Option<String>,
    retry_at: Option<Time>,
    note: Option<String>,
}

/// One decision of an event.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EventOutcome {
    #[serde(flatten)]
    outcome: Outcome,
    user_id: Option<String>,
}

/// One change of a memory.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Change {
    id: Uuid,
    memory_id: Uuid,
    /// The messages that caused it, as far as they are kept.
    input: Vec<Turn>,
    old_memory: Option<String>,
    new_memory: Option<String>,
    /// `ADD`, `UPDATE` or `DELETE`.
    event: String,
    categories: Vec<String>,
    metadata: Map<String, Value>,
    /// What the memory said after the change, in the shape of the `structured_data_schema` of an add.
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_data: Option<Map<String, Value>>,
    created_at: Time,
    updated_at: Time,
    #[serde(flatten)]
    ids: Ids,
}

/// A message as it was said.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Turn {
    role: String,
    content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Counts: of one owner's memory, or, when no owner is named, of all.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Counts {
    Owner(Stats),
    Project(ProjectStats),
}

/// Counts of all owners' memories.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ProjectStats {
    total_memories: u64,
    total_add_events: u64,
    /// Searches are not counted.
    total_retrieval_events: (),
    total_api_retrieval_events: (),
    total_retrieval_events_limit: (),
    total_users_with_memories: u64,
    total_agents_with_memories: u64,
    total_runs_with_memories: u64,
    memories_per_user: u64,
    memories_per_agent: u64,
    memories_per_run: u64,
}

/// Counts and sizes of one owner's memory.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Stats {
    total_memories: u64,
    /// Messages that are kept beside their facts.
    total_messages: u64,
    total_entities: u64,
    total_relations: u64,
    open_contradictions: u64,
    pending_jobs: u64,
    embedder: Option<String>,
    /// `resident` or `lean`.
    vectors: String,
    memory_bytes: u64,
    memory_budget_bytes: u64,
    module_bytes: Option<u64>,
    /// A hash of what is stored, if it was asked for: two memories with the same one are the same, to the byte.
    digest: Option<String>,
    /// What the LLM cost, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    llm: Option<Spent>,
}

/// What the LLM cost for an owner.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Spent {
    today: Usage,
    /// Days before on which it was asked, the newest first, 30 at most.
    earlier: Vec<Usage>,
    /// How often it may be asked on one day, and for how many tokens; null for any number.
    daily_calls: Option<u64>,
    daily_tokens: Option<u64>,
}

/// What the LLM was asked on one day (UTC).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Usage {
    day: String,
    calls: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// Of how many calls the tokens are estimated, as the provider did not say.
    estimated: u64,
}

/// Whose key it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Ping {
    status: String,
    org_id: String,
    project_id: String,
    user_email: String,
}

/// Whether the server is well.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Health {
    /// `ok` or `degraded`.
    status: String,
    version: String,
    models: Models,
    /// How many there are.
    api_keys: u64,
    /// What is wrong, one sentence each.
    problems: Vec<String>,
}

/// The models that the server uses.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Models {
    chat: Option<String>,
    embedder: Option<String>,
    reranker: Option<String>,
}
