//! edgemem on Cloudflare Workers: a gateway without state, and one Durable Object per owner.

#![allow(
    missing_docs,
    reason = "the durable_object macro generates undocumented methods"
)]

mod ai;
mod ask;
mod assets;
mod directory;
mod failure;
mod http;
mod models;
mod object;
mod storage;

use std::cell::OnceCell;
use std::rc::Rc;

use ::http::{HeaderMap, StatusCode};
use edgemem::api::{Gateway, Known, MAX_BODY_BYTES, Received, body_too_large, problem_response};
use edgemem::memory::Problem;
use worker::{Context, Env, Request, console_warn, event};

use crate::ask::{Asked, What, ask};
use crate::directory::{OfProject, ask_directory};
use crate::failure::{caught, internal};
use crate::http::{BodyError, read_request, to_headers, to_response};
use crate::models::{about, variable};
use crate::object::moment_now;

thread_local! {
    /// What directories said of keys, for all requests of this isolate.
    static KNOWN: Rc<Known> = Rc::default();

    /// The gateway as the variables say, which are those of the isolate as long as it lives.
    static GATEWAY: OnceCell<Gateway> = const { OnceCell::new() };
}

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
    let gateway = GATEWAY.with(|gateway| {
        let read = || Gateway::new(|name| variable(env, name), about(env));
        gateway.get_or_init(read).clone()
    });
    let gateway = gateway.at(moment_now(), KNOWN.with(Rc::clone));
    let request = match read_request(request, MAX_BODY_BYTES).await {
        Ok(request) => request,
        Err(BodyError::TooLarge { .. }) => return to_response(problem_response(&body_too_large())),
        Err(BodyError::Failed(reason)) => {
            let problem = Problem::new(400, "unreadable_request", reason);
            return to_response(problem_response(&problem));
        }
    };
    let mut received = gateway.receive(&request);
    if let Received::Unknown(lookup) = &received {
        let answer = ask_directory(env, &lookup.project, &lookup.ask()).await;
        received = gateway.receive_from(lookup, answer, &request);
    }
    if is_too_often(env, &received).await {
        return to_response(gateway.too_often(&received));
    }
    let mut call = match received {
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
        Received::Unknown(_) => {
            return to_response(problem_response(&internal("nobody knows who calls")));
        }
    };
    let mut told = HeaderMap::new();
    loop {
        let Asked { what, limits } = ask(env, &call).await;
        told.extend(limits);
        let reply = match what {
            What::Answer(answer) => {
                let status = StatusCode::from_u16(answer.status_code()).unwrap_or_default();
                let mut headers = gateway.headers(&call, status);
                headers.extend(told);
                return Ok(answer.with_headers(to_headers(&headers)?));
            }
            What::Reply(reply) => reply,
        };
        if call.next(&reply).is_none() {
            let mut answer = gateway.answer(&call, reply);
            answer.headers_mut().extend(told);
            return to_response(answer);
        }
    }
}

/// The binding that counts the requests of keys, if the operator set one.
const KEY_LIMITER: &str = "KEY_LIMITER";

/// Whether a key asks more often than the operator lets it. When that cannot be told, it may.
async fn is_too_often(env: &Env, received: &Received) -> bool {
    let Some(caller) = received.caller() else {
        return false;
    };
    let Ok(limiter) = env.rate_limiter(KEY_LIMITER) else {
        return false;
    };
    match limiter.limit(caller.to_owned()).await {
        Ok(outcome) => !outcome.success,
        Err(error) => {
            console_warn!("{KEY_LIMITER} did not count: {error}");
            false
        }
    }
}
