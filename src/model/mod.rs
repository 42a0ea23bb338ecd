//! Models: the LLM that extracts and decides, the embedder, and, if wanted, one that reorders hits.
//!
//! They are traits; a provider turns them into requests over the host's [`Http`].

pub mod builtin;
pub mod config;
pub mod files;
mod http;
pub mod openai;
pub mod prompts;
pub mod reading;
pub mod workers_ai;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use thiserror::Error;

pub use self::http::{Download, Http, HttpError, Request, Response};

/// What a reply should look like.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Prose.
    Text,
    /// One JSON object.
    Json {
        /// The name of the shape, `[a-z_]+`.
        name: &'static str,
        /// Its JSON Schema, in the strict subset (every property required, no others allowed).
        schema: Value,
    },
    /// Calls of these tools.
    Tools(Vec<ToolSpec>),
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name, `[a-z_]+`.
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// The JSON Schema of its arguments, in the strict subset.
    pub parameters: Value,
}

/// One turn of the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// From us.
    User(String),
    /// From us, with a file to look at.
    Shown {
        /// The words.
        text: String,
        /// The file.
        file: ShownFile,
    },
    /// From the model: what it answered before, when a repair is asked for.
    Assistant(String),
}

/// A file that a model is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFile {
    /// `image/png`, `image/jpeg`, `image/gif`, `image/webp` or `application/pdf`.
    pub media_type: &'static str,
    /// Its bytes in standard base64.
    pub base64: String,
}

impl ShownFile {
    /// Whether it is an image; else it is a document.
    pub fn is_image(&self) -> bool {
        self.media_type.starts_with("image/")
    }

    /// About how many tokens it takes: of an image a thousand, of a document two thousand for a page of 50 KB.
    pub fn tokens(&self) -> usize {
        match self.is_image() {
            true => 1_000,
            false => 2_000 * (1 + self.base64.len() / 65_536),
        }
    }

    /// All of it as an address.
    pub fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.media_type, self.base64)
    }
}

/// One question to a chat model.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// Instructions.
    pub system: String,
    /// The conversation so far; the last turn is ours.
    pub turns: Vec<Turn>,
    /// The shape of the reply.
    pub output: Output,
    /// The most tokens to answer with.
    pub max_tokens: u32,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool's name as the model wrote it.
    pub name: String,
    /// Its arguments: JSON text as the model wrote it, not yet read.
    pub arguments: String,
}

/// Why a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Done,
    /// It ran out of tokens.
    Length,
    /// It, or a filter before it, refused.
    Refused,
}

/// A chat model's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatReply {
    /// The text; empty when there are only tool calls.
    pub content: String,
    /// The tool calls.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// What it cost, when the provider said.
    pub tokens: Option<Tokens>,
}

/// Tokens of a question and its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
}

impl Tokens {
    /// The `usage` of an answer, in the words of any provider. One that counts nothing says nothing.
    pub(crate) fn of(answer: &Value) -> Option<Self> {
        let usage = answer.get("usage")?;
        let count = |names: [&str; 2]| names.iter().find_map(|name| usage.get(name)?.as_u64());
        let input = count(["prompt_tokens", "input_tokens"]).filter(|count| *count > 0);
        Some(Self {
            input: input?,
            output: count(["completion_tokens", "output_tokens"])?,
        })
    }
}

/// A language model.
pub trait ChatModel {
    /// Provider and model, for messages and events: `gpt-5-mini at https://api.openai.com/v1`.
    fn name(&self) -> &str;

    /// Asks once. Retries, back-off and time-outs are the provider's.
    ///
    /// # Errors
    /// See [`ModelError`].
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>>;
}

/// Turns texts into vectors.
pub trait Embedder {
    /// What a space remembers of its embedder: vectors of different names do not compare.
    fn name(&self) -> &str;

    /// Embeds a batch. The answer has one vector of unit length for each text, in order; an
    /// all-zero vector stands for a text without a known word.
    ///
    /// # Errors
    /// See [`ModelError`].
    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>>;

    /// Whether it knows the language of a text, as far as that can be told without asking it.
    fn knows(&self, text: &str) -> bool {
        let _ = text;
        true
    }
}

/// Scales a vector to unit length. One that has it, but for rounding, stays as it is, and so does an all-zero one.
pub fn unit(vector: &mut [f32]) {
    let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    if square > 0.0 && (square - 1.0).abs() > 1e-5 {
        let length = square.sqrt();
        for x in vector {
            *x = (f64::from(*x) / length) as f32;
        }
    }
}

/// Says how well texts answer a question.
pub trait Reranker {
    /// Provider and model, for messages.
    fn name(&self) -> &str;

    /// For each text, in order, how well it answers: higher is better, of whatever scale.
    ///
    /// # Errors
    /// See [`ModelError`].
    fn rerank<'a>(
        &'a self,
        query: &'a str,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<f32>, ModelError>>;
}

/// Why a model did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// No answer in time.
    #[error("{model} did not answer within {seconds} s")]
    Timeout {
        /// Which model.
        model: String,
        /// How long we waited.
        seconds: u64,
    },
    /// The connection failed.
    #[error("{model} cannot be reached: {reason}")]
    Unreachable {
        /// Which model.
        model: String,
        /// What the host said.
        reason: String,
    },
    /// The provider asks us to slow down.
    #[error("{model} is rate limited (HTTP 429)")]
    RateLimited {
        /// Which model.
        model: String,
        /// How long it asks us to wait, if it said.
        retry_after_ms: Option<u64>,
    },
    /// The provider failed.
    #[error("{model} failed (HTTP {status}): {reason}")]
    Unavailable {
        /// Which model.
        model: String,
        /// The HTTP status, 500 or above.
        status: u16,
        /// The start of its answer.
        reason: String,
    },
    /// The provider refused the request; asking again will not help.
    #[error("{model} refused the request (HTTP {status}): {reason}")]
    Rejected {
        /// Which model.
        model: String,
        /// The HTTP status.
        status: u16,
        /// The start of its answer.
        reason: String,
    },
    /// The model, or a filter before it, refused to answer.
    #[error("{model} refused to answer")]
    Refused {
        /// Which model.
        model: String,
    },
    /// The answer is not what was asked for.
    #[error("{model} answered something that cannot be read: {reason}")]
    Unreadable {
        /// Which model.
        model: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ModelError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        !matches!(self, ModelError::Rejected { .. })
    }

    /// A stable code for clients.
    pub fn code(&self) -> &'static str {
        match self {
            ModelError::Timeout { .. } => "model_timeout",
            ModelError::Unreachable { .. } => "model_unreachable",
            ModelError::RateLimited { .. } => "model_rate_limited",
            ModelError::Unavailable { .. } => "model_unavailable",
            ModelError::Rejected { .. } => "model_rejected",
            ModelError::Refused { .. } => "model_refused",
            ModelError::Unreadable { .. } => "model_unreadable",
        }
    }
}
