//! edgemem on Cloudflare Workers: a gateway without state, and one Durable Object per owner.

#![allow(
    missing_docs,
    reason = "the durable_object macro generates undocumented methods"
)]

mod ai;
mod assets;
mod failure;
mod http;
mod models;
mod object;
mod storage;

use ::http::Response;
use edgemem::api::{Gateway, MAX_BODY_BYTES, Received, body_too_large, problem_response};
use edgemem::memory::Problem;
use worker::{Context, Env, Request, event};

use crate::failure::caught;
use crate::http::{BodyError, read_request, to_response};
use crate::models::{about, variable};

/// Answers a request.
#[event(fetch)]
pub async fn fetch(
    mut request: Request,
    env: Env,
    _context: Context,
) -> worker::Result<worker::Response> {
    let answer = caught(handle(&mut request, &env)).await;
    to_response(answer.unwrap_or_else(|problem| problem_response(&problem)))
}

async fn handle(request: &mut Request, env: &Env) -> Response<Vec<u8>> {
    let gateway = Gateway::new(|name| variable(env, name), about(env));
    let request = match read_request(request, MAX_BODY_BYTES).await {
        Ok(request) => request,
        Err(BodyError::TooLarge { .. }) => return problem_response(&body_too_large()),
        Err(BodyError::Failed(reason)) => {
            return problem_response(&Problem::new(400, "unreadable_request", reason));
        }
    };
    match gateway.receive(&request) {
        Received::Answer(answer) => answer,
        Received::Call(mut call) => {
            let mut reply = object::ask(env, &call, &call.operation).await;
            while let Some(operation) = call.next(&reply) {
                reply = object::ask(env, &call, &operation).await;
            }
            gateway.answer(&call, reply)
        }
    }
}
