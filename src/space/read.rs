//! Operations that change nothing.

use std::ops::Bound;

use super::{Host, Space, SpaceError};
use crate::compact::OrderedSet;
use crate::memory::{Change, EventStatus, Filter, Id, Memory, Message, Moment, Scope};
use crate::model::Reranker;
use crate::operation::{
    Event, HistoryLine, Hit, List, Outcome, Reply, Search, Stats, Summed, Triple,
};
use crate::pipeline::answer::{Question, recall};
use crate::store::records::decode;
use crate::store::{Storage, Table, digest};

/// Hits that a reranking model gets at least, to choose from.
const RERANKED: usize = 50;

/// How much a vector says that was made of a language which the embedder does not know: only that the same
/// characters occur.
const TRUST_OF_UNKNOWN: f32 = 0.25;

/// Lines of history read at a time.
const PAGE: usize = 1_000;

impl<H: Host> Space<H> {
    pub(super) async fn search(&self, search: Search) -> Result<Reply, SpaceError> {
        Ok(Reply::Hits(self.hits(search).await?))
    }

    /// What recall finds.
    pub(super) async fn hits(&self, mut search: Search) -> Result<Vec<Hit>, SpaceError> {
        let query = search.query.trim().to_owned();
        if query.is_empty() {
            return Err(SpaceError::EmptyQuery);
        }
        in_range("top_k", search.top_k, 1, 1000)?;
        // Without a vector the other channels still answer.
        let has_vectors = self.state.borrow().index.has_vectors();
        let vector = match has_vectors {
            true => self
                .models
                .embed(std::slice::from_ref(&query))
                .await?
                .into_iter()
                .next(),
            false => None,
        };
        let now = search.reference_time.unwrap_or_else(|| self.host.now());
        let top_k = search.top_k;
        let reranker = self.models.reranker.as_ref().filter(|_| search.rerank);
        if reranker.is_some() {
            search.top_k = top_k.max(RERANKED);
        }
        let mut hits = {
            let state = self.state.borrow();
            search.filter = state.own(&search.filter);
            let question = Question {
                text: &query,
                vector: vector.as_deref(),
                trust: match self.models.embedder.knows(&query) {
                    true => 1.0,
                    false => TRUST_OF_UNKNOWN,
                },
                search: &search,
                now,
            };
            let known = self.view(&state).known;
            let hits = recall(&question, known, &state.index)?;
            known.check()?;
            hits
        };
        if let Some(reranker) = reranker {
            self.rerank(reranker.as_ref(), &query, &mut hits).await;
            hits.truncate(top_k);
        }
        if search.latest_only {
            // Of those that contradict each other the newest comes first.
            let mut kept = OrderedSet::new();
            hits.retain(|hit| {
                let is_latest = !hit.contradicts.iter().any(|id| kept.contains(id));
                is_latest && kept.insert(hit.memory.id)
            });
        }
        Ok(hits)
    }

    /// Orders hits as a model sees them. It is an extra: when it fails, they stay as they are.
    async fn rerank(&self, reranker: &dyn Reranker, query: &str, hits: &mut [Hit]) {
        let texts: Vec<String> = hits
            .iter()
            .map(|hit| hit.memory.text().to_owned())
            .collect();
        if texts.is_empty() {
            return;
        }
        match reranker.rerank(query, &texts).await {
            Ok(scores) => {
                for (hit, score) in hits.iter_mut().zip(scores) {
                    hit.rerank_score = Some(score).filter(|score| score.is_finite());
                }
                let score = |hit: &Hit| hit.rerank_score.unwrap_or(f32::NEG_INFINITY);
                hits.sort_by(|a, b| score(b).total_cmp(&score(a)));
            }
            Err(error) => {
                let name = reranker.name();
                self.host.warn(&format!(
                    "{name} did not rerank, hits keep recall's order: {error}"
                ));
            }
        }
    }

    pub(super) fn get(&self, id: Id) -> Result<Reply, SpaceError> {
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let memory = known.memory(&id);
        known.check()?;
        let memory = memory.ok_or(SpaceError::NoSuchMemory(id))?;
        Ok(Reply::Memory(Box::new((*memory).clone())))
    }

    pub(super) fn list(&self, list: &List) -> Result<Reply, SpaceError> {
        in_range("page", list.page, 1, usize::MAX)?;
        in_range("page_size", list.page_size, 1, 1000)?;
        let now = self.host.now();
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let filter = state.own(&list.filter);
        let mut found: Vec<(Moment, Id)> = state
            .knowledge
            .cards()
            .filter(|card| list.show_past || card.current)
            .filter(|card| list.transcript || card.is_listed())
            .filter(|card| list.show_expired || !card.is_expired(now))
            .filter(|card| known.selects(&filter, card))
            .map(|card| (card.created_at, card.id))
            .collect();
        found.sort_unstable_by_key(|found| std::cmp::Reverse(*found));
        let total = found.len();
        let before = (list.page - 1).saturating_mul(list.page_size);
        let skip = list.skip.saturating_add(before);
        let page = found.into_iter().skip(skip).take(list.page_size);
        let page = page.filter_map(|(_, id)| known.memory(&id));
        let memories = page.map(|memory| (*memory).clone()).collect();
        known.check()?;
        Ok(Reply::Page { total, memories })
    }

