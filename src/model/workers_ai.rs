//! What Workers AI is asked through its binding, and how its answers read.
//!
//! The binding takes and gives plain objects, in two dialects: that of Cloudflare's own models
//! (`response`, `tool_calls` with `name` and `arguments`) and that of OpenAI (`choices`). Both are
//! read. Shapes: <https://developers.cloudflare.com/workers-ai/>.

use serde_json::{Map, Value, json};

use super::openai::parts;
use super::{ChatReply, ChatRequest, Finish, ModelError, Output, Tokens, ToolCall, Turn};

/// The most texts of one embedding request.
pub const EMBED_BATCH: usize = 100;

/// The input of `run` for a question to a chat model.
///
/// # Errors
/// [`ModelError::Rejected`] when it is to look at a document: no model takes one.
pub fn chat_input(model: &str, request: &ChatRequest) -> Result<Value, ModelError> {
    let is_document = |turn: &Turn| matches!(turn, Turn::Shown { file, .. } if !file.is_image());
    if request.turns.iter().any(is_document) {
        return Err(ModelError::Rejected {
            model: model.to_owned(),
            status: 400,
            reason: "Workers AI reads no documents".to_owned(),
        });
    }
    let mut messages = vec![json!({ "role": "system", "content": request.system })];
    messages.extend(request.turns.iter().map(|turn| match turn {
        Turn::User(content) => json!({ "role": "user", "content": content }),
        Turn::Shown { text, file } => json!({ "role": "user", "content": parts(text, file) }),
        Turn::Assistant(content) => json!({ "role": "assistant", "content": content }),
    }));
    let mut input = Map::new();
    input.insert("messages".to_owned(), Value::Array(messages));
    input.insert("max_tokens".to_owned(), request.max_tokens.into());
    input.insert("temperature".to_owned(), 0.into());
    match &request.output {
        Output::Text => {}
        Output::Json { schema, .. } => {
            let format = json!({ "type": "json_schema", "json_schema": schema });
            input.insert("response_format".to_owned(), format);
        }
        Output::Tools(tools) => {
            let tools = tools.iter().map(|tool| {
                json!({ "type": "function", "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                }})
            });
            input.insert("tools".to_owned(), tools.collect());
        }
    }
    Ok(Value::Object(input))
}

/// Reads what `run` answered to [`chat_input`].
///
/// # Errors
/// [`ModelError::Unreadable`] when it is in neither dialect.
pub fn read_chat(model: &str, answer: &Value) -> Result<ChatReply, ModelError> {
    let choice = answer.pointer("/choices/0");
    let message = match choice {
        Some(choice) => choice.get("message").unwrap_or(&Value::Null),
        None => answer,
    };
    let content = message.get("content").or_else(|| message.get("response"));
    let tool_calls: Vec<ToolCall> = message
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(tool_call)
        .collect();
    if content.is_none() && tool_calls.is_empty() {
        return Err(unreadable(model, "there is no response and no tool call"));
    }
    let reason = choice.unwrap_or(answer).get("finish_reason");
    Ok(ChatReply {
        content: content.map_or_else(String::new, text_of),
        tool_calls,
        finish: match reason.and_then(Value::as_str) {
            Some("length") => Finish::Length,
            Some("content_filter") => Finish::Refused,
            _ => Finish::Done,
        },
        tokens: Tokens::of(answer),
    })
}

fn tool_call(call: &Value) -> Option<ToolCall> {
    let call = call.get("function").unwrap_or(call);
    Some(ToolCall {
        name: call.get("name")?.as_str()?.to_owned(),
        arguments: call.get("arguments").map_or_else(String::new, text_of),
    })
}

/// A text as it is, nothing for null, and JSON for what the binding has read already.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The input of `run` for at most [`EMBED_BATCH`] texts.
pub fn embed_input(texts: &[String]) -> Value {
    json!({ "text": texts })
}

/// Reads what `run` answered to [`embed_input`]: one vector of unit length for each text.
///
/// # Errors
/// [`ModelError::Unreadable`] when there is not one vector of numbers for each text.
pub fn read_vectors(
    model: &str,
    answer: &Value,
    texts: usize,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let rows = answer
        .get("data")
        .and_then(Value::as_array)
        .ok_or_else(|| unreadable(model, "there is no `data`"))?;
    if rows.len() != texts {
        let reason = format!("{} vectors for {texts} texts", rows.len());
        return Err(unreadable(model, &reason));
    }
    let vectors: Option<Vec<Vec<f32>>> = rows.iter().map(vector).collect();
    vectors.ok_or_else(|| unreadable(model, "a vector is not a list of numbers"))
}

fn vector(row: &Value) -> Option<Vec<f32>> {
    let numbers: Vec<f64> = row
        .as_array()?
        .iter()
        .map(Value::as_f64)
        .collect::<Option<_>>()?;
    let length = numbers.iter().map(|n| n * n).sum::<f64>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "a unit vector fits")]
    Some(numbers.iter().map(|n| (n * scale) as f32).collect())
}

