//! An add, and what became of it.

use serde_json::{Value, json};

use super::with_ids;
use crate::api::call::is_open;
use crate::memory::{ChangeKind, EventStatus};
use crate::operation::{Event, OVER_BUDGET, Outcome, Triple};

fn is_over_budget(event: &Event) -> bool {
    let error = event.error.as_ref();
    error.is_some_and(|error| error.code == OVER_BUDGET)
}

pub(super) fn added(event: &Event, unread_parts: usize) -> Value {
    let message = match event.status {
        EventStatus::Succeeded => "Memories stored successfully",
        EventStatus::Failed => {
            "The messages are stored and can be recalled, but no facts could be extracted from them"
        }
        _ if is_over_budget(event) => {
            "The messages are stored and can be recalled; facts are extracted tomorrow, as the day's budget is spent"
        }
        _ if event.error.is_some() => {
            "The messages are stored; extracting facts failed for now and will be tried again"
        }
        _ => "Memory processing has been queued for background execution",
    };
    let mut body =
        json!({"message": message, "event_id": event.id, "status": wire_status(event.status)});
    let Some(fields) = body.as_object_mut() else {
        return body;
    };
    if !is_open(event.status) {
        fields.insert(
            "results".to_owned(),
            event.outcomes.iter().map(outcome).collect(),
        );
        fields.insert(
            "relations".to_owned(),
            event.relations.iter().map(triple).collect(),
        );
    }
    if let Some(error) = &event.error {
        fields.insert(
            "error".to_owned(),
            json!({"code": error.code, "message": error.message}),
        );
    }
    if let Some(at) = event.retry_at {
        fields.insert("retry_at".to_owned(), json!(at));
    }
    let unread = (unread_parts > 0)
        .then(|| format!("{unread_parts} part(s) of the messages are of a type that is not read"));
    let notes: Vec<&str> = event
        .note
        .iter()
        .chain(&unread)
        .map(String::as_str)
        .collect();
    if !notes.is_empty() {
        fields.insert("note".to_owned(), json!(notes.join("; ")));
    }
    body
}

/// To the answer of an add, a job at work is one that was not waited for.
fn wire_status(status: EventStatus) -> EventStatus {
    match status {
        EventStatus::Running => EventStatus::Pending,
        status => status,
    }
}

fn outcome(outcome: &Outcome) -> Value {
    let mut body = json!({
        "id": outcome.id,
        "data": {"memory": outcome.text},
        "memory": outcome.text,
        "event": outcome.kind,
    });
    if let (Some(old), Some(fields)) = (&outcome.old_text, body.as_object_mut()) {
        if outcome.kind == ChangeKind::Update {
            fields.insert("previous_memory".to_owned(), json!(old));
        }
        fields.insert("old_memory".to_owned(), json!(old));
    }
    body
}

fn triple(triple: &Triple) -> Value {
    json!({
        "source": triple.source,
        "relationship": triple.relationship,
        "target": triple.target,
    })
}

pub(in crate::api::hosted) fn event(event: &Event) -> Value {
    let open = is_open(event.status);
    let started = event.attempts > 0 || event.status != EventStatus::Pending;
    let latency = event
        .updated_at
        .as_millis()
        .saturating_sub(event.created_at.as_millis());
    let results: Vec<Value> = event
        .outcomes
        .iter()
        .map(|done| {
            let mut body = outcome(done);
            if let Some(fields) = body.as_object_mut() {
                fields.insert("user_id".to_owned(), json!(event.scope.user_id));
            }
            body
        })
        .collect();
    json!({
        "id": event.id,
        "event_type": "ADD",
        "status": event.status,
        "payload": Value::Object(with_ids(json!({}), &event.scope)),
        "metadata": {},
        "results": results,
        "relations": event.relations.iter().map(triple).collect::<Vec<_>>(),
        "created_at": event.created_at,
        "updated_at": event.updated_at,
        "started_at": started.then_some(event.created_at),
        "completed_at": (!open).then_some(event.updated_at),
        "latency": (!open).then_some(latency),
        "graph_status": null,
        "attempts": event.attempts,
        "error": event.error.as_ref().map(|error| &error.message),
        "error_code": event.error.as_ref().map(|error| &error.code),
        "retry_at": event.retry_at,
        "note": event.note,
    })
}
