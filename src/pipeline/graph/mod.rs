//! How the graph changes, without asking a model: names are resolved to entities, statements become relations
//! whose spans follow from each other, what cannot be decided becomes a contradiction. Everything is drafted
//! on a [`Draft`] over what is known and becomes part of the commit of the memories that it came from.

mod contradictions;
mod correct;
mod draft;
mod erase;
mod follow;
mod path;
mod predicates;
mod relate;
mod resolve;
mod state;

pub use contradictions::{Settled, oppose, settle};
pub use correct::{CorrectionError, merge, resolve, split};
pub use draft::Draft;
pub use erase::erase;
pub use follow::{Leaving, is_told, leave, mentioned, reopen};
pub use path::paths;
pub use predicates::{is_lasting, is_single, is_symmetric};
pub use resolve::{Likeness, Resolver, doubtful_names};
pub use state::{Mentions, Said, Speech, related_memories};
