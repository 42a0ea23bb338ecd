//! Why a space did not do what was asked.

use thiserror::Error;

use crate::index::VectorError;
use crate::memory::{EntityId, Id, Moment, Problem, ScopeError};
use crate::model::ModelError;
use crate::model::files::FileError;
use crate::operation::OVER_BUDGET;
use crate::pipeline::graph::CorrectionError;
use crate::pipeline::knowledge::ReadError;
use crate::store::StorageError;
use crate::store::records::RecordError;

impl From<ReadError> for SpaceError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Storage(error) => error.into(),
            ReadError::Record(error) => error.into(),
        }
    }
}

impl From<CorrectionError> for SpaceError {
    fn from(error: CorrectionError) -> Self {
        match error {
            CorrectionError::NoSuchEntity(id) => Self::NoSuchEntity(id),
            CorrectionError::NoSuchContradiction(id) => Self::NoSuchContradiction(id),
            CorrectionError::Senseless(why) => Self::BadCorrection(why),
        }
    }
}

/// Why a space did not do what was asked.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SpaceError {
    /// No memory has this id.
    #[error("Memory not found!")]
    NoSuchMemory(Id),
    /// No entity has this id or name, or several have the name.
    #[error("no entity, or not one alone, is called '{0}'")]
    NoSuchEntity(EntityId),
    /// No contradiction has this id, or it is resolved already.
    #[error("no open contradiction has this id")]
    NoSuchContradiction(Id),
    /// What was to be done with an entity or a contradiction makes no sense.
    #[error("{0}")]
    BadCorrection(&'static str),
    /// No event has this id.
    #[error("Event not found!")]
    NoSuchEvent(Id),
    /// The host does not serve what was asked.
    #[error("only a server does this")]
    NotServed,
    /// No export has this id, or there is none.
    #[error("No memory export request found")]
    NoSuchExport,
    /// The schema of an export is no object.
    #[error("Schema is required and must be a valid object")]
    BadSchema,
    /// The schema of structured data is no object, or too long to show the model.
    #[error("structured_data_schema must be a JSON schema: an object of at most {kilobytes} KB")]
    BadShape {
        /// The longest that is taken.
        kilobytes: usize,
    },
    /// An export of a space that was never written to.
    #[error("there are no memories to export for this owner")]
    NothingToExport,
    /// The add names another owner than the space's, or none.
    #[error("this space belongs to another owner")]
    WrongSpace,
    /// The add's ids name no owner.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The add has no message that can be remembered.
    #[error("nothing to remember: give at least one message with text from a user or an assistant")]
    NoMessages,
    /// There is no room for more.
    #[error(
        "the indexes of this memory fill the {megabytes} MB that they may: delete what is no longer needed, or \
         raise EDGEMEM_SPACE_MEGABYTES"
    )]
    Full {
        /// The budget.
        megabytes: usize,
    },
    /// The question is empty.
    #[error("the query must not be empty")]
    EmptyQuery,
    /// A number is out of range.
    #[error("{name} must be between {from} and {to}")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// The least value.
        from: usize,
        /// The greatest value.
        to: usize,
    },
    /// The new text of an update is blank.
    #[error("the text of a memory must not be empty")]
    EmptyText,
    /// The memory must not change.
    #[error("this memory is immutable: delete it and add it anew to change it")]
    Immutable(Id),
    /// The LLM has cost what it may on one day.
    #[error(
        "the LLM has been asked as much as it may be for this owner today (EDGEMEM_DAILY_TOKENS, \
         EDGEMEM_DAILY_CALLS): what was said is stored and found, and the LLM is asked about it tomorrow"
    )]
    OverBudget {
        /// When work goes on.
        until: Moment,
    },
    /// A model failed where its answer is needed at once.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file of a message cannot be fetched now.
    #[error("a file of the messages could not be fetched: {0}")]
    File(#[from] FileError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A stored record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The embedder's vectors do not fit the space's.
    #[error(transparent)]
    Vector(#[from] VectorError),
}

impl SpaceError {
    /// The error as clients see it.
    pub fn problem(&self) -> Problem {
        let (status, code) = match self {
            SpaceError::NoSuchMemory(_) => (404, "memory_not_found"),
            SpaceError::NoSuchEvent(_) => (404, "event_not_found"),
            SpaceError::NoSuchEntity(_) => (404, "entity_not_found"),
            SpaceError::NoSuchContradiction(_) => (404, "contradiction_not_found"),
            SpaceError::BadCorrection(_) => (400, "bad_correction"),
            SpaceError::NotServed => (501, "not_served"),
            SpaceError::NoSuchExport => (404, "export_not_found"),
            SpaceError::BadSchema | SpaceError::BadShape { .. } => (400, "bad_schema"),
            SpaceError::NothingToExport => (404, "nothing_to_export"),
            SpaceError::WrongSpace => (400, "wrong_space"),
            SpaceError::Scope(_) => (400, "scope_required"),
            SpaceError::NoMessages => (400, "no_messages"),
            SpaceError::Full { .. } => (413, "space_full"),
            SpaceError::EmptyQuery => (400, "empty_query"),
            SpaceError::OutOfRange { .. } => (400, "out_of_range"),
            SpaceError::EmptyText => (400, "empty_text"),
            SpaceError::Immutable(_) => (409, "immutable"),
            SpaceError::OverBudget { .. } => (429, OVER_BUDGET),
            SpaceError::Model(error) => (502, error.code()),
            SpaceError::File(_) => (502, "file_unreachable"),
            SpaceError::Storage(StorageError::Full(_)) => (507, "storage_full"),
            SpaceError::Storage(StorageError::TooLarge { .. }) => (413, "record_too_large"),
            SpaceError::Storage(StorageError::Failed(_)) => (500, "storage_failed"),
            SpaceError::Record(RecordError::Future { .. }) => (500, "newer_format"),
            SpaceError::Record(RecordError::Damaged { .. }) => (500, "damaged_record"),
            SpaceError::Vector(_) => (500, "embedder_mismatch"),
        };
        Problem::new(status, code, self.to_string())
    }
}
