//! Memories in rows of many, for a database that takes its time for each row.
//!
//! A host whose database must be waited for keeps the records of memories in memory ([`Storage::read`](super::Storage::read)), so it reads
//! all of them when it opens a space, and IndexedDB needs as long for a row of a few hundred bytes as for one of
//! fifty thousand. [`Packed`] is what such a host keeps, and says which rows are to be stored for a commit.
//!
//! A row holds the memories whose ids differ only in the low bits of their sequence number, in order: a version
//! byte, then for each the lengths (`u32`, little-endian) of its key and its record, and both. Its key is a slash and
//! the first id that it could hold. Long records, and keys that are no ids, have rows of their own, as all had once.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::{Entry, MemoryStorage, Storage, StorageError, Table, Write};
use crate::compact::OrderedSet;
use crate::memory::Id;

/// The version that is written.
const VERSION: u8 = 1;

/// Memories of one row.
const ROW: u32 = 64;

/// Bytes of the longest record that shares a row: what one change writes again stays below a megabyte.
const LONGEST: usize = 8 << 10;

/// Stands before the keys of shared rows; no key of a memory begins so.
const SHARED: char = '/';

/// A row where the host has it, which costs the more the more of it is taken.
pub trait Held {
    /// Its first byte.
    fn first(&self) -> Option<u8>;

    /// A copy of it.
    fn bytes(&self) -> Vec<u8>;
}

impl Held for Vec<u8> {
    fn first(&self) -> Option<u8> {
        <[u8]>::first(self).copied()
    }

    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

/// The memories of a space, and which of them have a row of their own.
#[derive(Debug)]
pub struct Packed<R = Vec<u8>> {
    memories: MemoryStorage,
    /// The shared rows of which nothing was asked yet, by the first id that each could hold. They are taken and unpacked then,
    /// as to do so with all takes as long as to read them.
    shared: RefCell<FxHashMap<String, R>>,
    alone: RefCell<OrderedSet<String>>,
    /// Those with a row of their own that are to share one from the next change on.
    unpacked: RefCell<Vec<String>>,
}

impl<R> Default for Packed<R> {
    fn default() -> Self {
        Self {
            memories: MemoryStorage::default(),
            shared: RefCell::default(),
            alone: RefCell::default(),
            unpacked: RefCell::default(),
        }
    }
}

/// What a commit changes in a [`Packed`], once it is stored.
#[derive(Debug, Default)]
pub struct Packing {
    cleared: bool,
    /// In the order of the commit; `None` was deleted.
    changed: Vec<Change>,
    alone: OrderedSet<String>,
}

type Change = (String, Option<Vec<u8>>);

/// The first and the last key that a row can hold.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    first: String,
    last: String,
}

impl<R: Held> Packed<R> {
    /// Takes over the rows of [`Table::Memories`], all of them, before anything else is asked.
    ///
    /// # Errors
    /// When a row is of a newer version. That one is damaged is told when it is asked for.
    pub fn fill(&self, rows: impl IntoIterator<Item = (String, R)>) -> Result<(), StorageError> {
        for (key, row) in rows {
            if let Some(first) = key.strip_prefix(SHARED) {
                if row.first().is_some_and(|version| version > VERSION) {
                    return Err(failed(first, "was made by a newer edgemem"));
                }
                match row_of(first).is_some_and(|row| row.first == first) {
                    true => drop(self.shared.borrow_mut().insert(first.to_owned(), row)),
                    false => self.take(first, &row)?,
                }
                continue;
            }
            let row = row.bytes();
            match is_alone(&key, &row) {
                true => drop(self.alone.borrow_mut().insert(key.clone())),
                false => self.unpacked.borrow_mut().push(key.clone()),
            }
            self.memories.extend(Table::Memories, vec![(key, row)]);
        }
        Ok(())
    }

