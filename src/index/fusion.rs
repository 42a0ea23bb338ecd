//! One ranking from the answers of several channels.

use std::collections::BTreeMap;

use super::{Scored, Slot};

/// One channel's candidates, best first, with scores of 0 to 1, and its weight.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a> {
    /// The candidates.
    pub candidates: &'a [Scored],
    /// How much the channel counts.
    pub weight: f32,
}

/// The constants of fusion. They were fixed with `cargo xtask eval`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// The weight of the keyword channel where documents are short, as in a chat between friends; the vector
    /// channel has the rest of 1.
    pub keyword: f32,
    /// The same where they are long, as in a talk with an assistant: there every document has many words of
    /// many a question, and meaning tells them apart.
    pub keyword_of_long: f32,
    /// Documents of so many terms are short, and of so many long; between, the weight is too.
    pub lengths: [f32; 2],
    /// The cosine that two unrelated texts have; it counts as nothing.
    pub unrelated: f32,
}

impl Default for Fusion {
    fn default() -> Self {
        Self {
            keyword: 0.75,
            keyword_of_long: 0.5,
            lengths: [40.0, 80.0],
            unrelated: 0.1,
        }
    }
}

impl Fusion {
    /// The weight of the keyword channel over documents of this mean length.
    pub fn keyword_weight(&self, length: f32) -> f32 {
        let [short, long] = self.lengths;
        let share = ((length - short) / (long - short)).clamp(0.0, 1.0);
        self.keyword + share * (self.keyword_of_long - self.keyword)
    }

    /// A cosine as a score of 0 to 1.
    pub fn cosine_score(&self, cosine: f32) -> f32 {
        ((cosine - self.unrelated) / (1.0 - self.unrelated)).clamp(0.0, 1.0)
    }
}

/// A candidate with its place and score in each channel that found it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// The document.
    pub slot: Slot,
    /// The fused score, 0 to 1.
    pub score: f32,
    /// For each channel, in the order given: its rank from 1 and its score, if the channel found it.
    pub channels: Vec<Option<(usize, f32)>>,
}

/// The union of the channels' candidates, best first; ties by slot. What one channel alone finds can win.
/// A score is the square root of the weighted mean of the channels' scores (0 where a channel did not find
/// it): the root changes no order, and lifts what only a light channel found above a usual threshold.
pub fn fuse(channels: &[Ranked<'_>]) -> Vec<Fused> {
    let total: f32 = channels.iter().map(|channel| channel.weight).sum();
    let mut found: BTreeMap<Slot, Fused> = BTreeMap::new();
    for (place, channel) in channels.iter().enumerate() {
        for (rank, (slot, score)) in channel.candidates.iter().enumerate() {
            let fused = found.entry(*slot).or_insert_with(|| Fused {
                slot: *slot,
                score: 0.0,
                channels: vec![None; channels.len()],
            });
            fused.score += channel.weight * score / total.max(f32::MIN_POSITIVE);
            if let Some(receipt) = fused.channels.get_mut(place) {
                *receipt = Some((rank + 1, *score));
            }
        }
    }
    let mut fused: Vec<Fused> = found.into_values().collect();
    for candidate in &mut fused {
        candidate.score = candidate.score.clamp(0.0, 1.0).sqrt();
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.slot.cmp(&b.slot)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_channel_alone_finds_can_win() {
        let keyword = [(7, 0.9)];
        let vector = [(1, 0.5), (2, 0.4)];
        let fused = fuse(&[
            Ranked {
                candidates: &keyword,
                weight: 0.6,
            },
            Ranked {
                candidates: &vector,
                weight: 0.4,
            },
        ]);
        assert_eq!(fused.iter().map(|f| f.slot).collect::<Vec<_>>(), [7, 1, 2]);
        assert_eq!(fused[0].channels, [Some((1, 0.9)), None]);
    }
}
