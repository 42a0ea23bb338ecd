//! Phase 3: from decisions to the changes of one commit.

use super::graph::{
    self, Leaving, Likeness, Resolver, Said, Settled, Speech, leave, oppose, reopen, settle,
};
use super::knowledge::Known;
use super::update::Decision;
use crate::compact::{OrderedMap, OrderedSet};
use crate::memory::{
    Change, ChangeKind, EntityId, Fact, Id, Kind, Memory, Mint, Moment, Relation, ResolvedBy,
    Version, normalized_hash,
};
use crate::store::Changes;
use crate::store::records::{AddWork, OutcomeRecord};

/// Messages of the conversation in which who was spoken of is who is meant.
const LATELY: usize = 10;

/// How sure is what the model was not sure of.
const UNSURE: f32 = 0.5;

/// What the decisions of one batch come to.
#[derive(Debug, Default)]
pub struct Stored {
    /// Memories, history, entities and relations. Vectors are the caller's to add.
    pub changes: Changes,
    /// What was done, for the event.
    pub outcomes: Vec<OutcomeRecord>,
    /// The keys of the relations that are new.
    pub relations: Vec<String>,
}

/// Turns decisions into changes, against what is known *now*: a memory that was erased, retired or
/// made meanwhile is respected, so that a decision made on an older state never resurrects,
/// overwrites or doubles anything. `likeness` has the vectors of names that could be spellings of known ones.
pub fn store(
    known: Known<'_>,
    work: &AddWork,
    facts: &[Fact],
    decisions: &[Decision],
    likeness: &Likeness,
    now: Moment,
    mint: &mut Mint<'_>,
) -> Stored {
    let mut draft = Draft {
        known,
        work,
        now,
        mint,
        memories: OrderedMap::new(),
        graph: graph::Draft::new(known.knowledge().graph(), now),
        resolver: Resolver::new(likeness, spoken_of(known, work)),
        stored: Stored::default(),
    };
    for decision in decisions {
        draft.decide(facts, decision);
    }
    draft.finish()
}

/// Who and what was mentioned lately in the conversation of an add.
fn spoken_of(known: Known<'_>, work: &AddWork) -> OrderedSet<EntityId> {
    let lately = known.conversation(&work.scope).rev().take(LATELY);
    lately
        .flat_map(|message| known.facts_of(&message).collect::<Vec<_>>())
        .filter(|fact| fact.current)
        .flat_map(|fact| fact.entities.to_vec())
        .collect()
}

struct Draft<'a, 'm> {
    known: Known<'a>,
    work: &'a AddWork,
    now: Moment,
    mint: &'a mut Mint<'m>,
    memories: OrderedMap<Id, Memory>,
    graph: graph::Draft<'a>,
    resolver: Resolver<'a>,
    stored: Stored,
}

impl Draft<'_, '_> {
    fn decide(&mut self, facts: &[Fact], decision: &Decision) {
        let Some(fact) = facts.get(decision.fact()) else {
            return;
        };
        match decision {
            Decision::Add {
                undecided,
                contradicts,
                ..
            } => {
                let opposed = contradicts.and_then(|id| self.memory(&id));
                let opposed = opposed.filter(Memory::is_current).map(|memory| memory.id);
                self.add(fact, *undecided, opposed);
            }
            Decision::Keep { memory, .. } => match self.memory(memory) {
                Some(memory) if memory.is_current() => self.keep(memory, fact),
                _ => self.add(fact, false, None),
            },
            Decision::Update { memory, text, .. } => match self.memory(memory) {
                Some(memory) if memory.is_current() && !memory.immutable => {
                    self.update(memory, fact, text);
                }
                _ => self.add(fact, false, None),
            },
            Decision::Delete { memory, .. } => match self.memory(memory) {
                Some(memory) if memory.is_current() && !memory.immutable => {
                    self.retire(memory, fact);
                }
                _ => {}
            },
        }
    }

    /// A memory as it stands after the decisions so far.
    fn memory(&self, id: &Id) -> Option<Memory> {
        let drafted = self.memories.get(id).cloned();
        drafted.or_else(|| Some((*self.known.memory(id)?).clone()))
    }

    fn duplicate(&self, text: &str) -> Option<Memory> {
        let hash = normalized_hash(text);
        let drafted = self
            .memories
            .values()
            .find(|m| m.is_current() && m.is_listed() && normalized_hash(m.text()) == hash);
        let known = || {
            let mut known = self.known.duplicates_of(text);
            let untouched = known.find(|id| !self.memories.contains_key(id))?;
            Some((*self.known.memory(&untouched)?).clone())
        };
        drafted.cloned().or_else(known)
    }

