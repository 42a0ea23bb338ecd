//! Requests and answers in the core's types, and outgoing HTTP.

use std::pin::pin;

use edgemem::api::{MAX_BODY_BYTES, body_too_large};
use edgemem::memory::Problem;
use edgemem::model::{Http, HttpError, Request, Response};
use futures_util::future::{Either, LocalBoxFuture, select};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use wasip2::http::types::IncomingRequest;
use wstd::http::{Body, Client};
use wstd::time::{Duration, Timer};

use super::host::random_bits;

/// The longest answer that is read from a model, in bytes.
const ANSWER_LIMIT: usize = 16_000_000;

/// Reads a request with its body.
///
/// # Errors
/// 413 when it is longer than [`MAX_BODY_BYTES`], and 400 when it is none.
pub async fn read(request: IncomingRequest) -> Result<http::Request<Vec<u8>>, Problem> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Problem::new(
            400,
            "unreadable_request",
            format!("the request cannot be read: {error}"),
        )
    };
    let request = wstd::http::request::try_from_incoming(request);
    let (parts, body) = request.map_err(|error| unreadable(&error))?.into_parts();
    match collect(body, MAX_BODY_BYTES).await {
        Ok(body) => Ok(http::Request::from_parts(parts, body)),
        Err(Unread::TooLarge) => Err(body_too_large()),
        Err(Unread::Failed(reason)) => Err(unreadable(&reason)),
    }
}

/// The host's HTTP, timers and randomness.
pub struct HostHttp;

impl Http for HostHttp {
    fn send(
        &self,
        request: Request,
        timeout_ms: u64,
    ) -> LocalBoxFuture<'_, Result<Response, HttpError>> {
        Box::pin(async move {
            let failed = |error: wstd::http::Error| HttpError::Failed(error.to_string());
            // Hosts of WASI follow no redirects.
            let limit = request
                .download
                .map_or(ANSWER_LIMIT, |download| download.limit);
            let request = http::Request::<Vec<u8>>::try_from(request);
            let request = request.map_err(|error| HttpError::Failed(error.to_string()))?;
            let answer = pin!(async move {
                let answer = Client::new().send(request.map(Body::from)).await;
                let (parts, body) = answer.map_err(failed)?.into_parts();
                match collect(body, limit).await {
                    Ok(body) => Ok(Response::from(http::Response::from_parts(parts, body))),
                    Err(Unread::TooLarge) => Err(HttpError::TooLarge),
                    Err(Unread::Failed(reason)) => Err(HttpError::Failed(reason)),
                }
            });
            match select(answer, self.sleep(timeout_ms)).await {
                Either::Left((answer, _)) => answer,
                Either::Right(((), _)) => Err(HttpError::Timeout),
            }
        })
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            Timer::after(Duration::from_millis(ms)).wait().await;
        })
    }

    fn jitter(&self) -> f64 {
        // As many bits as a number in 0..1 has.
        (random_bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Why a body was not read.
enum Unread {
    TooLarge,
    Failed(String),
}

async fn collect(body: Body, limit: usize) -> Result<Vec<u8>, Unread> {
    let read = Limited::new(body.into_boxed_body(), limit).collect().await;
    match read {
        Ok(read) => Ok(read.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(error) => Err(Unread::Failed(error.to_string())),
    }
}
