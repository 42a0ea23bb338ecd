//! What the graph knows after conversations: who is who, since when something holds, what cannot be decided,
//! and what stays after corrections and erasures. The model's replies are written into the tests.
#![allow(missing_docs)]

mod asked;
#[path = "../common/mod.rs"]
mod common;
mod property;
mod recall;
mod sample;
mod together;

use common::{Answer, Fixture};
use edgemem::memory::{
    ChangeKind, Claim, EntityChangeKind, EntityId, Id, Memory, Moment, Object, Precision, Relation,
};
use edgemem::operation::{Add, Conflict, EntityView, Event, Graph, List, Operation, Reply, Update};
use edgemem::store::{Storage, Table};
use futures_executor::block_on;
use serde_json::{Value, json};

/// What is said at a time, the facts that the model finds in it, and what it decides when it is asked.
struct Turn<'a> {
    on: &'a str,
    facts: Value,
    calls: &'a [(&'static str, &'a str)],
}

fn tell(fixture: &Fixture, turn: Turn<'_>) -> Event {
    let facts = json!({"facts": turn.facts}).to_string();
    fixture.script.then(Answer::Text(facts));
    let calls = turn.calls.iter();
    let mut calls: Vec<_> = calls
        .map(|(name, arguments)| (*name, (*arguments).to_owned()))
        .collect();
    if calls.is_empty() {
        // Whether it is asked or not, it adds what is new.
        let all = 1..=turn.facts.as_array().unwrap().len();
        calls.extend(all.map(|fact| ("add_memory", json!({"fact": fact}).to_string())));
    }
    fixture.script.then(Answer::Calls(calls));
    fixture.later(60_000);
    let said = format!("Said on {}: {}", turn.on, turn.facts);
    let event = fixture.add(Add {
        time: Some(turn.on.parse().unwrap()),
        ..fixture.add_of(&said)
    });
    let was_asked = fixture.script.answers.borrow_mut().drain(..).count() == 0;
    assert!(was_asked || turn.calls.is_empty(), "{said}");
    assert!(common::is_done(&event), "{event:?}");
    event
}

fn learn(fixture: &Fixture, on: &str, facts: Value) -> Event {
    tell(
        fixture,
        Turn {
            on,
            facts,
            calls: &[],
        },
    )
}

/// A fact of one relation; the ends of it are entities of these kinds.
fn fact(text: &str, relation: [&str; 3], kinds: [&str; 2], from: Option<&str>) -> Value {
    let ends = [relation[0], relation[2]].into_iter().zip(kinds);
    let entities: Vec<Value> = ends
        .filter(|(name, kind)| !kind.is_empty() && *name != "user")
        .map(|(name, kind)| json!({"name": name, "type": kind}))
        .collect();
    json!({
        "text": text, "valid_from": from, "sources": [1], "entities": entities,
        "relations": [{"subject": relation[0], "predicate": relation[1], "object": relation[2]}],
    })
}

fn lives(text: &str, city: &str, from: Option<&str>) -> Value {
    fact(text, ["user", "lives_in", city], ["", "place"], from)
}

fn graph(fixture: &Fixture, graph: Graph) -> Vec<Relation> {
    match fixture.apply(Operation::Graph(graph)) {
        Reply::Graph { relations, .. } => relations,
        other => panic!("{other:?}"),
    }
}

fn everything(fixture: &Fixture) -> Vec<Relation> {
    let past = Graph {
        past: true,
        ..Graph::default()
    };
    graph(fixture, past)
}

fn value(relation: &Relation) -> &str {
    match &relation.object {
        Object::Entity(id) => &id.0,
        Object::Literal(text) => text,
    }
}

/// `subject predicate object from..to`, of what is believed; `?` for a bound that nobody stated.
fn believed(fixture: &Fixture) -> Vec<String> {
    let bound = |at: Option<Moment>, precision: Option<Precision>| match (at, precision) {
        (None, _) => String::new(),
        (Some(at), None) => format!("?{}", at.date()),
        (Some(at), Some(Precision::Year)) => at.date()[..4].to_owned(),
        (Some(at), Some(Precision::Month)) => at.date()[..7].to_owned(),
        (Some(at), Some(_)) => at.date(),
    };
    let mut lines: Vec<String> = everything(fixture)
        .iter()
        .filter(|relation| relation.known_to.is_none())
        .map(|r| {
            let (from, to) = (
                bound(r.valid_from, r.from_precision),
                bound(r.valid_to, r.to_precision),
            );
            format!("{} {} {} {from}..{to}", r.subject, r.predicate, value(r))
        })
        .collect();
    lines.sort();
    lines
}

