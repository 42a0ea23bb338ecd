//! A host's storage under test, alone, as spaces use it.
//!
//! It is a component of its own, so that the one that ships exports nothing for tests.

#[path = "../../../../crates/component/src/limit.rs"]
mod limit;
#[path = "../../../../crates/component/src/storage.rs"]
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
        world: "edgemem:storage-test/storage-test",
        path: ["../../../wit", "wit"],
        default_bindings_module: "crate::bindings",
        pub_export_macro: true,
        generate_all,
    });
}

use edgemem::store::conformance;

struct Suite;

impl bindings::Guest for Suite {
    async fn conformance(space: String) -> Result<String, String> {
        let limit = limit::Limit { millis: 10_000 };
        let storage = storage::HostStorage::open(space, limit).await;
        let storage = storage.map_err(|error| error.to_string())?;
        let report = conformance::run(&storage).await;
        report
            .map(|report| format!("{} cases passed", report.passed.len()))
            .map_err(|failure| failure.to_string())
    }
}

#[allow(unsafe_code, reason = "the exported functions of the module")]
mod export {
    use super::{Suite, bindings};

    bindings::export!(Suite with_types_in bindings);
}
