//! What an agent is given to read: a context for its prompt, a timeline.

use super::graph::in_words;
use super::read::in_range;
use super::{Host, Space, SpaceError};
use crate::compact::{OrderedMap, OrderedSet};
use crate::memory::{Contradiction, EntityId, Filter, Id, Relation};
use crate::operation::{Context, Reply, Search, Timeline};
use crate::pipeline::context::{Material, is_of_profile, pack, profile_rank};
use crate::pipeline::graph::is_single;
use crate::pipeline::past::Then;
use crate::pipeline::timeline::timeline;
use crate::pipeline::when::{Pick, Wanted, intent};

/// The most memories that a context can tell.
const FACTS: usize = 50;

/// What answers less well is not told.
const THRESHOLD: f32 = 0.1;

/// The most memories that are told in the order of time.
const IN_ORDER: usize = 10;

/// The most memories that are a topic.
const TOPIC: usize = 100;

impl<H: Host> Space<H> {
    pub(super) async fn context(&self, asked: Context) -> Result<Reply, SpaceError> {
        in_range("budget_tokens", asked.budget_tokens, 50, 100_000)?;
        let now = asked.reference_time.unwrap_or_else(|| self.host.now());
        let facts = self
            .hits(Search {
                query: asked.query.clone(),
                filter: asked.filter.clone(),
                top_k: FACTS,
                threshold: THRESHOLD,
                reference_time: Some(now),
                as_of: asked.as_of,
                ..Search::default()
            })
            .await?;
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let filter = state.own(&asked.filter);
        let then = Then {
            as_of: asked.as_of,
            known_at: None,
        };
        let place: OrderedMap<Id, usize> = facts
            .iter()
            .zip(0..)
            .map(|(hit, place)| (hit.memory.id, place))
            .collect();
        let standing = state.index.standing();
        let standing = standing.filter_map(|sequence| known.card_of_sequence(sequence));
        let standing = standing
            .filter(|card| !card.is_expired(now) && known.selects(&filter, card))
            .filter_map(|card| then.view(&*known.memory(&card.id)?, known));
        let mut standing: Vec<_> = standing
            .filter(|it| it.applies_when.is_none() || place.contains_key(&it.id))
            .collect();
        standing.sort_by_key(|memory| {
            let place = place.get(&memory.id).copied().unwrap_or(usize::MAX);
            (
                place,
                std::cmp::Reverse(memory.updated_at),
                std::cmp::Reverse(memory.id),
            )
        });
        let graph = known.graph();
        let owner = EntityId::owner();
        let holds = |relation: &Relation| match asked.as_of {
            Some(at) => relation.is_believed(None) && relation.holds_at(at),
            None => relation.is_current(),
        };
        let is_selected = |id: &Id| {
            let card = known.card(id);
            card.is_some_and(|card| !card.is_expired(now) && known.selects(&filter, &card))
        };
        let profile = graph.relations_of(&owner).map(|(_, relation)| relation);
        let mut profile: Vec<Relation> = profile
            .filter(|it| {
                it.subject == owner
                    && (is_single(&it.predicate) || is_of_profile(&it.predicate))
                    && holds(it)
            })
            .filter(|relation| relation.memories.iter().any(is_selected))
            .cloned()
            .collect();
        profile.sort_by(|a, b| {
            let rank = |relation: &Relation| profile_rank(&relation.predicate);
            rank(a).cmp(&rank(b)).then(a.predicate.cmp(&b.predicate))
        });
        let touches = |contradiction: &&Contradiction| {
            let mut basis = contradiction.claims.iter().flat_map(|it| graph.basis(it));
            contradiction.is_open() && basis.any(|id| place.contains_key(id))
        };
        let conflicts = graph.contradictions().rev().filter(touches);
        // In order of time, when that is what is asked about.
        let asks = intent(&asked.query, now);
        let in_order = asks.window.is_some()
            || matches!(asks.wanted, Some(Wanted::Order | Wanted::Duration))
            || matches!(asks.pick, Some(Pick::First | Pick::Latest));
        let told: OrderedSet<Id> = facts
            .iter()
            .filter(|hit| in_order && hit.memory.is_listed())
            .take(IN_ORDER)
            .map(|hit| hit.memory.id)
            .collect();
        let material = Material {
            standing,
            profile,
            conflicts: conflicts.map(|it| in_words(known, it)).collect(),
            timeline: timeline(known, &told, std::iter::empty(), None, asked.as_of),
            facts,
            graph,
        };
        known.check()?;
        Ok(pack(material, asked.budget_tokens))
    }

    pub(super) async fn timeline(&self, asked: Timeline) -> Result<Reply, SpaceError> {
        let query = asked.query.as_deref().map(str::trim);
        let found = match query.filter(|query| !query.is_empty()) {
            None => None,
            Some(query) => {
                let search = Search {
                    query: query.to_owned(),
                    filter: asked.filter.clone(),
                    top_k: TOPIC,
                    threshold: THRESHOLD,
                    ..Search::default()
                };
                let hits = self.hits(search).await?;
                Some(
                    hits.iter()
                        .map(|hit| hit.memory.id)
                        .collect::<OrderedSet<Id>>(),
                )
            }
        };
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let graph = known.graph();
        let filter = state.own(&asked.filter);
        let is_selected = |id: &Id| match filter == Filter::all() {
            true => true,
            false => known
                .card(id)
                .is_some_and(|card| known.selects(&filter, &card)),
        };
        // Of nothing in particular, it is the owner's.
        let entity = match (&asked.entity, &found) {
            (Some(id), _) => Some(&self.find_entity(&state, id)?.id),
            (None, None) => Some(&EntityId::owner()),
            (None, Some(_)) => None,
        };
        let mut memories: OrderedSet<Id> = match (entity, found) {
            (Some(entity), None) => known.mentions(entity).collect(),
            (Some(entity), Some(found)) => known
                .mentions(entity)
                .filter(|id| found.contains(id))
                .collect(),
            (None, found) => found.unwrap_or_default(),
        };
        memories.retain(is_selected);
        let relations: OrderedMap<&String, &Relation> = match (entity, query) {
            (Some(entity), None) => graph.relations_of(entity).collect(),
            _ => memories
                .iter()
                .flat_map(|id| graph.relations_from(id))
                .collect(),
        };
        let relations = relations.into_values();
        let relations = relations
            .filter(|it| it.is_believed(None) && it.memories.iter().any(is_selected))
            .filter(|it| entity.is_none_or(|entity| it.touches(entity)));
        let lines = timeline(known, &memories, relations, asked.from, asked.to);
        known.check()?;
        Ok(Reply::Timeline(lines))
    }
}
