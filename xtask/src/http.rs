//! Asking the served Worker.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::Failure;

/// A served Worker.
#[derive(Debug)]
pub struct Api {
    agent: ureq::Agent,
    base: String,
    key: String,
}

impl Api {
    /// The Worker at a base URL, asked with this key.
    pub fn new(base: String, key: String) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(300)))
            .http_status_as_error(false)
            .build();
        Self {
            agent: config.into(),
            base,
            key,
        }
    }

    /// Whether it answers.
    pub fn healthy(&self) -> bool {
        let request = self.agent.get(format!("{}/health", self.base));
        let answer = request
            .config()
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .call();
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// Posts JSON; the answer, and how long it took.
    pub fn post(&self, path: &str, body: &Value) -> Result<(Value, Duration), Failure> {
        let start = Instant::now();
        let answer = self.ask("POST", path, body)?;
        Ok((answer, start.elapsed()))
    }

    /// Asks with any method; without a body when it is null.
    pub fn ask(&self, method: &'static str, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        let lost = |reason: String| Failure::Unreachable {
            url: url.clone(),
            reason,
        };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(&url)
            .header("authorization", format!("Token {}", self.key))
            .header("content-type", "application/json");
        let text = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = request
            .body(text)
            .map_err(|error| lost(error.to_string()))?;
        let asked = self.agent.run(request);
        let mut answer = asked.map_err(|error| lost(error.to_string()))?;
        let read = answer.body_mut().read_to_string();
        let text = read.map_err(|error| lost(error.to_string()))?;
        match (answer.status().is_success(), serde_json::from_str(&text)) {
            (true, Ok(json)) => Ok(json),
            _ => Err(Failure::Answer {
                method,
                path: path.to_owned(),
                status: answer.status().as_u16(),
                body: text,
            }),
        }
    }
}
