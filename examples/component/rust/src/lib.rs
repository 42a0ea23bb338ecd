//! edgemem, the component, in a Rust program by the wasmtime crate.

pub mod host;
