//! The graph channel: from what a question names, and from what other channels found, along relations and mentions
//! to memories that need not have a word in common with the question.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::asked::Asked;
use super::found::Found;
use super::knowledge::{Graph, Known};
use super::past::Then;
use crate::compact::{OrderedMap, OrderedSet};
use crate::index::{Language, terms};
use crate::memory::{EntityId, Id, Kind, Object, Relation, Speaker, pronoun};
use crate::operation::{Step, Stop};

/// Relations on a way at most.
const HOPS: usize = 3;
/// Entities from which the walk goes on at most, the best first.
const NODES: usize = 200;
/// What is weaker leads no further.
const WEAKEST: f32 = 0.02;

/// What a step leaves of a way's strength, when it goes along a relation that holds; along one that is over; the same
/// when the question says the relation or what it leads to; and when it goes to a memory.
const RELATION: f32 = 0.6;
const OVER: f32 = 0.4;
const ASKED: f32 = 0.9;
const ASKED_OVER: f32 = 0.8;
const MENTION: f32 = 0.9;

/// How much of a way's strength an entity leaves of whose edges there are many: 1 / (1 + HUB ln(edges)).
const HUB: f32 = 0.25;
/// Of an entity with more edges only those are gone along that lead to a memory which another channel found.
const MANY_EDGES: usize = 64;

/// How strong ways begin at the owner or the agent; at an entity of which the question has a part of the name.
const PARTY: f32 = 0.3;
const PART_OF_NAME: f32 = 0.5;
/// A word in more names is none to know an entity by.
const COMMON_WORD: usize = 16;

/// What the walk starts from and may arrive at.
pub(super) struct Start<'a> {
    /// The question's words.
    pub asked: &'a Asked<'a>,
    /// The time that it asks about.
    pub then: Then,
    /// What other channels found, best first, with scores of 0 to 1.
    pub found: &'a [Found<'a>],
    /// How many memories are enough: the walk meets the strongest first.
    pub enough: usize,
}

/// Where a walk went. Of thousands of ways a few are told: steps are made when they are asked for.
#[derive(Default)]
pub(super) struct Walked<'a> {
    places: Vec<Place<'a>>,
    /// The best way to each memory, by its sequence number.
    arrived: FxHashMap<u32, Way>,
}

/// A way to a memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// 0 to 1; that of the best path.
    pub strength: f32,
    /// The place from which it is one step.
    pub last: usize,
}

/// A place on the way.
struct Place<'a> {
    at: At<'a>,
    strength: f32,
    hops: usize,
    before: Option<usize>,
    by: &'a str,
    backwards: bool,
}

/// Where a step leads: to an entity, or to a value that nothing leads on from.
#[derive(Clone, Copy)]
enum At<'a> {
    Entity(&'a EntityId),
    Value(&'a str),
}

impl Walked<'_> {
    /// The memories that were arrived at, by their sequence numbers, in no order.
    pub fn ways(&self) -> impl Iterator<Item = (u32, Way)> {
        self.arrived.iter().map(|(sequence, way)| (*sequence, *way))
    }

    /// The steps of a way, from the question to the memory.
    pub fn steps(&self, way: Way, memory: Id, graph: &Graph) -> Vec<Step> {
        let mut steps = vec![to_memory("mentions", true, memory)];
        let mut at = Some(way.last);
        while let Some(place) = at.and_then(|at| self.places.get(at)) {
            steps.push(place.step(graph));
            at = place.before;
        }
        steps.reverse();
        steps
    }
}

/// The steps from a message that was found to one beside it.
pub(super) fn steps_beside(found: Id, memory: Id) -> Vec<Step> {
    vec![
        to_memory("found", false, found),
        to_memory("next", false, memory),
    ]
}

fn to_memory(by: &str, backwards: bool, id: Id) -> Step {
    Step {
        by: by.to_owned(),
        backwards,
        to: Stop::Memory(id),
        name: String::new(),
    }
}

impl Place<'_> {
    fn step(&self, graph: &Graph) -> Step {
        let (to, name) = match self.at {
            At::Entity(id) => (Stop::Entity(id.clone()), graph.entity_name(id)),
            At::Value(value) => (Stop::Value(value.to_owned()), value),
        };
        Step {
            by: self.by.to_owned(),
            backwards: self.backwards,
            to,
            name: name.to_owned(),
        }
    }
}

struct Walk<'a, 'f> {
    known: Known<'a>,
    graph: &'a Graph,
    then: Then,
    asked: &'f OrderedSet<String>,
    places: Vec<Place<'a>>,
    /// By strength, the earlier first.
    ahead: BinaryHeap<(u32, Reverse<usize>)>,
    best: FxHashMap<&'a EntityId, f32>,
    /// Relations of the memories found, when they are asked for.
    near: Option<Vec<&'a Relation>>,
    found: &'f [Found<'f>],
    /// Whether the question has a word of a predicate: most are met many times.
    said: FxHashMap<&'a str, bool>,
    /// The entities of whose names the question has a word.
    named: FxHashSet<&'a EntityId>,
    arrived: FxHashMap<u32, Way>,
}

