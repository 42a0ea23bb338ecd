//! Exports: a schema filled from memories, as a job.

use std::ops::Bound;

use super::{Host, Space, SpaceError};
use crate::memory::{EventStatus, Export, Id, Memory, Problem, Purpose};
use crate::operation::{Exported, Reply};
use crate::pipeline::export::{Filling, fill, fill_by_rules};
use crate::store::records::{ExportRecord, Job, Work, decode};
use crate::store::{Changes, Storage, Table};

/// Memories that an export is made of at most: the newest.
const MOST: usize = 500;

impl<H: Host> Space<H> {
    /// Accepts an export.
    pub(super) async fn export(&self, export: Export) -> Result<Reply, SpaceError> {
        if !export.schema.is_object() {
            return Err(SpaceError::BadSchema);
        }
        if self.state.borrow().record().is_none() {
            return Err(SpaceError::NothingToExport);
        }
        let now = self.host.now();
        let made = match export.purpose {
            Purpose::Export => 0,
            Purpose::Profile => self
                .latest_export(Purpose::Profile)
                .await?
                .map_or(0, |latest| latest.made),
        };
        let record = self
            .commit(|_, mint| {
                let record = ExportRecord {
                    id: mint.id(),
                    asked: export,
                    status: EventStatus::Pending,
                    created_at: now,
                    updated_at: now,
                    memories: 0,
                    made,
                    result: serde_json::Value::Null,
                    error: None,
                };
                let job = Job {
                    work: Work::Export { id: record.id },
                    attempts: 0,
                    due_at: now,
                };
                let changes = Changes {
                    exports: vec![record.clone()],
                    jobs: vec![job],
                    ..Changes::default()
                };
                Ok((changes, record))
            })
            .await?;
        Ok(Reply::Export(Box::new(shown(record))))
    }

    /// What became of an export. One that still waits is made now: whoever asks wants it.
    pub(super) async fn exported(
        &self,
        id: Option<Id>,
        purpose: Purpose,
    ) -> Result<Reply, SpaceError> {
        let find = async || match id {
            Some(id) => self.export_record(&id).await,
            None => self.latest_export(purpose).await,
        };
        let mut found = find().await?;
        if let Some(record) = &found
            && record.status == EventStatus::Pending
            && record.error.is_none()
            && purpose == Purpose::Export
        {
            let key = format!("export/{}", record.id);
            let job = self.state.borrow().jobs.get(&key).cloned();
            if let Some(job) = job {
                let _turn = self.jobs.lock().await;
                self.run(job).await?;
            }
            found = find().await?;
        }
        let record = found.ok_or(SpaceError::NoSuchExport)?;
        Ok(Reply::Export(Box::new(shown(record))))
    }

    async fn export_record(&self, id: &Id) -> Result<Option<ExportRecord>, SpaceError> {
        let key = id.to_string();
        let found = self.host.storage().get(Table::Exports, &key).await?;
        let record = found.map(|bytes| decode(Table::Exports, &key, &bytes));
        Ok(record.transpose()?)
    }

    async fn latest_export(&self, purpose: Purpose) -> Result<Option<ExportRecord>, SpaceError> {
        let storage = self.host.storage();
        let all = storage
            .scan(Table::Exports, Bound::Unbounded, usize::MAX)
            .await?;
        for (key, bytes) in all.iter().rev() {
            let record: ExportRecord = decode(Table::Exports, key, bytes)?;
            if record.asked.purpose == purpose {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Fills the schema: by the model, else by rules.
    pub(super) async fn run_export(&self, job: &Job, id: Id) -> Result<(), SpaceError> {
        let Some(mut record) = self.export_record(&id).await? else {
            return self.finish_job(job.key()).await;
        };
        let now = self.host.now();
        let (memories, by_rules) = {
            let state = self.state.borrow();
            let known = self.view(&state).known;
            let filter = state.own(&record.asked.filter);
            let cards = state.knowledge.cards().rev();
            let cards = cards.filter(|card| card.current && card.is_listed());
            let cards = cards.filter(|card| !card.is_expired(now) && known.selects(&filter, card));
            let memories: Vec<Memory> = cards
                .take(MOST)
                .filter_map(|card| known.memory(&card.id).as_deref().cloned())
                .collect();
            let by_rules = fill_by_rules(&record.asked.schema, &memories, known.graph());
            known.check()?;
            (memories, by_rules)
        };
        let filling = Filling {
            schema: &record.asked.schema,
            instructions: record.asked.instructions.as_deref(),
            memories: &memories,
        };
        let result = match &self.models.chat {
            Some(chat) if !memories.is_empty() => {
                self.check_budget()?;
                fill(&**chat, &filling).await?
            }
            _ => by_rules,
        };
        record.status = EventStatus::Succeeded;
        record.updated_at = now;
        record.memories = memories.len();
        record.made += 1;
        record.result = result;
        record.error = None;
        self.commit(|state, _| {
            // What it was made of may have been erased meanwhile, and the export with it.
            let key = job.key();
            let exports = match state.jobs.contains_key(&key) {
                true => vec![record],
                false => Vec::new(),
            };
            let changes = Changes {
                exports,
                jobs_done: vec![key],
                ..Changes::default()
            };
            Ok((changes, ()))
        })
        .await
    }

    pub(super) async fn note_failed_export(
        &self,
        id: Id,
        given_up: bool,
        problem: &Problem,
    ) -> Result<(), SpaceError> {
        let now = self.host.now();
        let Some(mut record) = self.export_record(&id).await? else {
            return Ok(());
        };
        record.error = Some(problem.clone());
        record.updated_at = now;
        if given_up {
            record.status = EventStatus::Failed;
        }
        self.commit(|state, _| {
            let mut changes = Changes::default();
            if state.jobs.contains_key(&format!("export/{id}")) {
                changes.exports.push(record);
            }
            Ok((changes, ()))
        })
        .await
    }
}

fn shown(record: ExportRecord) -> Exported {
    Exported {
        id: record.id,
        status: record.status,
        created_at: record.created_at,
        updated_at: record.updated_at,
        memories: record.memories,
        made: record.made,
        result: record.result,
        error: record.error,
    }
}
