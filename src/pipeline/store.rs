//! Phase 3: from decisions to the changes of one commit.

use std::collections::{BTreeMap, BTreeSet};

use super::knowledge::Known;
use super::update::Decision;
use crate::memory::{
    Change, ChangeKind, Entity, EntityId, Fact, Id, Kind, Memory, Mint, Moment, Object, Relation,
    Version, normalized_hash,
};
use crate::store::records::{AddWork, OutcomeRecord};
use crate::store::{Changes, relation_key};

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
/// overwrites or doubles anything.
pub fn store(
    known: Known<'_>,
    work: &AddWork,
    facts: &[Fact],
    decisions: &[Decision],
    now: Moment,
    mint: &mut Mint<'_>,
) -> Stored {
    let mut draft = Draft {
        known,
        work,
        now,
        mint,
        memories: BTreeMap::new(),
        entities: BTreeMap::new(),
        relations: BTreeMap::new(),
        stored: Stored::default(),
    };
    for decision in decisions {
        draft.decide(facts, decision);
    }
    draft.finish()
}

struct Draft<'a, 'm> {
    known: Known<'a>,
    work: &'a AddWork,
    now: Moment,
    mint: &'a mut Mint<'m>,
    memories: BTreeMap<Id, Memory>,
    entities: BTreeMap<EntityId, Entity>,
    relations: BTreeMap<String, Relation>,
    stored: Stored,
}

