//! What the host supplies, as a space asks for it: models, time, randomness.

use std::rc::Rc;

use edgemem::memory::Moment;
use edgemem::model::{
    ChatModel, ChatReply, ChatRequest, Embedder, Finish, ModelError, Output, ToolCall, Turn,
};
use edgemem::space::{Host, Settings};
use futures_util::future::LocalBoxFuture;

use crate::bindings::edgemem::memory::{chat, clock, embed, random};
use crate::limit::Limit;
use crate::storage::HostStorage;

/// What the host supplies to one space.
pub struct ComponentHost {
    pub storage: Rc<HostStorage>,
    pub settings: Settings,
}

impl Host for ComponentHost {
    type Storage = HostStorage;

    const SERVES: bool = false;

    fn storage(&self) -> &HostStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        Moment::from_millis(clock::now())
    }

    fn random(&self) -> u64 {
        random::bits()
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    /// WebAssembly never gives any memory back.
    fn memory(&self) -> Option<usize> {
        Some(core::arch::wasm32::memory_size::<0>() << 16)
    }
}

/// The host's language model.
pub struct HostChat {
    pub name: String,
    pub limit: Limit,
}

impl ChatModel for HostChat {
    fn name(&self) -> &str {
        &self.name
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            let is_shown = |turn: &Turn| matches!(turn, Turn::Shown { .. });
            if request.turns.iter().any(is_shown) {
                return Err(ModelError::Rejected {
                    model: self.name.clone(),
                    status: 501,
                    reason: "the host's model is asked in words alone".to_owned(),
                });
            }
            let asked = chat::ask(asked(request));
            let answer = answered(&self.name, self.limit, asked).await?;
            Ok(ChatReply {
                content: answer.content,
                tool_calls: answer.tool_calls.into_iter().map(tool_call).collect(),
                finish: match answer.finish {
                    chat::Finish::Done => Finish::Done,
                    chat::Finish::Length => Finish::Length,
                    chat::Finish::Refused => Finish::Refused,
                },
                tokens: None,
            })
        })
    }
}

/// The host's embedding model.
pub struct HostEmbedder {
    pub name: String,
    pub limit: Limit,
}

impl Embedder for HostEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> {
        Box::pin(async move {
            let asked = embed::texts(texts.to_vec());
            let vectors = answered(&self.name, self.limit, asked).await?;
            match wrong(&vectors, texts.len()) {
                None => Ok(vectors),
                Some(reason) => Err(ModelError::Unreadable {
                    model: self.name.clone(),
                    reason,
                }),
            }
        })
    }
}

/// What is wrong with the vectors of so many texts.
fn wrong(vectors: &[Vec<f32>], texts: usize) -> Option<String> {
    if vectors.len() != texts {
        return Some(format!("{} vectors for {texts} texts", vectors.len()));
    }
    let length = vectors.first().map_or(1, Vec::len);
    if length == 0 || vectors.iter().any(|vector| vector.len() != length) {
        return Some("vectors that are empty or of different lengths".to_owned());
    }
    let all_finite = vectors.iter().flatten().all(|number| number.is_finite());
    (!all_finite).then(|| "a vector with something that is no number".to_owned())
}

async fn answered<T>(
    name: &str,
    limit: Limit,
    asked: impl Future<Output = Result<T, chat::ModelError>>,
) -> Result<T, ModelError> {
    let model = name.to_owned();
    match limit.on(asked).await {
        None => Err(ModelError::Timeout {
            model,
            seconds: limit.millis.div_ceil(1_000),
        }),
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) => Err(match error {
            chat::ModelError::Unreachable(reason) => ModelError::Unreachable { model, reason },
            chat::ModelError::RateLimited(retry_after_ms) => ModelError::RateLimited {
                model,
                retry_after_ms,
            },
            chat::ModelError::Unavailable(chat::Failure { status, reason }) => {
                ModelError::Unavailable {
                    model,
                    status,
                    reason,
                }
            }
            chat::ModelError::Rejected(chat::Failure { status, reason }) => ModelError::Rejected {
                model,
                status,
                reason,
            },
            chat::ModelError::Refused => ModelError::Refused { model },
        }),
    }
}

fn asked(request: &ChatRequest) -> chat::Request {
    chat::Request {
        system: request.system.clone(),
        turns: request.turns.iter().map(turn).collect(),
        output: match &request.output {
            Output::Text => chat::Output::Text,
            Output::Json { name, schema } => chat::Output::Json(chat::JsonObject {
                name: (*name).to_owned(),
                schema: schema.to_string(),
            }),
            Output::Tools(tools) => {
                let tools = tools.iter().map(|tool| chat::Tool {
                    name: tool.name.to_owned(),
                    description: tool.description.to_owned(),
                    parameters: tool.parameters.to_string(),
                });
                chat::Output::Tools(tools.collect())
            }
        },
        max_tokens: request.max_tokens,
    }
}

fn turn(turn: &Turn) -> chat::Turn {
    let (from, text) = match turn {
        Turn::User(text) => (chat::TurnOf::User, text),
        // Refused before.
        Turn::Shown { text, .. } => (chat::TurnOf::User, text),
        Turn::Assistant(text) => (chat::TurnOf::Assistant, text),
    };
    chat::Turn {
        from,
        text: text.clone(),
    }
}

fn tool_call(call: chat::ToolCall) -> ToolCall {
    ToolCall {
        name: call.name,
        arguments: call.arguments,
    }
}