    /// The history of one memory, as it is stored.
    pub(super) async fn changes_of(&self, id: &Id) -> Result<Vec<Change>, SpaceError> {
        let prefix = format!("{id}/");
        let mut changes: Vec<Change> = Vec::new();
        let mut after = prefix.clone();
        loop {
            let storage = self.host.storage();
            let page = storage
                .scan(Table::History, Bound::Excluded(&after), PAGE)
                .await?;
            let more = page.len() == PAGE;
            for (key, bytes) in &page {
                if !key.starts_with(&prefix) {
                    return Ok(changes);
                }
                changes.push(decode(Table::History, key, bytes)?);
            }
            match page.into_iter().next_back() {
                Some((key, _)) if more => after = key,
                _ => return Ok(changes),
            }
        }
    }

    pub(super) async fn history(&self, id: Id) -> Result<Reply, SpaceError> {
        let changes = self.changes_of(&id).await?;
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let memory = known.memory(&id);
        known.check()?;
        if changes.is_empty() && memory.is_none() {
            return Err(SpaceError::NoSuchMemory(id));
        }
        let line = |change: Change| {
            let memory = memory.as_deref();
            let sources = change.sources.iter().filter_map(|id| known.memory(id));
            let mut input: Vec<Message> = sources.filter_map(|source| source.message()).collect();
            if input.is_empty() {
                input.extend(memory.and_then(Memory::message));
            }
            HistoryLine {
                input,
                scope: memory
                    .map(|memory| memory.scope.clone())
                    .unwrap_or_default(),
                categories: memory
                    .map(|memory| memory.categories.clone())
                    .unwrap_or_default(),
                metadata: memory
                    .map(|memory| memory.metadata.clone())
                    .unwrap_or_default(),
                structured_data: memory
                    .and_then(|memory| memory.version_of(&change))
                    .map(|version| version.structured_data.clone())
                    .unwrap_or_default(),
                change,
            }
        };
        Ok(Reply::History(changes.into_iter().map(line).collect()))
    }

    pub(super) async fn event(&self, id: Id) -> Result<Reply, SpaceError> {
        let record = self.event_record(&id).await?;
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let outcome = |outcome: &crate::store::records::OutcomeRecord| {
            let memory = known.memory(&outcome.memory);
            let text = |place: Option<usize>| {
                let version = memory.as_ref()?.versions.get(place?)?;
                Some(version.text.clone())
            };
            let is_update = outcome.kind == crate::memory::ChangeKind::Update;
            Outcome {
                id: outcome.memory,
                kind: outcome.kind,
                text: text(Some(outcome.version)).unwrap_or_default(),
                old_text: text(outcome.version.checked_sub(1)).filter(|_| is_update),
            }
        };
        let triple = |key: &String| {
            let graph = state.knowledge.graph();
            let relation = graph.relation(key)?;
            Some(Triple {
                source: graph.entity_name(&relation.subject).to_owned(),
                relationship: relation.predicate.clone(),
                target: graph.object_name(&relation.object).to_owned(),
            })
        };
        let status = match record.status {
            EventStatus::Pending if self.running.borrow().contains(&id) => EventStatus::Running,
            status => status,
        };
        Ok(Reply::Event(Box::new(Event {
            id,
            status,
            created_at: record.created_at,
            updated_at: record.updated_at,
            scope: record.scope,
            attempts: record.attempts,
            error: record.error,
            retry_at: record.retry_at,
            outcomes: record.outcomes.iter().map(outcome).collect(),
            relations: record.relations.iter().filter_map(triple).collect(),
            note: record.note,
        })))
    }

    pub(super) fn summary(&self, scope: &Scope) -> Reply {
        let state = self.state.borrow();
        let summary = state.summaries.get(&scope.conversation());
        Reply::Summary {
            text: summary
                .map(|summary| summary.text.clone())
                .unwrap_or_default(),
            updated_at: summary.map(|summary| summary.updated_at),
            earlier: summary
                .iter()
                .flat_map(|summary| &summary.earlier)
                .map(|version| (version.made_at, version.text.clone()))
                .collect(),
        }
    }

    pub(super) fn summaries(&self, filter: &Filter) -> Reply {
        let state = self.state.borrow();
        let summaries = state.summaries.values();
        let selected = summaries.filter(|summary| filter.matches(&summary.scope));
        Reply::Summaries(
            selected
                .map(|summary| Summed {
                    scope: summary.scope.clone(),
                    text: summary.text.clone(),
                    updated_at: summary.updated_at,
                })
                .collect(),
        )
    }

    pub(super) async fn stats(&self, digest: bool) -> Result<Reply, SpaceError> {
        let digest = match digest {
            true => Some(self.digest().await?),
            false => None,
        };
        let state = self.state.borrow();
        let (memories, transcript) = state.knowledge.count_current();
        let graph = state.knowledge.graph();
        Ok(Reply::Stats(Box::new(Stats {
            memories,
            transcript,
            entities: graph.entities().count(),
            relations: graph
                .relations()
                .filter(|(_, relation)| relation.is_current())
                .count(),
            contradictions: graph
                .contradictions()
                .filter(|contradiction| contradiction.is_open())
                .count(),
            jobs: state.jobs.len(),
            embedder: state.record().and_then(|record| record.embedder.clone()),
            vectors: state.index.residency().name().to_owned(),
            bytes: state.bytes(),
            budget: state.settings().budget,
            module: self.host.memory(),
            digest,
            spent: self.spent(),
        })))
    }

    /// The hash of what is stored: the same operations and model replies at the same times with the same random
    /// bits give the same one on every host.
    async fn digest(&self) -> Result<String, SpaceError> {
        let _turn = self.commits.lock().await;
        Ok(digest(self.host.storage()).await?)
    }
}

pub(super) fn in_range(
    name: &'static str,
    value: usize,
    from: usize,
    to: usize,
) -> Result<(), SpaceError> {
    match (from..=to).contains(&value) {
        true => Ok(()),
        false => Err(SpaceError::OutOfRange { name, from, to }),
    }
}
