//! Recall: which memories answer a question, and which are near to a fact. No model is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::knowledge::Knowledge;
use super::selection::Selections;
use crate::index::{
    Bitmap, Field, FlatIndex, Fused, Fusion, KeywordIndex, Ranked, Scored, Slot, Slots,
    VectorError, VectorIndex, check_vector, fuse, terms,
};
use crate::memory::{EntityId, Fact, Id, Kind, Memory, Moment, Object};
use crate::operation::{ChannelScore, Hit, Receipt, Search, Transcript};

/// How much the words of the messages before count for a message, the nearest first: an answer is found
/// by its question, and by what led to it.
pub(crate) const CONTEXT_WEIGHTS: [f32; 2] = [0.5, 0.25];

/// How much the words of its date count for a memory.
const DATE_WEIGHT: f32 = 1.0;

/// Candidates of one channel for each hit wanted, and at least.
const CANDIDATES_PER_HIT: usize = 4;
const MIN_CANDIDATES: usize = 200;

/// Neighbours of a fact by vector, and the least cosine; by keywords, and the least score; in all.
const NEAR_VECTORS: usize = 5;
const NEAR_COSINE: f32 = 0.4;
const NEAR_KEYWORDS: usize = 3;
const NEAR_KEYWORD_SCORE: f32 = 0.25;
const NEIGHBOURS: usize = 10;

/// The indexes over one space's current memories.
#[derive(Default)]
pub struct RecallIndex {
    slots: Slots<Id>,
    vectors: FlatIndex,
    keywords: KeywordIndex,
    selections: Selections,
    fusion: Fusion,
}

