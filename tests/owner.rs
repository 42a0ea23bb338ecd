//! What an owner does with what is remembered: judges it, exports it, lets it expire, deletes it with what hangs on it;
//! and what a space tells a directory of all that.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, Fixture, facts};
use edgemem::memory::{ChangeKind, Filter, Id, Moment, ProjectSettings, Scope};
use edgemem::model::{ModelError, Output, Turn};
use edgemem::operation::{
    Add, Event, EventStatus, Export, Exported, Feedback, Happened, Judgement, List, Operation,
    Purpose, Reply, Report, Search,
};
use edgemem::space::Settings;
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;

fn judge(fixture: &Fixture, memory: Id, feedback: Option<Feedback>) {
    fixture.apply(Operation::Feedback(Judgement {
        memory,
        feedback,
        reason: None,
    }));
}

fn open_contradictions(fixture: &Fixture) -> usize {
    match fixture.apply(Operation::Contradictions { resolved: false }) {
        Reply::Contradictions(all) => all.len(),
        other => panic!("{other:?}"),
    }
}

/// Two facts of which the model says that they contradict each other.
fn contradicting() -> (Fixture, Id, Id) {
    let fixture = Fixture::new();
    let lives = |city: &str| {
        Answer::Text(
            json!({"facts": [{
                "text": format!("Anna lives in {city}"),
                "entities": [{"name": "Anna", "type": "person"}, {"name": city, "type": "place"}],
                "relations": [{"subject": "Anna", "predicate": "lives_in", "object": city}],
            }]})
            .to_string(),
        )
    };
    fixture.script.then(lives("Oslo"));
    let first = fixture.say("Anna lives in Oslo.").outcomes[0].id;
    fixture.later(1_000);
    fixture.script.then(lives("Graz"));
    fixture.script.then(Answer::Calls(vec![(
        "add_memory",
        r#"{"fact": 1, "contradicts": {memory:Oslo}}"#.into(),
    )]));
    let second = fixture.say("Anna lives in Graz.").outcomes[0].id;
    assert_eq!(open_contradictions(&fixture), 1);
    (fixture, first, second)
}

#[test]
fn feedback_resolves_a_contradiction_either_way() {
    let (fixture, first, _) = contradicting();
    judge(&fixture, first, Some(Feedback::Positive));
    assert_eq!(open_contradictions(&fixture), 0);
    assert_eq!(fixture.texts(), ["Anna lives in Oslo"]);

    let (fixture, first, _) = contradicting();
    judge(&fixture, first, Some(Feedback::VeryNegative));
    assert_eq!(open_contradictions(&fixture), 0);
    assert_eq!(fixture.texts(), ["Anna lives in Graz"]);
}

#[test]
fn feedback_lasts_and_can_be_taken_back() {
    let mut fixture = Fixture::without_model();
    let one = fixture.say("The garage code is 1234").outcomes[0].id;
    let two = fixture.say("The garage code is 1234, says Tom").outcomes[0].id;
    let order = |fixture: &Fixture| -> Vec<Id> {
        let hits = fixture.search("garage code");
        hits.iter().map(|hit| hit.memory.id).collect()
    };
    let before = order(&fixture);
    assert_eq!(before.len(), 2);
    judge(&fixture, before[0], Some(Feedback::Negative));
    let after: Vec<Id> = before.iter().rev().copied().collect();
    assert_eq!(order(&fixture), after);
    fixture.reopen();
    assert_eq!(order(&fixture), after);
    judge(&fixture, before[0], None);
    assert_eq!(order(&fixture), before);
    assert!(before.contains(&one) && before.contains(&two));
}

