//! What is wrong with a configuration, said by the variable to change.

use thiserror::Error;

use crate::model::openai::EndpointError;

/// A variable that is wrong or missing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{variable} {problem}")]
pub struct ConfigError {
    /// The variable to change.
    pub variable: &'static str,
    /// What is wrong with it.
    pub problem: ConfigProblem,
}

/// What is wrong with a variable. No value that may be a secret is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigProblem {
    /// It is none of the words that it may be.
    #[error("is {found:?}; write {expected}")]
    UnknownWord {
        /// What it is.
        found: String,
        /// The words it may be.
        expected: &'static str,
    },
    /// It is no number, or out of range.
    #[error("is {found:?}; write a whole number from {least} to {most}")]
    NoNumber {
        /// What it is.
        found: String,
        /// The least allowed.
        least: u64,
        /// The most allowed.
        most: u64,
    },
    /// It is needed.
    #[error("is not set; {reason}")]
    Missing {
        /// Why it is needed, and what to write.
        reason: &'static str,
    },
    /// It has no effect as the others are.
    #[error("has no effect here; {reason}")]
    Useless {
        /// Why, and what to write.
        reason: &'static str,
    },
    /// It describes no endpoint.
    #[error("cannot be used: {0}")]
    Endpoint(#[from] EndpointError),
    /// It is no JSON object of strings.
    #[error("must be a JSON object of strings, such as {{\"x-title\": \"edgemem\"}}")]
    NoHeaders,
}

pub(super) fn wrong(variable: &'static str, error: EndpointError) -> ConfigError {
    ConfigError {
        variable,
        problem: error.into(),
    }
}

pub(super) fn missing(variable: &'static str, reason: &'static str) -> ConfigError {
    ConfigError {
        variable,
        problem: ConfigProblem::Missing { reason },
    }
}

pub(super) fn unknown_word(
    variable: &'static str,
    found: &str,
    expected: &'static str,
) -> ConfigError {
    ConfigError {
        variable,
        problem: ConfigProblem::UnknownWord {
            found: found.to_owned(),
            expected,
        },
    }
}
