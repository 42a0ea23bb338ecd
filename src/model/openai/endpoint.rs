//! Where an OpenAI-compatible service is and how it lets us in.

use std::fmt;

use thiserror::Error;

use crate::model::http::{Request, is_header_name, is_header_value, is_url};

/// An OpenAI-compatible service.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    base_url: String,
    api_key: Option<Secret>,
    headers: Vec<(String, String)>,
    timeout_ms: u64,
    max_retries: u32,
}

impl Endpoint {
    /// How long one attempt may take unless told otherwise, in milliseconds.
    pub const DEFAULT_TIMEOUT_MS: u64 = 60_000;

    /// How often a request is tried again unless told otherwise.
    pub const DEFAULT_MAX_RETRIES: u32 = 2;

    /// A service at a base URL such as `https://api.openai.com/v1`, with or without a slash at
    /// its end. A query (`?api-version=…`) goes along with every request.
    ///
    /// # Errors
    /// [`EndpointError::BaseUrl`] when that is no absolute `http` or `https` URL, or holds a user
    /// name or password.
    pub fn new(base_url: &str) -> Result<Self, EndpointError> {
        Ok(Endpoint {
            base_url: checked_base_url(base_url)?,
            api_key: None,
            headers: Vec::new(),
            timeout_ms: Self::DEFAULT_TIMEOUT_MS,
            max_retries: Self::DEFAULT_MAX_RETRIES,
        })
    }

    /// Sends `Authorization: Bearer KEY`.
    ///
    /// # Errors
    /// [`EndpointError::ApiKey`] when the key holds characters that no header can carry.
    pub fn with_api_key(mut self, key: Secret) -> Result<Self, EndpointError> {
        match is_header_value(key.expose()) {
            true => self.api_key = Some(key),
            false => return Err(EndpointError::ApiKey),
        }
        Ok(self)
    }

    /// Sends a header with every request. It takes the place of ours of the same name.
    ///
    /// # Errors
    /// [`EndpointError::Header`] when the name or the value is not one of HTTP.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, EndpointError> {
        if !is_header_name(name) || !is_header_value(value) {
            return Err(EndpointError::Header {
                name: name.to_owned(),
            });
        }
        let header = (name.to_ascii_lowercase(), value.to_owned());
        self.headers.push(header);
        Ok(self)
    }

    /// Sets how long one attempt may take, in milliseconds.
    #[must_use]
    pub fn with_timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// Sets how often a failed request is tried again.
    #[must_use]
    pub fn with_max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = max_retries;
        self
    }

    /// The base URL without its query and without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.base_url
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_end_matches('/')
    }

    /// The key, if there is one.
    pub fn api_key(&self) -> Option<&Secret> {
        self.api_key.as_ref()
    }

    /// How long one attempt may take, in milliseconds.
    pub fn timeout_ms(&self) -> u64 {
        self.timeout_ms
    }

    /// How often a failed request is tried again.
    pub fn max_retries(&self) -> u32 {
        self.max_retries
    }

    /// A `POST` of JSON to a path below the base URL.
    pub(super) fn post(&self, path: &str, body: Vec<u8>) -> Request {
        let query = self
            .base_url
            .split_once('?')
            .map(|(_, query)| format!("?{query}"))
            .unwrap_or_default();
        let json = "application/json".to_owned();
        let mut headers = vec![
            ("content-type".to_owned(), json.clone()),
            ("accept".to_owned(), json),
        ];
        if let Some(key) = &self.api_key {
            let value = format!("Bearer {}", key.expose());
            headers.push(("authorization".to_owned(), value));
        }
        for header in &self.headers {
            headers.retain(|(name, _)| *name != header.0);
            headers.push(header.clone());
        }
        Request {
            method: "POST",
            url: format!("{}/{path}{query}", self.base_url()),
            headers,
            body,
            download: None,
        }
    }

    /// A text of the service without the secrets that it may echo.
    pub(super) fn scrub(&self, text: &str) -> String {
        let keys = self.api_key.iter().map(Secret::expose);
        let values = self.headers.iter().map(|(_, value)| value.as_str());
        // Short values are hardly secrets, and replacing them would garble the text.
        keys.chain(values)
            .filter(|secret| secret.len() >= 8)
            .fold(text.to_owned(), |text, secret| {
                text.replace(secret, "[redacted]")
            })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Endpoint")
            .field("base_url", &self.base_url())
            .field("api_key", &self.api_key)
            .field("headers", &headers)
            .field("timeout_ms", &self.timeout_ms)
            .field("max_retries", &self.max_retries)
            .finish()
    }
}

fn checked_base_url(base_url: &str) -> Result<String, EndpointError> {
    let base_url = base_url.trim();
    match is_url(base_url) {
        true => Ok(base_url.to_owned()),
        false => Err(EndpointError::BaseUrl),
    }
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Secret(secret.into())
    }

    /// The text, for whoever must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a service cannot be described so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// The base URL is wrong.
    #[error(
        "it must be an http or https URL without user name and password, such as https://api.openai.com/v1"
    )]
    BaseUrl,
    /// The key is wrong.
    #[error("it must be one line of printable ASCII")]
    ApiKey,
    /// A header is wrong.
    #[error("the header {name:?} has a name or a value that HTTP does not allow")]
    Header {
        /// Its name.
        name: String,
    },
}
