//! The indexes over a space's memories, and which of them are near to a fact. No model is asked.

use std::num::NonZeroU64;

use rustc_hash::FxHashSet;

use super::graph::related_memories;
use super::knowledge::Known;
use super::originals::StoredVectors;
use super::pages::{page_of_slot, slots_on};
use super::passages::passages;
use super::selection::Selections;
use crate::compact::OrderedSet;
use crate::index::{
    Bitmap, Fusion, HnswIndex, HnswSettings, KeywordIndex, Language, Lookup, Position, Ranked,
    Residency, Scored, Slot, Slots, Terms, Union, VectorError, VectorIndex, VectorIndexKind,
    check_vector, cosine_score, question_terms, terms,
};
use crate::memory::{Fact, Filter, Id, Kind, Memory};

/// Candidates of one channel, at least.
pub(super) const MIN_CANDIDATES: usize = 200;

/// Vectors that a change brings into the graph beside its own, twice as many as it has.
const LINKED_AT_LEAST: usize = 4;

/// Neighbours of a fact by vector, and the least cosine; by keywords, and the least score; in all.
const NEAR_VECTORS: usize = 5;
const NEAR_COSINE: f32 = 0.4;
const NEAR_KEYWORDS: usize = 3;
const NEAR_KEYWORD_SCORE: f32 = 0.25;
const NEIGHBOURS: usize = 10;

/// A memory, by its sequence number, and which of its passages. In eight bytes, also when there may be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Passage(NonZeroU64);

impl Passage {
    pub fn new(sequence: u32, place: u16) -> Self {
        let bits = u64::from(sequence) << 16 | u64::from(place);
        Self(NonZeroU64::MIN.saturating_add(bits))
    }

    pub fn first(id: &Id) -> Self {
        Self::new(id.sequence(), 0)
    }

    pub fn sequence(self) -> u32 {
        ((self.0.get() - 1) >> 16) as u32
    }

    pub fn place(self) -> u16 {
        (self.0.get() - 1) as u16
    }
}

/// The indexes over one space's memories, also those that are no longer true: questions about the past find them. A passage has a slot; a memory answers by its best.
#[derive(Default)]
pub struct RecallIndex {
    pub(super) slots: Slots<Passage>,
    pub(super) vectors: HnswIndex,
    pub(super) keywords: KeywordIndex,
    pub(super) selections: Selections,
    /// The pages that changed since they were stored.
    touched: OrderedSet<u32>,
    fusion: Fusion,
}

/// What the vectors of a memory are made of: the passages of its text, of a message with a named speaker
/// each after the name, and the situation that it is for.
pub fn embedded_texts(memory: &Memory, text: &str) -> Vec<String> {
    let passages = passages(text).into_iter();
    let situation = memory.applies_when.as_deref();
    match &memory.name {
        Some(name) => passages.map(|text| format!("{name}: {text}")).collect(),
        None => passages.chain(situation).map(str::to_owned).collect(),
    }
}

/// What each channel found, as memories, best first.
pub(super) struct Channels {
    pub keywords: Vec<Scored>,
    /// With their cosines.
    pub vectors: Vec<Scored>,
    /// The cosine that counts as nothing.
    unrelated: f32,
}

