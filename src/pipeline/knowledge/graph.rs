//! The resident graph: entities by id and name, relations by their ends and their memories, contradictions.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::asked_by::asked_by;
use crate::compact::{OrderedMap, OrderedSet};
use crate::index::{Language, terms};
use crate::memory::{
    Claim, Contradiction, Entity, EntityId, Id, Object, Relation, normalize_name, plain_name,
};
use crate::store::{Changes, relation_key};

/// Bytes that an entity, a relation or a contradiction takes with its look-ups: about, as measured.
const BYTES_OF_NODE: usize = 700;

/// Bytes that the words of an entity's names take: about, of two words.
const BYTES_OF_SPELLED: usize = 150;

/// Entities that were merged lead on to others: at most so many times.
const MERGES: usize = 16;

/// Relations by their keys, which look-ups share: to find each by its key would be most of a walk's time.
type Relations = OrderedMap<String, Rc<Relation>>;

/// Entities, relations and contradictions of one space.
#[derive(Debug, Default)]
pub struct Graph {
    entities: OrderedMap<EntityId, Entity>,
    relations: Relations,
    contradictions: OrderedMap<Id, Contradiction>,
    /// The open contradictions that each claim is part of.
    disputed: OrderedMap<Claim, OrderedSet<Id>>,
    /// Names as they are compared, and who bears them.
    names: OrderedMap<String, OrderedSet<EntityId>>,
    /// Words of names as the keyword index has them, and whose names they are in.
    words: OrderedMap<String, OrderedSet<EntityId>>,
    /// The same words by entity, name by name.
    spelled: FxHashMap<EntityId, Vec<Vec<String>>>,
    /// The relations at each entity, by predicate.
    edges: FxHashMap<EntityId, OrderedMap<String, Relations>>,
    /// The predicates that there are: how many relations have each, and the words that ask for it, as terms of the keyword index.
    predicates: FxHashMap<String, (usize, Vec<String>)>,
    /// The relations that each memory supports.
    supported: FxHashMap<Id, Relations>,
    /// What a word stands for that is in no name.
    nobody: OrderedSet<EntityId>,
}

