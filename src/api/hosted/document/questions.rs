//! What the routes are asked. Fields that nobody knows are ignored.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A memory by its id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct MemoryId {
    /// The memory's id.
    #[schemars(extend("format" = "uuid"))]
    memory_id: String,
}

/// An event by its id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EventId {
    /// The event's id, from the answer of an add.
    #[schemars(extend("format" = "uuid"))]
    event_id: String,
}

/// A contradiction by its id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ContradictionId {
    /// The contradiction's id.
    #[schemars(extend("format" = "uuid"))]
    contradiction_id: String,
}

/// An entity.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EntityName {
    /// The entity's id, or any of its names.
    #[schemars(length(min = 1))]
    entity: String,
}

/// Whose memory it is about.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Owner {
    /// The user. The memory of a user is apart from every other user's.
    #[schemars(length(min = 1, max = 256))]
    user_id: Option<String>,
    /// The agent: the owner, when no user is given; else one of the user's.
    #[schemars(length(min = 1, max = 256))]
    agent_id: Option<String>,
    /// The app.
    #[schemars(length(min = 1, max = 256))]
    app_id: Option<String>,
    /// The conversation.
    #[schemars(length(min = 1, max = 256))]
    run_id: Option<String>,
}

/// A conversation to remember.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Add {
    /// A text, a message, or messages.
    messages: Messages,
    #[serde(flatten)]
    owner: Owner,
    /// Whether a model extracts facts; else the messages are stored as they are.
    infer: Option<bool>,
    /// Whether to answer at once with an event; else only when it is done.
    async_mode: Option<bool>,
    /// Your own fields, copied to every memory that comes of it.
    metadata: Option<Map<String, Value>>,
    /// When the conversation took place, in seconds since 1970; now when absent.
    timestamp: Option<i64>,
    /// The last day on which what comes of it is shown.
    #[schemars(extend("format" = "date"))]
    expiration_date: Option<String>,
    /// Whether what comes of it can be changed later.
    immutable: Option<bool>,
    /// What to extract, in your words.
    custom_instructions: Option<String>,
    /// The same, for what is remembered for an agent alone.
    agent_custom_instructions: Option<String>,
    /// What to remember only.
    includes: Option<String>,
    /// What not to remember.
    excludes: Option<String>,
    /// The topics to choose from: a name and a description each.
    custom_categories: Option<Vec<Map<String, Value>>>,
    /// A JSON schema of at most 16 KB: each fact is also given in its shape, as `structured_data`, as far as it tells it.
    structured_data_schema: Option<Map<String, Value>>,
}

/// What was said.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Messages {
    /// By the user.
    Text(String),
    Messages(Vec<Message>),
}

/// A turn of a conversation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Message {
    role: Role,
    /// A text, or a list of parts.
    content: Content,
    /// The name of who said it.
    name: Option<String>,
}

/// Who said it. Messages of the system are not stored.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    User,
    Assistant,
    System,
    Tool,
}

/// What a message says.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of a message: words, or a file under the name of its type. Files are read before facts are extracted; one that
/// cannot be read is told of in `note`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Part {
    #[serde(rename = "type")]
    kind: PartType,
    /// Words.
    text: Option<String>,
    /// A PNG, JPEG, GIF or WebP image of up to 4 MB. The LLM tells what it shows.
    image_url: Option<FileUrl>,
    /// A PDF document of up to 4 MB. The LLM tells what it says.
    pdf_url: Option<FileUrl>,
    /// A plain text in UTF-8.
    txt_url: Option<FileUrl>,
    /// Markdown.
    mdx_url: Option<FileUrl>,
}

/// What a part is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PartType {
    Text,
    ImageUrl,
    PdfUrl,
    TxtUrl,
    MdxUrl,
}

/// Where a file is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FileUrl {
    /// A public address of HTTPS, a `data:` URL, or base64.
    url: String,
}

