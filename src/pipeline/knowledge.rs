//! What a space knows: of each memory a [`Card`], its graph, and the look-ups that the phases need. The words of
//! memories stay in storage, but for those lately read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Deref};
use std::rc::Rc;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::memory::{
    Card, Entity, EntityId, Filter, Id, Kind, Memory, Object, Relation, Scope, Subject, Traits,
    says,
};
use crate::store::records::{RecordError, decode, decode_vectors};
use crate::store::{Changes, Storage, StorageError, Table, relation_key};

/// Memories that are kept with their words after they were read.
const LATELY: usize = 1_000;

/// Bytes that a card takes with its places in the look-ups, an entity or a relation, and a memory with its words:
/// about, as measured.
const BYTES_OF_CARD: usize = 400;
const BYTES_OF_NODE: usize = 500;
const BYTES_OF_MEMORY: usize = 1_000;

/// Ids from one on, whatever comes with them.
const FIRST: Id = Id::FIRST;

/// Cards and graph of one space.
#[derive(Debug, Default)]
pub struct Knowledge {
    cards: BTreeMap<Id, Card>,
    /// Current listed memories by what they say.
    said: BTreeSet<(u64, Id)>,
    /// Messages of each conversation, oldest first.
    conversations: FxHashMap<Scope, BTreeSet<Id>>,
    /// Messages, and the facts that came from them.
    derived: BTreeSet<(Id, Id)>,
    /// Entities, and the memories that mention them.
    mentions: BTreeMap<EntityId, BTreeSet<Id>>,
    entities: BTreeMap<EntityId, Entity>,
    relations: BTreeMap<String, Relation>,
    traits: FxHashMap<String, Rc<Traits>>,
    lately: RefCell<FxHashMap<Id, Rc<Memory>>>,
    /// Why a memory could not be read. See [`Known::check`].
    unreadable: RefCell<Option<ReadError>>,
}

/// Why a memory that is known could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Its record is not readable.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// What a space knows, together with the storage that has the words.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    knowledge: &'a Knowledge,
    storage: &'a dyn Storage,
}

/// A memory as a filter sees it: its words are read only when a condition is on them.
struct Described<'a> {
    card: &'a Card,
    known: Known<'a>,
}

impl Subject for Described<'_> {
    fn field(&self, name: &str) -> Option<serde_json::Value> {
        match name {
            "text" => Some(self.known.memory(&self.card.id)?.text().into()),
            name => self.card.field(name),
        }
    }
}

impl<'a> Known<'a> {
    /// Puts knowledge and storage together.
    pub fn new(knowledge: &'a Knowledge, storage: &'a dyn Storage) -> Self {
        Self { knowledge, storage }
    }

