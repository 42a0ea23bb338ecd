//! A small HTTP client, and requests as the core makes them.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use model_server::{Options, Server};
use serde_json::{Value, json};

pub struct Client(SocketAddr);

/// A path of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

impl Client {
    /// A server of its own with the cassettes of the tests and of the sample.
    pub fn start() -> Self {
        Self::with(Options {
            cassettes: vec![project("tests/cassettes"), project("samples/cassettes")],
            ..Options::default()
        })
    }

    pub fn with(options: Options) -> Self {
        let server = Server::bind(&options).unwrap();
        let address = server.address();
        std::thread::spawn(|| server.run());
        Self(address)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0)
    }

    pub fn raw(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.0).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        read(&self.raw("GET", path, ""))
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(&self.raw("POST", path, &body.to_string()))
    }
}

fn read(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A request for the facts in `messages`, labelled lines.
pub fn extract(messages: &str) -> Value {
    json!({
        "model": "replay",
        "messages": [
            {"role": "system", "content": "Find facts."},
            {"role": "user", "content": format!("## Earlier messages\n[1] user: I love hiking in the Alps.\n\n## New messages\n{messages}\n")},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "extraction", "strict": true, "schema": {}}},
    })
}

/// A request to decide on `facts` given `memories`, labelled lines.
pub fn update(memories: &str, facts: &str) -> Value {
    let tools: Vec<Value> = [
        "add_memory",
        "update_memory",
        "delete_memory",
        "keep_memory",
    ]
    .iter()
    .map(|name| json!({"type": "function", "function": {"name": name, "parameters": {}}}))
    .collect();
    json!({
        "model": "replay",
        "messages": [
            {"role": "system", "content": "Decide."},
            {"role": "user", "content": format!("## Known memories\n{memories}\n\n## New facts\n{facts}\n")},
        ],
        "tools": tools,
    })
}
