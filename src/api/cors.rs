//! Which web pages may call the server.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// The variable that lists the origins of web pages that may call: `*`, or origins such as
/// `https://app.example.com`, separated by commas or white space.
pub const CORS_VARIABLE: &str = "EDGEMEM_CORS_ORIGINS";

/// The headers that mem0's clients send.
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Accept, X-API-Key, Mem0-User-ID, \
     X-Mem0-Client, X-Mem0-Source, X-Application, Idempotency-Key";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, OPTIONS";

/// The origins that may call. Keys, not cookies, tell who calls, so any origin may by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors(Option<Vec<String>>);

impl Cors {
    /// Reads the value of [`CORS_VARIABLE`]; empty means any origin.
    pub fn read(origins: &str) -> Self {
        let origins: Vec<String> = origins
            .split(|c: char| c == ',' || c.is_whitespace())
            .map(|origin| origin.trim_end_matches('/'))
            .filter(|origin| !origin.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let any = origins.is_empty() || origins.iter().any(|origin| origin == "*");
        Self((!any).then_some(origins))
    }

    /// Adds to a response the headers that let `origin` read it.
    pub fn allow(&self, origin: Option<&str>, headers: &mut HeaderMap) {
        let allowed = match (&self.0, origin) {
            (None, _) => HeaderValue::from_static("*"),
            (Some(origins), origin) => {
                headers.append(VARY, HeaderValue::from_static("Origin"));
                let known = origin.filter(|origin| {
                    origins
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(origin))
                });
                match known.and_then(|origin| HeaderValue::from_str(origin).ok()) {
                    Some(origin) => origin,
                    None => return,
                }
            }
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(REQUEST_HEADERS),
        );
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(METHODS),
        );
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Retry-After, Allow"),
        );
    }
}

/// The answer to a browser that asks whether it may call; [`Cors::allow`] says yes.
pub(super) fn preflight() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listed_origins_may_call() {
        let listed = "https://a.example/, HTTPS://b.example";
        for (configured, origin, allowed) in [
            ("", Some("https://x.example"), Some("*")),
            ("*", None, Some("*")),
            (listed, Some("https://a.example"), Some("https://a.example")),
            (listed, Some("https://b.example"), Some("https://b.example")),
            (listed, Some("https://a.example.evil"), None),
            (listed, Some("null"), None),
            (listed, None, None),
        ] {
            let mut headers = HeaderMap::new();
            Cors::read(configured).allow(origin, &mut headers);
            let header = headers
                .get(ACCESS_CONTROL_ALLOW_ORIGIN)
                .map(|value| value.to_str().unwrap());
            assert_eq!(header, allowed, "{configured} {origin:?}");
        }
    }
}
