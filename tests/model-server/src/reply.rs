//! Replies, and their shape on the wire.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::prompt::Question;

/// What a model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// One JSON object, sent as text.
    Json(Value),
    /// Calls of tools.
    Calls(Vec<Call>),
    /// Prose.
    Text(String),
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// The assistant message of a completion, before it becomes JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The text.
    pub content: Option<String>,
    /// Names and arguments of tool calls; the arguments are JSON text.
    pub calls: Vec<(String, String)>,
    /// Set when the model refuses.
    pub refusal: Option<String>,
    /// `stop`, `length` or `tool_calls`.
    pub finish: &'static str,
}

impl Message {
    /// A reply in the form that the request can take: JSON goes into the only tool when tools
    /// are all that was offered, and calls become JSON text when none were.
    pub fn new(reply: Reply, question: &Question) -> Self {
        match (reply, question.tools.as_slice()) {
            (Reply::Text(text), _) => Self::text(text),
            (Reply::Json(value), [tool, ..]) => Self {
                calls: vec![(tool.clone(), value.to_string())],
                finish: "tool_calls",
                ..Self::default()
            },
            (Reply::Json(value), []) => Self::text(value.to_string()),
            (Reply::Calls(calls), []) => Self::text(json!({ "calls": calls }).to_string()),
            (Reply::Calls(calls), _) => Self {
                calls: calls
                    .into_iter()
                    .map(|call| (call.name, Value::Object(call.arguments).to_string()))
                    .collect(),
                finish: "tool_calls",
                ..Self::default()
            },
        }
    }

    /// A message of text that ended by itself.
    pub fn text(content: impl Into<String>) -> Self {
        Self {
            content: Some(content.into()),
            finish: "stop",
            ..Self::default()
        }
    }

    /// The same as the events of a stream: all that is said in one, then why it ended, then the usage.
    pub fn stream(&self, model: &str, number: u64) -> String {
        let whole = self.completion(model, number);
        let mut delta = whole
            .pointer("/choices/0/message")
            .cloned()
            .unwrap_or_default();
        let calls = delta.get_mut("tool_calls").and_then(Value::as_array_mut);
        for (index, call) in calls.into_iter().flatten().enumerate() {
            if let Some(call) = call.as_object_mut() {
                call.insert("index".into(), json!(index));
            }
        }
        let chunk = |choices: Value, usage: &Value| {
            json!({
                "id": whole.get("id"), "object": "chat.completion.chunk", "created": 0, "model": model,
                "system_fingerprint": "replayed", "choices": choices, "usage": usage,
            })
        };
        let choice = |delta: &Value, finish: &Value| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        let events = [
            chunk(choice(&delta, &Value::Null), &Value::Null),
            chunk(choice(&json!({}), &json!(self.finish)), &Value::Null),
            chunk(json!([]), whole.get("usage").unwrap_or(&Value::Null)),
        ];
        let mut stream: String = events
            .iter()
            .map(|event| format!("data: {event}\n\n"))
            .collect();
        stream.push_str("data: [DONE]\n\n");
        stream
    }

    /// The body of a chat completion. No tokens were used: nothing was computed.
    pub fn completion(&self, model: &str, number: u64) -> Value {
        let calls: Vec<Value> = self
            .calls
            .iter()
            .enumerate()
            .map(|(index, (name, arguments))| {
                let function = json!({"name": name, "arguments": arguments});
                json!({"id": format!("call_{number}_{index}"), "type": "function", "function": function})
            })
            .collect();
        let mut message = Map::new();
        message.insert("role".into(), "assistant".into());
        message.insert("content".into(), json!(self.content));
        message.insert("refusal".into(), json!(self.refusal));
        if !calls.is_empty() {
            message.insert("tool_calls".into(), calls.into());
        }
        json!({
            "id": format!("chatcmpl-replayed-{number}"),
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "system_fingerprint": "replayed",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": self.finish}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        })
    }
}
