//! An inverted index with BM25 scores.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Bitmap, Scored, Slot, best};

/// How soon repetition of a term stops to count: k1 of BM25.
const K1: f32 = 1.2;

/// How much long documents are held back: b of BM25.
const B: f32 = 0.5;

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its terms, in order.
    pub terms: Vec<String>,
    /// How much each of its terms counts; 1 for the text itself, less for context.
    pub weight: f32,
}

/// A keyword index: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
/// Beyond", 2009) over weighted fields, where term frequencies and lengths are sums of weights
/// (§3.6 there), in quarters. Adding and removing a document cost its terms; after a removal every score is
/// as if the document had never been.
#[derive(Debug, Clone, Default)]
pub struct KeywordIndex {
    terms: FxHashMap<Box<str>, Term>,
    postings: Vec<Postings>,
    /// Terms that no document has any more.
    free: Vec<Term>,
    documents: Vec<Option<Document>>,
    count: usize,
    /// The sum of all lengths, in quarters.
    total_length: u64,
    /// Postings of all terms.
    entries: usize,
}

/// What the two copies of a word take, about, with what an allocation costs.
const BYTES_OF_WORD: usize = 64;

/// A term's place in the postings.
type Term = u32;

/// The documents of one term, by slot, with how often they have it, in quarters.
#[derive(Debug, Clone, Default)]
struct Postings {
    word: Box<str>,
    slots: Vec<Slot>,
    frequencies: Vec<u8>,
}

impl Postings {
    fn insert(&mut self, slot: Slot, frequency: u8) {
        let at = match self.slots.last() {
            Some(last) if *last >= slot => self.slots.partition_point(|other| *other < slot),
            _ => self.slots.len(),
        };
        self.slots.insert(at, slot);
        self.frequencies.insert(at, frequency);
    }

    fn remove(&mut self, slot: Slot) {
        if let Ok(at) = self.slots.binary_search(&slot) {
            self.slots.remove(at);
            self.frequencies.remove(at);
        }
    }
}

/// The documents of up to 256 slots, to be stored and restored: word by word, in whose documents it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeywordPage<'a> {
    #[serde(borrow)]
    words: Vec<&'a str>,
    /// In how many documents each word is.
    counts: Vec<u16>,
    /// Their slots, less the first of the page, word after word.
    #[serde(with = "bytes")]
    slots: Cow<'a, [u8]>,
    /// How often each has the word, in quarters.
    #[serde(with = "bytes")]
    frequencies: Cow<'a, [u8]>,
    /// The length of each slot's document; `None` for an empty slot.
    lengths: Vec<Option<u32>>,
}

/// Bytes that are borrowed where they are read.
mod bytes {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'de, [u8]>, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Cow::Borrowed)
    }
}

#[derive(Debug, Clone)]
struct Document {
    terms: Box<[Term]>,
    length: u32,
}

