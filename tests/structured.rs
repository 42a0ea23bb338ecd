//! Facts in the shape of a schema that came with the add.
#![allow(missing_docs)]

mod common;

use common::{Answer, Fixture, everything_stored, facts};
use edgemem::memory::{ChangeKind, Id};
use edgemem::operation::{Add, HistoryLine, Operation, Reply, Update};
use edgemem::space::SpaceError;
use serde_json::{Value, json};

fn schema() -> Value {
    json!({"type": "object", "properties": {
        "homeCity": {"type": "string"},
        "rooms": {"type": "integer"},
        "tenure": {"type": "string", "enum": ["rent", "own"]},
    }})
}

/// An extraction with one fact, and what it says of structured data.
fn told(text: &str, structured: Value) -> Answer {
    let fact =
        json!({"text": text, "category": "misc", "sources": [1], "structured_data": structured});
    Answer::Text(json!({"facts": [fact]}).to_string())
}

fn shaped(fixture: &Fixture, text: &str) -> Add {
    Add {
        structured_data_schema: Some(schema()),
        ..fixture.add_of(text)
    }
}

/// What the only memory says in its shape.
fn data(fixture: &Fixture) -> Value {
    let memories = fixture.memories();
    assert_eq!(memories.len(), 1, "{memories:?}");
    Value::Object(memories[0].latest().unwrap().structured_data.clone())
}

fn history(fixture: &Fixture, id: Id) -> Vec<HistoryLine> {
    match fixture.apply(Operation::History { id }) {
        Reply::History(lines) => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fact_keeps_what_fits_the_schema() {
    // As the text that is asked for, with a sentence around it, and as the object itself.
    let told_as =
        json!({"homeCity": "Oslo", "rooms": "3", "tenure": "squat", "street": "Storgata"});
    for structured in [
        json!(told_as.to_string()),
        json!(format!("```json\n{told_as}\n```")),
        told_as.clone(),
    ] {
        let fixture = Fixture::new();
        fixture
            .script
            .then(told("User has a flat in Oslo", structured));
        fixture.add(shaped(&fixture, "I have a flat of three rooms in Oslo."));
        assert_eq!(data(&fixture), json!({"homeCity": "Oslo", "rooms": 3}));
    }
    for nothing in [json!(null), json!("null"), json!("no"), json!([1])] {
        let fixture = Fixture::new();
        fixture.script.then(told("User plays chess", nothing));
        fixture.add(shaped(&fixture, "I play chess."));
        assert_eq!(data(&fixture), json!({}));
    }
}

#[test]
fn without_a_schema_nothing_is_asked_nor_taken() {
    let fixture = Fixture::new();
    fixture
        .script
        .then(told("User lives in Oslo", json!({"homeCity": "Oslo"})));
    fixture.say("I live in Oslo.");
    assert_eq!(data(&fixture), json!({}));
    let asked = format!("{:?}", fixture.script.asked.borrow());
    assert!(!asked.contains("tructured"), "{asked}");
}

#[test]
fn an_update_replaces_it_or_keeps_it() {
    let fixture = Fixture::new();
    fixture.script.then(told(
        "User lives in Oslo",
        json!({"homeCity": "Oslo", "rooms": 2}),
    ));
    let id = fixture.add(shaped(&fixture, "I live in Oslo.")).outcomes[0].id;
    let update = |text: &'static str| {
        let arguments = format!(r#"{{"fact": 1, "memory": 1, "text": "{text}"}}"#);
        Answer::Calls(vec![("update_memory", arguments)])
    };
    fixture
        .script
        .then(told("User lives in Bergen", json!({"homeCity": "Bergen"})));
    fixture.script.then(update("User lives in Bergen"));
    fixture.add(shaped(&fixture, "I live in Bergen now."));
    assert_eq!(data(&fixture), json!({"homeCity": "Bergen"}));

    fixture
        .script
        .then(facts(&["User lives in Bergen with a cat"]));
    fixture
        .script
        .then(update("User lives in Bergen with a cat"));
    fixture.say("I have a cat in Bergen.");
    assert_eq!(data(&fixture), json!({"homeCity": "Bergen"}));

    let text = Some("User lives in Bergen with two cats".to_owned());
    fixture.apply(Operation::Update(Update {
        id,
        text,
        metadata: None,
        time: None,
        expires_at: None,
    }));
    assert_eq!(data(&fixture), json!({"homeCity": "Bergen"}));

    let lines = history(&fixture, id);
    let told: Vec<(ChangeKind, Value)> = lines
        .into_iter()
        .map(|line| (line.change.kind, Value::Object(line.structured_data)))
        .collect();
    let bergen = json!({"homeCity": "Bergen"});
    assert_eq!(
        told,
        [
            (ChangeKind::Add, json!({"homeCity": "Oslo", "rooms": 2})),
            (ChangeKind::Update, bergen.clone()),
            (ChangeKind::Update, bergen.clone()),
            (ChangeKind::Update, bergen),
        ]
    );
}

#[test]
fn a_fact_that_is_known_already_gets_it_once() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User lives in Oslo"]));
    fixture.say("I live in Oslo.");
    for city in ["Oslo", "Bergen"] {
        fixture
            .script
            .then(told("User lives in Oslo", json!({"homeCity": city})));
        fixture.add(shaped(&fixture, "I live in Oslo, I said."));
        assert_eq!(data(&fixture), json!({"homeCity": "Oslo"}));
    }
}

#[test]
fn erasing_a_memory_leaves_nothing_of_it() {
    let mut fixture = Fixture::new();
    fixture
        .script
        .then(told("User lives in Oslo", json!({"homeCity": "Storhamar"})));
    let id = fixture.add(shaped(&fixture, "I live in Oslo.")).outcomes[0].id;
    fixture.reopen();
    assert_eq!(data(&fixture), json!({"homeCity": "Storhamar"}));
    assert!(everything_stored(&fixture.storage).contains("Storhamar"));
    fixture.apply(Operation::Delete { id });
    assert!(
        history(&fixture, id)
            .iter()
            .all(|line| line.structured_data.is_empty())
    );
    assert!(!everything_stored(&fixture.storage).contains("Storhamar"));
}

#[test]
fn a_schema_is_an_object_of_some_length() {
    let fixture = Fixture::new();
    for schema in [
        json!("city"),
        json!(["city"]),
        json!({"title": "x".repeat(16_000)}),
    ] {
        let add = Add {
            structured_data_schema: Some(schema),
            ..fixture.add_of("I live in Oslo.")
        };
        let refused = fixture
            .try_apply(Operation::Add(Box::new(add)))
            .unwrap_err();
        assert!(matches!(refused, SpaceError::BadShape { .. }));
        let problem = refused.problem();
        assert_eq!((problem.status, problem.code.as_str()), (400, "bad_schema"));
    }
    assert!(fixture.transcript().is_empty());
}
