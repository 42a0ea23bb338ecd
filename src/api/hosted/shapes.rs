//! Replies as the hosted contract shows them.

mod event;
mod graph;
mod memory;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::export::{Exported, Format};
use super::super::wire;
use super::older::{self, Form};
use crate::memory::{EventStatus, Problem, Scope};
use crate::operation::{HistoryLine, Reply, Stats};

pub(super) use event::event;
use memory::{Answering, Listed, insert_structured, score};

/// How a reply is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// Of an add.
    Added {
        /// Parts of the messages that hold no text.
        unread_parts: usize,
    },
    /// Of a search.
    Hits {
        /// The fields to keep.
        cut: Cut,
        /// Whether to tell why.
        explain: bool,
    },
    /// Of a list.
    Page {
        /// The fields to keep.
        cut: Cut,
        /// The address that the request came to, without its query.
        address: String,
        page: usize,
        page_size: usize,
    },
    Memory,
    Deleted,
    DeletedLinked,
    DeletedAll,
    History,
    Event,
    /// Of a page of the graph.
    Graph {
        /// The address that the request came to, with all that was asked but the page.
        address: String,
        page: usize,
        page_size: usize,
    },
    /// Of the whole graph, in a format of other programs.
    Export {
        format: Format,
        /// The space's hash, as text.
        space: String,
    },
    Entity,
    Paths,
    Context,
    Timeline,
    /// Of a list of contradictions.
    Contradictions,
    /// Of one that was resolved.
    Contradiction,
    Stats,
    /// Of running summaries.
    Summaries,
    /// Of feedback.
    Judged,
    /// Of an export that was asked for.
    ExportAccepted,
    /// Of an export.
    Exported,
    /// Another one in the form of older clients.
    Older {
        inner: Box<Shape>,
        form: Form,
    },
}

impl Shape {
    /// The status of an answer that is no error.
    pub fn status(&self) -> StatusCode {
        match self {
            Shape::ExportAccepted => StatusCode::CREATED,
            _ => StatusCode::OK,
        }
    }

    /// What is answered in place of an error, where older clients know none.
    pub fn instead_of(&self, problem: &Problem) -> Option<Value> {
        match self {
            Shape::Older {
                form: Form::OrNull, ..
            } if problem.status == 404 => Some(Value::Null),
            _ => None,
        }
    }

    /// The media type of what is written.
    pub fn content_type(&self) -> &'static str {
        match self {
            Shape::Export { format, .. } => format.content_type(),
            _ => wire::JSON,
        }
    }
}

/// The fields to keep of each result; all of them when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cut(pub Vec<String>);

impl Cut {
    const NOTHING: &'static Self = &Self(Vec::new());

    fn keeps(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|kept| kept == name)
    }
}

/// What answers a search.
#[derive(Serialize)]
struct Hits<'a> {
    results: Vec<Answering<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relations: Option<Vec<Value>>,
}

impl<'a> Hits<'a> {
    fn of(shape: &'a Shape, reply: &'a Reply) -> Option<Self> {
        let Shape::Hits { cut, explain } = shape else {
            return None;
        };
        let (hits, relations) = match reply {
            Reply::Hits(hits) => (hits, None),
            Reply::Related { hits, relations } => (hits, Some(relations)),
            _ => return None,
        };
        let answering = |hit| Answering {
            hit,
            cut,
            explain: *explain,
        };
        Some(Self {
            results: hits.iter().map(answering).collect(),
            relations: relations.map(|found| found.iter().map(graph::triple).collect()),
        })
    }
}

/// Writes the body of the response to a request of this shape, as JSON.
///
/// # Errors
/// See [`write`].
pub(super) fn json(shape: &Shape, reply: &Reply) -> Result<Vec<u8>, Problem> {
    match Hits::of(shape, reply) {
        Some(hits) => Ok(wire::json_bytes(&hits)),
        None => Ok(wire::json_bytes(&write(shape, reply)?)),
    }
}

