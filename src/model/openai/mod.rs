//! Models behind an OpenAI-compatible endpoint: `chat/completions`, `embeddings` and `rerank`.
//!
//! The protocol has many dialects. Which one an endpoint speaks is found out by asking: a request
//! that it refuses is put in another form, and the form that worked is remembered for the life of
//! the provider. See [`OpenAiChat`] for the forms.

mod chat;
mod dialect;
mod embeddings;
mod endpoint;
mod reply;
mod request;
mod rerank;
mod retry;
#[cfg(test)]
mod tests;

pub use self::chat::OpenAiChat;
pub use self::embeddings::OpenAiEmbedder;
pub use self::endpoint::{Endpoint, EndpointError, Secret};
pub use self::reply::read_reply;
pub(super) use self::request::parts;
pub use self::rerank::RerankModel;
