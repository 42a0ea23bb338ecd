//! Recall: which memories answer a question, and which are near to a fact. No model is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::knowledge::{Knowledge, Known};
use super::originals::StoredVectors;
use super::pages::{page_of_slot, slots_on};
use super::passages::passages;
use super::selection::Selections;
use crate::index::{
    Bitmap, Field, Fused, Fusion, HnswIndex, HnswSettings, KeywordIndex, Lookup, Ranked, Residency,
    Scored, Slot, Slots, VectorError, VectorIndex, VectorIndexKind, check_vector, fuse, terms,
};
use crate::memory::{Card, EntityId, Fact, Filter, Id, Kind, Memory, Moment, Object};
use crate::operation::{ChannelScore, Hit, Receipt, Search, Transcript};

/// How much the words of the messages before count for a message, the nearest first: an answer is found
/// by its question, and by what led to it.
pub(crate) const CONTEXT_WEIGHTS: [f32; 2] = [0.5, 0.25];

/// How much the words of its date count for a memory.
const DATE_WEIGHT: f32 = 1.0;

/// Candidates of one channel for each hit wanted, and at least.
const CANDIDATES_PER_HIT: usize = 4;
const MIN_CANDIDATES: usize = 200;

/// Vectors that a change brings into the graph beside its own, twice as many as it has.
const LINKED_AT_LEAST: usize = 4;

/// Messages whose terms are remembered for those after them.
const RECENT: usize = 256;

/// Neighbours of a fact by vector, and the least cosine; by keywords, and the least score; in all.
const NEAR_VECTORS: usize = 5;
const NEAR_COSINE: f32 = 0.4;
const NEAR_KEYWORDS: usize = 3;
const NEAR_KEYWORD_SCORE: f32 = 0.25;
const NEIGHBOURS: usize = 10;

/// A memory, and which of its passages.
pub(super) type Passage = (Id, u16);

/// The indexes over one space's current memories. A passage has a slot; a memory answers by its best.
#[derive(Default)]
pub struct RecallIndex {
    pub(super) slots: Slots<Passage>,
    pub(super) vectors: HnswIndex,
    pub(super) keywords: KeywordIndex,
    pub(super) selections: Selections,
    /// The pages that changed since they were stored.
    touched: BTreeSet<u32>,
    /// The terms of the last passages of messages lately indexed, as those after them have them for context.
    recent: HashMap<Id, Vec<String>>,
    fusion: Fusion,
}

/// What the vectors of a memory are made of: the passages of its text, of a message with a named speaker
/// each after the name.
pub fn embedded_texts(speaker: Option<&str>, text: &str) -> Vec<String> {
    let passages = passages(text).into_iter();
    match speaker {
        Some(name) => passages.map(|text| format!("{name}: {text}")).collect(),
        None => passages.map(str::to_owned).collect(),
    }
}

/// The terms of a message's last passage.
fn last_terms(message: &Memory) -> Vec<String> {
    passages(message.text())
        .pop()
        .map(terms)
        .unwrap_or_default()
}

/// What a channel is asked for.
#[derive(Clone, Copy)]
struct Candidates<'a> {
    /// How many, at most.
    count: usize,
    /// How many of the first are wanted in the order of the stored vectors.
    exact: usize,
    /// The slots that may be among them.
    allowed: &'a Bitmap,
}

/// A question with its vector.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The question, in words.
    pub text: &'a str,
    /// Its vector, when there are vectors to compare it with.
    pub vector: Option<&'a [f32]>,
    /// What else was asked for.
    pub search: &'a Search,
    /// The moment that counts as now.
    pub now: Moment,
}

impl RecallIndex {
    /// Empty indexes.
    pub fn new(vectors: VectorIndexKind) -> Self {
        Self {
            vectors: HnswIndex::new(vectors, HnswSettings::default()),
            ..Self::default()
        }
    }

