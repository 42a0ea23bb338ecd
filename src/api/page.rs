//! The page that tells a newcomer what is here.

use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use http::{Response, StatusCode, Uri};

use super::{About, wire};

/// Holds its own styles, no scripts, and loads nothing.
const PAGE: &str = include_str!("root.html");

/// How pages look; `--width` is theirs to set.
pub(super) const STYLE: &str = include_str!("page.css");

pub(super) fn root(uri: &Uri, about: &About) -> Response<Vec<u8>> {
    let address = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => "https://your-server.example".to_owned(),
    };
    let model = match &about.chat_model {
        Some(model) => format!("facts are extracted by {model}"),
        None => {
            "no language model is configured, so it remembers messages word for word".to_owned()
        }
    };
    let page = PAGE
        .replace("{{style}}", STYLE)
        .replace("{{version}}", &escape(&about.version))
        .replace("{{model}}", &escape(&model))
        .replace("{{address}}", &escape(&address));
    let mut response = wire::response_of(
        StatusCode::OK,
        "text/html; charset=utf-8",
        page.into_bytes(),
    );
    response.headers_mut().insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    );
    response
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_how_to_call_this_very_server() {
        let about = About {
            version: "1.2.3".into(),
            chat_model: Some("<model>".into()),
            ..About::default()
        };
        let uri: Uri = "https://memory.example.com/".parse().unwrap();
        let page = String::from_utf8(root(&uri, &about).into_body()).unwrap();
        assert!(page.contains("host=\"https://memory.example.com\""));
        assert!(page.contains("curl https://memory.example.com/v3/memories/add/"));
        assert!(page.contains("1.2.3") && page.contains("&lt;model&gt;"));
        assert!(!page.contains("{{") && !page.contains("<model>"));
        assert!(page.contains("<html lang=\"en\">") && page.contains("<title>"));
        assert!(!page.contains("src=") && !page.contains("<script"));
    }
}
