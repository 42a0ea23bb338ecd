use std::path::Path;

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::served;
use super::{UNPUBLISHED, answers, endpoints, openapi, page};

/// Compares what is made with what is in a file of the project; writes it when snapshots are to be updated.
pub(crate) fn assert_file(path: &str, made: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&file, made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == made,
        "{path} is not what the types say: INSTA_UPDATE=always cargo test makes it anew"
    );
}

#[test]
fn the_published_document_is_what_the_types_say() {
    let endpoints = endpoints();
    let document = openapi::document(&endpoints);
    let mut text = serde_json::to_string_pretty(&document).unwrap();
    text.push('\n');
    assert_file("www/openapi.json", &text);
    assert_file("www/docs.html", &page::page(&endpoints, &document));
}

#[test]
fn what_is_published_is_served_and_what_is_served_is_published() {
    let published: Vec<String> = endpoints()
        .iter()
        .map(|endpoint| format!("{} {}", endpoint.method.to_uppercase(), endpoint.path))
        .collect();
    for line in &published {
        let (method, path) = line.split_once(' ').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert!(
            served(&method, &path.replace(['{', '}'], "")).is_ok(),
            "{line} is not served"
        );
    }
    // Each route says above its name what it is: `GET /v1/ping/`.
    let bare = |line: &str| {
        let parts = line
            .split('/')
            .map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let published: Vec<String> = published.iter().map(|line| bare(line)).collect();
    let sources = [
        include_str!("../mod.rs"),
        include_str!("../asked.rs"),
        include_str!("../wide.rs"),
    ];
    let routes = sources.into_iter().flat_map(str::lines).filter_map(|line| {
        let route = line.trim().strip_prefix("/// `")?.strip_suffix('`')?;
        route.contains(" /").then_some(route)
    });
    let missing: Vec<&str> = routes
        .filter(|route| !UNPUBLISHED.contains(route) && !published.contains(&bare(route)))
        .collect();
    assert!(
        missing.is_empty(),
        "routes that the table of the document lacks: {missing:#?}"
    );
}

/// Whether an answer has just the fields of its type.
fn assert_is<T: Serialize + DeserializeOwned>(name: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/api/hosted/tests/snapshots")
        .join(format!("edgemem__api__hosted__tests__{name}.snap"));
    let text = std::fs::read_to_string(file).unwrap();
    let answer: Value = serde_json::from_str(text.splitn(3, "---").last().unwrap()).unwrap();
    let read: T =
        serde_json::from_value(answer.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(read).unwrap(), answer, "{name}");
}

#[test]
fn answers_have_the_fields_that_are_published() {
    assert_is::<answers::Added>("writing__add_accepted");
    assert_is::<answers::Added>("writing__add_finished");
    assert_is::<answers::Added>("writing__add_given_up");
    assert_is::<answers::Added>("writing__add_to_be_retried");
    assert_is::<answers::Event>("writing__event_succeeded");
    assert_is::<answers::Event>("writing__event_to_be_retried");
    assert_is::<Vec<answers::Change>>("writing__history");
    assert_is::<answers::Hits>("writing__hits");
    assert_is::<answers::Memory>("writing__memory");
    assert_is::<answers::Stats>("writing__stats");
    assert_is::<answers::Contradictions>("graph__contradictions");
    assert_is::<answers::EntityView>("graph__entity");
    assert_is::<answers::Graph>("graph__graph");
    assert_is::<answers::Paths>("graph__paths");
    assert_is::<answers::Timeline>("graph__timeline");
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let endpoints = endpoints();
    let page = page::page(&endpoints, &openapi::document(&endpoints));
    assert!(!page.contains("src=") && !page.contains("<script") && !page.contains("{{"));
    assert!(!page.contains("href=\"http"));
    assert!(page.len() < 110_000, "{}", page.len());
}
