//! The hosted REST contract of mem0: what its unmodified clients send and expect.

mod add;
mod admin;
mod asked;
mod context;
#[cfg(test)]
pub(super) mod document;
mod doors;
mod graph;
mod messages;
mod older;
mod parts;
mod places;
mod profiles;
mod query;
mod roles;
mod scope;
mod served;
mod shapes;
mod task;
mod wide;

use http::Response;
use http::header::{ALLOW, HeaderValue};

use super::fields::{Fields, refused};
use super::wire::{self, Target};
use super::{MAX_BODY_BYTES, body_too_large};
use crate::memory::{Id, IdError, Owner, Problem, SpaceHash};
use crate::operation::{Operation, Reply};

pub(super) use admin::ORGANIZATION;
pub(super) use served::{Served, Todo, served, todo};
pub(super) use shapes::Shape;
pub use task::Backend;
pub(super) use task::{Task, unexpected};

/// What a path and method stand for that one space answers, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// `GET /`
    Root,
    /// `GET /health`
    Health,
    /// `GET /v1/ping/`
    Ping,
    /// `POST /v3/memories/add/`
    Add,
    /// `POST /v3/memories/search/`
    Search,
    /// `POST /v3/memories/`
    List,
    /// `DELETE /v1/memories/`
    DeleteAll,
    /// `GET /v1/memories/{id}/`
    Get(String),
    /// `PUT /v1/memories/{id}/`
    Update(String),
    /// `DELETE /v1/memories/{id}/`
    Delete(String),
    /// `GET /v1/memories/{id}/history/`
    History(String),
    /// `GET /v1/event/{id}/`
    Event(String),
    /// `GET /v1/graph/`
    Graph,
    /// `GET /v1/graph/export/`
    Export,
    /// `GET /v1/graph/path/`
    Path,
    /// `GET /v1/graph/entities/{id or name}/`
    Entity(String),
    /// `POST /v1/graph/entities/{id or name}/merge/`
    Merge(String),
    /// `POST /v1/graph/entities/{id or name}/split/`
    Split(String),
    /// `POST /v1/context/`
    Context,
    /// `GET /v1/timeline/`
    Timeline,
    /// `GET /v1/contradictions/`
    Contradictions,
    /// `POST /v1/contradictions/{id}/resolve/`
    Resolve(String),
    /// `GET /v1/stats/`
    Stats,
}

/// Why a path and method stand for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    problem: Problem,
    allow: Option<&'static str>,
}

impl Refusal {
    /// Of a path that has other methods.
    fn of_method(method: &str, allow: &'static str) -> Self {
        Self {
            problem: Problem::new(
                405,
                "method_not_allowed",
                format!("{method} is not possible at this path, only {allow}"),
            ),
            allow: Some(allow),
        }
    }

    /// Of a path that there is not.
    fn of_path() -> Self {
        Self {
            problem: Problem::new(
                404,
                "no_such_route",
                "there is nothing at this path; GET / lists the routes of this server",
            ),
            allow: None,
        }
    }

    pub fn into_problem(self) -> Problem {
        self.problem
    }

