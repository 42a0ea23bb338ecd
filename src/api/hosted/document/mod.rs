//! What is published of the routes: the table below, from which the OpenAPI document and its page are made.
//!
//! Only the tests are built with it, and they write both (`www/openapi.json`, `www/docs.html`) when they are told
//! to update snapshots. The types say what goes in and out; that the answers have just those fields is tested.

pub(crate) mod answers;
mod doors;
mod openapi;
mod page;
mod project;
pub(crate) mod questions;
mod tests;

pub(crate) use tests::assert_file;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// Makes the schema of a type.
type Made = fn(&mut SchemaGenerator) -> Schema;

/// A route as it is published.
pub(crate) struct Endpoint {
    method: &'static str,
    /// With parameters in braces.
    path: &'static str,
    /// The name of the operation.
    id: &'static str,
    summary: &'static str,
    at: Option<Made>,
    query: Option<Made>,
    body: Option<Made>,
    answer: Made,
    /// The answer's type.
    media: &'static str,
    /// The status of success.
    status: u16,
    /// Other types that can be asked for, as text.
    texts: &'static [&'static str],
    /// Values of parameters, and fields of the body: a request that works.
    example: Value,
    /// What it may refuse, besides what every route may.
    refusals: &'static [u16],
    /// Whether it needs no key.
    open: bool,
}

/// Routes that are served and are not published.
const UNPUBLISHED: [&str; 2] = [
    "GET /",
    "POST /api/v1/orgs/organizations/{org_id}/projects/",
];

const ALICE: &str = "alice";
const ANY_ID: &str = "11111111-2222-3333-4444-555555555555";