    /// One memory, as [`Storage::read`] has it.
    ///
    /// # Errors
    /// When its row is damaged.
    pub fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        if let Some(row) = row_of(key) {
            self.unpack(&row.first)?;
        }
        self.memories.read(Table::Memories, key)
    }

    /// All memories, as a storage has them.
    ///
    /// # Errors
    /// When a row is damaged.
    pub fn memories(&self) -> Result<&MemoryStorage, StorageError> {
        let all: Vec<String> = self.shared.borrow().keys().cloned().collect();
        all.iter().try_for_each(|first| self.unpack(first))?;
        Ok(&self.memories)
    }

    /// Unpacks a row, if it is not. One that is damaged stays, so that it is told each time.
    fn unpack(&self, first: &str) -> Result<(), StorageError> {
        let mut shared = self.shared.borrow_mut();
        if let Some(row) = shared.get(first) {
            self.take(first, row)?;
            shared.remove(first);
        }
        Ok(())
    }

    fn take(&self, first: &str, row: &R) -> Result<(), StorageError> {
        let row = row.bytes();
        check(first, &row)?;
        let held = entries(&row).map(|(key, record)| (key.to_owned(), record.to_vec()));
        self.memories.extend(Table::Memories, held.collect());
        Ok(())
    }

    /// What is to be stored for the writes of a commit, and what to [`Packed::apply`] when it was.
    /// Nothing else may be committed between.
    ///
    /// # Errors
    /// When a row that would be written again is damaged.
    pub fn pack(&self, writes: Vec<Write>) -> Result<(Vec<Write>, Packing), StorageError> {
        let table = Table::Memories;
        let mut stored = Vec::new();
        let mut packing = Packing::default();
        for write in writes {
            match write {
                Write::Put {
                    table: Table::Memories,
                    key,
                    record,
                    ..
                } => {
                    packing.changed.push((key, Some(record)));
                }
                Write::Delete {
                    table: Table::Memories,
                    key,
                } => {
                    packing.changed.push((key, None));
                }
                clears if clears.is_of(table) => {
                    packing.cleared = true;
                    packing.changed.clear();
                    stored.push(clears);
                }
                other => stored.push(other),
            }
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut touch = |key: &str| {
            let row = row_of(key).filter(|row| !rows.contains(row));
            rows.extend(row);
        };
        if !packing.cleared {
            packing.alone.clone_from(&self.alone.borrow());
            if !packing.changed.is_empty() {
                for key in &*self.unpacked.borrow() {
                    let key = key.clone();
                    touch(&key);
                    stored.push(Write::Delete { table, key });
                }
            }
        }
        for (key, record) in &packing.changed {
            touch(key);
            let alone = record.as_ref().filter(|record| is_alone(key, record));
            if let Some(record) = alone {
                packing.alone.insert(key.clone());
                stored.push(put(key.clone(), record.clone()));
            } else if packing.alone.remove(key) {
                let key = key.clone();
                stored.push(Write::Delete { table, key });
            }
        }
        for row in &rows {
            stored.push(self.row(row, &packing)?);
        }
        Ok((stored, packing))
    }

    /// Takes over a commit that was stored.
    pub fn apply(&self, packing: Packing) {
        let table = Table::Memories;
        if packing.cleared || !packing.changed.is_empty() {
            self.unpacked.take();
        }
        let mut writes = Vec::new();
        if packing.cleared {
            self.shared.take();
            writes.push(Write::ClearTable { table });
        }
        for (key, record) in packing.changed {
            writes.push(match record {
                Some(record) => put(key, record),
                None => Write::Delete { table, key },
            });
        }
        self.memories.apply(writes);
        self.alone.replace(packing.alone);
    }

    /// The write that makes a shared row what it is after a commit.
    fn row(&self, row: &Row, packing: &Packing) -> Result<Write, StorageError> {
        let mut held = match packing.cleared {
            true => Vec::new(),
            false => {
                self.unpack(&row.first)?;
                let memories = &self.memories;
                memories.between(Table::Memories, &row.first, &row.last)
            }
        };
        for (key, record) in &packing.changed {
            if *key < row.first || *key > row.last {
                continue;
            }
            let place = held.binary_search_by(|(held, _)| held.cmp(key));
            if let Ok(place) = place {
                held.remove(place);
            }
            if let Some(record) = record {
                let (Ok(place) | Err(place)) = place;
                held.insert(place, (key.clone(), record.clone()));
            }
        }
        held.retain(|(key, record)| !is_alone(key, record));
        let key = format!("{SHARED}{}", row.first);
        Ok(match held.is_empty() {
            true => Write::Delete {
                table: Table::Memories,
                key,
            },
            false => put(key, pack(&held)),
        })
    }
}

fn put(key: String, record: Vec<u8>) -> Write {
    Write::Put {
        table: Table::Memories,
        key,
        record,
        columns: Vec::new(),
    }
}

/// The row that a memory shares, if its key is an id.
fn row_of(key: &str) -> Option<Row> {
    let id: Id = key.parse().ok()?;
    let number = id.sequence() / ROW;
    let first = Id::new(id.space(), number * ROW, 0).to_string();
    let last = Id::new(id.space(), number * ROW + (ROW - 1), u64::MAX).to_string();
    // An id in another spelling, or of another maker, is no key of ours.
    (*first <= *key && *key <= *last).then_some(Row { first, last })
}

fn is_alone(key: &str, record: &[u8]) -> bool {
    record.len() > LONGEST || row_of(key).is_none()
}

fn pack(held: &[Entry]) -> Vec<u8> {
    let mut row = vec![VERSION];
    for (key, record) in held {
        row.extend((key.len() as u32).to_le_bytes());
        row.extend((record.len() as u32).to_le_bytes());
        row.extend_from_slice(key.as_bytes());
        row.extend_from_slice(record);
    }
    row
}

/// That a shared row can be read.
fn check(first: &str, row: &[u8]) -> Result<(), StorageError> {
    let held = entries(row).map(|(key, record)| 8 + key.len() + record.len());
    match row.split_first() {
        Some((&VERSION, rest)) if held.sum::<usize>() == rest.len() => Ok(()),
        _ => Err(failed(first, "is damaged")),
    }
}

fn failed(first: &str, what: &str) -> StorageError {
    StorageError::Failed(format!("row {SHARED}{first} of memories {what}"))
}

/// The memories of a row, up to where it is damaged.
fn entries(row: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    let mut rest = row.get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (key, record, after) = entry(rest)?;
        rest = after;
        Some((key, record))
    })
}

/// The first entry of a row, and what follows it.
fn entry(row: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (key_length, rest) = row.split_first_chunk()?;
    let (record_length, rest) = rest.split_first_chunk()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
    let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*record_length) as usize)?;
    Some((std::str::from_utf8(key).ok()?, record, rest))
}

#[cfg(test)]
mod tests;
