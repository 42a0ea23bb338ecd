//! A space that an older edgemem stored opens, and loses nothing; so does a directory. `tests/formats/v1.json` holds
//! every record of a space as hex digits, `v1-owner.json` of one with feedback, exports and notices, `v1-files.json` of
//! one with files that wait to be read, `v1-structured.json` of one with facts in the shape of a schema, `v1-directory.json` of a directory, and `v1-keys.json` the keys of one and what
//! the LLM cost in a space; a file is added for each new version and none is ever changed.
#![allow(missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::ops::Bound;

use common::{Answer, Fixture, facts};
use edgemem::directory::{Answer as Told, Ask, Directory, KeyRole, Now, key_hash};
use edgemem::memory::{ChangeKind, File, FileKind, FileSource, Moment, OwnerKind};
use edgemem::operation::{
    Attachment, EventStatus, Export, Feedback, Graph, Happened, Judgement, Operation, Purpose,
    Reply, Report,
};
use edgemem::space::Settings;
use edgemem::store::{MemoryStorage, Storage, Table, Write};
use futures_executor::block_on;
use serde_json::{Value, json};

type Dump = BTreeMap<String, BTreeMap<String, String>>;

fn dump(storage: &MemoryStorage) -> Dump {
    let rows = |table| {
        let scan = storage.scan(table, Bound::Unbounded, usize::MAX);
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

fn restore(storage: &MemoryStorage, dump: &Dump) {
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
    block_on(storage.commit(writes)).unwrap();
}

/// Writes a sample of today's format when it is told to.
fn keep_sample(name: &str, stored: &Dump) {
    if std::env::var_os("EDGEMEM_WRITE_FORMAT_SAMPLE").is_some() {
        let path = format!("{}/tests/formats/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, serde_json::to_string_pretty(stored).unwrap()).unwrap();
    }
}

fn are_version_1(stored: &Dump) -> bool {
    let mut rows = stored.iter().filter(|(table, _)| *table != "index");
    rows.all(|(_, rows)| rows.values().all(|record| record.starts_with("01")))
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
    restore(&fixture.storage, &stored);
    fixture.reopen();
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
        schema: json!({"type": "object"}),
        ..Export::default()
    })));
    let stored = dump(&fixture.storage);
    // Pages have versions of their own; a space keeps notices only for a directory, which has a storage of its own.
    let elsewhere = ["index", "outbox", "directory"];
    for (table, rows) in stored
        .iter()
        .filter(|(table, _)| !elsewhere.contains(&table.as_str()))
    {
        assert!(!rows.is_empty(), "the sample has no {table}");
    }
    assert!(are_version_1(&stored));
    keep_sample("v1.json", &stored);
}