/// The routes, as they are published.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    use answers as a;
    use questions as q;
    let alice = || json!({"user_id": ALICE});
    let whose = || json!({"filters": {"user_id": ALICE}});
    let mut all = vec![
        post("/v3/memories/add/", "add_memories", "Remember messages")
            .takes::<q::Add>(json!({
                "messages": [{"role": "user", "content": "I moved from Oslo to Lisbon in May, and I am allergic to peanuts."}],
                "user_id": ALICE, "infer": false,
            }))
            .answers::<a::Added>()
            .may_refuse(&[413, 507]),
        post("/v3/memories/search/", "search_memories", "Recall what answers a question")
            .takes::<q::Search>(with(whose(), json!({"query": "Where does Alice live?", "top_k": 5})))
            .answers::<a::Hits>()
            .may_refuse(&[413, 502]),
        post("/v3/memories/", "list_memories", "List memories, the newest first, a page at a time")
            .asks::<q::Page>(json!({"page": 1, "page_size": 20}))
            .takes::<q::List>(whose())
            .answers::<a::Memories>()
            .may_refuse(&[413]),
        get("/v1/memories/{memory_id}/", "get_memory", "Read one memory")
            .at::<q::MemoryId>()
            .answers::<a::Memory>()
            .may_refuse(&[404]),
        put("/v1/memories/{memory_id}/", "update_memory", "Change one memory by hand")
            .at::<q::MemoryId>()
            .takes::<q::Update>(json!({"text": "Alice lives in Lisbon"}))
            .answers::<a::Memory>()
            .may_refuse(&[404, 409, 413, 502, 507]),
        get("/v1/memories/{memory_id}/history/", "memory_history", "How a memory came to be what it is")
            .at::<q::MemoryId>()
            .answers::<Vec<a::Change>>()
            .may_refuse(&[404]),
        get("/v1/event/{event_id}/", "get_event", "What became of an add")
            .at::<q::EventId>()
            .answers::<a::Event>()
            .may_refuse(&[404]),
        post("/v1/context/", "get_context", "What belongs into a prompt, within a budget of tokens")
            .takes::<q::Context>(with(alice(), json!({"query": "Book a table for dinner", "budget_tokens": 500})))
            .answers::<a::Context>()
            .may_refuse(&[413, 502]),
        get("/v1/timeline/", "get_timeline", "What happened and what held, in the order of time")
            .asks::<q::Timeline>(alice())
            .answers::<a::Timeline>()
            .may_refuse(&[404, 413, 502]),
        get("/v1/graph/", "get_graph", "The people, places and things, and how they relate")
            .asks::<q::Graph>(alice())
            .answers::<a::Graph>(),
        get("/v1/graph/export/", "export_graph", "The whole graph in a format of other programs")
            .asks::<q::GraphExport>(with(alice(), json!({"format": "json-ld"})))
            .answers::<Value>()
            .of(
            "application/ld+json",
            &["application/graphml+xml", "application/x-cypher-query"],
        ),
        get("/v1/graph/path/", "graph_path", "How two entities hang together, over at most three relations")
            .asks::<q::Path>(with(alice(), json!({"from": "user", "to": "Lisbon"})))
            .answers::<a::Paths>()
            .may_refuse(&[404]),
        get("/v1/graph/entities/{entity}/", "get_entity", "One entity with all that is known of it")
            .at::<q::EntityName>()
            .asks::<q::Owner>(alice())
            .answers::<a::EntityView>()
            .may_refuse(&[404]),
        post("/v1/graph/entities/{entity}/merge/", "merge_entities", "Say that two entities are one")
            .at::<q::EntityName>()
            .takes::<q::Merge>(with(alice(), json!({"into": "Lisbon"})))
            .answers::<a::EntityView>()
            .may_refuse(&[404, 413, 507]),
        post("/v1/graph/entities/{entity}/split/", "split_entity", "Say that some memories are about another entity")
            .at::<q::EntityName>()
            .takes::<q::Split>(with(alice(), json!({
                "name": "Lisbon (Ohio)", "memory_ids": ["11111111-2222-3333-4444-555555555555"],
            })))
            .answers::<a::EntityView>()
            .may_refuse(&[404, 413, 507]),
        get("/v1/contradictions/", "list_contradictions", "What cannot all be true")
            .asks::<q::Contradictions>(alice())
            .answers::<a::Contradictions>(),
        post("/v1/contradictions/{contradiction_id}/resolve/", "resolve_contradiction", "Say which side is true")
            .at::<q::ContradictionId>()
            .takes::<q::Resolve>(json!({"keep": "11111111-2222-3333-4444-555555555555"}))
            .answers::<a::Contradiction>()
            .may_refuse(&[404, 413, 507]),
        get("/v1/stats/", "get_stats", "Counts and sizes")
            .asks::<q::Stats>(alice())
            .answers::<a::Counts>(),
        delete("/v1/memories/{memory_id}/", "delete_memory", "Erase one memory and what was derived from it")
            .at::<q::MemoryId>()
            .answers::<a::Done>()
            .may_refuse(&[404, 507]),
        delete("/v1/memories/", "delete_memories", "Erase all memories of an owner, or those that conditions select")
            .asks::<q::Owner>(alice())
            .answers::<a::Done>()
            .may_refuse(&[413, 507]),
        post(
            "/v1/feedback/",
            "give_feedback",
            "Say what you think of a memory",
        )
        .takes::<q::Feedback>(json!({"memory_id": ANY_ID, "feedback": "POSITIVE"}))
        .answers::<a::Judged>()
        .may_refuse(&[404, 413, 507]),
        post(
            "/v1/summary/",
            "get_summaries",
            "The running summaries of conversations",
        )
        .takes::<q::Summary>(whose())
        .answers::<Vec<Value>>()
        .may_refuse(&[413]),
        post(
            "/v1/exports/",
            "make_export",
            "Fill a schema from memories",
        )
        .takes::<q::Export>(with(
            whose(),
            json!({"schema": {"type": "object", "properties": {"home": {"type": "string"}}}}),
        ))
        .answers::<a::Requested>()
        .created()
        .may_refuse(&[404, 413, 507]),
        post("/v1/exports/get/", "get_export", "What became of an export")
            .takes::<q::Exported>(whose())
            .answers::<Value>()
            .may_refuse(&[404, 413, 502]),
        put("/v1/batch/", "update_memories", "Change several memories")
            .takes::<q::BatchUpdate>(
                json!({"memories": [{"memory_id": ANY_ID, "text": "Alice lives in Porto"}]}),
            )
            .answers::<a::Done>()
            .may_refuse(&[404, 409, 413, 502, 507]),
        delete("/v1/batch/", "delete_several", "Erase several memories")
            .takes::<q::BatchDelete>(json!({"memories": [{"memory_id": ANY_ID}]}))
            .answers::<a::Done>()
            .may_refuse(&[404, 413, 507]),
        get(
            "/v1/entities/",
            "list_owners",
            "The users, agents, apps and runs for which something is remembered",
        )
        .asks::<q::Page>(json!({"page": 1, "page_size": 20}))
        .answers::<a::Owners>(),
        get(
            "/v2/entities/{entity_type}/{entity_id}/",
            "get_owner",
            "One of them",
        )
        .at::<q::OwnerName>()
        .answers::<Vec<a::Owner>>()
        .may_refuse(&[404]),
        delete(
            "/v2/entities/{entity_type}/{entity_id}/",
            "delete_owner",
            "Erase one of them with everything that is remembered for it",
        )
        .at::<q::OwnerName>()
        .answers::<a::Done>()
        .may_refuse(&[404, 413, 507]),
        get("/v1/events/", "list_events", "What was lately added")
            .asks::<q::Page>(json!({"page": 1, "page_size": 20}))
            .answers::<a::Events>(),
    ];
    all.extend(project::endpoints());
    all.extend(doors::endpoints());
    all.extend([
        get("/v1/ping/", "ping", "Is my key good?").answers::<a::Ping>(),
        get(
            "/health",
            "health",
            "Is the server well, and which models does it use?",
        )
        .answers::<a::Health>()
        .open(),
    ]);
    all
}