    /// Brings new vectors into the graph, if there is one: as many as a change brought, and some more of those that
    /// are behind.
    pub fn link(&mut self, changed: usize) {
        self.vectors.link(changed * 2 + LINKED_AT_LEAST);
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.vectors.bytes() + self.keywords.bytes() + self.slots.bytes()
    }

    /// What is kept in memory of the vectors.
    pub fn residency(&self) -> Residency {
        self.vectors.flat().residency()
    }

    /// Frees the vectors' rows, and reads from storage from now on instead. See [`HnswIndex::drop_rows`].
    pub fn drop_rows(&mut self) {
        self.vectors.drop_rows();
    }

    /// Makes room for rows again: each must then be restored, or all dropped.
    pub fn take_rows(&mut self) {
        self.vectors.take_rows();
    }

    /// Makes the rows of a memory's vectors again, and says how many.
    pub fn restore_rows(&mut self, id: Id, vectors: &[Vec<f32>]) -> usize {
        let slots: Vec<Slot> = self.slots_of(id).collect();
        let pairs = slots.into_iter().zip(vectors);
        pairs
            .filter(|(slot, vector)| self.vectors.restore_row(*slot, vector))
            .count()
    }

    /// Bytes that the vectors' rows take, or would.
    pub fn row_bytes(&self) -> usize {
        self.vectors.flat().row_bytes()
    }

    /// Whether any memory has a vector.
    pub fn has_vectors(&self) -> bool {
        !self.vectors.is_empty()
    }

    /// How many passages have a vector.
    pub fn vectors_count(&self) -> usize {
        self.vectors.len()
    }

    /// Whether a memory has its vectors.
    pub fn has_vectors_of(&self, id: &Id) -> bool {
        let slot = self.slots.get(&(*id, 0));
        slot.is_some_and(|slot| self.vectors.flat().contains(slot))
    }

    /// How many pages there are.
    pub fn pages(&self) -> u32 {
        self.slots.count().div_ceil(super::pages::SLOTS) as u32
    }

    /// Whether any slot of a page has a vector.
    pub fn has_vectors_on(&self, page: u32) -> bool {
        let mut slots = slots_on(page);
        slots.any(|slot| self.vectors.flat().contains(slot))
    }

    /// Whether any slot of a page has a memory.
    pub fn has_words_on(&self, page: u32) -> bool {
        let mut slots = slots_on(page);
        slots.any(|slot| self.slots.key(slot).is_some())
    }

    /// The pages that changed since [`RecallIndex::stored`].
    pub fn touched(&self) -> impl Iterator<Item = u32> {
        self.touched.iter().copied()
    }

    /// All pages are stored as they are.
    pub fn stored(&mut self) {
        self.touched.clear();
    }

    /// All pages were loaded.
    pub fn loaded(&mut self) {
        self.slots.restored();
    }

    /// Takes a memory out of all indexes.
    pub fn remove(&mut self, id: &Id) {
        self.recent.remove(id);
        self.remove_passages(*id, 0);
    }

    /// Takes out the vectors of a memory, whose text has changed.
    pub fn remove_vectors(&mut self, id: &Id) {
        for slot in self.slots_of(*id).collect::<Vec<_>>() {
            self.touched.insert(page_of_slot(slot));
            self.vectors.remove(slot);
        }
    }

    /// The pages on which the words of a memory are.
    pub fn pages_of(&self, id: &Id) -> impl Iterator<Item = u32> {
        self.slots_of(*id).map(page_of_slot)
    }

    fn slots_of(&self, id: Id) -> impl Iterator<Item = Slot> {
        (0..=u16::MAX).map_while(move |place| self.slots.get(&(id, place)))
    }

    /// Takes out the passages of a memory from the n-th on.
    fn remove_passages(&mut self, id: Id, first: u16) {
        for place in first..=u16::MAX {
            let Some(slot) = self.slots.release(&(id, place)) else {
                return;
            };
            self.touched.insert(page_of_slot(slot));
            self.vectors.remove(slot);
            self.keywords.remove(slot);
            self.selections.remove(slot);
        }
    }

