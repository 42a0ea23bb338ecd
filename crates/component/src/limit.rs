//! Calls of the host that may stall.

use std::pin::pin;

use futures_util::future::{Either, select};

use crate::bindings::edgemem::memory::clock;

/// How long one call of the host may take.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// In milliseconds; 0 is no limit.
    pub millis: u64,
}

impl Limit {
    /// What a call answers, or `None` when it took too long; the host is told that nobody waits for it any more.
    pub async fn on<T>(self, call: impl Future<Output = T>) -> Option<T> {
        if self.millis == 0 {
            return Some(call.await);
        }
        match select(pin!(call), pin!(clock::sleep(self.millis))).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }
}
