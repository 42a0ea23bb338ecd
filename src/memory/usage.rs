//! What the LLM costs.

use serde::{Deserialize, Serialize};

/// What the LLM was asked on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The day (UTC): `2026-11-26`.
    pub day: String,
    /// Questions.
    pub calls: u64,
    /// Tokens that it read.
    pub input_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
    /// Of how many calls the tokens are estimated, as the provider did not say.
    #[serde(default)]
    pub estimated: u64,
}

impl Usage {
    /// Tokens read and written.
    pub fn tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens
    }
}