impl Draft<'_, '_> {
    fn decide(&mut self, facts: &[Fact], decision: &Decision) {
        let Some(fact) = facts.get(decision.fact()) else {
            return;
        };
        match decision {
            Decision::Add { undecided, .. } => self.add(fact, *undecided),
            Decision::Keep { memory, .. } => match self.memory(memory) {
                Some(memory) if memory.is_current() => self.keep(memory, fact),
                _ => self.add(fact, false),
            },
            Decision::Update { memory, text, .. } => match self.memory(memory) {
                Some(memory) if memory.is_current() && !memory.immutable => {
                    self.update(memory, fact, text);
                }
                _ => self.add(fact, false),
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

    fn add(&mut self, fact: &Fact, undecided: bool) {
        if let Some(memory) = self.duplicate(&fact.text) {
            return self.keep(memory, fact);
        }
        let said_at = self.said_at(fact);
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
            categories: fact.categories.clone(),
            entities: self.mentions(fact),
            metadata: self.work.metadata.clone(),
            expires_at: self.work.expires_at,
            immutable: self.work.immutable,
            undecided,
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
        self.relate(&memory, fact);
        self.outcome(&memory, ChangeKind::Add);
        self.memories.insert(memory.id, memory);
    }

    /// The memory says it already; the new messages support it too.
    fn keep(&mut self, mut memory: Memory, fact: &Fact) {
        if let Some(version) = memory.versions.last_mut() {
            let known: BTreeSet<Id> = version.sources.iter().copied().collect();
            version
                .sources
                .extend(fact.sources.iter().filter(|id| !known.contains(id)));
        }
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
            version.valid_to = version.valid_to.or(fact.valid_from).or(Some(said_at));
        }
        memory.versions.push(self.version(fact, text.to_owned()));
        memory.updated_at = said_at;
        memory.standing |= fact.standing;
        memory.entities = self.mentions(fact);
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
        self.end_relations(&memory, Some(fact), said_at);
        self.relate(&memory, fact);
        self.outcome(&memory, ChangeKind::Update);
        self.memories.insert(memory.id, memory);
    }

    fn retire(&mut self, mut memory: Memory, fact: &Fact) {
        let said_at = self.said_at(fact);
        let old_text = memory.text().to_owned();
        if let Some(version) = memory.versions.last_mut() {
            version.known_to = Some(self.now);
            version.valid_to = fact.valid_from.or(Some(said_at));
        }
        memory.updated_at = said_at;
        self.history(&memory, ChangeKind::Delete, Some(old_text), None, fact);
        self.end_relations(&memory, None, fact.valid_from.unwrap_or(said_at));
        self.outcome(&memory, ChangeKind::Delete);
        self.memories.insert(memory.id, memory);
    }

    fn version(&self, fact: &Fact, text: String) -> Version {
        Version {
            text,
            known_from: self.now,
            known_to: None,
            valid_from: fact.valid_from,
            valid_to: fact.valid_to,
            sources: fact.sources.clone(),
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

    /// The entities that a fact mentions, created where they are new.
    fn mentions(&mut self, fact: &Fact) -> Vec<EntityId> {
        let mut mentioned = BTreeSet::new();
        for entity in &fact.entities {
            mentioned.extend(self.entity(&entity.name, &entity.kind, fact));
        }
        for relation in &fact.relations {
            mentioned.extend(self.entity(&relation.subject, "topic", fact));
            if let Some(Object::Entity(id)) = self.object(&relation.object) {
                mentioned.insert(id);
            }
        }
        mentioned.into_iter().collect()
    }

    fn entity(&mut self, name: &str, kind: &str, fact: &Fact) -> Option<EntityId> {
        let id = EntityId::of(name)?;
        if self.entities.contains_key(&id) || self.known.entity(&id).is_some() {
            return Some(id);
        }
        let kind = match id.0.as_str() {
            "user" => "person",
            "assistant" => "agent",
            _ => kind,
        };
        let entity = Entity {
            id: id.clone(),
            name: name.trim().to_owned(),
            kind: kind.to_owned(),
            created_at: self.said_at(fact),
        };
        self.entities.insert(id.clone(), entity);
        Some(id)
    }

    /// What a relation points at: an entity where one of that name is known, else a plain value.
    fn object(&self, name: &str) -> Option<Object> {
        match EntityId::of(name) {
            Some(id) if self.entities.contains_key(&id) || self.known.entity(&id).is_some() => {
                Some(Object::Entity(id))
            }
            _ => Some(Object::Literal(name.trim().to_owned())).filter(|_| !name.trim().is_empty()),
        }
    }

    /// Adds the relations that a fact states, or the memory's support to those that are known.
    fn relate(&mut self, memory: &Memory, fact: &Fact) {
        for stated in &fact.relations {
            let Some(subject) = EntityId::of(&stated.subject) else {
                continue;
            };
            let Some(object) = self.object(&stated.object) else {
                continue;
            };
            if stated.predicate.is_empty() {
                continue;
            }
            let known = self.current_relations().find(|relation| {
                relation.subject == subject
                    && relation.predicate == stated.predicate
                    && relation.object == object
            });
            let relation = match known.cloned() {
                Some(mut relation) => {
                    if !relation.memories.contains(&memory.id) {
                        relation.memories.push(memory.id);
                    }
                    relation
                }
                None => {
                    let relation = Relation {
                        subject,
                        predicate: stated.predicate.clone(),
                        object,
                        valid_from: fact.valid_from.or_else(|| Some(self.said_at(fact))),
                        valid_to: fact.valid_to,
                        known_from: self.now,
                        known_to: None,
                        memories: vec![memory.id],
                    };
                    self.stored.relations.push(relation_key(&relation));
                    relation
                }
            };
            self.relations.insert(relation_key(&relation), relation);
        }
    }

    /// Ends the relations that only `memory` supported and that its new fact does not state again.
    fn end_relations(&mut self, memory: &Memory, fact: Option<&Fact>, at: Moment) {
        let supported: Vec<Relation> = self
            .current_relations()
            .filter(|relation| relation.memories.contains(&memory.id))
            .cloned()
            .collect();
        for mut relation in supported {
            let stated_again = fact.is_some_and(|fact| {
                fact.relations.iter().any(|stated| {
                    EntityId::of(&stated.subject).as_ref() == Some(&relation.subject)
                        && stated.predicate == relation.predicate
                        && self.object(&stated.object).as_ref() == Some(&relation.object)
                })
            });
            if stated_again {
                continue;
            }
            if relation.memories.len() > 1 {
                relation.memories.retain(|id| *id != memory.id);
            } else {
                relation.valid_to = Some(fact.and_then(|fact| fact.valid_from).unwrap_or(at));
            }
            self.relations.insert(relation_key(&relation), relation);
        }
    }

    /// The relations that hold after the decisions so far.
    fn current_relations(&self) -> impl Iterator<Item = &Relation> {
        let known = self.known.relations();
        let untouched = known.filter(|(key, _)| !self.relations.contains_key(*key));
        untouched
            .map(|(_, relation)| relation)
            .chain(self.relations.values())
            .filter(|relation| relation.is_current())
    }

    fn finish(self) -> Stored {
        let mut stored = self.stored;
        stored.changes.memories = self.memories.into_values().collect();
        stored.changes.entities = self.entities.into_values().collect();
        stored.changes.relations = self.relations.into_values().collect();
        stored
    }
}
