//! The sample's cassette against what the sample is said to leave behind: every session is asked for
//! as the pipeline does, and the decisions are applied to a plain list.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod client;

use client::{Client, extract, project, update};
use serde_json::{Value, json};

fn read(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(project(path)).expect(path)).expect(path)
}

#[derive(Default)]
struct Memories {
    texts: Vec<(String, bool)>,
    decisions: Vec<Value>,
}

impl Memories {
    fn decide(&mut self, session: &str, fact: &str, call: &Value, shown: &[usize]) {
        let arguments: Value =
            serde_json::from_str(call["arguments"].as_str().expect("arguments")).expect("JSON");
        let target = arguments["memory"]
            .as_u64()
            .map(|label| shown[label as usize - 1]);
        let old = target.map(|index| self.texts[index].0.clone());
        let (event, new) = match call["name"].as_str() {
            Some("add_memory") => {
                self.texts.push((fact.to_owned(), true));
                ("ADD", Some(fact))
            }
            Some("update_memory") => {
                let text = arguments["text"].as_str().expect("text");
                self.texts[target.expect("memory")].0 = text.to_owned();
                ("UPDATE", Some(text))
            }
            Some("delete_memory") => {
                self.texts[target.expect("memory")].1 = false;
                ("DELETE", None)
            }
            _ => ("NONE", Some(fact)),
        };
        self.decisions
            .push(json!({"session": session, "event": event, "old": old, "new": new}));
    }
}

fn replay(client: &Client, session: &str, messages: &[Value], memories: &mut Memories) {
    let lines: String = messages
        .iter()
        .zip(1..)
        .map(|(message, label)| {
            format!(
                "[{label}] {}: {}\n",
                message["role"].as_str().expect("role"),
                message["content"]
                    .as_str()
                    .expect("content")
                    .replace('\n', "\n    ")
            )
        })
        .collect();
    let (status, body) = client.post("/v1/chat/completions", &extract(&lines));
    assert_eq!(status, 200, "{body}");
    let found: Value = serde_json::from_str(
        body["choices"][0]["message"]["content"]
            .as_str()
            .expect("content"),
    )
    .expect("JSON");
    let facts: Vec<&str> = found["facts"]
        .as_array()
        .expect("facts")
        .iter()
        .map(|fact| fact["text"].as_str().expect("text"))
        .collect();

    let shown: Vec<usize> = (0..memories.texts.len())
        .filter(|index| memories.texts[*index].1)
        .collect();
    let known: String = shown
        .iter()
        .zip(1..)
        .map(|(index, label)| {
            format!(
                "[{label}] {} (since 2026-01-10)\n",
                memories.texts[*index].0
            )
        })
        .collect();
    let new: String = facts
        .iter()
        .zip(1..)
        .map(|(fact, label)| format!("[{label}] {fact}\n"))
        .collect();
    let (status, body) = client.post("/v1/chat/completions", &update(&known, &new));
    assert_eq!(status, 200, "{body}");
    for call in body["choices"][0]["message"]["tool_calls"]
        .as_array()
        .expect("calls")
    {
        let arguments: Value =
            serde_json::from_str(call["function"]["arguments"].as_str().expect("arguments"))
                .expect("JSON");
        let fact = facts[arguments["fact"].as_u64().expect("a fact's number") as usize - 1];
        memories.decide(session, fact, &call["function"], &shown);
    }
}

#[test]
fn the_sample_leaves_what_it_says() {
    let client = Client::start();
    let mut memories = Memories::default();
    for session in read("samples/conversation.json")["sessions"]
        .as_array()
        .expect("sessions")
    {
        let messages = session["messages"].as_array().expect("messages");
        replay(
            &client,
            session["id"].as_str().expect("id"),
            messages,
            &mut memories,
        );
    }
    let expected = read("samples/expected.json");
    assert_eq!(json!(memories.decisions), expected["decisions"]);
    let left: Vec<Value> = memories
        .texts
        .iter()
        .map(|(text, current)| json!([text, current]))
        .collect();
    let said: Vec<Value> = expected["memories"]
        .as_array()
        .expect("memories")
        .iter()
        .map(|m| json!([m["text"], m["current"]]))
        .collect();
    assert_eq!(left, said);
}

#[test]
fn fifteen_rewordings_leave_five_memories() {
    let client = Client::start();
    let mut memories = Memories::default();
    let file = read("tests/cassettes/rewordings-messages.json");
    for add in file["adds"].as_array().expect("adds") {
        replay(
            &client,
            "",
            add["messages"].as_array().expect("messages"),
            &mut memories,
        );
    }
    let left: Vec<&str> = memories
        .texts
        .iter()
        .map(|(text, _)| text.as_str())
        .collect();
    assert_eq!(json!(left), file["memories"]);
}