fn entity(fixture: &Fixture, name: &str) -> EntityView {
    match fixture.apply(Operation::Entity {
        id: EntityId(name.into()),
    }) {
        Reply::Entity(view) => *view,
        other => panic!("{other:?}"),
    }
}

fn entities(fixture: &Fixture) -> Vec<String> {
    match fixture.apply(Operation::Graph(Graph::default())) {
        Reply::Graph { entities, .. } => entities.into_iter().map(|e| e.id.0).collect(),
        other => panic!("{other:?}"),
    }
}

fn contradictions(fixture: &Fixture, resolved: bool) -> Vec<Conflict> {
    match fixture.apply(Operation::Contradictions { resolved }) {
        Reply::Contradictions(conflicts) => conflicts,
        other => panic!("{other:?}"),
    }
}

fn rewrite(fixture: &Fixture, id: Id, text: &str) {
    fixture.apply(Operation::Update(Update {
        id,
        text: Some(text.into()),
        metadata: None,
        time: None,
        expires_at: None,
    }));
}

fn stored(fixture: &Fixture) -> String {
    let tables = Table::ALL
        .into_iter()
        .filter(|table| *table != Table::Vectors);
    let rows = tables.flat_map(|table| {
        let scan = fixture
            .storage
            .scan(table, std::ops::Bound::Unbounded, usize::MAX);
        block_on(scan).unwrap()
    });
    rows.map(|(key, bytes)| format!("{key} {}\n", String::from_utf8_lossy(&bytes)))
        .collect()
}

const ADD: (&str, &str) = ("add_memory", r#"{"fact": 1}"#);

#[test]
fn what_starts_later_ends_what_was_and_what_was_ends_where_the_next_begins() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([lives("User lives in New York", "New York", None)]),
    );
    tell(
        &fixture,
        Turn {
            on: "2026-05-09",
            facts: json!([{
                "text": "User moved from New York to San Francisco on 2 May 2026",
                "valid_from": "2026-05-02", "sources": [1],
                "entities": [{"name": "San Francisco", "type": "place"}, {"name": "New York", "type": "place"}],
                "relations": [["user", "moved_to", "San Francisco"], ["user", "moved_from", "New York"]],
            }]),
            calls: &[ADD],
        },
    );
    tell(
        &fixture,
        Turn {
            on: "2026-06-01",
            facts: json!([lives("User lived in Oslo from 2010", "Oslo", Some("2010"))]),
            calls: &[ADD],
        },
    );
    tell(
        &fixture,
        Turn {
            on: "2026-06-02",
            facts: json!([lives(
                "User lived in Bergen in 2005",
                "Bergen",
                Some("2005-03")
            )]),
            calls: &[ADD],
        },
    );
    assert_eq!(
        believed(&fixture),
        [
            "user lives_in bergen 2005-03..2010",
            "user lives_in new york ?2026-01-10..2026-05-02",
            "user lives_in oslo 2010..?2026-01-10",
            "user lives_in san francisco 2026-05-02..",
        ]
    );
    let at = |as_of: &str| {
        let asked = Graph {
            as_of: Some(as_of.parse().unwrap()),
            ..Graph::default()
        };
        let relations = graph(&fixture, asked);
        relations
            .iter()
            .map(|relation| value(relation).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(at("2026-04-30"), ["new york"]);
    assert_eq!(at("2026-05-02"), ["san francisco"]);
    assert_eq!(at("2011"), ["oslo"]);
    assert!(at("2001").is_empty());
}

#[test]
fn saying_it_again_is_more_support_and_not_another_relation() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([lives("User lives in Oslo", "Oslo", None)]),
    );
    tell(
        &fixture,
        Turn {
            on: "2026-02-10",
            facts: json!([fact(
                "User's home is Oslo, since March 2019",
                ["user", "resides_in", "Oslo"],
                ["", "place"],
                Some("2019-03")
            )]),
            calls: &[ADD],
        },
    );
    assert_eq!(believed(&fixture), ["user lives_in oslo 2019-03.."]);
    let relation = &everything(&fixture)[0];
    assert_eq!((relation.memories.len(), relation.messages.len()), (2, 2));
}

