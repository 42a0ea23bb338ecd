//! Time, randomness, variables and the log, and what a space is supplied with.

use std::collections::HashMap;
use std::rc::Rc;

use edgemem::memory::{Moment, Problem};
use edgemem::space::{Host, Settings};
use wasip2::cli::{environment, stderr};
use wasip2::clocks::wall_clock;
use wasip2::random::random;

use crate::storage::KeyValueStorage;

/// What can be written to the log at once, in bytes.
const LOG_BYTES: usize = 4_096;

/// The time.
pub fn now() -> Moment {
    let now = wall_clock::now();
    let millis = now.seconds.saturating_mul(1_000) + u64::from(now.nanoseconds / 1_000_000);
    Moment::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Random bits that nobody can guess.
pub fn random_bits() -> u64 {
    random::get_random_u64()
}

/// The same, as secrets are made of them.
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&random_bits().to_le_bytes());
    }
    bytes
}

/// The environment variables.
pub fn variables() -> HashMap<String, String> {
    environment::get_environment().into_iter().collect()
}

/// Writes a line to the log. Nobody can be told when that fails.
pub fn log(message: &str) {
    let line = format!("edgemem: {message}\n");
    let log = stderr::get_stderr();
    for part in line.as_bytes().chunks(LOG_BYTES) {
        let _ = log.blocking_write_and_flush(part);
    }
}

/// An internal error; `reason` goes to the log.
pub fn internal(reason: &str) -> Problem {
    log(&format!("internal error: {reason}"));
    Problem::new(
        500,
        "internal_error",
        "edgemem failed to handle this request; the server's log says why",
    )
}

/// What is supplied to a space.
pub struct ServiceHost {
    pub storage: Rc<KeyValueStorage>,
    pub settings: Settings,
}

impl Host for ServiceHost {
    type Storage = KeyValueStorage;

    fn storage(&self) -> &KeyValueStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        now()
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    /// WebAssembly never gives any memory back.
    fn memory(&self) -> Option<usize> {
        Some(core::arch::wasm32::memory_size::<0>() << 16)
    }

    fn warn(&self, message: &str) {
        log(message);
    }

    fn random(&self) -> u64 {
        random_bits()
    }
}
