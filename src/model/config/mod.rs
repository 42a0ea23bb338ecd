//! Which models to use, from environment variables.
//!
//! | variable | meaning |
//! |---|---|
//! | `EDGEMEM_LLM_PROVIDER` | `openai` (any compatible endpoint), `workers-ai` or `none`; found out when unset |
//! | `EDGEMEM_LLM_BASE_URL` | such as `http://localhost:11434/v1`; `https://api.openai.com/v1` when only a key is set |
//! | `EDGEMEM_LLM_API_KEY` | sent as `Authorization: Bearer` |
//! | `EDGEMEM_LLM_MODEL` | the model's name |
//! | `EDGEMEM_LLM_HEADERS` | more headers, as a JSON object of strings |
//! | `EDGEMEM_LLM_TIMEOUT_SECONDS` | how long one attempt may take, here and for embeddings; 60 |
//! | `EDGEMEM_EMBEDDER_PROVIDER` | `builtin`, `openai` or `workers-ai`; found out when unset |
//! | `EDGEMEM_EMBEDDER_BASE_URL`, `_API_KEY`, `_MODEL` | as above; without a base URL, the LLM's endpoint |
//! | `EDGEMEM_EMBEDDER_DIMENSIONS` | the length of the vectors to ask for |
//! | `EDGEMEM_FETCH_ORIGINS` | origins from which files in messages are fetched besides public ones; `none` fetches nothing |
//!
//! `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` stand in for the LLM's. A key is only
//! ever sent to the endpoint that it was set for: `OPENAI_API_KEY` not to `EDGEMEM_LLM_BASE_URL`,
//! unless that is the same address. With nothing set there is no LLM and the embedder is the
//! builtin one. An empty variable counts as unset.

mod error;
mod files;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::error::{missing, unknown_word, wrong};
use super::files::Origins;
use super::openai::{Endpoint, Secret};

pub use self::error::{ConfigError, ConfigProblem};

/// Where OpenAI is.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// The LLM at OpenAI unless told otherwise.
pub const OPENAI_MODEL: &str = "gpt-5-mini";

/// The embedding model at OpenAI unless told otherwise.
pub const OPENAI_EMBEDDING_MODEL: &str = "text-embedding-3-small";

/// The LLM on Workers AI unless told otherwise.
pub const WORKERS_AI_MODEL: &str = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";

/// The embedding model on Workers AI unless told otherwise.
pub const WORKERS_AI_EMBEDDING_MODEL: &str = "@cf/baai/bge-m3";

/// The longest time-out that can be set, in seconds.
const MAX_TIMEOUT_SECONDS: u64 = 600;

/// The longest vectors that can be asked for.
const MAX_DIMENSIONS: usize = 4_096;

/// Which models to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelConfig {
    /// The LLM.
    pub llm: LlmConfig,
    /// The embedding model.
    pub embedder: EmbedderConfig,
    /// Reorders hits; `None` when none is configured.
    pub reranker: Option<RerankerConfig>,
    /// From where files in messages may be fetched; `None` when nothing is.
    pub files: Option<Origins>,
}

/// Which LLM to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LlmConfig {
    /// None: messages are stored verbatim.
    None,
    /// One behind an OpenAI-compatible endpoint.
    OpenAi {
        /// Where it is.
        endpoint: Endpoint,
        /// Its name.
        model: String,
    },
    /// One on Workers AI, through the Worker's binding.
    WorkersAi {
        /// Its name, `@cf/…`.
        model: String,
    },
}

/// Which embedding model to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbedderConfig {
    /// The static one that comes with edgemem.
    Builtin,
    /// One behind an OpenAI-compatible endpoint.
    OpenAi {
        /// Where it is.
        endpoint: Endpoint,
        /// Its name.
        model: String,
        /// The length of vectors to ask for; the model's own when absent.
        dimensions: Option<usize>,
    },
    /// One on Workers AI, through the Worker's binding.
    WorkersAi {
        /// Its name, `@cf/…`.
        model: String,
    },
}

