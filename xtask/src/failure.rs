//! Why a task could not be done.

use std::path::PathBuf;

use thiserror::Error;

/// Why a task could not be done, with what to do about it.
#[derive(Debug, Error)]
pub enum Failure {
    /// A file or a process could not be used.
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    /// A command ended badly.
    #[error("`{command}` failed ({status})")]
    Command { command: String, status: String },
    /// Something that must be there is not.
    #[error("{what}\n  {advice}")]
    Missing { what: String, advice: String },
    /// The words after the task's name make no sense.
    #[error("{0}\n  `cargo xtask help` tells what there is")]
    Usage(String),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The served Worker did not do what it should.
    #[error("{what}\n{log}")]
    Served { what: String, log: String },
    /// The Worker answered with an error.
    #[error("{method} {path} was answered with {status}: {body}")]
    Answer {
        method: &'static str,
        path: String,
        status: u16,
        body: String,
    },
    /// The Worker did not answer.
    #[error("no answer from {url}: {reason}")]
    Unreachable { url: String, reason: String },
    /// A file does not have the shape that it should.
    #[error("{} cannot be read: {reason}", .file.display())]
    Unreadable { file: PathBuf, reason: String },
}

/// Adds what was tried to an I/O error.
pub trait While<T> {
    /// Says what was being done.
    fn trying(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T> While<T> for std::io::Result<T> {
    fn trying(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|source| Failure::Io {
            what: what.into(),
            source,
        })
    }
}
