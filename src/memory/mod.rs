//! The nouns: what edgemem remembers, as plain data.
//!
//! Nothing here does I/O, reads a clock or draws a random number. Every other room may use this
//! one; it uses none of them but `compact`.

mod address;
mod card;
mod event;
mod export;
mod file;
mod filter;
mod graph;
mod id;
mod message;
mod names;
mod notice;
mod owner;
mod project;
mod record;
mod time;
mod usage;

pub use address::{AddressError, WebAddress};
pub use card::{About, Card, Times, Traits, says, text_hash};
pub use event::{Category, EventStatus, Problem};
pub use export::{Export, Purpose};
pub use file::{File, FileKind, FileSource, plain};
pub use filter::{Condition, Filter, FilterError, Operator, Subject};
pub use graph::{
    Claim, Contradiction, Entity, EntityChange, EntityChangeKind, EntityId, Object, Relation,
    Resolution, ResolvedBy,
};
pub use id::{Id, IdError, Mint, SpaceHash};
pub use message::{MAX_MESSAGE_BYTES, Message, Role};
pub use names::{kinship_and_name, normalize_name, plain_name, pronoun, without_article};
pub use notice::{Happened, Notice};
pub use owner::{Owner, OwnerKind, Scope, ScopeError};
pub use project::ProjectSettings;
pub use record::{
    Change, ChangeKind, Fact, FactEntity, FactRelation, Feedback, Kind, Memory, Naming, Speaker,
    Version, normalized_hash,
};
pub use time::{Lies, Moment, Precision, Span, TimeError};
pub(crate) use time::{MONTHS, day_in_words, month_in_words};
pub use usage::Usage;
