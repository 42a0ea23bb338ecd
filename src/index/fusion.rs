//! One ranking from the answers of several channels.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use super::{Scored, Slot};

/// One channel's candidates, best first, with scores of 0 to 1, and its weight.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a> {
    /// The candidates.
    pub candidates: &'a [Scored],
    /// How much the channel counts.
    pub weight: f32,
}

/// The constants of fusion. They were fixed with `cargo xtask eval`, on short and on long messages; each is on a
/// plateau.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// The weight of the keyword channel; the vector channel has the rest of 1.
    pub keyword: f32,
    /// Documents of so many terms are short, as in a chat between friends, and of so many long, as in a talk with an
    /// assistant. Long ones have some words of any question by chance: there only good keyword scores count.
    pub lengths: [f32; 2],
    /// The cosine that two unrelated texts have at least; it counts as nothing.
    pub unrelated: f32,
    /// The candidate of this rank in the vector channel is unrelated, whatever its cosine: embedders differ in what
    /// cosines they give.
    pub unrelated_rank: usize,
}

impl Default for Fusion {
    fn default() -> Self {
        Self {
            keyword: 0.8,
            lengths: [40.0, 70.0],
            unrelated: 0.1,
            unrelated_rank: 200,
        }
    }
}

impl Fusion {
    /// A keyword score as what it says, 0 to 1, among documents of this mean length: itself where they are short,
    /// its power of 1.75 where they are long.
    pub fn keyword_score(&self, score: f32, length: f32) -> f32 {
        let [short, long] = self.lengths;
        let by_chance = ((length - short) / (long - short)).clamp(0.0, 1.0);
        // By square roots: they give the same bits on every host.
        let root = score.max(0.0).sqrt();
        score * (1.0 - by_chance + by_chance * root * root.sqrt())
    }

    /// The cosine that counts as nothing, where these are the vector channel's candidates, best first.
    pub fn unrelated_cosine(&self, candidates: &[Scored]) -> f32 {
        let unrelated = candidates.get(self.unrelated_rank.saturating_sub(1));
        unrelated.map_or(self.unrelated, |(_, cosine)| cosine.max(self.unrelated))
    }
}

/// A cosine as a score of 0 to 1, where `unrelated` counts as nothing.
pub fn cosine_score(cosine: f32, unrelated: f32) -> f32 {
    let most = (1.0 - unrelated).max(f32::MIN_POSITIVE);
    ((cosine - unrelated) / most).clamp(0.0, 1.0)
}

/// The channels that a ranking has room for.
pub const CHANNELS: usize = 5;

/// What says which of two is older: its sequence number.
pub type Age = Option<u32>;

/// A candidate with its place and score in each channel that found it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused {
    /// The document.
    pub slot: Slot,
    /// The fused score, 0 to 1.
    pub score: f32,
    /// For each channel: its rank from 1 and its score, if the channel found it.
    pub channels: [Option<(u32, f32)>; CHANNELS],
}

/// The union of the channels' candidates. What one channel alone finds can win.
#[derive(Debug, Clone, Default)]
pub struct Union {
    found: Vec<Fused>,
    /// Where each is among the found; empty when it has to be found out.
    places: FxHashMap<Slot, u32>,
}

