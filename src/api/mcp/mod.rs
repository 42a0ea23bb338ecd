//! The Model Context Protocol at `POST /mcp`, for agents: the tools of mem0's hosted server, and some of our own.
//!
//! Two kinds of client are served. **Modern** ones (revision 2026-07-28) say with each request what they speak;
//! **legacy** ones (2025-11-25, 2025-06-18) ask `initialize` first. Nothing is remembered between requests for
//! either: no session, no stream, each answer one JSON object.
//!
//! A tool is a request of the REST API in other words ([`tools`]), and its result is that request's answer
//! ([`Envelope::wrap`]). So a tool can do what the API can, and nothing else.

#[cfg(test)]
mod document;
mod message;
mod revision;
mod tools;

use http::header::{ALLOW, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::wire;
use crate::memory::{Owner, Problem, Scope};

use message::{Fault, Message};
use revision::Era;

/// The header that binds a connection to one user.
pub(super) const USER_HEADER: &str = "x-edgemem-user";

/// Asks agents to use the tools.
const INSTRUCTIONS: &str = "Long-term memory of the people you talk to. Before you answer something that may depend \
     on what was said before, call get_context with the question. When you learn something lasting about someone (a \
     fact, a preference, a plan, a correction), call add_memory with it in plain words. Never store secrets.";

/// Whether a path is the endpoint.
pub(super) fn is_endpoint(path: &str) -> bool {
    path.trim_matches('/') == "mcp"
}

/// What came of a message.
#[derive(Debug)]
pub(super) enum Heard {
    /// The answer is known.
    Answer(Response<Vec<u8>>),
    /// A tool is called.
    Call(Box<ToolCall>),
}

/// A call of a tool.
#[derive(Debug)]
pub(super) struct ToolCall {
    /// The request of the REST API that it stands for.
    pub request: Request<Vec<u8>>,
    /// How to send its answer.
    pub envelope: Envelope,
    /// The only owner whose memory it may reach; any when `None`.
    pub bound: Option<Owner>,
}

/// The rest of the answer to a message, around a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    id: Value,
    era: Era,
}

/// Reads a message of an authenticated client: of `user` alone, when a token of that user came with it.
pub(super) fn hear(request: &Request<Vec<u8>>, user: Option<&Owner>) -> Heard {
    let message = match message::read(request.body()) {
        Ok(message) => message,
        Err(fault) => return Heard::Answer(fault.response(None)),
    };
    // Notifications, and answers to questions that we never ask, are taken note of.
    let Message::Request { id, method, params } = message else {
        return Heard::Answer(accepted());
    };
    let heard = Era::of(request.headers(), &method, &params).and_then(|era| {
        let envelope = Envelope {
            id: id.clone(),
            era,
        };
        answer(envelope, &method, &params, (request.headers(), user))
    });
    heard.unwrap_or_else(|fault| Heard::Answer(fault.response(Some(&id))))
}

fn answer(
    envelope: Envelope,
    method: &str,
    params: &Map<String, Value>,
    from: (&HeaderMap, Option<&Owner>),
) -> Result<Heard, Fault> {
    let result = match (envelope.era, method) {
        (Era::Modern, "server/discover") => json!({
            "supportedVersions": revision::SUPPORTED,
            "capabilities": {"tools": {}},
            "instructions": INSTRUCTIONS,
            "ttlMs": revision::TTL_MS,
            "cacheScope": "public",
        }),
        (Era::Legacy, "initialize") => json!({
            "protocolVersion": revision::agreed(params),
            "capabilities": {"tools": {}},
            "serverInfo": server_info(),
            "instructions": INSTRUCTIONS,
        }),
        (Era::Legacy, "ping") => json!({}),
        (era, "tools/list") => {
            if params.get("cursor").is_some_and(|cursor| !cursor.is_null()) {
                return Err(Fault::invalid_params(
                    "there is one page of tools: no 'cursor' is known",
                ));
            }
            let mut result = Map::from_iter([("tools".to_owned(), tools::list())]);
            if era == Era::Modern {
                result.insert("ttlMs".to_owned(), json!(revision::TTL_MS));
                result.insert("cacheScope".to_owned(), json!("public"));
            }
            Value::Object(result)
        }
        (_, "tools/call") => return call(envelope, params, from),
        (era, _) => return Err(era.unknown(method)),
    };
    Ok(Heard::Answer(envelope.send(result)))
}

