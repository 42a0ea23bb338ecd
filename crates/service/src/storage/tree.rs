//! The leaves of a tree: read when they are asked for, and made anew, never changed.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::iter::Peekable;
use std::ops::Bound;
use std::rc::Rc;

use edgemem::store::Entry as Row;
use serde_bytes::ByteBuf;

use super::format::{Leaf, Rows, Tree, decode, encode};
use super::recent::Recent;
use super::{Done, failed};
use crate::bucket::Bucket;

/// The bytes of a leaf; one record that is larger has a leaf of its own.
const LEAF_BYTES: usize = 32 << 10;

/// Leaves that are read at once, when many are needed.
const AT_ONCE: usize = 16;

/// Leaves that are kept in memory.
const KEPT: usize = 256;

/// The leaves of a space.
pub struct Leaves {
    bucket: Rc<dyn Bucket>,
    name: String,
    kept: RefCell<HashMap<u64, Rc<Rows>>>,
    gone: Cell<bool>,
}

/// A tree that was grown, and is not referred to yet.
pub struct Grown {
    pub tree: Tree,
    /// Its new leaves.
    pub leaves: Vec<u64>,
}

impl Leaves {
    pub fn new(bucket: Rc<dyn Bucket>, name: String) -> Self {
        Self {
            bucket,
            name,
            kept: RefCell::default(),
            gone: Cell::new(false),
        }
    }

    /// Whether one was asked for that is not there any more.
    pub fn are_gone(&self) -> bool {
        self.gone.get()
    }

    pub fn key(&self, number: u64) -> String {
        format!("{}.leaf.{number}", self.name)
    }

    /// Drops leaves from memory.
    pub fn forget(&self, leaves: &[u64]) {
        let mut kept = self.kept.borrow_mut();
        for number in leaves {
            kept.remove(number);
        }
    }

    /// Removes leaves.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remove(&self, leaves: &[u64]) -> Done<()> {
        if leaves.is_empty() {
            return Ok(());
        }
        self.forget(leaves);
        let keys: Vec<String> = leaves.iter().map(|number| self.key(*number)).collect();
        self.bucket.delete_many(&keys).map_err(failed)
    }

    /// A row of a table.
    ///
    /// # Errors
    /// When the store fails, or a leaf is gone.
    pub fn get(&self, tree: &Tree, table: u8, key: &str) -> Done<Option<Vec<u8>>> {
        let leaves = tree.tables.get(&table).map_or(&[][..], Vec::as_slice);
        let Some(leaf) = leaves.get(place(leaves, key)) else {
            return Ok(None);
        };
        let rows = self.rows(leaf, &[])?;
        let found = rows.binary_search_by(|(other, _)| other.as_str().cmp(key));
        let found = found.ok().and_then(|index| rows.get(index));
        Ok(found.map(|(_, record)| record.to_vec()))
    }

    /// Rows of a table in the order of their keys, as they are with the changes since.
    ///
    /// # Errors
    /// When the store fails, or a leaf is gone.
    pub fn scan(
        &self,
        tree: &Tree,
        recent: &Recent,
        table: u8,
        after: Bound<&str>,
        limit: usize,
    ) -> Done<Vec<Row>> {
        let leaves = match recent.has_cleared(table) {
            true => &[],
            false => tree.tables.get(&table).map_or(&[][..], Vec::as_slice),
        };
        let first = match after {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => place(leaves, key),
        };
        let mut leaves = leaves.get(first..).unwrap_or_default();
        let mut changed = recent.range(table, (after, Bound::Unbounded)).peekable();
        let mut found = Vec::new();
        while found.len() < limit {
            let Some((leaf, later)) = leaves.split_first() else {
                take(&mut changed, None, limit, &mut found);
                break;
            };
            leaves = later;
            let rows = self.rows(leaf, if limit > 1 { later } else { &[] })?;
            let begin = match after {
                Bound::Unbounded => 0,
                Bound::Included(key) => rows.partition_point(|(other, _)| other.as_str() < key),
                Bound::Excluded(key) => rows.partition_point(|(other, _)| other.as_str() <= key),
            };
            for (key, record) in rows.get(begin..).unwrap_or_default() {
                take(&mut changed, Some(key), limit, &mut found);
                if found.len() >= limit {
                    break;
                }
                // What changed stands for what was stored.
                match changed.next_if(|(other, _)| *other == key) {
                    Some((_, Some(record))) => found.push((key.clone(), record.clone())),
                    Some((_, None)) => {}
                    None => found.push((key.clone(), record.to_vec())),
                }
            }
        }
        Ok(found)
    }

    /// The tree with changes, in new leaves where it differs. The leaves are stored; nothing refers to them yet.
    ///
    /// # Errors
    /// When the store fails, or a leaf is gone.
    pub fn grow(&self, tree: &Tree, recent: &Recent) -> Done<Grown> {
        let mut grown = Tree::default();
        let mut new: Vec<(u8, usize, Rows)> = Vec::new();
        let changed = recent.changed(tree.tables.keys());
        for (table, leaves) in &tree.tables {
            if !changed.contains(table) {
                grown.tables.insert(*table, leaves.clone());
            }
        }
        let garbage = &mut grown.garbage.leaves;
        for table in changed {
            let mut leaves = tree.tables.get(&table).map_or(&[][..], Vec::as_slice);
            if recent.has_cleared(table) {
                garbage.extend(leaves.iter().map(|leaf| leaf.number));
                leaves = &[];
            }
            let kept = grown.tables.entry(table).or_default();
            let places = leaves.len().max(1);
            for index in 0..places {
                let from = match leaves.get(index).filter(|_| index > 0) {
                    Some(leaf) => Bound::Included(leaf.first.as_str()),
                    None => Bound::Unbounded,
                };
                let to = match leaves.get(index + 1) {
                    Some(leaf) => Bound::Excluded(leaf.first.as_str()),
                    None => Bound::Unbounded,
                };
                let changed: Vec<_> = recent.range(table, (from, to)).collect();
                let leaf = leaves.get(index);
                if let (true, Some(leaf)) = (changed.is_empty(), leaf) {
                    kept.push(leaf.clone());
                    continue;
                }
                let rows = match leaf {
                    Some(leaf) => {
                        garbage.push(leaf.number);
                        let later = leaves.get(index + 1..).unwrap_or_default();
                        self.rows(leaf, later)?.as_ref().clone()
                    }
                    None => Rows::new(),
                };
                for rows in split(merged(rows, changed)) {
                    new.push((table, kept.len(), rows));
                    // Its number is not known yet.
                    kept.push(Leaf {
                        number: 0,
                        first: String::new(),
                    });
                }
            }
        }
        let count = u64::try_from(new.len()).unwrap_or(u64::MAX);
        let counter = format!("{}.leaves", self.name);
        let next = self.bucket.increment(&counter, count).map_err(failed)?;
        let first = next.saturating_sub(count);
        // Whoever took the numbers between came too late, and may not have tidied up.
        garbage.extend(tree.next_leaf..first);
        grown.next_leaf = next;
        let mut made = Vec::with_capacity(new.len());
        for (number, (table, place, rows)) in (first..).zip(new) {
            let value = encode(&rows).map_err(failed)?;
            made.push(number);
            if let Err(error) = self.bucket.set(&self.key(number), &value) {
                let _ = self.remove(&made);
                return Err(failed(error));
            }
            let first = rows.first().map(|(key, _)| key.clone()).unwrap_or_default();
            let slot = grown
                .tables
                .get_mut(&table)
                .and_then(|kept| kept.get_mut(place));
            if let Some(slot) = slot {
                *slot = Leaf { number, first };
            }
        }
        grown.tables.retain(|_, leaves| !leaves.is_empty());
        Ok(Grown {
            tree: grown,
            leaves: made,
        })
    }

    /// The rows of a leaf. When it must be read, some of those that are needed after it are read as well.
    fn rows(&self, leaf: &Leaf, later: &[Leaf]) -> Done<Rc<Rows>> {
        if let Some(rows) = self.kept.borrow().get(&leaf.number) {
            return Ok(rows.clone());
        }
        let numbers: Vec<u64> = {
            let kept = self.kept.borrow();
            let unread = later.iter().map(|leaf| leaf.number).take(AT_ONCE - 1);
            let unread = unread.filter(|number| !kept.contains_key(number));
            std::iter::once(leaf.number).chain(unread).collect()
        };
        let keys: Vec<String> = numbers.iter().map(|number| self.key(*number)).collect();
        let values = self.bucket.get_many(&keys).map_err(failed)?;
        let mut kept = self.kept.borrow_mut();
        if kept.len() + numbers.len() > KEPT {
            kept.clear();
        }
        for ((number, key), value) in numbers.iter().zip(&keys).zip(values) {
            let Some(bytes) = value else {
                self.gone.set(true);
                return Err(failed(format!("{key} is gone; try again")));
            };
            let rows: Rows = decode(key, &bytes).map_err(failed)?;
            kept.insert(*number, Rc::new(rows));
        }
        let rows = kept.get(&leaf.number).cloned();
        rows.ok_or_else(|| failed("the store answered less than it was asked"))
    }
}

