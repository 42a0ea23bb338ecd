//! The models that the Worker's variables and bindings describe.

use std::rc::Rc;

use edgemem::api::{About, USER_LIMIT_VARIABLE, read_limit};
use edgemem::memory::Problem;
use edgemem::model::config::{ConfigError, EmbedderConfig, LlmConfig, ModelConfig};
use edgemem::model::files::Files;
use edgemem::model::openai::{OpenAiChat, OpenAiEmbedder, RerankModel};
use edgemem::model::{ChatModel, Embedder, Http, Reranker};
use edgemem::space::{Models, Settings};
use thiserror::Error;
use wasm_bindgen::JsValue;
use worker::{Env, js_sys};

use crate::ai::WorkersAi;
use crate::assets::{AssetError, builtin_embedder};
use crate::http::WorkerHttp;

/// Why there are no models.
#[derive(Debug, Error)]
enum ModelsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Asset(#[from] AssetError),
    #[error(
        "{variable} asks for Workers AI, but the Worker has no binding AI: add `[ai]` with \
         `binding = \"AI\"` to wrangler.toml"
    )]
    NoBinding { variable: &'static str },
}

impl From<ModelsError> for Problem {
    fn from(error: ModelsError) -> Self {
        Problem::new(500, "bad_configuration", error.to_string())
    }
}

/// A variable or secret of the Worker.
pub fn variable(env: &Env, name: &str) -> Option<String> {
    js_sys::Reflect::get(env, &JsValue::from_str(name))
        .ok()?
        .as_string()
}

/// The models of a space.
///
/// # Errors
/// When a variable is wrong or a binding or an asset is missing; the message says which.
pub async fn models(env: &Env) -> Result<Models, Problem> {
    Ok(load(env).await?)
}

/// What is set for spaces.
///
/// # Errors
/// When a variable is wrong; the message says which.
pub fn settings(env: &Env) -> Result<Settings, Problem> {
    let settings = Settings::from_env(|name| variable(env, name));
    Ok(settings.map_err(ModelsError::from)?)
}

async fn load(env: &Env) -> Result<Models, ModelsError> {
    let config = ModelConfig::from_env(|name| variable(env, name))?;
    let http: Rc<dyn Http> = Rc::new(WorkerHttp);
    let workers_ai = |variable, model| {
        let ai = WorkersAi::new(env, model);
        ai.map(Rc::new).ok_or(ModelsError::NoBinding { variable })
    };
    let chat: Option<Rc<dyn ChatModel>> = match config.llm {
        LlmConfig::None => None,
        LlmConfig::OpenAi { endpoint, model } => {
            Some(Rc::new(OpenAiChat::new(http.clone(), endpoint, model)))
        }
        LlmConfig::WorkersAi { model } => Some(workers_ai("EDGEMEM_LLM_PROVIDER", model)?),
    };
    let files = config
        .files
        .map(|origins| Rc::new(Files::new(http.clone(), origins)));
    let reranker = config.reranker.map(|config| {
        let model = RerankModel::new(http.clone(), config.endpoint, config.model);
        Rc::new(model) as Rc<dyn Reranker>
    });
    let embedder: Rc<dyn Embedder> = match config.embedder {
        EmbedderConfig::Builtin => builtin_embedder(env).await?,
        EmbedderConfig::OpenAi {
            endpoint,
            model,
            dimensions,
        } => Rc::new(OpenAiEmbedder::new(http, endpoint, model, dimensions)),
        EmbedderConfig::WorkersAi { model } => workers_ai("EDGEMEM_EMBEDDER_PROVIDER", model)?,
    };
    Ok(Models {
        chat,
        embedder,
        reranker,
        files,
    })
}

/// What the server tells of itself.
pub fn about(env: &Env) -> About {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let settings = Settings::from_env(|name| variable(env, name)).err();
    let limit = read_limit(variable(env, USER_LIMIT_VARIABLE).as_deref()).err();
    let mut problems: Vec<String> = settings
        .map(|error| error.to_string())
        .into_iter()
        .collect();
    problems.extend(limit);
    match ModelConfig::from_env(|name| variable(env, name)) {
        Ok(config) => About {
            version,
            chat_model: match config.llm {
                LlmConfig::None => None,
                LlmConfig::OpenAi { endpoint, model } => {
                    Some(format!("{model} at {}", endpoint.base_url()))
                }
                LlmConfig::WorkersAi { model } => Some(model),
            },
            embedder: Some(match config.embedder {
                EmbedderConfig::Builtin => "builtin".to_owned(),
                EmbedderConfig::OpenAi { model, .. } | EmbedderConfig::WorkersAi { model } => model,
            }),
            reranker: config
                .reranker
                .map(|config| format!("{} at {}", config.model, config.endpoint.base_url())),
            problems,
        },
        Err(error) => {
            problems.push(error.to_string());
            About {
                version,
                problems,
                ..About::default()
            }
        }
    }
}
