//! What the candidates of a question are to each other: who said them, and which say the same.

use std::collections::{BTreeMap, BTreeSet};

use super::knowledge::Knowledge;
use crate::index::{Fused, Language, terms};
use crate::memory::{Card, Id, Kind};
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

/// A memory that may answer.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    pub card: Card,
    pub fused: &'a Fused,
    /// How well it answers, 0 to about 1.
    pub score: f32,
}

impl<'a> Candidate<'a> {
    /// A candidate as the channels found it.
    pub fn new(card: Card, fused: &'a Fused) -> Self {
        Self {
            card,
            fused,
            score: fused.score,
        }
    }
}

/// When a question names speakers, what others said counts less.
pub(super) fn prefer_the_named(candidates: &mut [Candidate<'_>], question: &str) {
    let asked: BTreeSet<String> = terms(question, Language::English).into_iter().collect();
    let mut named: BTreeMap<String, bool> = BTreeMap::new();
    for name in candidates.iter().filter_map(speaker) {
        if !named.contains_key(name) {
            let is_named = terms(name, Language::English)
                .iter()
                .any(|term| asked.contains(term));
            named.insert(name.to_owned(), is_named);
        }
    }
    if !named.values().any(|named| *named) {
        return;
    }
    for candidate in candidates {
        let speaker = speaker(candidate).and_then(|name| named.get(name));
        if speaker.is_some_and(|named| !named) {
            candidate.score *= UNNAMED;
        }
    }
}

/// The name of who said a message.
fn speaker<'a>(candidate: &'a Candidate<'_>) -> Option<&'a str> {
    let card = &candidate.card;
    let name = card.traits.name.as_deref();
    name.filter(|_| card.kind == Kind::Message)
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
