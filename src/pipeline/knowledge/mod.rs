//! What a space knows: of each memory a [`Card`], its graph, and the look-ups that the phases need. The words of
//! memories stay in storage, but for those lately read.

mod asked_by;
mod cards;
mod graph;
mod rows;
mod sketch;
mod traits;

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use rustc_hash::FxHashMap;
use thiserror::Error;

pub use cards::Cards;
pub use graph::Graph;
pub use rows::SEQUENCES;
pub(super) use sketch::Sketch;
pub use sketch::{flags_of, set_flags};

use super::timed::times_of;
use crate::memory::{Card, Filter, Id, Memory, Subject, Traits};
use crate::store::records::{RecordError, decode, decode_vectors};
use crate::store::{Changes, Storage, StorageError, Table};

/// Memories that are kept with their words after they were read.
const LATELY: usize = 1_000;

/// Bytes that a memory with its words takes: about, as measured.
const BYTES_OF_MEMORY: usize = 1_000;

/// Cards and graph of one space.
#[derive(Debug, Default)]
pub struct Knowledge {
    cards: Cards,
    graph: Graph,
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

    /// What is known without words.
    pub fn knowledge(&self) -> &'a Knowledge {
        self.knowledge
    }

    /// One memory with its words. One that cannot be read is as if it were not there, until
    /// [`Known::check`] tells why.
    pub fn memory(&self, id: &Id) -> Option<Rc<Memory>> {
        if !self.knowledge.contains(id) {
            return None;
        }
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

    /// Reads memories that will be asked for one by one, all at once.
    pub fn fetch(&self, ids: impl Iterator<Item = Id>) {
        let lately = self.knowledge.lately.borrow();
        let unread = ids.filter(|id| self.knowledge.contains(id) && !lately.contains_key(id));
        let keys: Vec<String> = unread.map(|id| id.to_string()).collect();
        drop(lately);
        // What fails here fails again when it is asked for, and is told then.
        let read = match keys.len() {
            0 | 1 => return,
            _ => self.storage.read_many(Table::Memories, &keys),
        };
        for (key, bytes) in keys.iter().zip(read.unwrap_or_default()) {
            let memory = bytes.map(|bytes| decode::<Memory>(Table::Memories, key, &bytes));
            if let Some(Ok(memory)) = memory {
                self.knowledge.remember(Rc::new(memory));
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
    pub fn selects(self, filter: &Filter, card: &Card) -> bool {
        filter.matches(&Described { card, known: self })
    }
}

impl Deref for Known<'_> {
    type Target = Knowledge;

    fn deref(&self) -> &Knowledge {
        self.knowledge
    }
}

impl Deref for Knowledge {
    type Target = Cards;

    fn deref(&self) -> &Cards {
        &self.cards
    }
}

impl DerefMut for Knowledge {
    fn deref_mut(&mut self) -> &mut Cards {
        &mut self.cards
    }
}

impl Knowledge {
    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.cards.bytes() + self.graph.bytes() + self.lately.borrow().len() * BYTES_OF_MEMORY
    }

    /// Entities, relations and contradictions.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Takes over what was committed.
    pub fn apply(&mut self, changes: &Changes) {
        if changes.clear {
            *self = Self::default();
        }
        for id in &changes.erased {
            self.lately.get_mut().remove(id);
            self.cards.remove(id);
        }
        for memory in &changes.memories {
            self.lately.get_mut().remove(&memory.id);
            let traits = self.cards.intern(Traits::of(memory));
            self.cards.put(&Card::of(memory, traits, times_of(memory)));
        }
        self.graph.apply(changes);
    }

    fn remember(&self, memory: Rc<Memory>) {
        let mut lately = self.lately.borrow_mut();
        if lately.len() >= LATELY {
            lately.clear();
        }
        lately.insert(memory.id, memory);
    }
}
