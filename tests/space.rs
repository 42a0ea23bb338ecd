//! What a space promises, with everything real but the model's replies.
#![allow(missing_docs)]

mod common;

use common::{Answer, Fixture, everything_stored, facts, is_done};
use edgemem::memory::{
    Category, ChangeKind, Filter, Id, Kind, Message, Moment, Object, Owner, OwnerKind, Role, Scope,
    Speaker,
};
use edgemem::model::Turn;
use edgemem::operation::{
    Add, EventStatus, Graph, List, Operation, Reply, Search, Transcript, Update,
};
use futures_executor::block_on;
use futures_util::join;
use serde_json::{Map, json};

fn extraction(facts: serde_json::Value) -> Answer {
    Answer::Text(json!({ "facts": facts }).to_string())
}

fn history(fixture: &Fixture, id: Id) -> Vec<(ChangeKind, Option<String>, Option<String>)> {
    match fixture.apply(Operation::History { id }) {
        Reply::History(lines) => lines
            .into_iter()
            .map(|line| (line.change.kind, line.change.old_text, line.change.new_text))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_accepted_add_survives_a_crash_and_completes_once() {
    let mut fixture = Fixture::new();
    let event = fixture.accept(fixture.add_of("I love hiking in the Alps."));
    assert_eq!(event.status, EventStatus::Pending);
    fixture.reopen();
    assert_eq!(fixture.transcript(), ["I love hiking in the Alps."]);
    fixture
        .script
        .then(facts(&["User loves hiking in the Alps"]));
    fixture.run_due();
    fixture.run_due();
    fixture.reopen();
    fixture.run_due();
    assert!(is_done(&fixture.event(event.id)));
    assert_eq!(fixture.texts(), ["User loves hiking in the Alps"]);
    assert_eq!(fixture.script.calls(), 1);
}

#[test]
fn the_same_fact_added_twice_at_the_same_moment_is_one_memory() {
    let fixture = Fixture::new();
    let first = fixture.accept(fixture.add_of("I love hiking."));
    let second = fixture.accept(fixture.add_of("Hiking is what I love."));
    fixture.script.then(facts(&["User loves hiking"]));
    fixture.script.then(facts(&["User loves hiking."]));
    let space = &fixture.space;
    block_on(async {
        let run = |id| space.apply(Operation::RunJobs { event: Some(id) });
        let (one, two) = join!(run(first.id), run(second.id));
        one.unwrap();
        two.unwrap();
    });
    assert_eq!(fixture.texts(), ["User loves hiking"]);
    let outcome = |id| fixture.event(id).outcomes[0].kind;
    assert_eq!(
        (outcome(first.id), outcome(second.id)),
        (ChangeKind::Add, ChangeKind::None)
    );
}

#[test]
fn what_is_near_to_nothing_known_needs_one_call_and_the_rest_two() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&[
        "User plays the cello",
        "User's dog is called Biscuit",
    ]));
    fixture.say("I play the cello. My dog is called Biscuit.");
    assert_eq!(fixture.script.calls(), 1);
    fixture.script.then(facts(&[
        "User's dog Biscuit is a beagle",
        "User plays the cello",
    ]));
    fixture.script.then(Answer::Calls(vec![(
        "update_memory",
        r#"{"fact": {fact:beagle}, "memory": {memory:Biscuit}, "text": "User's dog is a beagle called Biscuit"}"#.into(),
    )]));
    fixture.say("Biscuit is a beagle. I play the cello, you know.");
    assert_eq!(fixture.script.calls(), 3);
    assert_eq!(
        fixture.texts(),
        [
            "User plays the cello",
            "User's dog is a beagle called Biscuit"
        ]
    );
}

