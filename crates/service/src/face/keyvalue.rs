//! The host's key-value store.

use wasip2::clocks::monotonic_clock;

use super::bindings::wasi::keyvalue::store::{self, Error};
use super::bindings::wasi::keyvalue::{atomics, batch};
use crate::bucket::{Bucket, Failed};

/// The variable that names the bucket.
const VARIABLE: &str = "EDGEMEM_BUCKET";

/// The buckets that there may be when none is named: hosts do not agree on what the one without a name is called.
const USUAL: [&str; 2] = ["default", ""];

/// Keys in one question: more would be too long for some hosts.
const AT_ONCE: usize = 256;

/// A bucket of the host.
pub struct HostBucket(store::Bucket);

impl HostBucket {
    /// Opens the bucket that a variable names, or the usual one.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failed> {
        let named = variable(VARIABLE).filter(|name| !name.trim().is_empty());
        let usual = USUAL.map(str::to_owned).to_vec();
        let mut outcome = Err(String::new());
        for name in named.map_or(usual, |name| vec![name]) {
            outcome = store::open(&name).map(Self).map_err(|error| {
                format!(
                    "the bucket \"{name}\" cannot be opened: {}; {VARIABLE} names another",
                    told(error)
                )
            });
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

impl Bucket for HostBucket {
    fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Failed> {
        if let [key] = keys {
            return Ok(vec![self.0.get(key).map_err(told)?]);
        }
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let values = batch::get_many(&self.0, keys).map_err(told)?;
            if values.len() != keys.len() {
                return Err("it answered another number of values than it was asked for".into());
            }
            found.extend(values.into_iter().map(|found| Some(found?.1)));
        }
        Ok(found)
    }

    fn exists(&self, key: &str) -> Result<bool, Failed> {
        self.0.exists(key).map_err(told)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Failed> {
        self.0.set(key, value).map_err(told)
    }

    fn delete_many(&self, keys: &[String]) -> Result<(), Failed> {
        for keys in keys.chunks(AT_ONCE) {
            batch::delete_many(&self.0, keys).map_err(told)?;
        }
        Ok(())
    }

    fn increment(&self, key: &str, by: u64) -> Result<u64, Failed> {
        atomics::increment(&self.0, key, by).map_err(told)
    }

    fn ticks(&self) -> u64 {
        monotonic_clock::now() / 1_000_000
    }

    fn pause(&self, milliseconds: u64) {
        monotonic_clock::subscribe_duration(milliseconds.saturating_mul(1_000_000)).block();
    }
}

fn told(error: Error) -> Failed {
    match error {
        Error::NoSuchStore => "the host has no such store".to_owned(),
        Error::AccessDenied => "the host denies access".to_owned(),
        Error::Other(reason) => reason,
    }
}
