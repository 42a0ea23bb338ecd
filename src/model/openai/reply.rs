//! Reading the answer to a chat request.

use serde_json::Value;

use crate::compact::to_json;
use crate::model::reading::{field, json_values};
use crate::model::{ChatReply, Finish, Output, Tokens, ToolCall};

/// Reads an answer of `chat/completions`, or of a Workers AI text model (`{"response": …}`), in
/// any of the shapes that services are known to give it. Nothing when there is no message in it.
///
/// Where tool calls were asked for and came as JSON in the text, they are returned as calls; where
/// JSON was asked for and came as a call, its arguments are returned as the text.
pub fn read_reply(answer: &Value, output: &Output) -> Option<ChatReply> {
    let choice = answer.pointer("/choices/0").unwrap_or(answer);
    let message = ["message", "delta", "result"]
        .iter()
        .find_map(|name| choice.get(name).filter(|message| message.is_object()))
        .unwrap_or(choice);

    let content = ["content", "response", "text"]
        .iter()
        .find_map(|name| message.get(name));
    let calls = message.get("tool_calls").and_then(Value::as_array);
    let legacy_call = message.get("function_call").filter(|call| call.is_object());
    let refusal = message
        .get("refusal")
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    if content.is_none() && calls.is_none() && legacy_call.is_none() && refusal.is_none() {
        return None;
    }

    let mut tool_calls: Vec<ToolCall> = calls
        .into_iter()
        .flatten()
        .chain(legacy_call)
        .filter_map(tool_call)
        .collect();
    let mut content = content.map(text_of).unwrap_or_default();
    let mut finish = match ["finish_reason", "stop_reason"]
        .iter()
        .find_map(|name| choice.get(name)?.as_str())
    {
        Some("length" | "max_tokens" | "model_length") => Finish::Length,
        Some("content_filter" | "refusal" | "safety" | "SAFETY") => Finish::Refused,
        _ => Finish::Done,
    };
    if let Some(refusal) = refusal {
        finish = Finish::Refused;
        if content.is_empty() {
            content = refusal.to_owned();
        }
    }
    if content.trim().is_empty() && tool_calls.is_empty() && finish == Finish::Done {
        // Some servers take the whole answer for reasoning when the model does not reason.
        let aside = ["reasoning_content", "reasoning"]
            .iter()
            .find_map(|name| message.get(name)?.as_str());
        content = aside.unwrap_or_default().to_owned();
    }

    match output {
        Output::Text => {}
        Output::Json { .. } => {
            if let Some(call) = tool_calls.first().filter(|_| !has_json(&content)) {
                content = call.arguments.clone();
            }
            tool_calls.clear();
        }
        Output::Tools(tools) => {
            if tool_calls.is_empty() {
                let known = |name: &str| tools.iter().any(|tool| tool.name == name);
                tool_calls = json_values(&content)
                    .iter()
                    .flat_map(|value| calls_in(value, &known))
                    .collect();
                if !tool_calls.is_empty() {
                    content.clear();
                }
            }
        }
    }
    Some(ChatReply {
        content,
        tool_calls,
        finish,
        tokens: Tokens::of(answer),
    })
}

/// Whether an object or array can be read out of a text.
pub(super) fn has_json(text: &str) -> bool {
    json_values(text)
        .iter()
        .any(|value| value.is_object() || value.is_array())
}

/// The text of a message's content: a string, a list of parts, or JSON that the service has
/// already read.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts)
            if parts
                .iter()
                .all(|part| part.is_string() || part.get("type").is_some()) =>
        {
            parts
                .iter()
                .filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str()))
                .collect()
        }
        Value::Null => String::new(),
        other => to_json(other),
    }
}

/// A call in a message: `{"function": {"name", "arguments"}}`, or the inner object alone.
fn tool_call(call: &Value) -> Option<ToolCall> {
    let function = call
        .get("function")
        .filter(|function| function.is_object())
        .unwrap_or(call);
    let name = field(function, &["name", "tool", "function", "tool_name"])?
        .as_str()?
        .trim();
    let arguments = match field(function, &["arguments", "parameters", "args", "input"]) {
        None => "{}".to_owned(),
        Some(Value::String(text)) if text.trim().is_empty() => "{}".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(arguments) => to_json(arguments),
    };
    Some(ToolCall {
        name: name.strip_prefix("functions.").unwrap_or(name).to_owned(),
        arguments,
    })
}

/// Calls written as JSON: `{"calls": […]}`, a list of calls, one call, or `{"tool": {arguments}}`.
fn calls_in(value: &Value, known: &impl Fn(&str) -> bool) -> Vec<ToolCall> {
    if let Some(calls) = field(value, &["calls", "tool_calls"]).and_then(Value::as_array) {
        return calls
            .iter()
            .flat_map(|call| calls_in(call, known))
            .collect();
    }
    match value {
        Value::Array(calls) => calls
            .iter()
            .filter(|call| call.is_object())
            .flat_map(|call| calls_in(call, known))
            .collect(),
        Value::Object(members) => match (tool_call(value), members.iter().next()) {
            (Some(call), _) => vec![call],
            (None, Some((name, arguments))) if members.len() == 1 && known(name) => {
                vec![ToolCall {
                    name: name.clone(),
                    arguments: to_json(arguments),
                }]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
