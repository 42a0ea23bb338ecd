//! From what a fact says to entities and relations.

use super::predicates::is_single;
use super::predicates::{self, Naming as NamesIt};
use super::relate::{Related, Statement, excludes, extend, relate, says_the_same};
use super::resolve::{Named, Resolved, Resolver, learn_alias, rename};
use super::{Draft, Likeness};
use crate::compact::OrderedSet;
use crate::memory::{
    EntityId, Fact, FactRelation, Id, Mint, Moment, Naming, Object, Precision, Relation,
    normalize_name,
};
use crate::pipeline::knowledge::Graph;

/// A fact with its names resolved.
#[derive(Debug, Default, Clone)]
pub struct Said {
    /// Who and what it mentions.
    pub mentions: Mentions,
    /// What it states. Support, and when it was learnt, are still to be filled in.
    statements: Vec<Relation>,
}

/// Who and what a fact mentions.
#[derive(Debug, Default, Clone)]
pub struct Mentions {
    /// The entities.
    pub entities: OrderedSet<EntityId>,
    /// How it names them.
    pub names: Vec<Naming>,
}

impl Mentions {
    fn add(&mut self, resolved: Resolved) -> EntityId {
        for name in resolved.names {
            self.name(&resolved.id, name);
        }
        self.entities.insert(resolved.id.clone());
        resolved.id
    }

    fn name(&mut self, entity: &EntityId, name: String) {
        let naming = Naming {
            entity: entity.clone(),
            name,
        };
        if !self.names.contains(&naming) {
            self.names.push(naming);
        }
    }
}

/// Who says it, and how sure that is.
#[derive(Debug, Clone)]
pub struct Speech {
    /// The memory that says it.
    pub memory: Id,
    /// 0 to 1.
    pub confidence: f32,
    /// Memories that contradict it, of which nobody knows whether they are right.
    pub disputed: Vec<Id>,
}

impl Said {
    /// Resolves what a fact says, making the entities that are new and learning names.
    pub fn read(
        draft: &mut Draft<'_>,
        resolver: &mut Resolver<'_>,
        fact: &Fact,
        at: Moment,
    ) -> Self {
        let mut said = Self::default();
        // What a fact says of names helps to read the rest of it.
        for stated in &fact.relations {
            said.read_naming(draft, resolver, fact, stated, at);
        }
        for entity in &fact.entities {
            let named = Named {
                name: &entity.name,
                kind: &entity.kind,
                aliases: &entity.aliases,
                at,
            };
            if let Some(resolved) = resolver.resolve(draft, &named) {
                said.mentions.add(resolved);
            }
        }
        for stated in &fact.relations {
            said.read_relation(draft, resolver, fact, stated, at);
        }
        // What ended, ended before what is said to be now.
        said.statements
            .sort_by_key(|relation| relation.valid_to.is_none());
        said
    }

    fn read_naming(
        &mut self,
        draft: &mut Draft<'_>,
        resolver: &mut Resolver<'_>,
        fact: &Fact,
        stated: &FactRelation,
        at: Moment,
    ) {
        let naming = match predicates::read(&stated.predicate).predicate.as_str() {
            "name" => Some(NamesIt::Alias),
            _ => predicates::naming(&stated.predicate),
        };
        let Some(naming) = naming else { return };
        let Some(resolved) = resolver.resolve(draft, &named(fact, &stated.subject, at)) else {
            return;
        };
        let id = self.mentions.add(resolved);
        let names = match naming {
            NamesIt::Renamed => rename(draft, &id, &stated.object, at),
            NamesIt::Alias => learn_alias(draft, &id, &stated.object, at)
                .into_iter()
                .collect(),
        };
        for name in names {
            self.mentions.name(&id, name);
        }
    }

