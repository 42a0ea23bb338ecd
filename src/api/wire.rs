//! Responses, errors and query strings.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use crate::memory::Problem;

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

/// Where a request goes to.
#[derive(Debug, Clone)]
pub(super) struct Target<'a> {
    /// Without its query: absolute when the request says so.
    pub address: String,
    pub path: &'a str,
    pub query: Option<&'a str>,
}

impl<'a> From<&'a Uri> for Target<'a> {
    fn from(uri: &'a Uri) -> Self {
        let path = uri.path();
        Self {
            address: match (uri.scheme_str(), uri.authority()) {
                (Some(scheme), Some(authority)) => format!("{scheme}://{authority}{path}"),
                _ => path.to_owned(),
            },
            path,
            query: uri.query(),
        }
    }
}

impl<'a> Target<'a> {
    /// Of a path with its query.
    pub fn of(text: &'a str) -> Self {
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        Self {
            address: path.to_owned(),
            path,
            query,
        }
    }
}

/// A response with a body of some type. Nothing that this server says may be kept by a cache.
pub fn response_of(
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Vec<u8>> {
    response_of(status, JSON, json_bytes(body))
}

/// An answer as JSON. Much of a search's is made here, and `to_string` would go through a formatter.
pub(super) fn json_bytes(answer: &impl Serialize) -> Vec<u8> {
    // Only a map whose keys are no strings could fail, and no answer has one.
    serde_json::to_vec(answer).unwrap_or_default()
}

/// An error as the hosted contract has it: `error` is what TypeScript clients show, `detail` what
/// Python clients show, `code` what programs test.
pub fn problem_response(problem: &Problem) -> Response<Vec<u8>> {
    let status = StatusCode::from_u16(problem.status)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({
        "error": problem.message,
        "detail": problem.message,
        "code": problem.code,
    });
    json_response(status, &body)
}

pub(super) fn header<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The pairs of a query string, percent-decoded, with `+` as a space.
pub(super) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode(&text.replace('+', " "));
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Decodes `%41`. What is no escape stays; bytes that are no UTF-8 become U+FFFD.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let escaped = (byte == b'%')
            .then(|| Some(hex(ahead.next()?)? * 16 + hex(ahead.next()?)?))
            .flatten();
        match escaped {
            Some(escaped) => {
                decoded.push(escaped);
                bytes = ahead;
            }
            None => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Encodes a text as one part of a path, or as a name or a value of a query.
pub(super) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for text in ["", "a/b c+d", "100%", "*&=?#", "東京"] {
            let encoded = percent_encode(text);
            assert_eq!(percent_decode(&encoded), text);
            assert!(
                encoded
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'/')
            );
        }
    }

    #[test]
    fn query_strings_are_decoded_and_broken_ones_kept() {
        for (query, expected) in [
            (
                "user_id=u1&run_id=%2A",
                vec![("user_id", "u1"), ("run_id", "*")],
            ),
            ("a=b+c%20d", vec![("a", "b c d")]),
            ("a&=b&&c=", vec![("a", ""), ("", "b"), ("c", "")]),
            ("a=%zz%4", vec![("a", "%zz%4")]),
            ("a=%E6%9D%B1", vec![("a", "東")]),
            ("a=%ff", vec![("a", "\u{fffd}")]),
            ("", vec![]),
        ] {
            let expected: Vec<(String, String)> = expected
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            assert_eq!(query_pairs(query), expected, "{query}");
        }
    }
}
