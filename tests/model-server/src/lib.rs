//! A local OpenAI-compatible server for development and tests.
//!
//! * `POST /v1/chat/completions` **replays** replies from cassettes (see [`cassette`]); no model
//!   makes them. Started with `--record` it passes the call to a real endpoint and keeps the reply.
//! * `POST /v1/embeddings` computes real all-MiniLM-L6-v2 embeddings when its weights are given.
//! * `POST /control` makes the next calls fail in a chosen way (see [`fault`]); `GET /control`
//!   counts calls; `POST /control/release` and `/control/reset` let hanging calls go and start over.
//! * `GET /files/NAME` gives a file of a folder, as if a message named it; `GET /moved/NAME` leads there.
//! * `GET /v1/models`, `GET /health`.
//!
//! It listens on the loopback interface only.

pub mod cassette;
pub mod fault;
pub mod http;
pub mod minilm;
pub mod prompt;
#[cfg(feature = "record")]
pub mod record;
pub mod reply;
pub mod server;

pub use server::{Options, Server, Upstream};

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use thiserror::Error;

/// Why the server cannot start or answer.
#[derive(Debug, Error)]
pub enum Error {
    /// The port is taken, or the file cannot be read.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A cassette is not written as it should be.
    #[error("{}: {reason}", path.display())]
    Cassette {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The MiniLM weights cannot be used.
    #[error("the MiniLM weights in {}: {reason}", path.display())]
    Weights {
        /// The folder.
        path: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// Recording was asked of a build without it.
    #[error("this build cannot record; build it with --features record")]
    NoRecorder,
}

/// Locks even after another thread panicked: what is kept here is whole after each statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
