//! The records of a space and their versions.
//!
//! A record is a version byte and a body. Version 1 of everything but vectors has a JSON body;
//! version 1 of vectors has the `f32` values of one, little-endian; version 2 a `u32` count, then the values
//! of so many. A newer edgemem reads all older
//! versions; a record of a newer one is an error, not a guess.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::Table;
use crate::memory::{
    Category, ChangeKind, EventStatus, Export, Fact, File, Id, Moment, Owner, Problem, Scope, Usage,
};

/// The version that is written.
pub const RECORD_VERSION: u8 = 1;

/// The version of several vectors in one record.
const PASSAGES_VERSION: u8 = 2;

/// What a space is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpaceRecord {
    /// Whose it is.
    pub owner: Owner,
    /// The sequence number of the next id.
    pub next_sequence: u32,
    /// The embedder that made its vectors.
    #[serde(default)]
    pub embedder: Option<String>,
}

/// What the LLM cost on the last days, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// The days on which it was asked.
    pub days: Vec<Usage>,
}

/// Work to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What kind of work.
    pub work: Work,
    /// How often it was tried.
    pub attempts: u32,
    /// When to try (again).
    pub due_at: Moment,
}

/// The kinds of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "WorkFields")]
pub enum Work {
    /// Index, extract and update for one add.
    Add(Box<AddWork>),
    /// Bring the running summary of a conversation up to date.
    Summarise {
        /// The conversation.
        scope: Scope,
    },
    /// Make all vectors anew, with another embedder.
    Embed,
    /// Fill the schema of an export.
    Export {
        /// The export.
        id: Id,
    },
}

/// What an add still has to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AddWork {
    /// Its event.
    pub event: Id,
    /// The ids it is for.
    pub scope: Scope,
    /// The stored messages whose facts are still to be extracted, oldest first.
    pub messages: Vec<Id>,
    /// Whether to extract.
    pub infer: bool,
    /// Copied to the facts.
    pub metadata: Map<String, Value>,
    /// Copied to the facts.
    pub expires_at: Option<Moment>,
    /// Copied to the facts.
    pub immutable: bool,
    /// The operator's instructions.
    pub instructions: Option<String>,
    /// What to remember only.
    pub includes: Option<String>,
    /// What not to remember.
    pub excludes: Option<String>,
    /// The topics to choose from.
    pub categories: Vec<Category>,
    /// Facts of the first batch that wait for the update phase only, as its model failed.
    pub extracted: Option<Vec<Fact>>,
    /// Files of the messages that are still to be read, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<AttachedFile>,
    /// The JSON schema in whose shape facts are also given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_data_schema: Option<Value>,
}

/// A file that came with a stored message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedFile {
    /// The message.
    pub message: Id,
    /// The file.
    pub file: File,
}

/// The fields of all kinds of work. To read them at once needs less code than serde makes for a tagged enum, and a page
/// has to load it.
#[derive(Deserialize)]
struct WorkFields {
    kind: String,
    id: Option<Id>,
    event: Option<Id>,
    scope: Option<Scope>,
    messages: Option<Vec<Id>>,
    infer: Option<bool>,
    #[serde(default)]
    metadata: Map<String, Value>,
    expires_at: Option<Moment>,
    #[serde(default)]
    immutable: bool,
    instructions: Option<String>,
    includes: Option<String>,
    excludes: Option<String>,
    #[serde(default)]
    categories: Vec<Category>,
    extracted: Option<Vec<Fact>>,
    #[serde(default)]
    files: Vec<AttachedFile>,
    structured_data_schema: Option<Value>,
}

impl TryFrom<WorkFields> for Work {
    type Error = String;

