//! edgemem on Cloudflare Workers: a gateway without state, and one Durable Object per owner.

#![allow(
    missing_docs,
    reason = "the durable_object macro generates undocumented methods"
)]

mod ai;
mod assets;
mod directory;
mod failure;
mod http;
mod models;
mod object;
mod storage;

use ::http::StatusCode;
use edgemem::api::{Gateway, MAX_BODY_BYTES, Received, body_too_large, problem_response};
use edgemem::memory::Problem;
use worker::{Context, Env, Request, event};

use crate::directory::OfProject;
use crate::failure::caught;
use crate::http::{BodyError, read_request, to_headers, to_response};
use crate::models::{about, variable};
use crate::object::{Asked, ask};

/// Answers a request.
#[event(fetch)]
pub async fn fetch(
    mut request: Request,
    env: Env,
    _context: Context,
) -> worker::Result<worker::Response> {
    let answer = caught(handle(&mut request, &env)).await;
    answer.unwrap_or_else(|problem| to_response(problem_response(&problem)))
}

async fn handle(request: &mut Request, env: &Env) -> worker::Result<worker::Response> {
    let gateway = Gateway::new(|name| variable(env, name), about(env));
    let request = match read_request(request, MAX_BODY_BYTES).await {
        Ok(request) => request,
        Err(BodyError::TooLarge { .. }) => return to_response(problem_response(&body_too_large())),
        Err(BodyError::Failed(reason)) => {
            let problem = Problem::new(400, "unreadable_request", reason);
            return to_response(problem_response(&problem));
        }
    };
    let mut call = match gateway.receive(&request) {
        Received::Answer(answer) => return to_response(answer),
        Received::Call(call) => call,
        Received::Work(work) => {
            let project = work.project.clone();
            let backend = OfProject {
                env,
                project: &project,
            };
            return to_response(gateway.work(*work, &backend).await);
        }
    };
    loop {
        let reply = match ask(env, &call).await {
            Asked::Answer(answer) => {
                let status = StatusCode::from_u16(answer.status_code()).unwrap_or_default();
                let headers = gateway.headers(&call, status);
                return Ok(answer.with_headers(to_headers(&headers)?));
            }
            Asked::Reply(reply) => reply,
        };
        if call.next(&reply).is_none() {
            return to_response(gateway.answer(&call, reply));
        }
    }
}