/// Conditions: `{"field": value}`, `{"field": {"operator": value}}`, and these under `AND`, `OR` and `NOT`. Fields
/// are the ids, `categories`, `created_at`, `updated_at`, `text` and those of `metadata`; operators `eq`, `ne`, `in`,
/// `nin`, `gt`, `gte`, `lt`, `lte`, `contains` and `icontains`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Filters(Map<String, Value>);

/// Which memories.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Selection {
    /// Whose, and which.
    filters: Option<Filters>,
    #[serde(flatten)]
    owner: Owner,
    /// Only of one of these topics.
    categories: Option<Vec<String>>,
    /// Only with one of these words.
    keywords: Option<Vec<String>>,
    /// Only with these among your own fields.
    metadata: Option<Map<String, Value>>,
    /// Only what came since this day.
    #[schemars(extend("format" = "date"))]
    start_date: Option<String>,
    /// Only what came until this day.
    #[schemars(extend("format" = "date"))]
    end_date: Option<String>,
    /// Also those past their expiration.
    show_expired: Option<bool>,
    /// Of each result only these fields.
    fields: Option<Vec<String>>,
}

/// A question.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Search {
    /// In words.
    #[schemars(length(min = 1))]
    query: String,
    #[serde(flatten)]
    selection: Selection,
    /// The most results.
    #[schemars(range(min = 1, max = 1000))]
    top_k: Option<u32>,
    /// The lowest score.
    #[schemars(range(min = 0, max = 1))]
    threshold: Option<f64>,
    /// Have the reranking model order them, if there is one.
    rerank: Option<bool>,
    /// Which messages may answer beside the facts: `never`, `fill` or `always`.
    transcript: Option<Transcript>,
    /// Also what the graph says of them.
    enable_graph: Option<bool>,
    /// Also why each was found.
    explain: Option<bool>,
    /// The moment to take for now.
    #[schemars(extend("format" = "date"))]
    reference_date: Option<String>,
    /// Answer from what held in the world then: a date or a time.
    #[schemars(extend("format" = "date"))]
    as_of: Option<String>,
    /// Answer from what was believed then.
    #[schemars(extend("format" = "date"))]
    known_at: Option<String>,
}

/// Which verbatim messages may answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transcript {
    Never,
    Fill,
    Always,
}

/// Which memories to list.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct List {
    #[serde(flatten)]
    selection: Selection,
    /// Also what is no longer true.
    show_past: Option<bool>,
    /// Also messages that are kept beside their facts.
    transcript: Option<bool>,
}

/// Which page.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Page {
    /// From 1.
    #[schemars(range(min = 1, max = 4_294_967_295_u64))]
    page: Option<u64>,
    /// The most results on it.
    #[schemars(range(min = 1, max = 1000))]
    page_size: Option<u32>,
}

/// What to change of a memory: at least one.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Update {
    /// What it says from now on.
    #[schemars(length(min = 1))]
    text: Option<String>,
    /// Your own fields, merged into those that there are.
    metadata: Option<Map<String, Value>>,
    /// When it began to hold, in seconds since 1970.
    timestamp: Option<i64>,
    /// The last day on which it is shown; null for no such day.
    #[schemars(extend("format" = "date"))]
    expiration_date: Option<String>,
}

/// What an agent is about to answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Context {
    /// The question, or what the person just said.
    #[schemars(length(min = 1))]
    query: String,
    #[serde(flatten)]
    owner: Owner,
    /// Which memories may appear.
    filters: Option<Filters>,
    /// The most tokens.
    #[schemars(range(min = 50, max = 100_000))]
    budget_tokens: Option<u32>,
    /// Tell what held in the world then.
    #[schemars(extend("format" = "date"))]
    as_of: Option<String>,
    /// The moment to take for now.
    #[schemars(extend("format" = "date"))]
    reference_date: Option<String>,
}

/// Which story.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Timeline {
    #[serde(flatten)]
    owner: Owner,
    /// Only what is about this entity: its id, or any of its names.
    #[schemars(length(min = 1))]
    entity: Option<String>,
    /// Only what answers this question.
    #[schemars(length(min = 1))]
    query: Option<String>,
    /// Only what lasted beyond this day or came after it.
    #[schemars(extend("format" = "date"))]
    from: Option<String>,
    /// Only what began by this day.
    #[schemars(extend("format" = "date"))]
    to: Option<String>,
}

