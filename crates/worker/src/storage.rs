//! A space's tables in the SQLite database of its Durable Object.
//!
//! Each [`Table`] is a SQL table of `key`, the readable columns of [`Table::columns`] and `record`.
//! A table is made by its first write, so that asking for an owner who was never stored leaves no
//! table behind; columns that a newer version brings are added then too. A table's own columns are
//! its version, and each record carries the version of its contents.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Bound;

use edgemem::store::{Entry, Storage, StorageError, Table, Write};
use futures_util::future::{LocalBoxFuture, ready};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use worker::js_sys::{self, Array};
use worker::{SqlStorage, SqlStorageValue, State};

/// The largest row of a Durable Object's database, in bytes. workerd takes more than the network
/// that it is deployed to, so this is checked here.
const ROW_LIMIT: usize = 2_000_000;

/// The storage of one Durable Object.
pub struct SqliteStorage {
    sql: SqlStorage,
    /// The same, as JavaScript has it.
    raw: JsValue,
    /// The tables that are known to exist with all their columns.
    ready: RefCell<BTreeSet<Table>>,
    retired: Cell<bool>,
}

impl SqliteStorage {
    /// The storage of the object with this state. Touches nothing yet.
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        Self {
            sql: storage.sql(),
            raw: storage.as_raw().into(),
            ready: RefCell::default(),
            retired: Cell::new(false),
        }
    }

    /// Refuses every commit from now on, because another took over.
    pub fn retire(&self) {
        self.retired.set(true);
    }

    /// The rows of a statement, each as its columns in an array. To take every value out of every row by itself would be
    /// most of the time of reading a few dozen records.
    fn rows(&self, statement: &str, values: &Array) -> Result<Vec<Array>, StorageError> {
        let sql = self.raw.unchecked_ref::<RawStorage>().sql();
        let thrown = |error: JsValue| failed(error.into());
        let cursor = sql.exec(statement, values).map_err(thrown)?;
        let rows = cursor.raw().to_array().map_err(thrown)?;
        Ok(rows.iter().map(JsCast::unchecked_into).collect())
    }

    /// Runs a statement that returns nothing.
    fn run(&self, statement: &str, values: Vec<SqlStorageValue>) -> Result<(), StorageError> {
        self.sql.exec(statement, values).map(drop).map_err(failed)
    }

    /// The columns that a table has; none when it does not exist.
    fn columns(&self, table: Table) -> Result<BTreeSet<String>, StorageError> {
        let statement = format!("PRAGMA table_info(\"{}\")", table.name());
        let rows = self.rows(&statement, &Array::new())?;
        let names = rows.into_iter().filter_map(|row| row.get(1).as_string());
        Ok(names.collect())
    }

    fn exists(&self, table: Table) -> Result<bool, StorageError> {
        if self.ready.borrow().contains(&table) {
            return Ok(true);
        }
        let there = self.columns(table)?;
        let is_there = !there.is_empty();
        if is_there && table.columns().iter().all(|name| there.contains(*name)) {
            self.ready.borrow_mut().insert(table);
        }
        Ok(is_there)
    }

    /// Makes a table, or adds the columns that it lacks.
    fn prepare(&self, table: Table) -> Result<(), StorageError> {
        let there = self.columns(table)?;
        if there.is_empty() {
            return self.run(&create(table), vec![]);
        }
        for column in table.columns() {
            if !there.contains(*column) {
                let name = table.name();
                let statement = format!("ALTER TABLE \"{name}\" ADD COLUMN \"{column}\" TEXT");
                self.run(&statement, vec![])?;
            }
        }
        Ok(())
    }

    fn drop(&self, table: Table, ready: &mut BTreeSet<Table>) -> Result<(), StorageError> {
        ready.remove(&table);
        let statement = format!("DROP TABLE IF EXISTS \"{}\"", table.name());
        self.run(&statement, vec![])
    }

    fn write(&self, write: Write, ready: &mut BTreeSet<Table>) -> Result<(), StorageError> {
        match write {
            Write::Put {
                table,
                key,
                record,
                columns,
            } => {
                let bytes = columns.iter().flatten().map(String::len).sum::<usize>()
                    + key.len()
                    + record.len();
                if bytes > ROW_LIMIT {
                    return Err(StorageError::TooLarge {
                        bytes,
                        limit: ROW_LIMIT,
                    });
                }
                if !ready.contains(&table) {
                    self.prepare(table)?;
                    ready.insert(table);
                }
                let mut columns = columns.into_iter();
                let mut values = vec![key.into()];
                let shown = table.columns().iter();
                values.extend(shown.map(|_| columns.next().flatten().into()));
                values.push(record.into());
                self.run(&upsert(table), values)
            }
            Write::Delete { table, key } => {
                if !ready.contains(&table) && self.columns(table)?.is_empty() {
                    return Ok(());
                }
                let statement = format!("DELETE FROM \"{}\" WHERE \"key\" = ?", table.name());
                self.run(&statement, vec![key.into()])
            }
            Write::ClearTable { table } => self.drop(table, ready),
            Write::Clear => Table::ALL
                .into_iter()
                .try_for_each(|table| self.drop(table, ready)),
        }
    }

    /// Applies the writes in one transaction, which a thrown error rolls back.
    fn transact(&self, writes: Vec<Write>) -> Result<(), StorageError> {
        if self.retired.get() {
            return Err(StorageError::Failed(
                "it was taken over by another".to_owned(),
            ));
        }
        let mut prepared = self.ready.borrow().clone();
        let mut writes = Some(writes);
        let mut outcome = Ok(());
        let mut body = || -> Result<(), JsValue> {
            outcome = writes
                .take()
                .into_iter()
                .flatten()
                .try_for_each(|write| self.write(write, &mut prepared));
            match &outcome {
                Ok(()) => Ok(()),
                Err(error) => Err(js_sys::Error::new(&error.to_string()).into()),
            }
        };
        // Nothing of ours is left half done by a panic in there: `ready` is set at the end.
        let body = ScopedClosure::borrow_mut_assert_unwind_safe(&mut body);
        let ended = self
            .raw
            .unchecked_ref::<RawStorage>()
            .transaction_sync(&body);
        drop(body);
        outcome?;
        ended.map_err(|error| failed(error.into()))?;
        *self.ready.borrow_mut() = prepared;
        Ok(())
    }

    fn find(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        if !self.exists(table)? {
            return Ok(None);
        }
        let statement = format!(
            "SELECT \"record\" FROM \"{}\" WHERE \"key\" = ?",
            table.name()
        );
        let row = self.rows(&statement, &Array::of1(&key.into()))?.pop();
        row.map(|row| blob(&row.get(0)).ok_or_else(|| unreadable(table)))
            .transpose()
    }

    /// SQLite takes a hundred parameters at most: the keys are one, as JSON.
    fn find_many(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        if keys.is_empty() || !self.exists(table)? {
            return Ok(vec![None; keys.len()]);
        }
        let statement = format!(
            "SELECT asked.\"key\", \"record\" FROM json_each(?) AS asked \
             CROSS JOIN \"{}\" AS stored ON stored.\"key\" = asked.\"value\"",
            table.name()
        );
        let asked =
            serde_json::to_string(keys).map_err(|error| StorageError::Failed(error.to_string()))?;
        let mut found = vec![None; keys.len()];
        for row in self.rows(&statement, &Array::of1(&asked.into()))? {
            let place = row.get(0).as_f64().map(|place| place as usize);
            match (
                place.and_then(|place| found.get_mut(place)),
                blob(&row.get(1)),
            ) {
                (Some(place), Some(record)) => *place = Some(record),
                _ => return Err(unreadable(table)),
            }
        }
        Ok(found)
    }

    fn range(
        &self,
        table: Table,
        after: Bound<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        if !self.exists(table)? {
            return Ok(Vec::new());
        }
        let (condition, key) = match after {
            Bound::Unbounded => ("", None),
            Bound::Included(key) => ("WHERE \"key\" >= ?", Some(key)),
            Bound::Excluded(key) => ("WHERE \"key\" > ?", Some(key)),
        };
        let statement = format!(
            "SELECT \"key\", \"record\" FROM \"{}\" {condition} ORDER BY \"key\" LIMIT ?",
            table.name()
        );
        let values: Array = key.into_iter().map(JsValue::from).collect();
        values.push(&(limit as f64).into());
        let rows = self.rows(&statement, &values)?.into_iter();
        rows.map(|row| {
            let entry = row.get(0).as_string().zip(blob(&row.get(1)));
            entry.ok_or_else(|| unreadable(table))
        })
        .collect()
    }
}