#[test]
fn an_update_keeps_the_id_the_history_and_moves_the_relations() {
    let fixture = Fixture::new();
    let fact = |city: &str, from: &str| {
        extraction(json!([{
            "text": format!("User lives in {city}"), "category": "personal_details",
            "attributed_to": "user", "valid_from": from, "valid_to": null, "standing": false,
            "entities": [{"name": city, "type": "place"}],
            "relations": [{"subject": "user", "predicate": "lives_in", "object": city}],
            "sources": [1],
        }]))
    };
    fixture.script.then(fact("New York", "2020"));
    let added = fixture.say("I have lived in New York since 2020.");
    fixture.script.then(fact("San Francisco", "2026-05"));
    fixture.script.then(Answer::Calls(vec![(
        "update_memory",
        r#"{"fact": 1, "memory": {memory:New York}, "text": "User lives in San Francisco"}"#.into(),
    )]));
    let updated = fixture.say("I moved to San Francisco in May 2026.");

    let id = added.outcomes[0].id;
    assert_eq!(updated.outcomes[0].id, id);
    assert_eq!(updated.relations[0].target, "San Francisco");
    assert_eq!(
        history(&fixture, id),
        [
            (ChangeKind::Add, None, Some("User lives in New York".into())),
            (
                ChangeKind::Update,
                Some("User lives in New York".into()),
                Some("User lives in San Francisco".into())
            ),
        ]
    );
    let Reply::Graph { relations, .. } = fixture.apply(Operation::Graph(Graph {
        past: true,
        ..Graph::default()
    })) else {
        panic!()
    };
    let span = |city: &str| {
        let of_city = |object: &Object| matches!(object, Object::Entity(id) if id.0 == city);
        let relation = relations
            .iter()
            .find(|relation| of_city(&relation.object))
            .unwrap();
        (
            relation.valid_from.unwrap().date(),
            relation.valid_to.map(Moment::date),
        )
    };
    assert_eq!(
        span("new york"),
        ("2020-01-01".into(), Some("2026-05-01".into()))
    );
    assert_eq!(span("san francisco"), ("2026-05-01".into(), None));
    // What was said before the move no longer answers.
    assert!(
        fixture
            .search("Where in New York does the user live?")
            .iter()
            .all(|hit| { !hit.memory.text().contains("New York") })
    );
}

#[test]
fn a_retired_memory_is_gone_from_recall_but_not_from_its_history() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User is a vegetarian"]));
    let id = fixture.say("I am a vegetarian.").outcomes[0].id;
    fixture
        .script
        .then(facts(&["User is no longer a vegetarian"]));
    fixture.script.then(Answer::Calls(vec![
        (
            "delete_memory",
            r#"{"fact": 1, "memory": {memory:User is a vegetarian}}"#.into(),
        ),
        ("add_memory", r#"{"fact": 1}"#.into()),
    ]));
    fixture.say("I am not a vegetarian any more.");
    assert_eq!(fixture.texts(), ["User is no longer a vegetarian"]);
    assert!(
        fixture
            .search("vegetarian")
            .iter()
            .all(|hit| hit.memory.id != id)
    );
    assert_eq!(history(&fixture, id).last().unwrap().0, ChangeKind::Delete);
    let past = List {
        show_past: true,
        ..List::default()
    };
    let Reply::Page { total, .. } = fixture.apply(Operation::List(past)) else {
        panic!()
    };
    assert_eq!(total, 2);
}