impl Graph {
    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        let nodes = self.entities.len() + self.relations.len() + self.contradictions.len();
        nodes * BYTES_OF_NODE + self.spelled.len() * BYTES_OF_SPELLED
    }

    /// All entities but those that were merged into others, by id.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities
            .values()
            .filter(|entity| entity.merged_into.is_none())
    }

    /// All entities, also those that were merged into others.
    pub fn all_entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values()
    }

    /// One entity; of one that was merged, what it was merged into.
    pub fn entity(&self, id: &EntityId) -> Option<&Entity> {
        let mut entity = self.entities.get(id)?;
        for _ in 0..MERGES {
            match &entity.merged_into {
                Some(into) => entity = self.entities.get(into)?,
                None => return Some(entity),
            }
        }
        None
    }

    /// Whether an id is taken, be it by an entity that was merged into another.
    pub fn is_taken(&self, id: &EntityId) -> bool {
        self.entities.contains_key(id)
    }

    /// The entities of exactly this name or alias, as names are compared: see [`plain_name`].
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Entity> {
        let found = [normalize_name(name), plain_name(name)];
        let ids: OrderedSet<&EntityId> = found
            .iter()
            .filter_map(|name| self.names.get(name))
            .flatten()
            .collect();
        ids.into_iter().filter_map(|id| self.entities.get(id))
    }

    /// Whether there is no entity.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// The entities that have a word, as a term of the keyword index, in any of their names.
    pub fn bearers_of(&self, word: &str) -> &OrderedSet<EntityId> {
        self.words.get(word).unwrap_or(&self.nobody)
    }

    /// The words of each of an entity's names, as terms of the keyword index.
    pub fn spelled(&self, entity: &EntityId) -> &[Vec<String>] {
        self.spelled.get(entity).map_or(&[], Vec::as_slice)
    }

    /// How many relations an entity has.
    pub fn degree(&self, entity: &EntityId) -> usize {
        let edges = self.edges.get(entity).into_iter();
        edges
            .flat_map(OrderedMap::values)
            .map(OrderedMap::len)
            .sum()
    }

    /// Names as they are compared that begin so, each with an entity that bears it.
    pub fn names_from(&self, prefix: &str) -> impl Iterator<Item = (&str, &Entity)> {
        let names = self.names.starting_at(prefix);
        names
            .take_while(move |(name, _)| name.starts_with(prefix))
            .flat_map(|(name, ids)| ids.iter().map(move |id| (name.as_str(), id)))
            .filter_map(|(name, id)| Some((name, self.entities.get(id)?)))
    }

    /// All relations with their keys.
    pub fn relations(&self) -> impl Iterator<Item = (&String, &Relation)> {
        listed(&self.relations)
    }

    /// One relation.
    pub fn relation(&self, key: &str) -> Option<&Relation> {
        self.relations.get(key).map(Rc::as_ref)
    }

    /// The relations at an entity, from it and to it.
    pub fn relations_of(&self, entity: &EntityId) -> impl Iterator<Item = (&String, &Relation)> {
        let edges = self.edges.get(entity).into_iter();
        edges.flat_map(OrderedMap::values).flat_map(listed)
    }

    /// The relations of one predicate at an entity, from it and to it.
    pub fn relations_by(
        &self,
        entity: &EntityId,
        predicate: &str,
    ) -> impl Iterator<Item = (&String, &Relation)> {
        let edges = self.edges.get(entity);
        let relations = edges.and_then(|edges| edges.get(predicate));
        relations.into_iter().flat_map(listed)
    }

    /// How many relations of one predicate an entity has.
    pub fn degree_by(&self, entity: &EntityId, predicate: &str) -> usize {
        let edges = self.edges.get(entity);
        edges
            .and_then(|edges| edges.get(predicate))
            .map_or(0, OrderedMap::len)
    }

    /// The words of a predicate, and those by which questions ask for it, as terms of the keyword index.
    pub fn words_of_predicate(&self, predicate: &str) -> &[String] {
        let known = self.predicates.get(predicate);
        known.map_or(&[], |(_, words)| words.as_slice())
    }

    /// The relations that a memory supports.
    pub fn relations_from(&self, memory: &Id) -> impl Iterator<Item = (&String, &Relation)> {
        self.supported.get(memory).into_iter().flat_map(listed)
    }

    /// All contradictions, oldest first.
    pub fn contradictions(&self) -> impl DoubleEndedIterator<Item = &Contradiction> {
        self.contradictions.values()
    }

    /// One contradiction.
    pub fn contradiction(&self, id: &Id) -> Option<&Contradiction> {
        self.contradictions.get(id)
    }

    /// The memories that cannot be true together with one, as nobody has said yet which is.
    pub fn opposed_to(&self, memory: &Id) -> OrderedSet<Id> {
        let mut opposed = OrderedSet::new();
        if self.disputed.is_empty() {
            return opposed;
        }
        let relations = self.relations_from(memory);
        let told = relations.map(|(key, _)| Claim::Relation(key.clone()));
        for claim in std::iter::once(Claim::Memory(*memory)).chain(told) {
            let disputes = self.disputed.get(&claim).into_iter().flatten();
            for contradiction in disputes.filter_map(|id| self.contradictions.get(id)) {
                let others = contradiction.claims.iter().filter(|it| **it != claim);
                opposed.extend(others.flat_map(|other| self.basis(other)));
            }
        }
        opposed.remove(memory);
        opposed
    }

    /// The memories that a claim rests on.
    pub fn basis<'a>(&'a self, claim: &'a Claim) -> &'a [Id] {
        match claim {
            Claim::Memory(id) => std::slice::from_ref(id),
            Claim::Relation(key) => self
                .relation(key)
                .map_or(&[], |relation| relation.memories.as_slice()),
        }
    }

    /// The name of what a relation points at.
    pub fn object_name<'a>(&'a self, object: &'a Object) -> &'a str {
        match object {
            Object::Entity(id) => self.entity_name(id),
            Object::Literal(text) => text,
        }
    }

    /// The name that an entity goes by.
    pub fn entity_name<'a>(&'a self, id: &'a EntityId) -> &'a str {
        self.entity(id)
            .map_or(id.0.as_str(), |entity| entity.name.as_str())
    }

    /// Takes over what was committed.
    pub fn apply(&mut self, changes: &Changes) {
        if changes.clear {
            *self = Self::default();
        }
        for id in &changes.entities_gone {
            self.remove_entity(id);
        }
        for entity in &changes.entities {
            self.remove_entity(&entity.id);
            if entity.merged_into.is_none() {
                let bear = |bearers: &mut OrderedSet<_>| {
                    bearers.insert(entity.id.clone());
                };
                for name in compared(entity) {
                    self.names.change(name, bear);
                }
                let spelled = words_of(entity);
                for word in spelled.iter().flatten() {
                    self.words.change(word.clone(), bear);
                }
                self.spelled.insert(entity.id.clone(), spelled);
            }
            self.entities.insert(entity.id.clone(), entity.clone());
        }
        for key in &changes.relations_gone {
            self.remove_relation(key);
        }
        for relation in &changes.relations {
            let key = relation_key(relation);
            self.remove_relation(&key);
            let relation = Rc::new(relation.clone());
            let predicate = relation.predicate.clone();
            let known = self.predicates.entry(predicate).or_insert_with(|| {
                let own = relation.predicate.replace('_', " ");
                let words = format!("{own} {}", asked_by(&relation.predicate));
                (0, terms(&words, Language::English))
            });
            known.0 += 1;
            for end in ends(&relation) {
                let edges = self.edges.entry(end.clone()).or_default();
                edges.change(relation.predicate.clone(), |relations| {
                    relations.insert(key.clone(), Rc::clone(&relation));
                });
            }
            for memory in &relation.memories {
                let supported = self.supported.entry(*memory).or_default();
                supported.insert(key.clone(), Rc::clone(&relation));
            }
            self.relations.insert(key, relation);
        }
        for id in &changes.contradictions_gone {
            self.remove_contradiction(id);
        }
        for contradiction in &changes.contradictions {
            let id = contradiction.id;
            self.remove_contradiction(&id);
            let claims = contradiction.claims.iter();
            for claim in claims.filter(|_| contradiction.is_open()) {
                self.disputed.change(claim.clone(), |disputes| {
                    disputes.insert(id);
                });
            }
            self.contradictions.insert(id, contradiction.clone());
        }
    }

    fn remove_contradiction(&mut self, id: &Id) {
        let contradiction = self.contradictions.remove(id);
        for claim in contradiction.iter().flat_map(|it| &it.claims) {
            if let Some(disputes) = self.disputed.get_mut(claim) {
                disputes.remove(id);
                if disputes.is_empty() {
                    self.disputed.remove(claim);
                }
            }
        }
    }

    fn remove_entity(&mut self, id: &EntityId) {
        let Some(entity) = self.entities.remove(id) else {
            return;
        };
        let forget = |names: &mut OrderedMap<String, OrderedSet<EntityId>>, name: &String| {
            if let Some(bearers) = names.get_mut(name) {
                bearers.remove(id);
                if bearers.is_empty() {
                    names.remove(name);
                }
            }
        };
        for name in compared(&entity) {
            forget(&mut self.names, &name);
        }
        for word in self.spelled.remove(id).iter().flatten().flatten() {
            forget(&mut self.words, word);
        }
    }

    fn remove_relation(&mut self, key: &str) {
        let Some(relation) = self.relations.remove(key) else {
            return;
        };
        if let Some((count, _)) = self.predicates.get_mut(&relation.predicate) {
            *count -= 1;
            if *count == 0 {
                self.predicates.remove(&relation.predicate);
            }
        }
        for end in ends(&relation) {
            if let Some(edges) = self.edges.get_mut(end) {
                if let Some(keys) = edges.get_mut(&relation.predicate) {
                    keys.remove(key);
                }
                edges.retain(|_, keys| !keys.is_empty());
                if edges.is_empty() {
                    self.edges.remove(end);
                }
            }
        }
        for memory in &relation.memories {
            if let Some(keys) = self.supported.get_mut(memory) {
                keys.remove(key);
                if keys.is_empty() {
                    self.supported.remove(memory);
                }
            }
        }
    }
}

fn listed(relations: &Relations) -> impl Iterator<Item = (&String, &Relation)> {
    relations.iter().map(|(key, relation)| (key, &**relation))
}

/// The names of an entity as they are compared.
fn compared(entity: &Entity) -> OrderedSet<String> {
    let names = entity.names();
    names
        .flat_map(|name| [normalize_name(name), plain_name(name)])
        .filter(|name| !name.is_empty())
        .collect()
}

/// The words of each of an entity's names as terms of the keyword index.
fn words_of(entity: &Entity) -> Vec<Vec<String>> {
    let names = entity.names();
    names.map(|name| terms(name, Language::English)).collect()
}

fn ends(relation: &Relation) -> impl Iterator<Item = &EntityId> {
    std::iter::once(&relation.subject).chain(relation.object.entity())
}
