//! What a space keeps in memory: a cache of its storage.

use std::ops::Bound;

use serde::de::DeserializeOwned;

use super::SpaceError;
use super::pages::{Loaded, Pages};
use super::settings::Settings;
use crate::compact::{OrderedMap, OrderedSet};
use crate::index::Residency;
use crate::memory::{Contradiction, Entity, Filter, Id, Memory, Moment, Relation, text_hash};
use crate::pipeline::knowledge::{Knowledge, Known};
use crate::pipeline::recall::RecallIndex;
use crate::store::pages::PageError;
use crate::store::records::{
    Job, RecordError, SpaceRecord, SummaryRecord, Work, decode, decode_vectors,
};
use crate::store::{Changes, Entry, SPACE_KEY, Storage, Table};

/// Records read at a time while loading.
const PAGE: usize = 1_000;

/// Bytes that a space which was just opened will come to take for the memories that it reads.
const CACHED: usize = 1 << 20;

/// The resident state of one space.
#[derive(Default)]
pub(super) struct State {
    settings: Settings,
    record: Option<SpaceRecord>,
    pub knowledge: Knowledge,
    pub index: RecallIndex,
    pub jobs: OrderedMap<String, Job>,
    pub summaries: OrderedMap<String, SummaryRecord>,
    /// The current memories that have no stored vector of the present embedder.
    unembedded: OrderedSet<Id>,
    /// The memories that expire, by when.
    expiring: OrderedSet<(Moment, Id)>,
    /// When the directory is to be told of something, if it is.
    pub untold_since: Option<Moment>,
    /// Vectors of another embedder are stored and must be replaced.
    stale_vectors: bool,
    pub pages: Pages,
}

impl State {
    /// Reads what is stored: pages where there are, else every record. Also says why pages that should have
    /// served could not.
    pub async fn load(
        storage: &impl Storage,
        settings: Settings,
        embedder: &str,
        now: Moment,
    ) -> Result<(Self, Option<PageError>), SpaceError> {
        let mut state = Self {
            settings,
            index: RecallIndex::new(settings.vector_index),
            ..Self::default()
        };
        let Some(bytes) = storage.get(Table::Space, SPACE_KEY).await? else {
            return Ok((state, None));
        };
        let record: SpaceRecord = decode(Table::Space, SPACE_KEY, &bytes)?;
        state.stale_vectors = record
            .embedder
            .as_deref()
            .is_some_and(|name| name != embedder);
        state.record = Some(record);
        let rest = Changes {
            entities: decoded::<Entity>(Table::Entities, &all(storage, Table::Entities).await?)?,
            relations: decoded::<Relation>(
                Table::Relations,
                &all(storage, Table::Relations).await?,
            )?,
            contradictions: decoded::<Contradiction>(
                Table::Contradictions,
                &all(storage, Table::Contradictions).await?,
            )?,
            jobs: decoded::<Job>(Table::Jobs, &all(storage, Table::Jobs).await?)?,
            summaries: decoded::<SummaryRecord>(
                Table::Summaries,
                &all(storage, Table::Summaries).await?,
            )?,
            ..Changes::default()
        };
        let damage = state.load_memories(storage).await?;
        state.apply(rest, storage)?;
        state.expiring = state.knowledge.expiring().collect();
        let untold = storage.scan(Table::Outbox, Bound::Unbounded, 1).await?;
        state.untold_since = (!untold.is_empty()).then_some(now);
        let current = state.knowledge.current();
        let unembedded = current.filter(|id| !state.index.has_vectors_of(id));
        state.unembedded = unembedded.collect();
        if state.stale_vectors || (state.jobs.is_empty() && !state.unembedded.is_empty()) {
            let job = Job {
                work: Work::Embed,
                attempts: 0,
                due_at: now,
            };
            state.jobs.insert(job.key(), job);
        }
        Ok((state, damage))
    }