    /// One memory with its words. One that cannot be read is as if it were not there, until
    /// [`Known::check`] tells why.
    pub fn memory(&self, id: &Id) -> Option<Rc<Memory>> {
        self.knowledge.card(id)?;
        if let Some(memory) = self.knowledge.lately.borrow().get(id) {
            return Some(memory.clone());
        }
        match self.read(id) {
            Ok(memory) => {
                let memory = Rc::new(memory?);
                self.knowledge.remember(memory.clone());
                Some(memory)
            }
            Err(error) => {
                self.knowledge.unreadable.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    fn read(&self, id: &Id) -> Result<Option<Memory>, ReadError> {
        let key = id.to_string();
        match self.storage.read(Table::Memories, &key)? {
            Some(bytes) => Ok(Some(decode(Table::Memories, &key, &bytes)?)),
            None => Ok(None),
        }
    }

    /// The stored vectors of memories' passages, read at once. What cannot be read is as if it were not there,
    /// until [`Known::check`] tells why; a damaged record is made anew when the space is opened again.
    pub fn vectors(&self, ids: &[Id]) -> Vec<Option<Vec<Vec<f32>>>> {
        let keys: Vec<String> = ids.iter().map(Id::to_string).collect();
        match self.storage.read_many(Table::Vectors, &keys) {
            Ok(records) => {
                let records = keys.iter().zip(records);
                records
                    .map(|(key, record)| decode_vectors(key, &record?).ok())
                    .collect()
            }
            Err(error) => {
                let mut unreadable = self.knowledge.unreadable.borrow_mut();
                unreadable.get_or_insert(error.into());
                Vec::new()
            }
        }
    }

    /// Whether everything that was asked for could be read; to be asked before an answer is given or a change
    /// is committed.
    ///
    /// # Errors
    /// The first failure since this was last asked.
    pub fn check(&self) -> Result<(), ReadError> {
        match self.knowledge.unreadable.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether a filter selects a memory.
    pub fn selects(self, filter: &Filter, card: &'a Card) -> bool {
        filter.matches(&Described { card, known: self })
    }
}

impl Deref for Known<'_> {
    type Target = Knowledge;

    fn deref(&self) -> &Knowledge {
        self.knowledge
    }
}

impl Knowledge {
    /// One memory without its words.
    pub fn card(&self, id: &Id) -> Option<&Card> {
        self.cards.get(id)
    }

    /// All memories without their words, oldest first.
    pub fn cards(&self) -> impl DoubleEndedIterator<Item = &Card> {
        self.cards.values()
    }

    /// The memories with `count` sequence numbers from `first` on.
    pub fn cards_of_sequences(&self, first: u32, count: u32) -> impl Iterator<Item = &Card> {
        let space = self.cards.keys().next().map(Id::space);
        let from = space.map_or(FIRST, |space| Id::new(space, first, 0));
        let cards = self.cards.range(from..).map(|(_, card)| card);
        cards.take_while(move |card| card.id.sequence() - first < count)
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.cards.len() * BYTES_OF_CARD
            + (self.entities.len() + self.relations.len()) * BYTES_OF_NODE
            + self.lately.borrow().len() * BYTES_OF_MEMORY
    }

    /// The current, listed memories that say exactly this.
    pub fn duplicates_of(&self, text: &str) -> impl Iterator<Item = Id> {
        let says = says(text);
        let same = self.said.range((says, FIRST)..);
        same.take_while(move |(other, _)| *other == says)
            .map(|(_, id)| *id)
    }

    /// The messages of a conversation, oldest first.
    pub fn conversation(&self, scope: &Scope) -> impl DoubleEndedIterator<Item = Id> {
        let ids = self.conversations.get(scope);
        ids.into_iter().flatten().copied()
    }

    /// The messages before one in its conversation, the nearest first.
    pub fn predecessors(&self, scope: &Scope, message: &Id) -> impl Iterator<Item = Id> {
        let ids = self.conversations.get(scope);
        let before = ids.map(|ids| ids.range(..message).rev());
        before.into_iter().flatten().copied()
    }

    /// The messages after one in its conversation, the nearest first.
    pub fn successors(&self, scope: &Scope, message: &Id) -> impl Iterator<Item = Id> {
        let ids = self.conversations.get(scope);
        let after = (Bound::Excluded(message), Bound::Unbounded);
        let after = ids.map(|ids| ids.range::<Id, _>(after));
        after.into_iter().flatten().copied()
    }

    /// The facts that came from a message.
    pub fn facts_of(&self, message: &Id) -> impl Iterator<Item = &Card> {
        let message = *message;
        let facts = self.derived.range((message, FIRST)..);
        facts
            .take_while(move |(source, _)| *source == message)
            .filter_map(|(_, fact)| self.card(fact))
    }

    /// The memories that mention an entity, oldest first.
    pub fn mentions(&self, entity: &EntityId) -> impl Iterator<Item = Id> {
        self.mentions.get(entity).into_iter().flatten().copied()
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
            self.lately.get_mut().remove(id);
            if let Some(card) = self.cards.remove(id) {
                self.unlink(&card);
            }
        }
        for memory in &changes.memories {
            self.lately.get_mut().remove(&memory.id);
            let traits = self.intern(Traits::of(memory));
            self.put(Card::of(memory, traits));
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

    /// Takes in a card in place of the one of the same id.
    pub fn put(&mut self, card: Card) {
        if let Some(old) = self.cards.remove(&card.id) {
            self.unlink(&old);
        }
        self.link(&card);
        self.cards.insert(card.id, card);
    }

    /// The one copy of traits.
    pub fn intern(&mut self, traits: Traits) -> Rc<Traits> {
        let key = serde_json::to_string(&traits).unwrap_or_default();
        if self.traits.len() >= self.traits.capacity() {
            self.traits.retain(|_, known| Rc::strong_count(known) > 1);
        }
        let known = self.traits.entry(key);
        known.or_insert_with(|| Rc::new(traits)).clone()
    }

    fn remember(&self, memory: Rc<Memory>) {
        let mut lately = self.lately.borrow_mut();
        if lately.len() >= LATELY {
            lately.clear();
        }
        lately.insert(memory.id, memory);
    }

    fn link(&mut self, card: &Card) {
        if card.is_listed() && card.current {
            self.said.insert((card.says, card.id));
        }
        if card.kind == Kind::Message {
            match self.conversations.get_mut(&card.traits.scope) {
                Some(ids) => ids.insert(card.id),
                None => {
                    let first = BTreeSet::from([card.id]);
                    self.conversations.insert(card.traits.scope.clone(), first);
                    true
                }
            };
        }
        for source in card.all_sources() {
            self.derived.insert((*source, card.id));
        }
        for entity in &card.entities {
            let memories = self.mentions.entry(entity.clone());
            memories.or_default().insert(card.id);
        }
    }

    fn unlink(&mut self, card: &Card) {
        self.said.remove(&(card.says, card.id));
        for source in card.all_sources() {
            self.derived.remove(&(*source, card.id));
        }
        for entity in &card.entities {
            if let Some(memories) = self.mentions.get_mut(entity) {
                memories.remove(&card.id);
                if memories.is_empty() {
                    self.mentions.remove(entity);
                }
            }
        }
        if let Some(ids) = self.conversations.get_mut(&card.traits.scope) {
            ids.remove(&card.id);
            if ids.is_empty() {
                self.conversations.remove(&card.traits.scope);
            }
        }
    }
}
