//! The reranking model.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::retry::{Failure, Line, rejected};
use crate::model::{Http, ModelError, Reranker};

/// The most characters of one text: rerankers read a few hundred tokens.
const MAX_TEXT_CHARS: usize = 4_000;

/// A reranking model behind `POST {base URL}/rerank`, as Cohere, Jina, Voyage, Together, vLLM and Hugging Face's text
/// embeddings inference have it.
pub struct RerankModel {
    http: Rc<dyn Http>,
    endpoint: Endpoint,
    model: String,
    label: String,
}

impl RerankModel {
    /// The model of that name at an endpoint.
    pub fn new(http: Rc<dyn Http>, endpoint: Endpoint, model: impl Into<String>) -> Self {
        let model = model.into();
        let label = format!("{model} at {}", endpoint.base_url());
        Self {
            http,
            endpoint,
            model,
            label,
        }
    }

    async fn ask(&self, query: &str, texts: &[String]) -> Result<Vec<f32>, ModelError> {
        let line = Line {
            http: self.http.as_ref(),
            endpoint: &self.endpoint,
            model: &self.label,
        };
        let documents: Vec<&str> = texts.iter().map(|text| start_of(text)).collect();
        let body = json!({"model": self.model, "query": query, "documents": documents});
        match line.post("rerank", &body).await {
            Ok(answer) => scores(&answer, texts.len()).map_err(|reason| ModelError::Unreadable {
                model: self.label.clone(),
                reason: reason.to_owned(),
            }),
            Err(Failure::Refused { status, body }) => Err(rejected(&self.label, status, &body)),
            Err(Failure::Final(error)) => Err(error),
        }
    }
}

impl Reranker for RerankModel {
    fn name(&self) -> &str {
        &self.label
    }

    fn rerank<'a>(
        &'a self,
        query: &'a str,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<f32>, ModelError>> {
        Box::pin(self.ask(query, texts))
    }
}

fn start_of(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT_CHARS);
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The scores by the places of their texts: `results` (Cohere, Jina, vLLM), `data` (Voyage) or the list itself
/// (text embeddings inference). A text that is left out is the last.
fn scores(answer: &Value, count: usize) -> Result<Vec<f32>, &'static str> {
    let list = answer.get("results").or_else(|| answer.get("data"));
    let list = list.unwrap_or(answer).as_array();
    let list = list.ok_or("it has no list of results")?;
    let mut scores = vec![f32::NEG_INFINITY; count];
    for result in list {
        let place = result.get("index").and_then(Value::as_u64);
        let score = result
            .get("relevance_score")
            .or_else(|| result.get("score"))
            .and_then(Value::as_f64)
            .ok_or("a result has no relevance_score")?;
        let place = place.and_then(|place| scores.get_mut(usize::try_from(place).ok()?));
        *place.ok_or("a result has no index, or one of no text")? = score as f32;
    }
    Ok(scores)
}
