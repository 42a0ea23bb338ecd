//! Workers AI through its binding: models without a key.

use std::pin::pin;
use std::time::Duration;

use edgemem::model::workers_ai::{
    EMBED_BATCH, chat_input, embed_input, read_chat, read_error, read_vectors,
};
use edgemem::model::{ChatModel, ChatReply, ChatRequest, Embedder, ModelError};
use futures_util::future::{Either, LocalBoxFuture, select};
use serde_json::Value;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use worker::js_sys::{JSON, Promise};
use worker::{Delay, Env, js_sys, wasm_bindgen_futures::JsFuture};

/// How long an answer may take.
const TIMEOUT_SECONDS: u64 = 60;

/// The name of the binding.
const BINDING: &str = "AI";

/// A model of Workers AI, for chat or for embeddings.
pub struct WorkersAi {
    binding: JsValue,
    model: String,
}

impl WorkersAi {
    /// The model behind the binding `AI`; `None` when the Worker has no such binding.
    pub fn new(env: &Env, model: String) -> Option<Self> {
        let binding = js_sys::Reflect::get(env, &BINDING.into()).ok()?;
        binding.is_object().then_some(Self { binding, model })
    }

    async fn run(&self, input: &Value) -> Result<Value, ModelError> {
        let failed = |error: JsValue| {
            let message = worker::Error::from(error).to_string();
            read_error(&self.model, &message)
        };
        // By way of text: objects made by serde_wasm_bindgen would be maps.
        let input = JSON::parse(&input.to_string()).map_err(failed)?;
        let promise = self
            .binding
            .unchecked_ref::<AiBinding>()
            .run(&self.model, &input)
            .map_err(failed)?;
        let wait = Delay::from(Duration::from_secs(TIMEOUT_SECONDS));
        let answer = match select(pin!(JsFuture::from(promise)), wait).await {
            Either::Left((answer, _)) => answer.map_err(failed)?,
            Either::Right(((), _)) => {
                return Err(ModelError::Timeout {
                    model: self.model.clone(),
                    seconds: TIMEOUT_SECONDS,
                });
            }
        };
        let text = JSON::stringify(&answer).map_err(failed)?;
        serde_json::from_str(&String::from(text)).map_err(|error| ModelError::Unreadable {
            model: self.model.clone(),
            reason: error.to_string(),
        })
    }
}

impl ChatModel for WorkersAi {
    fn name(&self) -> &str {
        &self.model
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            let input = chat_input(&self.model, request)?;
            read_chat(&self.model, &self.run(&input).await?)
        })
    }
}

impl Embedder for WorkersAi {
    fn name(&self) -> &str {
        &self.model
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> {
        Box::pin(async move {
            let mut vectors = Vec::with_capacity(texts.len());
            for batch in texts.chunks(EMBED_BATCH) {
                let answer = self.run(&embed_input(batch)).await?;
                vectors.extend(read_vectors(&self.model, &answer, batch.len())?);
            }
            Ok(vectors)
        })
    }
}

#[wasm_bindgen]
extern "C" {
    type AiBinding;

    #[wasm_bindgen(method, catch)]
    fn run(this: &AiBinding, model: &str, input: &JsValue) -> Result<Promise, JsValue>;
}
