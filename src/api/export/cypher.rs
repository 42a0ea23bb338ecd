//! openCypher: one statement an entity, one a relation. To run them again changes nothing, as all are MERGEs.

use std::fmt::Write;

use super::{Exported, confidence, precision};
use crate::compact::capitals;
use crate::memory::{Id, Moment, Object};

/// The statements. Times are RFC 3339 texts, as not every server of Cypher has the same type for times.
pub(super) fn write(graph: &Exported<'_>) -> String {
    let Exported { space, .. } = graph;
    let mut out = format!("// Entities and relations of the edgemem space {space}.\n");
    for entity in graph.entities {
        let node = node("Entity", space, "id", &entity.id.0);
        let properties = [
            ("name", Some(string(&entity.name))),
            ("kind", Some(string(&entity.kind))),
            (
                "aliases",
                Some(list(entity.aliases.iter().map(String::as_str))),
            ),
            ("created_at", Some(time(entity.created_at))),
        ];
        line(
            &mut out,
            &format!("MERGE (n{node}){}", set("n", properties)),
        );
    }
    for relation in graph.relations {
        let subject = node("Entity", space, "id", &relation.subject.0);
        let object = match &relation.object {
            Object::Entity(id) => format!("MATCH (b{})", node("Entity", space, "id", &id.0)),
            Object::Literal(text) => format!("MERGE (b{})", node("Value", space, "text", text)),
        };
        // The ends, the predicate and when it was learnt tell relations apart.
        let key = format!(
            "{{predicate: {}, known_from: {}}}",
            string(&relation.predicate),
            time(relation.known_from)
        );
        let properties = [
            ("valid_from", relation.valid_from.map(time)),
            (
                "valid_from_precision",
                relation.from_precision.map(|it| string(&precision(it))),
            ),
            ("valid_to", relation.valid_to.map(time)),
            (
                "valid_to_precision",
                relation.to_precision.map(|it| string(&precision(it))),
            ),
            ("known_to", relation.known_to.map(time)),
            ("confidence", Some(confidence(relation.confidence))),
            ("memories", Some(ids(&relation.memories))),
            ("messages", Some(ids(&relation.messages))),
        ];
        line(
            &mut out,
            &format!(
                "MATCH (a{subject}) {object} MERGE (a)-[r:{} {key}]->(b){}",
                relation_type(&relation.predicate),
                set("r", properties)
            ),
        );
    }
    out
}

fn line(out: &mut String, statement: &str) {
    out.push_str(statement);
    out.push_str(";\n");
}

fn node(label: &str, space: &str, key: &str, value: &str) -> String {
    format!(":{label} {{space: '{space}', {key}: {}}}", string(value))
}

/// ` SET n.name = 'x', …` of the properties that there are.
fn set<const N: usize>(of: &str, properties: [(&str, Option<String>); N]) -> String {
    let given = properties
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let given: Vec<String> = given
        .map(|(name, value)| format!("{of}.{name} = {value}"))
        .collect();
    format!(" SET {}", given.join(", "))
}

/// The type of an edge, as other graphs write them: `LIVES_IN`. What is no letter or digit becomes `_`, as within
/// backticks some servers read escapes before they look for the closing one; the property has the true word.
fn relation_type(predicate: &str) -> String {
    let upper = capitals(predicate);
    let word: String = upper
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    match word.is_empty() {
        true => "`_`".to_owned(),
        false => format!("`{word}`"),
    }
}

/// A string literal. Some servers read `\u0027` before they look for the closing quote, even after a backslash that
/// is itself escaped: so a `u` that follows a backslash is escaped too.
fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    let mut before = ' ';
    for c in text.chars() {
        let _ = match c {
            '\\' => write!(out, "\\\\"),
            '\'' => write!(out, "\\'"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            'u' | 'U' if before == '\\' => write!(out, "\\u{:04X}", u32::from(c)),
            '\u{2028}' | '\u{2029}' => write!(out, "\\u{:04X}", u32::from(c)),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)),
            c => write!(out, "{c}"),
        };
        before = c;
    }
    out.push('\'');
    out
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    format!("[{}]", texts.map(string).collect::<Vec<_>>().join(", "))
}

fn ids(ids: &[Id]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    format!("[{}]", ids.join(", "))
}

fn time(time: Moment) -> String {
    format!("'{time}'")
}
