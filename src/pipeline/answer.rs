//! Recall: which memories answer a question. No model is asked.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::alike::{Alike, Tie};
use super::evidence::{Candidate, Named, join};
use super::knowledge::{Knowledge, Known};
use super::past::Then;
use super::recall::{Candidates, Channels, MIN_CANDIDATES, Passage, RecallIndex};
use super::timed::{Told, timed};
use super::walk::{Path, Start, beside, walk};
use super::when::{Intent, intent};
use crate::index::{Bitmap, CHANNELS, Fused, Ranked, Scored, Slot, VectorError};
use crate::memory::{Card, Claim, Filter, Id, Memory, Moment};
use crate::operation::{Channel, ChannelScore, Hit, Receipt, Search, Step};

/// Candidates of one channel for each hit wanted.
const CANDIDATES_PER_HIT: usize = 4;

/// Of what channels found together, so many go on, at least.
const MIN_FUSED: usize = 200;

const _: () = assert!(Channel::ALL.len() == CHANNELS);

/// How much the best way of the graph adds.
const GRAPH: f32 = 0.3;
/// What a way counts at least, however little the memory has to do with the question by itself.
const BY_ITSELF: f32 = 0.4;
/// Of so many memories found first, those that hang together with them are looked at.
const SPREAD: usize = 10;
/// How much a memory gains that is about the time that a question asks about.
const TIME: f32 = 0.3;
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

/// What the graph channel says.
#[derive(Default)]
struct OfGraph<'a> {
    /// Best first.
    candidates: Vec<Scored>,
    reasons: FxHashMap<Slot, Reason<'a>>,
    alike: Option<Alike<'a>>,
}

/// Why the graph channel found a memory.
enum Reason<'a> {
    Way(Path<'a>),
    Tie(Tie),
}

impl OfGraph<'_> {
    /// The way to a memory.
    fn path(&mut self, id: Id, slot: Slot) -> Vec<Step> {
        match (self.reasons.remove(&slot), &self.alike) {
            (Some(Reason::Way(path)), _) => path.steps(),
            (Some(Reason::Tie(tie)), Some(alike)) => alike.path(id, tie),
            _ => Vec::new(),
        }
    }
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
    let may = |id: &Id| {
        let slot = index.slots.get(&Passage::first(id));
        slot.is_some_and(|slot| may_answer.contains(slot))
    };
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
    let most = most_of(search);
    let age = |slot: Slot| index.sequence(slot);
    union.keep(most, age);
    let cards = |fused: &[Fused]| -> Vec<(Card, f32)> {
        let found = fused.iter();
        let found = found.filter_map(|it| Some((index.card(it.slot, knowledge)?, it.score)));
        found.collect()
    };
    let best_first = |found: &mut Vec<(Card, f32)>| {
        found.sort_by(|(a, left), (b, right)| right.total_cmp(left).then(a.id.cmp(&b.id)));
    };
    let asked = intent(question.text, question.now);
    if asks(Channel::Time) && asked != Intent::default() {
        let found = cards(union.found());
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
        let said_between = |from: Moment, until: Moment| -> Vec<Id> {
            let said = knowledge.said_between(from, until);
            said.filter(may).collect()
        };
        let told = Told {
            found: &found,
            anchored,
            said_between,
        };
        let fitting = timed(&asked, &told, known, (question.text, question.now));
        let slot = |id: &Id| index.slots.get(&Passage::first(id));
        let fitting = fitting
            .iter()
            .filter_map(|(id, fit)| Some((slot(id)?, *fit)));
        let ranked = Ranked {
            candidates: &fitting.collect::<Vec<Scored>>(),
            weight: TIME,
        };
        union.add(ranked, place_of(Channel::Time));
        union.keep(most, age);
    }
    let mut found = cards(union.found());
    let named = Named::of(question.text, found.iter().map(|(card, _)| card), knowledge);
    let mut graph = OfGraph::default();
    if asks(Channel::Graph) {
        found
            .iter_mut()
            .for_each(|(card, score)| *score *= named.keeps(card));
        best_first(&mut found);
        graph = of_graph(question, then, &found, (known, index), &may_answer)?;
        let ranked = Ranked {
            candidates: &graph.candidates,
            weight: 1.0,
        };
        union.add(ranked, place_of(Channel::Graph));
    }
    if asks(Channel::Standing) {
        let standing = index.selections.standing();
        let fitting = union
            .found()
            .iter()
            .filter(|found| standing.contains(found.slot));
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
        .filter_map(|it| Some(Candidate::new(index.card(it.slot, knowledge)?, it, &named)))
        .collect();
    join(&mut candidates, knowledge, search.transcript);
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.card.id.cmp(&b.card.id)));
    let conflicts = Conflicts::of(known);
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
                Some(fused) => receipt(&memory, fused, &channels, graph.path(id, fused.slot)),
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

