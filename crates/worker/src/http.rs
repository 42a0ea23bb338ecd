//! Outgoing HTTP over the Worker's `fetch`, and requests and answers in the core's types.

use std::pin::pin;
use std::time::Duration;

use edgemem::model::{Download, Http, HttpError, Request, Response};
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::{Stream, StreamExt};
use http::header::CONTENT_LENGTH;
use wasm_bindgen::JsValue;
use worker::{
    AbortController, Delay, Fetch, Headers, Method, RequestInit, RequestRedirect, js_sys,
};

/// The longest answer that is read from a model, in bytes. An isolate has 128 MB for everything.
const ANSWER_LIMIT: usize = 16_000_000;

/// The Worker's `fetch`, timers and randomness.
pub struct WorkerHttp;

impl Http for WorkerHttp {
    fn send(
        &self,
        request: Request,
        timeout_ms: u64,
    ) -> LocalBoxFuture<'_, Result<Response, HttpError>> {
        Box::pin(async move {
            let request = http::Request::<Vec<u8>>::try_from(request);
            let request = request.map_err(|error| HttpError::Failed(error.to_string()))?;
            let download = request.extensions().get::<Download>().copied();
            let limit = download.map_or(ANSWER_LIMIT, |download| download.limit);
            let request = to_worker(request).map_err(failed)?;
            let abort = AbortController::default();
            let signal = abort.signal();
            let answer = pin!(async {
                let sent = Fetch::Request(request).send_with_signal(&signal).await;
                read_answer(&mut sent.map_err(failed)?, limit).await
            });
            match select(answer, pin!(self.sleep(timeout_ms))).await {
                Either::Left((answer, _)) => {
                    if let Err(HttpError::TooLarge) = answer {
                        abort.abort();
                    }
                    answer
                }
                Either::Right(((), _)) => {
                    abort.abort();
                    Err(HttpError::Timeout)
                }
            }
        })
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'_, ()> {
        // A timer of the host counts in 32 bits.
        let ms = ms.min(i32::MAX.unsigned_abs().into());
        Box::pin(Delay::from(Duration::from_millis(ms)))
    }

    fn jitter(&self) -> f64 {
        js_sys::Math::random()
    }
}

fn failed(error: worker::Error) -> HttpError {
    HttpError::Failed(error.to_string())
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes allowed.
        limit: usize,
    },
    /// The connection broke, or the request is not one.
    #[error("the body cannot be read: {0}")]
    Failed(String),
}

impl From<worker::Error> for BodyError {
    fn from(error: worker::Error) -> Self {
        BodyError::Failed(error.to_string())
    }
}

/// Reads an incoming request with its body.
///
/// # Errors
/// [`BodyError::TooLarge`] when more than `limit` bytes came; the rest is read and dropped.
pub async fn read_request(
    request: &mut worker::Request,
    limit: usize,
) -> Result<http::Request<Vec<u8>>, BodyError> {
    let failed = |error: http::Error| BodyError::Failed(error.to_string());
    let inner = request.inner();
    let mut read = http::Request::builder()
        .method(inner.method().as_str())
        .uri(inner.url());
    for (name, value) in pairs(&inner.headers())? {
        read = read.header(name, value);
    }
    // A request without a body has no stream at all. One that says that it is short is read at once.
    let length = read.headers_ref().and_then(|it| it.get(CONTENT_LENGTH));
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let body = match inner.body() {
        Some(_) if length.is_some_and(|length| length <= limit) => request.bytes().await?,
        Some(_) => {
            let mut chunks = request.stream()?;
            let collected = collect(&mut chunks, limit).await;
            // An answer reaches a client that is still sending only once it has sent all.
            if let Err(BodyError::TooLarge { .. }) = collected {
                while let Some(Ok(_)) = chunks.next().await {}
            }
            collected?
        }
        None => Vec::new(),
    };
    read.body(body).map_err(failed)
}

/// Headers with their values, read at once: one by one they are most of the time of reading a short request.
fn pairs(headers: &JsValue) -> Result<Vec<(String, String)>, BodyError> {
    let text = js_sys::JSON::stringify(&js_sys::Array::from(headers));
    let text = text.map_err(|_| BodyError::Failed("its headers cannot be read".to_owned()))?;
    serde_json::from_str(&String::from(text)).map_err(|error| BodyError::Failed(error.to_string()))
}

/// The Worker's form of a request. A [`Download`] follows no redirect; it says who asks, as some servers want to know.
///
/// # Errors
/// When a header or the URL is not one that `fetch` takes.
pub fn to_worker(request: http::Request<Vec<u8>>) -> worker::Result<worker::Request> {
    let (parts, body) = request.into_parts();
    let mut init = RequestInit::new();
    let headers = to_headers(&parts.headers)?;
    if parts.extensions.get::<Download>().is_some() {
        headers.set("user-agent", concat!("edgemem/", env!("CARGO_PKG_VERSION")))?;
        init.with_redirect(RequestRedirect::Manual);
    }
    init.with_method(Method::from(parts.method.as_str().to_owned()))
        .with_headers(headers);
    if !body.is_empty() {
        init.with_body(Some(JsValue::from(js_sys::Uint8Array::from(
            body.as_slice(),
        ))));
    }
    worker::Request::new_with_init(&parts.uri.to_string(), &init)
}

/// The Worker's form of an answer.
///
/// # Errors
/// When a header is not one that a Worker may set.
pub fn to_response(answer: http::Response<Vec<u8>>) -> worker::Result<worker::Response> {
    let (parts, body) = answer.into_parts();
    Ok(worker::ResponseBuilder::new()
        .with_status(parts.status.as_u16())
        .with_headers(to_headers(&parts.headers)?)
        .fixed(body))
}

/// The Worker's form of headers.
///
/// # Errors
/// When one is not one that a Worker may set.
pub fn to_headers(headers: &http::HeaderMap) -> worker::Result<Headers> {
    let made = Headers::new();
    for (name, value) in headers {
        made.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))?;
    }
    Ok(made)
}

async fn read_answer(answer: &mut worker::Response, limit: usize) -> Result<Response, HttpError> {
    let status = answer.status_code();
    let headers = answer.headers().entries().collect();
    let body = match answer.body() {
        worker::ResponseBody::Empty => Vec::new(),
        _ => {
            let mut chunks = answer.stream().map_err(failed)?;
            let collected = collect(&mut chunks, limit).await;
            collected.map_err(|error| match error {
                BodyError::TooLarge { .. } => HttpError::TooLarge,
                BodyError::Failed(reason) => HttpError::Failed(reason),
            })?
        }
    };
    Ok(Response {
        status,
        headers,
        body,
    })
}

async fn collect(
    chunks: &mut (impl Stream<Item = worker::Result<Vec<u8>>> + Unpin),
    limit: usize,
) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
