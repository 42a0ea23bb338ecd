//! The terms of a keyword index with their postings.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::ROOM;
use super::codec::{Entries, Times, allocation, read, reserve, set, write};
use crate::index::Slot;

/// A term's place in the table. A term that no document has any more leaves its place to a new one.
pub(super) type Term = u32;

#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    by_word: HashTable<Term>,
    postings: Vec<Postings>,
    free: Vec<Term>,
    /// Bytes that the postings have allocated.
    allocated: usize,
}

/// A word and then its documents by slot, in one buffer.
#[derive(Debug, Clone, Default)]
struct Postings {
    bytes: Vec<u8>,
    /// Bytes of the word.
    word: u32,
    /// The slot after the last of its documents; 0 when there is none.
    end: Slot,
    /// How many documents there are.
    count: u32,
}

impl Postings {
    fn word(&self) -> &[u8] {
        self.bytes.get(..self.word as usize).unwrap_or_default()
    }

    fn list(&self) -> &[u8] {
        self.bytes.get(self.word as usize..).unwrap_or_default()
    }
}

fn hash(word: &[u8]) -> u64 {
    FxBuildHasher.hash_one(word)
}

impl Table {
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.by_word.len()
    }

    pub fn bytes(&self) -> usize {
        // A control byte beside each place of the table.
        let places = self.by_word.capacity() * 8 / 7;
        self.allocated
            + allocation(places * (size_of::<Term>() + 1))
            + allocation(self.postings.capacity() * size_of::<Postings>())
            + allocation(self.free.capacity() * size_of::<Term>())
    }

    pub fn get(&self, word: &str) -> Option<Term> {
        let word = word.as_bytes();
        let is_it = |term: &Term| self.word_bytes(*term) == word;
        self.by_word.find(hash(word), is_it).copied()
    }

    /// The term of a word, a new one if there is none, with room for so many bytes of postings.
    pub fn assign(&mut self, word: &str, room: usize) -> Term {
        if let Some(term) = self.get(word) {
            return term;
        }
        let term = self.free.pop().unwrap_or_else(|| {
            reserve(&mut self.postings, 1);
            self.postings.push(Postings::default());
            (self.postings.len() - 1) as Term
        });
        self.edit(term, |postings| {
            postings.bytes.reserve_exact(word.len() + room);
            postings.bytes.extend_from_slice(word.as_bytes());
            postings.word = word.len() as u32;
        });
        let postings = &self.postings;
        let rehash = |term: &Term| hash(postings.get(*term as usize).map_or(&[], Postings::word));
        self.by_word
            .insert_unique(hash(word.as_bytes()), term, rehash);
        term
    }

    pub fn word(&self, term: Term) -> &str {
        std::str::from_utf8(self.word_bytes(term)).unwrap_or_default()
    }

    fn word_bytes(&self, term: Term) -> &[u8] {
        let postings = self.postings.get(term as usize);
        postings.map_or(&[], Postings::word)
    }

    /// How many documents have a term, be it only about them.
    pub fn count(&self, term: Term) -> usize {
        let postings = self.postings.get(term as usize);
        postings.map_or(0, |postings| postings.count as usize)
    }

    /// The documents of a term.
    pub fn postings(&self, term: Term) -> Entries<'_> {
        let postings = self.postings.get(term as usize);
        read(postings.map_or(&[], Postings::list))
    }

    /// Takes in the documents of a term that come after all that it has: `postings` count from slot `first` on.
    /// [`Table::restored`] ends this.
    pub fn append(&mut self, term: Term, first: Slot, postings: &[u8]) {
        let mut entries = read(postings);
        let Some(head) = entries.next() else { return };
        let rest = entries.bytes;
        let (mut last, mut count) = (head, 1);
        for entry in entries {
            (last, count) = (entry, count + 1);
        }
        self.edit(term, |it| {
            let before = it.end.checked_sub(1);
            let slot = first.saturating_add(head.number);
            // In larger steps than else, as many come one after the other.
            if it.bytes.capacity() - it.bytes.len() < postings.len() {
                it.bytes.reserve(postings.len());
            }
            write(&mut it.bytes, before, slot, head.times);
            it.bytes.extend_from_slice(rest);
            it.end = first.saturating_add(last.number).saturating_add(1);
            it.count += count;
        });
    }

    /// Gives back what [`Table::append`] took too much.
    pub fn restored(&mut self) {
        for postings in &mut self.postings {
            let bytes = &mut postings.bytes;
            if bytes.capacity() - bytes.len() > bytes.len() / 8 + ROOM {
                self.allocated -= allocation(bytes.capacity());
                bytes.shrink_to_fit();
                self.allocated += allocation(bytes.capacity());
            }
        }
    }

    /// Says how often a document has a term; `None` when it no longer has it.
    pub fn set(&mut self, term: Term, slot: Slot, times: Option<Times>) {
        let is_last = self.edit(term, |postings| {
            let start = postings.word as usize;
            let last = postings.end.checked_sub(1);
            let (last, was_there) = set(&mut postings.bytes, start, last, slot, times);
            postings.end = last.map_or(0, |last| last.saturating_add(1));
            match (times.is_some(), was_there) {
                (true, false) => postings.count += 1,
                (false, true) => postings.count -= 1,
                _ => {}
            }
            last.is_none()
        });
        if is_last == Some(true) {
            let hash = hash(self.word_bytes(term));
            if let Ok(known) = self.by_word.find_entry(hash, |other| *other == term) {
                known.remove();
            }
            self.edit(term, |postings| *postings = Postings::default());
            self.free.push(term);
        }
    }

    fn edit<T>(&mut self, term: Term, change: impl FnOnce(&mut Postings) -> T) -> Option<T> {
        let postings = self.postings.get_mut(term as usize)?;
        self.allocated -= allocation(postings.bytes.capacity());
        let result = change(postings);
        self.allocated += allocation(postings.bytes.capacity());
        Some(result)
    }
}
