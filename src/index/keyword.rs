//! An inverted index with BM25 scores.

use std::collections::{BTreeMap, HashMap};

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
    terms: HashMap<Box<str>, Term>,
    postings: Vec<Postings>,
    /// Terms that no document has any more.
    free: Vec<Term>,
    documents: Vec<Option<Document>>,
    count: usize,
    /// The sum of all lengths, in quarters.
    total_length: u64,
}

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

/// The documents of some slots, to be stored and restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeywordPage<'a> {
    #[serde(borrow)]
    words: Vec<&'a str>,
    /// `None` for an empty slot.
    documents: Vec<Option<SavedDocument>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedDocument {
    length: u32,
    /// Words by their place in the page, and how often each is there, in quarters.
    terms: Vec<(u32, u8)>,
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

    /// The documents in `count` slots from `first` on.
    pub fn page(&self, first: Slot, count: usize) -> KeywordPage<'_> {
        let mut places: HashMap<Term, u32> = HashMap::new();
        let mut words = Vec::new();
        let mut saved = |slot: Slot, document: &Document| {
            let terms = document.terms.iter().filter_map(|term| {
                let postings = self.postings.get(*term as usize)?;
                let at = postings.slots.binary_search(&slot).ok()?;
                let place = *places.entry(*term).or_insert_with(|| {
                    words.push(&*postings.word);
                    (words.len() - 1) as u32
                });
                Some((place, *postings.frequencies.get(at)?))
            });
            SavedDocument {
                length: document.length,
                terms: terms.collect(),
            }
        };
        let slots = (first..).take(count);
        let documents = slots.map(|slot| {
            let document = self.documents.get(slot as usize)?.as_ref()?;
            Some(saved(slot, document))
        });
        let documents = documents.collect();
        KeywordPage { words, documents }
    }

    /// Takes in the documents of a page whose first slot is `first`. The slots must be empty.
    pub fn restore(&mut self, first: Slot, page: &KeywordPage<'_>) {
        let terms: Vec<Term> = page.words.iter().map(|word| self.term(word)).collect();
        for (slot, document) in (first..).zip(&page.documents) {
            let Some(SavedDocument {
                length,
                terms: saved,
            }) = document
            else {
                continue;
            };
            let mut own = Vec::with_capacity(saved.len());
            for (place, frequency) in saved {
                let Some(term) = terms.get(*place as usize) else {
                    continue;
                };
                if let Some(postings) = self.postings.get_mut(*term as usize) {
                    postings.insert(slot, *frequency);
                }
                own.push(*term);
            }
            let terms = own.into();
            self.put(
                slot,
                Document {
                    terms,
                    length: *length,
                },
            );
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
