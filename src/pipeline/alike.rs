//! Of the graph channel, what needs no entities and no relations: what hangs together with the memories found first,
//! as it is of the same session, has rare words in common with them, or is near to them by meaning. An answer that is
//! spread over many memories is found so, when few of them have a word of the question.

use rustc_hash::FxHashMap;

use super::answer::Question;
use super::asked::Asked;
use super::found::Found;
use super::knowledge::{Known, Sketch};
use super::originals::StoredVectors;
use super::recall::{Passage, RecallIndex};
use crate::index::{Bitmap, Lookup, Scored, Slot, VectorError, VectorIndex};
use crate::memory::{Id, Moment};
use crate::operation::{Step, Stop};

/// So many memories found first say what is looked for, each less than the one before. From 9 to 12 little changes, as with
/// the others here by `cargo xtask eval`.
const FIRST: usize = 12;
/// So many that are like them are taken into account.
const LIKE: usize = 100;
/// Memories that follow each other within so much time are of one session, in milliseconds.
const PAUSE: i64 = 30 * 60 * 1_000;

/// How much of the score of the best of a session each memory found in it gets. From 0.6 to 0.9 little changes.
const SESSION: f32 = 0.7;
/// How much of the best score what shares the rarest and most words with the first gets, and what is nearest to them
/// by meaning. From 0.2 to 0.5 little changes.
const WORDS: f32 = 0.4;
const MEANING: f32 = 0.3;

/// A message of so many words counts half as much as one without end, and from so many on as much as any. From 4 to
/// 10 words, and from 14 to 34, little changes.
const HALF: f32 = 6.0;
const FULL: f32 = 34.0;

/// Why a memory hangs together with those found first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tie {
    /// It is of the session of this one.
    Session(Id),
    /// It shares words with some.
    Words,
    /// It is near to them.
    Meaning,
}

/// What hangs together with the memories found first.
pub(super) struct Alike<'a> {
    index: &'a RecallIndex,
    known: Known<'a>,
    asked: &'a Asked<'a>,
    /// The passages of the first memories, with how much each counts.
    first: Vec<Scored>,
}