/// How many memories go on to the hits of a search, at most.
fn most_of(search: &Search) -> usize {
    let most = search.top_k.saturating_mul(CANDIDATES_PER_HIT);
    most.max(MIN_FUSED)
}

/// What the graph channel finds among the slots that may answer.
fn of_graph<'a>(
    question: &Question<'_>,
    then: Then,
    found: &[(Card, f32)],
    (known, index): (Known<'a>, &'a RecallIndex),
    may_answer: &Bitmap,
) -> Result<OfGraph<'a>, VectorError> {
    let start = Start {
        text: question.text,
        then,
        found,
        enough: most_of(question.search),
    };
    let top = found.first().map_or(0.0, |(_, score)| *score);
    let own: FxHashMap<Id, f32> = found
        .iter()
        .map(|(card, score)| (card.id, *score))
        .collect();
    let first = found.get(..SPREAD.min(found.len())).unwrap_or_default();
    let ways = walk(&start, known).into_iter().chain(beside(first, known));
    let ways = ways.map(|way| {
        let own = own.get(&way.memory).copied().unwrap_or(0.0) / top.max(f32::MIN_POSITIVE);
        let score = GRAPH * way.strength * (BY_ITSELF + (1.0 - BY_ITSELF) * own);
        (way.memory, score, Reason::Way(way.path))
    });
    let alike = Alike::new(question, found, index, known);
    let ties = alike.ties(question, found, may_answer)?.into_iter();
    let ties = ties.map(|(memory, strength, tie)| (memory, strength, Reason::Tie(tie)));
    let mut of_graph: FxHashMap<Slot, (f32, f32, Reason<'a>)> = FxHashMap::default();
    for (memory, score, reason) in ways.chain(ties) {
        let slot = index.slots.get(&Passage::first(&memory));
        let Some(slot) = slot.filter(|slot| may_answer.contains(*slot)) else {
            continue;
        };
        match of_graph.entry(slot) {
            Entry::Vacant(new) => {
                new.insert((score, score, reason));
            }
            Entry::Occupied(mut known) => {
                let (all, best, why) = known.get_mut();
                *all += score * (1.0 - *all);
                // A way along relations says more than a tie.
                let is_walked = matches!(why, Reason::Way(Path::Walked { .. }));
                let says_less = is_walked && matches!(reason, Reason::Tie(_));
                if *best < score && !says_less {
                    *best = score;
                    *why = reason;
                }
            }
        }
    }
    let mut candidates: Vec<Scored> = of_graph
        .iter()
        .map(|(slot, (score, ..))| (*slot, *score))
        .collect();
    let age = |slot: Slot| index.sequence(slot);
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| age(a.0).cmp(&age(b.0))));
    let reasons = of_graph.into_iter();
    Ok(OfGraph {
        candidates,
        reasons: reasons.map(|(slot, (.., reason))| (slot, reason)).collect(),
        alike: Some(alike),
    })
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

fn receipt(memory: &Memory, fused: &Fused, found: &Channels, path: Vec<Step>) -> Receipt {
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
        path,
    }
}