#[test]
fn an_erase_leaves_nothing_behind() {
    let mut fixture = Fixture::new();
    fixture.script.then(extraction(json!([
        {"text": "User is allergic to peanuts", "entities": ["peanuts"], "sources": [1],
         "relations": [{"subject": "user", "predicate": "allergic_to", "object": "peanuts"}]},
        {"text": "User loves tea", "sources": [2]},
    ])));
    let event = fixture.add(Add {
        messages: vec![
            Message::user("I'm allergic to peanuts."),
            Message::user("I love tea."),
        ],
        ..fixture.add_of("")
    });
    let id = event.outcomes[0].id;
    fixture.apply(Operation::Update(Update {
        id,
        text: Some("User is allergic to peanuts and soy".into()),
        metadata: None,
        time: None,
        expires_at: None,
    }));
    let Reply::Deleted { count } = fixture.apply(Operation::Delete { id }) else {
        panic!()
    };
    assert_eq!(count, 1);
    for _ in 0..2 {
        let stored = everything_stored(&fixture.storage);
        assert!(!stored.to_lowercase().contains("peanut"), "{stored}");
        assert!(!stored.contains("soy"));
        assert!(fixture.search("peanuts").is_empty());
        assert_eq!(fixture.texts(), ["User loves tea"]);
        assert_eq!(fixture.event(event.id).outcomes[0].text, "");
        let error = fixture.try_apply(Operation::Get { id }).unwrap_err();
        assert_eq!(error.problem().status, 404);
        assert_eq!(
            history(&fixture, id).last().unwrap(),
            &(ChangeKind::Delete, None, None)
        );
        fixture.reopen();
    }
}

#[test]
fn an_erase_while_the_model_thinks_is_respected() {
    let fixture = Fixture::new();
    let event = fixture.accept(fixture.add_of("I'm allergic to peanuts."));
    let error = edgemem::model::ModelError::Timeout {
        model: "m".into(),
        seconds: 1,
    };
    fixture.script.then(Answer::Error(error));
    fixture.run(event.id);
    let owner = Filter::eq("user_id", "alice");
    fixture.apply(Operation::DeleteAll { filter: owner });
    fixture.later(60_000);
    fixture.run_due();
    assert!(fixture.transcript().is_empty());
    assert!(!everything_stored(&fixture.storage).contains("peanut"));
}

#[test]
fn without_a_model_messages_are_remembered_and_it_is_said() {
    let fixture = Fixture::without_model();
    let event = fixture.say("The wifi password is tulip42.");
    assert!(is_done(&event));
    assert!(event.note.unwrap().contains("No LLM is configured"));
    assert_eq!(fixture.texts(), ["The wifi password is tulip42."]);
    assert_eq!(
        fixture.search("what is the wifi password?")[0].memory.kind,
        Kind::Message
    );
}

#[test]
fn infer_false_stores_verbatim_and_once() {
    let fixture = Fixture::new();
    let add = Add {
        infer: false,
        ..fixture.add_of("I take my coffee black.")
    };
    let first = fixture.add(add.clone());
    let again = fixture.add(add);
    assert_eq!(first.outcomes[0].kind, ChangeKind::Add);
    assert_eq!(again.outcomes[0].kind, ChangeKind::None);
    assert_eq!(again.outcomes[0].id, first.outcomes[0].id);
    assert_eq!(fixture.texts(), ["I take my coffee black."]);
    assert_eq!(fixture.script.calls(), 0);
}

#[test]
fn a_long_message_is_found_by_any_of_its_passages() {
    let mut fixture = Fixture::new();
    let filler =
        "We went over the quarterly plan and moved some of the dates around again. ".repeat(30);
    let text = format!("{filler}The spare key hangs behind the blue barometer. {filler}");
    let add = |text: &str| Add {
        infer: false,
        ..fixture.add_of(text)
    };
    let long = fixture.add(add(&text)).outcomes[0].id;
    fixture.add(add("The garden needs water in July."));
    for reopened in [false, true] {
        if reopened {
            fixture.reopen();
        }
        let hits = fixture.search("Where is the spare key, behind which barometer?");
        assert_eq!(hits[0].memory.id, long);
        let same = hits.iter().filter(|hit| hit.memory.id == long).count();
        assert_eq!(
            same, 1,
            "a memory answers once, however many passages match"
        );
        assert_eq!(hits[0].receipt.channels.len(), 2);
    }
    fixture.apply(Operation::Delete { id: long });
    let hits = fixture.search("spare key behind the barometer");
    assert!(hits.iter().all(|hit| hit.memory.id != long));
}

