//! A memory, and one that answers a question.

use serde_json::{Map, Value, json};

use super::{graph, with_ids};
use crate::memory::{Memory, Moment, normalized_hash};
use crate::operation::Hit;

/// A memory, as lists and hits have it.
pub(super) fn memory(memory: &Memory) -> Map<String, Value> {
    let fields = json!({
        "id": memory.id,
        "memory": memory.text(),
        "hash": normalized_hash(memory.text()),
        "kind": memory.kind,
        "role": memory.role,
        "actor_id": memory.name,
        "attributed_to": memory.attributed_to,
        "standing": memory.standing,
        "immutable": memory.immutable,
        "feedback": memory.feedback,
        "metadata": memory.metadata,
        "categories": memory.categories,
        "structured_attributes": time_of(memory.created_at),
        "replaced_by": null,
        "synthesized": false,
        "expiration_date": memory.expires_at.map(last_day),
        "valid_from": memory.latest().and_then(|version| version.valid_from),
        "valid_to": memory.latest().and_then(|version| version.valid_to),
        "sources": memory.sources(),
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
    });
    let mut fields = with_ids(fields, &memory.scope);
    if let Some(version) = memory.latest() {
        insert_structured(&mut fields, &version.structured_data);
    }
    fields
}

/// Only what came of an add with a schema has structured data.
pub(super) fn insert_structured(fields: &mut Map<String, Value>, data: &Map<String, Value>) {
    if !data.is_empty() {
        fields.insert("structured_data".to_owned(), json!(data));
    }
}

/// A time in parts, as the contract has them.
fn time_of(at: Moment) -> Value {
    let time = at.civil();
    let week = time.date().iso_week_date().week();
    let weekday = time.weekday();
    let is_weekend = matches!(
        weekday,
        jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
    );
    json!({
        "year": time.year(),
        "month": time.month(),
        "day": time.day(),
        "hour": time.hour(),
        "minute": time.minute(),
        "day_of_week": format!("{weekday:?}").to_ascii_lowercase(),
        "day_of_year": time.date().day_of_year(),
        "week_of_year": week,
        "quarter": (time.month() + 2) / 3,
        "is_weekend": is_weekend,
    })
}

/// The last day on which a memory is still shown.
fn last_day(expires_at: Moment) -> String {
    expires_at.plus_millis(-1).date()
}

/// A memory that answers, with why when `explain` says so.
pub(super) fn hit(hit: &Hit, explain: bool) -> Map<String, Value> {
    let channel = |name: &str| {
        let channels = hit.receipt.channels.iter();
        let found = channels
            .filter(|channel| channel.channel == name)
            .map(|channel| channel.score);
        score(found.fold(0.0, f32::max))
    };
    let mut fields = memory(&hit.memory);
    fields.insert("score".to_owned(), score(hit.score));
    fields.insert("contradicts".to_owned(), json!(hit.contradicts));
    if let Some(given) = hit.rerank_score {
        fields.insert("rerank_score".to_owned(), score(given));
    }
    fields.insert(
        "score_breakdown".to_owned(),
        json!({
            "semantic": channel("vector"),
            "bm25": channel("keyword"),
            "entity": channel("graph"),
        }),
    );
    if explain {
        let channels: Vec<Value> = hit
            .receipt
            .channels
            .iter()
            .map(|channel| {
                json!({
                    "channel": channel.channel,
                    "rank": channel.rank,
                    "raw": score(channel.raw),
                    "score": score(channel.score),
                })
            })
            .collect();
        fields.insert(
            "receipt".to_owned(),
            json!({
                "channels": channels,
                "sources": hit.receipt.sources,
                "path": hit.receipt.path.iter().map(graph::step).collect::<Vec<_>>(),
            }),
        );
    }
    fields
}

/// A score to six decimals, so that 0.1 in 32 bits is not shown as 0.10000000149011612.
pub(super) fn score(score: f32) -> Value {
    json!((f64::from(score) * 1e6).round() / 1e6)
}