/// What the vector of a memory is made of: its text, of a message with a named speaker after the name.
pub fn embedded_text(speaker: Option<&str>, text: &str) -> String {
    match speaker {
        Some(name) => format!("{name}: {text}"),
        None => text.to_owned(),
    }
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
    /// Whether any memory has a vector.
    pub fn has_vectors(&self) -> bool {
        !self.vectors.is_empty()
    }

    /// Takes a memory out of all indexes.
    pub fn remove(&mut self, id: &Id) {
        if let Some(slot) = self.slots.release(id) {
            self.vectors.remove(slot);
            self.keywords.remove(slot);
            self.selections.remove(slot);
        }
    }

    /// Takes out the vector of a memory, whose text has changed.
    pub fn remove_vector(&mut self, id: &Id) {
        if let Some(slot) = self.slots.get(id) {
            self.vectors.remove(slot);
        }
    }

    /// Indexes the words of a memory: its text; of a message also its speaker, its date and the messages
    /// before it. A memory that is no longer true is taken out.
    pub fn index_text(&mut self, memory: &Memory, knowledge: &Knowledge) {
        if !memory.is_current() {
            return self.remove(&memory.id);
        }
        let mut fields = vec![Field {
            terms: terms(memory.text()),
            weight: 1.0,
        }];
        let mut context = |text: &str, weight| {
            fields.push(Field {
                terms: terms(text),
                weight,
            });
        };
        if memory.kind == Kind::Message {
            context(memory.name.as_deref().unwrap_or_default(), 1.0);
            for (before, weight) in knowledge.predecessors(memory).zip(CONTEXT_WEIGHTS) {
                context(before.text(), weight);
            }
        }
        context(&memory.created_at.date_words(), DATE_WEIGHT);
        let slot = self.slots.assign(memory.id);
        self.keywords.insert(slot, &fields);
        self.selections.put(slot, memory);
    }

    /// Whether all these vectors can be indexed: to be asked before they are stored.
    ///
    /// # Errors
    /// When one has another dimension than the others, or a value that is no number.
    pub fn check_vectors(&self, vectors: &[(Id, Vec<f32>)]) -> Result<(), VectorError> {
        let first = vectors.first().map(|(_, vector)| vector.len());
        let dimension = self.vectors.dimension().or(first);
        vectors
            .iter()
            .try_for_each(|(_, vector)| check_vector(vector, dimension))
    }

    /// Indexes the vector of a memory.
    ///
    /// # Errors
    /// When it has another dimension than the others.
    pub fn index_vector(&mut self, id: Id, vector: &[f32]) -> Result<(), VectorError> {
        match self.slots.get(&id) {
            Some(slot) => self.vectors.insert(slot, vector),
            None => Ok(()),
        }
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
    ) -> Result<Vec<Id>, VectorError> {
        let facts = self.selections.facts();
        let channels = self.channels(text, vector, MIN_CANDIDATES, facts)?;
        let fused = self.fuse(&channels);
        Ok(fused
            .iter()
            .take(k)
            .filter_map(|fused| self.slots.key(fused.slot))
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
        knowledge: &Knowledge,
    ) -> Result<Vec<Id>, VectorError> {
        let may_change = self.selections.changeable();
        let [keywords, vectors] = self.channels(&fact.text, vector, NEIGHBOURS, may_change)?;
        let by_vector = vectors
            .iter()
            .take(NEAR_VECTORS)
            .filter(|(_, s)| *s >= NEAR_COSINE);
        let by_words = keywords
            .iter()
            .take(NEAR_KEYWORDS)
            .filter(|(_, s)| *s >= NEAR_KEYWORD_SCORE);
        let slots = by_vector.chain(by_words).map(|(slot, _)| *slot);
        let related = related_memories(fact, knowledge).into_iter();
        let mut near: Vec<Id> = Vec::new();
        for id in slots.filter_map(|slot| self.slots.key(slot)).chain(related) {
            let fits = self
                .slots
                .get(&id)
                .is_some_and(|slot| may_change.contains(slot));
            if fits && !near.contains(&id) {
                near.push(id);
            }
        }
        near.truncate(NEIGHBOURS);
        Ok(near)
    }

    fn memory<'a>(&self, slot: Slot, knowledge: &'a Knowledge) -> Option<&'a Memory> {
        knowledge.memory(&self.slots.key(slot)?)
    }

    /// The candidates of the keyword channel, and of the vector channel with their cosines.
    fn channels(
        &self,
        text: &str,
        vector: Option<&[f32]>,
        k: usize,
        allowed: &Bitmap,
    ) -> Result<[Vec<Scored>; 2], VectorError> {
        let keywords = self.keywords.search(&terms(text), k, Some(allowed));
        let vectors = match vector {
            Some(vector) => self.vectors.search(vector, k, Some(allowed))?,
            None => Vec::new(),
        };
        Ok([keywords, vectors])
    }

    fn fuse(&self, [keywords, vectors]: &[Vec<Scored>; 2]) -> Vec<Fused> {
        let vectors: Vec<Scored> = vectors
            .iter()
            .map(|(slot, cosine)| (*slot, self.fusion.cosine_score(*cosine)))
            .collect();
        let keyword = Ranked {
            candidates: keywords,
            weight: self.fusion.keyword,
        };
        let vector = Ranked {
            candidates: &vectors,
            weight: self.fusion.vector,
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
    knowledge: &Knowledge,
    index: &RecallIndex,
) -> Result<Vec<Hit>, VectorError> {
    let search = question.search;
    let memories = || {
        let slot = |memory: &Memory| index.slots.get(&memory.id);
        knowledge
            .memories()
            .filter_map(move |memory| Some((slot(memory)?, memory)))
    };
    let may_answer = index.selections.answering(search, question.now, memories);
    let k = (search.top_k * CANDIDATES_PER_HIT).max(MIN_CANDIDATES);
    let channels = index.channels(question.text, question.vector, k, &may_answer)?;
    let fused = index.fuse(&channels);
    let cosines: BTreeMap<Slot, f32> = channels[1].iter().copied().collect();
    let answers: Vec<(&Memory, &Fused)> = fused
        .iter()
        .filter(|fused| fused.score >= search.threshold)
        .filter_map(|fused| Some((index.memory(fused.slot, knowledge)?, fused)))
        .collect();
    let found: BTreeSet<Id> = answers.iter().map(|(memory, _)| memory.id).collect();
    let speaks_for_itself = |memory: &Memory| {
        memory.is_listed()
            || search.transcript == Transcript::Always
            || knowledge.facts_of(&memory.id).all(|fact| {
                // What it said was changed since, or a fact says it here already.
                fact.is_current()
                    && fact.sources().contains(&memory.id)
                    && !found.contains(&fact.id)
            })
    };
    Ok(answers
        .into_iter()
        .filter(|(memory, _)| speaks_for_itself(memory))
        .take(search.top_k)
        .map(|(memory, fused)| Hit {
            memory: memory.clone(),
            score: fused.score,
            receipt: receipt(memory, fused, cosines.get(&fused.slot).copied()),
        })
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
