//! Whatever a model replies, no message is lost, nor a fact that can be read.
#![allow(missing_docs)]

mod common;

use common::{Answer, Fixture, facts, is_done};
use edgemem::memory::ChangeKind;
use edgemem::model::ModelError;
use edgemem::operation::EventStatus;

const SAID: &str = "I'm allergic to peanuts and I love tea.";
const BOTH: [&str; 2] = ["User is allergic to peanuts", "User loves tea"];

/// Replies to the extraction from which both facts can be read.
fn readable() -> Vec<(&'static str, String)> {
    let json =
        r#"{"facts": [{"text": "User is allergic to peanuts"}, {"text": "User loves tea"}]}"#;
    let prose = "Let me see {what} we have [here]. ".repeat(900);
    vec![
        ("plain", json.to_owned()),
        ("code fence", format!("```json\n{json}\n```")),
        ("think block", format!("<think>The user {{likes}} tea?</think>\n{json}")),
        ("prose around", format!("Here are the facts:\n{json}\nHope that helps!")),
        (
            "trailing commas",
            r#"{"facts": [{"text": "User is allergic to peanuts",}, {"text": "User loves tea",},],}"#.into(),
        ),
        (
            "single quotes",
            "{'facts': [{'text': 'User is allergic to peanuts'}, {'text': 'User loves tea', 'standing': False}]}".into(),
        ),
        ("a bare list", r#"[{"text": "User is allergic to peanuts"}, {"text": "User loves tea"}]"#.into()),
        ("a list of texts", r#"{"facts": ["User is allergic to peanuts", "User loves tea"]}"#.into()),
        (
            "wrong types",
            r#"{"facts": [{"text": "User is allergic to peanuts", "category": ["health", 3], "standing": "no",
                "sources": "1", "entities": "peanuts", "relations": {"subject": "user", "predicate": "allergic to",
                "object": "peanuts"}, "valid_from": 2026}, {"text": "User loves tea", "sources": [99, -1, "x"],
                "attributed_to": 7, "entities": [null, {"name": 4}], "relations": [["user", "likes", "tea"], {}]}]}"#.into(),
        ),
        (
            "another name",
            r#"{"memory": [{"id": "0", "fact": "User is allergic to peanuts"}, {"id": "1", "memory": "User loves tea"}]}"#.into(),
        ),
        (
            "two objects",
            r#"{"facts": [{"text": "User is allergic to peanuts"}]} {"facts": [{"text": "User loves tea"}]}"#.into(),
        ),
        ("30 KB of prose", format!("{prose}{json}{prose}")),
    ]
}

#[test]
fn facts_are_read_from_every_kind_of_reply() {
    for (name, reply) in readable() {
        let fixture = Fixture::new();
        fixture.script.then(Answer::Text(reply));
        let event = fixture.say(SAID);
        assert!(is_done(&event), "{name}: {event:?}");
        assert_eq!(fixture.texts(), BOTH, "{name}");
        assert_eq!(fixture.transcript(), [SAID], "{name}");
    }
}

#[test]
fn a_truncated_reply_gives_the_facts_before_the_cut_and_says_so() {
    let fixture = Fixture::new();
    fixture.script.then(Answer::Cut(
        r#"{"facts": [{"text": "User is allergic to peanuts"}, {"text": "User loves t"#.into(),
    ));
    let event = fixture.say(SAID);
    assert!(is_done(&event));
    assert!(event.note.unwrap().contains("cut off"));
    assert_eq!(fixture.texts(), ["User is allergic to peanuts"]);
    assert_eq!(fixture.transcript(), [SAID]);
}

#[test]
fn an_unreadable_reply_is_asked_for_once_more() {
    for reply in ["", "I could not find any facts, sorry!", "null", "{]"] {
        let fixture = Fixture::new();
        fixture.script.then(Answer::Text(reply.into()));
        fixture.script.then(facts(&BOTH));
        assert!(is_done(&fixture.say(SAID)), "{reply}");
        assert_eq!(fixture.texts(), BOTH, "{reply}");
        assert_eq!(fixture.script.calls(), 2, "{reply}");
    }
}

#[test]
fn a_model_that_fails_is_asked_again_later_and_nothing_is_lost() {
    let model = || "m".to_owned();
    let failures: Vec<fn() -> Vec<Answer>> = vec![
        || vec![Answer::Text(String::new()), Answer::Text(String::new())],
        || vec![Answer::Text("no".into()), Answer::Text("no".into())],
        || vec![Answer::Refusal],
    ];
    let errors = [
        ModelError::Timeout {
            model: model(),
            seconds: 60,
        },
        ModelError::Unreachable {
            model: model(),
            reason: "refused".into(),
        },
        ModelError::RateLimited {
            model: model(),
            retry_after_ms: None,
        },
        ModelError::Unavailable {
            model: model(),
            status: 500,
            reason: "x".into(),
        },
        ModelError::Rejected {
            model: model(),
            status: 401,
            reason: "bad key".into(),
        },
    ];
    let scripts = failures
        .iter()
        .map(|failure| failure())
        .chain(errors.into_iter().map(|error| vec![Answer::Error(error)]));
    for answers in scripts {
        let mut fixture = Fixture::new();
        for answer in answers {
            fixture.script.then(answer);
        }
        let event = fixture.say(SAID);
        assert_eq!(event.status, EventStatus::Pending, "{event:?}");
        let error = event.error.unwrap();
        assert!(error.code.starts_with("model_"), "{error:?}");
        assert!(event.retry_at.is_some());
        assert_eq!(fixture.transcript(), [SAID]);
        assert!(
            !fixture.search("peanuts").is_empty(),
            "the message is found meanwhile"
        );

        // Too early: nothing is asked. Later, even after a restart: done.
        fixture.run_due();
        fixture.reopen();
        fixture.later(10_000);
        fixture.script.then(facts(&BOTH));
        fixture.run_due();
        let event = fixture.event(event.id);
        assert!(is_done(&event), "{event:?}");
        assert_eq!((event.error, event.attempts), (None, 2));
        assert_eq!(fixture.texts(), BOTH);
    }
}

