//! The graph as clients see it.

use serde_json::{Value, json};

use crate::compact::OrderedMap;
use crate::memory::{Entity, EntityId, Memory, Object, Relation};
use crate::operation::{Conflict, Dated, EntityView, Link, Step, Stop, Triple};

/// The names of entities by their ids.
pub(super) struct Names<'a>(OrderedMap<&'a EntityId, &'a str>);

impl<'a> Names<'a> {
    pub fn of(entities: &'a [Entity], others: &'a [(EntityId, String)]) -> Self {
        let entities = entities
            .iter()
            .map(|entity| (&entity.id, entity.name.as_str()));
        let others = others.iter().map(|(id, name)| (id, name.as_str()));
        Self(entities.chain(others).collect())
    }

    fn name(&self, id: &'a EntityId) -> &'a str {
        self.0.get(id).copied().unwrap_or(&id.0)
    }

    fn object(&self, object: &'a Object) -> &'a str {
        match object {
            Object::Entity(id) => self.name(id),
            Object::Literal(text) => text,
        }
    }
}

pub(super) fn entity(entity: &Entity) -> Value {
    json!({
        "id": entity.id,
        "name": entity.name,
        "type": entity.kind,
        "aliases": entity.aliases,
        "created_at": entity.created_at,
    })
}

/// Subject, predicate and object have the names that mem0's clients know, beside their ids: a plain value has none.
pub(super) fn relation<'a>(relation: &'a Relation, names: &Names<'a>) -> Value {
    json!({
        "source": names.name(&relation.subject),
        "source_id": relation.subject,
        "relationship": relation.predicate,
        "target": names.object(&relation.object),
        "target_id": relation.object.entity(),
        "valid_from": relation.valid_from,
        "valid_from_precision": relation.from_precision,
        "valid_to": relation.valid_to,
        "valid_to_precision": relation.to_precision,
        "known_from": relation.known_from,
        "known_to": relation.known_to,
        "confidence": super::score(relation.confidence),
        "memories": relation.memories,
        "messages": relation.messages,
    })
}

pub(super) fn page(
    entities: &[Entity],
    relations: &[Relation],
    names: &[(EntityId, String)],
) -> [(&'static str, Value); 2] {
    let names = Names::of(entities, names);
    [
        ("entities", entities.iter().map(entity).collect()),
        (
            "relations",
            relations
                .iter()
                .map(|found| relation(found, &names))
                .collect(),
        ),
    ]
}

/// A triple as the search of mem0's older clients has it; some read `destination`.
pub(super) fn triple(triple: &Triple) -> Value {
    json!({
        "source": triple.source,
        "relationship": triple.relationship,
        "target": triple.target,
        "destination": triple.target,
    })
}

/// One entity with all that is known of it.
pub(super) fn view(view: &EntityView) -> Value {
    let names = Names::of(std::slice::from_ref(&view.entity), &view.names);
    let mut body = entity(&view.entity);
    let history: Vec<Value> = view
        .entity
        .changes
        .iter()
        .map(|change| json!({"event": change.kind, "at": change.at, "names": change.of}))
        .collect();
    let relations: Vec<Value> = view
        .relations
        .iter()
        .map(|found| relation(found, &names))
        .collect();
    let memories: Vec<Value> = view
        .memories
        .iter()
        .map(|memory| super::value(&super::Listed::whole(memory)))
        .collect();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("history".to_owned(), json!(history));
        fields.insert("relations".to_owned(), json!(relations));
        fields.insert("memories".to_owned(), json!(memories));
        fields.insert("timeline".to_owned(), json!(timeline(&view.memories)));
    }
    body
}

/// What each version of the memories says, in the order of its time in the world.
fn timeline(memories: &[Memory]) -> Vec<Value> {
    let mut lines = Vec::new();
    for memory in memories {
        for (number, version) in memory.versions.iter().enumerate() {
            // What was said first, was said when the memory came; a later version when it was stored.
            let said = if number == 0 {
                memory.created_at
            } else {
                version.known_from
            };
            let from = version.valid_from.unwrap_or(said);
            lines.push((from, said, memory.id, version));
        }
    }
    lines.sort_by_key(|(from, said, id, _)| (*from, *said, *id));
    let shown = lines.into_iter().map(|(from, _, id, version)| {
        json!({
            "from": from,
            "from_precision": version.from_precision,
            "to": version.valid_to,
            "to_precision": version.to_precision,
            "text": version.text,
            "current": version.known_to.is_none(),
            "memories": [id],
        })
    });
    shown.collect()
}

/// A line of a timeline. A relation in it has ids alone, as the text has the names.
pub(super) fn dated(line: &Dated) -> Value {
    json!({
        "from": line.from,
        "from_precision": line.from_precision,
        "to": line.to,
        "to_precision": line.to_precision,
        "text": line.text,
        "current": line.current,
        "memories": line.memories,
        "relation": line.relation.as_ref().map(|relation| json!({
            "source_id": relation.subject,
            "relationship": relation.predicate,
            "target_id": relation.object.entity(),
        })),
    })
}

/// One step of the way on which the graph found a memory.
pub(super) fn step(step: &Step) -> Value {
    let (kind, id) = match &step.to {
        Stop::Entity(id) => ("entity", json!(id)),
        Stop::Value(text) => ("value", json!(text)),
        Stop::Memory(id) => ("memory", json!(id)),
    };
    json!({
        "by": step.by,
        "backwards": step.backwards,
        "to": {kind: id},
        "name": step.name,
    })
}

/// The ways between two entities, the best first. Each step begins where the one before it arrived.
pub(super) fn paths<'a>(entities: &'a [Entity], paths: &'a [Vec<Link>]) -> Value {
    let names = Names::of(entities, &[]);
    let step = |link: &'a Link| {
        let mut step = relation(&link.relation, &names);
        if let Some(fields) = step.as_object_mut() {
            fields.insert("backwards".to_owned(), json!(link.backwards));
        }
        step
    };
    let in_words = |way: &'a [Link]| {
        let mut words = Vec::new();
        for link in way {
            let (subject, object) = (&link.relation.subject, &link.relation.object);
            let (from, to) = match link.backwards {
                true => (names.object(object), names.name(subject)),
                false => (names.name(subject), names.object(object)),
            };
            if words.is_empty() {
                words.push(from.to_owned());
            }
            words.push(match link.backwards {
                true => format!("<-{}-", link.relation.predicate),
                false => format!("-{}->", link.relation.predicate),
            });
            words.push(to.to_owned());
        }
        words.join(" ")
    };
    let shown: Vec<Value> = paths
        .iter()
        .map(|way| {
            json!({
                "text": in_words(way),
                "steps": way.iter().map(step).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "entities": entities.iter().map(entity).collect::<Vec<_>>(),
        "paths": shown,
    })
}

pub(super) fn contradiction(conflict: &Conflict) -> Value {
    let resolved = conflict.contradiction.resolved.as_ref();
    let sides: Vec<Value> = conflict
        .sides
        .iter()
        .map(|side| {
            json!({
                "claim": side.claim,
                "text": side.text,
                "memories": side.memories,
                "said_at": side.said_at,
            })
        })
        .collect();
    json!({
        "id": conflict.contradiction.id,
        "found_at": conflict.contradiction.found_at,
        "sides": sides,
        "resolved": resolved.map(|resolution| json!({
            "at": resolution.at,
            "kept": resolution.kept,
            "by": resolution.by,
        })),
    })
}
