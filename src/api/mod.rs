//! Requests to operations, and replies to responses.
//!
//! Pure functions on [`http::Request`] and [`http::Response`]. A face does the I/O around them:
//!
//! ```text
//! let mut received = gateway.receive(&request);
//! if let Received::Unknown(lookup) = received {
//!     let answer = send to the directory of lookup.project lookup.ask();
//!     received = gateway.receive_from(&lookup, answer, &request);
//! }
//! match received {
//!     Received::Answer(response) => response,
//!     Received::Call(mut call) => {
//!         let mut reply = send to the space of (call.project, call.space) call.operation;
//!         while let Some(operation) = call.next(&reply) {
//!             reply = send operation to the same space;
//!         }
//!         gateway.answer(&call, reply)
//!     }
//!     Received::Work(work) => gateway.work(work, spaces and directory of work.project).await,
//!     Received::Unknown(_) => there is none after receive_from,
//! }
//! ```
//!
//! Where the space lives elsewhere, [`Call::order`] travels to it and [`Order::answer`] writes the response there: the
//! gateway passes its body on unread, under [`Gateway::headers`].

mod access;
mod call;
mod cors;
mod export;
mod fields;
mod hosted;
mod limits;
mod local;
mod mcp;
mod page;
mod python;
mod wire;

use std::rc::Rc;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

pub use access::{
    KEYS_VARIABLE, Keys, KeysError, Known, Lookup, Project, SECRET_VARIABLE, SecretError,
};
pub use call::{Call, Order, Received, Work};
pub use cors::{CORS_VARIABLE, Cors};
pub use hosted::Backend;
pub use limits::{LIMIT_HEADERS, Left, USER_LIMIT_VARIABLE, Window, read_limit};
pub use local::Local;
pub use wire::{problem_response, response_of};

use access::{Access, Caller, Identity, guard};
use call::{after, written};

use crate::directory::Answer;
use crate::memory::{Moment, Owner, Problem};
use crate::operation::Reply;

/// The longest request body that is read, in bytes. A face may refuse a longer one by its
/// `Content-Length` before it reads it, with [`body_too_large`].
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// What a server tells of itself, on its health page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The version of edgemem.
    pub version: String,
    /// The chat model; `None` when none is configured.
    pub chat_model: Option<String>,
    /// The embedder; `None` when none is configured.
    pub embedder: Option<String>,
    /// The reranking model; `None` when none is configured.
    pub reranker: Option<String>,
    /// What is wrong with the configuration, one sentence each.
    pub problems: Vec<String>,
}

/// The door of a server: knows its keys, its origins and what to say of itself.
#[derive(Debug, Clone)]
pub struct Gateway {
    access: Access,
    cors: Cors,
    about: About,
}

impl Gateway {
    /// A gateway from its configuration.
    ///
    /// `variable` reads one of the server's variables: [`KEYS_VARIABLE`], [`SECRET_VARIABLE`], [`CORS_VARIABLE`].
    pub fn new(variable: impl Fn(&str) -> Option<String>, about: About) -> Self {
        Self {
            access: Access::new(&variable),
            cors: Cors::read(&variable(CORS_VARIABLE).unwrap_or_default()),
            about,
        }
    }

    /// The same at some time, with what directories lately said of keys. Without it no token is valid.
    #[must_use]
    pub fn at(mut self, now: Moment, known: Rc<Known>) -> Self {
        self.access.now = now;
        self.access.known = known;
        self
    }

    /// Answers a request, or says what to ask of whom.
    pub fn receive(&self, request: &Request<Vec<u8>>) -> Received {
        self.admit(request, |request| self.access.identify(request))
    }

    /// The same once the directory has answered who calls.
    pub fn receive_from(
        &self,
        lookup: &Lookup,
        answer: Result<Answer, Problem>,
        request: &Request<Vec<u8>>,
    ) -> Received {
        let caller = self.access.learn(lookup, answer);
        self.admit(request, |_| Identity::Known(caller))
    }

    fn admit(
        &self,
        request: &Request<Vec<u8>>,
        identify: impl FnOnce(&Request<Vec<u8>>) -> Identity,
    ) -> Received {
        let origin = wire::header(request, "origin");
        let answer = |mut response: Response<Vec<u8>>| {
            self.cors.allow(origin, response.headers_mut());
            Received::Answer(response)
        };
        if request.method() == Method::OPTIONS {
            return answer(cors::preflight());
        }
        if mcp::is_endpoint(request.uri().path()) {
            return self
                .hear(request, identify)
                .unwrap_or_else(|response| answer(*response));
        }
        let served = match hosted::served(request.method(), request.uri().path()) {
            Ok(served) => served,
            Err(refusal) => return answer(refusal.response()),
        };
        match served {
            hosted::Served::One(hosted::Route::Root) => {
                return answer(page::root(request.uri(), &self.about));
            }
            hosted::Served::One(hosted::Route::Health) => return answer(self.health()),
            _ => {}
        }
        let caller = match identify(request) {
            Identity::Known(caller) => caller,
            Identity::Unknown(lookup) => return Received::Unknown(Box::new(lookup)),
        };
        let read = caller.and_then(|caller| match served {
            hosted::Served::One(hosted::Route::Ping) => Ok(answer(wire::json_response(
                StatusCode::OK,
                &caller.project.ping(),
            ))),
            served => {
                let todo = asked_by(&caller, caller.user.as_ref(), &served, request)?;
                Ok(Received::new(caller, todo, None, origin))
            }
        });
        read.unwrap_or_else(|problem| answer(problem_response(&problem)))
    }

