//! An inverted index with BM25 scores, in few bytes.

mod chain;
mod codec;
mod forward;
mod page;
mod sharing;
mod terms;
#[cfg(test)]
mod tests;

use self::chain::{Chain, Document};
use self::codec::{Entries, Entry, Times, read, write};
use self::forward::Forward;
use self::terms::{Table, Term};
use super::{Bitmap, Language, Scored, Slot, best_positive};
use crate::compact::OrderedMap;

pub use self::chain::Position;
pub use self::page::KeywordPage;

/// How soon repetition of a term stops to count: k1 of BM25.
const K1: f32 = 1.2;

/// How much long documents are held back: b of BM25.
const B: f32 = 0.5;

/// How much a term in the text of the documents before one counts for it, the nearest first, in quarters: an answer
/// is found by its question, and by what led to it.
const CONTEXT: [u32; 2] = [2, 1];

/// Bytes of postings that a new term has room for: one document.
const ROOM: usize = 4;

/// What is indexed of a document.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The language that its terms are stemmed by.
    pub language: Language,
    /// The terms of its text, in any order. They are context for the documents after it.
    pub text: &'a [String],
    /// Terms that are told about it, as its date. They are nobody's context.
    pub about: &'a [String],
}

/// A keyword index: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
/// Beyond", 2009) over weighted fields, where term frequencies and lengths are sums of weights
/// (§3.6 there), in quarters. The fields of a document are its own terms and, with less weight, the texts of the two
/// before it in its conversation; these are looked up when a question comes. Adding and removing a document cost its
/// terms; after a removal every score is as if the document had never been.
#[derive(Debug, Clone, Default)]
pub struct KeywordIndex {
    terms: Table,
    forward: Forward,
    chain: Chain,
    /// Room for the terms of each document while pages are [restored](KeywordIndex::restore); else empty.
    room: Vec<Vec<(Term, Times)>>,
}

