//! What a space knows, resident: its memories and its graph, with the look-ups that the phases need.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::memory::{Entity, EntityId, Id, Kind, Memory, Object, Relation, Scope, normalized_hash};
use crate::store::{Changes, relation_key};

/// Memories and graph of one space.
#[derive(Debug, Default)]
pub struct Knowledge {
    memories: BTreeMap<Id, Memory>,
    /// Current listed memories by [`normalized_hash`] of their text.
    by_hash: HashMap<String, BTreeSet<Id>>,
    /// Messages of each conversation, oldest first.
    conversations: BTreeMap<String, BTreeSet<Id>>,
    /// Facts by the messages they came from.
    derived: HashMap<Id, BTreeSet<Id>>,
    entities: BTreeMap<EntityId, Entity>,
    relations: BTreeMap<String, Relation>,
}

impl Knowledge {
    /// One memory.
    pub fn memory(&self, id: &Id) -> Option<&Memory> {
        self.memories.get(id)
    }

    /// All memories, oldest first.
    pub fn memories(&self) -> impl DoubleEndedIterator<Item = &Memory> {
        self.memories.values()
    }

    /// The current, listed memory that says exactly this.
    pub fn duplicate_of(&self, text: &str) -> Option<&Memory> {
        let ids = self.by_hash.get(&normalized_hash(text))?;
        ids.iter().find_map(|id| self.memory(id))
    }

    /// All current, listed memories that say exactly this.
    pub fn duplicates_of(&self, text: &str) -> impl Iterator<Item = &Memory> {
        let ids = self.by_hash.get(&normalized_hash(text));
        ids.into_iter().flatten().filter_map(|id| self.memory(id))
    }

    /// The messages of a conversation, oldest first.
    pub fn conversation(&self, scope: &Scope) -> impl DoubleEndedIterator<Item = &Memory> {
        let ids = self.conversations.get(&scope.conversation());
        ids.into_iter().flatten().filter_map(|id| self.memory(id))
    }

    /// The messages before this one in its conversation, the nearest first.
    pub fn predecessors(&self, message: &Memory) -> impl Iterator<Item = &Memory> {
        let ids = self.conversations.get(&message.scope.conversation());
        let before = ids.map(|ids| ids.range(..message.id).rev());
        before
            .into_iter()
            .flatten()
            .filter_map(|id| self.memory(id))
    }

    /// The messages after this one in its conversation, the nearest first.
    pub fn successors(&self, message: &Memory) -> impl Iterator<Item = &Memory> {
        let ids = self.conversations.get(&message.scope.conversation());
        let after = (
            std::ops::Bound::Excluded(message.id),
            std::ops::Bound::Unbounded,
        );
        let after = ids.map(|ids| ids.range(after));
        after.into_iter().flatten().filter_map(|id| self.memory(id))
    }

    /// The facts that came from a message.
    pub fn facts_of(&self, message: &Id) -> impl Iterator<Item = &Memory> {
        let ids = self.derived.get(message);
        ids.into_iter().flatten().filter_map(|id| self.memory(id))
    }

    /// All entities, by id.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values()
    }

    /// One entity.
    pub fn entity(&self, id: &EntityId) -> Option<&Entity> {
        self.entities.get(id)
    }

    /// All relations with their keys.
    pub fn relations(&self) -> impl Iterator<Item = (&String, &Relation)> {
        self.relations.iter()
    }

    /// One relation.
    pub fn relation(&self, key: &str) -> Option<&Relation> {
        self.relations.get(key)
    }

    /// The name of what a relation points at.
    pub fn object_name<'a>(&'a self, object: &'a Object) -> &'a str {
        match object {
            Object::Entity(id) => self.entity_name(id),
            Object::Literal(text) => text,
        }
    }

    /// The name of an entity, as it was first written.
    pub fn entity_name<'a>(&'a self, id: &'a EntityId) -> &'a str {
        self.entity(id)
            .map_or(id.0.as_str(), |entity| entity.name.as_str())
    }

    /// Takes over what was committed.
    pub fn apply(&mut self, changes: &Changes) {
        if changes.clear {
            *self = Self::default();
        }
        for id in &changes.erased {
            if let Some(memory) = self.memories.remove(id) {
                self.unlink(&memory);
            }
        }
        for memory in &changes.memories {
            if let Some(old) = self.memories.insert(memory.id, memory.clone()) {
                self.unlink(&old);
            }
            self.link(memory);
        }
        for id in &changes.entities_gone {
            self.entities.remove(id);
        }
        for entity in &changes.entities {
            self.entities.insert(entity.id.clone(), entity.clone());
        }
        for key in &changes.relations_gone {
            self.relations.remove(key);
        }
        for relation in &changes.relations {
            self.relations
                .insert(relation_key(relation), relation.clone());
        }
    }

    fn link(&mut self, memory: &Memory) {
        if memory.is_listed() && memory.is_current() {
            let hash = normalized_hash(memory.text());
            self.by_hash.entry(hash).or_default().insert(memory.id);
        }
        if memory.kind == Kind::Message {
            let key = memory.scope.conversation();
            self.conversations.entry(key).or_default().insert(memory.id);
        }
        for source in memory.versions.iter().flat_map(|version| &version.sources) {
            self.derived.entry(*source).or_default().insert(memory.id);
        }
    }

    fn unlink(&mut self, memory: &Memory) {
        remove_from(
            &mut self.by_hash,
            &normalized_hash(memory.text()),
            &memory.id,
        );
        for source in memory.versions.iter().flat_map(|version| &version.sources) {
            remove_from(&mut self.derived, source, &memory.id);
        }
        let conversation = memory.scope.conversation();
        if let Some(ids) = self.conversations.get_mut(&conversation) {
            ids.remove(&memory.id);
            if ids.is_empty() {
                self.conversations.remove(&conversation);
            }
        }
    }
}

fn remove_from<K: std::hash::Hash + Eq>(map: &mut HashMap<K, BTreeSet<Id>>, key: &K, id: &Id) {
    if let Some(ids) = map.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            map.remove(key);
        }
    }
}