#[test]
fn a_question_that_names_a_speaker_prefers_what_they_said() {
    let fixture = Fixture::without_model();
    let said = |name: &str, text: &str| {
        let mut add = fixture.add_of(text);
        for message in &mut add.messages {
            message.name = Some(name.to_owned());
        }
        fixture.add(add);
    };
    said("Ann", "I adopted a kitten from the shelter near us.");
    said("Bob", "Ann, it is nice that you adopted a kitten!");
    let first = |question: &str| fixture.search(question)[0].memory.name.clone();
    assert_eq!(first("What did Ann adopt?").as_deref(), Some("Ann"));
    assert_eq!(
        first("What did Bob say of the kitten?").as_deref(),
        Some("Bob")
    );
}

#[test]
fn a_fact_and_its_message_answer_as_one() {
    let fixture = Fixture::new();
    fixture
        .script
        .then(facts(&["User grows tomatoes on the balcony"]));
    fixture.say("I grow tomatoes on my balcony.");
    let ask = |transcript| {
        let search = Search {
            query: "Who grows tomatoes on the balcony?".into(),
            transcript,
            ..Search::default()
        };
        match fixture.apply(Operation::Search(search)) {
            Reply::Hits(hits) => hits,
            other => panic!("{other:?}"),
        }
    };
    let alone = ask(Transcript::Never)[0].score;
    let filled = ask(Transcript::Fill);
    assert_eq!(filled.len(), 1);
    assert!(filled[0].score > alone, "its message supports the fact");
    let both = ask(Transcript::Always);
    assert_eq!(both.len(), 2);
    assert!(
        both[1].score < alone,
        "what repeats comes after what is new"
    );
}

#[test]
fn what_another_message_tells_comes_before_more_of_the_same() {
    let fixture = Fixture::new();
    let balcony = [
        "User grows tomatoes on the balcony",
        "User grows tomatoes since spring",
    ];
    let greenhouse = "User and Ada grow tomatoes and cucumbers in a greenhouse";
    fixture.script.then(facts(&balcony));
    fixture.say("Since spring I grow tomatoes on my balcony.");
    fixture.script.then(facts(&[greenhouse]));
    let added = ("add_memory", r#"{"fact": 1}"#.into());
    fixture.script.then(Answer::Calls(vec![added]));
    fixture.say("Ada and I grow tomatoes and cucumbers in a greenhouse.");
    let hits = fixture.search("Where does the user grow tomatoes?");
    let texts: Vec<&str> = hits.iter().map(|hit| hit.memory.text()).collect();
    assert_eq!(texts, [balcony[0], greenhouse, balcony[1]]);
}

#[test]
fn a_message_answers_where_its_facts_do_not() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User loves tea"]));
    fixture.say("I love tea. The code of the gate is 4711.");
    let hits = fixture.search("code of the gate");
    assert_eq!(
        hits[0].memory.text(),
        "I love tea. The code of the gate is 4711."
    );
    let tea: Vec<Kind> = fixture
        .search("tea")
        .iter()
        .map(|hit| hit.memory.kind)
        .collect();
    assert_eq!(tea, [Kind::Fact], "the fact stands for its message");
    let none = Search {
        query: "code of the gate".into(),
        transcript: Transcript::Never,
        threshold: 0.3,
        ..Search::default()
    };
    assert_eq!(fixture.apply(Operation::Search(none)), Reply::Hits(vec![]));
}

