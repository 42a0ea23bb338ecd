//! Failures that are ours, as clients see them: the details are for the log.

use std::panic::AssertUnwindSafe;

use edgemem::memory::Problem;
use futures_util::FutureExt;
use worker::console_error;

/// An internal error; `reason` goes to the log.
pub fn internal(reason: &str) -> Problem {
    console_error!("internal error: {reason}");
    Problem::new(
        500,
        "internal_error",
        "edgemem failed to handle this request; the server's log says why",
    )
}

/// Runs a future to its end, even if that is a panic (where the build unwinds). The runtime's hook
/// logs what the panic said.
///
/// # Errors
/// [`internal`], after a panic. What the future changed may be half done then.
pub async fn caught<F: Future>(future: F) -> Result<F::Output, Problem> {
    let outcome = AssertUnwindSafe(future).catch_unwind().await;
    outcome.map_err(|_| internal("a panic"))
}
