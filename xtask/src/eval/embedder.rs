//! Embeddings for the evaluation from an OpenAI-compatible endpoint.

use std::io::Read;
use std::rc::Rc;
use std::time::Duration;

use edgemem::model::openai::{Endpoint, OpenAiEmbedder};
use edgemem::model::{Http, HttpError, Request, Response};
use futures_util::future::{LocalBoxFuture, ready};

/// The embedder behind a base URL such as `http://127.0.0.1:9000/v1`.
///
/// # Errors
/// When the URL is none.
pub fn remote(url: &str) -> Result<OpenAiEmbedder, Box<dyn std::error::Error>> {
    let endpoint = Endpoint::new(url)?.with_timeout_ms(300_000);
    let model =
        std::env::var("EDGEMEM_EMBEDDER_MODEL").unwrap_or_else(|_| "all-MiniLM-L6-v2".into());
    Ok(OpenAiEmbedder::new(
        Rc::new(Blocking),
        endpoint,
        model,
        None,
    ))
}

/// HTTP that waits: an evaluation does one thing at a time.
struct Blocking;

impl Http for Blocking {
    fn send(
        &self,
        request: Request,
        timeout_ms: u64,
    ) -> LocalBoxFuture<'_, Result<Response, HttpError>> {
        Box::pin(ready(send(request, Duration::from_millis(timeout_ms))))
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'_, ()> {
        std::thread::sleep(Duration::from_millis(ms));
        Box::pin(ready(()))
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

fn send(request: Request, timeout: Duration) -> Result<Response, HttpError> {
    let request = http::Request::<Vec<u8>>::try_from(request);
    let request = request.map_err(|error| HttpError::Failed(error.to_string()))?;
    let failed = |error: ureq::Error| match error {
        ureq::Error::Timeout(_) => HttpError::Timeout,
        other => HttpError::Failed(other.to_string()),
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .build()
        .into();
    let (parts, body) = agent.run(request).map_err(failed)?.into_parts();
    let mut bytes = Vec::new();
    let mut reader = body.into_reader();
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| HttpError::Failed(error.to_string()))?;
    Ok(http::Response::from_parts(parts, bytes).into())
}