/// What a channel is asked for.
#[derive(Clone, Copy)]
pub(super) struct Candidates<'a> {
    /// How many, at most.
    pub count: usize,
    /// How many of the first are wanted in the order of the stored vectors.
    pub exact: usize,
    /// The slots that may be among them.
    pub allowed: &'a Bitmap,
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

    /// Standing memories, by their sequence numbers, oldest first.
    pub fn standing(&self) -> impl Iterator<Item = u32> {
        let slots = self.selections.standing().iter();
        let sequences: OrderedSet<u32> = slots.filter_map(|slot| self.sequence(slot)).collect();
        sequences.into_iter()
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
        let slot = self.slots.get(&Passage::first(id));
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
        self.keywords.restored();
    }

    /// Takes a memory out of all indexes.
    pub fn remove(&mut self, id: &Id) {
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

    pub(super) fn slots_of(&self, id: Id) -> impl Iterator<Item = Slot> {
        let passage = move |place| Passage::new(id.sequence(), place);
        (0..=u16::MAX).map_while(move |place| self.slots.get(&passage(place)))
    }

    /// Takes out the passages of a memory from the n-th on.
    fn remove_passages(&mut self, id: Id, first: u16) {
        for place in first..=u16::MAX {
            let Some(slot) = self.slots.release(&Passage::new(id.sequence(), place)) else {
                return;
            };
            self.touch_words(slot);
            self.vectors.remove(slot);
            self.keywords.remove(slot);
            self.selections.remove(slot);
        }
    }

    /// Indexes the words of a memory, a message in its place in its conversation.
    pub fn index_text(&mut self, memory: &Memory, known: Known<'_>) {
        let sketch = known.sketch(memory.id.sequence());
        let Some((card, sketch)) = known.card(&memory.id).zip(sketch) else {
            return self.remove(&memory.id);
        };
        let mut about = terms(&memory.created_at.date_words(), Language::English);
        let mut position = Position::Alone;
        if memory.kind == Kind::Message {
            let speaker = memory.name.as_deref().unwrap_or_default();
            about.extend(terms(speaker, Language::English));
            position = self.position(memory, known);
        }
        let language = Language::of(memory.text());
        let mut place = 0;
        let situation = memory.applies_when.as_deref();
        for passage in passages(memory.text()).into_iter().chain(situation) {
            let slot = self.slots.assign(Passage::new(memory.id.sequence(), place));
            let words = Terms {
                language,
                text: &terms(passage, language),
                about: &about,
            };
            self.touch_words(slot);
            self.keywords.insert(slot, &words, position);
            self.touch_words(slot);
            let selects = |filter: &Filter| known.selects(filter, &card);
            self.selections.put(slot, sketch, selects);
            if memory.kind == Kind::Message {
                position = Position::After(slot);
            }
            place = place.saturating_add(1);
        }
        self.remove_passages(memory.id, place);
    }

    /// Where a message stands among those of its conversation that are indexed: after the one before it, else
    /// before the first of those after it.
    fn position(&self, message: &Memory, known: Known<'_>) -> Position {
        let mut before = known.predecessors(&message.scope, &message.id);
        if let Some(last) = before.find_map(|id| self.slots_of(id).last()) {
            return Position::After(last);
        }
        let mut after = known.successors(&message.scope, &message.id);
        let next = after.find_map(|id| self.slots.get(&Passage::first(&id)));
        next.map_or(Position::Alone, Position::Before)
    }

    /// Takes note that the words in a slot change: the one after it tells on its page which one it follows.
    fn touch_words(&mut self, slot: Slot) {
        let slots = [Some(slot), self.keywords.after(slot)];
        let pages = slots.into_iter().flatten().map(page_of_slot);
        self.touched.extend(pages);
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
        let words = self.words_of(text);
        let channels = self.channels(&words, vector, candidates, known)?;
        let mut union = self.fuse(&channels, 1.0);
        union.keep(k, &|slot| self.sequence(slot));
        Ok(union
            .found()
            .iter()
            .filter_map(|fused| known.id(self.sequence(fused.slot)?))
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
        let words = self.words_of(&fact.text);
        let found = self.channels(&words, vector, candidates, known)?;
        let by_vector = found
            .vectors
            .iter()
            .take(NEAR_VECTORS)
            .filter(|(_, s)| *s >= NEAR_COSINE);
        let by_words = found
            .keywords
            .iter()
            .take(NEAR_KEYWORDS)
            .filter(|(_, s)| *s >= NEAR_KEYWORD_SCORE);
        let slots = by_vector.chain(by_words).map(|(slot, _)| *slot);
        let related = related_memories(fact, known.graph()).into_iter();
        let mut near: Vec<Id> = Vec::new();
        let found = slots.filter_map(|slot| known.id(self.sequence(slot)?));
        for id in found.chain(related) {
            let slot = self.slots.get(&Passage::first(&id));
            let fits = slot.is_some_and(|slot| may_change.contains(slot));
            if fits && !near.contains(&id) {
                near.push(id);
            }
        }
        near.truncate(NEIGHBOURS);
        Ok(near)
    }

    pub(super) fn sequence(&self, slot: Slot) -> Option<u32> {
        Some(self.slots.key(slot)?.sequence())
    }

    /// Passages found, best first, as memories, under the slots of their first passages; ties by id, as slots
    /// differ between hosts and loads.
    pub(super) fn memories_of(&self, passages: Vec<Scored>) -> Vec<Scored> {
        let mut seen = FxHashSet::default();
        let mut found = Vec::with_capacity(passages.len());
        for (slot, score) in passages {
            let first = self
                .slots
                .key(slot)
                .and_then(|passage| match passage.place() {
                    0 => Some(slot),
                    _ => self.slots.get(&Passage::new(passage.sequence(), 0)),
                });
            if let Some(first) = first.filter(|first| seen.insert(*first)) {
                found.push((first, score));
            }
        }
        let age = |slot: Slot| self.sequence(slot);
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| age(a.0).cmp(&age(b.0))));
        found
    }

    /// The words of a question to these memories.
    pub(super) fn words_of(&self, question: &str) -> Vec<Vec<String>> {
        question_terms(question, &self.keywords.languages())
    }

    /// The candidates of the channels, for the words and the vector of a question.
    pub(super) fn channels(
        &self,
        words: &[Vec<String>],
        vector: Option<&[f32]>,
        candidates: Candidates<'_>,
        known: Known<'_>,
    ) -> Result<Channels, VectorError> {
        let Candidates {
            count,
            exact,
            allowed,
        } = candidates;
        let keywords = self.keywords.search(words, count, Some(allowed));
        let stored = StoredVectors {
            slots: &self.slots,
            known,
        };
        let vectors = match vector {
            Some(vector) => {
                let lookup = Lookup::new(vector, count).among(Some(allowed));
                // To read 32 stored vectors takes a Durable Object a millisecond, as long as all the rest of a
                // search; rows order nearly as well without them.
                match self.residency() {
                    Residency::Resident => self.vectors.search(&lookup)?,
                    Residency::Lean => self.vectors.search(&lookup.by(&stored, exact))?,
                }
            }
            None => Vec::new(),
        };
        Ok(Channels {
            keywords: self.memories_of(keywords),
            unrelated: self.unrelated_cosine(&vectors),
            vectors: self.memories_of(vectors),
        })
    }

    /// The cosine that counts as nothing, where these vectors were found.
    pub(super) fn unrelated_cosine(&self, vectors: &[Scored]) -> f32 {
        self.fusion.unrelated_cosine(vectors)
    }

    /// The union of what the channels found, where `trust` tells how much the vectors say, 0 to 1.
    pub(super) fn fuse(&self, found: &Channels, trust: f32) -> Union {
        if found.vectors.is_empty() {
            return Union::of(&[Ranked {
                candidates: &found.keywords,
                weight: 1.0,
            }]);
        }
        let length = self.keywords.average_length();
        let scored = |found: &[Scored], score: &dyn Fn(f32) -> f32| -> Vec<Scored> {
            found
                .iter()
                .map(|(slot, raw)| (*slot, score(*raw)))
                .collect()
        };
        let keywords = scored(&found.keywords, &|score| {
            self.fusion.keyword_score(score, length)
        });
        let vectors = scored(&found.vectors, &|cosine| {
            cosine_score(cosine, found.unrelated)
        });
        Union::of(&[
            Ranked {
                candidates: &keywords,
                weight: self.fusion.keyword,
            },
            Ranked {
                candidates: &vectors,
                weight: (1.0 - self.fusion.keyword) * trust,
            },
        ])
    }
}