    fn read_relation(
        &mut self,
        draft: &mut Draft<'_>,
        resolver: &mut Resolver<'_>,
        fact: &Fact,
        stated: &FactRelation,
        at: Moment,
    ) {
        let read = predicates::read(&stated.predicate);
        if read.predicate.is_empty() || predicates::naming(&stated.predicate).is_some() {
            return;
        }
        let Some(subject) = resolver.resolve(draft, &named(fact, &stated.subject, at)) else {
            return;
        };
        let subject = self.mentions.add(subject);
        // The other end of a marriage is somebody, known or not.
        let is_entity = read.swapped || predicates::is_symmetric(&read.predicate);
        let found = match read.predicate.as_str() {
            "name" => None,
            _ => resolver.find(draft, &stated.object, kind_of(fact, &stated.object)),
        };
        let object = match (found, is_entity) {
            (Some(_), _) | (None, true) => resolver
                .resolve(draft, &named(fact, &stated.object, at))
                .map(|resolved| Object::Entity(self.mentions.add(resolved))),
            (None, false) => Some(Object::Literal(stated.object.trim().to_owned()))
                .filter(|_| !stated.object.trim().is_empty()),
        };
        let Some(object) = object else { return };
        let Some((subject, object)) = directed(subject, object, &read) else {
            return;
        };
        let span = span_of(fact, &read, at);
        let relation = Relation {
            subject,
            predicate: read.predicate,
            object,
            valid_from: span.from,
            valid_to: span.to,
            from_precision: span.from_precision,
            to_precision: span.to_precision,
            known_from: draft.now,
            known_to: None,
            confidence: 1.0,
            memories: Vec::new(),
            messages: Vec::new(),
        };
        // One fact gives one value: what it names besides only belongs to it, as the quarter to the city.
        let is_second = relation.valid_to.is_none()
            && predicates::is_single(&relation.predicate)
            && self.statements.iter().any(|other| {
                other.valid_to.is_none()
                    && other.predicate == relation.predicate
                    && (other.subject == relation.subject
                        || predicates::is_symmetric(&relation.predicate))
            });
        if !is_second {
            self.statements.push(relation);
        }
    }

    /// Whether it states what a relation states.
    pub fn says(&self, draft: &Draft<'_>, relation: &Relation) -> bool {
        let mut statements = self.statements.iter();
        statements.any(|stated| says_the_same(draft, stated, relation))
    }

    /// Whether it states relations that leave this one alone: none of the same kind with another value, nor
    /// another one between the same two.
    pub fn leaves_alone(&self, relation: &Relation) -> bool {
        let touched = |stated: &Relation| {
            stated.subject == relation.subject
                && (stated.predicate == relation.predicate || stated.object == relation.object)
        };
        !self.statements.is_empty() && !self.statements.iter().any(touched)
    }

    /// Whether it states another value of the same, which has one value at a time.
    pub fn says_otherwise(&self, draft: &Draft<'_>, relation: &Relation) -> bool {
        let mut statements = self
            .statements
            .iter()
            .filter(|stated| stated.valid_to.is_none());
        is_single(&relation.predicate) && statements.any(|stated| excludes(draft, stated, relation))
    }

    /// Adds what it states to the graph. Answers the keys of the relations that are new.
    pub fn state(
        self,
        draft: &mut Draft<'_>,
        fact: &Fact,
        speech: &Speech,
        mint: &mut Mint<'_>,
    ) -> Vec<String> {
        let mut new = Vec::new();
        for stated in self.statements {
            let relation = Relation {
                confidence: speech.confidence,
                memories: vec![speech.memory],
                messages: fact.sources.clone(),
                ..stated
            };
            let statement = Statement {
                relation,
                disputed: speech.disputed.clone(),
            };
            if let Some(Related::New(key)) = relate(draft, statement, mint) {
                new.push(key);
            }
        }
        new
    }

    /// Adds its support to what is known to be so, and nothing else: a memory says it already.
    pub fn confirm(&self, draft: &mut Draft<'_>, fact: &Fact, memory: &Id) {
        for stated in &self.statements {
            let known = draft.relations_by(&stated.subject, &stated.predicate);
            let known = known.into_iter().find(|(_, known)| {
                known.known_to.is_none()
                    && known.valid_to.is_some() == stated.valid_to.is_some()
                    && says_the_same(draft, known, stated)
            });
            if let Some((_, mut known)) = known {
                extend(&mut known.memories, &[*memory]);
                extend(&mut known.messages, &fact.sources);
                draft.put_relation(known);
            }
        }
    }
}

