//! What the candidates of a question are to each other: who said them, and which say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::knowledge::Knowledge;
use crate::index::{Fused, Language, terms};
use crate::memory::{Card, Feedback, Id, Kind, Traits};
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
    pub card: Card,
    pub fused: &'a Fused,
    /// How well it answers, 0 to about 1.
    pub score: f32,
}

impl<'a> Candidate<'a> {
    /// A candidate as the channels found it, for a question that names these speakers.
    pub fn new(card: Card, fused: &'a Fused, named: &Named<'_>) -> Self {
        let score = fused.score * named.keeps(&card) * worth(&card);
        Self { card, fused, score }
    }
}

/// How much of its score a memory keeps by what its owner thinks of it.
fn worth(card: &Card) -> f32 {
    match card.feedback {
        Some(Feedback::Positive) => LIKED,
        Some(Feedback::Negative) => DISLIKED,
        Some(Feedback::VeryNegative) | None => 1.0,
    }
}

/// Which of the speakers a question names.
pub(super) struct Named<'a> {
    knowledge: &'a Knowledge,
    /// By name; empty when it names none of them.
    speakers: BTreeMap<String, bool>,
}

impl<'a> Named<'a> {
    /// Those who speak in these memories.
    pub fn of<'b>(
        question: &str,
        cards: impl Iterator<Item = &'b Card>,
        knowledge: &'a Knowledge,
    ) -> Self {
        let asked: BTreeSet<String> = terms(question, Language::English).into_iter().collect();
        let mut speakers: BTreeMap<String, bool> = BTreeMap::new();
        for traits in cards.flat_map(|card| speakers_of(card, knowledge)) {
            if let Some(name) = &traits.name
                && !speakers.contains_key(name)
            {
                let mut words = terms(name, Language::English).into_iter();
                speakers.insert(name.clone(), words.any(|word| asked.contains(&word)));
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
    pub fn keeps(&self, card: &Card) -> f32 {
        if self.speakers.is_empty() {
            return 1.0;
        }
        let by = speakers_of(card, self.knowledge);
        let mut named = by.iter().filter_map(|traits| traits.name.as_deref());
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
fn speakers_of(card: &Card, knowledge: &Knowledge) -> Vec<Rc<Traits>> {
    match card.kind {
        Kind::Message => vec![card.traits.clone()],
        Kind::Fact => {
            let sources = card.sources.iter();
            sources
                .filter_map(|source| knowledge.traits(source))
                .collect()
        }
    }
}

/// A message and the fact of it that answers best are one piece of evidence, stronger than each of them: the better
/// one answers with it, the other one after what is new. Where the transcript only fills in, the fact speaks for its
/// message, which does not answer; nor does a message of which something was changed since.
pub(super) fn join(
    candidates: &mut Vec<Candidate<'_>>,
    knowledge: &Knowledge,
    transcript: Transcript,
) {
    let own: BTreeMap<Id, f32> = candidates.iter().map(|c| (c.card.id, c.score)).collect();
    let mut joined = own.clone();
    let mut repeated: BTreeSet<Id> = BTreeSet::new();
    let mut silent: BTreeSet<Id> = BTreeSet::new();
    for candidate in candidates.iter() {
        let (message, score) = (candidate.card.id, candidate.score);
        if candidate.card.kind != Kind::Message {
            continue;
        }
        let fills_in = transcript != Transcript::Always && !candidate.card.is_listed();
        let (stands, changed): (Vec<Card>, Vec<Card>) = knowledge
            .facts_of(&message)
            .partition(|fact| fact.current && fact.sources.contains(&message));
        if fills_in && !changed.is_empty() {
            silent.insert(message);
        }
        let found = stands
            .iter()
            .filter_map(|fact| Some((fact.id, *own.get(&fact.id)?)));
        let best = found.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let best = best.filter(|(_, fact_score)| *fact_score >= STANDS_FOR * score);
        let Some((fact, fact_score)) = best else {
            continue;
        };
        let together = score.max(fact_score) + WITNESS * score.min(fact_score);
        let (speaks, other) = match fills_in || fact_score >= score {
            true => (fact, message),
            false => (message, fact),
        };
        joined
            .entry(speaks)
            .and_modify(|score| *score = score.max(together));
        repeated.insert(other);
        if fills_in {
            silent.insert(message);
        }
    }
    candidates.retain(|candidate| !silent.contains(&candidate.card.id));
    for candidate in candidates {
        let id = &candidate.card.id;
        let joined = joined.get(id).copied().unwrap_or(candidate.score);
        // What is repeated in one place may speak in another.
        let is_repeated = repeated.contains(id) && joined <= candidate.score;
        candidate.score = if is_repeated {
            joined * REPEATED
        } else {
            joined
        };
    }
}
