//! What many memories have in common, once for all of them.

use std::hash::Hasher;
use std::rc::Rc;

use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};

use crate::memory::Traits;

/// [`Traits`] by place, each once, as long as a memory holds them.
#[derive(Debug, Default)]
pub(super) struct TraitsTable {
    entries: Vec<Option<Entry>>,
    by_hash: HashTable<u32>,
    /// Places by where their traits are in memory.
    by_pointer: FxHashMap<*const Traits, u32>,
    free: Vec<u32>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    traits: Rc<Traits>,
    hash: u64,
    holders: u32,
    bytes: usize,
}

/// What the parts of a value take beside its letters as JSON, about.
const OVERHEAD: usize = 160;

impl TraitsTable {
    /// The one copy of traits, if there is one; else these.
    pub fn intern(&self, traits: Traits) -> Rc<Traits> {
        let (hash, _) = digest(&traits);
        let known = self.find(hash, &traits);
        let known = known.and_then(|place| self.get(place)).cloned();
        known.unwrap_or_else(|| Rc::new(traits))
    }

    /// The place of traits; to be released as often as held.
    pub fn hold(&mut self, traits: &Rc<Traits>) -> u32 {
        if let Some(place) = self.by_pointer.get(&Rc::as_ptr(traits)).copied() {
            return self.hold_again(place);
        }
        let (hash, length) = digest(traits);
        if let Some(place) = self.find(hash, traits) {
            return self.hold_again(place);
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            (self.entries.len() - 1) as u32
        });
        let entry = Entry {
            traits: traits.clone(),
            hash,
            holders: 1,
            bytes: size_of::<Traits>() + OVERHEAD + 2 * length,
        };
        self.bytes += entry.bytes;
        if let Some(free) = self.entries.get_mut(place as usize) {
            *free = Some(entry);
        }
        let entries = &self.entries;
        let hash_of = |place: &u32| {
            let entry = entries.get(*place as usize).and_then(Option::as_ref);
            entry.map_or(0, |entry| entry.hash)
        };
        self.by_hash.insert_unique(hash, place, hash_of);
        self.by_pointer.insert(Rc::as_ptr(traits), place);
        place
    }

    fn hold_again(&mut self, place: u32) -> u32 {
        if let Some(Some(entry)) = self.entries.get_mut(place as usize) {
            entry.holders += 1;
        }
        place
    }

    /// Gives up a place that was held.
    pub fn release(&mut self, place: u32) {
        let Some(slot) = self.entries.get_mut(place as usize) else {
            return;
        };
        if let Some(entry) = slot {
            entry.holders -= 1;
            if entry.holders == 0 {
                let hash = entry.hash;
                self.bytes -= entry.bytes;
                self.by_pointer.remove(&Rc::as_ptr(&entry.traits));
                *slot = None;
                self.free.push(place);
                if let Ok(found) = self.by_hash.find_entry(hash, |other| *other == place) {
                    found.remove();
                }
            }
        }
    }

    /// The traits at a place that is held.
    pub fn get(&self, place: u32) -> Option<&Rc<Traits>> {
        Some(&self.entry(place)?.traits)
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.bytes + self.entries.capacity() * size_of::<Option<Entry>>()
    }

    fn entry(&self, place: u32) -> Option<&Entry> {
        self.entries.get(place as usize)?.as_ref()
    }

    fn find(&self, hash: u64, traits: &Traits) -> Option<u32> {
        let is_same = |place: &u32| {
            let entry = self.entry(*place);
            entry.is_some_and(|entry| *entry.traits == *traits)
        };
        self.by_hash.find(hash, is_same).copied()
    }
}

/// A hash of traits, and their length as JSON.
fn digest(traits: &Traits) -> (u64, usize) {
    let json = serde_json::to_vec(traits).unwrap_or_default();
    let mut hasher = FxHasher::default();
    hasher.write(&json);
    (hasher.finish(), json.len())
}
