//! Recall: which memories answer a question. No model is asked.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::alike::{Alike, Tie};
use super::asked::Asked;
use super::evidence::{Candidate, Named, join};
use super::found::{Found, best_first, found};
use super::knowledge::{Graph, Knowledge, Known};
use super::past::Then;
use super::recall::{Candidates, Channels, MIN_CANDIDATES, Passage, RecallIndex};
use super::timed;
use super::walk::{Start, Walked, Way, beside, steps_beside, walk};
use super::when::{Intent, intent};
use crate::compact::OrderedSet;
use crate::index::{Bitmap, CHANNELS, Fused, Ranked, Scored, Slot, VectorError};
use crate::memory::{Filter, Id, Memory, Moment};
use crate::operation::{Channel, ChannelScore, Hit, Receipt, Search, Step};

/// Candidates of one channel for each hit wanted.
const CANDIDATES_PER_HIT: usize = 4;

/// A walk through the graph may stop when it has met so many memories.
const MIN_WALKED: usize = 100;

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
    told: FxHashMap<Slot, Told>,
    walked: Walked<'a>,
    alike: Option<Alike<'a>>,
}

/// What the graph channel says of a memory.
struct Told {
    /// Of all that leads to it together.
    score: f32,
    /// Of the best of that, and what it is.
    best: f32,
    reason: Reason,
}

/// Why the graph channel found a memory.
enum Reason {
    /// A way along relations.
    Way(Way),
    /// It is beside this one.
    Beside(Id),
    Tie(Tie),
}

