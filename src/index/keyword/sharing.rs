//! Documents that share rare words with some others.

use super::codec::read;
use super::terms::Term;
use super::{B, K1, KeywordIndex};
use crate::compact::{OrderedMap, OrderedSet};
use crate::index::{Bitmap, Scored, Slot, best_positive};

/// A word in more documents than one in so many says little of what they have in common.
const RARE: usize = 20;
/// So many of the words of some documents are looked for in others.
const WORDS: usize = 20;

impl KeywordIndex {
    /// The `k` documents among the `allowed` that share rare words with some others, which are given with how much
    /// each counts; best first, ties by slot, the best with a score of 1. What a query asks for itself is left out. It
    /// is relevance feedback (Lavrenko and Croft, "Relevance-Based Language Models", 2001): a word weighs by its
    /// share of each of the documents, and by how rare it is.
    pub fn sharing(
        &self,
        documents: &[Scored],
        asked: &[Vec<String>],
        k: usize,
        allowed: &Bitmap,
    ) -> Vec<Scored> {
        let asked = self.terms_of(asked);
        let mut weights: OrderedMap<Term, f32> = OrderedMap::new();
        for (slot, counts) in documents {
            let length = self.chain.get(*slot).map_or(1, |it| it.text.max(1));
            for (term, times) in self.words(*slot, &asked) {
                let share = counts * times as f32 / f32::from(length);
                weights.change(term, |weight| *weight += share);
            }
        }
        let rare = weights.into_iter().filter_map(|(term, weight)| {
            let matching = self.rarely(term)?;
            Some((weight * self.rarity(matching), term))
        });
        let mut rare: Vec<(f32, Term)> = rare.collect();
        // Numbers of terms differ between hosts.
        let word = |term: Term| self.terms.word(term);
        rare.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| word(a.1).cmp(word(b.1))));
        let average = self.average_length().max(1.0);
        let mut scores = vec![0.0; self.chain.slots()];
        for (weight, term) in rare.into_iter().take(WORDS) {
            for entry in self.terms.postings(term).filter(|it| it.times.text > 0) {
                if !allowed.contains(entry.number) {
                    continue;
                }
                let frequency = 4.0 * entry.times.text as f32;
                let length = self.chain.length(entry.number) as f32;
                let norm = 4.0 * K1 * (1.0 - B) + K1 * B / average * length;
                if let Some(score) = scores.get_mut(entry.number as usize) {
                    *score += weight * frequency / (frequency + norm);
                }
            }
        }
        let mut found = best_positive(&scores, k);
        let most = found.first().map_or(1.0, |(_, score)| *score);
        found.iter_mut().for_each(|(_, score)| *score /= most);
        found
    }

    /// The rarest word that a document shares with one of some others, and with which: the first that has it.
    pub fn shared(
        &self,
        slot: Slot,
        others: &[Slot],
        asked: &[Vec<String>],
    ) -> Option<(Slot, &str)> {
        let asked = self.terms_of(asked);
        let own: OrderedSet<Term> = self.words(slot, &asked).map(|(term, _)| term).collect();
        let shared = others.iter().filter(|other| **other != slot);
        let shared = shared.flat_map(|other| {
            let terms = self.words(*other, &asked).map(|(term, _)| term);
            terms.map(move |term| (*other, term))
        });
        let rare = shared
            .filter(|(_, term)| own.contains(term))
            .filter_map(|(other, term)| Some((self.rarely(term)?, self.terms.word(term), other)));
        let (_, word, other) = rare.min_by_key(|(matching, word, _)| (*matching, *word))?;
        Some((other, word))
    }

    fn terms_of(&self, asked: &[Vec<String>]) -> OrderedSet<Term> {
        let asked = asked.iter().flatten();
        asked.filter_map(|word| self.terms.get(word)).collect()
    }

    /// The words in the text of a document, with how often each is there.
    fn words(&self, slot: Slot, asked: &OrderedSet<Term>) -> impl Iterator<Item = (Term, u32)> {
        let entries = read(self.forward.get(slot)).filter(|it| it.times.text > 0);
        let new = entries.filter(|it| !asked.contains(&it.number));
        new.map(|it| (it.number, it.times.text))
    }

    /// In how many documents a term is, if it is in few, but not in one only.
    fn rarely(&self, term: Term) -> Option<usize> {
        let most = (self.len() / RARE).max(2);
        let matching = self.terms.count(term);
        (2..=most).contains(&matching).then_some(matching)
    }

    pub(super) fn rarity(&self, matching: usize) -> f32 {
        let (count, matching) = (self.len() as f32, matching as f32);
        (1.0 + (count - matching + 0.5) / (matching + 0.5)).ln()
    }
}
