//! The host's HTTP client, as models see it.

use futures_util::future::LocalBoxFuture;
use thiserror::Error;

/// An extension of requests for what others chose: no redirect is followed, and no more is read than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// The most bytes of a body.
    pub limit: usize,
}

/// Outgoing HTTP and waiting, supplied by the host.
pub trait Http {
    /// Sends a request and reads the whole answer. Where [files](super::files) are fetched, it heeds a [`Download`] among
    /// the request's extensions.
    ///
    /// # Errors
    /// [`HttpError::Timeout`] when the answer is not complete after `timeout_ms`;
    /// [`HttpError::TooLarge`] when it is larger than is read;
    /// [`HttpError::Failed`] when no connection was made or it broke.
    fn send(
        &self,
        request: ::http::Request<Vec<u8>>,
        timeout_ms: u64,
    ) -> LocalBoxFuture<'_, Result<::http::Response<Vec<u8>>, HttpError>>;

    /// Waits for `ms` milliseconds.
    fn sleep(&self, ms: u64) -> LocalBoxFuture<'_, ()>;

    /// A random number in `0.0..1.0`, to spread retries.
    fn jitter(&self) -> f64;
}

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpError {
    /// Not complete in time.
    #[error("timed out")]
    Timeout,
    /// Larger than is read.
    #[error("the answer is too large")]
    TooLarge,
    /// No connection, or a broken one.
    #[error("{0}")]
    Failed(String),
}