#[test]
fn what_ended_is_told_by_its_end() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([fact(
            "User is married to Ben",
            ["Ben", "husband_of", "user"],
            ["person", ""],
            Some("2015")
        ),]),
    );
    assert_eq!(believed(&fixture), ["user married_to ben 2015.."]);
    tell(
        &fixture,
        Turn {
            on: "2026-04-10",
            facts: json!([fact(
                "User divorced Ben in March 2026",
                ["user", "divorced_from", "Ben"],
                ["", "person"],
                Some("2026-03")
            )]),
            calls: &[ADD],
        },
    );
    assert_eq!(believed(&fixture), ["user married_to ben 2015..2026-03"]);
    tell(
        &fixture,
        Turn {
            on: "2026-04-11",
            facts: json!([{"text": "User studied in Lund from 2001 to 2005", "valid_from": "2001", "valid_to": "2005", "sources": [1],
            "relations": [["user", "studied_at", "Lund"]]}]),
            calls: &[],
        },
    );
    assert!(
        believed(&fixture).contains(&"user studies_at Lund 2001..2006".to_owned()),
        "{:?}",
        believed(&fixture)
    );
}

#[test]
fn a_correction_was_never_true_and_a_change_was() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([lives("User lives in Nantes", "Nantes", None)]),
    );
    tell(
        &fixture,
        Turn {
            on: "2026-05-01",
            facts: json!([lives(
                "User moved to Lille in May 2026",
                "Lille",
                Some("2026-05")
            )]),
            calls: &[ADD],
        },
    );
    tell(
        &fixture,
        Turn {
            on: "2026-05-02",
            facts: json!([lives(
                "User moved to Lyon, not Lille",
                "Lyon",
                Some("2026-05")
            )]),
            calls: &[(
                "update_memory",
                r#"{"fact": 1, "memory": {memory:Lille}, "text": "User moved to Lyon in May 2026"}"#,
            )],
        },
    );
    assert_eq!(
        believed(&fixture),
        [
            "user lives_in lyon 2026-05..",
            "user lives_in nantes ?2026-01-10..2026-05",
        ]
    );
    let lille = everything(&fixture)
        .into_iter()
        .find(|r| value(r) == "lille")
        .unwrap();
    assert!(lille.known_to.is_some() && lille.valid_to.is_none());
    // It was believed then.
    let before = Graph {
        known_at: Some(lille.known_from),
        ..Graph::default()
    };
    assert!(graph(&fixture, before).contains(&lille));
}

#[test]
fn a_plan_that_falls_through_leaves_things_as_they_were() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([lives("User lives in Porto", "Porto", None)]),
    );
    tell(
        &fixture,
        Turn {
            on: "2026-02-10",
            facts: json!([lives(
                "User will move to Lisbon in October 2026",
                "Lisbon",
                Some("2026-10")
            )]),
            calls: &[ADD],
        },
    );
    assert_eq!(
        believed(&fixture),
        [
            "user lives_in lisbon 2026-10..",
            "user lives_in porto ?2026-01-10..2026-10",
        ]
    );
    tell(
        &fixture,
        Turn {
            on: "2026-03-10",
            facts: json!([{"text": "User does not move to Lisbon", "sources": [1]}]),
            calls: &[("delete_memory", r#"{"fact": 1, "memory": {memory:Lisbon}}"#)],
        },
    );
    assert_eq!(believed(&fixture), ["user lives_in porto ?2026-01-10.."]);
}

#[test]
fn a_new_name_is_of_the_same_person() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([fact(
            "Sam is User's brother",
            ["Sam", "brother_of", "user"],
            ["person", ""],
            None
        ),]),
    );
    learn(
        &fixture,
        "2026-02-10",
        json!([fact(
            "Sam is called Alex now",
            ["Sam", "renamed_to", "Alex"],
            ["person", "person"],
            None
        ),]),
    );
    tell(
        &fixture,
        Turn {
            on: "2026-03-10",
            facts: json!([fact(
                "Alex moved to Turin",
                ["Alex", "moved_to", "Turin"],
                ["person", "place"],
                None
            )]),
            calls: &[],
        },
    );
    let alex = entity(&fixture, "Alex");
    assert_eq!(alex.entity.id.0, "sam");
    assert_eq!(
        (alex.entity.name.as_str(), alex.entity.aliases.clone()),
        ("Alex", vec!["Sam".to_owned()])
    );
    let renamed = &alex.entity.changes[0];
    assert_eq!(
        (renamed.kind, renamed.of.clone()),
        (EntityChangeKind::Renamed, vec!["Sam".into(), "Alex".into()])
    );
    assert_eq!(alex.memories.len(), 3);
    assert_eq!(
        believed(&fixture),
        ["sam brother_of user ..", "sam lives_in turin ?2026-03-10.."]
    );
}