    fn add(&mut self, fact: &Fact, undecided: bool, contradicts: Option<Id>) {
        if let Some(memory) = self.duplicate(&fact.text) {
            return self.keep(memory, fact);
        }
        let said_at = self.said_at(fact);
        let said = self.read(fact);
        let memory = Memory {
            id: self.mint.id(),
            kind: Kind::Fact,
            transcript: false,
            scope: self.work.scope.clone(),
            versions: vec![self.version(fact, fact.text.clone())],
            role: None,
            name: None,
            attributed_to: Some(fact.attributed_to),
            standing: fact.standing,
            applies_when: fact.applies_when.clone(),
            categories: fact.categories.clone(),
            entities: said.mentions.entities.iter().cloned().collect(),
            names: said.mentions.names.clone(),
            metadata: self.work.metadata.clone(),
            expires_at: self.work.expires_at,
            immutable: self.work.immutable,
            undecided,
            feedback: None,
            feedback_reason: None,
            created_at: said_at,
            updated_at: said_at,
        };
        self.history(
            &memory,
            ChangeKind::Add,
            None,
            Some(fact.text.clone()),
            fact,
        );
        self.state(&memory, fact, said, contradicts);
        if let Some(other) = contradicts {
            oppose(&mut self.graph, other, memory.id, self.mint);
        }
        self.outcome(&memory, ChangeKind::Add);
        self.memories.insert(memory.id, memory);
    }

    /// The memory says it already; the new messages support it too.
    fn keep(&mut self, mut memory: Memory, fact: &Fact) {
        if let Some(version) = memory.versions.last_mut() {
            let known: OrderedSet<Id> = version.sources.iter().copied().collect();
            version
                .sources
                .extend(fact.sources.iter().filter(|id| !known.contains(id)));
            if version.structured_data.is_empty() {
                version.structured_data = fact.structured_data.clone();
            }
        }
        self.confirm(&mut memory, fact);
        self.outcome(&memory, ChangeKind::None);
        self.memories.insert(memory.id, memory);
    }

