//! Outgoing HTTP, by way of the program around the engine.
//!
//! Every model is an OpenAI-compatible endpoint here. Those that are functions of the program, it answers as such
//! an endpoint would: so all that is known of endpoints' dialects serves them too.

use std::rc::Rc;

use edgemem::model::{Http, HttpError, Request, Response};
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
        request: Request,
        timeout_ms: u64,
    ) -> LocalBoxFuture<'_, Result<Response, HttpError>> {
        Box::pin(async move {
            let headers = request.headers.iter();
            let headers = headers
                .flat_map(|(name, value)| [JsValue::from_str(name), JsValue::from_str(value)]);
            let answer = self.host.send(
                self.model,
                request.method,
                &request.url,
                headers.collect(),
                Uint8Array::from(request.body.as_slice()),
                timeout_ms as f64,
            );
            let answer = answer.await.map_err(|error| match described(&error) {
                (Some(code), _) if code == TIMEOUT => HttpError::Timeout,
                (_, message) => HttpError::Failed(message),
            })?;
            Ok(read(answer.unchecked_into()))
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

fn read(answer: Array) -> Response {
    let headers = Array::from(&answer.get(1));
    let mut texts = headers.iter().filter_map(|text| text.as_string());
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        headers.push((name, value));
    }
    Response {
        status: answer.get(0).as_f64().unwrap_or_default() as u16,
        headers,
        body: Uint8Array::new(&answer.get(2)).to_vec(),
    }
}
