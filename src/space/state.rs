//! What a space keeps in memory: a cache of its storage.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::de::DeserializeOwned;

use super::SpaceError;
use crate::memory::{Entity, Id, Memory, Moment, Relation};
use crate::pipeline::knowledge::Knowledge;
use crate::pipeline::recall::{CONTEXT_WEIGHTS, RecallIndex};
use crate::store::records::{
    Job, RecordError, SpaceRecord, SummaryRecord, Work, decode, decode_vectors,
};
use crate::store::{Changes, SPACE_KEY, Storage, Table};

/// Records read at a time while loading.
const PAGE: usize = 1_000;

/// The resident state of one space.
pub(super) struct State {
    record: Option<SpaceRecord>,
    pub knowledge: Knowledge,
    pub index: RecallIndex,
    pub jobs: BTreeMap<String, Job>,
    pub summaries: BTreeMap<String, SummaryRecord>,
    /// The current memories that have no stored vector of the present embedder.
    unembedded: BTreeSet<Id>,
    /// Vectors of another embedder are stored and must be replaced.
    stale_vectors: bool,
}

impl State {
    /// Reads everything that is stored.
    pub async fn load(
        storage: &impl Storage,
        embedder: &str,
        now: Moment,
    ) -> Result<Self, SpaceError> {
        let mut state = Self {
            record: None,
            knowledge: Knowledge::default(),
            index: RecallIndex::default(),
            jobs: BTreeMap::new(),
            summaries: BTreeMap::new(),
            unembedded: BTreeSet::new(),
            stale_vectors: false,
        };
        let Some(bytes) = storage.get(Table::Space, SPACE_KEY).await? else {
            return Ok(state);
        };
        let record: SpaceRecord = decode(Table::Space, SPACE_KEY, &bytes)?;
        state.stale_vectors = record
            .embedder
            .as_deref()
            .is_some_and(|name| name != embedder);
        state.record = Some(record);
        let mut loaded = Changes {
            memories: records::<Memory>(storage, Table::Memories).await?,
            entities: records::<Entity>(storage, Table::Entities).await?,
            relations: records::<Relation>(storage, Table::Relations).await?,
            jobs: records::<Job>(storage, Table::Jobs).await?,
            summaries: records::<SummaryRecord>(storage, Table::Summaries).await?,
            ..Changes::default()
        };
        if !state.stale_vectors {
            for (key, bytes) in entries(storage, Table::Vectors).await? {
                // What is damaged can be made anew from the text: it is, and nothing else waits for it.
                match (key.parse::<Id>(), decode_vectors(&key, &bytes)) {
                    (Ok(id), Ok(vectors)) => loaded.vectors.push((id, vectors)),
                    (_, Err(error @ RecordError::Future { .. })) => return Err(error.into()),
                    _ => {}
                }
            }
        }
        state.apply(loaded)?;
        if state.stale_vectors || (state.jobs.is_empty() && !state.unembedded.is_empty()) {
            let job = Job {
                work: Work::Embed,
                attempts: 0,
                due_at: now,
            };
            state.jobs.insert(job.key(), job);
        }
        Ok(state)
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

    /// When the next job is due.
    pub fn next_due(&self) -> Option<Moment> {
        self.jobs.values().map(|job| job.due_at).min()
    }

    /// The memories that have no vector yet, oldest first.
    pub fn unembedded(&self) -> impl Iterator<Item = Id> {
        self.unembedded.iter().copied()
    }

    /// Takes over what was committed.
    pub fn apply(&mut self, changes: Changes) -> Result<(), SpaceError> {
        if changes.clear {
            self.index = RecallIndex::default();
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
            let current = self
                .knowledge
                .memories()
                .filter(|memory| memory.is_current());
            self.unembedded = current.map(|memory| memory.id).collect();
        }
        let mut reindex: BTreeSet<Id> = changes.memories.iter().map(|memory| memory.id).collect();
        // Messages are context for those after them.
        let followers = |memory: &Memory| -> Vec<Id> {
            let followers = self
                .knowledge
                .successors(memory)
                .take(CONTEXT_WEIGHTS.len());
            followers.map(|next| next.id).collect()
        };
        for id in &changes.erased {
            reindex.extend(self.knowledge.memory(id).map(followers).unwrap_or_default());
            self.index.remove(id);
            self.unembedded.remove(id);
        }
        for memory in &changes.memories {
            let known = self.knowledge.memory(&memory.id);
            let is_changed = known.is_some_and(|known| known.text() != memory.text());
            if is_changed {
                reindex.extend(followers(memory));
                self.index.remove_vectors(&memory.id);
            }
            if !memory.is_current() {
                self.unembedded.remove(&memory.id);
            } else if is_changed || known.is_none_or(|known| !known.is_current()) {
                self.unembedded.insert(memory.id);
            }
        }
        self.knowledge.apply(&changes);
        for id in &reindex {
            if let Some(memory) = self.knowledge.memory(id) {
                self.index.index_text(memory, &self.knowledge);
            }
        }
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
        Ok(())
    }
}

/// All entries of a table, read a page at a time.
pub(super) async fn entries(
    storage: &impl Storage,
    table: Table,
) -> Result<Vec<(String, Vec<u8>)>, SpaceError> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    loop {
        let after = all
            .last()
            .map_or(Bound::Unbounded, |(key, _)| Bound::Excluded(key.as_str()));
        let page = storage.scan(table, after, PAGE).await?;
        let more = page.len() == PAGE;
        all.extend(page);
        if !more {
            return Ok(all);
        }
    }
}

async fn records<T: DeserializeOwned>(
    storage: &impl Storage,
    table: Table,
) -> Result<Vec<T>, SpaceError> {
    let entries = entries(storage, table).await?;
    let decoded = entries
        .iter()
        .map(|(key, bytes)| Ok(decode(table, key, bytes)?));
    decoded.collect()
}
