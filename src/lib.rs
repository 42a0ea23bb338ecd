//! Long-term memory for AI agents, at the edge.
//!
//! A conversation goes in; a model extracts its facts and decides how each updates what is known;
//! the result is stored in a vector index, a keyword index and a graph beside the user's data.
//! Recall takes milliseconds and no model.
//!
//! This crate is the pure core: it reads no clock, draws no random numbers and opens no sockets.
//! A [`space::Space`] is one owner's memory; a host supplies what it needs and puts it on the
//! network.

pub mod api;
mod compact;
pub mod directory;
pub mod index;
pub mod memory;
pub mod model;
pub mod operation;
pub mod pipeline;
pub mod space;
pub mod store;