#[test]
fn the_latest_of_a_contradiction_is_enough_for_who_asks_for_it() {
    let (fixture, _, second) = contradicting();
    let ask = |latest_only| {
        let search = Search {
            query: "Where does Anna live?".into(),
            latest_only,
            ..Search::default()
        };
        match fixture.apply(Operation::Search(search)) {
            Reply::Hits(hits) => hits.iter().map(|hit| hit.memory.id).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask(false).len(), 2);
    assert_eq!(ask(true), [second]);
}

#[test]
fn what_expired_is_hidden_then_erased_when_its_time_is_over() {
    let mut fixture = Fixture::with_settings(Settings {
        purge_after: 2 * DAY,
        ..Settings::default()
    });
    let now = Moment::from_millis(fixture.clock.get());
    fixture.add(Add {
        expires_at: Some(now.plus_millis(DAY)),
        ..fixture.add_of("The code of today is 77")
    });
    fixture.say("I play the cello");
    let all = |fixture: &Fixture, show_expired| {
        let list = List {
            show_expired,
            ..List::default()
        };
        match fixture.apply(Operation::List(list)) {
            Reply::Page { total, .. } => total,
            other => panic!("{other:?}"),
        }
    };
    fixture.reopen();
    assert_eq!(all(&fixture, false), 2);
    assert_eq!(fixture.space.next_due(), Some(now.plus_millis(3 * DAY)));
    fixture.later(2 * DAY);
    fixture.run_due();
    assert_eq!((all(&fixture, false), all(&fixture, true)), (1, 2));
    fixture.later(DAY);
    fixture.run_due();
    assert_eq!(all(&fixture, true), 1);
    assert_eq!(fixture.space.next_due(), None);
    assert_eq!(fixture.texts(), ["I play the cello"]);
}

#[test]
fn a_linked_deletion_takes_what_came_from_the_same_messages() {
    let fixture = Fixture::new();
    fixture
        .script
        .then(facts(&["User lives in Oslo", "User works as a baker"]));
    let event = fixture.say("I live in Oslo and work as a baker.");
    fixture.script.then(facts(&["User owns a boat"]));
    fixture
        .script
        .then(Answer::Calls(vec![("add_memory", r#"{"fact": 1}"#.into())]));
    fixture.say("I own a boat.");
    let Reply::Deleted { count } = fixture.apply(Operation::DeleteLinked {
        id: event.outcomes[0].id,
    }) else {
        panic!()
    };
    assert_eq!(count, 2);
    assert_eq!(fixture.texts(), ["User owns a boat"]);
}

fn export(fixture: &Fixture, schema: Value) -> Exported {
    let asked = Export {
        purpose: Purpose::Export,
        schema,
        instructions: Some("Be brief.".into()),
        filter: Filter::all(),
    };
    match fixture.apply(Operation::Export(Box::new(asked))) {
        Reply::Export(export) => *export,
        other => panic!("{other:?}"),
    }
}

fn exported(fixture: &Fixture, id: Option<Id>) -> Exported {
    let purpose = Purpose::Export;
    match fixture.apply(Operation::Exported { id, purpose }) {
        Reply::Export(export) => *export,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_export_is_filled_by_the_model() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User lives in Oslo"]));
    fixture.say("I live in Oslo.");
    let asked = export(
        &fixture,
        json!({"type": "object", "properties": {"city": {"type": "string"}}}),
    );
    assert_eq!(asked.status, EventStatus::Pending);
    fixture
        .script
        .then(Answer::Text("```json\n{\"city\": \"Oslo\"}\n```".into()));
    let made = exported(&fixture, Some(asked.id));
    assert_eq!(made.status, EventStatus::Succeeded);
    assert_eq!((made.result, made.memories), (json!({"city": "Oslo"}), 1));
    let asked = fixture.script.asked.borrow();
    let request = asked.last().unwrap();
    let Turn::User(prompt) = &request.turns[0] else {
        panic!()
    };
    assert!(prompt.contains("User lives in Oslo") && prompt.contains("Be brief."));
    assert_eq!(request.output, Output::Text);
}

#[test]
fn an_export_whose_model_fails_is_tried_again() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User lives in Oslo"]));
    fixture.say("I live in Oslo.");
    let asked = export(&fixture, json!({"type": "object"}));
    fixture.script.then(Answer::Error(ModelError::Unreadable {
        model: "m".into(),
        reason: "r".into(),
    }));
    let failed = exported(&fixture, Some(asked.id));
    assert_eq!(failed.status, EventStatus::Pending);
    assert!(failed.error.is_some());
    fixture.later(60_000);
    fixture.script.then(Answer::Text("{\"a\": 1}".into()));
    fixture.run_due();
    assert_eq!(exported(&fixture, None).result, json!({"a": 1}));
}

#[test]
fn without_a_model_an_export_is_filled_by_rules() {
    let fixture = Fixture::without_model();
    fixture.add(Add {
        metadata: json!({"age": "41"}).as_object().cloned().unwrap(),
        ..fixture.add_of("My favorite color is green")
    });
    let asked = export(
        &fixture,
        json!({"type": "object", "properties": {
            "age": {"type": "integer"},
            "favorite_color": {"type": "string"},
            "favoriteColors": {"type": "array"},
            "shoe_size": {"type": ["null", "number"]},
            "newsletter": {"type": "boolean", "default": false},
        }}),
    );
    assert_eq!(
        exported(&fixture, Some(asked.id)).result,
        json!({
            "age": 41,
            "favorite_color": "My favorite color is green",
            "favoriteColors": [],
            "shoe_size": null,
            "newsletter": false,
        })
    );
}

#[test]
fn an_erase_takes_exports_with_it() {
    let fixture = Fixture::without_model();
    let id = fixture.say("My locker code is 4711").outcomes[0].id;
    let asked = export(&fixture, json!({"type": "object"}));
    assert!(
        exported(&fixture, Some(asked.id))
            .result
            .to_string()
            .contains("4711")
    );
    fixture.apply(Operation::Delete { id });
    let purpose = Purpose::Export;
    let gone = fixture.try_apply(Operation::Exported { id: None, purpose });
    assert_eq!(gone.unwrap_err().problem().status, 404);
}

fn notices(fixture: &Fixture) -> Report {
    match fixture.apply(Operation::Notices { limit: 100 }) {
        Reply::Notices(report) => *report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_space_keeps_what_happened_until_it_is_told() {
    let mut fixture = Fixture::with_settings(Settings {
        notices: true,
        ..Settings::default()
    });
    let event: Event = fixture.add(Add {
        scope: Scope {
            agent_id: Some("a".into()),
            ..fixture.scope()
        },
        ..fixture.add_of("My locker code is 4711")
    });
    let id = event.outcomes[0].id;
    assert!(fixture.space.untold_since().is_some());
    let report = notices(&fixture);
    assert_eq!(report.memories, 1);
    let named: Vec<_> = report
        .named
        .iter()
        .map(|it| (it.id.as_str(), it.memories))
        .collect();
    assert_eq!(named, [("alice", 1), ("a", 1)]);
    let told = |report: &Report| -> Vec<(Option<ChangeKind>, String)> {
        let notices = report.notices.iter().map(|notice| match &notice.what {
            Happened::Memory { kind, text, .. } => (Some(*kind), text.clone()),
            Happened::Event { .. } => (None, String::new()),
        });
        notices.collect()
    };
    assert_eq!(
        told(&report),
        [
            (None, String::new()),
            (Some(ChangeKind::Add), "My locker code is 4711".into()),
        ]
    );
    // Nothing is lost before it has arrived, not even by a restart.
    fixture.reopen();
    assert!(fixture.space.untold_since().is_some());
    assert_eq!(told(&notices(&fixture)), told(&report));
    let upto = report.notices.last().map(|notice| notice.id);
    fixture.apply(Operation::Noticed { upto });
    assert_eq!(fixture.space.untold_since(), None);
    fixture.apply(Operation::Delete { id });
    let report = notices(&fixture);
    assert_eq!(told(&report), [(Some(ChangeKind::Delete), String::new())]);
    assert!(report.named.is_empty());
}

#[test]
fn an_erase_also_takes_the_words_that_were_not_told_yet() {
    let fixture = Fixture::with_settings(Settings {
        notices: true,
        ..Settings::default()
    });
    let id = fixture.say("My locker code is 4711").outcomes[0].id;
    fixture.apply(Operation::Delete { id });
    let report = format!("{:?}", notices(&fixture));
    assert!(!report.contains("4711"), "{report}");
}

#[test]
fn what_a_project_asks_of_extraction_holds_where_an_add_says_nothing() {
    let fixture = Fixture::new();
    fixture.space.set_project(ProjectSettings {
        instructions: Some("Only what is about tea.".into()),
        ..ProjectSettings::default()
    });
    let prompt = |fixture: &Fixture| {
        let asked = fixture.script.asked.borrow();
        format!("{:?}", asked.last().unwrap().turns)
    };
    fixture.script.then(facts(&[]));
    fixture.say("I drink oolong.");
    assert!(prompt(&fixture).contains("Only what is about tea."));
    fixture.script.then(facts(&[]));
    fixture.add(Add {
        instructions: Some("Only what is about music.".into()),
        ..fixture.add_of("I play the cello.")
    });
    assert!(prompt(&fixture).contains("about music") && !prompt(&fixture).contains("about tea"));
}
