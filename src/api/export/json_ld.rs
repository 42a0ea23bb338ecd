//! JSON-LD: entities as things with names, relations as statements of RDF, which can say when they hold.

use serde_json::{Value, json};

use super::super::wire::percent_encode;
use super::Exported;
use crate::memory::{Entity, Id, Object, Relation};

pub(super) fn write(graph: &Exported<'_>) -> String {
    let entities = graph.entities.iter().map(|it| entity(graph.space, it));
    let relations = graph.relations.iter().map(|it| relation(graph.space, it));
    let document = json!({
        "@context": context(),
        "@id": format!("urn:edgemem:{}", graph.space),
        "@graph": entities.chain(relations).collect::<Vec<Value>>(),
    });
    format!("{document:#}\n")
}

/// What the terms mean. What no common vocabulary has is `urn:edgemem:vocabulary:…`.
fn context() -> Value {
    let time = |name: &str| json!({"@id": format!("edgemem:{name}"), "@type": "xsd:dateTime"});
    let ids = |name: &str| json!({"@id": name, "@type": "@id", "@container": "@set"});
    json!({
        "@version": 1.1,
        "edgemem": "urn:edgemem:vocabulary:",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "schema": "https://schema.org/",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "Entity": "schema:Thing",
        "name": "schema:name",
        "aliases": {"@id": "schema:alternateName", "@container": "@set"},
        "kind": "edgemem:kind",
        "entity_id": "schema:identifier",
        "created_at": {"@id": "schema:dateCreated", "@type": "xsd:dateTime"},
        "Relation": "rdf:Statement",
        "subject": {"@id": "rdf:subject", "@type": "@id"},
        "predicate": {"@id": "rdf:predicate", "@type": "@id"},
        "object": "rdf:object",
        "label": "rdfs:label",
        "valid_from": time("valid_from"),
        "valid_to": time("valid_to"),
        "valid_from_precision": "edgemem:valid_from_precision",
        "valid_to_precision": "edgemem:valid_to_precision",
        "known_from": time("known_from"),
        "known_to": time("known_to"),
        "confidence": {"@id": "edgemem:confidence", "@type": "xsd:double"},
        "memories": ids("edgemem:memory"),
        "messages": ids("edgemem:message"),
    })
}

fn entity(space: &str, entity: &Entity) -> Value {
    json!({
        "@id": entity_iri(space, &entity.id.0),
        "@type": "Entity",
        "entity_id": entity.id,
        "name": entity.name,
        "kind": entity.kind,
        "aliases": entity.aliases,
        "created_at": entity.created_at,
    })
}

fn relation(space: &str, relation: &Relation) -> Value {
    let object = match &relation.object {
        Object::Entity(id) => json!({"@id": entity_iri(space, &id.0)}),
        Object::Literal(text) => json!({"@value": text}),
    };
    let urns =
        |ids: &[Id]| -> Vec<String> { ids.iter().map(|id| format!("urn:uuid:{id}")).collect() };
    let mut statement = json!({
        "@type": "Relation",
        "subject": entity_iri(space, &relation.subject.0),
        "predicate": format!("urn:edgemem:predicate:{}", percent_encode(&relation.predicate)),
        "label": relation.predicate,
        "object": object,
        "valid_from": relation.valid_from,
        "valid_from_precision": relation.from_precision,
        "valid_to": relation.valid_to,
        "valid_to_precision": relation.to_precision,
        "known_from": relation.known_from,
        "known_to": relation.known_to,
        "confidence": (f64::from(relation.confidence) * 1e4).round() / 1e4,
        "memories": urns(&relation.memories),
        "messages": urns(&relation.messages),
    });
    if let Some(fields) = statement.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    statement
}

fn entity_iri(space: &str, id: &str) -> String {
    format!("urn:edgemem:{space}:entity:{}", percent_encode(id))
}