    /// Indexes the words of a memory with what gives them context, or takes it out when it is no longer true.
    pub fn index_text(&mut self, memory: &Memory, known: Known<'_>) {
        let Some(card) = known.card(&memory.id).filter(|card| card.current) else {
            return self.remove(&memory.id);
        };
        let field = |terms: &[String], weight| Field {
            terms: terms.to_vec(),
            weight,
        };
        let mut about = vec![field(&terms(&memory.created_at.date_words()), DATE_WEIGHT)];
        let mut before: Vec<Vec<String>> = Vec::new();
        if memory.kind == Kind::Message {
            about.push(field(
                &terms(memory.name.as_deref().unwrap_or_default()),
                1.0,
            ));
            let messages = known.predecessors(&memory.scope, &memory.id);
            let messages = messages.take(CONTEXT_WEIGHTS.len());
            before.extend(messages.filter_map(|id| match self.recent.get(&id) {
                Some(terms) => Some(terms.clone()),
                None => Some(last_terms(&*known.memory(&id)?)),
            }));
        }
        let mut place = 0;
        for passage in passages(memory.text()) {
            let own = terms(passage);
            let mut fields = about.clone();
            fields.push(field(&own, 1.0));
            let context = before.iter().zip(CONTEXT_WEIGHTS);
            fields.extend(context.map(|(terms, weight)| field(terms, weight)));
            let slot = self.slots.assign((memory.id, place));
            self.touched.insert(page_of_slot(slot));
            self.keywords.insert(slot, &fields);
            let selects = |filter: &Filter| known.selects(filter, card);
            self.selections.put(slot, card, selects);
            if memory.kind == Kind::Message {
                before.insert(0, own);
            }
            place = place.saturating_add(1);
        }
        if memory.kind == Kind::Message && !before.is_empty() {
            if self.recent.len() >= RECENT {
                self.recent.clear();
            }
            self.recent.insert(memory.id, before.swap_remove(0));
        }
        self.remove_passages(memory.id, place);
    }

    /// Whether all these vectors can be indexed: to be asked before they are stored.
    ///
    /// # Errors
    /// When one has another dimension than the others, or a value that is no number.
    pub fn check_vectors(&self, vectors: &[(Id, Vec<Vec<f32>>)]) -> Result<(), VectorError> {
        let mut vectors = vectors.iter().flat_map(|(_, vectors)| vectors).peekable();
        let first = vectors.peek().map(|vector| vector.len());
        let dimension = self.vectors.dimension().or(first);
        vectors.try_for_each(|vector| check_vector(vector, dimension))
    }

    /// Indexes the vectors of a memory's passages.
    ///
    /// # Errors
    /// When one has another dimension than the others.
    pub fn index_vectors(&mut self, id: Id, vectors: &[Vec<f32>]) -> Result<(), VectorError> {
        let slots: Vec<Slot> = self.slots_of(id).collect();
        for (slot, vector) in slots.into_iter().zip(vectors) {
            self.touched.insert(page_of_slot(slot));
            self.vectors.insert(slot, vector)?;
        }
        Ok(())
    }

    /// The `k` facts that a stretch of conversation most likely touches, best first.
    ///
    /// # Errors
    /// When the vector has another dimension than the memories'.
    pub fn related(
        &self,
        text: &str,
        vector: Option<&[f32]>,
        k: usize,
        known: Known<'_>,
    ) -> Result<Vec<Id>, VectorError> {
        let facts = self.selections.facts();
        let candidates = Candidates {
            count: MIN_CANDIDATES,
            exact: k,
            allowed: facts,
        };
        let channels = self.channels(text, vector, candidates, known)?;
        let fused = self.fuse(&channels);
        Ok(fused
            .iter()
            .take(k)
            .filter_map(|fused| self.id(fused.slot))
            .collect())
    }