#[test]
fn filters_select_for_search_list_and_delete_alike() {
    let fixture = Fixture::new();
    for (text, tag) in [("tea is nice", "a"), ("tea is hot", "b")] {
        fixture.add(Add {
            infer: false,
            metadata: Map::from_iter([("tag".to_owned(), json!(tag))]),
            ..fixture.add_of(text)
        });
    }
    let filter =
        Filter::read(&json!({"AND": [{"user_id": "alice"}, {"tag": {"ne": "a"}}]})).unwrap();
    let search = Search {
        query: "tea".into(),
        filter: filter.clone(),
        ..Search::default()
    };
    let Reply::Hits(hits) = fixture.apply(Operation::Search(search)) else {
        panic!()
    };
    assert_eq!(
        hits.iter().map(|hit| hit.memory.text()).collect::<Vec<_>>(),
        ["tea is hot"]
    );
    let list = List {
        filter: filter.clone(),
        ..List::default()
    };
    let Reply::Page { total, .. } = fixture.apply(Operation::List(list)) else {
        panic!()
    };
    assert_eq!(total, 1);
    fixture.apply(Operation::DeleteAll { filter });
    assert_eq!(fixture.texts(), ["tea is nice"]);
}

#[test]
fn another_owners_add_is_refused() {
    let fixture = Fixture::new();
    let add = Add {
        scope: Scope::user("mallory"),
        ..fixture.add_of("I own this.")
    };
    let error = fixture
        .try_apply(Operation::Add(Box::new(add)))
        .unwrap_err();
    assert_eq!(error.problem().code, "wrong_space");
    assert!(everything_stored(&fixture.storage).is_empty());
}

#[test]
fn bad_input_says_what_is_wrong_and_changes_nothing() {
    let fixture = Fixture::new();
    let system = Message {
        role: Role::System,
        ..Message::user("Be nice.")
    };
    let cases = [
        (
            Operation::Add(Box::new(Add {
                messages: vec![system],
                ..fixture.add_of("")
            })),
            "no_messages",
        ),
        (
            Operation::Add(Box::new(Add {
                scope: Scope::default(),
                ..fixture.add_of("x")
            })),
            "scope_required",
        ),
        (
            Operation::Search(Search {
                query: "  ".into(),
                ..Search::default()
            }),
            "empty_query",
        ),
        (
            Operation::Search(Search {
                query: "x".into(),
                top_k: 0,
                ..Search::default()
            }),
            "out_of_range",
        ),
        (
            Operation::List(List {
                page_size: 5000,
                ..List::default()
            }),
            "out_of_range",
        ),
    ];
    for (operation, code) in cases {
        assert_eq!(
            fixture.try_apply(operation).unwrap_err().problem().code,
            code
        );
    }
    assert!(everything_stored(&fixture.storage).is_empty());
}

#[test]
fn an_immutable_memory_stays_as_it_is() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User lives in Paris"]));
    let add = Add {
        immutable: true,
        ..fixture.add_of("I live in Paris.")
    };
    let id = fixture.add(add).outcomes[0].id;
    fixture.script.then(facts(&["User lives in Rome"]));
    fixture.say("I live in Rome.");
    assert_eq!(
        fixture.texts(),
        ["User lives in Paris", "User lives in Rome"]
    );
    let update = Update {
        id,
        text: Some("x".into()),
        metadata: None,
        time: None,
        expires_at: None,
    };
    let error = fixture.try_apply(Operation::Update(update)).unwrap_err();
    assert_eq!(error.problem().code, "immutable");
}

#[test]
fn an_expired_memory_is_hidden() {
    let fixture = Fixture::new();
    let expires_at = Some(Moment::from_millis(fixture.clock.get() + 1000));
    let add = Add {
        infer: false,
        expires_at,
        ..fixture.add_of("The sale ends today.")
    };
    fixture.add(add);
    assert_eq!(fixture.search("sale").len(), 1);
    fixture.later(2000);
    assert!(fixture.search("sale").is_empty());
    assert!(fixture.texts().is_empty());
}

