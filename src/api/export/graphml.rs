//! GraphML, for Gephi, yEd, NetworkX and others. Plain values are nodes too, as an edge needs one at both ends.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{Exported, confidence, precision};
use crate::compact::OrderedMap;
use crate::memory::{EntityId, Id, Moment, Object, Relation};

/// Attributes of nodes and edges: what it is of, its name, its type.
const KEYS: [(&str, &str, &str); 15] = [
    ("node", "id", "string"),
    ("node", "label", "string"),
    ("node", "kind", "string"),
    ("node", "aliases", "string"),
    ("node", "created_at", "string"),
    ("edge", "label", "string"),
    ("edge", "valid_from", "string"),
    ("edge", "valid_from_precision", "string"),
    ("edge", "valid_to", "string"),
    ("edge", "valid_to_precision", "string"),
    ("edge", "known_from", "string"),
    ("edge", "known_to", "string"),
    ("edge", "confidence", "double"),
    ("edge", "memories", "string"),
    ("edge", "messages", "string"),
];

/// The kind of the nodes that are plain values.
const VALUE: &str = "value";

pub(super) fn write(graph: &Exported<'_>) -> String {
    let mut document = Document(Writer::new_with_indent(Vec::new(), b' ', 1));
    document.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    document.start(
        "graphml",
        &[("xmlns", "http://graphml.graphdrawing.org/xmlns")],
    );
    for (of, name, kind) in KEYS {
        let key = key(of, name);
        let attributes = [
            ("id", key.as_str()),
            ("for", of),
            ("attr.name", name),
            ("attr.type", kind),
        ];
        document.event(Event::Empty(element("key", &attributes)));
    }
    let space = format!("s{}", graph.space);
    document.start("graph", &[("id", &space), ("edgedefault", "directed")]);
    let nodes = document.nodes(graph);
    for (number, relation) in graph.relations.iter().enumerate() {
        document.edge(number, relation, &nodes);
    }
    document.end("graph");
    document.end("graphml");
    let mut text = String::from_utf8(document.0.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

/// The numbers of the nodes: names can hold what no id may.
struct Nodes<'a> {
    entities: OrderedMap<&'a EntityId, String>,
    values: OrderedMap<&'a str, String>,
}

/// Writing to memory cannot fail.
struct Document(Writer<Vec<u8>>);

impl Document {
    fn event(&mut self, event: Event<'_>) {
        let _ = self.0.write_event(event);
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Start(element(name, attributes)));
    }

    fn end(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn data(&mut self, of: &str, name: &str, value: &str) {
        self.start("data", &[("key", &key(of, name))]);
        self.event(Event::Text(BytesText::new(&readable(value))));
        self.end("data");
    }

    fn nodes<'a>(&mut self, graph: &Exported<'a>) -> Nodes<'a> {
        let mut nodes = Nodes {
            entities: OrderedMap::new(),
            values: OrderedMap::new(),
        };
        for (number, entity) in graph.entities.iter().enumerate() {
            let node = format!("n{number}");
            self.start("node", &[("id", &node)]);
            self.data("node", "id", &entity.id.0);
            self.data("node", "label", &entity.name);
            self.data("node", "kind", &entity.kind);
            if !entity.aliases.is_empty() {
                self.data("node", "aliases", &entity.aliases.join("\n"));
            }
            self.data("node", "created_at", &entity.created_at.to_string());
            self.end("node");
            nodes.entities.insert(&entity.id, node);
        }
        for relation in graph.relations {
            let Object::Literal(text) = &relation.object else {
                continue;
            };
            if nodes.values.contains_key(text.as_str()) {
                continue;
            }
            let node = format!("v{}", nodes.values.len());
            self.start("node", &[("id", &node)]);
            self.data("node", "label", text);
            self.data("node", "kind", VALUE);
            self.end("node");
            nodes.values.insert(text, node);
        }
        nodes
    }

    fn edge(&mut self, number: usize, relation: &Relation, nodes: &Nodes<'_>) {
        let target = match &relation.object {
            Object::Entity(id) => nodes.entities.get(id),
            Object::Literal(text) => nodes.values.get(text.as_str()),
        };
        let (Some(source), Some(target)) = (nodes.entities.get(&relation.subject), target) else {
            return;
        };
        let id = format!("e{number}");
        self.start(
            "edge",
            &[("id", &id), ("source", source), ("target", target)],
        );
        self.data("edge", "label", &relation.predicate);
        let time = |time: Option<Moment>| time.map(|time| time.to_string());
        let given = [
            ("valid_from", time(relation.valid_from)),
            (
                "valid_from_precision",
                relation.from_precision.map(precision),
            ),
            ("valid_to", time(relation.valid_to)),
            ("valid_to_precision", relation.to_precision.map(precision)),
            ("known_from", time(Some(relation.known_from))),
            ("known_to", time(relation.known_to)),
            ("confidence", Some(confidence(relation.confidence))),
            ("memories", ids(&relation.memories)),
            ("messages", ids(&relation.messages)),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                self.data("edge", name, &value);
            }
        }
        self.end("edge");
    }
}

fn element<'a>(name: &'a str, attributes: &[(&'a str, &'a str)]) -> BytesStart<'a> {
    BytesStart::new(name).with_attributes(attributes.iter().copied())
}

fn key(of: &str, name: &str) -> String {
    format!("{of}_{name}")
}

fn ids(ids: &[Id]) -> Option<String> {
    let ids: Vec<String> = ids.iter().map(Id::to_string).collect();
    Some(ids.join(" ")).filter(|ids| !ids.is_empty())
}

/// A text without the characters that XML 1.0 has no way to write: each becomes U+FFFD.
fn readable(text: &str) -> String {
    let is_char = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ',
    };
    text.chars()
        .map(|c| if is_char(c) { c } else { '\u{fffd}' })
        .collect()
}
