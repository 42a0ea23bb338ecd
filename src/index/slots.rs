//! Which document stands in which slot.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::Slot;
use crate::compact::OrderedSet;

/// Gives slots to documents, and freed slots to new ones.
#[derive(Debug, Clone)]
pub struct Slots<K> {
    by_key: HashTable<Slot>,
    keys: Vec<Option<K>>,
    free: OrderedSet<Slot>,
}

impl<K> Default for Slots<K> {
    fn default() -> Self {
        Self {
            by_key: HashTable::default(),
            keys: Vec::new(),
            free: OrderedSet::new(),
        }
    }
}

impl<K: Copy + Eq + Hash> Slots<K> {
    /// The slot of a document, if it has one.
    pub fn get(&self, key: &K) -> Option<Slot> {
        let is_same = |slot: &Slot| self.key(*slot) == Some(*key);
        self.by_key.find(hash(&Some(*key)), is_same).copied()
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
        self.put(slot, key);
        slot
    }

    fn put(&mut self, slot: Slot, key: K) {
        if let Some(place) = self.keys.get_mut(slot as usize) {
            *place = Some(key);
        }
        let keys = &self.keys;
        let hash_of = |slot: &Slot| keys.get(*slot as usize).map_or(0, hash);
        self.by_key.insert_unique(hash(&Some(key)), slot, hash_of);
    }

    /// Puts a document where it was before; [`Slots::restored`] ends this.
    pub fn restore(&mut self, slot: Slot, key: K) {
        let at = slot as usize;
        if self.keys.len() <= at {
            self.keys.resize(at + 1, None);
        }
        self.put(slot, key);
    }

    /// Finds the slots that are free, after the last [`Slots::restore`].
    pub fn restored(&mut self) {
        let free = (0..).zip(&self.keys).filter(|(_, key)| key.is_none());
        self.free = free.map(|(slot, _)| slot).collect();
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.by_key.capacity() * (size_of::<Slot>() + 1) * 8 / 7
            + self.keys.capacity() * size_of::<Option<K>>()
    }

    /// How many slots there are, free ones too.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// Frees the slot of a document and says which it was.
    pub fn release(&mut self, key: &K) -> Option<Slot> {
        let is_same = |slot: &Slot| self.keys.get(*slot as usize) == Some(&Some(*key));
        let found = self.by_key.find_entry(hash(&Some(*key)), is_same).ok()?;
        let (slot, _) = found.remove();
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

fn hash<K: Hash>(key: &Option<K>) -> u64 {
    FxBuildHasher.hash_one(key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_document_keeps_its_slot_until_it_is_released(
            steps in prop::collection::vec((0u16..40, any::<bool>()), 0..200),
        ) {
            let mut slots = Slots::default();
            let mut expected = BTreeMap::new();
            for (key, assign) in steps {
                if assign {
                    let slot = slots.assign(key);
                    prop_assert_eq!(*expected.entry(key).or_insert(slot), slot);
                } else {
                    prop_assert_eq!(slots.release(&key), expected.remove(&key));
                }
            }
            let mut restored = Slots::default();
            for (key, slot) in &expected {
                restored.restore(*slot, *key);
            }
            restored.restored();
            for key in 0..40 {
                prop_assert_eq!(slots.get(&key), expected.get(&key).copied());
                prop_assert_eq!(restored.get(&key), expected.get(&key).copied());
                let slot = slots.get(&key);
                prop_assert!(slot.is_none_or(|slot| slots.key(slot) == Some(key)));
            }
            let fresh = restored.assign(99);
            prop_assert!(expected.values().all(|slot| *slot != fresh));
        }
    }
}
