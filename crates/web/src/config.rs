//! Which models to use.

use std::rc::Rc;

use edgemem::index::VectorIndexKind;
use edgemem::memory::Problem;
use edgemem::model::builtin::StaticEmbedder;
use edgemem::model::openai::{
    Endpoint, EndpointError, OpenAiChat, OpenAiEmbedder, RerankModel, Secret,
};
use edgemem::model::{ChatModel, Embedder, Http, Reranker};
use edgemem::space::{Models, Settings};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::host::Host;
use crate::http::HostHttp;

/// What a program sets. The words are those of the npm package's options.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    llm: Option<Model>,
    embedder: Option<Model>,
    reranker: Option<Model>,
    /// How much memory the indexes of a space may take.
    megabytes: Option<usize>,
    vector_index: Option<String>,
}

/// A model behind an OpenAI-compatible endpoint.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    #[serde(rename = "baseURL")]
    base_url: String,
    api_key: Option<String>,
    model: String,
    #[serde(default)]
    headers: Map<String, Value>,
    /// How long one attempt may take, in seconds.
    timeout: Option<u64>,
    /// The length of vectors to ask for.
    dimensions: Option<usize>,
}

impl Config {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(json: &str) -> Result<Self, Problem> {
        let config: Self =
            serde_json::from_slice(json.as_bytes()).map_err(|error| bad(&error.to_string()))?;
        let index = config.vector_index.as_deref();
        if index.is_some_and(|name| VectorIndexKind::named(name).is_none()) {
            return Err(bad("vectorIndex must be auto, flat or hnsw"));
        }
        Ok(config)
    }

    /// What is set for spaces.
    pub fn settings(&self) -> Settings {
        let defaults = Settings::default();
        let index = self.vector_index.as_deref();
        Settings {
            vector_index: index
                .and_then(VectorIndexKind::named)
                .unwrap_or(defaults.vector_index),
            budget: self.megabytes.map_or(defaults.budget, |size| size << 20),
            ..defaults
        }
    }

    /// The models, over the host's network; `table` is the builtin embedder's file.
    ///
    /// # Errors
    /// When an endpoint cannot be used, or there is no embedder.
    pub fn models(&self, host: &Rc<Host>, table: Option<Vec<u8>>) -> Result<Models, Problem> {
        let http = |model| Rc::new(HostHttp::new(host.clone(), model)) as Rc<dyn Http>;
        let chat = self.llm.as_ref().map(|llm| {
            let chat = OpenAiChat::new(http("llm"), llm.endpoint("llm")?, &*llm.model);
            Ok::<_, Problem>(Rc::new(chat) as Rc<dyn ChatModel>)
        });
        let embedder: Rc<dyn Embedder> = match (&self.embedder, table) {
            (Some(model), _) => Rc::new(OpenAiEmbedder::new(
                http("embedder"),
                model.endpoint("embedder")?,
                &*model.model,
                model.dimensions,
            )),
            (None, Some(table)) => {
                let builtin = StaticEmbedder::from_bytes(table);
                Rc::new(builtin.map_err(|error| bad(&error.to_string()))?)
            }
            (None, None) => return Err(bad("the builtin embedder's table is missing")),
        };
        let reranker = self.reranker.as_ref().map(|model| {
            let endpoint = model.endpoint("reranker")?;
            let reranker = RerankModel::new(http("reranker"), endpoint, &*model.model);
            Ok::<_, Problem>(Rc::new(reranker) as Rc<dyn Reranker>)
        });
        Ok(Models {
            chat: chat.transpose()?,
            embedder,
            reranker: reranker.transpose()?,
            files: None,
        })
    }
}

impl Model {
    fn endpoint(&self, which: &str) -> Result<Endpoint, Problem> {
        let wrong = |option: &str, error: EndpointError| bad(&format!("{which}.{option}: {error}"));
        let mut endpoint =
            Endpoint::new(&self.base_url).map_err(|error| wrong("baseURL", error))?;
        if let Some(seconds) = self.timeout {
            endpoint = endpoint.with_timeout_ms(seconds.saturating_mul(1_000));
        }
        if let Some(key) = &self.api_key {
            let keyed = endpoint.with_api_key(Secret::new(key));
            endpoint = keyed.map_err(|error| wrong("apiKey", error))?;
        }
        for (name, value) in &self.headers {
            let value = value.as_str();
            let value = value.ok_or_else(|| bad(&format!("{which}.headers: {name} is no text")))?;
            let headed = endpoint.with_header(name, value);
            endpoint = headed.map_err(|error| wrong("headers", error))?;
        }
        Ok(endpoint)
    }
}

fn bad(reason: &str) -> Problem {
    Problem::new(400, "bad_configuration", reason)
}