/// A model that reorders the hits of searches that ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerankerConfig {
    /// Where.
    pub endpoint: Endpoint,
    /// Its name.
    pub model: String,
}

impl ModelConfig {
    /// Reads the configuration from variables, by a function that looks one up.
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable and says what to write.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = Env { lookup };
        let timeout_ms = env
            .number(LLM.timeout, 1, MAX_TIMEOUT_SECONDS)?
            .map_or(Endpoint::DEFAULT_TIMEOUT_MS, |seconds| seconds * 1000);
        let llm = env.llm(timeout_ms)?;
        let embedder = env.embedder(&llm, timeout_ms)?;
        let reranker = env.reranker(timeout_ms)?;
        let files = files::origins(|variable| env.value(variable))?;
        Ok(ModelConfig {
            llm,
            embedder,
            reranker,
            files,
        })
    }
}

/// The names of the LLM's variables.
struct LlmVariables {
    provider: &'static str,
    base_url: &'static str,
    api_key: &'static str,
    model: &'static str,
    headers: &'static str,
    timeout: &'static str,
}

const LLM: LlmVariables = LlmVariables {
    provider: "EDGEMEM_LLM_PROVIDER",
    base_url: "EDGEMEM_LLM_BASE_URL",
    api_key: "EDGEMEM_LLM_API_KEY",
    model: "EDGEMEM_LLM_MODEL",
    headers: "EDGEMEM_LLM_HEADERS",
    timeout: "EDGEMEM_LLM_TIMEOUT_SECONDS",
};

/// The names of the embedder's variables.
struct EmbedderVariables {
    provider: &'static str,
    base_url: &'static str,
    api_key: &'static str,
    model: &'static str,
    dimensions: &'static str,
}

const EMBEDDER: EmbedderVariables = EmbedderVariables {
    provider: "EDGEMEM_EMBEDDER_PROVIDER",
    base_url: "EDGEMEM_EMBEDDER_BASE_URL",
    api_key: "EDGEMEM_EMBEDDER_API_KEY",
    model: "EDGEMEM_EMBEDDER_MODEL",
    dimensions: "EDGEMEM_EMBEDDER_DIMENSIONS",
};

/// The names of the reranker's variables.
const RERANK_BASE_URL: &str = "EDGEMEM_RERANK_BASE_URL";
const RERANK_API_KEY: &str = "EDGEMEM_RERANK_API_KEY";
const RERANK_MODEL: &str = "EDGEMEM_RERANK_MODEL";

/// The names that other tools use.
const STANDARD_BASE_URL: &str = "OPENAI_BASE_URL";
const STANDARD_API_KEY: &str = "OPENAI_API_KEY";
const STANDARD_MODEL: &str = "OPENAI_MODEL";

