//! What was changed since the root, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::format::Change;

/// Changes that are in the journal and in no leaf yet.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// For each table the rows that were put, and those that were removed.
    tables: BTreeMap<u8, BTreeMap<String, Option<Vec<u8>>>>,
    /// Tables whose leaves do not count any more.
    cleared: BTreeSet<u8>,
    /// All tables are cleared.
    all_cleared: bool,
    /// About how much it is.
    pub bytes: usize,
}

impl Recent {
    /// Takes in a change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Put(table, key, record) => {
                self.bytes += key.len() + record.len();
                self.tables
                    .entry(table)
                    .or_default()
                    .insert(key, Some(record));
            }
            Change::Delete(table, key) => {
                self.bytes += key.len();
                self.tables.entry(table).or_default().insert(key, None);
            }
            Change::ClearTable(table) => {
                self.tables.remove(&table);
                self.cleared.insert(table);
            }
            Change::Clear => {
                self.tables.clear();
                self.all_cleared = true;
            }
        }
    }

    /// Whether the leaves of a table do not count.
    pub fn has_cleared(&self, table: u8) -> bool {
        self.all_cleared || self.cleared.contains(&table)
    }

    /// Tables that differ from their leaves, if `tables` are those with any.
    pub fn changed<'a>(&'a self, tables: impl Iterator<Item = &'a u8>) -> BTreeSet<u8> {
        let cleared = tables.filter(|table| self.has_cleared(**table));
        cleared.chain(self.tables.keys()).copied().collect()
    }

    /// What is known of a row: `None` when it did not change, `Some(None)` when it was removed.
    pub fn get(&self, table: u8, key: &str) -> Option<Option<&Vec<u8>>> {
        Some(self.tables.get(&table)?.get(key)?.as_ref())
    }

    /// The changed rows of a table within bounds, in the order of their keys.
    pub fn range<'a>(
        &'a self,
        table: u8,
        bounds: (Bound<&'a str>, Bound<&'a str>),
    ) -> impl Iterator<Item = (&'a String, Option<&'a Vec<u8>>)> {
        let rows = self.tables.get(&table);
        rows.into_iter()
            .flat_map(move |rows| rows.range::<str, _>(bounds))
            .map(|(key, record)| (key, record.as_ref()))
    }
}