impl OfGraph<'_> {
    /// The way to a memory.
    fn path(&self, id: Id, slot: Slot, graph: &Graph) -> Vec<Step> {
        let reason = self.told.get(&slot).map(|told| &told.reason);
        match (reason, &self.alike) {
            (Some(Reason::Way(way)), _) => self.walked.steps(*way, id, graph),
            (Some(Reason::Beside(found)), _) => steps_beside(*found, id),
            (Some(Reason::Tie(tie)), Some(alike)) => alike.path(id, *tie),
            (Some(Reason::Tie(_)), None) | (None, _) => Vec::new(),
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
    let asked = Asked::new(question.text, &index.keywords.languages());
    let mut channels = index.channels(&asked.words, vector, candidates, known)?;
    if !asks(Channel::Keyword) {
        channels.keywords.clear();
    }
    let knowledge: &Knowledge = known.knowledge();
    let mut union = index.fuse(&channels, question.trust);
    let most = most_of(search);
    let age = |slot: Slot| index.sequence(slot);
    union.keep(most, &age);
    let of_time = match asks(Channel::Time) {
        true => intent(question.text, question.now),
        false => Intent::default(),
    };
    if of_time != Intent::default() {
        let found = found(union.found(), index, knowledge);
        let anchored = |text: &str| {
            let candidates = Candidates {
                count: 1,
                exact: 1,
                allowed: &may_answer,
            };
            let words = index.words_of(text);
            let found = index.channels(&words, None, candidates, known).ok()?;
            let (slot, _) = found.keywords.first()?;
            knowledge.id(index.sequence(*slot)?)
        };
        let said_between =
            |from: Moment, until: Moment| knowledge.said_between(from, until).filter(may);
        let told = timed::Told {
            found: &found,
            anchored,
            said_between,
        };
        let fitting = timed::timed(&of_time, &told, known, (question.text, question.now));
        let slot = |id: &Id| index.slots.get(&Passage::first(id));
        let fitting = fitting
            .iter()
            .filter_map(|(id, fit)| Some((slot(id)?, *fit)));
        let ranked = Ranked {
            candidates: &fitting.collect::<Vec<Scored>>(),
            weight: TIME,
        };
        union.add(ranked, place_of(Channel::Time));
        union.keep(most, &age);
    }
    let mut found = found(union.found(), index, knowledge);
    let named = Named::of(&asked, &found, knowledge);
    let mut graph = OfGraph::default();
    if asks(Channel::Graph) {
        for it in &mut found {
            it.score *= named.keeps(&it.card);
        }
        best_first(&mut found);
        graph = of_graph(
            (question, &asked),
            then,
            &found,
            (known, index),
            &may_answer,
        )?;
        let ranked = Ranked {
            candidates: &graph.candidates,
            weight: 1.0,
        };
        union.add(ranked, place_of(Channel::Graph));
        union.cut(most, &age);
    }
    if asks(Channel::Standing) {
        let standing = index.selections.standing();
        let is_standing = |slot: Slot| standing.contains(slot);
        union.raise(STANDING, place_of(Channel::Standing), is_standing, &age);
    }
    let candidates = union
        .found()
        .iter()
        .filter_map(|it| {
            let card = knowledge.sketch(index.sequence(it.slot)?)?;
            Some(Candidate::new(card, it, &named))
        })
        .collect();
    let mut candidates = join(candidates, knowledge, search.transcript);
    candidates.sort_unstable_by(|a, b| {
        let ages = || a.card.id.cmp(&b.card.id);
        b.score.total_cmp(&a.score).then_with(ages)
    });
    let mut given: OrderedSet<Id> = OrderedSet::new();
    let mut hits: Vec<Hit> = Vec::new();
    let likely = candidates.iter().take(search.top_k);
    let likely = likely.filter(|candidate| usual(candidate.score) >= search.threshold);
    known.fetch(likely.map(|candidate| candidate.card.id));
    for candidate in &candidates {
        let score = usual(candidate.score);
        if hits.len() >= search.top_k || score < search.threshold {
            break;
        }
        let opposed = knowledge.graph().opposed_to(&candidate.card.id);
        for id in with_opposed(candidate.card.id, &opposed, may, known) {
            if hits.len() >= search.top_k || given.contains(&id) {
                continue;
            }
            let Some(memory) = known.memory(&id).and_then(|it| then.view(&it, known)) else {
                continue;
            };
            given.insert(id);
            let mut found = std::iter::once(candidate).chain(&candidates);
            let receipt = match found.find(|it| it.card.id == id) {
                Some(Candidate { fused, .. }) => {
                    let path = graph.path(id, fused.slot, knowledge.graph());
                    receipt(&memory, fused, &channels, path)
                }
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
                contradicts: knowledge.graph().opposed_to(&id).into_iter().collect(),
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
    (question, asked): (&Question<'_>, &'a Asked<'a>),
    then: Then,
    found: &[Found<'_>],
    (known, index): (Known<'a>, &'a RecallIndex),
    may_answer: &Bitmap,
) -> Result<OfGraph<'a>, VectorError> {
    let start = Start {
        asked,
        then,
        found,
        enough: (question.search.top_k * CANDIDATES_PER_HIT).max(MIN_WALKED),
    };
    let top = found.first().map_or(0.0, |first| first.score);
    let own: FxHashMap<Slot, f32> = found.iter().map(|it| (it.slot, it.score)).collect();
    let first = found.get(..SPREAD.min(found.len())).unwrap_or_default();
    let walked = walk(&start, known);
    let walks = walked.ways();
    let walks = walks.map(|(memory, way)| (memory, way.strength, Reason::Way(way)));
    let beside = beside(first, known).into_iter();
    let beside = beside.map(|(id, (share, by))| (id.sequence(), share, Reason::Beside(by)));
    let ways = walks
        .chain(beside)
        .filter_map(|(memory, strength, reason)| {
            let slot = index.slots.get(&Passage::new(memory, 0))?;
            let own = own.get(&slot).copied().unwrap_or(0.0) / top.max(f32::MIN_POSITIVE);
            let score = GRAPH * strength * (BY_ITSELF + (1.0 - BY_ITSELF) * own);
            Some((slot, score, reason))
        });
    let alike = Alike::new(asked, found, index, known);
    let ties = alike.ties(question, found, may_answer)?.into_iter();
    let ties = ties.map(|(slot, strength, tie)| (slot, strength, Reason::Tie(tie)));
    let mut told: FxHashMap<Slot, Told> = FxHashMap::default();
    told.reserve(found.len() + 2 * start.enough);
    for (slot, score, reason) in ways.chain(ties) {
        if !may_answer.contains(slot) {
            continue;
        }
        match told.entry(slot) {
            Entry::Vacant(new) => {
                new.insert(Told {
                    score,
                    best: score,
                    reason,
                });
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.score += score * (1.0 - known.score);
                // A way along relations says more than a tie.
                let is_walked = matches!(known.reason, Reason::Way(_));
                let says_less = is_walked && matches!(reason, Reason::Tie(_));
                if known.best < score && !says_less {
                    known.best = score;
                    known.reason = reason;
                }
            }
        }
    }
    let mut candidates: Vec<Scored> = told
        .iter()
        .map(|(slot, told)| (*slot, told.score))
        .collect();
    let age = |slot: Slot| index.sequence(slot);
    candidates.sort_unstable_by(|a, b| {
        let ages = || age(a.0).cmp(&age(b.0));
        b.1.total_cmp(&a.1).then_with(ages)
    });
    Ok(OfGraph {
        candidates,
        told,
        walked,
        alike: Some(alike),
    })
}

/// A memory and those that it contradicts, the newest first.
fn with_opposed(
    id: Id,
    opposed: &OrderedSet<Id>,
    may: impl Fn(&Id) -> bool,
    known: Known<'_>,
) -> Vec<Id> {
    let opposed = opposed.iter().copied().filter(|other| may(other));
    let mut all: Vec<Id> = std::iter::once(id).chain(opposed).collect();
    if all.len() > 1 {
        let age = |id: &Id| known.card(id).map(|card| (card.updated_at, card.id));
        all.sort_by_key(|id| std::cmp::Reverse(age(id)));
    }
    all
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