    /// The current memories that may say the same as a fact, or something that it changes: near by
    /// meaning, by words, or by a relation of the same kind; nearest first.
    ///
    /// # Errors
    /// When the vector has another dimension than the memories'.
    pub fn neighbours(
        &self,
        fact: &Fact,
        vector: Option<&[f32]>,
        known: Known<'_>,
    ) -> Result<Vec<Id>, VectorError> {
        let may_change = self.selections.changeable();
        let candidates = Candidates {
            count: NEIGHBOURS,
            exact: NEIGHBOURS,
            allowed: may_change,
        };
        let [keywords, vectors] = self.channels(&fact.text, vector, candidates, known)?;
        let by_vector = vectors
            .iter()
            .take(NEAR_VECTORS)
            .filter(|(_, s)| *s >= NEAR_COSINE);
        let by_words = keywords
            .iter()
            .take(NEAR_KEYWORDS)
            .filter(|(_, s)| *s >= NEAR_KEYWORD_SCORE);
        let slots = by_vector.chain(by_words).map(|(slot, _)| *slot);
        let related = related_memories(fact, &known).into_iter();
        let mut near: Vec<Id> = Vec::new();
        for id in slots.filter_map(|slot| self.id(slot)).chain(related) {
            let slot = self.slots.get(&(id, 0));
            let fits = slot.is_some_and(|slot| may_change.contains(slot));
            if fits && !near.contains(&id) {
                near.push(id);
            }
        }
        near.truncate(NEIGHBOURS);
        Ok(near)
    }

    fn card<'a>(&self, slot: Slot, knowledge: &'a Knowledge) -> Option<&'a Card> {
        knowledge.card(&self.id(slot)?)
    }

    fn id(&self, slot: Slot) -> Option<Id> {
        Some(self.slots.key(slot)?.0)
    }

    /// Passages found, best first, as memories, under the slots of their first passages; ties by id, as slots
    /// differ between hosts and loads.
    fn memories_of(&self, passages: Vec<Scored>) -> Vec<Scored> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::with_capacity(passages.len());
        for (slot, score) in passages {
            let first = self.id(slot).and_then(|id| self.slots.get(&(id, 0)));
            if let Some(first) = first.filter(|first| seen.insert(*first)) {
                found.push((first, score));
            }
        }
        let id = |slot: Slot| self.id(slot);
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| id(a.0).cmp(&id(b.0))));
        found
    }

    /// The candidates of the keyword channel, and of the vector channel with their cosines.
    fn channels(
        &self,
        text: &str,
        vector: Option<&[f32]>,
        candidates: Candidates<'_>,
        known: Known<'_>,
    ) -> Result<[Vec<Scored>; 2], VectorError> {
        let Candidates {
            count,
            exact,
            allowed,
        } = candidates;
        let keywords = self.keywords.search(&terms(text), count, Some(allowed));
        let stored = StoredVectors {
            slots: &self.slots,
            known,
        };
        let vectors = match vector {
            Some(vector) => {
                let lookup = Lookup::new(vector, count).among(Some(allowed));
                self.vectors.search(&lookup.by(&stored, exact))?
            }
            None => Vec::new(),
        };
        Ok([self.memories_of(keywords), self.memories_of(vectors)])
    }

    fn fuse(&self, [keywords, vectors]: &[Vec<Scored>; 2]) -> Vec<Fused> {
        let vectors: Vec<Scored> = vectors
            .iter()
            .map(|(slot, cosine)| (*slot, self.fusion.cosine_score(*cosine)))
            .collect();
        let weight = self.fusion.keyword_weight(self.keywords.average_length());
        let keyword = Ranked {
            candidates: keywords,
            weight,
        };
        let vector = Ranked {
            candidates: &vectors,
            weight: 1.0 - weight,
        };
        match vectors.is_empty() {
            true => fuse(&[keyword]),
            false => fuse(&[keyword, vector]),
        }
    }
}

