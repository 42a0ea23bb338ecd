//! A space's tables in a database that must be waited for.

use std::cell::RefCell;
use std::ops::Bound;

use edgemem::store::{Entry, Packed, Storage, StorageError, Table, Write};
use futures_channel::oneshot;
use futures_util::future::LocalBoxFuture;
use futures_util::lock::Mutex;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::host::{Backend, described};

/// The code of an error that means that no room is left.
const FULL: &str = "storage_full";

/// The storage of one space. The records of memories are kept here as well, so that they can be read at once;
/// vectors are not: nearly all are found without, and none is missed.
pub struct JsStorage {
    backend: Backend,
    memories: Packed,
    /// Whether they are all here.
    filled: Mutex<bool>,
    /// Ends when the commit that was begun last is stored or has failed.
    last: RefCell<Option<oneshot::Receiver<()>>>,
}

impl JsStorage {
    /// A storage that has read nothing yet.
    pub fn new(backend: Backend) -> Self {
        Self {
            backend,
            memories: Packed::default(),
            filled: Mutex::default(),
            last: RefCell::default(),
        }
    }

    /// Reads what is to be kept here, unless it is.
    async fn fill(&self) -> Result<(), StorageError> {
        let mut filled = self.filled.lock().await;
        if !*filled {
            let rows = self
                .backend
                .scan(Table::Memories.name(), None, true, f64::INFINITY);
            let rows = rows.await.map_err(failed)?;
            self.memories.fill(entries(rows.unchecked_into()))?;
            *filled = true;
        }
        Ok(())
    }

    /// One after the other, as what a commit writes depends on what those before it left.
    async fn write(&self, writes: Vec<Write>) -> Result<(), StorageError> {
        self.fill().await?;
        let (end, is_over) = oneshot::channel();
        if let Some(before) = self.last.replace(Some(is_over)) {
            before.await.ok();
        }
        let (rows, packing) = self.memories.pack(writes);
        let stored = self.backend.commit(rows.iter().map(listed).collect()).await;
        if stored.is_ok() {
            self.memories.apply(packing);
        }
        end.send(()).ok();
        stored.map(drop).map_err(failed)
    }
}

impl Storage for JsStorage {
    fn get<'a>(
        &'a self,
        table: Table,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        Box::pin(async move {
            if table == Table::Memories {
                self.fill().await?;
                return self.read(table, key);
            }
            let record = self.backend.get(table.name(), key).await.map_err(failed)?;
            Ok((!record.is_undefined()).then(|| Uint8Array::new(&record).to_vec()))
        })
    }

    fn ready(&self) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        Box::pin(self.fill())
    }

    fn read(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match table {
            Table::Memories => self.memories.read(key),
            _ => Ok(None),
        }
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Entry>, StorageError>> {
        Box::pin(async move {
            if table == Table::Memories {
                self.fill().await?;
                return self.memories.memories().scan(table, after, limit).await;
            }
            let (from, inclusive) = match after {
                Bound::Unbounded => (None, true),
                Bound::Included(key) => (Some(key), true),
                Bound::Excluded(key) => (Some(key), false),
            };
            let rows = self
                .backend
                .scan(table.name(), from, inclusive, limit as f64);
            let rows = rows.await.map_err(failed)?;
            Ok(entries(rows.unchecked_into()).collect())
        })
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        Box::pin(self.write(writes))
    }
}

/// Keys and records in turn, as pairs.
fn entries(rows: Array) -> impl Iterator<Item = Entry> {
    let pairs = (0..rows.length()).step_by(2);
    pairs.filter_map(move |place| {
        let key = rows.get(place).as_string()?;
        Some((key, Uint8Array::new(&rows.get(place + 1)).to_vec()))
    })
}

/// A write as the host takes it. The readable columns are left out: they would double what is stored.
fn listed(write: &Write) -> JsValue {
    let text = JsValue::from_str;
    let parts: Array = match write {
        Write::Put {
            table, key, record, ..
        } => {
            let record = Uint8Array::from(record.as_slice());
            [text("put"), text(table.name()), text(key), record.into()]
                .into_iter()
                .collect()
        }
        Write::Delete { table, key } => [text("delete"), text(table.name()), text(key)]
            .into_iter()
            .collect(),
        Write::ClearTable { table } => [text("clear"), text(table.name())].into_iter().collect(),
        Write::Clear => [text("clear")].into_iter().collect(),
    };
    parts.into()
}

fn failed(error: JsValue) -> StorageError {
    match described(&error) {
        (Some(code), message) if code == FULL => StorageError::Full(message),
        (_, message) => StorageError::Failed(message),
    }
}
