//! The graph as it will be after a commit: what is known, and the changes so far over it.

use crate::compact::OrderedMap;
use crate::memory::{
    Claim, Contradiction, Entity, EntityId, Id, Moment, Object, Relation, normalize_name,
    plain_name,
};
use crate::pipeline::knowledge::Graph;
use crate::store::{Changes, relation_key};

/// Changes of the graph, drafted over what is known. `None` stands for what is taken out.
pub struct Draft<'a> {
    known: &'a Graph,
    /// The time of the commit.
    pub now: Moment,
    entities: OrderedMap<EntityId, Option<Entity>>,
    relations: OrderedMap<String, Option<Relation>>,
    contradictions: OrderedMap<Id, Option<Contradiction>>,
}

impl<'a> Draft<'a> {
    /// Nothing changed yet.
    pub fn new(known: &'a Graph, now: Moment) -> Self {
        Self {
            known,
            now,
            entities: OrderedMap::new(),
            relations: OrderedMap::new(),
            contradictions: OrderedMap::new(),
        }
    }

    /// One entity; of one that was merged, what it was merged into.
    pub fn entity(&self, id: &EntityId) -> Option<&Entity> {
        match self.entities.get(id) {
            Some(Some(entity)) => match &entity.merged_into {
                Some(into) if into != id => self.entity(into),
                _ => Some(entity),
            },
            Some(None) => None,
            None => {
                let entity = self.known.entity(id)?;
                match entity.id == *id {
                    true => Some(entity),
                    false => self.entity(&entity.id),
                }
            }
        }
    }

    /// The entities that are changed, or taken out.
    pub fn all_entities(&self) -> impl Iterator<Item = &Entity> {
        let known = self.known.all_entities();
        let untouched = known.filter(|entity| !self.entities.contains_key(&entity.id));
        untouched.chain(self.entities.values().flatten())
    }

    /// The entities of exactly this name or alias, as names are compared.
    pub fn named(&self, name: &str) -> Vec<&Entity> {
        let (normalized, plain) = (normalize_name(name), plain_name(name));
        let bears = |entity: &&Entity| {
            entity.merged_into.is_none()
                && entity.names().any(|own| {
                    let (own, own_plain) = (normalize_name(own), plain_name(own));
                    [&normalized, &plain].contains(&&own) || own_plain == plain
                })
        };
        let known = self.known.named(name);
        let untouched = known.filter(|entity| !self.entities.contains_key(&entity.id));
        let drafted = self.entities.values().flatten().filter(bears);
        untouched.chain(drafted).collect()
    }

    /// Names as they are compared that begin so, each with an entity that bears it.
    pub fn names_from(&self, prefix: &str) -> Vec<(String, &Entity)> {
        let known = self.known.names_from(prefix);
        let untouched = known.filter(|(_, entity)| !self.entities.contains_key(&entity.id));
        let untouched = untouched.map(|(name, entity)| (name.to_owned(), entity));
        let drafted = self.entities.values().flatten();
        let drafted = drafted.filter(|entity| entity.merged_into.is_none());
        let drafted =
            drafted.flat_map(|entity| entity.names().map(move |n| (plain_name(n), entity)));
        let drafted = drafted.filter(|(name, _)| name.starts_with(prefix));
        untouched.chain(drafted).collect()
    }

    /// An id that no entity has: the normalised name, numbered when it is taken.
    pub fn free_id(&self, name: &str) -> Option<EntityId> {
        let first = EntityId::of(name)?;
        let is_free = |id: &EntityId| !self.known.is_taken(id) && !self.entities.contains_key(id);
        let numbered = (2..).map(|number| EntityId(format!("{first} #{number}")));
        std::iter::once(first.clone()).chain(numbered).find(is_free)
    }

    /// Stores an entity, new or changed.
    pub fn put_entity(&mut self, entity: Entity) {
        self.entities.insert(entity.id.clone(), Some(entity));
    }

    /// Takes out an entity.
    pub fn remove_entity(&mut self, id: &EntityId) {
        self.entities.insert(id.clone(), None);
    }

    /// One relation.
    pub fn relation(&self, key: &str) -> Option<&Relation> {
        match self.relations.get(key) {
            Some(drafted) => drafted.as_ref(),
            None => self.known.relation(key),
        }
    }

    /// The relations at an entity, from it and to it.
    pub fn relations_of(&self, entity: &EntityId) -> Vec<(String, Relation)> {
        let known = self.known.relations_of(entity);
        self.over(known, |relation| relation.touches(entity))
    }