/// The routes that are published: `GET /v1/ping/`.
pub(crate) fn published() -> Vec<String> {
    let line = |it: &Endpoint| format!("{} {}", it.method.to_uppercase(), it.path);
    endpoints().iter().map(line).collect()
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
        fields.extend(more);
    }
    value
}

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Endpoint {
    Endpoint {
        method: "get",
        path,
        id,
        summary,
        at: None,
        query: None,
        body: None,
        answer: SchemaGenerator::subschema_for::<Value>,
        media: "application/json",
        status: 200,
        texts: &[],
        example: json!({}),
        refusals: &[],
        open: false,
    }
}

fn post(path: &'static str, id: &'static str, summary: &'static str) -> Endpoint {
    Endpoint {
        method: "post",
        ..get(path, id, summary)
    }
}

fn put(path: &'static str, id: &'static str, summary: &'static str) -> Endpoint {
    Endpoint {
        method: "put",
        ..get(path, id, summary)
    }
}

fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Endpoint {
    Endpoint {
        method: "patch",
        ..get(path, id, summary)
    }
}

fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Endpoint {
    Endpoint {
        method: "delete",
        ..get(path, id, summary)
    }
}

impl Endpoint {
    /// The role that a key needs for it.
    fn role(&self) -> Option<&'static str> {
        let method = http::Method::from_bytes(self.method.to_uppercase().as_bytes()).ok()?;
        let served = super::served(&method, &self.path.replace(['{', '}'], "")).ok()?;
        (!self.open).then(|| served.needs().as_str())
    }

    /// Has parameters in its path.
    fn at<T: JsonSchema>(mut self) -> Self {
        self.at = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Has parameters in its query.
    fn asks<T: JsonSchema>(mut self, example: Value) -> Self {
        self.query = Some(SchemaGenerator::subschema_for::<T>);
        self.example = with(self.example, example);
        self
    }

    /// Has a body.
    fn takes<T: JsonSchema>(mut self, example: Value) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self.example = with(self.example, example);
        self
    }

    fn answers<T: JsonSchema>(mut self) -> Self {
        self.answer = SchemaGenerator::subschema_for::<T>;
        self
    }

    /// Answers other types than JSON.
    fn of(mut self, media: &'static str, texts: &'static [&'static str]) -> Self {
        self.media = media;
        self.texts = texts;
        self
    }

    /// Answers that something is being made.
    fn created(mut self) -> Self {
        self.status = 201;
        self
    }

    fn may_refuse(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    fn open(mut self) -> Self {
        self.open = true;
        self
    }
}
