//! Whatever is said, decided, corrected and erased, in whatever order: the graph is sound.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use edgemem::model::{
    ChatModel, ChatReply, ChatRequest, Finish, ModelError, Output, ToolCall, Turn as Said,
};
use edgemem::store::relation_key;
use futures_util::future::{LocalBoxFuture, ready};
use proptest::prelude::*;

use super::*;

/// Answers extractions with the facts at hand, and decides by dice.
struct Dice {
    facts: RefCell<Value>,
    throws: RefCell<VecDeque<u8>>,
}

impl Dice {
    fn throw(&self, sides: usize) -> usize {
        let mut throws = self.throws.borrow_mut();
        let throw = throws.pop_front().unwrap_or_default();
        throws.push_back(throw.wrapping_mul(31).wrapping_add(7));
        usize::from(throw) % sides.max(1)
    }
}

impl ChatModel for Dice {
    fn name(&self) -> &str {
        "dice"
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        let mut reply = ChatReply {
            content: String::new(),
            tool_calls: Vec::new(),
            finish: Finish::Done,
            tokens: None,
        };
        match &request.output {
            Output::Tools(_) => {
                let Some(Said::User(prompt)) = request.turns.first() else {
                    panic!()
                };
                let (memories, facts) = prompt.split_once("## New facts").unwrap();
                let count = |text: &str| text.lines().filter(|line| line.starts_with('[')).count();
                let (memories, facts) = (count(memories), count(facts));
                for fact in 1..=facts {
                    let memory = self.throw(memories) + 1;
                    let (name, arguments) = match self.throw(6) {
                        0 => ("keep_memory", json!({"fact": fact, "memory": memory})),
                        1 | 2 => (
                            "update_memory",
                            json!({
                            "fact": fact, "memory": memory, "text": format!("Rewritten {fact} {memory} {}", self.throw(99))}),
                        ),
                        3 => ("delete_memory", json!({"fact": fact, "memory": memory})),
                        4 => ("add_memory", json!({"fact": fact, "contradicts": memory})),
                        _ => ("add_memory", json!({"fact": fact})),
                    };
                    reply.tool_calls.push(ToolCall {
                        name: name.into(),
                        arguments: arguments.to_string(),
                    });
                }
            }
            _ => reply.content = json!({"facts": *self.facts.borrow()}).to_string(),
        }
        Box::pin(ready(Ok(reply)))
    }
}

#[derive(Debug, Clone)]
enum Step {
    Say {
        facts: Vec<(usize, usize, usize, usize, usize)>,
        day: u8,
    },
    Rewrite(usize),
    Erase(usize),
    Merge(usize, usize),
    Split(usize, usize),
    Resolve(usize, usize),
    Reopen,
}

const PEOPLE: [&str; 7] = [
    "user",
    "Melanie",
    "my sister Melanie",
    "Mel",
    "Sam",
    "John (brother)",
    "Sam Fox",
];
const PREDICATES: [&str; 11] = [
    "lives_in",
    "moved_to",
    "moved_from",
    "works_at",
    "married_to",
    "divorced_from",
    "sister_of",
    "likes",
    "renamed_to",
    "no_longer_works_at",
    "partner_of",
];
const OBJECTS: [&str; 8] = [
    "Oslo", "Bergen", "Lumen", "Melanie", "Sam", "user", "Alex", "Mel",
];
const TIMES: [Option<&str>; 6] = [
    None,
    None,
    Some("2015"),
    Some("2020-05"),
    Some("2020-05-02"),
    Some("2027"),
];

