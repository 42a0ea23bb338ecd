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
        let url = format!("{}{path}", self.base);
        let start = Instant::now();
        let lost = |error: ureq::Error| Failure::Unreachable {
            url: url.clone(),
            reason: error.to_string(),
        };
        let request = self
            .agent
            .post(&url)
            .header("authorization", format!("Token {}", self.key))
            .header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).map_err(lost)?;
        let text = answer.body_mut().read_to_string().map_err(lost)?;
        let time = start.elapsed();
        match (answer.status().is_success(), serde_json::from_str(&text)) {
            (true, Ok(json)) => Ok((json, time)),
            _ => Err(Failure::Answer {
                method: "POST",
                path: path.to_owned(),
                status: answer.status().as_u16(),
                body: text,
            }),
        }
    }
}