#[test]
fn names_are_resolved_and_people_of_one_name_kept_apart() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([
            {"text": "User's name is Maya", "sources": [1], "entities": [{"name": "Maya", "type": "person"}],
             "relations": [["user", "name", "Maya"]]},
            {"text": "User's sister Melanie, called Mel, is a ceramicist", "sources": [1],
             "entities": [{"name": "my sister Melanie", "type": "person", "aliases": ["Mel"]}],
             "relations": [["Melanie", "sister_of", "User"], ["Mel", "job_title", "ceramicist"]]},
            {"text": "John, User's brother, sails", "sources": [1],
             "entities": [{"name": "John (brother)", "type": "person"}],
             "relations": [["John (brother)", "likes", "sailing"]]},
            {"text": "John from work climbs", "sources": [1],
             "entities": [{"name": "John (colleague)", "type": "person"}],
             "relations": [["John (colleague)", "likes", "climbing"]]},
        ]),
    );
    tell(
        &fixture,
        Turn {
            on: "2026-02-10",
            facts: json!([
                {"text": "Mel Fischer visits Maya", "sources": [1], "entities": [
                    {"name": "Melanie Fischer", "type": "person"}, {"name": "Maya", "type": "person"}]},
            ]),
            calls: &[],
        },
    );
    assert_eq!(
        entities(&fixture),
        ["john (brother)", "john (colleague)", "melanie", "user"]
    );
    let mel = entity(&fixture, "Mel");
    assert_eq!(mel.entity.id.0, "melanie");
    assert_eq!(mel.entity.aliases, ["my sister", "Mel", "Melanie Fischer"]);
    assert_eq!(entity(&fixture, "Maya").entity.id, EntityId::owner());
    assert!(
        fixture
            .try_apply(Operation::Entity {
                id: EntityId("Nobody".into())
            })
            .is_err()
    );
}

#[test]
fn another_spelling_is_the_same_thing_and_another_name_is_not() {
    let fixture = Fixture::new();
    let names = ["headphones", "headphone", "San Francisco", "San Francesco"];
    for (day, name) in names.into_iter().enumerate() {
        let text = format!("Number {day} on the list of User is {name}");
        let entity = json!({"name": name, "type": "product"});
        learn(
            &fixture,
            "2026-01-10",
            json!([{"text": text, "sources": [1], "entities": [entity]}]),
        );
    }
    assert_eq!(
        entities(&fixture),
        ["headphones", "san francesco", "san francisco"]
    );
    assert_eq!(entity(&fixture, "headphones").entity.aliases, ["headphone"]);
}

#[test]
fn what_nobody_can_decide_is_a_contradiction_until_somebody_does() {
    let fixture = Fixture::new();
    let first = learn(
        &fixture,
        "2026-01-10",
        json!([lives("User's flat is in Lille", "Lille", Some("2026-01"))]),
    );
    let second = tell(
        &fixture,
        Turn {
            on: "2026-01-12",
            facts: json!([lives("User's flat is in Lyon", "Lyon", Some("2026-01"))]),
            calls: &[ADD],
        },
    );
    let (lille, lyon) = (first.outcomes[0].id, second.outcomes[0].id);
    let open = contradictions(&fixture, false);
    assert_eq!(open.len(), 1);
    let sides: Vec<&str> = open[0]
        .sides
        .iter()
        .map(|side| side.text.as_str())
        .collect();
    assert_eq!(sides, ["user lives_in Lille", "user lives_in Lyon"]);
    assert_eq!(open[0].sides[1].memories, [lyon]);
    let id = open[0].contradiction.id;
    let nonsense = Operation::Resolve {
        id,
        keep: Claim::Memory(id),
    };
    assert_eq!(
        fixture.try_apply(nonsense).unwrap_err().problem().status,
        400
    );
    fixture.apply(Operation::Resolve {
        id,
        keep: Claim::Memory(lyon),
    });
    assert!(contradictions(&fixture, false).is_empty());
    assert_eq!(contradictions(&fixture, true)[0].contradiction.id, id);
    assert_eq!(believed(&fixture), ["user lives_in lyon 2026-01.."]);
    assert_eq!(fixture.texts(), ["User's flat is in Lyon"]);
    let Reply::History(lines) = fixture.apply(Operation::History { id: lille }) else {
        panic!()
    };
    assert_eq!(lines.last().unwrap().change.kind, ChangeKind::Delete);
    assert!(
        fixture
            .try_apply(Operation::Resolve {
                id,
                keep: Claim::Memory(lyon)
            })
            .is_err()
    );
}