impl<'a> Alike<'a> {
    /// `found` are the memories that other channels found, best first, with scores of 0 to 1.
    pub fn new(
        asked: &'a Asked<'a>,
        found: &[Found<'_>],
        index: &'a RecallIndex,
        known: Known<'a>,
    ) -> Self {
        let first = found.iter().take(FIRST).enumerate();
        let first = first.flat_map(|(place, Found { card, score, .. })| {
            let slots: Vec<Slot> = index.slots_of(card.id).collect();
            // Which of two is the last hardly matters.
            let fades = 1.0 - place as f32 / FIRST as f32;
            let share = score * fades / slots.len().max(1) as f32;
            slots.into_iter().map(move |slot| (slot, share))
        });
        Self {
            index,
            known,
            asked,
            first: first.collect(),
        }
    }

    /// The memories among the `allowed`, each with how strongly it hangs together, 0 to 1, and why. Of few memories the
    /// first are nearly all, which says nothing.
    ///
    /// # Errors
    /// When the question's vector has another dimension than the memories'.
    pub fn ties(
        &self,
        question: &Question<'_>,
        found: &[Found<'_>],
        allowed: &Bitmap,
    ) -> Result<Vec<(Slot, f32, Tie)>, VectorError> {
        let best = found.first().map_or(0.0, |first| first.score);
        if best == 0.0 {
            return Ok(Vec::new());
        }
        if self.known.count() <= FIRST {
            return Ok(Vec::new());
        }
        let mut ties = sessions(found);
        let words = self
            .index
            .keywords
            .sharing(&self.first, &self.asked.words, LIKE, allowed);
        let pool = found.iter().flat_map(|it| {
            let rest = self.index.slots_of(it.card.id).skip(1);
            std::iter::once(it.slot).chain(rest)
        });
        let pool: Bitmap = pool.chain(words.iter().map(|(slot, _)| *slot)).collect();
        let meaning = self.near(question, &pool.and(allowed))?;
        for (found, share, tie) in [(words, WORDS, Tie::Words), (meaning, MEANING, Tie::Meaning)] {
            let found = self.index.memories_of(found).into_iter();
            ties.extend(found.filter_map(|(slot, score)| {
                let card = self.known.knowledge().sketch(self.index.sequence(slot)?)?;
                Some((slot, best * share * score * counts(&card), tie))
            }));
        }
        Ok(ties)
    }

    /// What is near to the question and the first memories together: the query moves to the middle of what it found
    /// (Rocchio, "Relevance Feedback in Information Retrieval", 1971). Scores of 0 to 1, that of the nearest is 1. Only
    /// among what was found in other ways, as this alone lifts nothing to the first: to look at all vectors again would
    /// take long where there are many.
    fn near(&self, question: &Question<'_>, pool: &Bitmap) -> Result<Vec<Scored>, VectorError> {
        let Some(asked) = question.vector else {
            return Ok(Vec::new());
        };
        let stored = StoredVectors {
            slots: &self.index.slots,
            known: self.known,
        };
        let total: f32 = self.first.iter().map(|(_, counts)| counts).sum();
        let mut middle = self.index.vectors.flat().sum(&self.first, &stored);
        for (value, asked) in middle.iter_mut().zip(asked) {
            *value = *value / total.max(f32::MIN_POSITIVE) + asked;
        }
        let length = middle.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length == 0.0 {
            return Ok(Vec::new());
        }
        middle.iter_mut().for_each(|value| *value /= length);
        let lookup = Lookup::new(&middle, LIKE).among(Some(pool));
        let mut near = self.index.vectors.search(&lookup)?;
        let unrelated = self.index.unrelated_cosine(&near);
        let most = near.first().map_or(0.0, |(_, cosine)| cosine - unrelated);
        near.retain(|(_, cosine)| *cosine > unrelated);
        for (_, cosine) in &mut near {
            *cosine = question.trust * (*cosine - unrelated) / most;
        }
        Ok(near)
    }

    /// The way from the memories found first to one that hangs together with them; empty when it is one of them
    /// itself.
    pub fn path(&self, memory: Id, tie: Tie) -> Vec<Step> {
        let Some(slot) = self.index.slots.get(&Passage::first(&memory)) else {
            return Vec::new();
        };
        let others = self.first.iter().map(|(other, _)| *other);
        let others: Vec<Slot> = others
            .filter(|other| self.index.sequence(*other) != Some(memory.sequence()))
            .collect();
        let id = |slot: Slot| self.known.id(self.index.sequence(slot)?);
        let mut path = Vec::new();
        match tie {
            Tie::Session(best) if best == memory => {}
            Tie::Session(best) => path.extend([to("found", best), to("session", memory)]),
            Tie::Words => {
                let shared = self.index.keywords.shared(slot, &others, &self.asked.words);
                if let Some((other, word)) = shared
                    && let Some(other) = id(other)
                {
                    let word = Step {
                        by: "word".to_owned(),
                        backwards: false,
                        to: Stop::Value(word.to_owned()),
                        name: word.to_owned(),
                    };
                    let from = Step {
                        backwards: true,
                        ..to("word", memory)
                    };
                    path.extend([to("found", other), word, from]);
                }
            }
            Tie::Meaning => {
                let flat = self.index.vectors.flat();
                let nearest = others
                    .into_iter()
                    .map(|other| (flat.between(slot, other), other));
                // The first of equals, as they are the best found.
                let nearest = nearest.reduce(|a, b| if b.0 > a.0 { b } else { a });
                if let Some(other) = nearest.and_then(|(_, other)| id(other)) {
                    path.extend([to("found", other), to("alike", memory)]);
                }
            }
        }
        path
    }
}

fn to(by: &str, memory: Id) -> Step {
    Step {
        by: by.to_owned(),
        backwards: false,
        to: Stop::Memory(memory),
        name: String::new(),
    }
}

/// What was found, best first, with its share of the score of the best of its session.
fn sessions(found: &[Found<'_>]) -> Vec<(Slot, f32, Tie)> {
    let mut runs: FxHashMap<Option<&str>, usize> = FxHashMap::default();
    let placed = found.iter().enumerate().map(|(place, one)| {
        let next = runs.len();
        let run = one.card.traits.scope.run_id.as_deref();
        let run = *runs.entry(run).or_insert(next);
        (run, one.card.created_at(), place)
    });
    let mut placed: Vec<(usize, Moment, usize)> = placed.collect();
    placed.sort_unstable();
    let sessions = placed.chunk_by(|(run, a, _), (other, b, _)| {
        run == other && b.as_millis().saturating_sub(a.as_millis()) <= PAUSE
    });
    let sessions: Vec<&[(usize, Moment, usize)]> = sessions.collect();
    // That all is of one session says nothing.
    if sessions.len() == 1 {
        return Vec::new();
    }
    let mut ties = Vec::with_capacity(found.len());
    for session in sessions {
        let all = session.iter().map(|(.., place)| *place);
        let best = all.clone().min().and_then(|place| found.get(place));
        let Some(best) = best else { continue };
        let (strength, tie) = (SESSION * best.score, Tie::Session(best.card.id));
        let all = all.filter_map(|place| found.get(place));
        ties.extend(all.map(|it| (it.slot, strength * counts(&it.card), tie)));
    }
    ties
}

/// How much a tie to a memory counts: what is short or only asks hangs together with everything, and tells little.
fn counts(card: &Sketch<'_>) -> f32 {
    let share = |words: f32| words / (words + HALF);
    (share(f32::from(card.tells())) / share(FULL)).min(1.0)
}
