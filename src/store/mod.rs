//! Storage: where a space keeps its records.
//!
//! A [`Storage`] is a set of small ordered tables with an atomic commit and a range scan. Each host
//! brings its own; all pass the same conformance suite.

mod changes;
#[cfg(any(test, feature = "test-suite"))]
pub mod conformance;
mod digest;
mod memory;
mod packed;
pub mod pages;
pub mod records;

use std::ops::Bound;

use futures_util::future::{LocalBoxFuture, ready};
use thiserror::Error;

pub use changes::{Changes, SPACE_KEY, USAGE_KEY, history_key, relation_key};
pub use digest::digest;
pub use memory::MemoryStorage;
pub use packed::{Held, Packed, Packing};

/// The tables of a space. Keys within a table are texts, ordered by their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What the space is: owner, format, embedder, counters. Key: the name of the setting.
    Space,
    /// Memories (facts and verbatim messages) with all their versions. Key: memory id.
    Memories,
    /// Vectors. Key: memory id.
    Vectors,
    /// History. Key: `memory id/change id`.
    History,
    /// Entities. Key: entity id.
    Entities,
    /// Relations. Key: a hash of subject, predicate, object and start.
    Relations,
    /// Contradictions, open and resolved. Key: contradiction id.
    Contradictions,
    /// Events: adds and what became of them. Key: event id.
    Events,
    /// Work to do. Key: event id, or `summary/` and a conversation.
    Jobs,
    /// Running summaries. Key: conversation.
    Summaries,
    /// Exports and profiles: values of a schema, made of memories. Key: export id.
    Exports,
    /// What happened and was not told to the directory yet. Key: notice id.
    Outbox,
    /// A directory's records, in a storage of its own. Key: a kind and a name.
    Directory,
    /// Pages of the indexes: made of the other tables, and made anew from them when they are lost.
    Index,
}

impl Table {
    /// All tables.
    pub const ALL: [Table; 14] = [
        Table::Space,
        Table::Memories,
        Table::Vectors,
        Table::History,
        Table::Entities,
        Table::Relations,
        Table::Contradictions,
        Table::Events,
        Table::Jobs,
        Table::Summaries,
        Table::Exports,
        Table::Outbox,
        Table::Directory,
        Table::Index,
    ];

    /// The table's name in a database.
    pub fn name(self) -> &'static str {
        match self {
            Table::Space => "space",
            Table::Memories => "memories",
            Table::Vectors => "vectors",
            Table::History => "history",
            Table::Entities => "entities",
            Table::Relations => "relations",
            Table::Contradictions => "contradictions",
            Table::Events => "events",
            Table::Jobs => "jobs",
            Table::Summaries => "summaries",
            Table::Exports => "exports",
            Table::Outbox => "outbox",
            Table::Directory => "directory",
            Table::Index => "index",
        }
    }

    /// The readable columns that a database shows beside each record, in order. They repeat what
    /// the record holds, for the owner's eyes; edgemem itself reads only the record.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Table::Space | Table::Vectors | Table::Outbox | Table::Directory | Table::Index => &[],
            Table::Memories => &[
                "kind",
                "text",
                "user_id",
                "agent_id",
                "app_id",
                "run_id",
                "current",
                "created_at",
                "updated_at",
            ],
            Table::History => &["memory_id", "event", "old_text", "new_text", "at"],
            Table::Entities => &["name", "kind"],
            Table::Relations => &["subject", "predicate", "object", "valid_from", "valid_to"],
            Table::Contradictions => &["claims", "found_at", "resolved_at"],
            Table::Events => &["status", "created_at", "updated_at"],
            Table::Jobs => &["kind", "due_at", "attempts"],
            Table::Summaries => &["text", "updated_at"],
            Table::Exports => &["purpose", "status", "updated_at"],
        }
    }
}

/// One change to a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Stores a record under a key, replacing what was there.
    Put {
        /// The table.
        table: Table,
        /// The key.
        key: String,
        /// The record. Its first byte is its version.
        record: Vec<u8>,
        /// The values of [`Table::columns`], in that order; `None` is null.
        columns: Vec<Option<String>>,
    },
    /// Removes a key, if it is there.
    Delete {
        /// The table.
        table: Table,
        /// The key.
        key: String,
    },
    /// Removes every record of one table.
    ClearTable {
        /// The table.
        table: Table,
    },
    /// Removes every record of every table.
    Clear,
}

impl Write {
    /// Whether it changes a table.
    pub fn is_of(&self, wanted: Table) -> bool {
        match self {
            Self::Put { table, .. } | Self::Delete { table, .. } | Self::ClearTable { table } => {
                *table == wanted
            }
            Self::Clear => true,
        }
    }
}

/// A stored record and its key.
pub type Entry = (String, Vec<u8>);

/// Ordered tables with an atomic commit.
pub trait Storage {
    /// Reads one record.
    ///
    /// # Errors
    /// When the host's storage fails.
    fn get<'a>(
        &'a self,
        table: Table,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StorageError>>;

    /// Waits until records can be read without waiting: for a host that still takes into memory what it keeps there, while
    /// what it is asked for in the meantime is read.
    ///
    /// # Errors
    /// When the host's storage fails.
    fn ready(&self) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        Box::pin(ready(Ok(())))
    }

    /// Reads one record without waiting, once the storage is [`ready`](Storage::ready). Only records of [`Table::Memories`] and [`Table::Vectors`] are asked for: a
    /// host whose database must be waited for keeps those in memory. It need not keep the vectors: one that is
    /// not found is ordered by what the index holds of it.
    ///
    /// # Errors
    /// When the host's storage fails.
    fn read(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// The same for many records at once: one answer for each key, in order.
    ///
    /// # Errors
    /// When the host's storage fails.
    fn read_many(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        keys.iter().map(|key| self.read(table, key)).collect()
    }

    /// Reads up to `limit` records whose keys come after `after` (all, for
    /// [`Bound::Unbounded`]), in the order of their keys.
    ///
    /// # Errors
    /// When the host's storage fails.
    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Entry>, StorageError>>;

    /// Applies the writes in order: all of them, or none.
    ///
    /// # Errors
    /// When the host's storage fails; then nothing was changed.
    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>>;
}

/// Why the host's storage failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StorageError {
    /// No room is left.
    #[error("the storage is full: {0}")]
    Full(String),
    /// One record is larger than the storage can hold.
    #[error("a record of {bytes} bytes is larger than the {limit} bytes that the storage can hold")]
    TooLarge {
        /// The size of the record.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// Anything else the host reported.
    #[error("the storage failed: {0}")]
    Failed(String),
}
