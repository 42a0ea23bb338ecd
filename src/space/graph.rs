//! The graph as it is asked for, and as its owner corrects it.

use super::read::in_range;
use super::state::State;
use super::{Host, Space, SpaceError, View};
use crate::compact::{OrderedMap, OrderedSet};
use crate::memory::{
    Change, ChangeKind, Claim, Contradiction, Entity, EntityId, Filter, Id, Memory, Mint, Moment,
    Relation, ResolvedBy,
};
use crate::operation::{Conflict, EntityView, Graph, Hit, Link, Reply, Search, Side, Triple};
use crate::pipeline::graph::{Draft, Settled, merge, paths, resolve, settle, split};
use crate::pipeline::knowledge::Known;
use crate::store::Changes;

/// Entities on one page at most: an export takes all of them.
const PAGE_SIZE: usize = 1_000_000;

/// Relations beside the hits of a search at most.
const RELATED: usize = 100;

impl<H: Host> Space<H> {
    pub(super) fn graph(&self, asked: &Graph) -> Result<Reply, SpaceError> {
        in_range("page", asked.page, 1, usize::MAX)?;
        in_range("page_size", asked.page_size, 1, PAGE_SIZE)?;
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let graph = known.graph();
        let filter = state.own(&asked.filter);
        let selected: Option<OrderedSet<Id>> = (filter != Filter::all()).then(|| {
            let cards = known.cards();
            let selected = cards.filter(|card| known.selects(&filter, card));
            selected.map(|card| card.id).collect()
        });
        let rests = |memories: &[Id]| match &selected {
            Some(selected) => memories.iter().any(|id| selected.contains(id)),
            None => true,
        };
        let is_shown = |relation: &&Relation| {
            let holds = match asked.as_of {
                Some(at) => relation.holds_at(at),
                None => asked.past || relation.valid_to.is_none(),
            };
            let believed =
                (asked.past && asked.known_at.is_none()) || relation.is_believed(asked.known_at);
            holds && believed && rests(&relation.memories)
        };
        let is_mentioned = |id: &EntityId| match &selected {
            Some(selected) => known.mentions(id).any(|memory| selected.contains(&memory)),
            None => true,
        };
        let entities: Vec<_> = graph
            .entities()
            .filter(|entity| {
                let mut relations = graph.relations_of(&entity.id);
                is_mentioned(&entity.id) || relations.any(|(_, relation)| is_shown(&relation))
            })
            .collect();
        known.check()?;
        let total = entities.len();
        let skip = (asked.page - 1).saturating_mul(asked.page_size);
        let page: Vec<_> = entities
            .into_iter()
            .skip(skip)
            .take(asked.page_size)
            .cloned()
            .collect();
        let relations = page.iter().flat_map(|entity| {
            let relations = graph.relations_of(&entity.id);
            relations.filter(|(_, relation)| relation.subject == entity.id)
        });
        let relations: OrderedMap<&String, &Relation> = relations.collect();
        let relations: Vec<Relation> = relations.into_values().filter(is_shown).cloned().collect();
        let here: OrderedSet<&EntityId> = page.iter().map(|entity| &entity.id).collect();
        let ends = relations
            .iter()
            .filter_map(|relation| relation.object.entity());
        let elsewhere: OrderedSet<&EntityId> = ends.filter(|id| !here.contains(id)).collect();
        let name = |id: &EntityId| (id.clone(), graph.entity_name(id).to_owned());
        Ok(Reply::Graph {
            total,
            names: elsewhere.into_iter().map(name).collect(),
            relations,
            entities: page,
        })
    }

    pub(super) fn entity(&self, id: &EntityId) -> Result<Reply, SpaceError> {
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let graph = known.graph();
        let entity = self.find_entity(&state, id)?;
        let mut relations: Vec<Relation> = graph
            .relations_of(&entity.id)
            .map(|(_, relation)| relation.clone())
            .collect();
        relations.sort_by_key(|relation| (relation.valid_from, relation.known_from));
        let others: OrderedSet<&EntityId> = relations
            .iter()
            .flat_map(|r| std::iter::once(&r.subject).chain(r.object.entity()))
            .filter(|other| **other != entity.id)
            .collect();
        let mut memories: Vec<Memory> = known
            .mentions(&entity.id)
            .filter_map(|id| known.memory(&id).map(|memory| (*memory).clone()))
            .collect();
        memories.sort_by_key(|memory| (time_of(memory), memory.id));
        known.check()?;
        Ok(Reply::Entity(Box::new(EntityView {
            names: others
                .into_iter()
                .map(|id| (id.clone(), graph.entity_name(id).to_owned()))
                .collect(),
            entity: entity.clone(),
            relations,
            memories,
        })))
    }

