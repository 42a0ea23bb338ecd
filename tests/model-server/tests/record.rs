//! Recording from an endpoint, and replaying what was recorded.
#![cfg(feature = "record")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod client;

use client::{Client, extract, update};
use model_server::{Options, Upstream};
use serde_json::{Value, json};

fn said(body: &Value) -> Value {
    json!([
        body["choices"][0]["message"]["content"],
        body["choices"][0]["message"]["tool_calls"][0]["function"]
    ])
}

#[test]
fn what_is_recorded_replays_under_other_numbers() {
    let folder = std::env::temp_dir().join(format!("model-server-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let endpoint = Client::start();
    let recorder = Client::with(Options {
        cassettes: vec![folder.clone()],
        upstream: Some(Upstream {
            url: format!("{}/v1", endpoint.url()),
            key: Some("sk-secret".into()),
        }),
        ..Options::default()
    });
    let chat = "/v1/chat/completions";
    let (status, first) = recorder.post(
        chat,
        &extract("[1] user (2026-01-10): hi\n[2] user (2026-01-10): I love hiking in the Alps."),
    );
    assert_eq!(status, 200, "{first}");
    let decided = recorder.post(
        chat,
        &update(
            "[1] User loves hiking in the Alps (since 2026-01-10)",
            "[1] User loves to hike in the Alps in summer",
        ),
    );
    assert_eq!(decided.0, 200);
    assert_eq!(
        recorder.post(chat, &extract("[1] user: unknown")).0,
        404,
        "the endpoint's errors pass through"
    );

    let replayed = Client::with(Options {
        cassettes: vec![folder.clone()],
        ..Options::default()
    });
    let (_, again) = replayed.post(
        chat,
        &extract("[1] user (2026-09-01): hi\n[2] user (2026-09-01): I love hiking in the Alps."),
    );
    assert_eq!(said(&again), said(&first));
    let (_, moved) = replayed.post(
        chat,
        &update(
            "[1] other\n[6] User loves hiking in the Alps (since 2026-09-01)",
            "[4] User loves to hike in the Alps in summer",
        ),
    );
    assert_eq!(
        moved["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"],
        r#"{"fact":4,"memory":6}"#
    );

    for file in std::fs::read_dir(&folder).unwrap() {
        assert!(
            !std::fs::read_to_string(file.unwrap().path())
                .unwrap()
                .contains("sk-secret")
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}