/// The memories that support a relation of a fact's subject and predicate, as `lives_in` of the same
/// person.
fn related_memories(fact: &Fact, knowledge: &Knowledge) -> BTreeSet<Id> {
    let stated: BTreeSet<(EntityId, &str)> = fact
        .relations
        .iter()
        .filter_map(|r| Some((EntityId::of(&r.subject)?, r.predicate.as_str())))
        .collect();
    let same_kind = |subject: &EntityId, predicate: &str| {
        stated.iter().any(|(s, p)| s == subject && *p == predicate)
    };
    let same_object = |object: &Object| {
        let named = |name: &str| match object {
            Object::Entity(id) => EntityId::of(name).as_ref() == Some(id),
            Object::Literal(text) => text == name,
        };
        fact.relations
            .iter()
            .any(|relation| named(&relation.object))
    };
    knowledge
        .relations()
        .map(|(_, relation)| relation)
        .filter(|relation| relation.is_current())
        .filter(|r| same_kind(&r.subject, &r.predicate) || same_object(&r.object))
        .flat_map(|relation| relation.memories.iter().copied())
        .collect()
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
    let select = |filter: &Filter, with_transcript: bool| {
        let cards = known.cards();
        let selected = cards.filter(|card| {
            let may = card.current && (with_transcript || card.is_listed());
            may && known.selects(filter, card)
        });
        selected.flat_map(|card| index.slots_of(card.id)).collect()
    };
    let may_answer = index.selections.answering(search, question.now, select);
    let k = (search.top_k * CANDIDATES_PER_HIT).max(MIN_CANDIDATES);
    let candidates = Candidates {
        count: k,
        exact: search.top_k,
        allowed: &may_answer,
    };
    let channels = index.channels(question.text, question.vector, candidates, known)?;
    let fused = index.fuse(&channels);
    let cosines: BTreeMap<Slot, f32> = channels[1].iter().copied().collect();
    let knowledge: &Knowledge = &known;
    let mut answers: Vec<(&Card, &Fused)> = fused
        .iter()
        .filter(|fused| fused.score >= search.threshold)
        .filter_map(|fused| Some((index.card(fused.slot, knowledge)?, fused)))
        .collect();
    answers
        .sort_by(|(a, left), (b, right)| right.score.total_cmp(&left.score).then(a.id.cmp(&b.id)));
    let found: BTreeSet<Id> = answers.iter().map(|(card, _)| card.id).collect();
    let speaks_for_itself = |card: &Card| {
        card.is_listed()
            || search.transcript == Transcript::Always
            || knowledge.facts_of(&card.id).all(|fact| {
                // What it said was changed since, or a fact says it here already.
                fact.current && fact.sources.contains(&card.id) && !found.contains(&fact.id)
            })
    };
    Ok(answers
        .into_iter()
        .filter(|(card, _)| speaks_for_itself(card))
        .filter_map(|(card, fused)| {
            let memory = known.memory(&card.id)?;
            Some(Hit {
                score: fused.score,
                rerank_score: None,
                receipt: receipt(&memory, fused, cosines.get(&fused.slot).copied()),
                memory: (*memory).clone(),
            })
        })
        .take(search.top_k)
        .collect())
}

fn receipt(memory: &Memory, fused: &Fused, cosine: Option<f32>) -> Receipt {
    let names = ["keyword", "vector"];
    let channels = names
        .iter()
        .zip(&fused.channels)
        .filter_map(|(name, found)| {
            let (rank, score) = (*found)?;
            Some(ChannelScore {
                channel: (*name).to_owned(),
                rank,
                raw: cosine.filter(|_| *name == "vector").unwrap_or(score),
                score,
            })
        });
    Receipt {
        channels: channels.collect(),
        sources: memory.sources().to_vec(),
    }
}