fn call(
    envelope: Envelope,
    params: &Map<String, Value>,
    from: (&HeaderMap, Option<&Owner>),
) -> Result<Heard, Fault> {
    let name = params
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let tool =
        tools::find(name).ok_or_else(|| Fault::invalid_params(format!("Unknown tool: {name}")))?;
    let arguments = match params.get("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments.clone(),
        Some(_) => return Err(Fault::invalid_params("'arguments' must be an object")),
    };
    let asked = bound(from).and_then(|bound| Ok((tool.request(arguments, bound.as_ref())?, bound)));
    Ok(match asked {
        Ok((request, bound)) => Heard::Call(Box::new(ToolCall {
            request,
            envelope,
            bound,
        })),
        Err(problem) => Heard::Answer(envelope.refuse(&problem)),
    })
}

/// The user that the connection is bound to. A header without a value, as of a variable that is not set, must not
/// open every user's memory.
fn bound((headers, user): (&HeaderMap, Option<&Owner>)) -> Result<Option<Owner>, Problem> {
    let Some(value) = headers.get(USER_HEADER) else {
        return Ok(user.cloned());
    };
    let owner = value
        .to_str()
        .ok()
        .map(|user| Scope::user(user.trim()).owner());
    match owner {
        Some(Ok(owner)) => {
            super::guard(user, Some(owner.space_hash()))?;
            Ok(Some(owner))
        }
        _ => Err(Problem::new(
            400,
            "bad_user_header",
            "the header X-Edgemem-User must hold the id of one user, in at most 256 characters of ASCII",
        )),
    }
}

impl Envelope {
    /// The answer to a message that succeeded.
    fn send(&self, mut result: Value) -> Response<Vec<u8>> {
        if let (Era::Modern, Some(fields)) = (self.era, result.as_object_mut()) {
            fields.insert("resultType".to_owned(), json!("complete"));
            fields.insert(
                "_meta".to_owned(),
                json!({"io.modelcontextprotocol/serverInfo": server_info()}),
            );
        }
        let body = json!({"jsonrpc": "2.0", "id": self.id, "result": result});
        wire::json_response(StatusCode::OK, &body)
    }

    /// The result of a tool from the answer of the REST API: its body, as text and as data. What the API refuses is
    /// a result too, one that says so, as the model that called can do better next time.
    pub fn wrap(&self, answer: &Response<Vec<u8>>) -> Response<Vec<u8>> {
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if answer.status().is_success() {
            return self.send(json!({
                "content": [{"type": "text", "text": body.to_string()}],
                "structuredContent": body,
                "isError": false,
            }));
        }
        let part = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = format!("{} ({})", part("error"), part("code"));
        self.send(json!({"content": [{"type": "text", "text": text}], "isError": true}))
    }

    /// The result of a tool that could not do what was asked.
    pub fn refuse(&self, problem: &Problem) -> Response<Vec<u8>> {
        let mut problem = problem.clone();
        if problem.code == "scope_required" {
            problem.message = "say whose memory this is: give user_id (or agent_id, app_id or run_id), or set the \
                 header X-Edgemem-User for the whole connection"
                .to_owned();
        }
        self.wrap(&wire::problem_response(&problem))
    }
}

/// The answer to another method than POST: there is no stream to listen to, and no session to end.
pub(super) fn not_post(method: &Method) -> Response<Vec<u8>> {
    let message =
        format!("{method} is not possible at this path, only POST: messages of MCP, one at a time");
    let mut response = wire::problem_response(&Problem::new(405, "method_not_allowed", message));
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

/// The answer to a web page that may not call.
pub(super) fn wrong_origin() -> Response<Vec<u8>> {
    let message = "web pages of this origin may not call: the server's owner lists those that may in \
         EDGEMEM_CORS_ORIGINS";
    Fault::new(StatusCode::FORBIDDEN, message::INVALID_REQUEST, message).response(None)
}

/// The answer to a client without a good key.
pub(super) fn unauthorized(problem: &Problem) -> Response<Vec<u8>> {
    let mut response = wire::problem_response(problem);
    if problem.status == 401 {
        response.headers_mut().insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"edgemem\""),
        );
    }
    response
}

fn accepted() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn server_info() -> Value {
    json!({
        "name": "edgemem",
        "title": "edgemem: long-term memory",
        "version": env!("CARGO_PKG_VERSION"),
    })
}

#[cfg(test)]
mod tests;
