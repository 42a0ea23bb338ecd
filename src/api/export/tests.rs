use serde_json::Value;

use super::*;
use crate::memory::{EntityId, Id, Moment, Object, Owner, OwnerKind, Precision};

fn space() -> crate::memory::SpaceHash {
    Owner::new(OwnerKind::User, "alice").space_hash()
}

fn at(second: i64) -> Moment {
    Moment::from_seconds(1_800_000_000 + second)
}

fn entity(id: &str, name: &str, kind: &str) -> Entity {
    Entity {
        id: EntityId(id.into()),
        name: name.into(),
        kind: kind.into(),
        aliases: Vec::new(),
        created_at: at(0),
        merged_into: None,
        changes: Vec::new(),
    }
}

fn relation(subject: &str, predicate: &str, object: Object) -> Relation {
    Relation {
        subject: EntityId(subject.into()),
        predicate: predicate.into(),
        object,
        valid_from: Some(at(0)),
        valid_to: None,
        from_precision: None,
        to_precision: None,
        known_from: at(5),
        known_to: None,
        confidence: 0.9,
        memories: vec![Id::new(space(), 3, 7)],
        messages: vec![Id::new(space(), 2, 7)],
    }
}

fn written(format: Format, entities: &[Entity], relations: &[Relation]) -> String {
    format.write(&Exported {
        space: &space().to_string(),
        entities,
        relations,
    })
}

fn story(format: Format) -> String {
    let mut melanie = entity("melanie", "Melanie", "person");
    melanie.aliases = vec!["Mel".into(), "my sister".into()];
    let mut lived = relation(
        "user",
        "lives_in",
        Object::Entity(EntityId("new york".into())),
    );
    lived.valid_to = Some(at(86_400));
    lived.to_precision = Some(Precision::Day);
    let relations = [
        lived,
        relation(
            "melanie",
            "sister_of",
            Object::Entity(EntityId("user".into())),
        ),
        relation("user", "budget", Object::Literal("2,500 dollars".into())),
    ];
    let entities = [
        melanie,
        entity("new york", "New York", "place"),
        entity("user", "Maya", "person"),
    ];
    written(format, &entities, &relations)
}

#[test]
fn a_story_in_every_format() {
    insta::assert_snapshot!("json_ld", story(Format::JsonLd));
    insta::assert_snapshot!("graphml", story(Format::GraphMl));
    insta::assert_snapshot!("cypher", story(Format::Cypher));
}

/// Names that would break out of a text that is not escaped.
const HOSTILE: [&str; 9] = [
    "O'Brien \"Bob\"",
    "back\\slash\\",
    "\\' DETACH DELETE n //",
    "\\u0027 DETACH DELETE n //",
    "line\nfeed\r\nand\ttab",
    "nul\0 bell\u{7} \u{2028} \u{85}",
    "]]> <b>&amp;</b> -->",
    "`) DETACH DELETE n //",
    "東京 🗼 \u{ffff}",
];

fn hostile(format: Format) -> String {
    let entities = HOSTILE.map(|name| entity(name, name, name));
    let relations = HOSTILE.map(|name| relation(name, name, Object::Literal(name.into())));
    written(format, &entities, &relations)
}

#[test]
fn hostile_names_come_back_from_json_ld_as_they_were() {
    let read: Value = serde_json::from_str(&hostile(Format::JsonLd)).unwrap();
    let nodes = read["@graph"].as_array().unwrap();
    for (name, (entity, relation)) in HOSTILE
        .iter()
        .zip(nodes.iter().zip(&nodes[HOSTILE.len()..]))
    {
        assert_eq!(entity["name"], *name);
        assert_eq!(relation["object"]["@value"], *name);
        assert_eq!(relation["subject"], entity["@id"]);
        for iri in [&entity["@id"], &relation["predicate"]] {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._~%:".contains(c);
            assert!(iri.as_str().unwrap().chars().all(plain), "{iri}");
        }
    }
}