#[test]
fn the_extraction_sees_what_it_needs() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&["User lives in Oslo"]));
    fixture.say("I live in Oslo.");
    fixture.script.then(facts(&[]));
    fixture.add(Add {
        instructions: Some("Only health.".into()),
        includes: Some("allergies".into()),
        excludes: Some("phone numbers".into()),
        categories: vec![Category {
            name: "health".into(),
            description: "the body".into(),
        }],
        time: Some("2026-03-02".parse().unwrap()),
        ..fixture.add_of("Next Friday I leave Oslo.")
    });
    let asked = fixture.script.asked.borrow();
    let Turn::User(prompt) = &asked[1].turns[0] else {
        panic!()
    };
    for part in [
        "- User lives in Oslo",
        "user: I live in Oslo.",
        "[1] user (2026-03-02 (Monday)): Next Friday I leave Oslo.",
        "Only health.",
        "allergies",
        "phone numbers",
        "- health: the body",
    ] {
        assert!(prompt.contains(part), "{part} in:\n{prompt}");
    }
}

#[test]
fn an_agents_memory_is_about_the_agent() {
    let fixture = Fixture::of(Owner::new(OwnerKind::Agent, "clerk"));
    fixture.script.then(extraction(json!([
        {"text": "Assistant files receipts on Mondays", "attributed_to": "assistant"}
    ])));
    fixture.add(Add {
        messages: vec![Message::assistant("I file receipts on Mondays.")],
        ..fixture.add_of("")
    });
    let memories = fixture.memories();
    assert_eq!(memories[0].attributed_to, Some(Speaker::Assistant));
    assert_eq!(memories[0].scope.agent_id.as_deref(), Some("clerk"));
    let asked = fixture.script.asked.borrow();
    let Turn::User(prompt) = &asked[0].turns[0] else {
        panic!()
    };
    assert!(prompt.contains("belongs to the assistant itself"));
}

#[test]
fn a_long_add_is_worked_on_in_batches_that_each_hold() {
    let mut fixture = Fixture::new();
    let messages = (0..50)
        .map(|n| Message::user(format!("Fact number {n}.")))
        .collect();
    let add = Add {
        messages,
        ..fixture.add_of("")
    };
    fixture
        .script
        .then(facts(&["User knows the first forty facts"]));
    let error = edgemem::model::ModelError::Timeout {
        model: "m".into(),
        seconds: 1,
    };
    fixture.script.then(Answer::Error(error));
    let event = fixture.add(add);
    assert_eq!(event.status, EventStatus::Pending);
    assert_eq!(fixture.texts(), ["User knows the first forty facts"]);
    fixture.reopen();
    fixture.later(10_000);
    fixture.script.then(facts(&["Cats purr"]));
    fixture
        .script
        .then(Answer::Text("The conversation is about facts.".into()));
    fixture.run_due();
    let event = fixture.event(event.id);
    assert!(is_done(&event), "{event:?}");
    assert_eq!(event.outcomes.len(), 2);
    assert_eq!(
        fixture.texts(),
        ["Cats purr", "User knows the first forty facts"]
    );
    let Reply::Summary { text, .. } = fixture.apply(Operation::Summary {
        scope: fixture.scope(),
    }) else {
        panic!()
    };
    assert_eq!(text, "The conversation is about facts.");
}

#[test]
fn the_same_operations_and_replies_give_the_same_bytes() {
    let run = || {
        let fixture = Fixture::new();
        fixture
            .script
            .then(facts(&["User loves tea", "User has a dog"]));
        fixture.say("I love tea. I have a dog.");
        fixture.add(Add {
            infer: false,
            ..fixture.add_of("Verbatim.")
        });
        everything_stored(&fixture.storage)
    };
    assert_eq!(run(), run());
}

#[test]
fn languages_are_kept_and_found() {
    let fixture = Fixture::new();
    fixture.script.then(facts(&[
        "El usuario es alérgico a los cacahuetes",
        "用户住在东京",
    ]));
    fixture.say("Soy alérgico a los cacahuetes. 我住在东京。");
    assert_eq!(
        fixture.search("alérgico")[0].memory.text(),
        "El usuario es alérgico a los cacahuetes"
    );
    assert_eq!(fixture.search("东京")[0].memory.text(), "用户住在东京");
}