/// The body of the response to a request of this shape.
///
/// # Errors
/// When the reply is of another kind, which is a fault of the server.
pub(super) fn write(shape: &Shape, reply: &Reply) -> Result<Value, Problem> {
    if let Some(hits) = Hits::of(shape, reply) {
        return Ok(value(&hits));
    }
    Ok(match (shape, reply) {
        (Shape::Added { unread_parts }, Reply::Event(event)) => event::added(event, *unread_parts),
        (Shape::Event, Reply::Event(found)) => event::event(found),
        (
            Shape::Page {
                cut,
                address,
                page,
                page_size,
            },
            Reply::Page { total, memories },
        ) => {
            let results = memories.iter().map(|memory| value(&Listed { memory, cut }));
            let fields = [("results", results.collect())];
            paged(*total, &format!("{address}?"), (*page, *page_size), fields)
        }
        (Shape::Memory, Reply::Memory(found)) => {
            let mut fields = value(&Listed::whole(found));
            let state = if found.is_current() {
                "active"
            } else {
                "retired"
            };
            if let Some(fields) = fields.as_object_mut() {
                fields.insert("lifecycle_state".to_owned(), json!(state));
            }
            fields
        }
        (Shape::Older { inner, form }, reply) => form.apply(write(inner, reply)?),
        (Shape::Deleted, Reply::Deleted { .. }) => {
            json!({"message": "Memory deleted successfully!"})
        }
        (Shape::DeletedLinked, Reply::Deleted { count }) => json!({
            "message": "Memory deleted successfully!",
            "cascade_count": count.saturating_sub(1),
        }),
        (Shape::Summaries, Reply::Summaries(found)) => older::summaries(found),
        (Shape::Judged, Reply::Judged { id, judgement }) => json!({
            "id": id,
            "memory_id": judgement.memory,
            "feedback": judgement.feedback,
            "feedback_reason": judgement.reason,
        }),
        (Shape::ExportAccepted, Reply::Export(export)) => json!({
            "message": "Memory export request received. The export will be ready in a few seconds.",
            "id": export.id,
        }),
        (Shape::Exported, Reply::Export(export)) => match (export.status, &export.error) {
            (EventStatus::Succeeded, _) => export.result.clone(),
            (EventStatus::Failed, Some(error)) => return Err(error.clone()),
            (_, error) => json!({
                "message": match error {
                    Some(error) => format!("The export is still being made, later: {}", error.message),
                    None => "The export is still being made; ask again in a few seconds.".to_owned(),
                },
                "id": export.id,
                "status": export.status,
            }),
        },
        (Shape::DeletedAll, Reply::Deleted { count }) => {
            json!({"message": "Memories deleted successfully!", "count": count})
        }
        (Shape::History, Reply::History(lines)) => lines.iter().map(history).collect(),
        (
            Shape::Graph {
                address,
                page,
                page_size,
            },
            Reply::Graph {
                total,
                entities,
                relations,
                names,
            },
        ) => {
            let fields = graph::page(entities, relations, names);
            paged(*total, address, (*page, *page_size), fields)
        }
        (Shape::Entity, Reply::Entity(view)) => graph::view(view),
        (Shape::Paths, Reply::Paths { entities, paths }) => graph::paths(entities, paths),
        (
            Shape::Context,
            Reply::Context {
                text,
                memories,
                tokens,
                truncated,
            },
        ) => {
            let numbered = memories.iter().zip(1..);
            let citations: Map<String, Value> = numbered
                .map(|(id, number)| (format!("m{number}"), json!(id)))
                .collect();
            json!({"context": text, "tokens": tokens, "truncated": truncated, "citations": citations})
        }
        (Shape::Timeline, Reply::Timeline(lines)) => {
            let results: Vec<Value> = lines.iter().map(graph::dated).collect();
            object([("count", results.len().into()), ("results", results.into())])
        }
        (Shape::Contradictions, Reply::Contradictions(conflicts)) => {
            let results: Vec<Value> = conflicts.iter().map(graph::contradiction).collect();
            object([("count", results.len().into()), ("results", results.into())])
        }
        (Shape::Contradiction, Reply::Contradictions(conflicts)) => conflicts
            .first()
            .map(graph::contradiction)
            .unwrap_or_default(),
        (Shape::Stats, Reply::Stats(stats)) => with_spent(
            stats,
            json!({
                "total_memories": stats.memories,
                "total_messages": stats.transcript,
                "total_entities": stats.entities,
                "total_relations": stats.relations,
                "open_contradictions": stats.contradictions,
                "pending_jobs": stats.jobs,
                "embedder": stats.embedder,
                "vectors": stats.vectors,
                "memory_bytes": stats.bytes,
                "memory_budget_bytes": stats.budget,
                "module_bytes": stats.module,
                "digest": stats.digest,
            }),
        ),
        _ => return Err(unexpected()),
    })
}

