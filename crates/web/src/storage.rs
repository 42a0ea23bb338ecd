//! A space's tables in a database that must be waited for.

use std::cell::RefCell;
use std::ops::Bound;

use edgemem::store::{Entry, Held, Packed, Storage, StorageError, Table, Write};
use futures_channel::oneshot;
use futures_util::future::LocalBoxFuture;
use futures_util::lock::Mutex;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::host::{Backend, described};

/// The code of an error that means that no room is left.
const FULL: &str = "storage_full";

/// A row in the memory of JavaScript.
struct JsRow(Uint8Array);

impl Held for JsRow {
    fn first(&self) -> Option<u8> {
        (self.0.length() > 0).then(|| self.0.get_index(0))
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// The storage of one space. The records of memories are kept here as well, so that they can be read at once;
/// vectors are not: nearly all are found without, and none is missed.
pub struct JsStorage {
    backend: Backend,
    memories: Packed<JsRow>,
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
            self.memories.fill(rows_of(rows.unchecked_into()))?;
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
        let stored = match self.memories.pack(writes) {
            Ok((rows, packing)) => {
                let stored = self.backend.commit(rows.iter().map(listed).collect()).await;
                if stored.is_ok() {
                    self.memories.apply(packing);
                }
                stored.map(drop).map_err(failed)
            }
            Err(damaged) => Err(damaged),
        };
        end.send(()).ok();
        stored
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
            Ok((!record.is_undefined()).then(|| row_of(record).bytes()))
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
                return self.memories.memories()?.scan(table, after, limit).await;
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
            let rows = rows_of(rows.unchecked_into());
            Ok(rows.map(|(key, row)| (key, row.bytes())).collect())
        })
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        Box::pin(self.write(writes))
    }
}

/// Keys and records in turn, as pairs.
fn rows_of(rows: Array) -> impl Iterator<Item = (String, JsRow)> {
    let pairs = (0..rows.length()).step_by(2);
    pairs.filter_map(move |place| {
        let key = rows.get(place).as_string()?;
        Some((key, row_of(rows.get(place + 1))))
    })
}

/// A record as a row: as it is, since an array that is made of an array is a copy.
fn row_of(record: JsValue) -> JsRow {
    let bytes = record.dyn_into::<Uint8Array>();
    JsRow(bytes.unwrap_or_else(|record| Uint8Array::new(&record)))
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