#[test]
fn a_model_that_never_answers_leaves_the_messages_as_memories() {
    let fixture = Fixture::new();
    fixture.script.then(Answer::Refusal);
    let mut event = fixture.say(SAID);
    while event.status == EventStatus::Pending {
        fixture.later(7 * 3_600_000);
        fixture.script.then(Answer::Refusal);
        fixture.run_due();
        event = fixture.event(event.id);
    }
    assert_eq!(event.status, EventStatus::Failed);
    assert_eq!(event.error.unwrap().code, "model_refused");
    assert_eq!(fixture.texts(), [SAID]);
}

/// A space that knows one thing, and an add whose fact is near to it.
fn near(decision: Vec<Answer>) -> (Fixture, edgemem::operation::Event) {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User lives in New York"]));
    fixture.say("I live in New York.");
    fixture
        .script
        .then(facts(&["User lives in San Francisco now"]));
    for answer in decision {
        fixture.script.then(answer);
    }
    let event = fixture.say("I moved to San Francisco.");
    (fixture, event)
}

#[test]
fn decisions_written_as_text_are_obeyed() {
    let text = r#"{"calls": [{"name": "update_memory",
        "arguments": {"fact": 1, "memory": "1", "text": "User lives in San Francisco"}}]}"#;
    let (fixture, event) = near(vec![Answer::Text(text.into())]);
    assert_eq!(event.outcomes[0].kind, ChangeKind::Update);
    assert_eq!(
        event.outcomes[0].old_text.as_deref(),
        Some("User lives in New York")
    );
    assert_eq!(fixture.texts(), ["User lives in San Francisco"]);
}

#[test]
fn an_invented_label_cannot_be_obeyed() {
    for arguments in [
        r#"{"fact": 1, "memory": 7, "text": "gone"}"#,
        r#"{"fact": 9, "memory": 1, "text": "gone"}"#,
        r#"{"fact": 1, "memory": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "text": "gone"}"#,
    ] {
        let call = || Answer::Calls(vec![("update_memory", arguments.to_owned())]);
        let (fixture, event) = near(vec![call(), call()]);
        assert!(is_done(&event), "{arguments}");
        assert_eq!(
            fixture.texts(),
            ["User lives in New York", "User lives in San Francisco now"],
            "{arguments}"
        );
        assert!(
            fixture.memories().iter().any(|memory| memory.undecided),
            "{arguments}"
        );
    }
}

#[test]
fn a_decision_that_cannot_be_read_adds_the_fact_and_flags_it() {
    let prose = || Answer::Text("I would rather not say. ".repeat(1300));
    let (fixture, event) = near(vec![prose(), prose()]);
    assert!(is_done(&event));
    assert_eq!(fixture.texts().len(), 2);
    let flags: Vec<bool> = fixture
        .memories()
        .iter()
        .map(|memory| memory.undecided)
        .collect();
    assert_eq!(flags.iter().filter(|flag| **flag).count(), 1);
}

#[test]
fn a_delete_does_not_lose_the_fact_that_caused_it() {
    let (fixture, event) = near(vec![Answer::Calls(vec![(
        "delete_memory",
        r#"{"fact": {fact:San Francisco}, "memory": {memory:New York}}"#.into(),
    )])]);
    let kinds: Vec<ChangeKind> = event.outcomes.iter().map(|outcome| outcome.kind).collect();
    assert_eq!(kinds, [ChangeKind::Delete, ChangeKind::Add]);
    assert_eq!(fixture.texts(), ["User lives in San Francisco now"]);
}

#[test]
fn when_only_the_decision_fails_the_extraction_is_not_asked_again() {
    let error = ModelError::Unavailable {
        model: "m".into(),
        status: 503,
        reason: "busy".into(),
    };
    let (fixture, event) = near(vec![Answer::Error(error)]);
    assert_eq!(event.status, EventStatus::Pending);
    let calls = fixture.script.calls();
    fixture.later(10_000);
    fixture.script.then(Answer::Calls(vec![(
        "update_memory",
        r#"{"fact": 1, "memory": 1, "text": "User lives in San Francisco"}"#.into(),
    )]));
    fixture.run_due();
    assert!(is_done(&fixture.event(event.id)));
    assert_eq!(fixture.script.calls(), calls + 1);
    assert_eq!(fixture.texts(), ["User lives in San Francisco"]);
}
