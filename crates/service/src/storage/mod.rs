//! A space's tables in a key-value store, which keeps one value at a time.
//!
//! A commit is one value: the next slot of a **journal**. Every so often the slot holds a **root** instead, which
//! says where everything is: in **leaves**, pieces of tables, one value each; whatever was before it is removed.
//! Opening is one look at the journal, and nothing is read that nobody asks for.
//!
//! Many instances may write. Each takes the number of a slot by an addition to a counter, then fills the slot within
//! [`BUDGET_MS`], or it has failed. Whose slot is not the next after what it knows was late: it leaves the slot void
//! and changes nothing. Who finds a slot empty that somebody took waits for [`PATIENCE_MS`], and then goes on without it:
//! what was acknowledged is there by then. Each slot names the one that it builds upon, so that all agree which count.

mod format;
mod recent;
#[cfg(test)]
mod tests;
mod tree;

use std::cell::{Cell, RefCell};
use std::ops::Bound;
use std::rc::Rc;

use edgemem::store::{Entry as Row, Storage, StorageError, Table, Write};
use futures_util::future::{LocalBoxFuture, ready};

use crate::bucket::Bucket;
use format::{Change, Entry, Tree, decode, encode, number};
use recent::Recent;
use tree::Leaves;

/// How long filling a slot may take, in milliseconds.
const BUDGET_MS: u64 = 2_000;

/// How long others wait for it. The clocks of two machines do not differ by a factor of two.
const PATIENCE_MS: u64 = 2 * BUDGET_MS;

/// The wait between two looks at an empty slot, in milliseconds.
const LOOK_AGAIN_MS: u64 = 50;

/// Commits after which there is a new root, and their bytes.
const MOST_COMMITS: u64 = 32;
const MOST_BYTES: usize = 256 << 10;

/// Slots that are read at once: nearly always all since the root.
const AT_ONCE: u64 = MOST_COMMITS + 8;

/// What an instance that lost a race says.
const LATE: &str = "another instance wrote at the same time; try again";

/// What one says that may have written, or not.
const SLOW: &str = "the store was too slow or failed; look what is stored, and try again";

type Done<T> = Result<T, StorageError>;

/// The tables of one space.
pub struct KeyValueStorage {
    bucket: Rc<dyn Bucket>,
    /// What the keys of this space begin with.
    name: String,
    view: RefCell<View>,
    leaves: Leaves,
    fault: Cell<Fault>,
    commits: Cell<u64>,
}

/// Why what is here may not be what is stored: then it must be opened anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Others wrote; what was tried here changed nothing.
    Late,
    /// Something was left undone, and may have changed something or not.
    Unsure,
}

/// What is stored, as far as this instance knows.
#[derive(Debug, Clone, Default)]
struct View {
    /// The last slot that was taken.
    head: u64,
    /// The last slot that counts.
    last: u64,
    /// The slot of the root; 0 for none.
    root: u64,
    tree: Tree,
    /// Changes since the root.
    recent: Recent,
}

impl KeyValueStorage {
    /// Opens the tables whose keys begin with a name.
    ///
    /// # Errors
    /// When the store fails, or holds what cannot be read.
    pub fn open(bucket: Rc<dyn Bucket>, name: String) -> Done<Self> {
        let storage = Self {
            leaves: Leaves::new(bucket.clone(), name.clone()),
            bucket,
            name,
            view: RefCell::default(),
            fault: Cell::new(Fault::None),
            commits: Cell::new(0),
        };
        let view = storage.look()?;
        storage.sweep(&view)?;
        storage.view.replace(view);
        Ok(storage)
    }

