//! The memories that channels found, each read once for a search.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::knowledge::Knowledge;
use super::recall::RecallIndex;
use crate::index::{Fused, Slot};
use crate::memory::Card;

/// A memory that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The slot of its first passage.
    pub slot: Slot,
    pub card: Rc<Card>,
    /// 0 to 1.
    pub score: f32,
}

/// The cards that a search has read.
pub(super) struct Cards<'a> {
    index: &'a RecallIndex,
    knowledge: &'a Knowledge,
    read: FxHashMap<Slot, Rc<Card>>,
}

impl<'a> Cards<'a> {
    pub fn new(index: &'a RecallIndex, knowledge: &'a Knowledge) -> Self {
        Self {
            index,
            knowledge,
            read: FxHashMap::default(),
        }
    }

    /// The card of a memory.
    pub fn get(&mut self, slot: Slot) -> Option<Rc<Card>> {
        if let Some(card) = self.read.get(&slot) {
            return Some(Rc::clone(card));
        }
        let sequence = self.index.sequence(slot)?;
        let card = Rc::new(self.knowledge.card_of_sequence(sequence)?);
        self.read.insert(slot, Rc::clone(&card));
        Some(card)
    }

    /// What channels found together, with its cards, in the same order.
    pub fn of(&mut self, fused: &[Fused]) -> Vec<Found> {
        let found = fused.iter().filter_map(|it| {
            Some(Found {
                slot: it.slot,
                card: self.get(it.slot)?,
                score: it.score,
            })
        });
        found.collect()
    }
}

/// Puts the best first; of equals the oldest.
pub(super) fn best_first(found: &mut [Found]) {
    found.sort_unstable_by(|a, b| {
        let ages = || a.card.id.cmp(&b.card.id);
        b.score.total_cmp(&a.score).then_with(ages)
    });
}
