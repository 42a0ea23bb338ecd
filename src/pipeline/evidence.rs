//! What the candidates of a question are to each other: who said them, and which say the same.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::asked::Asked;
use super::found::Found;
use super::knowledge::{Knowledge, Sketch};
use crate::compact::OrderedMap;
use crate::index::{Fused, Language, terms};
use crate::memory::{Feedback, Kind, Traits};
use crate::operation::Transcript;

/// How much what another speaker said counts, when the question names one of the speakers: people speak of
/// themselves without their name. Fixed, as the others here, with `cargo xtask eval`; from 0.3 to 0.7 little changes.
const UNNAMED: f32 = 0.6;

/// How much the weaker of a fact and its message adds to the other: both have the words of one and the same thing,
/// each in its own way. From 0.1 to 0.5 little changes.
const WITNESS: f32 = 0.25;

/// A fact stands for its message when it answers at least so well beside it; a detail that the fact has lost is the
/// message's to tell. From 0 to 0.75 little changes.
const STANDS_FOR: f32 = 0.5;

/// How much a memory counts of which a better answer says the same already. From 0 to 0.5 nothing changes.
const REPEATED: f32 = 0.5;

/// How much more a memory counts that its owner called helpful, and how much less one that they did not: enough
/// to change places with one that answers a little better or worse.
const LIKED: f32 = 1.25;
const DISLIKED: f32 = 0.4;

/// A memory that may answer.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    pub card: Sketch<'a>,
    pub fused: &'a Fused,
    /// How well it answers, 0 to about 1.
    pub score: f32,
}

impl<'a> Candidate<'a> {
    /// A candidate as the channels found it, for a question that names these speakers.
    pub fn new(card: Sketch<'a>, fused: &'a Fused, named: &Named<'_>) -> Self {
        let score = fused.score * named.keeps(&card) * worth(&card);
        Self { card, fused, score }
    }
}

/// How much of its score a memory keeps by what its owner thinks of it.
fn worth(card: &Sketch<'_>) -> f32 {
    match card.feedback() {
        Some(Feedback::Positive) => LIKED,
        Some(Feedback::Negative) => DISLIKED,
        Some(Feedback::VeryNegative) | None => 1.0,
    }
}

/// Which of the speakers a question names.
pub(super) struct Named<'a> {
    knowledge: &'a Knowledge,
    /// By name; empty when it names none of them.
    speakers: OrderedMap<String, bool>,
}

impl<'a> Named<'a> {
    /// Those who speak in these memories.
    pub fn of(asked: &Asked<'_>, found: &[Found<'_>], knowledge: &'a Knowledge) -> Self {
        let mut speakers: OrderedMap<String, bool> = OrderedMap::new();
        let heard = found.iter();
        for traits in heard.flat_map(|it| speakers_of(&it.card, knowledge)) {
            if let Some(name) = &traits.name
                && !speakers.contains_key(name)
            {
                let mut words = terms(name, Language::English).into_iter();
                speakers.insert(
                    name.clone(),
                    words.any(|word| asked.english.contains(&word)),
                );
            }
        }
        if !speakers.values().any(|is_named| *is_named) {
            speakers.clear();
        }
        Self {
            knowledge,
            speakers,
        }
    }

    /// How much of its score a memory keeps: when the question names speakers, what others said counts less, and
    /// so does what was learnt from that.
    pub fn keeps(&self, card: &Sketch<'_>) -> f32 {
        if self.speakers.is_empty() {
            return 1.0;
        }
        let by = speakers_of(card, self.knowledge);
        let mut named = by.filter_map(|traits| traits.name.as_deref());
        let is_named = |name: &str| self.speakers.get(name).copied().unwrap_or_default();
        let Some(first) = named.next() else {
            return 1.0;
        };
        match is_named(first) || named.any(is_named) {
            true => 1.0,
            false => UNNAMED,
        }
    }
}

/// Who said a message, or those from which a fact came; without names, of those who have none.
fn speakers_of<'a>(
    card: &Sketch<'a>,
    knowledge: &'a Knowledge,
) -> impl Iterator<Item = &'a Rc<Traits>> + use<'a> {
    let is_message = card.kind() == Kind::Message;
    let own = is_message.then_some(card.traits);
    let sources = (!is_message).then(|| card.sources());
    let sources = sources.into_iter().flatten();
    own.into_iter()
        .chain(sources.filter_map(|source| knowledge.traits(&source)))
}

/// A message and the fact of it that answers best are one piece of evidence, stronger than each of them: the better
/// one answers with it, the other one after what is new. Where the transcript only fills in, the fact speaks for its
/// message, which does not answer; nor does a message of which something was changed since.
pub(super) fn join<'a>(
    candidates: Vec<Candidate<'a>>,
    knowledge: &Knowledge,
    transcript: Transcript,
) -> Vec<Candidate<'a>> {
    let sequences = candidates.iter().map(|it| it.card.id.sequence());
    let places: FxHashMap<u32, usize> = sequences.zip(0..).collect();
    let mut joined: Vec<Joined> = candidates
        .iter()
        .map(|candidate| Joined {
            score: candidate.score,
            ..Joined::default()
        })
        .collect();
    for (message, candidate) in candidates.iter().enumerate() {
        if candidate.card.kind() != Kind::Message {
            continue;
        }
        let score = candidate.score;
        let fills_in = transcript != Transcript::Always && !candidate.card.is_listed();
        let mut is_changed = false;
        let mut best: Option<(usize, f32)> = None;
        for (fact, stands) in knowledge.stands_from(&candidate.card.id) {
            is_changed |= !stands;
            let place = places.get(&fact).filter(|_| stands);
            let fact = place.and_then(|place| Some((*place, candidates.get(*place)?.score)));
            // The first of equals, as facts are told oldest first.
            best = match (best, fact) {
                (Some(best), Some(fact)) if fact.1 <= best.1 => Some(best),
                (best, fact) => fact.or(best),
            };
        }
        let best = best.filter(|(_, fact_score)| *fact_score >= STANDS_FOR * score);
        if let Some(of_message) = joined.get_mut(message) {
            of_message.is_silent = fills_in && (is_changed || best.is_some());
        }
        let Some((fact, fact_score)) = best else {
            continue;
        };
        let together = score.max(fact_score) + WITNESS * score.min(fact_score);
        let (speaks, other) = match fills_in || fact_score >= score {
            true => (fact, message),
            false => (message, fact),
        };
        if let Some(speaks) = joined.get_mut(speaks) {
            speaks.score = speaks.score.max(together);
        }
        if let Some(other) = joined.get_mut(other) {
            other.is_repeated = true;
        }
    }
    let told = candidates.into_iter().zip(joined);
    let told = told.filter(|(_, joined)| !joined.is_silent);
    told.map(|(candidate, joined)| {
        // What is repeated in one place may speak in another.
        let is_repeated = joined.is_repeated && joined.score <= candidate.score;
        let share = if is_repeated { REPEATED } else { 1.0 };
        Candidate {
            score: joined.score * share,
            ..candidate
        }
    })
    .collect()
}

/// What a candidate is after messages and facts were joined.
#[derive(Default)]
struct Joined {
    score: f32,
    /// A better one says the same.
    is_repeated: bool,
    /// It does not answer.
    is_silent: bool,
}