#[test]
fn the_model_can_say_that_two_memories_contradict_and_an_update_settles_it() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([lives("User says that home is Lille", "Lille", None)]),
    );
    tell(
        &fixture,
        Turn {
            on: "2026-03-12",
            facts: json!([lives(
                "User's assistant says that home is Lyon",
                "Lyon",
                None
            )]),
            calls: &[(
                "add_memory",
                r#"{"fact": 1, "contradicts": {memory:Lille}}"#,
            )],
        },
    );
    assert_eq!(
        believed(&fixture),
        [
            "user lives_in lille ?2026-01-10..",
            "user lives_in lyon ?2026-03-12..",
        ]
    );
    assert_eq!(contradictions(&fixture, false).len(), 1);
    tell(
        &fixture,
        Turn {
            on: "2026-04-12",
            facts: json!([{"text": "User never lived in Lyon", "sources": [1]}]),
            calls: &[("delete_memory", r#"{"fact": 1, "memory": {memory:Lyon}}"#)],
        },
    );
    assert!(contradictions(&fixture, false).is_empty());
    assert_eq!(
        fixture.texts(),
        ["User never lived in Lyon", "User says that home is Lille"]
    );
}

#[test]
fn what_its_owner_rewrites_no_longer_supports_relations() {
    let fixture = Fixture::new();
    let event = learn(
        &fixture,
        "2026-01-10",
        json!([lives("User lives in Oslo", "Oslo", None)]),
    );
    rewrite(&fixture, event.outcomes[0].id, "User lives somewhere warm");
    assert!(believed(&fixture).is_empty());
    assert_eq!(everything(&fixture).len(), 1);
    assert!(
        fixture.memories()[0]
            .entities
            .iter()
            .all(EntityId::is_party)
    );
    let Reply::History(lines) = fixture.apply(Operation::History {
        id: event.outcomes[0].id,
    }) else {
        panic!()
    };
    assert_eq!(lines[0].input.len(), 1);
    assert!(lines[1].input.is_empty(), "nobody said it");
}

#[test]
fn an_erase_takes_the_names_that_only_the_erased_used() {
    let mut fixture = Fixture::new();
    let erased = learn(
        &fixture,
        "2026-01-10",
        json!([
            {"text": "User's sister is Xanthippe", "sources": [1],
             "entities": [{"name": "Xanthippe", "type": "person", "aliases": ["Xanny"]}],
             "relations": [["Xanthippe", "sister_of", "user"]]},
        ]),
    )
    .outcomes[0]
        .id;
    tell(
        &fixture,
        Turn {
            on: "2026-02-10",
            facts: json!([
                {"text": "Tippi, a sister, lives in Oslo", "sources": [1],
                 "entities": [{"name": "Tippi", "type": "person"}, {"name": "Oslo", "type": "place"}],
                 "relations": [["Tippi", "lives_in", "Oslo"]]},
            ]),
            calls: &[],
        },
    );
    let merge = Operation::MergeEntities {
        from: EntityId("tippi".into()),
        into: EntityId("xanthippe".into()),
    };
    let Reply::Entity(merged) = fixture.apply(merge) else {
        panic!()
    };
    assert_eq!(
        (merged.entity.name.as_str(), merged.relations.len()),
        ("Xanthippe", 2)
    );
    fixture.apply(Operation::Delete { id: erased });
    for _ in 0..2 {
        let all = stored(&fixture).to_lowercase();
        assert!(!all.contains("xan"), "{all}");
        let sister = entity(&fixture, "Tippi");
        assert_eq!(sister.entity.name, "Tippi");
        assert_eq!(
            sister.memories[0].entities,
            std::slice::from_ref(&sister.entity.id)
                .iter()
                .cloned()
                .chain([EntityId("oslo".into())])
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert_eq!(believed(&fixture).len(), 1);
        fixture.reopen();
    }
}

#[test]
fn an_erase_reopens_what_the_erased_had_ended() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([lives("User lives in Oslo", "Oslo", None)]),
    );
    let later = tell(
        &fixture,
        Turn {
            on: "2026-02-10",
            facts: json!([lives("User lives in Bergen", "Bergen", Some("2026-02"))]),
            calls: &[ADD],
        },
    );
    fixture.apply(Operation::Delete {
        id: later.outcomes[0].id,
    });
    assert_eq!(believed(&fixture), ["user lives_in oslo ?2026-01-10.."]);
}

