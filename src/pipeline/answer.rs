//! Recall: which memories answer a question. No model is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Candidate, join, prefer_the_named};
use super::knowledge::{Knowledge, Known};
use super::past::Then;
use super::recall::{Candidates, Channels, MIN_CANDIDATES, Passage, RecallIndex};
use super::timed::timed;
use super::walk::{Start, Way, beside, walk};
use super::when::intent;
use crate::index::{Bitmap, CHANNELS, Fused, Ranked, Scored, Slot, VectorError};
use crate::memory::{Card, Claim, Filter, Id, Memory, Moment};
use crate::operation::{Channel, ChannelScore, Hit, Receipt, Search, Step};

/// Candidates of one channel for each hit wanted.
const CANDIDATES_PER_HIT: usize = 4;

/// Of what keywords and vectors found together, so many go on, at least.
const MIN_FUSED: usize = 100;

const _: () = assert!(Channel::ALL.len() == CHANNELS);

/// How much the best way of the graph adds.
const GRAPH: f32 = 0.3;
/// What a way counts at least, however little the memory has to do with the question by itself.
const BY_ITSELF: f32 = 0.4;
/// Of so many memories found first, those that hang together with them are looked at.
const SPREAD: usize = 10;
/// How much a memory gains that is about the time that a question asks about.
const TIME: f32 = 0.2;
/// How much an instruction or preference counts more that fits.
const STANDING: f32 = 0.1;

/// A question with its vector.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The question, in words.
    pub text: &'a str,
    /// Its vector, when there are vectors to compare it with.
    pub vector: Option<&'a [f32]>,
    /// How much its vector says, 0 to 1: less when the embedder does not know its language.
    pub trust: f32,
    /// What else was asked for.
    pub search: &'a Search,
    /// The moment that counts as now.
    pub now: Moment,
}

/// What the graph channel says of a slot.
#[derive(Default)]
struct OfGraph {
    /// Best first.
    candidates: Vec<Scored>,
    paths: BTreeMap<Slot, Vec<Step>>,
}

