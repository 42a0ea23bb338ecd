//! The nouns: what edgemem remembers, as plain data.
//!
//! Nothing here does I/O, reads a clock or draws a random number. Every other room may use this
//! one; it uses none of them.

mod card;
mod event;
mod filter;
mod graph;
mod id;
mod message;
mod owner;
mod record;
mod time;

pub use card::{Card, Traits, says, text_hash};
pub use event::{Category, EventStatus, Problem};
pub use filter::{Condition, Filter, FilterError, Operator, Subject};
pub use graph::{Entity, EntityId, Object, Relation, normalize_name};
pub use id::{Id, IdError, Mint, SpaceHash};
pub use message::{Message, Role};
pub use owner::{Owner, OwnerKind, Scope, ScopeError};
pub use record::{
    Change, ChangeKind, Fact, FactEntity, FactRelation, Kind, Memory, Speaker, Version,
    normalized_hash,
};
pub use time::{Lies, Moment, Precision, Span, TimeError};