impl KeywordIndex {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many documents it holds.
    pub fn len(&self) -> usize {
        self.chain.count()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in memory: what is allocated, with what the heap adds to each allocation.
    pub fn bytes(&self) -> usize {
        self.terms.bytes() + self.forward.bytes() + self.chain.bytes()
    }

    /// The mean length of its documents, in terms.
    pub fn average_length(&self) -> f32 {
        self.chain.total() as f32 / 4.0 / self.len().max(1) as f32
    }

    /// The languages of its documents, each once.
    pub fn languages(&self) -> Vec<Language> {
        self.chain.languages().collect()
    }

    /// The document that comes after one.
    pub fn after(&self, slot: Slot) -> Option<Slot> {
        let after = self.chain.after(slot);
        self.chain.get(after).map(|_| after)
    }

    /// Puts a document into a slot, replacing what was there.
    pub fn insert(&mut self, slot: Slot, document: &Terms<'_>, position: Position) {
        self.remove(slot);
        let (text, about) = (document.text, document.about);
        let mut terms: Vec<(Term, Times)> = Vec::with_capacity(text.len() + about.len());
        for word in text {
            terms.push((self.terms.assign(word, ROOM), Times { text: 1, about: 0 }));
        }
        for word in about {
            terms.push((self.terms.assign(word, ROOM), Times { text: 0, about: 1 }));
        }
        terms.sort_unstable_by_key(|(term, _)| *term);
        terms.dedup_by(|(term, times), (kept, sum)| {
            let is_same = term == kept;
            if is_same {
                sum.text += times.text;
                sum.about += times.about;
            }
            is_same
        });
        for (term, times) in &terms {
            self.terms.set(*term, slot, Some(*times));
        }
        self.remember(slot, &terms, &mut Vec::new());
        let document = Document::new(document.language, text.len(), about.len());
        self.chain.insert(slot, document, position);
    }

    /// Keeps the terms of a document, ascending; `encoded` is room to do it.
    fn remember(&mut self, slot: Slot, terms: &[(Term, Times)], encoded: &mut Vec<u8>) {
        encoded.clear();
        let mut before = None;
        for (term, times) in terms {
            write(encoded, before, *term, *times);
            before = Some(*term);
        }
        self.forward.put(slot, encoded);
    }

    /// Empties a slot. What came before and after the document become neighbours.
    pub fn remove(&mut self, slot: Slot) {
        if self.chain.remove(slot).is_none() {
            return;
        }
        for entry in read(self.forward.get(slot)) {
            self.terms.set(entry.number, slot, None);
        }
        self.forward.put(slot, &[]);
    }

    /// The `k` documents that answer `query` best among the `allowed` slots (all when `None`), best first;
    /// ties by slot. Each word of the query is given by the terms that it may stand for, which count as one. A score
    /// is the share of the query that a document covers, 0 to 1: the BM25 sum divided by the most that any document
    /// could reach for this query.
    pub fn search(&self, query: &[Vec<String>], k: usize, allowed: Option<&Bitmap>) -> Vec<Scored> {
        let average = self.average_length().max(1.0);
        let mut weights: OrderedMap<&[String], f32> = OrderedMap::new();
        for word in query {
            weights.change(word, |weight| *weight += 1.0);
        }
        let mut found = Found::new(self.chain.slots());
        let mut most = 0.0f32;
        for (word, weight) in weights {
            for term in word.iter().filter_map(|term| self.terms.get(term)) {
                found.count(&self.chain, self.terms.postings(term));
            }
            let matching = found.matching;
            let highest = weight * self.rarity(matching) * (K1 + 1.0);
            most += highest;
            // In quarters like the lengths and frequencies, which leaves the ratio as it is.
            found.score(allowed, |slot, frequency| {
                let norm = 4.0 * K1 * (1.0 - B) + K1 * B / average * self.chain.length(slot) as f32;
                highest * frequency / (frequency + norm)
            });
        }
        let most = most.max(f32::MIN_POSITIVE);
        let mut best = best_positive(&found.scores, k);
        best.iter_mut().for_each(|(_, score)| *score /= most);
        best
    }
}

/// What a search has found, word by word.
struct Found {
    /// By slot.
    scores: Vec<f32>,
    /// How often the word that is counted is in the document of each slot, in quarters: its own and what its context
    /// gives.
    quarters: Vec<u16>,
    /// The documents that have it come first.
    slots: Vec<Slot>,
    matching: usize,
}

impl Found {
    fn new(slots: usize) -> Self {
        Self {
            scores: vec![0.0; slots],
            quarters: vec![0; slots],
            slots: vec![0; slots + 1],
            matching: 0,
        }
    }

    /// Counts the documents of a term, and those after them.
    fn count(&mut self, chain: &Chain, postings: Entries<'_>) {
        for Entry { number, times } in postings {
            self.add(number, 4 * (times.text + times.about));
            if times.text > 0 {
                let mut slot = number;
                for quarters in CONTEXT {
                    slot = chain.after(slot);
                    self.add(slot, quarters * times.text);
                }
            }
        }
    }

    #[inline]
    fn add(&mut self, slot: Slot, quarters: u32) {
        let known = self.quarters.get_mut(slot as usize);
        if let (Some(known), Some(next)) = (known, self.slots.get_mut(self.matching)) {
            // Without a branch, as no processor can foresee it.
            *next = slot;
            self.matching += usize::from(*known == 0);
            *known = known.saturating_add(quarters.min(u16::MAX.into()) as u16);
        }
    }

    /// Scores the allowed ones of the documents that were counted, and is ready to count another word.
    fn score(&mut self, allowed: Option<&Bitmap>, score: impl Fn(Slot, f32) -> f32) {
        for slot in self.slots.iter().take(self.matching) {
            let at = *slot as usize;
            if let (Some(quarters), Some(sum)) =
                (self.quarters.get_mut(at), self.scores.get_mut(at))
            {
                if allowed.is_none_or(|allowed| allowed.contains(*slot)) {
                    *sum += score(*slot, f32::from(*quarters));
                }
                *quarters = 0;
            }
        }
        self.matching = 0;
    }
}
