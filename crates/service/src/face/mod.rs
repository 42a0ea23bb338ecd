//! What makes a service of the core on WASI.

mod directory;
mod host;
mod http;
mod keyvalue;
mod models;
mod service;
mod space;

/// What wit-bindgen makes of the world. All but the key-value store is in the package `wasip2` already.
#[allow(unsafe_code, missing_docs, clippy::all, clippy::indexing_slicing)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]
mod bindings {
    wit_bindgen::generate!({
        world: "service",
        path: "../../wit",
        with: {
            "wasi:cli/environment@0.2.12": wasip2::cli::environment,
            "wasi:cli/stderr@0.2.12": wasip2::cli::stderr,
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
            "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
            "wasi:http/types@0.2.12": wasip2::http::types,
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
            "wasi:keyvalue/atomics@0.2.0-draft": generate,
            "wasi:keyvalue/batch@0.2.0-draft": generate,
            "wasi:keyvalue/store@0.2.0-draft": generate,
            "wasi:random/random@0.2.12": wasip2::random::random,
        },
        default_bindings_module: "crate::face::bindings",
        pub_export_macro: true,
    });
}

use bindings::exports::wasi::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};
use wstd::http::server::Responder;

struct Component;

impl Guest for Component {
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        wstd::runtime::block_on(async move {
            let service = service::running();
            let response = service.answer(request).await;
            if let Err(error) = Responder::new(answer).respond(response).await {
                host::log(&format!("a client did not take its answer: {error}"));
            }
            // The client has its answer; what it left to do is done now.
            service.work().await;
        });
    }
}

#[allow(unsafe_code, reason = "the exported functions of the module")]
mod export {
    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}