/// Subject and object as the vocabulary directs them; the owner first where both directions say the same.
fn directed(
    subject: EntityId,
    object: Object,
    read: &predicates::Stated,
) -> Option<(EntityId, Object)> {
    let turns = read.swapped
        || (predicates::is_symmetric(&read.predicate)
            && object.entity() == Some(&EntityId::owner()));
    match (turns, object) {
        (_, Object::Entity(other)) if other == subject => None,
        (true, Object::Entity(other)) => Some((other, Object::Entity(subject))),
        (_, object) => Some((subject, object)),
    }
}

struct RelationSpan {
    from: Option<Moment>,
    to: Option<Moment>,
    from_precision: Option<Precision>,
    to_precision: Option<Precision>,
}

/// When a relation holds that a fact states at a time.
fn span_of(fact: &Fact, read: &predicates::Stated, said_at: Moment) -> RelationSpan {
    let stated = RelationSpan {
        from: fact.valid_from,
        to: fact.valid_to,
        from_precision: fact.from_precision,
        to_precision: fact.to_precision,
    };
    let always = RelationSpan {
        from: None,
        to: None,
        from_precision: None,
        to_precision: None,
    };
    match (read.over, read.is_change) {
        // The fact's time is that of the end.
        (true, true) => RelationSpan {
            to: Some(fact.valid_from.unwrap_or(said_at)),
            to_precision: fact.from_precision,
            ..always
        },
        (true, false) => RelationSpan {
            to: fact
                .valid_to
                .or_else(|| {
                    Some(said_at).filter(|at| fact.valid_from.is_none_or(|from| from <= *at))
                })
                .or(fact.valid_from),
            ..stated
        },
        (false, _) if predicates::is_inborn(&read.predicate) => always,
        (false, _) if fact.valid_from.is_some() => stated,
        (false, _) if fact.valid_to.is_some_and(|to| to <= said_at) => stated,
        (false, _) => RelationSpan {
            from: Some(said_at),
            ..stated
        },
    }
}

fn kind_of<'f>(fact: &'f Fact, name: &str) -> &'f str {
    let name = normalize_name(name);
    let mut entities = fact.entities.iter();
    let listed = entities.find(|entity| normalize_name(&entity.name) == name);
    listed.map_or("topic", |entity| entity.kind.as_str())
}

fn named<'f>(fact: &'f Fact, name: &'f str, at: Moment) -> Named<'f> {
    Named {
        name,
        kind: kind_of(fact, name),
        aliases: &[],
        at,
    }
}

/// The memories that support what a fact states, or that rules cannot decide against it: another value of the
/// same predicate, or the same value.
pub fn related_memories(fact: &Fact, graph: &Graph) -> OrderedSet<Id> {
    let draft = Draft::new(graph, Moment::from_millis(0));
    let likeness = Likeness::default();
    let resolver = Resolver::new(&likeness, OrderedSet::new());
    let find = |name: &str| resolver.find(&draft, name, kind_of(fact, name));
    let mut memories = OrderedSet::new();
    for stated in &fact.relations {
        let read = predicates::read(&stated.predicate);
        let ends = match read.swapped {
            true => [&stated.object, &stated.subject],
            false => [&stated.subject, &stated.object],
        };
        let [subject, object] = ends.map(|name| find(name));
        let is_symmetric = predicates::is_symmetric(&read.predicate);
        let same_kind = subject.iter().chain(object.iter().filter(|_| is_symmetric));
        let same_kind = same_kind.flat_map(|end| graph.relations_by(end, &read.predicate));
        let same_object = object.iter().filter(|id| !id.is_party());
        let same_object = same_object.flat_map(|object| {
            let relations = graph.relations_of(object);
            relations.filter(move |(_, relation)| relation.object.entity() == Some(object))
        });
        let current = same_kind.chain(same_object);
        let current = current.filter(|(_, relation)| relation.is_current());
        memories.extend(current.flat_map(|(_, relation)| relation.memories.iter().copied()));
    }
    memories
}
