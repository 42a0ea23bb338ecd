//! A space that an older edgemem stored opens, and loses nothing. `tests/formats/v1.json` holds every
//! record of one as hex digits; a file is added for each new version and none is ever changed.
#![allow(missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::ops::Bound;

use common::{Answer, Fixture, facts};
use edgemem::memory::ChangeKind;
use edgemem::operation::{Export, Graph, Operation, Reply};
use edgemem::store::{Storage, Table, Write};
use futures_executor::block_on;

type Dump = BTreeMap<String, BTreeMap<String, String>>;

fn dump(fixture: &Fixture) -> Dump {
    let rows = |table| {
        let scan = fixture.storage.scan(table, Bound::Unbounded, usize::MAX);
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        block_on(scan)
            .unwrap()
            .into_iter()
            .map(|(key, record)| (key, hex(record)))
            .collect()
    };
    Table::ALL
        .into_iter()
        .map(|table| (table.name().to_owned(), rows(table)))
        .collect()
}

fn restore(fixture: &mut Fixture, dump: &Dump) {
    let mut writes = Vec::new();
    for table in Table::ALL {
        for (key, hex) in dump.get(table.name()).into_iter().flatten() {
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            writes.push(Write::Put {
                table,
                key: key.clone(),
                record: (0..hex.len()).step_by(2).map(byte).collect(),
                columns: Vec::new(),
            });
        }
    }
    block_on(fixture.storage.commit(writes)).unwrap();
    fixture.reopen();
}

/// A space with a record in every table.
fn sample() -> Fixture {
    let fixture = Fixture::new();
    fixture.script.then(Answer::Text(
        r#"{"facts": [{"text": "User lives in Oslo", "category": "personal_details", "standing": false,
            "valid_from": "2026-01", "entities": [{"name": "Oslo", "type": "place"}], "sources": [1],
            "relations": [{"subject": "user", "predicate": "lives_in", "object": "Oslo"}]}]}"#
            .into(),
    ));
    let messages =
        (1..=20).map(|n| edgemem::memory::Message::user(format!("I live in Oslo, {n}.")));
    let add = edgemem::operation::Add {
        messages: messages.collect(),
        ..fixture.add_of("")
    };
    let id = fixture.add(add).id;
    fixture
        .script
        .then(Answer::Text("The user lives in Oslo.".into()));
    fixture.run_due();
    fixture.script.then(facts(&["User lives in Bergen"]));
    fixture.script.then(Answer::Calls(vec![(
        "update_memory",
        r#"{"fact": 1, "memory": {memory:Oslo}, "text": "User lives in Bergen"}"#.into(),
    )]));
    fixture.say("I live in Bergen now.");
    fixture.accept(fixture.add_of("I play the cello."));
    assert_ne!(id, fixture.event(id).outcomes[0].id);
    fixture
}

