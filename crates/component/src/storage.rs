//! A space's tables in the host's storage, which must be waited for.

use std::cell::Cell;
use std::ops::Bound;

use edgemem::store::{Entry, MemoryStorage, Storage, StorageError, Table, Write};
use futures_util::future::LocalBoxFuture;

use crate::bindings::edgemem::memory::storage as wit;
use crate::limit::Limit;

/// Records that are asked for at a time when a space is opened.
const PAGE: usize = 1_000;

/// The storage of one space. The records of memories are kept here as well, so that they can be read at once;
/// vectors are not: nearly all are found without, and none is missed.
pub struct HostStorage {
    space: String,
    limit: Limit,
    memories: MemoryStorage,
    /// Nobody knows whether what is here is what is stored.
    retired: Cell<bool>,
}

impl HostStorage {
    /// Reads what is to be kept here.
    ///
    /// # Errors
    /// When the host's storage fails.
    pub async fn open(space: String, limit: Limit) -> Result<Self, StorageError> {
        let storage = Self {
            space,
            limit,
            memories: MemoryStorage::new(),
            retired: Cell::new(false),
        };
        let mut last: Option<String> = None;
        loop {
            let after = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let page = storage.rows(Table::Memories, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            last = page.last().map(|(key, _)| key.clone());
            storage.memories.extend(Table::Memories, page);
            if is_last {
                return Ok(storage);
            }
        }
    }

    /// Refuses whatever is asked from now on: the space must be opened anew.
    pub fn retire(&self) {
        self.retired.set(true);
    }

    /// Whether the space must be opened anew.
    pub fn is_retired(&self) -> bool {
        self.retired.get()
    }

    /// What the host answers to a call, unless it stalls or this is retired.
    async fn asked<T>(
        &self,
        call: impl Future<Output = Result<T, wit::StorageError>>,
    ) -> Result<T, StorageError> {
        if self.is_retired() {
            return Err(StorageError::Failed(
                "an earlier call was cut off, so what is stored must be read again; try again"
                    .to_owned(),
            ));
        }
        // Dropped without an answer, by a cancelled call or after the limit, a commit may be done or not.
        let unanswered = Unanswered(self);
        let answer = self.limit.on(call).await;
        let Some(answer) = answer else {
            let millis = self.limit.millis;
            return Err(StorageError::Failed(format!(
                "no answer within {millis} ms"
            )));
        };
        std::mem::forget(unanswered);
        answer.map_err(|error| match error {
            wit::StorageError::Full(reason) => StorageError::Full(reason),
            wit::StorageError::Failed(reason) => StorageError::Failed(reason),
        })
    }

    async fn rows(
        &self,
        table: Table,
        after: Bound<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let start = match after {
            Bound::Unbounded => wit::Start::First,
            Bound::Included(key) => wit::Start::At(key.to_owned()),
            Bound::Excluded(key) => wit::Start::After(key.to_owned()),
        };
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        let call = wit::scan(self.space.clone(), named(table), start, most);
        let rows = self.asked(call).await?;
        let mut last = after;
        for row in &rows {
            let is_next = match last {
                Bound::Unbounded => true,
                Bound::Included(key) => row.key.as_str() >= key,
                Bound::Excluded(key) => row.key.as_str() > key,
            };
            if !is_next || rows.len() > limit {
                let reason = "a scan answered other rows than were asked for, or in another order";
                return Err(StorageError::Failed(reason.to_owned()));
            }
            last = Bound::Excluded(&row.key);
        }
        Ok(rows.into_iter().map(|row| (row.key, row.record)).collect())
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StorageError> {
        let asked = writes.iter().map(listed).collect();
        self.asked(wit::commit(self.space.clone(), asked)).await?;
        let kept = |write: &Write| write.is_of(Table::Memories);
        self.memories.apply(writes.into_iter().filter(kept));
        Ok(())
    }
}

/// A call that has no answer yet.
struct Unanswered<'a>(&'a HostStorage);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.retire();
    }
}

impl Storage for HostStorage {
    fn get<'a>(
        &'a self,
        table: Table,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        Box::pin(async move {
            if table == Table::Memories {
                return self.read(table, key);
            }
            let call = wit::get(self.space.clone(), named(table), key.to_owned());
            self.asked(call).await
        })
    }

    fn read(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.memories.read(table, key)
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Entry>, StorageError>> {
        Box::pin(async move {
            if table == Table::Memories {
                return self.memories.scan(table, after, limit).await;
            }
            self.rows(table, after, limit).await
        })
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        Box::pin(self.write(writes))
    }
}

fn named(table: Table) -> wit::Table {
    match table {
        Table::Space => wit::Table::Space,
        Table::Memories => wit::Table::Memories,
        Table::Vectors => wit::Table::Vectors,
        Table::History => wit::Table::History,
        Table::Entities => wit::Table::Entities,
        Table::Relations => wit::Table::Relations,
        Table::Contradictions => wit::Table::Contradictions,
        Table::Events => wit::Table::Events,
        Table::Jobs => wit::Table::Jobs,
        Table::Summaries => wit::Table::Summaries,
        Table::Exports => wit::Table::Exports,
        Table::Outbox => wit::Table::Outbox,
        Table::Directory => wit::Table::Directory,
        Table::Index => wit::Table::Index,
    }
}

/// A write as the host takes it. The readable columns are left out: they would double what is stored.
fn listed(write: &Write) -> wit::Write {
    match write {
        Write::Put {
            table, key, record, ..
        } => wit::Write::Put(wit::Put {
            table: named(*table),
            key: key.clone(),
            record: record.clone(),
        }),
        Write::Delete { table, key } => wit::Write::Delete(wit::Place {
            table: named(*table),
            key: key.clone(),
        }),
        Write::ClearTable { table } => wit::Write::ClearTable(named(*table)),
        Write::Clear => wit::Write::Clear,
    }
}
