//! From nothing to a stored and recalled memory, in a Rust program.

use edgemem_in_wasmtime::host::{Host, Memory};

const COMPONENT: &str = "crates/component/build/edgemem.wasm";
const TABLE: &str = "models/builtin.bin";

#[tokio::main(flavor = "current_thread")]
async fn main() -> wasmtime::Result<()> {
    let mut memory = Memory::load(COMPONENT, TABLE, Host::default()).await?;
    memory.open("alice", None).await?;
    memory.remember("I am allergic to peanuts.").await?;
    println!("{:?}", memory.recall("What am I allergic to?", 3).await?);
    Ok(())
}