    async fn load_memories(
        &mut self,
        storage: &impl Storage,
    ) -> Result<Option<PageError>, SpaceError> {
        let damage = match self.stale_vectors {
            false => match self.load_pages(storage).await? {
                Ok(Loaded::All(changed)) => {
                    self.load_tail(storage, changed).await?;
                    self.take_rows(storage).await?;
                    return Ok(None);
                }
                Ok(Loaded::Nothing) => None,
                Err(damage) => {
                    self.knowledge = Knowledge::default();
                    self.index = RecallIndex::new(self.settings.vector_index);
                    Some(damage)
                }
            },
            true => None,
        };
        if damage.is_some() || self.stale_vectors {
            self.pages.invalidate();
        }
        let mut after = None;
        while let Some(page) = next_page(storage, Table::Memories, &mut after).await? {
            let memories = page
                .iter()
                .map(|(key, bytes)| decode::<Memory>(Table::Memories, key, bytes));
            let memories = memories.collect::<Result<_, _>>()?;
            let changes = Changes {
                memories,
                ..Changes::default()
            };
            self.apply(changes, storage)?;
        }
        let mut after = None;
        while !self.stale_vectors
            && let Some(page) = next_page(storage, Table::Vectors, &mut after).await?
        {
            let mut changes = Changes::default();
            for (key, bytes) in &page {
                let vectors = vectors_of(key, bytes)?;
                let id = key.parse::<Id>().ok();
                changes.vectors.extend(id.zip(vectors));
            }
            self.apply(changes, storage)?;
        }
        Ok(damage)
    }

    /// A filter without what holds for everything here: that it is the owner's.
    pub fn own(&self, filter: &Filter) -> Filter {
        match &self.record {
            Some(record) => {
                let field = format!("{}_id", record.owner.kind.as_str());
                filter.given(&field, &record.owner.id)
            }
            None => filter.clone(),
        }
    }

    /// What the operator set.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Whether more may be remembered.
    ///
    /// # Errors
    /// When the indexes fill their budget, though the rows of the vectors were dropped.
    pub fn check_room(&self) -> Result<(), SpaceError> {
        let budget = self.settings.budget;
        match self.bytes() < budget {
            true => Ok(()),
            false => Err(SpaceError::Full {
                megabytes: budget >> 20,
            }),
        }
    }

    /// Drops the rows of the vectors when the indexes come near to their budget. They come back when a space is opened
    /// with room for them, and not before, so that they do not come and go.
    pub(super) fn make_room(&mut self) {
        let is_near = self.bytes() > self.settings.budget / 8 * 7;
        if is_near && self.index.residency() == Residency::Resident {
            self.index.drop_rows();
        }
    }

    /// Makes the rows of the vectors again, from the stored ones, when there is plenty of room for them: after the
    /// operator gave more, or much was forgotten.
    async fn take_rows(&mut self, storage: &impl Storage) -> Result<(), SpaceError> {
        let needed = self.bytes() + self.index.row_bytes() + CACHED;
        if self.index.residency() == Residency::Resident || needed > self.settings.budget / 4 * 3 {
            return Ok(());
        }
        self.index.take_rows();
        let mut after = None;
        let mut restored = 0;
        while let Some(page) = next_page(storage, Table::Vectors, &mut after).await? {
            for (key, bytes) in &page {
                let id = key.parse::<Id>().ok();
                if let Some((id, vectors)) = id.zip(vectors_of(key, bytes)?) {
                    restored += self.index.restore_rows(id, &vectors);
                }
            }
        }
        match restored == self.index.vectors_count() {
            true => self.pages.tear(),
            false => self.index.drop_rows(),
        }
        Ok(())
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.index.bytes() + self.knowledge.bytes()
    }

    /// What the space is; `None` until the first add.
    pub fn record(&self) -> Option<&SpaceRecord> {
        self.record.as_ref()
    }

    /// The sequence number of the next id.
    pub fn next_sequence(&self) -> u32 {
        self.record
            .as_ref()
            .map_or(0, |record| record.next_sequence)
    }

    /// Whether the stored vectors are of another embedder.
    pub fn has_stale_vectors(&self) -> bool {
        self.stale_vectors
    }

    /// When the next job is due, or the next expired memory is to be erased.
    pub fn next_due(&self) -> Option<Moment> {
        let jobs = self.jobs.values().map(|job| job.due_at);
        let purge = self.expiring.first();
        let purge = purge.map(|(at, _)| at.plus_millis(self.settings.purge_after));
        jobs.chain(purge).min()
    }

    /// The memories that expired so long ago that they are to be erased.
    pub fn to_purge(&self, now: Moment) -> OrderedSet<Id> {
        let before = now.plus_millis(self.settings.purge_after.saturating_neg());
        let expired = self.expiring.iter();
        expired
            .take_while(|(at, _)| *at <= before)
            .map(|(_, id)| *id)
            .collect()
    }