/// Which leaf has a key, if any has.
fn place(leaves: &[Leaf], key: &str) -> usize {
    let after = leaves.partition_point(|leaf| leaf.first.as_str() <= key);
    after.saturating_sub(1)
}

/// Takes changed rows before a key, or all.
fn take<'a>(
    changed: &mut Peekable<impl Iterator<Item = (&'a String, Option<&'a Vec<u8>>)>>,
    before: Option<&String>,
    limit: usize,
    found: &mut Vec<Row>,
) {
    while found.len() < limit {
        let is_before = |row: &(&String, Option<&Vec<u8>>)| before.is_none_or(|key| row.0 < key);
        let Some((key, record)) = changed.next_if(is_before) else {
            return;
        };
        found.extend(record.map(|record| (key.clone(), record.clone())));
    }
}

/// Rows with changes, in order.
fn merged(rows: Rows, changed: Vec<(&String, Option<&Vec<u8>>)>) -> Rows {
    let mut merged = Rows::with_capacity(rows.len() + changed.len());
    let mut rows = rows.into_iter().peekable();
    for (key, record) in changed {
        while let Some(row) = rows.next_if(|(other, _)| other < key) {
            merged.push(row);
        }
        rows.next_if(|(other, _)| other == key);
        merged.extend(record.map(|record| (key.clone(), ByteBuf::from(record.clone()))));
    }
    merged.extend(rows);
    merged
}

/// Rows in leaves.
fn split(rows: Rows) -> Vec<Rows> {
    let mut leaves: Vec<Rows> = Vec::new();
    let mut bytes = usize::MAX;
    for row in rows {
        let size = row.0.len() + row.1.len();
        if bytes.saturating_add(size) > LEAF_BYTES {
            leaves.push(Rows::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(leaf) = leaves.last_mut() {
            leaf.push(row);
        }
    }
    leaves
}
