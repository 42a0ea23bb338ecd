//! An inverted index with BM25 scores.

use std::collections::{BTreeMap, HashMap};

use super::{Scored, Slot, best};

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
/// (§3.6 there). Adding and removing a document cost its terms; after a removal every score is as if
/// the document had never been.
#[derive(Debug, Clone, Default)]
pub struct KeywordIndex {
    postings: HashMap<String, BTreeMap<Slot, f32>>,
    documents: BTreeMap<Slot, Document>,
    /// The sum of all lengths, in thousandths, so that it comes back exactly after removals.
    total_length: u64,
}

#[derive(Debug, Clone)]
struct Document {
    terms: Vec<String>,
    length: u64,
}

impl KeywordIndex {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many documents it holds.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Puts a document into a slot, replacing what was there.
    pub fn insert(&mut self, slot: Slot, fields: &[Field]) {
        self.remove(slot);
        let mut frequencies: BTreeMap<&str, f32> = BTreeMap::new();
        let mut length = 0.0f32;
        for field in fields {
            for term in &field.terms {
                *frequencies.entry(term).or_default() += field.weight;
            }
            length += field.terms.len() as f32 * field.weight;
        }
        for (term, frequency) in &frequencies {
            let postings = self.postings.entry((*term).to_owned()).or_default();
            postings.insert(slot, *frequency);
        }
        let document = Document {
            terms: frequencies.keys().map(|term| (*term).to_owned()).collect(),
            length: (length * 1000.0).round() as u64,
        };
        self.total_length += document.length;
        self.documents.insert(slot, document);
    }

    /// Empties a slot.
    pub fn remove(&mut self, slot: Slot) {
        let Some(document) = self.documents.remove(&slot) else {
            return;
        };
        self.total_length -= document.length;
        for term in &document.terms {
            if let Some(postings) = self.postings.get_mut(term) {
                postings.remove(&slot);
                if postings.is_empty() {
                    self.postings.remove(term);
                }
            }
        }
    }

    /// The `k` documents that answer `query` best among those that `filter` lets through, best first;
    /// ties by slot. A score is the share of the query that a document covers, 0 to 1: the BM25 sum
    /// divided by the most that any document could reach for this query.
    pub fn search(&self, query: &[String], k: usize, filter: &dyn Fn(Slot) -> bool) -> Vec<Scored> {
        let count = self.documents.len() as f32;
        let average = self.total_length as f32 / count.max(1.0);
        let mut weights: BTreeMap<&str, f32> = BTreeMap::new();
        for term in query {
            *weights.entry(term).or_default() += 1.0;
        }
        let mut scores: BTreeMap<Slot, f32> = BTreeMap::new();
        let mut most = 0.0f32;
        for (term, weight) in weights {
            let postings = self.postings.get(term);
            let matching = postings.map_or(0, BTreeMap::len) as f32;
            let idf = (1.0 + (count - matching + 0.5) / (matching + 0.5)).ln();
            most += weight * idf * (K1 + 1.0);
            for (slot, frequency) in postings.into_iter().flatten() {
                let length = self
                    .documents
                    .get(slot)
                    .map_or(0, |document| document.length) as f32;
                let norm = K1 * (1.0 - B + B * length / average.max(1.0));
                let gain = weight * idf * frequency * (K1 + 1.0) / (frequency + norm);
                *scores.entry(*slot).or_default() += gain;
            }
        }
        let found = scores.into_iter().filter(|(slot, _)| filter(*slot));
        best(
            found
                .map(|(slot, score)| (slot, score / most.max(f32::MIN_POSITIVE)))
                .collect(),
            k,
        )
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
        let found = index.search(&words("is tea"), 10, &|_| true);
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
        assert!(index.search(&words("coffee"), 10, &|_| true).is_empty());
        assert!(
            KeywordIndex::new()
                .search(&words("tea"), 10, &|_| true)
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
                index.search(&query, 20, &|_| true),
                fresh.search(&query, 20, &|_| true)
            );
            prop_assert_eq!(index.postings.len(), fresh.postings.len());
        }
    }
}