impl KeywordIndex {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many documents it holds.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        // A slot and a frequency with room to grow, and the term in its document.
        let entry = (size_of::<Slot>() + 1) * 3 / 2 + size_of::<Term>();
        let word = size_of::<Postings>() + size_of::<(Box<str>, Term)>() + BYTES_OF_WORD;
        self.entries * entry
            + self.postings.len() * word
            + self.documents.capacity() * size_of::<Option<Document>>()
    }

    /// The mean length of its documents, in terms.
    pub fn average_length(&self) -> f32 {
        self.total_length as f32 / 4.0 / self.count.max(1) as f32
    }

    /// Puts a document into a slot, replacing what was there.
    pub fn insert(&mut self, slot: Slot, fields: &[Field]) {
        self.remove(slot);
        let mut frequencies: BTreeMap<&str, u32> = BTreeMap::new();
        let mut length = 0;
        for field in fields {
            let quarters = (field.weight * 4.0).round() as u32;
            for term in &field.terms {
                *frequencies.entry(term).or_default() += quarters;
                length += quarters;
            }
        }
        let mut terms = Vec::with_capacity(frequencies.len());
        for (word, frequency) in frequencies {
            let term = self.term(word);
            if let Some(postings) = self.postings.get_mut(term as usize) {
                postings.insert(slot, frequency.min(255) as u8);
            }
            terms.push(term);
        }
        let terms = terms.into();
        self.put(slot, Document { terms, length });
    }

    fn put(&mut self, slot: Slot, document: Document) {
        let at = slot as usize;
        if self.documents.len() <= at {
            self.documents.resize(at + 1, None);
        }
        if let Some(place) = self.documents.get_mut(at) {
            self.count += 1;
            self.entries += document.terms.len();
            self.total_length += u64::from(document.length);
            *place = Some(document);
        }
    }

    fn term(&mut self, word: &str) -> Term {
        if let Some(term) = self.terms.get(word) {
            return *term;
        }
        let term = self.free.pop().unwrap_or_else(|| {
            self.postings.push(Postings::default());
            (self.postings.len() - 1) as Term
        });
        if let Some(postings) = self.postings.get_mut(term as usize) {
            postings.word = word.into();
        }
        self.terms.insert(word.into(), term);
        term
    }

    /// Empties a slot.
    pub fn remove(&mut self, slot: Slot) {
        let document = self.documents.get_mut(slot as usize);
        let Some(document) = document.and_then(Option::take) else {
            return;
        };
        self.count -= 1;
        self.entries -= document.terms.len();
        self.total_length -= u64::from(document.length);
        for term in document.terms {
            let Some(postings) = self.postings.get_mut(term as usize) else {
                continue;
            };
            postings.remove(slot);
            if postings.slots.is_empty() {
                self.terms.remove(&postings.word);
                *postings = Postings::default();
                self.free.push(term);
            }
        }
    }

    /// The documents in up to 256 slots from `first` on.
    pub fn page(&self, first: Slot, count: usize) -> KeywordPage<'_> {
        let slots = || (0..=u8::MAX).take(count);
        let document = |place: u8| {
            let slot = first as usize + usize::from(place);
            self.documents.get(slot)?.as_ref()
        };
        let mut terms: Vec<Term> = slots()
            .filter_map(document)
            .flat_map(|document| document.terms.iter().copied())
            .collect();
        terms.sort_unstable();
        terms.dedup();
        let mut page = KeywordPage {
            words: Vec::with_capacity(terms.len()),
            counts: Vec::with_capacity(terms.len()),
            slots: Cow::default(),
            frequencies: Cow::default(),
            lengths: slots().map(|place| Some(document(place)?.length)).collect(),
        };
        let end = first.saturating_add(count as Slot);
        for term in terms {
            let Some(postings) = self.postings.get(term as usize) else {
                continue;
            };
            let from = postings.slots.partition_point(|slot| *slot < first);
            let to = postings.slots.partition_point(|slot| *slot < end);
            let within = postings.slots.get(from..to).unwrap_or_default();
            let frequencies = postings.frequencies.get(from..to).unwrap_or_default();
            page.words.push(&postings.word);
            page.counts.push(within.len() as u16);
            let places = within.iter().map(|slot| (slot - first) as u8);
            page.slots.to_mut().extend(places);
            page.frequencies.to_mut().extend_from_slice(frequencies);
        }
        page
    }

    /// Takes in the documents of a page whose first slot is `first`. The slots must be empty, and those after
    /// them too.
    pub fn restore(&mut self, first: Slot, page: &KeywordPage<'_>) {
        let mut documents: Vec<Vec<Term>> = vec![Vec::with_capacity(32); page.lengths.len()];
        let (mut slots, mut frequencies) = (&*page.slots, &*page.frequencies);
        for (word, count) in page.words.iter().zip(&page.counts) {
            let split = slots
                .split_at_checked(usize::from(*count))
                .zip(frequencies.split_at_checked(usize::from(*count)));
            let Some(((places, slots_after), (own, frequencies_after))) = split else {
                return;
            };
            (slots, frequencies) = (slots_after, frequencies_after);
            let term = self.term(word);
            let Some(postings) = self.postings.get_mut(term as usize) else {
                continue;
            };
            let here = places.iter().map(|place| first + Slot::from(*place));
            postings.slots.extend(here);
            postings.frequencies.extend_from_slice(own);
            for place in places {
                if let Some(terms) = documents.get_mut(usize::from(*place)) {
                    terms.push(term);
                }
            }
        }
        for ((slot, length), terms) in (first..).zip(&page.lengths).zip(documents) {
            if let Some(length) = *length {
                let terms = terms.into();
                self.put(slot, Document { terms, length });
            }
        }
    }

    /// The `k` documents that answer `query` best among the `allowed` slots (all when `None`), best first;
    /// ties by slot. A score is the share of the query that a document covers, 0 to 1: the BM25 sum
    /// divided by the most that any document could reach for this query.
    pub fn search(&self, query: &[String], k: usize, allowed: Option<&Bitmap>) -> Vec<Scored> {
        let count = self.count as f32;
        let average = self.average_length().max(1.0);
        let mut weights: BTreeMap<&str, f32> = BTreeMap::new();
        for term in query {
            *weights.entry(term).or_default() += 1.0;
        }
        let mut scores = vec![0.0f32; self.documents.len()];
        let mut most = 0.0f32;
        for (word, weight) in weights {
            let term = self.terms.get(word);
            let postings = term.and_then(|term| self.postings.get(*term as usize));
            let matching = postings.map_or(0, |postings| postings.slots.len()) as f32;
            let idf = (1.0 + (count - matching + 0.5) / (matching + 0.5)).ln();
            most += weight * idf * (K1 + 1.0);
            let Some(postings) = postings else { continue };
            for (slot, quarters) in postings.slots.iter().zip(&postings.frequencies) {
                let (Some(score), Some(Some(document))) = (
                    scores.get_mut(*slot as usize),
                    self.documents.get(*slot as usize),
                ) else {
                    continue;
                };
                let frequency = f32::from(*quarters) / 4.0;
                let length = document.length as f32 / 4.0;
                let norm = K1 * (1.0 - B + B * length / average);
                *score += weight * idf * frequency * (K1 + 1.0) / (frequency + norm);
            }
        }
        let most = most.max(f32::MIN_POSITIVE);
        let found = (0..)
            .zip(scores)
            .filter(|(slot, score)| {
                *score > 0.0 && allowed.is_none_or(|allowed| allowed.contains(*slot))
            })
            .map(|(slot, score)| (slot, score / most));
        best(found.collect(), k)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn field(text: &str, weight: f32) -> Field {
        Field {
            terms: words(text),
            weight,
        }
    }

    #[test]
    fn rare_words_count_more_and_context_counts_less() {
        let mut index = KeywordIndex::new();
        index.insert(0, &[field("tea is nice", 1.0)]);
        index.insert(1, &[field("coffee is nice", 1.0), field("tea", 0.4)]);
        index.insert(2, &[field("rain is wet", 1.0)]);
        let found = index.search(&words("is tea"), 10, None);
        assert_eq!(
            found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        assert!(found.iter().all(|(_, score)| (0.0..=1.0).contains(score)));
    }

    #[test]
    fn a_word_nobody_said_finds_nothing() {
        let mut index = KeywordIndex::new();
        index.insert(0, &[field("tea", 1.0)]);
        assert!(index.search(&words("coffee"), 10, None).is_empty());
        assert!(
            KeywordIndex::new()
                .search(&words("tea"), 10, None)
                .is_empty()
        );
    }

    proptest! {
        #[test]
        fn a_removed_document_leaves_no_trace(
            steps in prop::collection::vec((0u32..12, any::<bool>(), "[ab ]{0,8}"), 0..40),
        ) {
            let mut index = KeywordIndex::new();
            let mut kept = BTreeMap::new();
            for (slot, insert, text) in steps {
                if insert {
                    index.insert(slot, &[field(&text, 1.0)]);
                    kept.insert(slot, text);
                } else {
                    index.remove(slot);
                    kept.remove(&slot);
                }
            }
            let mut fresh = KeywordIndex::new();
            for (slot, text) in &kept {
                fresh.insert(*slot, &[field(text, 1.0)]);
            }
            let query = words("a b ab");
            prop_assert_eq!(
                index.search(&query, 20, None),
                fresh.search(&query, 20, None)
            );
            prop_assert_eq!(index.terms.len(), fresh.terms.len());
            prop_assert_eq!(index.len(), kept.len());
            let mut restored = KeywordIndex::new();
            for first in [0, 5, 10] {
                restored.restore(first, &index.page(first, 5));
            }
            prop_assert_eq!(
                restored.search(&query, 20, None),
                fresh.search(&query, 20, None)
            );
        }
    }
}
