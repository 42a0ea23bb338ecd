//! The builtin embedder's table, loaded once for every object of an isolate.

use std::cell::RefCell;
use std::rc::Rc;

use edgemem::model::builtin::StaticEmbedder;
use thiserror::Error;
use worker::Env;

/// Where the table lies among the static assets.
const PATH: &str = "/models/builtin.bin";

thread_local! {
    static SHARED: RefCell<Option<Rc<StaticEmbedder>>> = const { RefCell::new(None) };
}

/// Why the builtin embedder is not there.
#[derive(Debug, Error)]
pub enum AssetError {
    /// The binding is missing, or the asset was not deployed.
    #[error("the asset {PATH} cannot be read through the binding ASSETS: {0}")]
    Missing(String),
    /// The asset is not a table that this version reads.
    #[error("the asset {PATH} is not the builtin embedder's table: {0}")]
    Unreadable(String),
}

/// The builtin embedder, loaded through the binding `ASSETS` when nobody did before.
///
/// # Errors
/// See [`AssetError`]. A failure is not remembered: the next call tries again.
pub async fn builtin_embedder(env: &Env) -> Result<Rc<StaticEmbedder>, AssetError> {
    if let Some(shared) = SHARED.with_borrow(Clone::clone) {
        return Ok(shared);
    }
    let bytes = load(env).await?;
    let loaded = StaticEmbedder::from_bytes(bytes)
        .map_err(|error| AssetError::Unreadable(error.to_string()))?;
    // Whoever was first while we waited is the one to share.
    Ok(SHARED.with_borrow_mut(|shared| shared.get_or_insert_with(|| Rc::new(loaded)).clone()))
}

async fn load(env: &Env) -> Result<Vec<u8>, AssetError> {
    let missing = |error: worker::Error| AssetError::Missing(error.to_string());
    let assets = env.assets("ASSETS").map_err(missing)?;
    // The binding wants a whole URL and looks at its path alone.
    let mut answer = assets
        .fetch(format!("https://assets{PATH}"), None)
        .await
        .map_err(missing)?;
    if answer.status_code() != 200 {
        return Err(AssetError::Missing(format!(
            "HTTP {}",
            answer.status_code()
        )));
    }
    answer.bytes().await.map_err(missing)
}
