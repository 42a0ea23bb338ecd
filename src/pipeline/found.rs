//! The memories that channels found, with their cards as these lie in memory.

use super::knowledge::{Knowledge, Sketch};
use super::recall::RecallIndex;
use crate::index::{Fused, Slot};

/// A memory that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    /// The slot of its first passage.
    pub slot: Slot,
    pub card: Sketch<'a>,
    /// 0 to 1.
    pub score: f32,
}

/// What channels found together, with its cards, in the same order.
pub(super) fn found<'a>(
    fused: &[Fused],
    index: &RecallIndex,
    knowledge: &'a Knowledge,
) -> Vec<Found<'a>> {
    let found = fused.iter().filter_map(|it| {
        Some(Found {
            slot: it.slot,
            card: knowledge.sketch(index.sequence(it.slot)?)?,
            score: it.score,
        })
    });
    found.collect()
}

/// Puts the best first; of equals the oldest.
pub(super) fn best_first(found: &mut [Found<'_>]) {
    found.sort_unstable_by(|a, b| {
        let ages = || a.card.id.cmp(&b.card.id);
        b.score.total_cmp(&a.score).then_with(ages)
    });
}
