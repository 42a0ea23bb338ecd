//! The graph as it is asked for, and as its owner corrects it.

use std::collections::{BTreeMap, BTreeSet};

use super::read::in_range;
use super::state::State;
use super::{Host, Space, SpaceError, View};
use crate::memory::{
    Change, ChangeKind, Claim, Contradiction, Entity, EntityId, Filter, Id, Memory, Moment,
    Relation, ResolvedBy,
};
use crate::operation::{Conflict, EntityView, Graph, Reply, Side};
use crate::pipeline::graph::{Draft, Settled, merge, resolve, settle, split};
use crate::pipeline::knowledge::Known;
use crate::store::Changes;

/// Entities on one page at most.
const PAGE_SIZE: usize = 10_000;

impl<H: Host> Space<H> {
    pub(super) fn graph(&self, asked: &Graph) -> Result<Reply, SpaceError> {
        in_range("page", asked.page, 1, usize::MAX)?;
        in_range("page_size", asked.page_size, 1, PAGE_SIZE)?;
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let graph = known.graph();
        let filter = state.own(&asked.filter);
        let selected: Option<BTreeSet<Id>> = (filter != Filter::all()).then(|| {
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
        let relations: BTreeMap<&String, &Relation> = relations.collect();
        Ok(Reply::Graph {
            total,
            relations: relations.into_values().filter(is_shown).cloned().collect(),
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
        let others: BTreeSet<&EntityId> = relations
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
                let mut draft = Draft::new(state.known.knowledge().graph(), now);
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
                let mut draft = Draft::new(state.known.knowledge().graph(), now);
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
                history.push(Change {
                    id: mint.id(),
                    memory_id: memory.id,
                    kind: ChangeKind::Delete,
                    old_text: Some(memory.text().to_owned()),
                    new_text: None,
                    at: now,
                    sources: Vec::new(),
                });
                if let Some(version) = memory.versions.last_mut() {
                    version.known_to = Some(now);
                }
                memory.updated_at = now;
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

/// The changes of a correction, which may end contradictions.
fn corrected(state: &View<'_>, mut draft: Draft<'_>, memories: Vec<Memory>) -> Changes {
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