impl Union {
    /// The union of channels that know equally much of the question. A score is the weighted mean of the channels'
    /// scores, 0 where a channel did not find it.
    pub fn of(channels: &[Ranked<'_>]) -> Self {
        let total: f32 = channels.iter().map(|channel| channel.weight).sum();
        let total = total.max(f32::MIN_POSITIVE);
        let mut union = Self::default();
        for (place, channel) in channels.iter().enumerate() {
            union.take(*channel, place, |_, gained| gained / total);
        }
        union
    }

    /// Takes in a channel, the n-th, that knows less of the question than the others: what it finds gains by its
    /// score and weight, what it does not find loses nothing. What it alone finds joins the rest.
    pub fn add(&mut self, channel: Ranked<'_>, place: usize) {
        self.take(channel, place, |score, gained| gained * (1.0 - score));
    }

    /// Lets those of the found that `select` takes gain by their own scores, as a channel that adds them would.
    pub fn raise(
        &mut self,
        weight: f32,
        place: usize,
        select: impl Fn(Slot) -> bool,
        age: &dyn Fn(Slot) -> Age,
    ) {
        let selected = self.found.iter_mut().filter(|found| select(found.slot));
        let mut selected: Vec<&mut Fused> = selected.collect();
        selected.sort_unstable_by(|a, b| order(a, b, age));
        for (rank, found) in (1..).zip(selected) {
            let score = found.score;
            found.score += weight * score * (1.0 - score);
            if let Some(receipt) = found.channels.get_mut(place) {
                *receipt = Some((rank, score));
            }
        }
    }

    fn take(&mut self, channel: Ranked<'_>, place: usize, gain: impl Fn(f32, f32) -> f32) {
        self.found.reserve(channel.candidates.len());
        self.places
            .reserve(self.found.len() + channel.candidates.len());
        if self.places.is_empty() {
            let places = (0..).zip(&self.found);
            self.places
                .extend(places.map(|(at, found)| (found.slot, at)));
        }
        for (rank, (slot, score)) in (1..).zip(channel.candidates) {
            let at = *self.places.entry(*slot).or_insert_with(|| {
                self.found.push(Fused {
                    slot: *slot,
                    score: 0.0,
                    channels: [None; CHANNELS],
                });
                self.found.len() as u32 - 1
            });
            let Some(found) = self.found.get_mut(at as usize) else {
                continue;
            };
            found.score += gain(found.score, channel.weight * score);
            if let Some(receipt) = found.channels.get_mut(place) {
                *receipt = Some((rank, *score));
            }
        }
    }

    /// Keeps the `k` best, best first; ties by what `age` says, as slots differ between hosts and loads.
    pub fn keep(&mut self, k: usize, age: &dyn Fn(Slot) -> Age) {
        self.cut(k, age);
        self.found.sort_unstable_by(|a, b| order(a, b, age));
        self.places.clear();
    }

    /// Keeps the `k` best, in any order.
    pub fn cut(&mut self, k: usize, age: &dyn Fn(Slot) -> Age) {
        if k > 0 && k < self.found.len() {
            self.found
                .select_nth_unstable_by(k - 1, |a, b| order(a, b, age));
            self.found.truncate(k);
            self.places.clear();
        }
    }

    /// The candidates: best first after [`Union::keep`], and then those that were added.
    pub fn found(&self) -> &[Fused] {
        &self.found
    }
}

/// The better first, then the older.
fn order(a: &Fused, b: &Fused, age: &dyn Fn(Slot) -> Age) -> Ordering {
    let ages = || age(a.slot).cmp(&age(b.slot));
    b.score.total_cmp(&a.score).then_with(ages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_long_documents_only_good_keyword_scores_count() {
        let fusion = Fusion::default();
        assert_eq!(fusion.keyword_score(0.3, 20.0), 0.3);
        let long = |score| fusion.keyword_score(score, 100.0);
        assert!((long(0.5) - 0.5_f32.powf(1.75)).abs() < 1e-6);
        assert_eq!((long(0.0), long(1.0)), (0.0, 1.0));
        let between = fusion.keyword_score(0.5, 55.0);
        assert!(long(0.5) < between && between < 0.5);
    }

    #[test]
    fn what_is_far_down_counts_as_nothing() {
        let fusion = Fusion::default();
        let few = [(1, 0.6), (2, 0.5)];
        assert_eq!(fusion.unrelated_cosine(&few), fusion.unrelated);
        let many: Vec<Scored> = (0..300).map(|n| (n, 0.9 - n as f32 / 1000.0)).collect();
        let unrelated = fusion.unrelated_cosine(&many);
        assert_eq!(unrelated, many[199].1);
        assert_eq!(cosine_score(many[250].1, unrelated), 0.0);
        assert!((0.0..=1.0).contains(&cosine_score(many[0].1, unrelated)));
    }

    #[test]
    fn what_one_channel_alone_finds_can_win() {
        let keyword = [(7, 0.9)];
        let vector = [(1, 0.5), (2, 0.4)];
        let mut union = Union::of(&[
            Ranked {
                candidates: &keyword,
                weight: 0.6,
            },
            Ranked {
                candidates: &vector,
                weight: 0.4,
            },
        ]);
        union.keep(2, &Some);
        let slots: Vec<Slot> = union.found().iter().map(|found| found.slot).collect();
        assert_eq!(slots, [7, 1]);
        assert_eq!(union.found()[0].channels[..2], [Some((1, 0.9)), None]);
    }

    #[test]
    fn what_is_raised_gains_as_from_a_channel_of_its_own() {
        let keyword = [(7, 0.9), (3, 0.5), (4, 0.5)];
        let found = || {
            Union::of(&[Ranked {
                candidates: &keyword,
                weight: 1.0,
            }])
        };
        let (mut raised, mut added) = (found(), found());
        raised.raise(0.5, 4, |slot| slot != 7, &Some);
        let own = Ranked {
            candidates: &[(3, 0.5), (4, 0.5)],
            weight: 0.5,
        };
        added.add(own, 4);
        assert_eq!(raised.found(), added.found());
    }

    #[test]
    fn a_channel_that_knows_less_only_adds() {
        let keyword = [(7, 0.9), (3, 0.5)];
        let mut union = Union::of(&[Ranked {
            candidates: &keyword,
            weight: 1.0,
        }]);
        let graph = [(3, 1.0), (4, 0.4)];
        union.add(
            Ranked {
                candidates: &graph,
                weight: 0.5,
            },
            2,
        );
        union.keep(9, &Some);
        let scores: Vec<(Slot, f32)> = union.found().iter().map(|it| (it.slot, it.score)).collect();
        assert_eq!(scores, [(7, 0.9), (3, 0.75), (4, 0.2)]);
        assert_eq!(union.found()[1].channels[2], Some((1, 1.0)));
    }
}
