//! Which document stands in which slot.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::Slot;

/// Gives slots to documents, and freed slots to new ones.
#[derive(Debug, Clone)]
pub struct Slots<K> {
    by_key: HashMap<K, Slot>,
    keys: Vec<Option<K>>,
    free: BTreeSet<Slot>,
}

impl<K> Default for Slots<K> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            keys: Vec::new(),
            free: BTreeSet::new(),
        }
    }
}

impl<K: Copy + Eq + Hash> Slots<K> {
    /// The slot of a document, if it has one.
    pub fn get(&self, key: &K) -> Option<Slot> {
        self.by_key.get(key).copied()
    }

    /// The slot of a document, a new one if it has none.
    pub fn assign(&mut self, key: K) -> Slot {
        if let Some(slot) = self.get(&key) {
            return slot;
        }
        let slot = match self.free.pop_first() {
            Some(slot) => slot,
            None => {
                self.keys.push(None);
                (self.keys.len() - 1) as Slot
            }
        };
        if let Some(place) = self.keys.get_mut(slot as usize) {
            *place = Some(key);
        }
        self.by_key.insert(key, slot);
        slot
    }

    /// Frees the slot of a document and says which it was.
    pub fn release(&mut self, key: &K) -> Option<Slot> {
        let slot = self.by_key.remove(key)?;
        if let Some(place) = self.keys.get_mut(slot as usize) {
            *place = None;
        }
        self.free.insert(slot);
        Some(slot)
    }

    /// The document in a slot.
    pub fn key(&self, slot: Slot) -> Option<K> {
        self.keys.get(slot as usize).copied().flatten()
    }
}
