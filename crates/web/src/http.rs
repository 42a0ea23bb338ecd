//! Outgoing HTTP, by way of the program around the engine.
//!
//! Every model is an OpenAI-compatible endpoint here. Those that are functions of the program, it answers as such
//! an endpoint would: so all that is known of endpoints' dialects serves them too.

use std::rc::Rc;

use edgemem::model::{Http, HttpError};
use futures_util::future::LocalBoxFuture;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::host::{Host, described};

/// The code of an error that means that time ran out.
const TIMEOUT: &str = "timeout";

/// The network of one model.
pub struct HostHttp {
    host: Rc<Host>,
    /// Which model asks: `llm`, `embedder` or `reranker`.
    model: &'static str,
}

impl HostHttp {
    pub fn new(host: Rc<Host>, model: &'static str) -> Self {
        Self { host, model }
    }
}

impl Http for HostHttp {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout_ms: u64,
    ) -> LocalBoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let headers = parts.headers.iter().flat_map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                [JsValue::from_str(name.as_str()), JsValue::from_str(&value)]
            });
            let url = parts.uri.to_string();
            let answer = self.host.send(
                self.model,
                parts.method.as_str(),
                &url,
                headers.collect(),
                Uint8Array::from(body.as_slice()),
                timeout_ms as f64,
            );
            let answer = answer.await.map_err(|error| match described(&error) {
                (Some(code), _) if code == TIMEOUT => HttpError::Timeout,
                (_, message) => HttpError::Failed(message),
            })?;
            read(answer.unchecked_into()).map_err(HttpError::Failed)
        })
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'_, ()> {
        // A timer of JavaScript counts in 32 bits.
        let ms = ms.min(i32::MAX.unsigned_abs().into());
        Box::pin(async move {
            // A host that cannot wait lets us go on at once.
            let _ = self.host.sleep(ms as f64).await;
        })
    }

    fn jitter(&self) -> f64 {
        js_sys::Math::random()
    }
}

fn read(answer: Array) -> Result<http::Response<Vec<u8>>, String> {
    let status = answer.get(0).as_f64().unwrap_or_default() as u16;
    let headers: Vec<String> = Array::from(&answer.get(1))
        .iter()
        .filter_map(|text| text.as_string())
        .collect();
    let body = Uint8Array::new(&answer.get(2)).to_vec();
    let mut read = http::Response::builder().status(status);
    for pair in headers.chunks_exact(2) {
        if let [name, value] = pair {
            read = read.header(name, value);
        }
    }
    read.body(body).map_err(|error| error.to_string())
}