/// Goes to the memories that hang together with a question.
pub(super) fn walk<'a>(start: &Start<'_>, known: Known<'a>) -> Walked<'a> {
    let graph = known.knowledge().graph();
    if graph.is_empty() {
        return Walked::default();
    }
    let mut walk = Walk {
        known,
        graph,
        then: start.then,
        asked: &start.asked.own,
        places: Vec::new(),
        ahead: BinaryHeap::new(),
        best: FxHashMap::default(),
        near: None,
        found: start.found,
        said: FxHashMap::default(),
        named: FxHashSet::default(),
        arrived: FxHashMap::default(),
    };
    for (entity, strength) in seeds(start.asked, graph) {
        walk.reach(entity, strength, 0, None, "named", false);
    }
    if walk.ahead.is_empty() {
        return Walked::default();
    }
    let named = walk.asked.iter().flat_map(|word| graph.bearers_of(word));
    walk.named = named.collect();
    walk.go(start.enough);
    Walked {
        places: walk.places,
        arrived: walk.arrived,
    }
}

/// The entities that a question names, with how surely.
fn seeds<'a>(question: &Asked<'_>, graph: &'a Graph) -> Vec<(&'a EntityId, f32)> {
    let asked = &question.own;
    let mut seeds: OrderedMap<&EntityId, f32> = OrderedMap::new();
    for word in asked {
        let bearers = graph.bearers_of(word);
        let is_common = bearers.len() > COMMON_WORD;
        for entity in bearers {
            if seeds.contains_key(entity) {
                continue;
            }
            let names = graph.spelled(entity).iter();
            let said = names.map(|words| said_of(words, asked)).fold(0.0, f32::max);
            let strength = match said {
                1.0 => 1.0,
                part if !is_common => part * PART_OF_NAME,
                _ => continue,
            };
            let strength = match entity.is_party() {
                true => strength.min(PARTY),
                false => strength,
            };
            seeds.insert(entity, strength);
        }
    }
    let mut words = question.text.split(|c: char| !c.is_alphanumeric());
    if words.any(|word| pronoun(word) == Some(Speaker::User))
        && let Some(owner) = graph.entity(&EntityId::owner())
    {
        seeds.insert(&owner.id, PARTY);
    }
    seeds.into_iter().collect()
}

/// The share of a name's words that a question has.
fn said_of(words: &[String], asked: &OrderedSet<String>) -> f32 {
    let said = words.iter().filter(|word| asked.contains(*word)).count();
    said as f32 / words.len().max(1) as f32
}

/// The relations that some memories support, each once.
fn relations_of<'a>(found: &[Found<'_>], graph: &'a Graph) -> Vec<&'a Relation> {
    let memories = found.iter().map(|it| &it.card.id);
    let relations = memories.flat_map(|id| graph.relations_from(id));
    let mut known: FxHashSet<*const Relation> = FxHashSet::default();
    relations
        .map(|(_, relation)| relation)
        .filter(|relation| known.insert(std::ptr::from_ref(*relation)))
        .collect()
}

fn ends(relation: &Relation) -> impl Iterator<Item = &EntityId> {
    std::iter::once(&relation.subject).chain(relation.object.entity())
}