    /// Whether it must be opened anew: another instance wrote since, or something was left undone.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_stale(&self) -> Done<bool> {
        Ok(self.fault.get() != Fault::None || self.newest_slot()? != self.view.borrow().head)
    }

    /// Whether another instance was first, so that what failed here changed nothing.
    pub fn was_late(&self) -> bool {
        self.fault.get() == Fault::Late
    }

    /// How many commits were made here.
    pub fn commits(&self) -> u64 {
        self.commits.get()
    }

    fn counter(&self) -> String {
        format!("{}.head", self.name)
    }

    fn slot(&self, number: u64) -> String {
        format!("{}.slot.{number}", self.name)
    }

    /// The root whose garbage is gone.
    fn swept(&self) -> String {
        format!("{}.swept", self.name)
    }

    fn newest_slot(&self) -> Done<u64> {
        // To ask a counter is to make it: not for what nobody ever wrote to.
        let is_new = self.view.borrow().head == 0;
        if is_new && !self.bucket.exists(&self.counter()).map_err(failed)? {
            return Ok(0);
        }
        self.bucket.increment(&self.counter(), 0).map_err(failed)
    }

    /// Reads what is stored.
    fn look(&self) -> Done<View> {
        let mut since = self.bucket.ticks();
        let mut head = 0;
        loop {
            let now = self.newest_slot()?;
            if now != head {
                (head, since) = (now, self.bucket.ticks());
            }
            let waited = self.bucket.ticks().saturating_sub(since);
            if let Some(view) = self.look_at(head, waited >= PATIENCE_MS)? {
                return Ok(view);
            }
            self.bucket.pause(LOOK_AGAIN_MS);
        }
    }

    /// What is stored up to a slot; `None` when somebody may be about to fill one, or to remove what was read.
    fn look_at(&self, head: u64, is_over: bool) -> Done<Option<View>> {
        let mut chain: Vec<Vec<Change>> = Vec::new();
        let (mut last, mut rests_on) = (None, 0);
        let mut wanted = head;
        let (mut from, mut entries) = (head + 1, Vec::new());
        let (root, tree) = loop {
            if wanted == 0 {
                if rests_on != 0 {
                    return Err(failed(format!("{} is lost", self.slot(rests_on))));
                }
                break (0, Tree::default());
            }
            while wanted < from {
                let first = from.saturating_sub(AT_ONCE).max(1);
                let mut earlier = self.entries(first, from - 1)?;
                earlier.append(&mut entries);
                (from, entries) = (first, earlier);
            }
            let index = usize::try_from(wanted - from).unwrap_or(usize::MAX);
            match entries.get_mut(index).and_then(Option::take) {
                Some(Entry::Void) => wanted -= 1,
                Some(Entry::Commit {
                    after,
                    root,
                    changes,
                }) => {
                    last.get_or_insert(wanted);
                    rests_on = root;
                    chain.push(changes);
                    wanted = after;
                }
                Some(Entry::Root(tree)) => break (wanted, tree),
                // Nobody can have acknowledged this one, and nobody has to wait for it again.
                None if is_over && last.is_none() => {
                    self.leave_void(wanted);
                    wanted -= 1;
                }
                None if is_over => return Err(failed(format!("{} is lost", self.slot(wanted)))),
                None => return Ok(None),
            }
        };
        let mut recent = Recent::default();
        let changes = chain.into_iter().rev().flatten();
        changes.for_each(|change| recent.apply(change));
        Ok(Some(View {
            head,
            last: last.unwrap_or(root),
            root,
            tree,
            recent,
        }))
    }

    fn entries(&self, first: u64, last: u64) -> Done<Vec<Option<Entry>>> {
        let keys: Vec<String> = (first..=last).map(|number| self.slot(number)).collect();
        let values = self.bucket.get_many(&keys).map_err(failed)?;
        let read = keys.iter().zip(values).map(|(key, value)| {
            let entry = value.map(|bytes| decode(key, &bytes));
            entry.transpose().map_err(failed)
        });
        read.collect()
    }

    /// Removes what a root left behind, unless that is done.
    fn sweep(&self, view: &View) -> Done<()> {
        if view.root == 0 {
            return Ok(());
        }
        let swept = self.bucket.get_many(&[self.swept()]).map_err(failed)?;
        let done = view.root.to_string().into_bytes();
        if swept.into_iter().flatten().any(|root| root == done) {
            return Ok(());
        }
        let garbage = &view.tree.garbage;
        let slots = (garbage.first_slot..view.root).map(|number| self.slot(number));
        let leaves = garbage.leaves.iter().map(|number| self.leaves.key(*number));
        let keys: Vec<String> = slots.chain(leaves).collect();
        self.bucket.delete_many(&keys).map_err(failed)?;
        self.bucket.set(&self.swept(), &done).map_err(failed)
    }

    fn write(&self, writes: Vec<Write>) -> Done<()> {
        if writes.is_empty() {
            return Ok(());
        }
        match self.fault.get() {
            Fault::None => {}
            Fault::Late => return Err(failed(LATE)),
            Fault::Unsure => return Err(failed(SLOW)),
        }
        let erases = writes.iter().any(erases);
        let changes: Vec<Change> = writes.into_iter().map(Change::from).collect();
        let mut next = self.view.borrow().clone();
        changes
            .iter()
            .for_each(|change| next.recent.apply(change.clone()));
        let is_root = erases
            || next.recent.bytes > MOST_BYTES
            || next.head.saturating_sub(next.root) >= MOST_COMMITS;
        let (value, made) = match is_root {
            true => {
                let made = self.leaves.grow(&next.tree, &next.recent);
                let made = self.unless_gone(made)?;
                next.tree = made.tree;
                next.recent = Recent::default();
                next.tree.garbage.first_slot = next.root.max(1);
                let entry = Entry::Root(next.tree.clone());
                (encode(&entry).map_err(failed)?, made.leaves)
            }
            false => {
                let entry = Entry::Commit {
                    after: next.last,
                    root: next.root,
                    changes,
                };
                (encode(&entry).map_err(failed)?, Vec::new())
            }
        };
        let outcome = self.fill(&value);
        let slot = match outcome {
            Ok(slot) => slot,
            Err(error) => {
                // Only then nobody refers to them. Should this fail as well, the next root removes them.
                if self.was_late() {
                    let _ = self.leaves.remove(&made);
                }
                return Err(error);
            }
        };
        (next.head, next.last) = (slot, slot);
        if is_root {
            next.root = slot;
        }
        self.commits.set(self.commits.get() + 1);
        if is_root {
            self.leaves.forget(&next.tree.garbage.leaves);
            // The next who opens does it again.
            if self.sweep(&next).is_err() {
                self.fault.set(Fault::Unsure);
            }
        }
        self.view.replace(next);
        Ok(())
    }

    /// Stores an entry in the slot after what is known.
    fn fill(&self, value: &[u8]) -> Done<u64> {
        let known = self.view.borrow().head;
        let begun = self.bucket.ticks();
        self.fault.set(Fault::Unsure);
        let slot = self.bucket.increment(&self.counter(), 1).map_err(failed)?;
        if slot != known + 1 {
            self.fault.set(Fault::Late);
            self.leave_void(slot);
            return Err(failed(LATE));
        }
        if let Err(error) = self.bucket.set(&self.slot(slot), value) {
            self.leave_void(slot);
            return Err(failed(error));
        }
        if self.bucket.ticks().saturating_sub(begun) > BUDGET_MS {
            self.tidy(slot);
            return Err(failed(SLOW));
        }
        self.fault.set(Fault::None);
        Ok(slot)
    }

    /// Removes what came too late: after others' root, which removed all slots before it.
    fn tidy(&self, slot: u64) {
        if self.look().is_ok_and(|view| view.root > slot) {
            let _ = self.bucket.delete_many(&[self.slot(slot)]);
        }
    }

    /// Spares others the wait for a slot. When it cannot be said, they wait.
    fn leave_void(&self, slot: u64) {
        if let Ok(void) = encode(&Entry::Void) {
            let _ = self.bucket.set(&self.slot(slot), &void);
        }
    }

    fn find(&self, table: Table, key: &str) -> Done<Option<Vec<u8>>> {
        let view = self.view.borrow();
        let table = number(table);
        if let Some(known) = view.recent.get(table, key) {
            return Ok(known.cloned());
        }
        if view.recent.has_cleared(table) {
            return Ok(None);
        }
        self.unless_gone(self.leaves.get(&view.tree, table, key))
    }

    fn range(&self, table: Table, after: Bound<&str>, limit: usize) -> Done<Vec<Row>> {
        let view = self.view.borrow();
        let found = self
            .leaves
            .scan(&view.tree, &view.recent, number(table), after, limit);
        self.unless_gone(found)
    }

    /// A leaf that is not there was removed by another instance's root.
    fn unless_gone<T>(&self, found: Done<T>) -> Done<T> {
        if found.is_err() && self.leaves.are_gone() {
            self.fault.set(Fault::Late);
        }
        found
    }
}

/// Whether a write may erase words, of which nothing may be left then: memories, and what a directory still has to tell
/// webhooks, which it blanks when a memory is erased.
fn erases(write: &Write) -> bool {
    match write {
        Write::Delete { table, .. } if *table == Table::Memories => true,
        Write::Put { table, key, .. } | Write::Delete { table, key } => {
            *table == Table::Directory && key.starts_with("delivery/")
        }
        Write::Clear => true,
        Write::ClearTable { .. } => false,
    }
}

fn failed(reason: impl Into<String>) -> StorageError {
    StorageError::Failed(reason.into())
}

/// Every function is done when it is called: the store's functions wait.
impl Storage for KeyValueStorage {
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

    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Row>, StorageError>> {
        Box::pin(ready(self.range(table, after, limit)))
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        Box::pin(ready(self.write(writes)))
    }
}