fn fact_of(n: usize, (s, p, o, from, to): (usize, usize, usize, usize, usize)) -> Value {
    let (subject, predicate, object) = (PEOPLE[s % 7], PREDICATES[p % 11], OBJECTS[o % 8]);
    let kind = |name: &str| match name {
        "Oslo" | "Bergen" => "place",
        "Lumen" => "organization",
        _ => "person",
    };
    json!({
        "text": format!("{subject} {predicate} {object} {:?} {n}", TIMES[from % 6]),
        "valid_from": TIMES[from % 6],
        "valid_to": if to == 0 { TIMES[2] } else { None },
        "sources": [1],
        "entities": [{"name": object, "type": kind(object), "aliases": if to == 1 { vec!["Mel"] } else { vec![] }}],
        "relations": [[subject, predicate, object], ["user", "lives_in", OBJECTS[to % 3]]],
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fact = (0usize..7, 0usize..11, 0usize..8, 0usize..6, 0usize..9);
    let step = prop_oneof![
        8 => (prop::collection::vec(fact, 1..4), any::<u8>()).prop_map(|(facts, day)| Step::Say { facts, day }),
        1 => any::<usize>().prop_map(Step::Rewrite),
        2 => any::<usize>().prop_map(Step::Erase),
        1 => any::<(usize, usize)>().prop_map(|(a, b)| Step::Merge(a, b)),
        1 => any::<(usize, usize)>().prop_map(|(a, b)| Step::Split(a, b)),
        1 => any::<(usize, usize)>().prop_map(|(a, b)| Step::Resolve(a, b)),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..14)
}

fn take(fixture: &mut Fixture, dice: &Rc<Dice>, number: usize, step: &Step) {
    let facts_of = |fixture: &Fixture| {
        let mut all = all_memories(fixture);
        all.retain(Memory::is_listed);
        all
    };
    let pick = |from: usize, at: usize| (from > 0).then(|| at % from);
    match step {
        Step::Say { facts, day } => {
            let facts: Vec<Value> = facts
                .iter()
                .enumerate()
                .map(|(n, fact)| fact_of(number * 10 + n, *fact))
                .collect();
            *dice.facts.borrow_mut() = json!(facts);
            let time = Moment::from_seconds(1_767_225_600 + i64::from(*day) * 86_400);
            fixture.later(1_000);
            let event = fixture.add(Add {
                time: Some(time),
                ..fixture.add_of(&format!("{number}: {facts:?}"))
            });
            assert!(common::is_done(&event));
        }
        Step::Rewrite(at) => {
            let all = facts_of(fixture);
            if let Some(at) = pick(all.len(), *at) {
                rewrite(
                    fixture,
                    all[at].id,
                    &format!("User wrote {number} of Melanie"),
                );
            }
        }
        Step::Erase(at) => {
            let all = facts_of(fixture);
            if let Some(at) = pick(all.len(), *at) {
                fixture.apply(Operation::Delete { id: all[at].id });
            }
        }
        Step::Merge(from, into) => {
            let all = entities(fixture);
            if let (Some(from), Some(into)) = (pick(all.len(), *from), pick(all.len(), *into)) {
                let id = |at: usize| EntityId(all[at].clone());
                let _ = fixture.try_apply(Operation::MergeEntities {
                    from: id(from),
                    into: id(into),
                });
            }
        }
        Step::Split(entity, memory) => {
            let (all, memories) = (entities(fixture), facts_of(fixture));
            if let (Some(entity), Some(memory)) =
                (pick(all.len(), *entity), pick(memories.len(), *memory))
            {
                let _ = fixture.try_apply(Operation::SplitEntity {
                    entity: EntityId(all[entity].clone()),
                    name: "Melanie".into(),
                    memories: vec![memories[memory].id],
                });
            }
        }
        Step::Resolve(which, side) => {
            let open = contradictions(fixture, false);
            if let Some(which) = pick(open.len(), *which) {
                let claims = &open[which].contradiction.claims;
                let keep = claims[side % claims.len()].clone();
                fixture.apply(Operation::Resolve {
                    id: open[which].contradiction.id,
                    keep,
                });
            }
        }
        Step::Reopen => {}
    }
}

fn check(fixture: &Fixture) {
    let memories = all_memories(fixture);
    let ids: BTreeSet<Id> = memories.iter().map(|memory| memory.id).collect();
    let named: BTreeSet<String> = entities(fixture).into_iter().collect();
    let relations = everything(fixture);
    let known = |id: &EntityId| assert!(named.contains(&id.0), "{id} dangles");
    for memory in &memories {
        memory.entities.iter().for_each(known);
        for version in &memory.versions {
            assert!(
                version
                    .valid_from
                    .zip(version.valid_to)
                    .is_none_or(|(from, to)| from <= to),
                "{version:?}"
            );
        }
    }
    for relation in &relations {
        known(&relation.subject);
        relation.object.entity().into_iter().for_each(known);
        assert!(!relation.memories.is_empty());
        for id in relation.memories.iter().chain(&relation.messages) {
            assert!(ids.contains(id), "{relation:?} rests on what was erased");
        }
        let span = relation.valid_from.zip(relation.valid_to);
        assert!(
            span.is_none_or(|(from, to)| from <= to),
            "{relation:?} is inverted"
        );
        assert!(
            relation.known_to.is_none_or(|to| relation.known_from <= to),
            "{relation:?}"
        );
    }
    let open = contradictions(fixture, false);
    for conflict in contradictions(fixture, true) {
        for claim in &conflict.contradiction.claims {
            match claim {
                Claim::Memory(id) => assert!(ids.contains(id)),
                Claim::Relation(key) => {
                    assert!(relations.iter().any(|r| relation_key(r) == *key))
                }
            }
        }
    }
    let linked = |one: &Relation, other: &Relation| {
        let rests = |conflict: &Conflict, relation: &Relation| {
            conflict.sides.iter().any(|side| {
                side.claim == Claim::Relation(relation_key(relation))
                    || matches!(side.claim, Claim::Memory(id) if relation.memories.contains(&id))
            })
        };
        open.iter()
            .any(|conflict| rests(conflict, one) && rests(conflict, other))
    };
    let current: Vec<&Relation> = relations
        .iter()
        .filter(|relation| relation.is_current())
        .collect();
    for (at, one) in current.iter().enumerate() {
        for other in &current[at + 1..] {
            let symmetric = ["married_to", "partner_of"].contains(&one.predicate.as_str());
            let single = symmetric || ["lives_in", "works_at"].contains(&one.predicate.as_str());
            let meet = one.subject == other.subject
                || symmetric
                    && (one.object.entity() == Some(&other.subject)
                        || other.object.entity() == Some(&one.subject)
                        || one.object == other.object);
            if single && one.predicate == other.predicate && meet {
                assert!(
                    linked(one, other),
                    "both hold and nothing says so:\n{one:?}\n{other:?}"
                );
            }
        }
    }
}

proptest! {

    #[test]
    fn whatever_happens_the_graph_is_sound(steps in steps(), throws in prop::collection::vec(any::<u8>(), 8)) {
        let dice = Rc::new(Dice { facts: RefCell::new(json!([])), throws: RefCell::new(throws.into()) });
        let mut fixture = Fixture::with_chat(dice.clone());
        for (number, step) in steps.iter().enumerate() {
            take(&mut fixture, &dice, number, step);
            if matches!(step, Step::Reopen) {
                let before = everything(&fixture);
                fixture.reopen();
                prop_assert_eq!(before, everything(&fixture));
            }
            check(&fixture);
        }
    }
}