    /// The memories that have no vector yet, oldest first.
    pub fn unembedded(&self) -> impl Iterator<Item = Id> {
        self.unembedded.iter().copied()
    }

    /// Takes over what was committed.
    pub fn apply(&mut self, changes: Changes, storage: &dyn Storage) -> Result<(), SpaceError> {
        self.pages.apply(&changes);
        if changes.clear {
            self.index = RecallIndex::new(self.settings.vector_index);
            self.jobs.clear();
            self.summaries.clear();
            self.unembedded.clear();
            self.record = None;
        }
        if let Some(record) = &changes.space {
            self.record = Some(record.clone());
        }
        if changes.drop_vectors {
            self.stale_vectors = false;
            self.unembedded = self.knowledge.current().collect();
        }
        for id in &changes.erased {
            let known = self.knowledge.card(id);
            if let Some(at) = known.and_then(|card| card.expires_at) {
                self.expiring.remove(&(at, *id));
            }
            self.index.remove(id);
            self.unembedded.remove(id);
        }
        if let Some(notice) = changes.notices.first() {
            self.untold_since = self.untold_since.or(Some(notice.at));
        }
        for memory in &changes.memories {
            let known = self.knowledge.card(&memory.id);
            if let Some(at) = known.as_ref().and_then(|card| card.expires_at) {
                self.expiring.remove(&(at, memory.id));
            }
            if let Some(at) = memory.expires_at {
                self.expiring.insert((at, memory.id));
            }
            let is_changed = known
                .as_ref()
                .is_some_and(|known| known.text != text_hash(memory.text()));
            let was_current = known.as_ref().is_some_and(|known| known.current);
            if is_changed {
                self.index.remove_vectors(&memory.id);
            }
            if !memory.is_current() {
                self.unembedded.remove(&memory.id);
            } else if is_changed || !was_current {
                self.unembedded.insert(memory.id);
            }
        }
        self.knowledge.apply(&changes);
        let known = Known::new(&self.knowledge, storage);
        // In their order, as each message takes its place after the one before it.
        let memories: OrderedMap<Id, &Memory> =
            changes.memories.iter().map(|m| (m.id, m)).collect();
        for memory in memories.into_values() {
            self.index.index_text(memory, known);
        }
        known.check()?;
        for (id, vectors) in &changes.vectors {
            self.index.index_vectors(*id, vectors)?;
            self.unembedded.remove(id);
        }
        for key in &changes.jobs_done {
            self.jobs.remove(key);
        }
        for job in changes.jobs {
            self.jobs.insert(job.key(), job);
        }
        for conversation in &changes.summaries_gone {
            self.summaries.remove(conversation);
        }
        for summary in changes.summaries {
            self.summaries.insert(summary.scope.conversation(), summary);
        }
        self.make_room();
        Ok(())
    }
}

/// The next entries of a table, and after which key those after them come; `None` after the last.
async fn next_page(
    storage: &impl Storage,
    table: Table,
    after: &mut Option<String>,
) -> Result<Option<Vec<Entry>>, SpaceError> {
    let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let page = storage.scan(table, from, PAGE).await?;
    *after = page.last().map(|(key, _)| key.clone());
    Ok((!page.is_empty()).then_some(page))
}

/// All entries of a table. Apart from what decodes them, so that there is one of it.
async fn all(storage: &impl Storage, table: Table) -> Result<Vec<Entry>, SpaceError> {
    let mut all = Vec::new();
    let mut after = None;
    while let Some(page) = next_page(storage, table, &mut after).await? {
        all.extend(page);
    }
    Ok(all)
}

fn decoded<T: DeserializeOwned>(table: Table, entries: &[Entry]) -> Result<Vec<T>, SpaceError> {
    let records = entries
        .iter()
        .map(|(key, bytes)| Ok(decode(table, key, bytes)?));
    records.collect()
}

/// The vectors of a record; `None` when it is damaged: they can be made anew from the text, and nothing else
/// waits for them.
pub(super) fn vectors_of(key: &str, bytes: &[u8]) -> Result<Option<Vec<Vec<f32>>>, RecordError> {
    match decode_vectors(key, bytes) {
        Ok(vectors) => Ok(Some(vectors)),
        Err(error @ RecordError::Future { .. }) => Err(error),
        Err(_) => Ok(None),
    }
}
