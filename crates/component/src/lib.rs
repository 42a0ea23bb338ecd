//! edgemem as a WebAssembly component: the world `library` of the package in `wit/`.
//!
//! Models, storage, time and randomness are imports; a resource `space` is the one export. It imports nothing of
//! WASI, so that any host of the component model can embed it.

mod ask;
mod host;
mod limit;
mod reply;
mod space;
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
        world: "library",
        path: "../../wit",
        default_bindings_module: "crate::bindings",
        pub_export_macro: true,
        generate_all,
    });
}

use bindings::exports::edgemem::memory::memory::Guest;

struct Library;

impl Guest for Library {
    type Space = space::OpenSpace;
}

#[allow(unsafe_code, reason = "the exported functions of the module")]
mod export {
    use super::{Library, bindings};

    bindings::export!(Library with_types_in bindings);
}