    fn update(&mut self, mut memory: Memory, fact: &Fact, text: &str) {
        let same = |other: &str| normalized_hash(other) == normalized_hash(text);
        if same(memory.text())
            || self
                .duplicate(text)
                .is_some_and(|other| other.id != memory.id)
        {
            return self.keep(memory, fact);
        }
        let said_at = self.said_at(fact);
        let old_text = memory.text().to_owned();
        if let Some(version) = memory.versions.last_mut() {
            version.known_to = Some(self.now);
            if version.valid_to.is_none() {
                end(version, fact, said_at);
            }
        }
        let mut version = self.version(fact, text.to_owned());
        if let Some(last) = memory.latest()
            && version.structured_data.is_empty()
        {
            version.structured_data = last.structured_data.clone();
        }
        memory.versions.push(version);
        memory.updated_at = said_at;
        memory.standing |= fact.standing;
        if fact.applies_when.is_some() {
            memory.applies_when = fact.applies_when.clone();
        }
        let said = self.read(fact);
        memory.entities = said.mentions.entities.iter().cloned().collect();
        for naming in &said.mentions.names {
            if !memory.names.contains(naming) {
                memory.names.push(naming.clone());
            }
        }
        if !fact.categories.is_empty() {
            memory.categories = fact.categories.clone();
        }
        self.history(
            &memory,
            ChangeKind::Update,
            Some(old_text),
            Some(text.to_owned()),
            fact,
        );
        let leaving = Leaving::Over {
            at: fact.valid_from.unwrap_or(said_at),
            precision: fact.from_precision,
        };
        let lasts = |graph: &graph::Draft<'_>, relation: &Relation| {
            let is_left = graph::is_lasting(&relation.predicate) || said.leaves_alone(relation);
            said.says(graph, relation)
                || is_left
                    && !said.says_otherwise(graph, relation)
                    && graph::is_told(graph, relation, text)
        };
        let mistaken = leave(&mut self.graph, &memory.id, leaving, &lasts);
        for relation in &mistaken {
            self.reopen(relation);
        }
        self.state(&memory, fact, said, None);
        self.keep_mentioned(&mut memory);
        self.outcome(&memory, ChangeKind::Update);
        self.memories.insert(memory.id, memory);
    }

    fn retire(&mut self, mut memory: Memory, fact: &Fact) {
        let said_at = self.said_at(fact);
        let old_text = memory.text().to_owned();
        if let Some(version) = memory.versions.last_mut() {
            version.known_to = Some(self.now);
            end(version, fact, said_at);
        }
        memory.updated_at = said_at;
        self.history(&memory, ChangeKind::Delete, Some(old_text), None, fact);
        let leaving = Leaving::Over {
            at: fact.valid_from.unwrap_or(said_at),
            precision: fact.from_precision,
        };
        self.outcome(&memory, ChangeKind::Delete);
        let id = memory.id;
        self.memories.insert(id, memory);
        let never = leave(&mut self.graph, &id, leaving, &|_, _| false);
        for relation in &never {
            self.reopen(relation);
        }
    }

    fn version(&self, fact: &Fact, text: String) -> Version {
        Version {
            text,
            known_from: self.now,
            known_to: None,
            valid_from: fact.valid_from,
            valid_to: fact.valid_to,
            from_precision: fact.from_precision,
            to_precision: fact.to_precision,
            sources: fact.sources.clone(),
            structured_data: fact.structured_data.clone(),
        }
    }

    /// When a fact was said: the time of the last message that says it.
    fn said_at(&self, fact: &Fact) -> Moment {
        let times = fact.sources.iter().filter_map(|id| self.known.card(id));
        times
            .map(|message| message.created_at)
            .max()
            .unwrap_or(self.now)
    }

    fn history(
        &mut self,
        memory: &Memory,
        kind: ChangeKind,
        old_text: Option<String>,
        new_text: Option<String>,
        fact: &Fact,
    ) {
        let change = Change {
            id: self.mint.id(),
            memory_id: memory.id,
            kind,
            old_text,
            new_text,
            at: self.said_at(fact),
            sources: fact.sources.clone(),
        };
        self.stored.changes.history.push(change);
    }

    fn outcome(&mut self, memory: &Memory, kind: ChangeKind) {
        self.stored.outcomes.push(OutcomeRecord {
            memory: memory.id,
            kind,
            version: memory.versions.len().saturating_sub(1),
        });
    }

    fn read(&mut self, fact: &Fact) -> Said {
        let at = self.said_at(fact);
        Said::read(&mut self.graph, &mut self.resolver, fact, at)
    }

    /// Adds what a fact states to the graph, on the ground of a memory.
    fn state(&mut self, memory: &Memory, fact: &Fact, said: Said, contradicts: Option<Id>) {
        let speech = Speech {
            memory: memory.id,
            confidence: if memory.undecided { UNSURE } else { 1.0 },
            disputed: contradicts.into_iter().collect(),
        };
        let new = said.state(&mut self.graph, fact, &speech, self.mint);
        self.stored.relations.extend(new);
    }

    /// A memory that says a fact already supports what is known of it; other names are learnt.
    fn confirm(&mut self, memory: &mut Memory, fact: &Fact) {
        let mut known = fact.clone();
        known.entities.retain(|entity| {
            let found = self.resolver.find(&self.graph, &entity.name, &entity.kind);
            found.is_some()
        });
        known.relations.retain(|relation| {
            let subject = self.resolver.find(&self.graph, &relation.subject, "");
            subject.is_some()
        });
        let said = self.read(&known);
        said.confirm(&mut self.graph, fact, &memory.id);
        for naming in said.mentions.names {
            if memory.entities.contains(&naming.entity) && !memory.names.contains(&naming) {
                memory.names.push(naming);
            }
        }
    }

    /// A memory mentions the ends of every relation that it supports.
    fn keep_mentioned(&self, memory: &mut Memory) {
        let relations = self.graph.relations_from(&memory.id).into_iter();
        let current = relations.filter(|(_, relation)| relation.is_current());
        for (_, relation) in current {
            let ends = std::iter::once(&relation.subject).chain(relation.object.entity());
            for end in ends {
                if !memory.entities.contains(end) {
                    memory.entities.push(end.clone());
                }
            }
        }
    }

    fn reopen(&mut self, gone: &Relation) {
        let (memories, known) = (&self.memories, self.known);
        let is_current = |id: &Id| match memories.get(id) {
            Some(memory) => memory.is_current(),
            None => known.card(id).is_some_and(|card| card.current),
        };
        reopen(&mut self.graph, gone, &is_current);
    }

    fn finish(self) -> Stored {
        let Self {
            known,
            memories,
            mut graph,
            mut stored,
            ..
        } = self;
        let is_current = |id: &Id| match memories.get(id) {
            Some(memory) => memory.is_current(),
            None => known.card(id).is_some_and(|card| card.current),
        };
        let settled = Settled {
            is_current: &is_current,
            by: ResolvedBy::Update,
        };
        settle(&mut graph, &settled);
        graph.finish(&mut stored.changes);
        stored.changes.memories = memories.into_values().collect();
        stored
    }
}

/// Ends a version when a fact does; not before it began.
fn end(version: &mut Version, fact: &Fact, said_at: Moment) {
    let at = fact.valid_from.unwrap_or(said_at);
    let is_inverted = version.valid_from.is_some_and(|from| at < from);
    version.valid_to = Some(if is_inverted {
        version.valid_from.unwrap_or(at)
    } else {
        at
    });
    version.to_precision = match is_inverted {
        true => version.from_precision,
        false => fact.from_precision,
    };
}
