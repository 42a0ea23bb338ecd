//! Answers.

use serde_json::{Map, Value, json};

use super::super::*;
use super::{ask, at, id};
use crate::memory::{
    Change, ChangeKind, EventStatus, Kind, Memory, Message, Scope, Speaker, Usage, Version,
};
use crate::operation::{
    ChannelScore, Event, HistoryLine, Hit, Outcome, Receipt, Spent, Stats, Triple,
};

pub(super) fn memory() -> Memory {
    Memory {
        id: id(3),
        kind: Kind::Fact,
        transcript: false,
        scope: Scope {
            run_id: Some("r1".into()),
            ..Scope::user("alice")
        },
        versions: vec![Version {
            text: "User lives in San Francisco".into(),
            known_from: at(0),
            known_to: None,
            valid_from: Some(at(-86_400)),
            valid_to: None,
            from_precision: None,
            to_precision: None,
            sources: vec![id(2)],
            structured_data: Map::new(),
        }],
        role: None,
        name: None,
        attributed_to: Some(Speaker::User),
        standing: false,
        applies_when: None,
        categories: vec!["personal_details".into()],
        entities: Vec::new(),
        names: Vec::new(),
        metadata: Map::from_iter([("fooBar".to_owned(), json!(1))]),
        expires_at: Some("2030-01-02".parse().unwrap()),
        immutable: false,
        undecided: false,
        feedback: None,
        feedback_reason: None,
        created_at: at(0),
        updated_at: at(1),
    }
}

fn event(status: EventStatus) -> Event {
    Event {
        id: id(1),
        status,
        created_at: at(0),
        updated_at: at(2),
        scope: Scope::user("alice"),
        attempts: 1,
        error: None,
        retry_at: None,
        outcomes: Vec::new(),
        relations: Vec::new(),
        note: None,
    }
}

fn finished() -> Event {
    let outcome = |sequence, kind, text: &str, old: Option<&str>| Outcome {
        id: id(sequence),
        kind,
        text: text.to_owned(),
        old_text: old.map(str::to_owned),
    };
    Event {
        outcomes: vec![
            outcome(4, ChangeKind::Add, "User is allergic to peanuts", None),
            outcome(
                3,
                ChangeKind::Update,
                "User lives in San Francisco",
                Some("User lives in New York"),
            ),
            outcome(5, ChangeKind::Delete, "User is a vegetarian", None),
            outcome(6, ChangeKind::None, "User prefers window seats", None),
        ],
        relations: vec![Triple {
            source: "alice".into(),
            relationship: "allergic_to".into(),
            target: "peanuts".into(),
        }],
        ..event(EventStatus::Succeeded)
    }
}

fn failing(status: EventStatus) -> Event {
    Event {
        error: Some(Problem::new(
            503,
            "model_unavailable",
            "the model answered 503",
        )),
        retry_at: (status == EventStatus::Pending).then(|| at(60)),
        note: Some("facts are extracted later".into()),
        ..event(status)
    }
}

pub(super) fn written(shape: Shape, reply: Reply) -> Value {
    serde_json::from_slice(&write(&shape, &reply).unwrap()).unwrap()
}

fn added(event: Event) -> Value {
    written(
        Shape::Added { unread_parts: 0 },
        Reply::Event(Box::new(event)),
    )
}

#[test]
fn an_add_that_is_not_waited_for() {
    insta::assert_json_snapshot!("add_accepted", added(event(EventStatus::Pending)));
    assert_eq!(added(event(EventStatus::Running))["status"], "PENDING");
}

#[test]
fn an_add_that_is_done() {
    insta::assert_json_snapshot!("add_finished", added(finished()));
}

#[test]
fn an_add_whose_model_failed_says_that_nothing_is_lost() {
    insta::assert_json_snapshot!("add_to_be_retried", added(failing(EventStatus::Pending)));
    insta::assert_json_snapshot!("add_given_up", added(failing(EventStatus::Failed)));
}

#[test]
fn images_that_were_not_read_are_noted() {
    let body = written(
        Shape::Added { unread_parts: 2 },
        Reply::Event(Box::new(event(EventStatus::Pending))),
    );
    assert!(body["note"].as_str().unwrap().starts_with("2 part(s)"));
}

#[test]
fn events() {
    let shown = |event| written(Shape::Event, Reply::Event(Box::new(event)));
    insta::assert_json_snapshot!("event_succeeded", shown(finished()));
    insta::assert_json_snapshot!("event_to_be_retried", shown(failing(EventStatus::Pending)));
}

