//! The host's HTTP client, as models see it.
//!
//! Requests and answers are plain data, which a host makes its own of. Those of the crate `http` are there for the hosts that know
//! them; their maps of headers are more than a page should have to load.

use futures_util::future::LocalBoxFuture;
use thiserror::Error;

/// How a file is fetched that others chose: no redirect is followed, and no more is read than this. An extension of the requests of
/// the crate `http`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// The most bytes of a body.
    pub limit: usize,
}

/// What is asked of a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// An absolute URL.
    pub url: String,
    /// Names, in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
    /// Set where a file is fetched.
    pub download: Option<Download>,
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl TryFrom<Request> for ::http::Request<Vec<u8>> {
    type Error = ::http::Error;

    fn try_from(request: Request) -> Result<Self, Self::Error> {
        let mut made = ::http::Request::builder()
            .method(request.method)
            .uri(request.url);
        for (name, value) in request.headers {
            let mut value = ::http::HeaderValue::try_from(value)?;
            // It may be a key.
            value.set_sensitive(name != "accept" && name != "content-type");
            made = made.header(name, value);
        }
        if let Some(download) = request.download {
            made = made.extension(download);
        }
        made.body(request.body)
    }
}

impl From<::http::Response<Vec<u8>>> for Response {
    fn from(answer: ::http::Response<Vec<u8>>) -> Self {
        let (parts, body) = answer.into_parts();
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        });
        Self {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body,
        }
    }
}

/// Whether HTTP allows a header of this name.
pub(super) fn is_header_name(name: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_of_token)
}

/// Whether a header can have this value.
pub(super) fn is_header_value(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// Whether this is an absolute URL of HTTP without user name and password.
pub(super) fn is_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let is_web = ["http", "https"]
        .iter()
        .any(|web| scheme.eq_ignore_ascii_case(web));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => address
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte)),
        None => host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)),
    };
    is_web
        && is_host
        && !bare.unwrap_or(host).is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && rest
            .bytes()
            .all(|byte| byte > b' ' && !b"\"#<>\\^`\x7f".contains(&byte))
}

/// Outgoing HTTP and waiting, supplied by the host.
pub trait Http {
    /// Sends a request and reads the whole answer. Where [files](super::files) are fetched, it heeds the request's [`Download`].
    ///
    /// # Errors
    /// [`HttpError::Timeout`] when the answer is not complete after `timeout_ms`;
    /// [`HttpError::TooLarge`] when it is larger than is read;
    /// [`HttpError::Failed`] when no connection was made or it broke.
    fn send(
        &self,
        request: Request,
        timeout_ms: u64,
    ) -> LocalBoxFuture<'_, Result<Response, HttpError>>;

    /// Waits for `ms` milliseconds.
    fn sleep(&self, ms: u64) -> LocalBoxFuture<'_, ()>;

    /// A random number in `0.0..1.0`, to spread retries.
    fn jitter(&self) -> f64;
}

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpError {
    /// Not complete in time.
    #[error("timed out")]
    Timeout,
    /// Larger than is read.
    #[error("the answer is too large")]
    TooLarge,
    /// No connection, or a broken one.
    #[error("{0}")]
    Failed(String),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_what_the_crate_takes_for_them() {
        for (url, expected) in [
            ("https://api.openai.com/v1", true),
            ("HTTP://model.test:8080/v1?a=b&c={d}", true),
            ("http://[::1]:11434/v1", true),
            ("http://localhost", true),
            ("https://", false),
            ("https:///v1", false),
            ("https://:80/v1", false),
            ("ftp://a/b", false),
            ("api.openai.com/v1", false),
            ("/v1", false),
            ("https://a b/v1", false),
            ("https://a/v 1", false),
            ("https://me:secret@a/v1", false),
            ("https://a:b/v1", false),
            ("https://a:1:2/v1", false),
            ("https://a/v1#x", false),
            ("https://a/v1?\"x", false),
            ("https://a%20b/v1", false),
        ] {
            assert_eq!(is_url(url), expected, "{url}");
            if expected {
                assert!(url.parse::<::http::Uri>().is_ok(), "{url}");
            }
        }
    }

    proptest! {
        #[test]
        fn headers_are_what_the_crate_takes_for_them(text in "[ -~é\t\n]{0,6}") {
            let name = ::http::HeaderName::from_bytes(text.as_bytes());
            prop_assert_eq!(is_header_name(&text), name.is_ok());
            let value = ::http::HeaderValue::from_str(&text);
            prop_assert_eq!(is_header_value(&text), value.is_ok());
        }

        #[test]
        fn what_is_a_url_here_is_one_for_the_crate(url in "https?://[a-z:@\\[\\].]{0,6}[ -~]{0,6}") {
            if is_url(&url) {
                let uri = url.parse::<::http::Uri>();
                prop_assert!(uri.is_ok_and(|uri| uri.host().is_some()), "{url}");
            }
        }
    }
}