/// The memories that answer a question, best first.
///
/// # Errors
/// When the question's vector has another dimension than the memories'.
pub fn recall(
    question: &Question<'_>,
    known: Known<'_>,
    index: &RecallIndex,
) -> Result<Vec<Hit>, VectorError> {
    let search = question.search;
    let then = Then {
        as_of: search.as_of,
        known_at: search.known_at,
    };
    let asks = |channel: Channel| !search.without.contains(&channel);
    let select = |filter: &Filter, with_transcript: bool| {
        let cards = known.cards();
        let selected = cards.filter(|card| {
            let may = with_transcript || card.is_listed();
            may && known.selects(filter, card)
        });
        selected.flat_map(|card| index.slots_of(card.id)).collect()
    };
    let may_answer = index.selections.answering(search, question.now, select);
    let candidates = Candidates {
        count: (search.top_k * CANDIDATES_PER_HIT).max(MIN_CANDIDATES),
        exact: search.top_k,
        allowed: &may_answer,
    };
    let vector = question.vector.filter(|_| asks(Channel::Vector));
    let mut channels = index.channels(question.text, vector, candidates, known)?;
    if !asks(Channel::Keyword) {
        channels.keywords.clear();
    }
    let knowledge: &Knowledge = &known;
    let mut union = index.fuse(&channels, question.trust);
    let fused = search.top_k.saturating_mul(CANDIDATES_PER_HIT);
    union.keep(fused.max(MIN_FUSED), |slot| index.sequence(slot));
    let found = union.found().iter();
    let found: Vec<(Card, f32)> = found
        .filter_map(|fused| Some((index.card(fused.slot, knowledge)?, fused.score)))
        .collect();
    let mut graph = OfGraph::default();
    if asks(Channel::Graph) {
        graph = of_graph(question, then, &found, (known, index), &may_answer);
        let ranked = Ranked {
            candidates: &graph.candidates,
            weight: GRAPH,
        };
        union.add(ranked, place_of(Channel::Graph));
    }
    if asks(Channel::Time) {
        let asked = intent(question.text, question.now);
        let anchored = |text: &str| {
            let candidates = Candidates {
                count: 1,
                exact: 1,
                allowed: &may_answer,
            };
            let found = index.channels(text, None, candidates, known).ok()?;
            let (slot, _) = found.keywords.first()?;
            knowledge.id(index.sequence(*slot)?)
        };
        let fitting = timed(
            &asked,
            &found,
            known,
            anchored,
            (question.text, question.now),
        );
        let slot = |id: &Id| index.slots.get(&Passage::first(id));
        let fitting = fitting
            .iter()
            .filter_map(|(id, fit)| Some((slot(id)?, *fit)));
        let ranked = Ranked {
            candidates: &fitting.collect::<Vec<Scored>>(),
            weight: TIME,
        };
        union.add(ranked, place_of(Channel::Time));
    }
    if asks(Channel::Standing) {
        let standing = index.selections.standing();
        let fitting = union.found().iter().filter(|found| standing.contains(found.slot));
        let fitting: Vec<Scored> = fitting.map(|found| (found.slot, found.score)).collect();
        let ranked = Ranked {
            candidates: &fitting,
            weight: STANDING,
        };
        union.add(ranked, place_of(Channel::Standing));
    }
    let mut candidates: Vec<Candidate<'_>> = union
        .found()
        .iter()
        .filter_map(|fused| Some(Candidate::new(index.card(fused.slot, knowledge)?, fused)))
        .collect();
    prefer_the_named(&mut candidates, question.text);
    join(&mut candidates, knowledge, search.transcript);
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.card.id.cmp(&b.card.id)));
    let conflicts = Conflicts::of(known);
    let may = |id: &Id| {
        let slot = index.slots.get(&Passage::first(id));
        slot.is_some_and(|slot| may_answer.contains(slot))
    };
    let mut given: BTreeSet<Id> = BTreeSet::new();
    let mut hits: Vec<Hit> = Vec::new();
    let by_id: BTreeMap<Id, &Fused> = candidates.iter().map(|it| (it.card.id, it.fused)).collect();
    let likely = candidates.iter().take(search.top_k);
    let likely = likely.filter(|candidate| usual(candidate.score) >= search.threshold);
    known.fetch(likely.map(|candidate| candidate.card.id));
    for candidate in &candidates {
        let score = usual(candidate.score);
        if hits.len() >= search.top_k || score < search.threshold {
            break;
        }
        for id in conflicts.with(&candidate.card.id, may, known) {
            if hits.len() >= search.top_k || given.contains(&id) {
                continue;
            }
            let Some(memory) = known.memory(&id).and_then(|it| then.view(&it, known)) else {
                continue;
            };
            given.insert(id);
            let receipt = match by_id.get(&id) {
                Some(fused) => receipt(&memory, fused, &channels, &mut graph.paths),
                None => Receipt {
                    sources: memory.sources().to_vec(),
                    ..Receipt::default()
                },
            };
            hits.push(Hit {
                memory,
                score,
                rerank_score: None,
                receipt,
                contradicts: conflicts.of_memory(&id),
            });
        }
    }
    Ok(hits)
}