#[test]
fn one_who_is_two_is_split_and_two_who_are_one_are_merged() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([fact(
            "Anna works at Lumen",
            ["Anna", "works_at", "Lumen"],
            ["person", "organization"],
            None
        )]),
    );
    let other = tell(
        &fixture,
        Turn {
            on: "2026-02-10",
            facts: json!([fact(
                "Anna lives in Graz",
                ["Anna", "lives_in", "Graz"],
                ["person", "place"],
                None
            )]),
            calls: &[],
        },
    )
    .outcomes[0]
        .id;
    let split = Operation::SplitEntity {
        entity: EntityId("anna".into()),
        name: "Anna (neighbour)".into(),
        memories: vec![other],
    };
    let Reply::Entity(view) = fixture.apply(split) else {
        panic!()
    };
    assert_eq!(view.entity.id.0, "anna (neighbour)");
    assert_eq!(view.memories.len(), 1);
    assert_eq!(
        believed(&fixture),
        [
            "anna (neighbour) lives_in graz ?2026-02-10..",
            "anna works_at lumen ?2026-01-10..",
        ]
    );
    let merge = |from: &str, into: &str| Operation::MergeEntities {
        from: EntityId(from.into()),
        into: EntityId(into.into()),
    };
    assert!(fixture.try_apply(merge("anna", "anna")).is_err());
    let Reply::Entity(view) = fixture.apply(merge("anna (neighbour)", "anna")) else {
        panic!()
    };
    assert_eq!(view.relations.len(), 2);
    let kinds: Vec<_> = view
        .entity
        .changes
        .iter()
        .map(|change| change.kind)
        .collect();
    assert_eq!(kinds, [EntityChangeKind::Split, EntityChangeKind::Merged]);
    assert_eq!(entity(&fixture, "anna (neighbour)").entity.id.0, "anna");
    assert!(!entities(&fixture).contains(&"anna (neighbour)".to_owned()));
}

#[test]
fn a_summary_keeps_what_it_said_before() {
    let fixture = Fixture::new();
    for text in ["The user likes tea.", "The user likes tea and chess."] {
        fixture.script.then(common::facts(&[]));
        let messages = (0..20).map(|n| edgemem::memory::Message::user(format!("{text} {n}")));
        fixture.add(Add {
            messages: messages.collect(),
            ..fixture.add_of("")
        });
        fixture.script.then(Answer::Text(text.into()));
        fixture.run_due();
    }
    let Reply::Summary { text, earlier, .. } = fixture.apply(Operation::Summary {
        scope: fixture.scope(),
    }) else {
        panic!()
    };
    assert_eq!(text, "The user likes tea and chess.");
    assert_eq!(earlier.len(), 1);
    assert_eq!(earlier[0].1, "The user likes tea.");
    let everything = edgemem::memory::Filter::eq("user_id", "alice");
    fixture.apply(Operation::DeleteAll { filter: everything });
    assert!(!stored(&fixture).contains("likes tea"));
}

#[test]
fn a_page_of_the_graph_is_what_was_asked_for() {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([
            lives("User lives in Oslo", "Oslo", None),
            fact(
                "Anna lives in Graz",
                ["Anna", "lives_in", "Graz"],
                ["person", "place"],
                None
            )
        ]),
    );
    let page = |page, page_size| match fixture.apply(Operation::Graph(Graph {
        page,
        page_size,
        ..Graph::default()
    })) {
        Reply::Graph {
            total,
            entities,
            relations,
            ..
        } => (total, entities.len(), relations.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(page(1, 1_000), (4, 4, 2));
    assert_eq!(page(2, 3), (4, 1, 1));
    let bad = Graph {
        page_size: 0,
        ..Graph::default()
    };
    assert!(fixture.try_apply(Operation::Graph(bad)).is_err());
}

fn all_memories(fixture: &Fixture) -> Vec<Memory> {
    let list = List {
        show_past: true,
        transcript: true,
        show_expired: true,
        page_size: 1_000,
        ..List::default()
    };
    match fixture.apply(Operation::List(list)) {
        Reply::Page { memories, .. } => memories,
        other => panic!("{other:?}"),
    }
}
