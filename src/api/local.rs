//! Requests of a program that holds the memory itself: the same paths and bodies, no key and no origin.

use super::wire::Target;
use super::{after, hosted};
use crate::memory::{Owner, Problem, SpaceHash};
use crate::operation::{Operation, Reply};

/// A request to one of a program's own spaces.
///
/// ```text
/// let mut request = Local::read(method, target, body)?;
/// let mut reply = ask request.space to do request.operation;
/// while let Some(operation) = request.next(&reply) {
///     reply = ask the same space to do operation;
/// }
/// request.write(reply)
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// The space.
    pub space: SpaceHash,
    /// The owner of the space; `None` when only an id was given.
    pub owner: Option<Owner>,
    /// What to ask first.
    pub operation: Operation,
    shape: hosted::Shape,
    wait: bool,
}

impl Local {
    /// Reads a request to a path with its query. The routes that tell of a server are not among those that it knows.
    ///
    /// # Errors
    /// With what the Worker would answer.
    pub fn read(method: &str, target: &str, body: &[u8]) -> Result<Self, Problem> {
        let target = Target::of(target);
        let route = hosted::route(method, target.path).map_err(hosted::Refusal::into_problem)?;
        let read = hosted::read(&route, &target, body)?;
        Ok(Self {
            space: read.space,
            owner: read.owner,
            operation: read.operation,
            shape: read.shape,
            wait: read.wait,
        })
    }

    /// What to ask of the space after this reply; `None` when the reply is the last.
    pub fn next(&mut self, reply: &Result<Reply, Problem>) -> Option<Operation> {
        let next = self.wait.then(|| after(&self.operation, reply)).flatten()?;
        self.operation = next.clone();
        Some(next)
    }

    /// The body of the answer, from the space's last reply.
    ///
    /// # Errors
    /// With the space's own.
    pub fn write(&self, reply: Result<Reply, Problem>) -> Result<Vec<u8>, Problem> {
        hosted::write(&self.shape, &reply?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, target: &str, body: &str) -> Result<Local, String> {
        let read = Local::read(method, target, body.as_bytes());
        read.map_err(|problem| problem.code)
    }

    #[test]
    fn a_program_asks_as_a_client_of_the_worker_does() {
        let body = r#"{"messages": "hi", "user_id": "u", "async_mode": false}"#;
        let add = read("POST", "/v3/memories/add/", body).unwrap();
        assert!(add.wait && matches!(add.operation, Operation::Add(_)));
        assert_eq!(add.owner.unwrap().space_hash(), add.space);
        let gone = Problem::new(404, "memory_not_found", "gone");
        let get = read(
            "GET",
            "/v1/memories/3f2504e0-4f89-81d3-9a0c-0305e82c3301/",
            "",
        );
        assert_eq!(get.unwrap().write(Err(gone.clone())), Err(gone));
    }

    #[test]
    fn what_is_no_request_is_refused_as_the_worker_refuses_it() {
        for (method, target, body, code) in [
            ("GET", "/v9/", "", "no_such_route"),
            ("PATCH", "/v3/memories/", "", "method_not_allowed"),
            ("GET", "/v1/memories/x/", "", "bad_memory_id"),
            (
                "POST",
                "/v3/memories/search/",
                r#"{"query": "x"}"#,
                "scope_required",
            ),
            ("GET", "/health", "", "no_operation"),
        ] {
            assert_eq!(read(method, target, body).unwrap_err(), code, "{target}");
        }
    }
}
