//! hello
mod bucket;
mod storage;
#[allow(unsafe_code, missing_docs, clippy::all, clippy::indexing_slicing)]
mod bindings {
    wit_bindgen::generate!({
        world: "service",
        path: "../../wit",
        with: {
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
            "wasi:http/types@0.2.12": wasip2::http::types,
            "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
            "wasi:random/random@0.2.12": wasip2::random::random,
            "wasi:cli/environment@0.2.12": wasip2::cli::environment,
            "wasi:cli/stderr@0.2.12": wasip2::cli::stderr,
            "wasi:keyvalue/store@0.2.0-draft": generate,
            "wasi:keyvalue/atomics@0.2.0-draft": generate,
            "wasi:keyvalue/batch@0.2.0-draft": generate,
        },
        default_bindings_module: "crate::bindings",
        pub_export_macro: true,
    });
}
use bindings::exports::wasi::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};
use wstd::http::server::Responder;

struct Service;
impl Guest for Service {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        wstd::runtime::block_on(async move {
            let n = bindings::wasi::keyvalue::store::open("").map(|b| {
                bindings::wasi::keyvalue::atomics::increment(&b, "n", 1)
            });
            let env = wasip2::cli::environment::get_environment();
            let text = format!("hello {path} {n:?} {env:?}\n");
            let _ = Responder::new(out).respond(http::Response::new(text.into_bytes())).await;
        });
    }
}
#[allow(unsafe_code, reason = "the exported functions of the module")]
mod export {
    use super::{Service, bindings};
    bindings::export!(Service with_types_in bindings);
}