/// Which graph.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Graph {
    #[serde(flatten)]
    owner: Owner,
    #[serde(flatten)]
    page: Page,
    /// Also relations that no longer hold.
    past: Option<bool>,
    /// Relations that held in the world then.
    #[schemars(extend("format" = "date"))]
    as_of: Option<String>,
    /// What was believed then.
    #[schemars(extend("format" = "date"))]
    known_at: Option<String>,
}

/// Which graph, in which format.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GraphExport {
    #[serde(flatten)]
    owner: Owner,
    /// `json-ld` when absent.
    format: Option<Format>,
}

/// A format of graphs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    JsonLd,
    Graphml,
    Cypher,
}

/// From where to where.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Path {
    #[serde(flatten)]
    owner: Owner,
    /// An entity's id, or any of its names.
    #[schemars(length(min = 1))]
    from: String,
    /// The other's.
    #[schemars(length(min = 1))]
    to: String,
    /// Over relations that held in the world then.
    #[schemars(extend("format" = "date"))]
    as_of: Option<String>,
}

/// Which entity this one is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Merge {
    #[serde(flatten)]
    owner: Owner,
    /// Its id, or any of its names.
    #[schemars(length(min = 1))]
    into: String,
}

/// What is about another entity.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Split {
    #[serde(flatten)]
    owner: Owner,
    /// The other's name.
    #[schemars(length(min = 1))]
    name: String,
    /// The memories that are about it.
    #[schemars(length(min = 1))]
    memory_ids: Vec<String>,
}

/// Whose counts.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Stats {
    #[serde(flatten)]
    owner: Owner,
    /// Also a hash of what is stored, for which all of it is read.
    digest: Option<bool>,
}

/// Which contradictions.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Contradictions {
    #[serde(flatten)]
    owner: Owner,
    /// Also those that are resolved.
    resolved: Option<bool>,
}

/// Which side is true.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Resolve {
    /// The `claim` of that side, or the id of a memory that it rests on.
    keep: Value,
}

/// A user, an agent, an app or a run.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct OwnerName {
    entity_type: OwnerKind,
    /// Its id.
    #[schemars(length(min = 1, max = 256))]
    entity_id: String,
}

/// A kind of owner.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OwnerKind {
    User,
    Agent,
    App,
    Run,
}

/// Which summaries.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Summary {
    /// Whose.
    filters: Option<Filters>,
    #[serde(flatten)]
    owner: Owner,
}

/// What you think of a memory.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Feedback {
    #[schemars(extend("format" = "uuid"))]
    memory_id: String,
    /// `VERY_NEGATIVE` retires it; null takes back what was said.
    feedback: Option<Judgement>,
    feedback_reason: Option<String>,
}

/// Good or bad.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Judgement {
    Positive,
    Negative,
    VeryNegative,
}

/// What to fill from memories.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Export {
    /// The shape of the result, as JSON Schema.
    schema: Map<String, Value>,
    /// Whose memories, and which.
    filters: Option<Filters>,
    #[serde(flatten)]
    owner: Owner,
    /// How to fill it, in your words.
    export_instructions: Option<String>,
}

/// Which export.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Exported {
    /// Its id; the latest of the owner when absent.
    #[schemars(extend("format" = "uuid"))]
    memory_export_id: Option<String>,
    /// Whose.
    filters: Option<Filters>,
    #[serde(flatten)]
    owner: Owner,
}

/// What to change of several memories.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct BatchUpdate {
    #[schemars(length(max = 1000))]
    memories: Vec<OneUpdate>,
}

/// What to change of one.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct OneUpdate {
    #[serde(flatten)]
    id: MemoryId,
    #[serde(flatten)]
    update: Update,
}

/// Which memories to erase.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct BatchDelete {
    #[schemars(length(max = 1000))]
    memories: Vec<MemoryId>,
}
