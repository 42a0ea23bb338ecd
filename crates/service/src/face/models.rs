//! The models that the variables describe.

use std::rc::Rc;

use edgemem::api::About;
use edgemem::memory::Problem;
use edgemem::model::builtin::StaticEmbedder;
use edgemem::model::config::{EmbedderConfig, LlmConfig, ModelConfig};
use edgemem::model::files::Files;
use edgemem::model::openai::{OpenAiChat, OpenAiEmbedder, RerankModel};
use edgemem::model::{ChatModel, Embedder, Http, Reranker};
use edgemem::space::Models;

use super::http::HostHttp;

/// The builtin embedder's table.
const TABLE: &[u8] = include_bytes!("../../../../models/builtin.bin");

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The models of every space.
///
/// # Errors
/// When a variable is wrong; the message says which.
pub fn models(variable: Variable<'_>) -> Result<Models, Problem> {
    let config = ModelConfig::from_env(variable).map_err(|error| bad(&error.to_string()))?;
    let http: Rc<dyn Http> = Rc::new(HostHttp);
    let chat: Option<Rc<dyn ChatModel>> = match config.llm {
        LlmConfig::None => None,
        LlmConfig::OpenAi { endpoint, model } => {
            Some(Rc::new(OpenAiChat::new(http.clone(), endpoint, model)))
        }
        LlmConfig::WorkersAi { .. } => return Err(no_workers_ai("EDGEMEM_LLM_PROVIDER")),
    };
    let files = config
        .files
        .map(|origins| Rc::new(Files::new(http.clone(), origins)));
    let reranker = config.reranker.map(|config| {
        let model = RerankModel::new(http.clone(), config.endpoint, config.model);
        Rc::new(model) as Rc<dyn Reranker>
    });
    let embedder: Rc<dyn Embedder> = match config.embedder {
        EmbedderConfig::Builtin => {
            let builtin = StaticEmbedder::from_bytes(TABLE);
            Rc::new(builtin.map_err(|error| bad(&error.to_string()))?)
        }
        EmbedderConfig::OpenAi {
            endpoint,
            model,
            dimensions,
        } => Rc::new(OpenAiEmbedder::new(http, endpoint, model, dimensions)),
        EmbedderConfig::WorkersAi { .. } => return Err(no_workers_ai("EDGEMEM_EMBEDDER_PROVIDER")),
    };
    Ok(Models {
        chat,
        embedder,
        reranker,
        files,
    })
}

/// What the server tells of itself.
pub fn about(variable: Variable<'_>) -> About {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let config = match ModelConfig::from_env(variable) {
        Ok(config) => config,
        Err(error) => {
            return About {
                version,
                problems: vec![error.to_string()],
                ..About::default()
            };
        }
    };
    let chat_model = match config.llm {
        LlmConfig::None => None,
        LlmConfig::OpenAi { endpoint, model } => {
            Some(format!("{model} at {}", endpoint.base_url()))
        }
        LlmConfig::WorkersAi { model } => Some(model),
    };
    let embedder = match config.embedder {
        EmbedderConfig::Builtin => "builtin".to_owned(),
        EmbedderConfig::OpenAi { model, .. } | EmbedderConfig::WorkersAi { model } => model,
    };
    let reranker = config.reranker;
    About {
        version,
        chat_model,
        embedder: Some(embedder),
        reranker: reranker
            .map(|config| format!("{} at {}", config.model, config.endpoint.base_url())),
        problems: Vec::new(),
    }
}

fn no_workers_ai(name: &str) -> Problem {
    bad(&format!(
        "{name} asks for Workers AI, which only Cloudflare has"
    ))
}

fn bad(reason: &str) -> Problem {
    Problem::new(500, "bad_configuration", reason)
}