/// A value and the variable that it comes from.
type Found = (&'static str, String);

struct Env<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<String>> Env<F> {
    /// A variable that is set to something.
    fn get(&self, variable: &'static str) -> Option<Found> {
        let value = (self.lookup)(variable)?;
        let value = value.trim();
        (!value.is_empty()).then(|| (variable, value.to_owned()))
    }

    fn value(&self, variable: &'static str) -> Option<String> {
        self.get(variable).map(|(_, value)| value)
    }

    fn number(
        &self,
        variable: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, ConfigError> {
        let Some((variable, found)) = self.get(variable) else {
            return Ok(None);
        };
        match found.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(ConfigError {
                variable,
                problem: ConfigProblem::NoNumber { found, least, most },
            }),
        }
    }

    fn llm(&self, timeout_ms: u64) -> Result<LlmConfig, ConfigError> {
        let provider = self.get(LLM.provider);
        match provider
            .as_ref()
            .map(|(_, word)| word.to_lowercase())
            .as_deref()
        {
            Some("none") => return Ok(LlmConfig::None),
            Some("workers-ai") => {
                let model = self
                    .value(LLM.model)
                    .unwrap_or_else(|| WORKERS_AI_MODEL.to_owned());
                return Ok(LlmConfig::WorkersAi { model });
            }
            Some("openai") | None => {}
            Some(word) => {
                return Err(unknown_word(
                    LLM.provider,
                    word,
                    "openai, workers-ai or none",
                ));
            }
        }

        let base_url = self
            .get(LLM.base_url)
            .or_else(|| self.get(STANDARD_BASE_URL));
        let key = self.get(LLM.api_key).or_else(|| {
            let ours = self.value(LLM.base_url);
            let standard = self
                .value(STANDARD_BASE_URL)
                .unwrap_or_else(|| OPENAI_BASE_URL.to_owned());
            let same = ours.is_none_or(|ours| same_address(&ours, &standard));
            same.then(|| self.get(STANDARD_API_KEY)).flatten()
        });
        if base_url.is_none() && key.is_none() {
            let reason =
                "set it (for OpenAI), or EDGEMEM_LLM_BASE_URL (for any compatible endpoint)";
            return if provider.is_some()
                || self.get(LLM.model).is_some()
                || self.get(LLM.headers).is_some()
            {
                Err(missing(LLM.api_key, reason))
            } else {
                Ok(LlmConfig::None)
            };
        }
        let endpoint = self.with_headers(endpoint(base_url, key, LLM.api_key, timeout_ms)?)?;
        let model = self.value(LLM.model).or_else(|| self.value(STANDARD_MODEL));
        let model = match model {
            Some(model) => model,
            None if same_address(endpoint.base_url(), OPENAI_BASE_URL) => OPENAI_MODEL.to_owned(),
            None => {
                return Err(missing(
                    LLM.model,
                    "write the name of a model that EDGEMEM_LLM_BASE_URL (or OPENAI_BASE_URL) serves",
                ));
            }
        };
        Ok(LlmConfig::OpenAi { endpoint, model })
    }

    fn with_headers(&self, endpoint: Endpoint) -> Result<Endpoint, ConfigError> {
        let Some((variable, json)) = self.get(LLM.headers) else {
            return Ok(endpoint);
        };
        let wrong = |problem| ConfigError { variable, problem };
        let Ok(Value::Object(headers)) = serde_json::from_str(&json) else {
            return Err(wrong(ConfigProblem::NoHeaders));
        };
        headers
            .iter()
            .try_fold(endpoint, |endpoint, (name, value)| {
                let value = value
                    .as_str()
                    .ok_or_else(|| wrong(ConfigProblem::NoHeaders))?;
                endpoint
                    .with_header(name, value)
                    .map_err(|error| wrong(error.into()))
            })
    }

    fn embedder(&self, llm: &LlmConfig, timeout_ms: u64) -> Result<EmbedderConfig, ConfigError> {
        let base_url = self.get(EMBEDDER.base_url);
        let key = self.get(EMBEDDER.api_key);
        let model = self.value(EMBEDDER.model);
        let dimensions = self
            .number(EMBEDDER.dimensions, 1, MAX_DIMENSIONS as u64)?
            .and_then(|number| usize::try_from(number).ok());
        let useless = || {
            let reason =
                "only EDGEMEM_EMBEDDER_PROVIDER=openai can change the length of its vectors";
            ConfigError {
                variable: EMBEDDER.dimensions,
                problem: ConfigProblem::Useless { reason },
            }
        };

        let word = self
            .value(EMBEDDER.provider)
            .map(|word| word.to_lowercase());
        let remote = base_url.is_some() || key.is_some() || model.is_some();
        match word.as_deref() {
            Some("openai") => {}
            None if remote => {}
            Some("builtin" | "workers-ai") | None if dimensions.is_some() => return Err(useless()),
            Some("builtin") | None => return Ok(EmbedderConfig::Builtin),
            Some("workers-ai") => {
                return Ok(EmbedderConfig::WorkersAi {
                    model: model.unwrap_or_else(|| WORKERS_AI_EMBEDDING_MODEL.to_owned()),
                });
            }
            Some(word) => {
                return Err(unknown_word(
                    EMBEDDER.provider,
                    word,
                    "builtin, openai or workers-ai",
                ));
            }
        }

        let llm_endpoint = match llm {
            LlmConfig::OpenAi { endpoint, .. } => Some(endpoint),
            LlmConfig::None | LlmConfig::WorkersAi { .. } => None,
        };
        // The LLM's endpoint with its key and headers, unless another address or key is given.
        let shared = llm_endpoint.filter(|llm| {
            base_url
                .as_ref()
                .is_none_or(|(_, url)| same_address(url, llm.base_url()))
        });
        let endpoint = match (shared, key) {
            (Some(shared), None) => shared.clone(),
            (Some(shared), Some((variable, key))) => shared
                .clone()
                .with_api_key(Secret::new(key))
                .map_err(|error| wrong(variable, error))?,
            (None, key) => {
                let base_url = base_url.or_else(|| self.get(STANDARD_BASE_URL));
                let standard = self
                    .value(STANDARD_BASE_URL)
                    .unwrap_or_else(|| OPENAI_BASE_URL.to_owned());
                let address = base_url.as_ref().map_or(OPENAI_BASE_URL, |(_, url)| url);
                let key = key.or_else(|| {
                    same_address(address, &standard)
                        .then(|| self.get(STANDARD_API_KEY))
                        .flatten()
                });
                endpoint(base_url, key, EMBEDDER.api_key, timeout_ms)?
            }
        };
        let model = match model {
            Some(model) => model,
            None if same_address(endpoint.base_url(), OPENAI_BASE_URL) => {
                OPENAI_EMBEDDING_MODEL.to_owned()
            }
            None => {
                return Err(missing(
                    EMBEDDER.model,
                    "write the name of an embedding model that the endpoint serves",
                ));
            }
        };
        Ok(EmbedderConfig::OpenAi {
            endpoint,
            model,
            dimensions,
        })
    }
}

impl<F: Fn(&str) -> Option<String>> Env<F> {
    fn reranker(&self, timeout_ms: u64) -> Result<Option<RerankerConfig>, ConfigError> {
        let (base_url, key) = (self.get(RERANK_BASE_URL), self.get(RERANK_API_KEY));
        let model = self.value(RERANK_MODEL);
        if base_url.is_none() && key.is_none() && model.is_none() {
            return Ok(None);
        }
        let base_url = base_url.ok_or_else(|| {
            let reason = "write the address before /rerank, such as https://api.cohere.com/v2";
            missing(RERANK_BASE_URL, reason)
        })?;
        let reason = "write the name of a reranking model that the endpoint serves";
        let model = model.ok_or_else(|| missing(RERANK_MODEL, reason))?;
        let endpoint = endpoint(Some(base_url), key, RERANK_API_KEY, timeout_ms)?;
        Ok(Some(RerankerConfig { endpoint, model }))
    }
}

/// The endpoint at an address, OpenAI's if there is none. `key_variable` is the one to name when
/// OpenAI's key is missing.
fn endpoint(
    base_url: Option<Found>,
    key: Option<Found>,
    key_variable: &'static str,
    timeout_ms: u64,
) -> Result<Endpoint, ConfigError> {
    let (variable, url) = base_url.unwrap_or((key_variable, OPENAI_BASE_URL.to_owned()));
    let endpoint = Endpoint::new(&url)
        .map_err(|error| wrong(variable, error))?
        .with_timeout_ms(timeout_ms);
    match key {
        Some((variable, key)) => endpoint
            .with_api_key(Secret::new(key))
            .map_err(|error| wrong(variable, error)),
        None if same_address(&url, OPENAI_BASE_URL) => {
            Err(missing(key_variable, "api.openai.com asks for a key"))
        }
        None => Ok(endpoint),
    }
}

/// Whether two base URLs are the same but for a slash at the end or the case of letters.
fn same_address(a: &str, b: &str) -> bool {
    a.trim_end_matches('/')
        .eq_ignore_ascii_case(b.trim_end_matches('/'))
}
