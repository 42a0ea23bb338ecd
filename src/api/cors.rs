//! Which web pages may call the server.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// The variable that lists the origins of web pages that may call: `*`, or origins such as
/// `https://app.example.com`, separated by commas or white space.
pub const CORS_VARIABLE: &str = "EDGEMEM_CORS_ORIGINS";

/// The headers that mem0's clients send, and those of MCP's.
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Accept, X-API-Key, Mem0-User-ID, \
     X-Mem0-Client, X-Mem0-Source, X-Application, Idempotency-Key, X-Edgemem-User, \
     MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, OPTIONS";

/// The headers of answers that pages may read.
const EXPOSED: &str =
    "Retry-After, Allow, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";

/// The origins that may call. Keys, not cookies, tell who calls, so any origin may by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Those that may; any when `None`.
    listed: Option<Vec<String>>,
    /// Whether the owner of the server said who may.
    configured: bool,
}

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
        Self {
            configured: !origins.is_empty(),
            listed: (!any).then_some(origins),
        }
    }

    /// Whether a request that a web page of `origin` makes is to be answered at all, as MCP wants it to be asked: a
    /// page of this very server (`own`, its host and port) or of this machine may, and any other when the owner of
    /// the server said so. What comes from no page is.
    pub fn admits(&self, origin: Option<&str>, own: Option<&str>) -> bool {
        let Some(origin) = origin else {
            return true;
        };
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let near = own.is_some_and(|own| own.eq_ignore_ascii_case(host))
            || ["localhost", "127.0.0.1", "[::1]"].contains(&name);
        near || self.configured && self.knows(origin)
    }

    fn knows(&self, origin: &str) -> bool {
        let Some(listed) = &self.listed else {
            return true;
        };
        listed
            .iter()
            .any(|known| known.eq_ignore_ascii_case(origin))
    }

    /// Adds to a response the headers that let `origin` read it.
    pub fn allow(&self, origin: Option<&str>, headers: &mut HeaderMap) {
        let allowed = match (&self.listed, origin) {
            (None, _) => HeaderValue::from_static("*"),
            (Some(_), origin) => {
                headers.append(VARY, HeaderValue::from_static("Origin"));
                let known = origin.filter(|origin| self.knows(origin));
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
            HeaderValue::from_static(EXPOSED),
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

    #[test]
    fn agents_in_web_pages_are_asked_where_they_are_from() {
        let listed = "https://a.example";
        for (configured, origin, admitted) in [
            ("", None, true),
            ("", Some("https://memory.example:8787"), true),
            ("", Some("http://localhost:6274"), true),
            ("", Some("http://127.0.0.1"), true),
            ("", Some("https://a.example"), false),
            ("", Some("https://localhost.evil.example"), false),
            ("", Some("https://127.0.0.1.evil.example:80"), false),
            ("", Some("null"), false),
            (listed, Some("https://a.example"), true),
            (listed, Some("https://b.example"), false),
            (listed, None, true),
            ("*", Some("https://b.example"), true),
        ] {
            let cors = Cors::read(configured);
            assert_eq!(
                cors.admits(origin, Some("memory.example:8787")),
                admitted,
                "{configured} {origin:?}"
            );
        }
    }
}