/// A space whose owner judged a memory, has one export and waits for another, and that has told nobody yet.
fn judged() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.settings = Settings {
        notices: true,
        ..Settings::default()
    };
    fixture.reopen();
    fixture.script.then(facts(&["User lives in Oslo"]));
    let memory = fixture.say("I live in Oslo.").outcomes[0].id;
    fixture.apply(Operation::Feedback(Judgement {
        memory,
        feedback: Some(Feedback::Positive),
        reason: Some("It is so".into()),
    }));
    fixture
        .script
        .then(Answer::Text(r#"{"city": "Oslo"}"#.into()));
    let export = |purpose| {
        Operation::Export(Box::new(Export {
            purpose,
            schema: json!({"type": "object"}),
            ..Export::default()
        }))
    };
    fixture.apply(export(Purpose::Export));
    fixture.run_due();
    fixture.apply(export(Purpose::Profile));
    fixture
}

fn notices(fixture: &Fixture) -> Report {
    match fixture.apply(Operation::Notices { limit: 100 }) {
        Reply::Notices(report) => *report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn feedback_exports_and_notices_of_version_1_are_read() {
    let stored = serde_json::from_str(include_str!("formats/v1-owner.json")).unwrap();
    let mut fixture = Fixture::new();
    restore(&fixture.storage, &stored);
    fixture.reopen();
    let memory = fixture.memories().remove(0);
    assert_eq!(memory.feedback, Some(Feedback::Positive));
    assert_eq!(memory.feedback_reason.as_deref(), Some("It is so"));
    let exported = |purpose| match fixture.apply(Operation::Exported { id: None, purpose }) {
        Reply::Export(export) => *export,
        other => panic!("{other:?}"),
    };
    assert_eq!(exported(Purpose::Export).result, json!({"city": "Oslo"}));
    fixture
        .script
        .then(Answer::Text(r#"{"home": "Oslo"}"#.into()));
    fixture.later(60_000);
    fixture.run_due();
    let profile = exported(Purpose::Profile);
    assert_eq!(profile.status, EventStatus::Succeeded);
    assert_eq!(profile.result, json!({"home": "Oslo"}));
    assert!(fixture.space.untold_since().is_some());
    let told = notices(&fixture).notices;
    assert!(told.iter().any(|notice| matches!(
        &notice.what,
        Happened::Memory { kind: ChangeKind::Add, text, .. } if text == "User lives in Oslo"
    )));
}

#[test]
fn what_is_written_of_feedback_exports_and_notices_today_is_version_1() {
    let stored = dump(&judged().storage);
    for table in ["memories", "exports", "outbox", "jobs"] {
        assert!(!stored[table].is_empty(), "the sample has no {table}");
    }
    assert!(are_version_1(&stored));
    keep_sample("v1-owner.json", &stored);
}

#[test]
fn what_is_written_of_waiting_files_today_is_version_1() {
    let fixture = Fixture::new();
    let placeholder = "[pdf: application/pdf, 1 KB]";
    let sources = [
        FileSource::Base64("JVBERi0xLjcKJQ==".into()),
        FileSource::Url("https://example.com/x.pdf".into()),
    ];
    let attachments = sources.map(|source| Attachment {
        message: 0,
        file: File {
            kind: FileKind::Pdf,
            source,
            placeholder: placeholder.into(),
        },
    });
    fixture.accept(edgemem::operation::Add {
        attachments: attachments.into(),
        ..fixture.add_of(placeholder)
    });
    let stored = dump(&fixture.storage);
    assert!(are_version_1(&stored));
    keep_sample("v1-files.json", &stored);
}

#[test]
fn waiting_files_of_version_1_are_read() {
    let mut fixture = Fixture::new();
    let stored = serde_json::from_str(include_str!("formats/v1-files.json")).unwrap();
    restore(&fixture.storage, &stored);
    fixture.reopen();
    fixture.script.then(Answer::Text("An invoice.".into()));
    fixture.script.then(facts(&["User got an invoice"]));
    fixture.run_due();
    assert_eq!(fixture.texts(), ["User got an invoice"]);
    assert_eq!(fixture.transcript(), ["[pdf: An invoice.]"]);
}

/// A memory in the shape that its add asked for, and an add that waits with a shape.
fn shaped() -> Fixture {
    let fixture = Fixture::new();
    let add = |text| edgemem::operation::Add {
        structured_data_schema: Some(json!({"properties": {"city": {"type": "string"}}})),
        ..fixture.add_of(text)
    };
    fixture.script.then(Answer::Text(
        r#"{"facts": [{"text": "User lives in Oslo", "structured_data": "{\"city\": \"Oslo\"}"}]}"#
            .into(),
    ));
    fixture.add(add("I live in Oslo."));
    fixture.accept(add("I work in Bergen."));
    fixture
}

#[test]
fn what_is_written_of_structured_data_today_is_version_1() {
    let stored = dump(&shaped().storage);
    assert!(are_version_1(&stored));
    keep_sample("v1-structured.json", &stored);
}

#[test]
fn structured_data_of_version_1_is_read() {
    let mut fixture = Fixture::new();
    let stored = serde_json::from_str(include_str!("formats/v1-structured.json")).unwrap();
    restore(&fixture.storage, &stored);
    fixture.reopen();
    fixture.script.then(Answer::Text(
        r#"{"facts": [{"text": "User works in Bergen", "structured_data": "{\"city\": \"Bergen\"}"}]}"#.into(),
    ));
    fixture
        .script
        .then(Answer::Calls(vec![("add_memory", r#"{"fact": 1}"#.into())]));
    fixture.run_due();
    let memories = fixture.memories();
    let mut cities: Vec<&Value> = memories
        .iter()
        .map(|memory| &memory.latest().unwrap().structured_data["city"])
        .collect();
    cities.sort_by_key(|city| city.to_string());
    assert_eq!(cities, ["Bergen", "Oslo"]);
}

fn ask(directory: &Directory<MemoryStorage>, ask: Ask) -> Told {
    let at = Moment::from_millis(1_767_225_600_000);
    block_on(directory.apply(
        ask,
        Now {
            at,
            random: [7; 32],
        },
    ))
    .unwrap()
}

fn fields(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn what_a_directory_writes_today_is_version_1() {
    let fixture = judged();
    let directory = Directory::new(MemoryStorage::new(), false);
    let url = "https://example.com/hook";
    let hook = json!({"name": "n", "url": url, "event_types": ["memory_add"]});
    for asked in [
        Ask::AddWebhook {
            fields: fields(hook),
        },
        Ask::SetProject {
            fields: fields(json!({"custom_instructions": "Only food."})),
        },
        Ask::PutMember {
            email: "bob@example.com".into(),
            role: "READER".into(),
            new: true,
        },
        Ask::Declare {
            kind: OwnerKind::Agent,
            id: "tutor".into(),
            metadata: json!({"plan": "pro"}),
        },
        Ask::Keep {
            key: "profiles".into(),
            value: json!({"enabled": true}),
        },
        Ask::Report {
            space: fixture.scope().owner().unwrap().space_hash(),
            report: Box::new(notices(&fixture)),
        },
    ] {
        ask(&directory, asked);
    }
    let stored = dump(directory.storage());
    assert!(!stored["directory"].is_empty() && are_version_1(&stored));
    keep_sample("v1-directory.json", &stored);
}

#[test]
fn a_directory_of_version_1_is_read() {
    let storage = MemoryStorage::new();
    let stored = serde_json::from_str(include_str!("formats/v1-directory.json")).unwrap();
    restore(&storage, &stored);
    let directory = Directory::new(storage, false);
    let (page, page_size) = (1, 10);
    let Told::Entities(entities) = ask(&directory, Ask::Entities { page, page_size }) else {
        panic!()
    };
    let entities = entities.items.iter();
    let entities: Vec<_> = entities.map(|it| (it.id.as_str(), it.memories)).collect();
    assert_eq!(entities, [("alice", 1), ("tutor", 0)]);
    let Told::Due { deliveries, .. } = ask(&directory, Ask::Due { limit: 10 }) else {
        panic!()
    };
    let [delivery] = deliveries.as_slice() else {
        panic!("{deliveries:?}")
    };
    assert_eq!(delivery.url, "https://example.com/hook");
    assert!(delivery.body.to_string().contains("User lives in Oslo"));
    let Told::Settings(settings) = ask(&directory, Ask::Settings) else {
        panic!()
    };
    assert_eq!(settings.instructions.as_deref(), Some("Only food."));
    let Told::Members(members) = ask(&directory, Ask::Members) else {
        panic!()
    };
    assert_eq!(members, [("bob@example.com".into(), "READER".into())]);
    let Told::Events(events) = ask(&directory, Ask::Events { page, page_size }) else {
        panic!()
    };
    assert_eq!(events.total, 1);
    let kept = ask(
        &directory,
        Ask::Kept {
            key: "profiles".into(),
        },
    );
    assert_eq!(kept, Told::Value(json!({"enabled": true})));
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
        files: None,
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

fn is_open_to(directory: &Directory<MemoryStorage>, secret: &str) -> bool {
    let sha256 = key_hash(secret);
    let found = ask(directory, Ask::CheckKey { sha256 });
    matches!(found, Told::Keys(keys) if keys.first().is_some_and(|key| key.role == KeyRole::Write))
}

#[test]
fn what_is_written_of_keys_and_of_costs_today_is_version_1() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User lives in Oslo"]));
    fixture.say("I live in Oslo");
    let directory = Directory::new(MemoryStorage::new(), false);
    let made = ask(
        &directory,
        Ask::MakeKey {
            project: "p".into(),
            name: "Bot".into(),
            role: KeyRole::Write,
            expires_at: Some(Moment::from_seconds(2_000_000_000)),
        },
    );
    let Told::KeyMade { secret, .. } = made else {
        panic!("{made:?}")
    };
    assert!(is_open_to(&directory, &secret));
    ask(&directory, Ask::TokenSecret);
    let mut stored = dump(directory.storage());
    stored.insert("space".into(), dump(&fixture.storage)["space"].clone());
    assert!(are_version_1(&stored) && stored["space"].contains_key("usage"));
    keep_sample("v1-keys.json", &stored);
}

#[test]
fn keys_and_costs_of_version_1_are_read() {
    let mut fixture = Fixture::new();
    let stored = serde_json::from_str(include_str!("formats/v1-keys.json")).unwrap();
    restore(&fixture.storage, &stored);
    fixture.reopen();
    let Reply::Stats(stats) = fixture.apply(Operation::Stats { digest: false }) else {
        panic!()
    };
    assert_eq!(stats.spent.unwrap().today.calls, 1);
    let storage = MemoryStorage::new();
    restore(&storage, &stored);
    let directory = Directory::new(storage, false);
    assert!(is_open_to(&directory, &format!("em_p_{}", "07".repeat(32))));
    let Told::Secret(secret) = ask(&directory, Ask::TokenSecret) else {
        panic!()
    };
    assert_eq!(secret, "07".repeat(32));
}
