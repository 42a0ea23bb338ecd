//! edgemem as a WASI HTTP service: the world `service` of the package in `wit/`.
//!
//! The REST API and MCP, for any host that serves WASI HTTP. A host may make an instance for every request, or keep
//! one for many: whatever lasts is in the host's key-value store.

#[cfg(any(target_arch = "wasm32", test))]
mod bucket;
#[cfg(target_arch = "wasm32")]
mod face;
#[cfg(any(target_arch = "wasm32", test))]
mod storage;