/// What the graph channel finds among the slots that may answer.
fn of_graph(
    question: &Question<'_>,
    then: Then,
    found: &[(Card, f32)],
    (known, index): (Known<'_>, &RecallIndex),
    may_answer: &Bitmap,
) -> OfGraph {
    let start = Start {
        text: question.text,
        then,
        found,
    };
    let top = found.first().map_or(0.0, |(_, score)| *score);
    let own: BTreeMap<Id, f32> = found
        .iter()
        .map(|(card, score)| (card.id, *score))
        .collect();
    let mut of_graph: BTreeMap<Slot, (f32, f32, Vec<Step>)> = BTreeMap::new();
    let first = found.get(..SPREAD.min(found.len())).unwrap_or_default();
    for Way {
        memory,
        strength,
        path,
    } in walk(&start, known).into_iter().chain(beside(first, known))
    {
        let slot = index.slots.get(&Passage::first(&memory));
        let Some(slot) = slot.filter(|slot| may_answer.contains(*slot)) else {
            continue;
        };
        let own = own.get(&memory).copied().unwrap_or(0.0) / top.max(f32::MIN_POSITIVE);
        let score = strength * (BY_ITSELF + (1.0 - BY_ITSELF) * own);
        let known = of_graph.entry(slot).or_insert((0.0, 0.0, Vec::new()));
        if known.1 < score {
            known.1 = score;
            known.2 = path;
        }
        known.0 += score * (1.0 - known.0);
    }
    let mut candidates: Vec<Scored> = of_graph
        .iter()
        .map(|(slot, (score, ..))| (*slot, *score))
        .collect();
    let age = |slot: Slot| index.sequence(slot);
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| age(a.0).cmp(&age(b.0))));
    let paths = of_graph.into_iter();
    OfGraph {
        candidates,
        paths: paths.map(|(slot, (.., path))| (slot, path)).collect(),
    }
}

/// Which memories cannot be true together, as nobody has said which is.
struct Conflicts(BTreeMap<Id, BTreeSet<Id>>);

impl Conflicts {
    fn of(known: Known<'_>) -> Self {
        let graph = known.knowledge().graph();
        let mut opposed: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        for contradiction in graph.contradictions().filter(|it| it.is_open()) {
            let sides = contradiction.claims.iter();
            let sides: Vec<(&Claim, &[Id])> =
                sides.map(|claim| (claim, graph.basis(claim))).collect();
            for (claim, basis) in &sides {
                let others = sides.iter().filter(|(other, _)| other != claim);
                let others: BTreeSet<Id> =
                    others.flat_map(|(_, ids)| ids.iter().copied()).collect();
                for id in *basis {
                    let others = others.iter().filter(|other| *other != id);
                    opposed.entry(*id).or_default().extend(others);
                }
            }
        }
        Self(opposed)
    }

    fn of_memory(&self, id: &Id) -> Vec<Id> {
        let opposed = self.0.get(id).into_iter().flatten();
        opposed.copied().collect()
    }

    /// A memory and those that it contradicts, the newest first.
    fn with(&self, id: &Id, may: impl Fn(&Id) -> bool, known: Known<'_>) -> Vec<Id> {
        let opposed = self.0.get(id).into_iter().flatten();
        let opposed = opposed.copied().filter(|other| may(other));
        let mut all: Vec<Id> = std::iter::once(*id).chain(opposed).collect();
        let age = |id: &Id| known.card(id).map(|card| (card.updated_at, card.id));
        all.sort_by_key(|id| std::cmp::Reverse(age(id)));
        all
    }
}

/// The place of a channel in receipts.
fn place_of(channel: Channel) -> usize {
    let place = Channel::ALL.iter().position(|it| *it == channel);
    place.unwrap_or(Channel::ALL.len())
}

/// A score as callers know it, 0 to 1: the square root changes no order, and lifts what only a light channel found
/// above a usual threshold.
fn usual(score: f32) -> f32 {
    score.clamp(0.0, 1.0).sqrt()
}

fn receipt(
    memory: &Memory,
    fused: &Fused,
    found: &Channels,
    paths: &mut BTreeMap<Slot, Vec<Step>>,
) -> Receipt {
    let channels = Channel::ALL.iter().zip(&fused.channels);
    let channels = channels.filter_map(|(channel, found_at)| {
        let (rank, score) = (*found_at)?;
        let rank = rank as usize;
        let raw = match channel {
            Channel::Keyword => found.keywords.get(rank - 1),
            Channel::Vector => found.vectors.get(rank - 1),
            _ => None,
        };
        Some(ChannelScore {
            channel: channel.as_str().to_owned(),
            rank,
            raw: raw.map_or(score, |(_, raw)| *raw),
            score,
        })
    });
    Receipt {
        channels: channels.collect(),
        sources: memory.sources().to_vec(),
        path: paths.remove(&fused.slot).unwrap_or_default(),
    }
}