/// What `run` threw. Its message starts with one of the internal codes of
/// <https://developers.cloudflare.com/workers-ai/platform/errors/>.
pub fn read_error(model: &str, message: &str) -> ModelError {
    let code: String = message
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let model = model.to_owned();
    let reason: String = message.chars().take(300).collect();
    let status = match code.parse().unwrap_or(0_u32) {
        3036 | 3040 => {
            return ModelError::RateLimited {
                model,
                retry_after_ms: None,
            };
        }
        3003 | 3039 | 5004 | 5006 | 5007 => 400,
        3023 | 3041 | 5016 | 5018 => 403,
        3042 => 404,
        3006 => 413,
        5005 | 5019 => 405,
        _ => {
            return ModelError::Unavailable {
                model,
                status: 500,
                reason,
            };
        }
    };
    ModelError::Rejected {
        model,
        status,
        reason,
    }
}

fn unreadable(model: &str, reason: &str) -> ModelError {
    ModelError::Unreadable {
        model: model.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ShownFile, ToolSpec};
    use super::*;

    const MODEL: &str = "@cf/some/model";

    fn ask(output: Output) -> Value {
        let turn = Turn::User("I like tea.".to_owned());
        chat_input(MODEL, &asking(turn, output)).unwrap()
    }

    fn asking(turn: Turn, output: Output) -> ChatRequest {
        ChatRequest {
            system: "Extract.".to_owned(),
            turns: vec![turn],
            output,
            max_tokens: 100,
        }
    }

    #[test]
    fn shows_images_and_no_documents() {
        let shown = |media_type| {
            let file = ShownFile {
                media_type,
                base64: "AAAA".to_owned(),
            };
            let text = "What is this?".to_owned();
            chat_input(MODEL, &asking(Turn::Shown { text, file }, Output::Text))
        };
        let input = shown("image/png").unwrap();
        let parts = &input["messages"][1]["content"];
        assert_eq!(parts[0]["text"], "What is this?");
        assert_eq!(parts[1]["image_url"]["url"], "data:image/png;base64,AAAA");
        assert!(!shown("application/pdf").unwrap_err().is_retryable());
    }

    #[test]
    fn asks_with_a_bare_schema() {
        let schema = json!({ "type": "object" });
        let input = ask(Output::Json {
            name: "facts",
            schema: schema.clone(),
        });
        assert_eq!(input["messages"][0]["role"], "system");
        assert_eq!(input["messages"][1]["content"], "I like tea.");
        assert_eq!(input["response_format"]["json_schema"], schema);
        assert_eq!(input["max_tokens"], 100);
    }

    #[test]
    fn asks_with_tools() {
        let input = ask(Output::Tools(vec![ToolSpec {
            name: "add_memory",
            description: "Adds.",
            parameters: json!({ "type": "object" }),
        }]));
        assert_eq!(input["tools"][0]["function"]["name"], "add_memory");
        assert!(input.get("response_format").is_none());
    }

    #[test]
    fn reads_objects_that_the_binding_has_read_already() {
        let answer = json!({ "response": { "facts": ["tea"] } });
        let reply = read_chat(MODEL, &answer).unwrap();
        assert_eq!(reply.content, r#"{"facts":["tea"]}"#);
        assert_eq!(reply.finish, Finish::Done);
    }

    #[test]
    fn reads_tool_calls_in_both_dialects() {
        let own = json!({ "response": null, "tool_calls": [
            { "name": "add_memory", "arguments": { "text": "tea" } }
        ]});
        let openai = json!({ "choices": [{ "finish_reason": "tool_calls", "message": {
            "content": null, "tool_calls": [
                { "type": "function", "function": {
                    "name": "add_memory", "arguments": "{\"text\":\"tea\"}" } }
            ]
        }}]});
        for answer in [own, openai] {
            let reply = read_chat(MODEL, &answer).unwrap();
            let call = ToolCall {
                name: "add_memory".to_owned(),
                arguments: r#"{"text":"tea"}"#.to_owned(),
            };
            assert_eq!(reply.tool_calls, [call]);
            assert_eq!(reply.content, "");
        }
    }

    #[test]
    fn tells_a_reply_that_was_cut_off() {
        let answer =
            json!({ "choices": [{ "finish_reason": "length", "message": { "content": "{" } }] });
        assert_eq!(read_chat(MODEL, &answer).unwrap().finish, Finish::Length);
    }

    #[test]
    fn refuses_other_shapes() {
        for answer in [json!(null), json!({}), json!([]), json!({ "choices": [] })] {
            assert!(matches!(
                read_chat(MODEL, &answer),
                Err(ModelError::Unreadable { .. })
            ));
        }
    }

    #[test]
    fn reads_vectors_of_unit_length() {
        let answer = json!({ "shape": [2, 2], "data": [[3.0, 4.0], [0, 0]] });
        let vectors = read_vectors(MODEL, &answer, 2).unwrap();
        assert_eq!(vectors, [[0.6, 0.8], [0.0, 0.0]]);
        assert!(read_vectors(MODEL, &answer, 3).is_err());
        assert!(read_vectors(MODEL, &json!({ "data": [["x"]] }), 1).is_err());
    }

    #[test]
    fn tells_what_may_succeed_later() {
        let capacity = read_error(MODEL, "3040: Capacity temporarily exceeded");
        assert_eq!(capacity.code(), "model_rate_limited");
        let unknown = read_error(MODEL, "5007: No such model @cf/x or task");
        assert!(!unknown.is_retryable());
        assert!(read_error(MODEL, "Network connection lost").is_retryable());
    }
}