    pub fn response(&self) -> Response<Vec<u8>> {
        let mut response = wire::problem_response(&self.problem);
        if let Some(allow) = self.allow {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

/// The parts of a path. Slashes at the end, or doubled, make no difference; nothing is redirected, as not every
/// client would follow.
fn parts_of(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(wire::percent_decode)
        .collect()
}

fn verb_of(method: &str) -> &str {
    match method {
        "HEAD" => "GET",
        other => other,
    }
}

/// Finds what one space answers.
pub(super) fn route(method: &str, path: &str) -> Result<Route, Refusal> {
    let parts = parts_of(path);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let verb = verb_of(method);
    let (route, allow) = match parts.as_slice() {
        [] => ((verb == "GET").then_some(Route::Root), "GET"),
        ["health"] => ((verb == "GET").then_some(Route::Health), "GET"),
        ["v1", "ping"] => ((verb == "GET").then_some(Route::Ping), "GET"),
        ["v3", "memories", "add"] => ((verb == "POST").then_some(Route::Add), "POST"),
        ["v3", "memories", "search"] => ((verb == "POST").then_some(Route::Search), "POST"),
        ["v3", "memories"] => ((verb == "POST").then_some(Route::List), "POST"),
        ["v1", "memories"] => ((verb == "DELETE").then_some(Route::DeleteAll), "DELETE"),
        ["v1", "memories", id] => {
            let id = (*id).to_owned();
            let route = match verb {
                "GET" => Some(Route::Get(id)),
                "PUT" => Some(Route::Update(id)),
                "DELETE" => Some(Route::Delete(id)),
                _ => None,
            };
            (route, "GET, PUT, DELETE")
        }
        ["v1", "memories", id, "history"] => (
            (verb == "GET").then(|| Route::History((*id).to_owned())),
            "GET",
        ),
        ["v1", "event", id] => (
            (verb == "GET").then(|| Route::Event((*id).to_owned())),
            "GET",
        ),
        ["v1", "graph"] => ((verb == "GET").then_some(Route::Graph), "GET"),
        ["v1", "graph", "export"] => ((verb == "GET").then_some(Route::Export), "GET"),
        ["v1", "graph", "path"] => ((verb == "GET").then_some(Route::Path), "GET"),
        ["v1", "graph", "entities", id] => (
            (verb == "GET").then(|| Route::Entity((*id).to_owned())),
            "GET",
        ),
        ["v1", "graph", "entities", id, "merge"] => (
            (verb == "POST").then(|| Route::Merge((*id).to_owned())),
            "POST",
        ),
        ["v1", "graph", "entities", id, "split"] => (
            (verb == "POST").then(|| Route::Split((*id).to_owned())),
            "POST",
        ),
        ["v1", "context"] => ((verb == "POST").then_some(Route::Context), "POST"),
        ["v1", "timeline"] => ((verb == "GET").then_some(Route::Timeline), "GET"),
        ["v1", "contradictions"] => ((verb == "GET").then_some(Route::Contradictions), "GET"),
        ["v1", "contradictions", id, "resolve"] => (
            (verb == "POST").then(|| Route::Resolve((*id).to_owned())),
            "POST",
        ),
        ["v1", "stats"] => ((verb == "GET").then_some(Route::Stats), "GET"),
        _ => return Err(Refusal::of_path()),
    };
    route.ok_or_else(|| Refusal::of_method(method, allow))
}

/// A request that a space can answer.
#[derive(Debug)]
pub(super) struct Read {
    pub space: SpaceHash,
    pub owner: Option<Owner>,
    pub operation: Operation,
    /// How the reply is written.
    pub shape: Shape,
    /// Whether the caller waits until an add is done.
    pub wait: bool,
}

impl Read {
    fn of_owner(owner: Owner, operation: Operation, shape: Shape) -> Self {
        Self {
            space: owner.space_hash(),
            owner: Some(owner),
            operation,
            shape,
            wait: false,
        }
    }

    fn of_id(id: Id, operation: Operation, shape: Shape) -> Self {
        Self {
            space: id.space(),
            owner: None,
            operation,
            shape,
            wait: false,
        }
    }
}

/// Reads a request of a route that needs a space.
pub(super) fn read(route: &Route, target: &Target<'_>, body: &[u8]) -> Result<Read, Problem> {
    if body.len() > MAX_BODY_BYTES {
        return Err(body_too_large());
    }
    let query = || Fields::of_query(target.query);
    match route {
        Route::Add => add::read(&Fields::of_body(body)?),
        Route::Search => query::search(&Fields::of_body(body)?),
        Route::List => query::list(&query().or(Fields::of_body(body)?), target),
        Route::DeleteAll => query::delete_all(&query().or(Fields::of_body(body)?)),
        Route::Update(id) => query::update(memory_id(id)?, &Fields::of_body(body)?),
        Route::Graph => graph::read(&query(), target),
        Route::Export => graph::export(&query()),
        Route::Path => graph::path(&query()),
        Route::Entity(name) => graph::entity(name, &query()),
        Route::Merge(name) => graph::merge(name, &query().or(Fields::of_body(body)?)),
        Route::Split(name) => graph::split(name, &query().or(Fields::of_body(body)?)),
        Route::Context => context::context(&Fields::of_body(body)?),
        Route::Timeline => context::timeline(&query()),
        Route::Contradictions => graph::contradictions(&query()),
        Route::Resolve(id) => {
            let id = id.parse().map_err(|_| {
                refused(
                    "bad_contradiction_id",
                    "the id of a contradiction should be a valid UUID",
                )
            })?;
            graph::resolve(id, &Fields::of_body(body)?)
        }
        Route::Stats => query::stats(&query()),
        Route::Get(id) => {
            let id = memory_id(id)?;
            Ok(Read::of_id(id, Operation::Get { id }, Shape::Memory))
        }
        Route::Delete(id) => {
            let id = memory_id(id)?;
            Ok(match query().flag("delete_linked", false)? {
                true => Read::of_id(id, Operation::DeleteLinked { id }, Shape::DeletedLinked),
                false => Read::of_id(id, Operation::Delete { id }, Shape::Deleted),
            })
        }
        Route::History(id) => {
            let id = memory_id(id)?;
            Ok(Read::of_id(id, Operation::History { id }, Shape::History))
        }
        Route::Event(id) => {
            let id = id
                .parse()
                .map_err(|_| refused("bad_event_id", "event_id should be a valid UUID"))?;
            Ok(Read::of_id(id, Operation::Event { id }, Shape::Event))
        }
        Route::Root | Route::Health | Route::Ping => Err(Problem::new(
            500,
            "no_operation",
            "this route asks nothing of a space",
        )),
    }
}

fn memory_id(text: &str) -> Result<Id, Problem> {
    text.parse()
        .map_err(|error: IdError| refused("bad_memory_id", error.to_string()))
}

/// Writes the body of the response, of the shape's [`Shape::content_type`].
pub(super) fn write(shape: &Shape, reply: &Reply) -> Result<Vec<u8>, Problem> {
    match shape {
        Shape::Export { format, space } => shapes::export(*format, space, reply),
        shape => shapes::json(shape, reply),
    }
}

#[cfg(test)]
mod tests;
