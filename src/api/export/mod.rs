//! A graph in the formats of other programs. Pure functions of what a space answered; the same graph always gives
//! the same bytes.

mod cypher;
mod graphml;
mod json_ld;

use serde::{Deserialize, Serialize};

use serde_json::Value;

use crate::memory::{Entity, Precision, Relation};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Format {
    /// <https://www.w3.org/TR/json-ld11/>
    JsonLd,
    /// <http://graphml.graphdrawing.org/>
    GraphMl,
    /// Statements of openCypher, for Neo4j, Memgraph and others.
    Cypher,
}

impl Format {
    /// The format that a client names.
    pub fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "json-ld" | "jsonld" => Some(Self::JsonLd),
            "graphml" => Some(Self::GraphMl),
            "cypher" => Some(Self::Cypher),
            _ => None,
        }
    }

    /// The media type of the text.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::JsonLd => "application/ld+json",
            Self::GraphMl => "application/graphml+xml; charset=utf-8",
            Self::Cypher => "application/x-cypher-query; charset=utf-8",
        }
    }

    /// Writes a graph.
    pub fn write(self, graph: &Exported<'_>) -> String {
        match self {
            Self::JsonLd => json_ld::write(graph),
            Self::GraphMl => graphml::write(graph),
            Self::Cypher => cypher::write(graph),
        }
    }
}

/// What is exported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exported<'a> {
    /// The space: ids of entities are unique only within one.
    pub space: &'a str,
    /// The nodes.
    pub entities: &'a [Entity],
    /// The edges, each between nodes that are here.
    pub relations: &'a [Relation],
}

/// A confidence with four digits. The standard library's way of writing it brings tables that nothing else needs.
fn confidence(value: f32) -> String {
    let parts = (f64::from(value) * 10_000.0).round_ties_even() as u64;
    format!("{}.{:04}", parts / 10_000, parts % 10_000)
}

/// The name of a precision, as JSON has it.
fn precision(precision: Precision) -> String {
    match serde_json::to_value(precision) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
