//! The embedding model.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value, json};

use super::endpoint::Endpoint;
use super::retry::{Failure, Line, rejected};
use crate::model::{Embedder, Http, ModelError, unit};

/// The most texts in one request.
const MAX_BATCH: usize = 96;

/// The most characters in one request: services limit the tokens of a request too.
const MAX_BATCH_CHARS: usize = 120_000;

/// The most characters of one text. What stands after them is left out: models take about 8,000
/// tokens, and in some scripts every character is one.
const MAX_TEXT_CHARS: usize = 6_000;

/// Stands for a text without content, which services refuse.
const BLANK: &str = ".";

/// An embedding model behind an OpenAI-compatible endpoint.
pub struct OpenAiEmbedder {
    http: Rc<dyn Http>,
    endpoint: Endpoint,
    model: String,
    dimensions: Option<usize>,
    name: String,
    label: String,
    /// Whether the endpoint takes `encoding_format`.
    encoding_format: Cell<bool>,
}

impl OpenAiEmbedder {
    /// The model of that name at an endpoint. With `dimensions`, the model is asked for vectors of
    /// that length, and others are an error.
    pub fn new(
        http: Rc<dyn Http>,
        endpoint: Endpoint,
        model: impl Into<String>,
        dimensions: Option<usize>,
    ) -> Self {
        let model = model.into();
        let name = dimensions.map_or_else(
            || model.clone(),
            |dimensions| format!("{model}/{dimensions}"),
        );
        let label = format!("{model} at {}", endpoint.base_url());
        OpenAiEmbedder {
            http,
            endpoint,
            model,
            dimensions,
            name,
            label,
            encoding_format: Cell::new(true),
        }
    }

    async fn embed_all(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let inputs: Vec<&str> = texts.iter().map(|text| input(text)).collect();
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = inputs.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_length(rest));
            vectors.extend(self.embed_batch(batch).await?);
            rest = later;
        }
        let length = self
            .dimensions
            .or_else(|| vectors.first().map(Vec::len))
            .unwrap_or_default();
        if let Some(other) = vectors.iter().find(|vector| vector.len() != length) {
            return Err(self.unreadable(format!(
                "a vector of {} numbers where {length} were expected",
                other.len()
            )));
        }
        for (vector, text) in vectors.iter_mut().zip(texts) {
            if text.trim().is_empty() {
                vector.fill(0.0);
            } else {
                unit(vector);
            }
        }
        Ok(vectors)
    }

    async fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let line = Line {
            http: self.http.as_ref(),
            endpoint: &self.endpoint,
            model: &self.label,
        };
        let mut encoding_format = self.encoding_format.get();
        loop {
            match line
                .post("embeddings", &self.body(texts, encoding_format))
                .await
            {
                Ok(answer) => {
                    self.encoding_format.set(encoding_format);
                    return vectors(&answer, texts.len()).map_err(|reason| self.unreadable(reason));
                }
                Err(Failure::Refused { body, .. })
                    if encoding_format && body.contains("encoding_format") =>
                {
                    encoding_format = false;
                }
                Err(Failure::Refused { status, body }) => {
                    return Err(rejected(&self.label, status, &body));
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
    }

    fn body(&self, texts: &[&str], encoding_format: bool) -> Value {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(self.model));
        body.insert("input".to_owned(), json!(texts));
        if let Some(dimensions) = self.dimensions {
            body.insert("dimensions".to_owned(), json!(dimensions));
        }
        if encoding_format {
            body.insert("encoding_format".to_owned(), json!("float"));
        }
        Value::Object(body)
    }

    fn unreadable(&self, reason: String) -> ModelError {
        ModelError::Unreadable {
            model: self.label.clone(),
            reason,
        }
    }
}

impl Embedder for OpenAiEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> {
        Box::pin(self.embed_all(texts))
    }
}

/// What is sent for a text.
fn input(text: &str) -> &str {
    let text = text.trim();
    if text.is_empty() {
        return BLANK;
    }
    text.char_indices()
        .nth(MAX_TEXT_CHARS)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}

/// How many of the texts go into the next request; at least one.
fn batch_length(texts: &[&str]) -> usize {
    let mut characters = 0;
    texts
        .iter()
        .take(MAX_BATCH)
        .take_while(|text| {
            characters += text.chars().count();
            characters <= MAX_BATCH_CHARS
        })
        .count()
        .max(1)
}

/// The vectors in an answer, in the order of the texts.
fn vectors(answer: &Value, count: usize) -> Result<Vec<Vec<f32>>, String> {
    let rows = answer
        .get("data")
        .and_then(Value::as_array)
        .ok_or("no list \"data\"")?;
    if rows.len() != count {
        return Err(format!("{} vectors for {count} texts", rows.len()));
    }
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); count];
    for (position, row) in rows.iter().enumerate() {
        let index = match row.get("index").and_then(Value::as_u64) {
            Some(index) => usize::try_from(index).unwrap_or(usize::MAX),
            None => position,
        };
        let numbers = row
            .get("embedding")
            .and_then(Value::as_array)
            .ok_or("a row without a list \"embedding\"")?;
        let vector = numbers
            .iter()
            .map(number)
            .collect::<Option<Vec<f32>>>()
            .filter(|vector| !vector.is_empty());
        let vector =
            vector.ok_or("a vector that is empty or holds something that is not a number")?;
        match vectors.get_mut(index) {
            Some(place) if place.is_empty() => *place = vector,
            _ => return Err(format!("no place for a vector with index {index}")),
        }
    }
    Ok(vectors)
}

fn number(value: &Value) -> Option<f32> {
    value
        .as_f64()
        .map(|number| number as f32)
        .filter(|number| number.is_finite())
}