    fn try_from(fields: WorkFields) -> Result<Self, String> {
        fn needed<T>(name: &str, field: Option<T>) -> Result<T, String> {
            field.ok_or_else(|| format!("missing field `{name}`"))
        }
        Ok(match fields.kind.as_str() {
            "add" => Work::Add(Box::new(AddWork {
                event: needed("event", fields.event)?,
                scope: needed("scope", fields.scope)?,
                messages: needed("messages", fields.messages)?,
                infer: needed("infer", fields.infer)?,
                metadata: fields.metadata,
                expires_at: fields.expires_at,
                immutable: fields.immutable,
                instructions: fields.instructions,
                includes: fields.includes,
                excludes: fields.excludes,
                categories: fields.categories,
                extracted: fields.extracted,
                files: fields.files,
                structured_data_schema: fields.structured_data_schema,
            })),
            "summarise" => Work::Summarise {
                scope: needed("scope", fields.scope)?,
            },
            "embed" => Work::Embed,
            "export" => Work::Export {
                id: needed("id", fields.id)?,
            },
            kind => return Err(format!("unknown kind of work `{kind}`")),
        })
    }
}

impl Job {
    /// The key in [`Table::Jobs`].
    pub fn key(&self) -> String {
        match &self.work {
            Work::Add(add) => add.event.to_string(),
            Work::Summarise { scope } => format!("summary/{}", scope.conversation()),
            Work::Embed => "embed".to_owned(),
            Work::Export { id } => format!("export/{id}"),
        }
    }
}

/// An add and what became of it. It refers to memories by id, so that an erase reaches it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its id.
    pub id: Id,
    /// How far it is.
    pub status: EventStatus,
    /// When it was accepted.
    pub created_at: Moment,
    /// When anything about it last changed.
    pub updated_at: Moment,
    /// The ids the add was for.
    pub scope: Scope,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    #[serde(default)]
    pub error: Option<Problem>,
    /// When it will be tried again.
    #[serde(default)]
    pub retry_at: Option<Moment>,
    /// The decisions.
    #[serde(default)]
    pub outcomes: Vec<OutcomeRecord>,
    /// The keys of the relations it brought.
    #[serde(default)]
    pub relations: Vec<String>,
    /// Something the caller should know.
    #[serde(default)]
    pub note: Option<String>,
}

/// One decision: what was done, and with which version of which memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The memory.
    pub memory: Id,
    /// What was done.
    pub kind: ChangeKind,
    /// The place of the version it speaks of in the memory's chain.
    pub version: usize,
}

/// An export and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportRecord {
    /// Its id.
    pub id: Id,
    /// What was asked for.
    pub asked: Export,
    /// How far it is.
    pub status: EventStatus,
    /// When it was asked for.
    pub created_at: Moment,
    /// When anything about it last changed.
    pub updated_at: Moment,
    /// How many memories it was made of.
    #[serde(default)]
    pub memories: usize,
    /// How often one for this purpose was made.
    #[serde(default)]
    pub made: u32,
    /// The values.
    #[serde(default)]
    pub result: Value,
    /// Why the last attempt failed.
    #[serde(default)]
    pub error: Option<Problem>,
}

/// The running summary of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryRecord {
    /// The conversation's ids.
    pub scope: Scope,
    /// The text.
    pub text: String,
    /// The last message it covers.
    pub upto: Id,
    /// When it was made.
    pub updated_at: Moment,
    /// What it said before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<SummaryVersion>,
}

/// Versions of a summary that are kept beside the newest.
const SUMMARIES: usize = 20;

impl SummaryRecord {
    /// Its versions with the newest, oldest first; the oldest of very many are dropped.
    pub fn into_versions(self) -> Vec<SummaryVersion> {
        let mut versions = self.earlier;
        versions.push(SummaryVersion {
            text: self.text,
            upto: self.upto,
            made_at: self.updated_at,
        });
        let dropped = versions.len().saturating_sub(SUMMARIES);
        versions.split_off(dropped)
    }
}

/// What a running summary said once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryVersion {
    /// The text.
    pub text: String,
    /// The last message it covered.
    pub upto: Id,
    /// When it was made.
    pub made_at: Moment,
}

/// Why a stored record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Written by a newer edgemem.
    #[error(
        "record {key} of {table} has format {version}, but this edgemem reads up to \
         {RECORD_VERSION}: deploy the newer version again"
    )]
    Future {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// Its version.
        version: u8,
    },
    /// Damaged.
    #[error("record {key} of {table} is damaged: {reason}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Writes a record.