    /// Answers a message of an agent, or says what to ask of whom.
    fn hear(
        &self,
        request: &Request<Vec<u8>>,
        identify: impl FnOnce(&Request<Vec<u8>>) -> Identity,
    ) -> Result<Received, Box<Response<Vec<u8>>>> {
        let origin = wire::header(request, "origin");
        let own = request.uri().authority().map(http::uri::Authority::as_str);
        let own = own.or(wire::header(request, "host"));
        if !self.cors.admits(origin, own) {
            return Err(Box::new(mcp::wrong_origin()));
        }
        if request.method() != Method::POST {
            return Err(Box::new(mcp::not_post(request.method())));
        }
        let caller = match identify(request) {
            Identity::Known(caller) => caller.map_err(|problem| mcp::unauthorized(&problem))?,
            Identity::Unknown(lookup) => return Ok(Received::Unknown(Box::new(lookup))),
        };
        let tool = match mcp::hear(request, caller.user.as_ref()) {
            mcp::Heard::Answer(response) => return Err(Box::new(response)),
            mcp::Heard::Call(tool) => tool,
        };
        let asked = &tool.request;
        let served = hosted::served(asked.method(), asked.uri().path())
            .map_err(|refusal| tool.envelope.wrap(&refusal.response()))?;
        let todo = asked_by(&caller, tool.bound.as_ref(), &served, asked)
            .map_err(|problem| tool.envelope.refuse(&problem))?;
        Ok(Received::new(caller, todo, Some(tool.envelope), origin))
    }

    /// Does what several spaces, or the directory, answer. `backend` reaches those of [`Work::project`].
    pub async fn work(&self, work: Work, backend: &dyn Backend) -> Response<Vec<u8>> {
        let mut response = match work.task.run(&work.project, &self.access, backend).await {
            Ok((status, body)) => wire::json_response(status, &body),
            Err(problem) => problem_response(&problem),
        };
        if let Some(envelope) = &work.envelope {
            response = envelope.wrap(&response);
        }
        self.cors
            .allow(work.origin.as_deref(), response.headers_mut());
        response
    }

    /// The response to a request of a key that asks too often, where the host counts.
    pub fn too_often(&self, received: &Received) -> Response<Vec<u8>> {
        let (envelope, origin) = match received {
            Received::Call(call) => (call.envelope.as_ref(), call.origin.as_deref()),
            Received::Work(work) => (work.envelope.as_ref(), work.origin.as_deref()),
            Received::Answer(_) | Received::Unknown(_) => (None, None),
        };
        let mut response = problem_response(&limits::key_limited());
        if let Some(envelope) = envelope {
            response = envelope.wrap(&response);
        }
        let headers = response.headers_mut();
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from_static("60"));
        self.cors.allow(origin, headers);
        response
    }

    /// The response to a call, from the space's last reply.
    pub fn answer(&self, call: &Call, reply: Result<Reply, Problem>) -> Response<Vec<u8>> {
        let mut response = written(&call.shape, call.envelope.as_ref(), reply);
        *response.headers_mut() = self.headers(call, response.status());
        response
    }

    /// The headers of a response to a call, by its status: errors are always JSON.
    pub fn headers(&self, call: &Call, status: StatusCode) -> HeaderMap {
        let content_type = match status.is_success() {
            true => call.shape.content_type(),
            false => wire::JSON,
        };
        let (parts, ()) = wire::response_of(status, content_type, Vec::new())
            .map(drop)
            .into_parts();
        let mut headers = parts.headers;
        self.cors.allow(call.origin.as_deref(), &mut headers);
        headers
    }

    fn health(&self) -> Response<Vec<u8>> {
        let mut problems = self.about.problems.clone();
        problems.extend(self.access.problems());
        let status = if problems.is_empty() {
            "ok"
        } else {
            "degraded"
        };
        let model = |name: &Option<String>| name.clone().map_or(Value::Null, Value::String);
        wire::json_response(
            StatusCode::OK,
            &json!({
                "status": status,
                "version": self.about.version,
                "models": {
                    "chat": model(&self.about.chat_model),
                    "embedder": model(&self.about.embedder),
                    "reranker": model(&self.about.reranker),
                },
                "api_keys": self.access.keys.as_ref().map_or(0, Keys::len),
                "problems": problems,
            }),
        )
    }
}

/// What a caller asks for, who may reach the memory of `bound` alone when there is one.
fn asked_by(
    caller: &Caller,
    bound: Option<&Owner>,
    served: &hosted::Served,
    request: &Request<Vec<u8>>,
) -> Result<hosted::Todo, Problem> {
    caller.may(served.needs())?;
    let (uri, body) = (request.uri(), request.body());
    let named = match &caller.user {
        Some(user) => served.naming(user, request.method(), uri, body)?,
        None => None,
    };
    let (uri, body) = named
        .as_ref()
        .map_or((uri, body), |(uri, body)| (uri, body));
    let todo = hosted::todo(
        served,
        &wire::Target::from(uri),
        request.headers(),
        body,
        &caller.project.id,
    )?;
    guard(bound, todo.space())?;
    caller.may(todo.needs())?;
    Ok(todo)
}

/// The refusal of a body longer than [`MAX_BODY_BYTES`].
pub fn body_too_large() -> Problem {
    Problem::new(
        413,
        "body_too_large",
        format!(
            "the request is longer than {} MB: add long conversations in parts",
            MAX_BODY_BYTES / (1024 * 1024)
        ),
    )
}

#[cfg(test)]
mod tests;