#[test]
fn hostile_names_come_back_from_graphml_but_for_what_xml_cannot_say() {
    use quick_xml::events::Event;
    let text = hostile(Format::GraphMl);
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut labels, mut here, mut depth) = (Vec::new(), None, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                depth += 1;
                let key = start.try_get_attribute("key").unwrap();
                if key.is_some_and(|key| &*key.value == "node_label") {
                    here = Some(String::new());
                }
            }
            Event::Text(text) => {
                if let Some(label) = &mut here {
                    label.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                if let Some(label) = &mut here {
                    match name.resolve_char_ref().unwrap() {
                        Some(c) => label.push(c),
                        None => label
                            .push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap()),
                    }
                }
            }
            Event::End(_) => {
                depth -= 1;
                labels.extend(here.take());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    let shown = |name: &str| name.replace(['\0', '\u{7}', '\u{ffff}'], "\u{fffd}");
    let expected: Vec<String> = HOSTILE
        .iter()
        .chain(&HOSTILE)
        .map(|name| shown(name))
        .collect();
    assert_eq!(labels, expected);
    assert!(!text.contains(['\0', '\u{7}', '\u{ffff}', '\r']));
    assert!(!text.contains("]]>"));
}

/// Reads the string literals of a statement, in the manner of servers that replace `\uXXXX` first, or of those that
/// do it inside of literals.
fn literals(statement: &str, unicode_first: bool) -> Vec<String> {
    let mut text = statement.to_owned();
    if unicode_first {
        let mut decoded = String::new();
        let mut rest = text.as_str();
        while let Some(place) = rest.find("\\u") {
            let code = u32::from_str_radix(&rest[place + 2..place + 6], 16).unwrap();
            decoded.push_str(&rest[..place]);
            decoded.push(char::from_u32(code).unwrap());
            rest = &rest[place + 6..];
        }
        text = decoded + rest;
    }
    let (mut found, mut chars) = (Vec::new(), text.chars());
    while let Some(c) = chars.next() {
        if c != '\'' {
            continue;
        }
        let mut literal = String::new();
        loop {
            match chars.next().expect("an open literal") {
                '\'' => break,
                '\\' => literal.push(match chars.next().unwrap() {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let code: String = chars.by_ref().take(4).collect();
                        char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
                    }
                    c => {
                        assert!("\\'".contains(c), "{c}");
                        c
                    }
                }),
                c => literal.push(c),
            }
        }
        found.push(literal);
    }
    found
}

#[test]
fn hostile_names_stay_in_their_literals_of_cypher() {
    let text = hostile(Format::Cypher);
    let statements: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(statements.len(), 2 * HOSTILE.len(), "a line each");
    for unicode_first in [false, true] {
        for (i, name) in HOSTILE.iter().enumerate() {
            let entity = literals(statements[i], unicode_first);
            assert_eq!(entity[1..4], [*name; 3], "{}", statements[i]);
            let relation = literals(statements[HOSTILE.len() + i], unicode_first);
            assert_eq!(
                (&*relation[1], &*relation[3], &*relation[4]),
                (*name, *name, *name)
            );
        }
    }
    for statement in statements.iter().skip(HOSTILE.len()) {
        let (_, after) = statement.split_once("[r:`").unwrap();
        let (word, _) = after.split_once("` {predicate: '").unwrap();
        assert!(
            word.chars().all(|c| c.is_alphanumeric() || c == '_'),
            "{word}"
        );
    }
}

#[test]
fn a_format_has_its_names() {
    for (name, expected) in [
        ("json-ld", Some(Format::JsonLd)),
        ("JSONLD", Some(Format::JsonLd)),
        ("graphml", Some(Format::GraphMl)),
        ("cypher", Some(Format::Cypher)),
        ("rdf", None),
    ] {
        assert_eq!(Format::named(name), expected, "{name}");
    }
}
