//! What is stored: entries of a journal, and leaves.
//!
//! The first byte of a value is its version; the rest is postcard.

use std::collections::BTreeMap;

use edgemem::store::{Table, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The version of every value.
const VERSION: u8 = 1;

/// One slot of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Entry {
    /// Whoever took the number of this slot changed nothing.
    Void,
    /// A commit.
    Commit {
        /// The slot that it builds upon; 0 for none. What is between them does not count.
        after: u64,
        /// The slot of the newest root that it rests on; 0 for none.
        root: u64,
        /// What it changed.
        changes: Vec<Change>,
    },
    /// A commit that leaves everything in leaves: where all is then.
    Root(Tree),
}

/// A change of one row, or of many.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Change {
    /// Stores a record.
    Put(u8, String, #[serde(with = "serde_bytes")] Vec<u8>),
    /// Removes one.
    Delete(u8, String),
    /// Empties a table.
    ClearTable(u8),
    /// Empties all.
    Clear,
}

/// Where the rows of every table are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tree {
    /// The leaves of each table, in the order of their keys.
    pub tables: BTreeMap<u8, Vec<Leaf>>,
    /// Every leaf so far has a lower number.
    pub next_leaf: u64,
    /// What came before and is to be removed.
    pub garbage: Garbage,
}

/// What the root before needed, and this one does not.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Garbage {
    /// The first slot of the journal that may still be there; all before the root go.
    pub first_slot: u64,
    /// Leaves.
    pub leaves: Vec<u64>,
}

/// A piece of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// Its number.
    pub number: u64,
    /// Its first key. It has all keys from here to the next leaf's.
    pub first: String,
}

/// The rows of a leaf, in the order of their keys.
pub type Rows = Vec<(String, ByteBuf)>;

/// A table's number in what is stored.
pub fn number(table: Table) -> u8 {
    match table {
        Table::Space => 0,
        Table::Memories => 1,
        Table::Vectors => 2,
        Table::History => 3,
        Table::Entities => 4,
        Table::Relations => 5,
        Table::Contradictions => 6,
        Table::Events => 7,
        Table::Jobs => 8,
        Table::Summaries => 9,
        Table::Exports => 10,
        Table::Outbox => 11,
        Table::Directory => 12,
        Table::Index => 13,
    }
}

impl From<Write> for Change {
    /// The readable columns are left out: nobody reads this with a database's tools.
    fn from(write: Write) -> Self {
        match write {
            Write::Put {
                table, key, record, ..
            } => Self::Put(number(table), key, record),
            Write::Delete { table, key } => Self::Delete(number(table), key),
            Write::ClearTable { table } => Self::ClearTable(number(table)),
            Write::Clear => Self::Clear,
        }
    }
}

/// The bytes of a value.
///
/// # Errors
/// When it cannot be written.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, String> {
    postcard::to_extend(value, vec![VERSION]).map_err(|error| error.to_string())
}

/// A value from its bytes.
///
/// # Errors
/// When they are none, or of a newer version.
pub fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((&VERSION, body)) => {
            postcard::from_bytes(body).map_err(|error| format!("{key} cannot be read: {error}"))
        }
        Some((version, _)) => Err(format!(
            "{key} has version {version}, which a newer edgemem wrote"
        )),
        None => Err(format!("{key} is empty")),
    }
}
