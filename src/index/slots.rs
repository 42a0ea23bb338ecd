//! Which document stands in which slot.

use std::collections::BTreeSet;
use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::Slot;

/// Gives slots to documents, and freed slots to new ones.
#[derive(Debug, Clone)]
pub struct Slots<K> {
    by_key: FxHashMap<K, Slot>,
    keys: Vec<Option<K>>,
    free: BTreeSet<Slot>,
}

impl<K> Default for Slots<K> {
    fn default() -> Self {
        Self {
            by_key: FxHashMap::default(),
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

    /// Puts a document where it was before; [`Slots::restored`] ends this.
    pub fn restore(&mut self, slot: Slot, key: K) {
        let at = slot as usize;
        if self.keys.len() <= at {
            self.keys.resize(at + 1, None);
        }
        if let Some(place) = self.keys.get_mut(at) {
            *place = Some(key);
        }
        self.by_key.insert(key, slot);
    }

    /// Finds the slots that are free, after the last [`Slots::restore`].
    pub fn restored(&mut self) {
        let free = (0..).zip(&self.keys).filter(|(_, key)| key.is_none());
        self.free = free.map(|(slot, _)| slot).collect();
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.by_key.capacity() * size_of::<(K, Slot)>()
            + self.keys.capacity() * size_of::<Option<K>>()
    }

    /// How many slots there are, free ones too.
    pub fn count(&self) -> usize {
        self.keys.len()
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