/// Every operation takes effect when it is called, before its future is polled: SQLite runs in this
/// thread, and a commit must follow the reads it rests on without a gap.
impl Storage for SqliteStorage {
    fn get<'a>(
        &'a self,
        table: Table,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        Box::pin(ready(self.find(table, key)))
    }

    fn read(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.find(table, key)
    }

    fn read_many(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        self.find_many(table, keys)
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Entry>, StorageError>> {
        Box::pin(ready(self.range(table, after, limit)))
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        Box::pin(ready(self.transact(writes)))
    }
}

#[wasm_bindgen]
extern "C" {
    /// A Durable Object's `ctx.storage`.
    type RawStorage;
    type RawSql;
    type RawCursor;
    type RawRows;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &RawStorage,
        body: &ScopedClosure<dyn FnMut() -> Result<(), JsValue>>,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &RawStorage) -> RawSql;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &RawSql, statement: &str, values: &Array) -> Result<RawCursor, JsValue>;

    #[wasm_bindgen(method)]
    fn raw(this: &RawCursor) -> RawRows;

    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &RawRows) -> Result<Array, JsValue>;
}

/// The bytes of a blob, which SQLite gives as an `ArrayBuffer`.
fn blob(value: &JsValue) -> Option<Vec<u8>> {
    let buffer = value.dyn_ref::<js_sys::ArrayBuffer>()?;
    Some(js_sys::Uint8Array::new(buffer).to_vec())
}

/// `WITHOUT ROWID` keeps a record beside its key: one row written instead of two, and a scan that
/// reads in the order of the table.
fn create(table: Table) -> String {
    let columns: String = table
        .columns()
        .iter()
        .map(|column| format!("\"{column}\" TEXT, "))
        .collect();
    format!(
        "CREATE TABLE \"{}\" (\"key\" TEXT NOT NULL COLLATE BINARY PRIMARY KEY, {columns}\"record\" \
         BLOB NOT NULL) WITHOUT ROWID",
        table.name()
    )
}

fn upsert(table: Table) -> String {
    let mut names = vec!["key"];
    names.extend(table.columns());
    names.push("record");
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let replaced: Vec<String> = quoted
        .iter()
        .skip(1)
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "INSERT INTO \"{}\" ({}) VALUES ({}) ON CONFLICT (\"key\") DO UPDATE SET {}",
        table.name(),
        quoted.join(", "),
        vec!["?"; names.len()].join(", "),
        replaced.join(", ")
    )
}

/// What SQLite reported; its messages end in the name of its error code.
fn failed(error: worker::Error) -> StorageError {
    let message = error.to_string();
    if message.contains("SQLITE_FULL") {
        StorageError::Full(message)
    } else {
        StorageError::Failed(message)
    }
}

fn unreadable(table: Table) -> StorageError {
    StorageError::Failed(format!("a row of {} is not ours", table.name()))
}
