//! Storage that lives as long as the program.

use std::cell::RefCell;
use std::ops::Bound;

use futures_util::future::{LocalBoxFuture, ready};

use super::{Entry, Storage, StorageError, Table, Write};
use crate::compact::OrderedMap;

/// Tables in memory: for tests, evaluations and programs that keep nothing.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    tables: RefCell<OrderedMap<Table, OrderedMap<String, Vec<u8>>>>,
}

impl MemoryStorage {
    /// Empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over rows of a table.
    pub fn extend(&self, table: Table, rows: Vec<Entry>) {
        let mut tables = self.tables.borrow_mut();
        tables.change(table, |known| known.extend(rows));
    }

    /// The rows of a table from one key to another, in order.
    pub fn between(&self, table: Table, first: &str, last: &str) -> Vec<Entry> {
        let tables = self.tables.borrow();
        let rows = tables.get(&table).map(|rows| rows.starting_at(first));
        let rows = rows.into_iter().flatten();
        let rows = rows.take_while(|(key, _)| key.as_str() <= last);
        rows.map(|(key, record)| (key.clone(), record.clone()))
            .collect()
    }

    /// Takes over writes at once, as a commit does: for a storage that must be waited for, and keeps some of its
    /// tables here as well.
    pub fn apply(&self, writes: impl IntoIterator<Item = Write>) {
        let mut tables = self.tables.borrow_mut();
        for write in writes {
            match write {
                Write::Put {
                    table, key, record, ..
                } => {
                    tables.change(table, |rows| {
                        rows.insert(key, record);
                    });
                }
                Write::Delete { table, key } => {
                    if let Some(rows) = tables.get_mut(&table) {
                        rows.remove(&key);
                    }
                }
                Write::ClearTable { table } => {
                    tables.remove(&table);
                }
                Write::Clear => tables.clear(),
            }
        }
    }
}

impl Storage for MemoryStorage {
    fn get<'a>(
        &'a self,
        table: Table,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        Box::pin(ready(self.read(table, key)))
    }

    fn read(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let tables = self.tables.borrow();
        Ok(tables.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Entry>, StorageError>> {
        let tables = self.tables.borrow();
        let (first, is_first) = match after {
            Bound::Included(first) => (first, true),
            Bound::Excluded(before) => (before, false),
            Bound::Unbounded => ("", true),
        };
        let found = tables.get(&table).map_or_else(Vec::new, |rows| {
            rows.starting_at(first)
                .filter(|(key, _)| is_first || *key != first)
                .take(limit)
                .map(|(key, record)| (key.clone(), record.clone()))
                .collect()
        });
        Box::pin(ready(Ok(found)))
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        self.apply(writes);
        Box::pin(ready(Ok(())))
    }
}
