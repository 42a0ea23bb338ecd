//! What came of a request, and what is asked of a space for it.

use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::access::{Caller, Lookup, Project};
use super::wire::{self, problem_response};
use super::{hosted, mcp};
use crate::memory::{EventStatus, Owner, Problem, SpaceHash};
use crate::operation::{Operation, Reply};

/// What is asked of a space, and how the reply is to be written when it is the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// What to do.
    pub operation: Operation,
    shape: Option<hosted::Shape>,
    /// Whether it counts as a request of a client: it does once, however often the space is asked for it.
    #[serde(default)]
    pub is_counted: bool,
    /// What goes around the answer to an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) envelope: Option<mcp::Envelope>,
}

/// What came of a request.
#[derive(Debug)]
pub enum Received {
    /// The answer is known without asking a space.
    Answer(Response<Vec<u8>>),
    /// A space must be asked.
    Call(Box<Call>),
    /// Several spaces must be asked, or the directory.
    Work(Box<Work>),
    /// The directory must say who calls: [`Gateway::receive_from`](super::Gateway::receive_from) goes on.
    Unknown(Box<Lookup>),
}

/// A request of an authenticated client that several spaces, or the directory, answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Whose key it came with.
    pub project: Project,
    /// Names the key, or the user of the token, without saying it: its requests are counted by it.
    pub caller: String,
    pub(super) task: hosted::Task,
    pub(super) envelope: Option<mcp::Envelope>,
    pub(super) origin: Option<String>,
}

/// A request of an authenticated client to one space.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Whose key it came with. Spaces of two projects never share a store.
    pub project: Project,
    /// Names the key, or the user of the token, without saying it: its requests are counted by it.
    pub caller: String,
    /// The space within the project.
    pub space: SpaceHash,
    /// The owner of the space; `None` when only an id was given, and so the space exists already
    /// or the answer is "not found".
    pub owner: Option<Owner>,
    /// What to ask first.
    pub operation: Operation,
    pub(super) shape: hosted::Shape,
    pub(super) envelope: Option<mcp::Envelope>,
    wait: bool,
    /// Whether nothing was asked for it yet.
    is_new: bool,
    pub(super) origin: Option<String>,
}

impl Received {
    /// Whose requests are counted; `None` when nobody is asked anything.
    pub fn caller(&self) -> Option<&str> {
        match self {
            Self::Call(call) => Some(&call.caller),
            Self::Work(work) => Some(&work.caller),
            Self::Answer(_) | Self::Unknown(_) => None,
        }
    }

    pub(super) fn new(
        caller: Caller,
        todo: hosted::Todo,
        envelope: Option<mcp::Envelope>,
        origin: Option<&str>,
    ) -> Self {
        let origin = origin.map(str::to_owned);
        let Caller { project, name, .. } = caller;
        match todo {
            hosted::Todo::Task(task) => Self::Work(Box::new(Work {
                project,
                caller: name,
                task,
                envelope,
                origin,
            })),
            hosted::Todo::Read(read) => Self::Call(Box::new(Call {
                project,
                caller: name,
                space: read.space,
                owner: read.owner,
                operation: read.operation,
                shape: read.shape,
                envelope,
                wait: read.wait,
                is_new: true,
                origin,
            })),
        }
    }
}

impl Order {
    /// Asks for the reply itself.
    pub fn of(operation: Operation) -> Self {
        Self {
            operation,
            shape: None,
            is_counted: false,
            envelope: None,
        }
    }

    /// The response to the request that this came from; the reply itself when more is to be asked.
    ///
    /// # Errors
    /// With the reply.
    pub fn answer(
        &self,
        reply: Result<Reply, Problem>,
    ) -> Result<Response<Vec<u8>>, Result<Reply, Problem>> {
        match &self.shape {
            Some(shape) => Ok(written(shape, self.envelope.as_ref(), reply)),
            None => Err(reply),
        }
    }
}

pub(super) fn written(
    shape: &hosted::Shape,
    envelope: Option<&mcp::Envelope>,
    reply: Result<Reply, Problem>,
) -> Response<Vec<u8>> {
    let answer = match reply.and_then(|reply| hosted::write(shape, &reply)) {
        Ok(body) => wire::response_of(shape.status(), shape.content_type(), body),
        Err(problem) => match shape.instead_of(&problem) {
            Some(body) => wire::json_response(StatusCode::OK, &body),
            None => problem_response(&problem),
        },
    };
    match envelope {
        Some(envelope) => envelope.wrap(&answer),
        None => answer,
    }
}

impl Call {
    /// What to send to the space, which answers it by [`Order::answer`].
    pub fn order(&self) -> Order {
        Order {
            operation: self.operation.clone(),
            shape: (!self.wait).then(|| self.shape.clone()),
            is_counted: self.is_new,
            envelope: self.envelope.clone(),
        }
    }

    /// What to ask of the space after this reply; `None` when the reply is the last. A caller who
    /// wants to wait for an add has its job run, and then its event read.
    pub fn next(&mut self, reply: &Result<Reply, Problem>) -> Option<Operation> {
        let next = self.wait.then(|| after(&self.operation, reply)).flatten()?;
        self.operation = next.clone();
        self.is_new = false;
        Some(next)
    }
}

/// What a caller who waits for an add asks after this reply.
pub(super) fn after(operation: &Operation, reply: &Result<Reply, Problem>) -> Option<Operation> {
    match (operation, reply) {
        (Operation::Add(_), Ok(Reply::Event(event))) if is_open(event.status) => {
            Some(Operation::RunJobs {
                event: Some(event.id),
            })
        }
        (Operation::RunJobs { event: Some(event) }, Ok(Reply::Ran { .. })) => {
            Some(Operation::Event { id: *event })
        }
        _ => None,
    }
}

pub(super) fn is_open(status: EventStatus) -> bool {
    matches!(status, EventStatus::Pending | EventStatus::Running)
}