impl<'a> Walk<'a, '_> {
    /// Takes note of an entity that a way leads to, if none as strong does.
    fn reach(
        &mut self,
        entity: &'a EntityId,
        strength: f32,
        hops: usize,
        before: Option<usize>,
        by: &'a str,
        backwards: bool,
    ) -> Option<usize> {
        if strength < WEAKEST {
            return None;
        }
        self.places.push(Place {
            at: At::Entity(entity),
            strength,
            hops,
            before,
            by,
            backwards,
        });
        let place = self.places.len() - 1;
        let best = self.best.entry(entity).or_insert(0.0);
        if *best < strength {
            *best = strength;
            self.ahead.push((strength.to_bits(), Reverse(place)));
        }
        Some(place)
    }

    fn go(&mut self, enough: usize) {
        let mut gone: FxHashSet<&EntityId> = FxHashSet::default();
        while let Some((_, Reverse(place))) = self.ahead.pop() {
            if self.arrived.len() >= enough {
                return;
            }
            let Some(At::Entity(entity)) = self.places.get(place).map(|place| place.at) else {
                continue;
            };
            if gone.len() < NODES && gone.insert(entity) {
                self.expand(entity, place);
            }
        }
    }

    fn expand(&mut self, entity: &'a EntityId, place: usize) {
        let Some((strength, hops)) = self.places.get(place).map(|it| (it.strength, it.hops)) else {
            return;
        };
        let edges = self.graph.degree(entity) + self.known.count_mentions(entity);
        let leaves = shared(strength, edges);
        let is_hub = edges > MANY_EDGES;
        // To mention the owner says little: most memories do.
        let step = leaves * MENTION;
        if !entity.is_party() && step >= WEAKEST {
            let knowledge = self.known.knowledge();
            match is_hub {
                false => {
                    for sequence in knowledge.mentions_of(entity) {
                        self.arrive(*sequence, step, place);
                    }
                }
                true => {
                    let found = self.found.iter().map(|it| it.card.id.sequence());
                    for sequence in knowledge.mentioning(entity, found) {
                        self.arrive(sequence, step, place);
                    }
                }
            }
        }
        if hops >= HOPS {
            return;
        }
        let relations: Vec<&'a Relation> = match is_hub {
            true => {
                let near = || relations_of(self.found, self.graph);
                let near = self.near.get_or_insert_with(near).iter();
                let at_it = |it: &&&Relation| ends(it).any(|end| end == entity);
                near.filter(at_it).copied().collect()
            }
            false => {
                let relations = self.graph.relations_of(entity);
                relations.map(|(_, relation)| relation).collect()
            }
        };
        for relation in relations {
            self.follow(entity, relation, (strength, leaves), place, hops + 1);
        }
    }

    /// Goes along a relation to its other end, and from there to the memories that tell of it. Of many edges each says
    /// little, but those of a predicate that the question says are few: only these count then.
    fn follow(
        &mut self,
        from: &EntityId,
        relation: &'a Relation,
        (strength, leaves): (f32, f32),
        place: usize,
        hops: usize,
    ) {
        if !relation.is_believed(self.then.known_at) {
            return;
        }
        let is_over = match self.then.as_of {
            Some(at) if relation.holds_at(at) => false,
            Some(_) => return,
            None => relation.valid_to.is_some(),
        };
        let backwards = relation.subject != *from;
        let end = match (backwards, &relation.object) {
            (true, _) => At::Entity(&relation.subject),
            (false, Object::Entity(id)) => At::Entity(id),
            (false, Object::Literal(value)) => At::Value(value),
        };
        let says_predicate = self.says_predicate(&relation.predicate);
        let is_asked = says_predicate || self.says_end(end);
        let leaves = match says_predicate {
            true => shared(strength, self.graph.degree_by(from, &relation.predicate)),
            false => leaves,
        };
        let step = match (is_asked, is_over) {
            (false, false) => RELATION,
            (false, true) => OVER,
            (true, false) => ASKED,
            (true, true) => ASKED_OVER,
        };
        let strength = leaves * step;
        let arrived = match end {
            At::Entity(other) => {
                let by = &relation.predicate;
                self.reach(other, strength, hops, Some(place), by, backwards)
            }
            At::Value(_) if strength >= WEAKEST => {
                self.places.push(Place {
                    at: end,
                    strength,
                    hops,
                    before: Some(place),
                    by: &relation.predicate,
                    backwards,
                });
                Some(self.places.len() - 1)
            }
            At::Value(_) => None,
        };
        if let Some(at) = arrived {
            for id in &relation.memories {
                self.arrive(id.sequence(), strength, at);
            }
        }
    }

    fn says_predicate(&mut self, predicate: &'a str) -> bool {
        let (asked, words) = (self.asked, self.graph.words_of_predicate(predicate));
        let says = || words.iter().any(|word| asked.contains(word));
        *self.said.entry(predicate).or_insert_with(says)
    }

    fn says_end(&self, end: At<'a>) -> bool {
        match end {
            At::Value(value) => says(value, self.asked),
            At::Entity(id) => self.named.contains(id),
        }
    }

    fn arrive(&mut self, memory: u32, strength: f32, last: usize) {
        if strength < WEAKEST {
            return;
        }
        let new = Way { strength, last };
        let arrived = self.arrived.entry(memory).or_insert(new);
        if arrived.strength < strength {
            *arrived = new;
        }
    }
}

/// What an entity leaves of a way's strength that has so many edges to go on along.
fn shared(strength: f32, edges: usize) -> f32 {
    strength / (1.0 + HUB * (edges.max(1) as f32).ln())
}

/// Whether a question has a word of a text.
fn says(text: &str, asked: &OrderedSet<String>) -> bool {
    let mut words = terms(text, Language::English).into_iter();
    words.any(|word| asked.contains(&word))
}

/// Messages on either side of a found one that hang together with it, and how much the nearest of them does; the
/// next has half of it.
const BESIDE: usize = 2;
const NEXT: f32 = 0.5;

/// The messages beside those found in their conversations, with the share of the score that each gets and the one
/// that it got it from.
pub(super) fn beside(found: &[Found<'_>], known: Known<'_>) -> FxHashMap<Id, (f32, Id)> {
    let mut shares: FxHashMap<Id, (f32, Id)> = FxHashMap::default();
    let messages = found.iter().filter(|it| it.card.kind() == Kind::Message);
    for Found { card, score, .. } in messages {
        let scope = &card.traits.scope;
        let before = known.predecessors(scope, &card.id).take(BESIDE);
        let after = known.successors(scope, &card.id).take(BESIDE);
        for (distance, id) in (1..).zip(before).chain((1..).zip(after)) {
            let share = score * NEXT / distance as f32;
            let known = shares.entry(id).or_insert((0.0, card.id));
            if known.0 < share {
                *known = (share, card.id);
            }
        }
    }
    shares
}
