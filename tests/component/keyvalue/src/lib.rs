//! A host's key-value store under test, alone, as the service uses it.
//!
//! It is a component of its own, so that the one that ships has no routes for tests.

#![cfg(target_arch = "wasm32")]

#[path = "../../../../crates/service/src/bucket.rs"]
mod bucket;
#[path = "../../../../crates/service/src/face/keyvalue.rs"]
mod keyvalue;
#[allow(dead_code, reason = "the service asks more of it than the suite")]
#[path = "../../../../crates/service/src/storage/mod.rs"]
mod storage;

/// What wit-bindgen makes of the world.
#[allow(unsafe_code, missing_docs, clippy::all, clippy::indexing_slicing)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]
mod bindings {
    wit_bindgen::generate!({
        world: "edgemem:keyvalue-test/keyvalue-test",
        path: ["../../../wit", "wit"],
        with: {
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:keyvalue/atomics@0.2.0-draft": generate,
            "wasi:keyvalue/batch@0.2.0-draft": generate,
            "wasi:keyvalue/store@0.2.0-draft": generate,
        },
        default_bindings_module: "crate::bindings",
        pub_export_macro: true,
    });
}

use std::rc::Rc;

use edgemem::store::conformance;
use futures_util::FutureExt;

struct Suite;

impl bindings::Guest for Suite {
    fn conformance(name: String) -> Result<String, String> {
        let bucket = Rc::new(keyvalue::HostBucket::open(|_| None)?);
        let storage = storage::KeyValueStorage::open(bucket, name);
        let storage = storage.map_err(|error| error.to_string())?;
        // Whatever this storage does, it has done when it is asked.
        let report = conformance::run(&storage).now_or_never();
        match report {
            Some(Ok(report)) => Ok(format!("{} cases passed", report.passed.len())),
            Some(Err(failure)) => Err(failure.to_string()),
            None => Err("the storage has to be waited for".to_owned()),
        }
    }
}

#[allow(unsafe_code, reason = "the exported functions of the module")]
mod export {
    use super::{Suite, bindings};

    bindings::export!(Suite with_types_in bindings);
}