    /// The relations of one predicate at an entity, from it and to it.
    pub fn relations_by(&self, entity: &EntityId, predicate: &str) -> Vec<(String, Relation)> {
        let known = self.known.relations_by(entity, predicate);
        self.over(known, |relation| {
            relation.predicate == predicate && relation.touches(entity)
        })
    }

    /// The relations that a memory supports.
    pub fn relations_from(&self, memory: &Id) -> Vec<(String, Relation)> {
        let known = self.known.relations_from(memory);
        self.over(known, |relation| relation.memories.contains(memory))
    }

    fn over<'k>(
        &self,
        known: impl Iterator<Item = (&'k String, &'k Relation)>,
        is_one: impl Fn(&Relation) -> bool,
    ) -> Vec<(String, Relation)> {
        let untouched = known.filter(|(key, _)| !self.relations.contains_key(*key));
        let mut all: Vec<(String, Relation)> = untouched
            .map(|(key, relation)| (key.clone(), relation.clone()))
            .collect();
        for (key, relation) in &self.relations {
            if let Some(relation) = relation.as_ref().filter(|relation| is_one(relation)) {
                all.push((key.clone(), relation.clone()));
            }
        }
        all
    }

    /// Stores a relation, new or changed, and answers its key.
    pub fn put_relation(&mut self, relation: Relation) -> String {
        let key = relation_key(&relation);
        self.relations.insert(key.clone(), Some(relation));
        key
    }

    /// Stores a relation that is none of those known, and answers its key. A key tells what is stated and
    /// when we learnt it; another span of the same, learnt at the same moment, counts as learnt after it.
    pub fn put_new_relation(&mut self, mut relation: Relation) -> String {
        while self.relation(&relation_key(&relation)).is_some() {
            relation.known_from = relation.known_from.plus_millis(1);
            relation.known_to = relation.known_to.map(|to| to.max(relation.known_from));
        }
        self.put_relation(relation)
    }

    /// Takes out a relation.
    pub fn remove_relation(&mut self, key: &str) {
        self.relations.insert(key.to_owned(), None);
    }

    /// One contradiction.
    pub fn contradiction(&self, id: &Id) -> Option<&Contradiction> {
        match self.contradictions.get(id) {
            Some(drafted) => drafted.as_ref(),
            None => self.known.contradiction(id),
        }
    }

    /// All contradictions.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let known = self.known.contradictions();
        let untouched = known.filter(|one| !self.contradictions.contains_key(&one.id));
        let drafted = self.contradictions.values().flatten();
        untouched.chain(drafted).cloned().collect()
    }

    /// Stores a contradiction, new or changed.
    pub fn put_contradiction(&mut self, contradiction: Contradiction) {
        self.contradictions
            .insert(contradiction.id, Some(contradiction));
    }

    /// Takes out a contradiction.
    pub fn remove_contradiction(&mut self, id: Id) {
        self.contradictions.insert(id, None);
    }

    /// The memories that a claim rests on.
    pub fn basis(&self, claim: &Claim) -> Vec<Id> {
        match claim {
            Claim::Memory(id) => vec![*id],
            Claim::Relation(key) => self
                .relation(key)
                .map(|relation| relation.memories.clone())
                .unwrap_or_default(),
        }
    }

    /// The name of what a relation points at.
    pub fn object_name<'b>(&'b self, object: &'b Object) -> &'b str {
        match object {
            Object::Entity(id) => self.entity(id).map_or(id.0.as_str(), |e| e.name.as_str()),
            Object::Literal(text) => text,
        }
    }

    /// Adds the changes to those of a commit.
    pub fn finish(self, changes: &mut Changes) {
        for (id, entity) in self.entities {
            match entity {
                Some(entity) => changes.entities.push(entity),
                None if self.known.is_taken(&id) => changes.entities_gone.push(id),
                None => {}
            }
        }
        for (key, relation) in self.relations {
            match relation {
                Some(relation) => changes.relations.push(relation),
                None if self.known.relation(&key).is_some() => changes.relations_gone.push(key),
                None => {}
            }
        }
        for (id, contradiction) in self.contradictions {
            match contradiction {
                Some(contradiction) => changes.contradictions.push(contradiction),
                None if self.known.contradiction(&id).is_some() => {
                    changes.contradictions_gone.push(id);
                }
                None => {}
            }
        }
    }
}
