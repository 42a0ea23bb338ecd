//! What a client of the model server sees.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod client;

use std::time::{Duration, Instant};

use client::{Client, extract, update};
use serde_json::{Value, json};

#[test]
fn replays_what_the_new_messages_ask_for() {
    let client = Client::start();
    let (status, body) = client.post(
        "/v1/chat/completions",
        &extract("[1] user: hello\n[2] user: I love hiking in the Alps."),
    );
    assert_eq!(status, 200);
    let content: Value =
        serde_json::from_str(body["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
    assert_eq!(content["facts"][0]["sources"], json!([2]));
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
}

#[test]
fn says_what_it_has_no_reply_for() {
    let client = Client::start();
    let (status, body) = client.post(
        "/v1/chat/completions",
        &extract("[1] user: nobody wrote this"),
    );
    assert_eq!(status, 404);
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("'extract'") && message.contains("nobody wrote this"),
        "{message}"
    );

    let (status, body) = client.post(
        "/v1/chat/completions",
        &update(
            "[1] something else",
            "[1] User loves to hike in the Alps in summer",
        ),
    );
    assert_eq!(status, 500);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("User loves hiking in the Alps")
    );
}

#[test]
fn decisions_carry_the_numbers_of_the_prompt() {
    let client = Client::start();
    let (_, body) = client.post(
        "/v1/chat/completions",
        &update(
            "[7] User loves hiking in the Alps",
            "[3] User loves to hike in the Alps in summer",
        ),
    );
    let call = &body["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "keep_memory");
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"fact": 3, "memory": 7}));
}

#[test]
fn fails_as_ordered_and_then_works() {
    let client = Client::start();
    let ask = || {
        client.post(
            "/v1/chat/completions",
            &extract("[1] user: I love hiking in the Alps."),
        )
    };
    client.post(
        "/control",
        &json!({"fail": [
            {"task": "update", "kind": "500"},
            {"task": "extract", "kind": "429", "retry_after": 1},
            {"task": "extract", "kind": "truncated"},
            {"task": "extract", "kind": "fenced"},
            {"task": "extract", "kind": "refusal"},
            {"task": "extract", "kind": "empty"},
        ]}),
    );
    assert_eq!(ask().0, 429);
    let (_, truncated) = ask();
    assert_eq!(truncated["choices"][0]["finish_reason"], "length");
    assert!(
        serde_json::from_str::<Value>(
            truncated["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
        )
        .is_err()
    );
    assert!(
        ask().1["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .contains("```json")
    );
    assert!(ask().1["choices"][0]["message"]["refusal"].is_string());
    assert_eq!(ask().1["choices"][0]["message"]["content"], "");
    assert_eq!(ask().0, 200);

    let report = client.get("/control").1;
    assert_eq!(report["calls"]["extract"], 6);
    assert_eq!(report["failed"]["extract"], 5);
    assert_eq!(report["pending"][0]["task"], "update");
    assert_eq!(
        client.post("/control/reset", &json!({})).1["calls"],
        json!({})
    );
}

#[test]
fn an_unknown_failure_is_refused() {
    let client = Client::start();
    let (status, body) = client.post("/control", &json!({"fail": [{"kind": "explode"}]}));
    assert_eq!(status, 400);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("explode")
    );
}

#[test]
fn a_cut_answer_ends_in_the_middle() {
    let client = Client::start();
    client.post("/control", &json!({"fail": [{"kind": "cut"}]}));
    let raw = client.raw(
        "POST",
        "/v1/chat/completions",
        &extract("[1] user: I love hiking in the Alps.").to_string(),
    );
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    let promised: usize = head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(!body.is_empty() && body.len() < promised);
}

#[test]
fn a_hanging_call_waits_for_its_release() {
    let client = Client::start();
    client.post("/control", &json!({"fail": [{"kind": "hang"}]}));
    std::thread::scope(|scope| {
        let call = scope.spawn(|| {
            client
                .post(
                    "/v1/chat/completions",
                    &extract("[1] user: I love hiking in the Alps."),
                )
                .0
        });
        let start = Instant::now();
        while client.get("/control").1["hanging"] != 1 {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "the call never hung"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        client.post("/control/release", &json!({}));
        assert_eq!(call.join().unwrap(), 200);
    });
}

#[test]
fn embeddings_without_weights_say_how_to_get_them() {
    let client = Client::start();
    let (status, body) = client.post("/v1/embeddings", &json!({"model": "m", "input": "hello"}));
    assert_eq!(status, 501);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("--minilm")
    );
}

#[test]
fn a_chat_is_answered_by_what_any_turn_says_and_streamed_when_asked() {
    let client = Client::start();
    let ask = |turns: Value| {
        let tool = json!({"type": "function", "function": {"name": "recall"}});
        let body = json!({"model": "m", "messages": turns, "stream": true, "tools": [tool]});
        client.raw("POST", "/v1/chat/completions", &body.to_string())
    };
    let question =
        json!({"role": "user", "content": "Recall what you know: what could I cook tonight?"});
    let answer = ask(json!([question]));
    assert!(answer.contains(r#""name":"recall""#), "{answer}");
    assert!(
        answer.contains(r#""finish_reason":"tool_calls""#),
        "{answer}"
    );
    assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    let known = json!({"role": "tool", "tool_call_id": "call_1_0", "content": "User is allergic to peanuts"});
    let answer = ask(json!([question, known]));
    assert!(answer.contains("without any peanuts"), "{answer}");
}
