//! Indexes: vectors, keywords, and the fusion of their answers.
//!
//! They know slots (small integers that the caller gives to its documents) and numbers. Which texts
//! are indexed, storage and models are other rooms'.

mod bitmap;
mod fusion;
mod keyword;
mod language;
mod slots;
mod vector;
mod words;

pub use bitmap::Bitmap;
pub use fusion::{CHANNELS, Fused, Fusion, Ranked, Union, cosine_score};
pub use keyword::{KeywordIndex, KeywordPage, Position, Terms};
pub use language::Language;
pub use slots::Slots;
pub use vector::{
    FlatIndex, Forgotten, HnswIndex, HnswSettings, Lookup, Originals, Residency, VectorError,
    VectorIndex, VectorIndexKind, check_vector,
};
#[cfg(feature = "test-suite")]
pub use vector::{kernels_agree, kernels_agree_f32};
pub use words::{question_terms, terms};

/// A document's place in the indexes of one space.
pub type Slot = u32;

/// A slot with a score; higher is better.
pub type Scored = (Slot, f32);

/// The `k` best of the slots with a positive score, as [`best`] orders them; few are collected at a time.
fn best_positive(scores: &[f32], k: usize) -> Vec<Scored> {
    let most = 4 * k.max(64);
    let mut kept: Vec<Scored> = Vec::with_capacity(most.min(scores.len()));
    let mut least = 0.0;
    for (slot, score) in (0..).zip(scores) {
        // One that is no better than `k` others before it is behind them.
        if *score <= least {
            continue;
        }
        kept.push((slot, *score));
        if kept.len() == most {
            kept = best(kept, k);
            least = kept.last().map_or(f32::INFINITY, |last| last.1);
            kept.reserve(most - kept.len());
        }
    }
    best(kept, k)
}

/// The `k` best of `scored`, best first; ties by slot, so that the order is the same on every host.
fn best(mut scored: Vec<Scored>, k: usize) -> Vec<Scored> {
    let order = |a: &Scored, b: &Scored| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if k < scored.len() {
        if k == 0 {
            return Vec::new();
        }
        scored.select_nth_unstable_by(k - 1, order);
        scored.truncate(k);
    }
    scored.sort_unstable_by(order);
    scored
}