/// With what the LLM cost, where that is counted.
fn with_spent(stats: &Stats, mut body: Value) -> Value {
    if let (Some(spent), Some(body)) = (&stats.spent, body.as_object_mut()) {
        body.insert("llm".to_owned(), json!(spent));
    }
    body
}

/// Writes the whole graph of a space.
///
/// # Errors
/// See [`write`].
pub(super) fn export(format: Format, space: &str, reply: &Reply) -> Result<Vec<u8>, Problem> {
    let Reply::Graph {
        entities,
        relations,
        ..
    } = reply
    else {
        return Err(unexpected());
    };
    let graph = Exported {
        space,
        entities,
        relations,
    };
    Ok(format.write(&graph).into_bytes())
}

fn unexpected() -> Problem {
    Problem::new(
        500,
        "unexpected_reply",
        "the server answered something else than it was asked; please report this",
    )
}

/// An object of values as they are: `json!` would copy them.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Value::Object(fields.into_iter().collect())
}

/// A page, with links to its neighbours. The address ends where the number of the page is to be appended.
pub(super) fn paged<const N: usize>(
    total: usize,
    address: &str,
    (page, page_size): (usize, usize),
    fields: [(&str, Value); N],
) -> Value {
    let link = |page: usize| format!("{address}page={page}&page_size={page_size}");
    let more = page.saturating_mul(page_size) < total;
    let mut body = json!({
        "count": total,
        "next": more.then(|| link(page.saturating_add(1))),
        "previous": (page > 1).then(|| link(page.saturating_sub(1))),
    });
    if let Some(body) = body.as_object_mut() {
        body.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    }
    body
}

/// What is written as a value: nothing of ours has a key that is no text, which alone could fail.
fn value(written: &impl Serialize) -> Value {
    serde_json::to_value(written).unwrap_or_default()
}

/// The four ids. A run is called `run_id` by searches and `session_id` by the rest of the
/// contract, so both are given everywhere.
fn ids(scope: &Scope) -> [(&'static str, &Option<String>); 5] {
    [
        ("user_id", &scope.user_id),
        ("agent_id", &scope.agent_id),
        ("app_id", &scope.app_id),
        ("run_id", &scope.run_id),
        ("session_id", &scope.run_id),
    ]
}

/// An object with the four ids after its fields.
pub(super) fn with_ids(mut fields: Value, scope: &Scope) -> Map<String, Value> {
    let mut object = match fields.take() {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    let ids = ids(scope).map(|(name, id)| (name.to_owned(), json!(id)));
    object.extend(ids);
    object
}

pub(super) fn history(line: &HistoryLine) -> Value {
    let change = &line.change;
    let input: Vec<Value> = line
        .input
        .iter()
        .map(|message| {
            let mut turn = json!({"role": message.role, "content": message.content});
            if let (Some(name), Some(turn)) = (&message.name, turn.as_object_mut()) {
                turn.insert("name".to_owned(), json!(name));
            }
            turn
        })
        .collect();
    let fields = json!({
        "id": change.id,
        "memory_id": change.memory_id,
        "input": input,
        "old_memory": change.old_text,
        "new_memory": change.new_text,
        "event": change.kind,
        "categories": line.categories,
        "metadata": line.metadata,
        "created_at": change.at,
        "updated_at": change.at,
    });
    let mut fields = with_ids(fields, &line.scope);
    insert_structured(&mut fields, &line.structured_data);
    Value::Object(fields)
}