    /// The entity of an id or of a name that only it has.
    pub(super) fn find_entity<'a>(
        &self,
        state: &'a State,
        id: &EntityId,
    ) -> Result<&'a Entity, SpaceError> {
        let graph = state.knowledge.graph();
        let named = || {
            let mut named = graph.named(&id.0);
            named.next().filter(|_| named.next().is_none())
        };
        let found = graph
            .entity(id)
            .or_else(|| graph.entity(&EntityId::of(&id.0)?));
        found
            .or_else(named)
            .ok_or_else(|| SpaceError::NoSuchEntity(id.clone()))
    }

    pub(super) fn path(
        &self,
        from: &EntityId,
        to: &EntityId,
        as_of: Option<Moment>,
    ) -> Result<Reply, SpaceError> {
        let state = self.state.borrow();
        let graph = state.knowledge.graph();
        let (from, to) = (
            self.find_entity(&state, from)?,
            self.find_entity(&state, to)?,
        );
        let paths = paths(graph, &from.id, &to.id, as_of);
        let links = paths.iter().flatten();
        let ends = links.flat_map(|Link { relation, .. }| {
            std::iter::once(&relation.subject).chain(relation.object.entity())
        });
        let is_between = |id: &&EntityId| **id != from.id && **id != to.id;
        let between: OrderedSet<&EntityId> = ends.filter(is_between).collect();
        let between = between.into_iter().filter_map(|id| graph.entity(id));
        let ends = [from, to].into_iter().take(if from == to { 1 } else { 2 });
        Ok(Reply::Paths {
            entities: ends.chain(between).cloned().collect(),
            paths,
        })
    }

    /// A search with the relations at the entities that its hits mention.
    pub(super) async fn search_related(&self, search: Search) -> Result<Reply, SpaceError> {
        let hits = self.hits(search.clone()).await?;
        Ok(Reply::Related {
            relations: self.related(&hits, &search)?,
            hits,
        })
    }

    fn related(&self, hits: &[Hit], search: &Search) -> Result<Vec<Triple>, SpaceError> {
        let now = self.host.now();
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let graph = known.graph();
        let filter = state.own(&search.filter);
        let is_shown = |relation: &Relation| {
            let holds = match search.as_of {
                Some(at) => relation.holds_at(at),
                None => relation.valid_to.is_none(),
            };
            let mut cards = relation.memories.iter().filter_map(|id| known.card(id));
            holds
                && relation.is_believed(search.known_at)
                && cards.any(|card| !card.is_expired(now) && known.selects(&filter, &card))
        };
        let stated = hits
            .iter()
            .flat_map(|hit| graph.relations_from(&hit.memory.id));
        // The owner has a part in nearly everything, so what is at the others comes first.
        let mentioned = hits.iter().flat_map(|hit| &hit.memory.entities);
        let (parties, others): (Vec<_>, Vec<_>) = mentioned.partition(|id| id.is_party());
        let at_them = others.into_iter().chain(parties);
        let at_them = at_them.flat_map(|id| graph.relations_of(id));
        let mut seen = OrderedSet::new();
        let relations = stated
            .chain(at_them)
            .filter(|(key, relation)| seen.insert(*key) && is_shown(relation))
            .map(|(_, relation)| Triple {
                source: graph.entity_name(&relation.subject).to_owned(),
                relationship: relation.predicate.clone(),
                target: graph.object_name(&relation.object).to_owned(),
            });
        let relations = relations.take(RELATED).collect();
        known.check()?;
        Ok(relations)
    }

    pub(super) fn contradictions(&self, resolved: bool) -> Result<Reply, SpaceError> {
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let wanted = known.graph().contradictions().rev();
        let wanted = wanted.filter(|contradiction| resolved || contradiction.is_open());
        let conflicts = wanted.map(|one| in_words(known, one)).collect();
        known.check()?;
        Ok(Reply::Contradictions(conflicts))
    }

    pub(super) async fn merge_entities(
        &self,
        from: &EntityId,
        into: &EntityId,
    ) -> Result<Reply, SpaceError> {
        let now = self.host.now();
        let id = self
            .commit(|state, mint| {
                let graph = state.known.knowledge().graph();
                let from = &self.find_entity(state, from)?.id;
                let into = &self.find_entity(state, into)?.id;
                let mut draft = Draft::new(graph, now);
                let (id, memories) = merge(state.known, &mut draft, from, into, mint)?;
                Ok((corrected(state, draft, memories), id))
            })
            .await?;
        self.entity(&id)
    }

    pub(super) async fn split_entity(
        &self,
        entity: &EntityId,
        name: &str,
        memories: &[Id],
    ) -> Result<Reply, SpaceError> {
        let now = self.host.now();
        let id = self
            .commit(|state, mint| {
                let graph = state.known.knowledge().graph();
                let entity = &self.find_entity(state, entity)?.id;
                let mut draft = Draft::new(graph, now);
                let (id, memories) = split(state.known, &mut draft, entity, name, memories, mint)?;
                Ok((corrected(state, draft, memories), id))
            })
            .await?;
        self.entity(&id)
    }

    pub(super) async fn resolve(&self, id: Id, keep: &Claim) -> Result<Reply, SpaceError> {
        let now = self.host.now();
        self.commit(|state, mint| {
            let mut draft = Draft::new(state.known.knowledge().graph(), now);
            let retired = resolve(&mut draft, id, keep)?;
            let mut memories = Vec::new();
            let mut history = Vec::new();
            for memory in retired.iter().filter_map(|id| state.known.memory(id)) {
                if !memory.is_current() {
                    continue;
                }
                let mut memory = (*memory).clone();
                history.extend(retire(&mut memory, now, mint));
                memories.push(memory);
            }
            let changes = corrected(state, draft, memories);
            Ok((Changes { history, ..changes }, ()))
        })
        .await?;
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let found = known.graph().contradiction(&id);
        let conflicts = found.map(|one| in_words(known, one)).into_iter().collect();
        known.check()?;
        Ok(Reply::Contradictions(conflicts))
    }
}

