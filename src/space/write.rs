//! Changes by hand: update and erase.

use super::View;
use super::{Host, Space, SpaceError};
use crate::compact::OrderedSet;
use crate::memory::{
    Change, ChangeKind, Filter, Id, Memory, Moment, Relation, ResolvedBy, Version,
};
use crate::operation::{Reply, Update};
use crate::pipeline::erase::{erase, reach};
use crate::pipeline::graph::{
    Draft, Leaving, Settled, is_lasting, is_told, leave, mentioned, settle,
};
use crate::pipeline::recall::embedded_texts;
use crate::store::Changes;
use crate::store::records::{Job, SummaryRecord};

impl<H: Host> Space<H> {
    pub(super) async fn update(&self, update: Update) -> Result<Reply, SpaceError> {
        let text = update.text.as_deref().map(str::trim);
        if text == Some("") {
            return Err(SpaceError::EmptyText);
        }
        let now = self.host.now();
        let vectors = match text {
            Some(text) => {
                let known = {
                    let state = self.state.borrow();
                    let known = self.view(&state).known;
                    let memory = known.memory(&update.id);
                    known.check()?;
                    memory
                };
                let known = known.ok_or(SpaceError::NoSuchMemory(update.id))?;
                let texts = embedded_texts(&known, text);
                Some(self.models.embed(&texts).await?)
            }
            None => None,
        };
        let memory = self
            .commit(|state, mint| {
                let known = state.known.memory(&update.id).as_deref().cloned();
                let mut memory = known.ok_or(SpaceError::NoSuchMemory(update.id))?;
                if memory.immutable {
                    return Err(SpaceError::Immutable(update.id));
                }
                let mut changes = Changes::default();
                if let Some(text) = text.filter(|text| *text != memory.text()) {
                    let old_text = memory.text().to_owned();
                    let last = memory.latest();
                    let structured_data = last.map(|version| version.structured_data.clone());
                    if let Some(version) = memory.versions.last_mut() {
                        version.known_to = version.known_to.or(Some(now));
                    }
                    memory.versions.push(Version {
                        text: text.to_owned(),
                        known_from: now,
                        known_to: None,
                        valid_from: update.time,
                        valid_to: None,
                        from_precision: None,
                        to_precision: None,
                        sources: Vec::new(),
                        structured_data: structured_data.unwrap_or_default(),
                    });
                    follow(state, &mut memory, text, &mut changes, now);
                    // A message that its owner rewrote speaks for itself from now on.
                    memory.transcript = false;
                    changes.history.push(Change {
                        id: mint.id(),
                        memory_id: memory.id,
                        kind: ChangeKind::Update,
                        old_text: Some(old_text),
                        new_text: Some(text.to_owned()),
                        at: now,
                        sources: Vec::new(),
                    });
                    changes
                        .vectors
                        .extend(vectors.map(|vectors| (memory.id, vectors)));
                }
                for (key, value) in update.metadata.iter().flatten() {
                    match value.is_null() {
                        true => memory.metadata.remove(key),
                        false => memory.metadata.insert(key.clone(), value.clone()),
                    };
                }
                if let Some(expires_at) = update.expires_at {
                    memory.expires_at = expires_at;
                }
                if let Some(time) = update.time {
                    memory.created_at = time;
                }
                memory.updated_at = now;
                changes.memories.push(memory.clone());
                Ok((changes, memory))
            })
            .await?;
        Ok(Reply::Memory(Box::new(memory)))
    }

    pub(super) async fn delete(&self, id: Id) -> Result<Reply, SpaceError> {
        if self.state.borrow().knowledge.card(&id).is_none() {
            return Err(SpaceError::NoSuchMemory(id));
        }
        self.erase(OrderedSet::from([id])).await
    }

    /// Erases a memory with what came from the same messages, or, of a message, from it.
    pub(super) async fn delete_linked(&self, id: Id) -> Result<Reply, SpaceError> {
        let ids = {
            let state = self.state.borrow();
            let card = state.knowledge.card(&id);
            let card = card.ok_or(SpaceError::NoSuchMemory(id))?;
            let sources = card.all_sources().chain(std::iter::once(&id));
            let linked = sources.flat_map(|source| state.knowledge.facts_of(source));
            let mut ids: OrderedSet<Id> = linked.map(|card| card.id).collect();
            ids.insert(id);
            ids
        };
        self.erase(ids).await
    }

    pub(super) async fn delete_all(&self, filter: &Filter) -> Result<Reply, SpaceError> {
        let ids: OrderedSet<Id> = {
            let state = self.state.borrow();
            let known = self.view(&state).known;
            let filter = state.own(filter);
            let cards = state.knowledge.cards();
            let selected = cards.filter(|card| known.selects(&filter, card));
            let selected = selected.map(|card| card.id).collect();
            known.check()?;
            selected
        };
        self.erase(ids).await
    }

    pub(super) async fn erase(&self, ids: OrderedSet<Id>) -> Result<Reply, SpaceError> {
        let now = self.host.now();
        // History is not resident. What else could be erased between here and the commit only loses
        // its words twice.
        let gone = reach(&self.state.borrow().knowledge, &ids);
        let mut history = Vec::new();
        for id in &gone {
            history.extend(self.changes_of(id).await?);
        }
        let untold = self.serve_untold(&gone).await?;
        let count = self
            .commit(|state, mint| {
                let known: OrderedSet<Id> = ids
                    .iter()
                    .filter(|id| state.knowledge.card(id).is_some())
                    .copied()
                    .collect();
                let count = known.iter().filter_map(|id| state.knowledge.card(id));
                let count = count.filter(|card| card.is_listed()).count();
                let jobs: Vec<Job> = state.jobs.values().cloned().collect();
                let summaries: Vec<SummaryRecord> = state.summaries.values().cloned().collect();
                let mut changes = erase(state.known, &known, history, &jobs, &summaries, now, mint);
                changes.notices = untold;
                Ok((changes, count))
            })
            .await?;
        Ok(Reply::Deleted { count })
    }
}

/// What a memory said before it was rewritten is not believed any more, unless it lasts and the new text still
/// names who it is about; it mentions whom its new text names.
fn follow(state: &View<'_>, memory: &mut Memory, text: &str, changes: &mut Changes, now: Moment) {
    let mut draft = Draft::new(state.knowledge.graph(), now);
    let lasts = |draft: &Draft<'_>, relation: &Relation| {
        is_lasting(&relation.predicate) && is_told(draft, relation, text)
    };
    leave(&mut draft, &memory.id, Leaving::Unbelieved, &lasts);
    memory.entities = mentioned(&draft, &memory.entities, text);
    // The new text is no party to what the old one contradicted.
    let is_current =
        |id: &Id| *id != memory.id && state.knowledge.card(id).is_some_and(|card| card.current);
    let settled = Settled {
        is_current: &is_current,
        by: ResolvedBy::Owner,
    };
    settle(&mut draft, &settled);
    draft.finish(changes);
}
