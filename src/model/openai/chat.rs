//! The chat model.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use super::dialect::Dialect;
use super::endpoint::Endpoint;
use super::reply::{has_json, read_reply};
use super::request::body;
use super::retry::{Failure, Line, rejected};
use crate::compact::to_json;
use crate::model::{ChatModel, ChatReply, ChatRequest, Finish, Http, ModelError, Output};

/// A chat model behind an OpenAI-compatible endpoint.
///
/// One JSON object is asked for by `response_format: json_schema`, else `json_object`, else one
/// forced function, else by instructions alone; tool calls by `tool_choice: required`, else
/// `auto`, else by instructions. Parameters that the endpoint refuses (`max_tokens`,
/// `temperature`, …) are renamed or left out. What worked is remembered.
pub struct OpenAiChat {
    http: Rc<dyn Http>,
    endpoint: Endpoint,
    model: String,
    name: String,
    dialect: Cell<Dialect>,
}

impl OpenAiChat {
    /// The model of that name at an endpoint.
    pub fn new(http: Rc<dyn Http>, endpoint: Endpoint, model: impl Into<String>) -> Self {
        let model = model.into();
        let name = format!("{model} at {}", endpoint.base_url());
        let dialect = Cell::new(Dialect::expected(endpoint.base_url(), &model));
        OpenAiChat {
            http,
            endpoint,
            model,
            name,
            dialect,
        }
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatReply, ModelError> {
        let line = Line {
            http: self.http.as_ref(),
            endpoint: &self.endpoint,
            model: &self.name,
        };
        let mut dialect = self.dialect.get();
        let mut cause = None;
        loop {
            let (status, refusal) = match line
                .post("chat/completions", &body(&self.model, request, dialect))
                .await
            {
                Ok(answer) => {
                    let reply = read_reply(&answer, &request.output)
                        .ok_or_else(|| self.unreadable(&answer))?;
                    self.dialect.set(self.dialect.get().learned(
                        dialect,
                        &request.output,
                        brought(&reply, &request.output),
                    ));
                    return Ok(reply);
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Refused { status, body }) => (status, body),
            };
            let adapted = dialect.adapted(status, &refusal, &request.output);
            // After a guess that did not help, the refusal that led to it is the one to report.
            let (status, refusal) = cause.take().unwrap_or((status, refusal));
            let Some(adapted) = adapted else {
                return Err(rejected(&self.name, status, &refusal));
            };
            if !adapted.named {
                cause = Some((status, refusal));
            }
            dialect = adapted.dialect;
        }
    }

    fn unreadable(&self, answer: &serde_json::Value) -> ModelError {
        let start: String = to_json(answer).chars().take(200).collect();
        ModelError::Unreadable {
            model: self.name.clone(),
            reason: format!("no message in {}", self.endpoint.scrub(&start)),
        }
    }
}

impl ChatModel for OpenAiChat {
    fn name(&self) -> &str {
        &self.name
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        Box::pin(self.ask(request))
    }
}

/// Whether a reply has the output that was asked for; `None` when its lack says nothing about the
/// form of the request.
fn brought(reply: &ChatReply, output: &Output) -> Option<bool> {
    let brought = match output {
        Output::Text => true,
        Output::Json { .. } => has_json(&reply.content),
        Output::Tools(_) => !reply.tool_calls.is_empty(),
    };
    let telling = reply.finish == Finish::Done && !reply.content.trim().is_empty();
    (brought || telling).then_some(brought)
}
