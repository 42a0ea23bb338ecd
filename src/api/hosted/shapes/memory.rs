//! A memory, and one that answers a question.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::{Cut, graph, ids};
use crate::memory::{Memory, Moment, normalized_hash};
use crate::operation::Hit;

/// A memory, as lists have it.
pub(super) struct Listed<'a> {
    pub memory: &'a Memory,
    pub cut: &'a Cut,
}

impl<'a> Listed<'a> {
    /// With all its fields.
    pub fn whole(memory: &'a Memory) -> Self {
        let cut = Cut::NOTHING;
        Self { memory, cut }
    }
}

/// A memory that answers, with why when `explain` says so.
pub(super) struct Answering<'a> {
    pub hit: &'a Hit,
    pub cut: &'a Cut,
    pub explain: bool,
}

/// Writes the fields of a result that are to be kept one by one: to make a value of each memory first takes most of
/// the time of writing a search's answer.
struct Fields<'a, M> {
    map: M,
    cut: &'a Cut,
}

impl<M: SerializeMap> Fields<'_, M> {
    fn put(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        match self.cut.keeps(name) {
            true => self.map.serialize_entry(name, value),
            false => Ok(()),
        }
    }

    fn put_memory(&mut self, memory: &Memory) -> Result<(), M::Error> {
        let version = memory.latest();
        self.put("id", &memory.id)?;
        self.put("memory", memory.text())?;
        self.put("hash", &normalized_hash(memory.text()))?;
        self.put("kind", &memory.kind)?;
        self.put("role", &memory.role)?;
        self.put("actor_id", &memory.name)?;
        self.put("attributed_to", &memory.attributed_to)?;
        self.put("standing", &memory.standing)?;
        self.put("immutable", &memory.immutable)?;
        self.put("feedback", &memory.feedback)?;
        self.put("metadata", &memory.metadata)?;
        self.put("categories", &memory.categories)?;
        self.put("structured_attributes", &Parts(memory.created_at))?;
        self.put("replaced_by", &())?;
        self.put("synthesized", &false)?;
        self.put("expiration_date", &memory.expires_at.map(last_day))?;
        self.put("valid_from", &version.and_then(|it| it.valid_from))?;
        self.put("valid_to", &version.and_then(|it| it.valid_to))?;
        self.put("sources", memory.sources())?;
        self.put("created_at", &memory.created_at)?;
        self.put("updated_at", &memory.updated_at)?;
        for (name, id) in ids(&memory.scope) {
            self.put(name, id)?;
        }
        match version.map(|it| &it.structured_data) {
            Some(data) if !data.is_empty() => self.put("structured_data", data),
            _ => Ok(()),
        }
    }
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Fields {
            map: serializer.serialize_map(None)?,
            cut: self.cut,
        };
        fields.put_memory(self.memory)?;
        fields.map.end()
    }
}

impl Serialize for Answering<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { hit, cut, explain } = *self;
        let mut fields = Fields {
            map: serializer.serialize_map(None)?,
            cut,
        };
        fields.put_memory(&hit.memory)?;
        fields.put("score", &score(hit.score))?;
        fields.put("contradicts", &hit.contradicts)?;
        if let Some(given) = hit.rerank_score {
            fields.put("rerank_score", &score(given))?;
        }
        fields.put("score_breakdown", &Breakdown(hit))?;
        if explain {
            fields.put("receipt", &receipt(hit))?;
        }
        fields.map.end()
    }
}

/// Only what came of an add with a schema has structured data.
pub(super) fn insert_structured(fields: &mut Map<String, Value>, data: &Map<String, Value>) {
    if !data.is_empty() {
        fields.insert("structured_data".to_owned(), json!(data));
    }
}

/// A time in parts, as the contract has them.
struct Parts(Moment);

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = self.0.civil();
        let weekday = time.weekday();
        let is_weekend = matches!(
            weekday,
            jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
        );
        let mut parts = serializer.serialize_map(Some(10))?;
        parts.serialize_entry("year", &time.year())?;
        parts.serialize_entry("month", &time.month())?;
        parts.serialize_entry("day", &time.day())?;
        parts.serialize_entry("hour", &time.hour())?;
        parts.serialize_entry("minute", &time.minute())?;
        parts.serialize_entry("day_of_week", &format!("{weekday:?}").to_ascii_lowercase())?;
        parts.serialize_entry("day_of_year", &time.date().day_of_year())?;
        parts.serialize_entry("week_of_year", &time.date().iso_week_date().week())?;
        parts.serialize_entry("quarter", &((time.month() + 2) / 3))?;
        parts.serialize_entry("is_weekend", &is_weekend)?;
        parts.end()
    }
}

/// The last day on which a memory is still shown.
fn last_day(expires_at: Moment) -> String {
    expires_at.plus_millis(-1).date()
}

/// How well the channels that the contract knows found a memory.
struct Breakdown<'a>(&'a Hit);

impl Serialize for Breakdown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = |name: &str| {
            let channels = self.0.receipt.channels.iter();
            let found = channels.filter(|channel| channel.channel == name);
            score(found.map(|channel| channel.score).fold(0.0, f32::max))
        };
        let mut channels = serializer.serialize_map(Some(3))?;
        channels.serialize_entry("semantic", &of("vector"))?;
        channels.serialize_entry("bm25", &of("keyword"))?;
        channels.serialize_entry("entity", &of("graph"))?;
        channels.end()
    }
}

fn receipt(hit: &Hit) -> Value {
    let channels = hit.receipt.channels.iter().map(|channel| {
        json!({
            "channel": channel.channel,
            "rank": channel.rank,
            "raw": score(channel.raw),
            "score": score(channel.score),
        })
    });
    json!({
        "channels": channels.collect::<Vec<_>>(),
        "sources": hit.receipt.sources,
        "path": hit.receipt.path.iter().map(graph::step).collect::<Vec<_>>(),
    })
}

/// A score to six decimals, so that 0.1 in 32 bits is not shown as 0.10000000149011612.
pub(super) fn score(score: f32) -> f64 {
    (f64::from(score) * 1e6).round() / 1e6
}
