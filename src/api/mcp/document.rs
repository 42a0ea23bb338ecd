//! What agents are told of the tools: built with the tests alone, which write `tools.json` from it when they are told
//! to update snapshots.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::hosted::document::{answers, questions};

/// Remembered for whom.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Owner {
    /// Whose memory: the user's id. Leave it out when the connection is bound to a user.
    user_id: Option<String>,
    /// The agent: the owner, when there is no user.
    agent_id: Option<String>,
    /// The app.
    app_id: Option<String>,
    /// The conversation.
    run_id: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Add {
    /// What to remember, in plain words, with names and dates.
    text: String,
    /// Instead of the text: turns of a conversation, the oldest first.
    messages: Option<Vec<questions::Message>>,
    #[serde(flatten)]
    owner: Owner,
    /// Whether a model extracts facts (true unless given); else the words are stored as they are.
    infer: Option<bool>,
    /// Whether to answer at once (true unless given); else only when it is decided what is remembered.
    async_mode: Option<bool>,
    /// Your own fields, kept with what is remembered.
    metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Search {
    /// The question, in words.
    query: String,
    #[serde(flatten)]
    owner: Owner,
    /// Conditions, such as {"AND": [{"categories": {"in": ["food"]}}, {"created_at": {"gte": "2026-01-01"}}]}.
    filters: Option<Map<String, Value>>,
    /// The most results, 1 to 1000; 10 unless given.
    limit: Option<u32>,
    /// The lowest score, 0 to 1; 0.1 unless given.
    threshold: Option<f64>,
    /// Answer from what was true then: a date such as 2025-03-31.
    as_of: Option<String>,
    /// Also what the graph says of what is found.
    enable_graph: Option<bool>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Context {
    /// The question, or what the person just said.
    query: String,
    #[serde(flatten)]
    owner: Owner,
    /// The most tokens of the text, 50 to 100000; 1500 unless given.
    budget_tokens: Option<u32>,
    /// Tell what was true then: a date such as 2025-03-31.
    as_of: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct List {
    #[serde(flatten)]
    owner: Owner,
    /// Conditions, such as {"categories": {"in": ["food"]}}.
    filters: Option<Map<String, Value>>,
    /// From 1.
    page: Option<u32>,
    /// The most memories on a page, 1 to 1000; 100 unless given.
    page_size: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Update {
    /// The memory's id.
    memory_id: String,
    /// What it says from now on.
    text: String,
    /// Your own fields, merged into those that there are.
    metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Pages {
    /// From 1.
    page: Option<u32>,
    /// The most results on a page.
    page_size: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Path {
    #[serde(flatten)]
    owner: Owner,
    /// One of them: any of its names. The user is "user".
    from: String,
    /// The other.
    to: String,
    /// Over relations that held then: a date such as 2025-03-31.
    as_of: Option<String>,
}

/// A page of whatever there is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Listed {
    /// On all pages.
    count: u64,
    results: Vec<Map<String, Value>>,
}

/// What a tool does to what is remembered.
#[derive(Clone, Copy, PartialEq)]
enum Effect {
    Reads,
    Adds,
    Changes,
    Erases,
}

/// All tools, in the order in which they are told.
pub(super) fn tools() -> Value {
    use Effect::{Adds, Changes, Erases, Reads};
    json!([
        told::<Add, answers::Added>(
            "add_memory",
            "Remember",
            Adds,
            "Remember something about a person: a fact, a preference, a plan, a correction, or turns of a \
             conversation. A model extracts the facts and decides how each changes what is known. Answers with an \
             event_id for get_event_status.",
        ),
        told::<Search, answers::Hits>(
            "search_memories",
            "Search memories",
            Reads,
            "Find what is remembered about something, the best first, each with its id and how well it answers. To \
             have it ready for a prompt, use get_context.",
        ),
        told::<Context, answers::Context>(
            "get_context",
            "Context for an answer",
            Reads,
            "What should be known before answering: facts, standing instructions and what holds now, as one text \
             within a budget of tokens. Lines end with [m1], [m2]: `citations` has their ids.",
        ),
        told::<List, answers::Memories>(
            "get_memories",
            "List memories",
            Reads,
            "List memories, the newest first, a page at a time, with filters if any.",
        ),
        told::<questions::MemoryId, answers::Memory>(
            "get_memory",
            "Read a memory",
            Reads,
            "Read one memory by its id.",
        ),
        told::<Update, answers::Memory>(
            "update_memory",
            "Correct a memory",
            Changes,
            "Change what one memory says. What it said before stays in its history.",
        ),
        told::<questions::MemoryId, answers::Done>(
            "delete_memory",
            "Erase a memory",
            Erases,
            "Erase one memory, with the messages it alone came from. It cannot be undone.",
        ),
        told::<Owner, answers::Done>(
            "delete_all_memories",
            "Erase all memories",
            Erases,
            "Erase everything that is remembered for a user (or an agent, app or run). It cannot be undone: do it \
             only when the person asked for it.",
        ),
        told::<Owner, answers::Done>(
            "delete_entities",
            "Erase a user, agent, app or run",
            Erases,
            "Erase a user (or an agent, app or run) with everything that is remembered for it. Give exactly one id. \
             It cannot be undone.",
        ),
        told::<Pages, Listed>(
            "list_entities",
            "List users, agents, apps and runs",
            Reads,
            "The users, agents, apps and runs for which something is remembered.",
        ),
        told::<Pages, Listed>(
            "list_events",
            "List events",
            Reads,
            "What was lately added, and what became of it.",
        ),
        told::<questions::EventId, answers::Event>(
            "get_event_status",
            "What became of an add",
            Reads,
            "Whether an add_memory is done, and what was decided: which memories were added, updated or deleted.",
        ),
        told::<Path, answers::Paths>(
            "graph_path",
            "How two things are related",
            Reads,
            "How two people, places or things hang together, over at most three relations, such as \
             `Tokyo <-visits- Alice -allergic_to-> peanuts`.",
        ),
    ])
}

fn told<Asked: JsonSchema, Answered: JsonSchema>(
    name: &str,
    title: &str,
    effect: Effect,
    about: &str,
) -> Value {
    let settings = |serialize: bool| {
        let settings =
            SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        if serialize {
            settings.for_serialize()
        } else {
            settings
        }
    };
    let schema = |serialize: bool, made: fn(&mut schemars::SchemaGenerator) -> Schema| {
        let mut schema = made(&mut settings(serialize).into_generator());
        RecursiveTransform(plain).transform(&mut schema);
        if !serialize {
            RecursiveTransform(not_null).transform(&mut schema);
        }
        schema
    };
    let mut asked = schema(false, schemars::SchemaGenerator::subschema_for::<Asked>);
    asked.remove("description");
    json!({
        "name": name,
        "title": title,
        "description": about,
        "inputSchema": asked,
        "outputSchema": schema(true, schemars::SchemaGenerator::subschema_for::<Answered>),
        "annotations": {
            "title": title,
            "readOnlyHint": effect == Effect::Reads,
            "destructiveHint": matches!(effect, Effect::Changes | Effect::Erases),
            "idempotentHint": effect != Effect::Adds,
            "openWorldHint": false,
        },
    })
}

/// Leaves out what says nothing to a model and not every client understands.
fn plain(schema: &mut Schema) {
    if let Some("uint" | "uint32" | "uint64" | "int64" | "double") =
        schema.get("format").and_then(Value::as_str)
    {
        schema.remove("format");
    }
}

/// An argument is there or it is not: it need not be null, and not every client understands that it may.
fn not_null(schema: &mut Schema) {
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
}