///
/// # Errors
/// When the value cannot be written as JSON, which no type of this module causes.
pub fn encode<T: Serialize>(table: Table, key: &str, value: &T) -> Result<Vec<u8>, RecordError> {
    let mut bytes = vec![RECORD_VERSION];
    serde_json::to_writer(&mut bytes, value).map_err(|error| damaged(table, key, error))?;
    Ok(bytes)
}

/// Reads a record of any known version.
///
/// # Errors
/// See [`RecordError`].
pub fn decode<T: DeserializeOwned>(
    table: Table,
    key: &str,
    bytes: &[u8],
) -> Result<T, RecordError> {
    let body = body(table, key, bytes)?;
    serde_json::from_slice(body).map_err(|error| damaged(table, key, error))
}

/// Writes the vectors of a memory's passages. One alone is written as version 1 has it.
pub fn encode_vectors(vectors: &[Vec<f32>]) -> Vec<u8> {
    let mut bytes = match vectors {
        [_] => vec![RECORD_VERSION],
        _ => {
            let count = u32::try_from(vectors.len()).unwrap_or(u32::MAX);
            let mut head = vec![PASSAGES_VERSION];
            head.extend_from_slice(&count.to_le_bytes());
            head
        }
    };
    for value in vectors.iter().flatten() {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// Reads the vectors of a memory's passages.
///
/// # Errors
/// See [`RecordError`].
pub fn decode_vectors(key: &str, bytes: &[u8]) -> Result<Vec<Vec<f32>>, RecordError> {
    let (count, body) = match bytes.split_first() {
        Some((&PASSAGES_VERSION, rest)) => match rest.split_first_chunk::<4>() {
            Some((count, body)) => (u32::from_le_bytes(*count) as usize, body),
            None => return Err(damaged(Table::Vectors, key, "it is cut off")),
        },
        _ => (1, body(Table::Vectors, key, bytes)?),
    };
    let (values, rest) = body.as_chunks::<4>();
    let length = values.len().checked_div(count).unwrap_or_default();
    if !rest.is_empty() || length * count != values.len() {
        return Err(damaged(
            Table::Vectors,
            key,
            "its length is not that of its vectors",
        ));
    }
    let vectors = values.chunks(length.max(1)).map(|vector| {
        vector
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    });
    Ok(vectors.collect())
}

fn body<'a>(table: Table, key: &str, bytes: &'a [u8]) -> Result<&'a [u8], RecordError> {
    match bytes.split_first() {
        Some((&RECORD_VERSION, body)) => Ok(body),
        Some((&version, _)) if version > RECORD_VERSION => Err(RecordError::Future {
            table: table.name(),
            key: key.to_owned(),
            version,
        }),
        _ => Err(damaged(table, key, "it has no version")),
    }
}

fn damaged(table: Table, key: &str, reason: impl ToString) -> RecordError {
    RecordError::Damaged {
        table: table.name(),
        key: key.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_every_version_are_read() {
        let one = [&[1][..], &1.0f32.to_le_bytes(), &2.0f32.to_le_bytes()].concat();
        assert_eq!(decode_vectors("k", &one).unwrap(), [[1.0, 2.0]]);
        let two = [&[2, 2, 0, 0, 0][..], &one[1..], &one[1..]].concat();
        let vectors = [vec![1.0, 2.0], vec![1.0, 2.0]];
        assert_eq!(decode_vectors("k", &two).unwrap(), vectors);
        assert_eq!(encode_vectors(&vectors), two);
        assert_eq!(encode_vectors(&vectors[..1]), one);
        for damaged in [&one[..4], &two[..3], &two[..7], &two[..9], &[][..]] {
            assert!(decode_vectors("k", damaged).is_err(), "{damaged:?}");
        }
        assert!(matches!(
            decode_vectors("k", &[9, 0]),
            Err(RecordError::Future { version: 9, .. })
        ));
    }
}
