//! The gateway's end of the wire to the Durable Objects of spaces.

use edgemem::api::{Call, LIMIT_HEADERS, Order, Project};
use edgemem::memory::{Problem, SpaceHash};
use edgemem::operation::{Operation, Reply};
use http::HeaderMap;
use worker::{Env, Headers, Response};

use crate::failure::internal;
use crate::http::to_worker;

/// The binding of the objects.
const BINDING: &str = "SPACES";

/// What came back from a space, and what it tells the client of its limit.
pub struct Asked {
    pub what: What,
    pub limits: HeaderMap,
}

/// What came back from a space.
pub enum What {
    /// The response for the client, but for its headers.
    Answer(Response),
    /// A reply that leads to another question, or a failure on the way.
    Reply(std::result::Result<Reply, Problem>),
}

/// Marks a response that is a reply, not the client's.
pub const REPLY: &str = "x-edgemem-reply";

/// Names the project of the space that a request is to.
pub const PROJECT: &str = "x-edgemem-project";

/// What an object answers that the gateway reads.
pub type Wire = std::result::Result<Reply, Problem>;

/// Asks a space to do something: the gateway's end of the wire. An order travels as JSON in the body of a
/// request to `/{space hash}`. The object writes the client's response, whose body passes through here
/// unread; or, when the call is not over, a reply as JSON of a `Result`.
pub async fn ask(env: &Env, call: &Call) -> Asked {
    match fetch(env, &call.project, call.space, &call.order()).await {
        Ok(asked) => asked,
        Err(problem) => Asked {
            what: What::Reply(Err(problem)),
            limits: HeaderMap::new(),
        },
    }
}

/// Asks a space for a reply that the gateway reads.
///
/// # Errors
/// What the space refuses, and 503 when it cannot be reached.
pub async fn ask_space(
    env: &Env,
    project: &Project,
    space: SpaceHash,
    operation: Operation,
) -> Wire {
    match fetch(env, project, space, &Order::of(operation))
        .await?
        .what
    {
        What::Reply(reply) => reply,
        // The object itself could not read the order.
        What::Answer(_) => Err(internal("a space answered what was not asked")),
    }
}

async fn fetch(
    env: &Env,
    project: &Project,
    space: SpaceHash,
    order: &Order,
) -> std::result::Result<Asked, Problem> {
    let unreachable = |error: worker::Error| {
        let reason = format!("the memory's object cannot be reached: {error}; try again");
        Problem::new(503, "space_unavailable", reason)
    };
    let unreadable = |error: serde_json::Error| internal(&error.to_string());
    let body = serde_json::to_vec(order).map_err(unreadable)?;
    let request = http::Request::post(format!("https://space/{space}"))
        .header(PROJECT, &project.id)
        .body(body)
        .map_err(|error| internal(&error.to_string()))?;
    let object = env
        .durable_object(BINDING)
        .and_then(|objects| objects.get_by_name(&format!("{}:{space}", project.id)))
        .map_err(unreachable)?;
    let request = to_worker(request).map_err(unreachable)?;
    let mut response = object
        .fetch_with_request(request)
        .await
        .map_err(unreachable)?;
    let limits = limits_in(response.headers());
    if !response.headers().has(REPLY).map_err(unreachable)? {
        let what = What::Answer(response);
        return Ok(Asked { what, limits });
    }
    let answer = response.bytes().await.map_err(unreachable)?;
    let reply = serde_json::from_slice::<Wire>(&answer).map_err(unreadable)?;
    let what = What::Reply(reply);
    Ok(Asked { what, limits })
}

fn limits_in(headers: &Headers) -> HeaderMap {
    let told = LIMIT_HEADERS.into_iter().filter_map(|name| {
        let value = headers.get(name.as_str()).ok()??;
        Some((name, value.parse().ok()?))
    });
    told.collect()
}