#[test]
fn version_1_opens() {
    let text = include_str!("formats/v1.json");
    let stored: Dump = serde_json::from_str(text).unwrap();
    let mut fixture = Fixture::new();
    restore(&mut fixture, &stored);
    assert_eq!(fixture.texts(), ["User lives in Bergen"]);
    assert!(
        fixture
            .transcript()
            .contains(&"I play the cello.".to_owned())
    );
    let memory = fixture.memories().remove(0);
    let Reply::History(lines) = fixture.apply(Operation::History { id: memory.id }) else {
        panic!()
    };
    let kinds: Vec<ChangeKind> = lines.iter().map(|line| line.change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Add, ChangeKind::Update]);
    assert!(
        fixture.search("Bergen")[0]
            .receipt
            .channels
            .iter()
            .any(|c| c.channel == "vector")
    );
    let Reply::Summary { text, .. } = fixture.apply(Operation::Summary {
        scope: fixture.scope(),
    }) else {
        panic!()
    };
    assert_eq!(text, "The user lives in Oslo.");
    let Reply::Graph { relations, .. } = fixture.apply(Operation::Graph(Graph {
        past: true,
        ..Graph::default()
    })) else {
        panic!()
    };
    assert!(relations[0].valid_to.is_some());
    // The job that waited goes on.
    fixture.script.then(facts(&["User plays the cello"]));
    fixture
        .script
        .then(Answer::Calls(vec![("add_memory", r#"{"fact": 1}"#.into())]));
    fixture.run_due();
    assert_eq!(
        fixture.texts(),
        ["User lives in Bergen", "User plays the cello"]
    );
}

#[test]
fn what_is_written_today_is_version_1() {
    let fixture = sample();
    fixture.script.then(facts(&["User lives in Oslo again"]));
    fixture.script.then(Answer::Calls(vec![(
        "add_memory",
        r#"{"fact": 1, "contradicts": {memory:Bergen}}"#.into(),
    )]));
    fixture.run_due();
    fixture.accept(fixture.add_of("I play chess."));
    fixture.apply(Operation::Export(Box::new(Export {
        schema: serde_json::json!({"type": "object"}),
        ..Export::default()
    })));
    let stored = dump(&fixture);
    // Pages have versions of their own; a space keeps notices only for a directory, which has a storage of its own.
    let elsewhere = ["index", "outbox", "directory"];
    for (table, rows) in stored
        .iter()
        .filter(|(table, _)| !elsewhere.contains(&table.as_str()))
    {
        assert!(!rows.is_empty(), "the sample has no {table}");
        assert!(
            rows.values().all(|record| record.starts_with("01")),
            "{table}"
        );
    }
    if std::env::var_os("EDGEMEM_WRITE_FORMAT_SAMPLE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/v1.json");
        std::fs::write(path, serde_json::to_string_pretty(&stored).unwrap()).unwrap();
    }
}

#[test]
fn a_record_of_the_future_is_an_error_that_says_what_to_do() {
    let fixture = sample();
    block_on(fixture.storage.commit(vec![Write::Put {
        table: Table::Space,
        key: "space".into(),
        record: vec![9, 1, 2],
        columns: Vec::new(),
    }]))
    .unwrap();
    let models = edgemem::space::Models {
        chat: None,
        embedder: std::rc::Rc::new(common::embedder()),
        reranker: None,
    };
    let host = common::TestHost {
        settings: edgemem::space::Settings::default(),
        storage: fixture.storage.clone(),
        clock: fixture.clock.clone(),
        random: std::cell::Cell::new(1),
        warnings: Default::default(),
    };
    let hash = fixture.scope().owner().unwrap().space_hash();
    let opened = block_on(edgemem::space::Space::open(host, models, hash));
    let error = opened.err().unwrap().problem();
    assert_eq!(error.code, "newer_format");
    assert!(
        error.message.contains("deploy the newer version"),
        "{}",
        error.message
    );
}

#[test]
fn a_damaged_vector_is_made_anew() {
    let mut fixture = sample();
    fixture.script.then(facts(&["User plays the cello"]));
    fixture
        .script
        .then(Answer::Calls(vec![("add_memory", r#"{"fact": 1}"#.into())]));
    fixture.run_due();
    let finds_by_vector = |fixture: &Fixture| {
        let hits = fixture.search("Bergen");
        assert_eq!(hits[0].memory.text(), "User lives in Bergen");
        hits[0]
            .receipt
            .channels
            .iter()
            .any(|c| c.channel == "vector")
    };
    assert!(finds_by_vector(&fixture));
    let key = fixture.search("Bergen")[0].memory.id.to_string();
    for damaged in [vec![1, 2, 3], Vec::new()] {
        let write = Write::Put {
            table: Table::Vectors,
            key: key.clone(),
            record: damaged,
            columns: Vec::new(),
        };
        block_on(fixture.storage.commit(vec![write])).unwrap();
        fixture.reopen();
        assert!(!finds_by_vector(&fixture), "its words still find it");
        fixture.run_due();
        assert!(finds_by_vector(&fixture));
        fixture.reopen();
        assert!(finds_by_vector(&fixture));
    }
}