/// Ends the validity of a memory; the line of its history, unless it was over already.
pub(super) fn retire(memory: &mut Memory, now: Moment, mint: &mut Mint<'_>) -> Option<Change> {
    let old_text = memory.is_current().then(|| memory.text().to_owned())?;
    if let Some(version) = memory.versions.last_mut() {
        version.known_to = Some(now);
    }
    memory.updated_at = now;
    Some(Change {
        id: mint.id(),
        memory_id: memory.id,
        kind: ChangeKind::Delete,
        old_text: Some(old_text),
        new_text: None,
        at: now,
        sources: Vec::new(),
    })
}

/// The changes of a correction, which may end contradictions.
pub(super) fn corrected(state: &View<'_>, mut draft: Draft<'_>, memories: Vec<Memory>) -> Changes {
    let is_current = |id: &Id| match memories.iter().find(|memory| memory.id == *id) {
        Some(memory) => memory.is_current(),
        None => state.knowledge.card(id).is_some_and(|card| card.current),
    };
    let settled = Settled {
        is_current: &is_current,
        by: ResolvedBy::Owner,
    };
    settle(&mut draft, &settled);
    let mut changes = Changes::default();
    draft.finish(&mut changes);
    changes.memories = memories;
    changes
}

/// When what a memory says began or happened, else when it was said.
fn time_of(memory: &Memory) -> Moment {
    let version = memory.latest();
    version
        .and_then(|version| version.valid_from)
        .unwrap_or(memory.created_at)
}

pub(super) fn in_words(known: Known<'_>, contradiction: &Contradiction) -> Conflict {
    let graph = known.graph();
    let side = |claim: &Claim| {
        let text = match claim {
            Claim::Memory(id) => known.memory(id).map(|memory| memory.text().to_owned()),
            Claim::Relation(key) => graph.relation(key).map(|relation| {
                format!(
                    "{} {} {}",
                    graph.entity_name(&relation.subject),
                    relation.predicate,
                    graph.object_name(&relation.object)
                )
            }),
        };
        let memories = graph.basis(claim).to_vec();
        let said = memories.iter().filter_map(|id| known.card(id));
        Side {
            claim: claim.clone(),
            text: text.unwrap_or_default(),
            said_at: said.map(|card| card.updated_at).max(),
            memories,
        }
    };
    Conflict {
        contradiction: contradiction.clone(),
        sides: contradiction.claims.iter().map(side).collect(),
    }
}