#[test]
fn one_memory() {
    let shown = written(Shape::Memory, Reply::Memory(Box::new(memory())));
    insta::assert_json_snapshot!("memory", shown);
    let mut retired = memory();
    retired.versions[0].known_to = Some(at(5));
    let shown = written(Shape::Memory, Reply::Memory(Box::new(retired)));
    assert_eq!(shown["lifecycle_state"], "retired");
}

#[test]
fn hits() {
    let hit = Hit {
        memory: memory(),
        rerank_score: None,
        score: 0.1,
        receipt: Receipt {
            channels: vec![
                ChannelScore {
                    channel: "vector".into(),
                    rank: 1,
                    raw: 0.61,
                    score: 0.7,
                },
                ChannelScore {
                    channel: "keyword".into(),
                    rank: 2,
                    raw: 7.25,
                    score: 0.4,
                },
            ],
            sources: vec![id(2)],
            path: Vec::new(),
        },
        contradicts: Vec::new(),
    };
    let shown = |fields: &[&str], explain| {
        let cut = shapes::Cut(fields.iter().map(|field| (*field).to_owned()).collect());
        written(Shape::Hits { cut, explain }, Reply::Hits(vec![hit.clone()]))
    };
    insta::assert_json_snapshot!("hits", shown(&[], false));
    insta::assert_json_snapshot!("receipt", shown(&["receipt"], true));
    assert_eq!(
        shown(&["memory", "score", "no_such_field"], false),
        json!({"results": [{"memory": "User lives in San Francisco", "score": 0.1}]})
    );
}

#[test]
fn pages_link_to_their_neighbours() {
    let shown = |page: usize| {
        let address = format!("https://m.example/v3/memories/?page={page}&page_size=2");
        let read = ask(
            "POST",
            &address,
            json!({"filters": {"user_id": "alice"}, "fields": ["id"]}),
        )
        .unwrap();
        let reply = Reply::Page {
            total: 5,
            memories: vec![memory()],
        };
        written(read.shape, reply)
    };
    insta::assert_json_snapshot!("page", shown(2));
    assert_eq!(shown(1)["previous"], Value::Null);
    assert_eq!(shown(3)["next"], Value::Null);
}

#[test]
fn history() {
    let line = |sequence, kind, old: Option<&str>, new: Option<&str>| HistoryLine {
        change: Change {
            id: id(sequence),
            memory_id: id(3),
            kind,
            old_text: old.map(str::to_owned),
            new_text: new.map(str::to_owned),
            at: at(i64::from(sequence)),
            sources: vec![id(2)],
        },
        input: vec![Message {
            name: Some("Alice".into()),
            ..Message::user("I moved to San Francisco")
        }],
        scope: Scope::user("alice"),
        categories: vec!["personal_details".into()],
        metadata: Map::new(),
        structured_data: Map::new(),
    };
    let lines = vec![
        line(10, ChangeKind::Add, None, Some("User lives in New York")),
        line(
            11,
            ChangeKind::Update,
            Some("User lives in New York"),
            Some("User lives in San Francisco"),
        ),
    ];
    insta::assert_json_snapshot!("history", written(Shape::History, Reply::History(lines)));
}

#[test]
fn counts() {
    let stats = Stats {
        memories: 4,
        transcript: 9,
        entities: 2,
        relations: 3,
        jobs: 1,
        vectors: "resident".into(),
        spent: Some(Spent {
            today: Usage {
                day: "2026-11-26".into(),
                calls: 3,
                input_tokens: 2_400,
                output_tokens: 310,
                estimated: 0,
            },
            earlier: Vec::new(),
            daily_calls: None,
            daily_tokens: Some(100_000),
        }),
        ..Stats::default()
    };
    insta::assert_json_snapshot!(
        "stats",
        written(Shape::Stats, Reply::Stats(Box::new(stats)))
    );
}

#[test]
fn deletions_answer_in_json() {
    let deleted = Reply::Deleted { count: 1 };
    assert_eq!(
        written(Shape::Deleted, deleted.clone()),
        json!({"message": "Memory deleted successfully!"})
    );
    assert_eq!(
        written(Shape::DeletedAll, deleted),
        json!({"message": "Memories deleted successfully!", "count": 1})
    );
}

#[test]
fn every_object_names_its_run_both_ways() {
    let memory_body = written(Shape::Memory, Reply::Memory(Box::new(memory())));
    assert_eq!(
        (&memory_body["run_id"], &memory_body["session_id"]),
        (&json!("r1"), &json!("r1"))
    );
    assert_eq!(memory_body["agent_id"], Value::Null);
}
