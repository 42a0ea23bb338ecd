//! Building the body of a chat request.

use serde_json::{Map, Value, json};

use super::dialect::{Dialect, JsonForm, TokenLimit, ToolForm};
use crate::compact::to_json;
use crate::model::{ChatRequest, Output, ShownFile, ToolSpec, Turn};

/// Tokens granted for reasoning on top of the reply, where the limit includes both.
const REASONING_TOKENS: u32 = 4_096;

/// The body of `POST chat/completions`.
pub(super) fn body(model: &str, request: &ChatRequest, dialect: Dialect) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    set("model", json!(model));
    if let Some(field) = dialect.tokens.field() {
        let spare = if dialect.effort && dialect.tokens == TokenLimit::MaxCompletionTokens {
            REASONING_TOKENS
        } else {
            0
        };
        set(field, json!(request.max_tokens.saturating_add(spare)));
    }
    if dialect.temperature {
        set("temperature", json!(0));
    }
    if dialect.effort {
        set("reasoning_effort", json!("low"));
    }

    let mut system = request.system.clone();
    match &request.output {
        Output::Text => {}
        Output::Json { name, schema } => match dialect.json {
            JsonForm::Schema => {
                set(
                    "response_format",
                    json!({"type": "json_schema", "json_schema": {"name": name, "strict": true, "schema": schema}}),
                );
            }
            JsonForm::Object => {
                set("response_format", json!({"type": "json_object"}));
                system.push_str(&json_instruction(schema));
            }
            JsonForm::Function => {
                let function =
                    json!({"name": name, "description": "Gives the answer.", "parameters": schema});
                set("tools", json!([{"type": "function", "function": function}]));
                set(
                    "tool_choice",
                    json!({"type": "function", "function": {"name": name}}),
                );
            }
            JsonForm::Text => system.push_str(&json_instruction(schema)),
        },
        Output::Tools(tools) => match dialect.tools {
            ToolForm::Required | ToolForm::Auto => {
                set(
                    "tools",
                    tools
                        .iter()
                        .map(|tool| function(tool, dialect.strict))
                        .collect(),
                );
                set(
                    "tool_choice",
                    json!(if dialect.tools == ToolForm::Required {
                        "required"
                    } else {
                        "auto"
                    }),
                );
            }
            ToolForm::Text => system.push_str(&tools_instruction(tools)),
        },
    }
    set(
        "messages",
        messages(&system, &request.turns, dialect.system),
    );
    Value::Object(body)
}

fn function(tool: &ToolSpec, strict: bool) -> Value {
    let mut function =
        json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
    if let (true, Some(members)) = (strict, function.as_object_mut()) {
        members.insert("strict".to_owned(), json!(true));
    }
    json!({"type": "function", "function": function})
}

fn json_instruction(schema: &Value) -> String {
    let schema = to_json(schema);
    format!(
        "\n\nReply with one JSON object and nothing else. It must follow this JSON Schema:\n{schema}"
    )
}

fn tools_instruction(tools: &[ToolSpec]) -> String {
    let mut text =
        String::from("\n\nYou have these tools, each with the JSON Schema of its arguments:\n");
    for tool in tools {
        text.push_str(&format!(
            "- {}: {} {}\n",
            tool.name, tool.description, tool.parameters
        ));
    }
    text.push_str("Call them by replying with one JSON object and nothing else:\n{\"calls\": [{\"name\": \"…\", \"arguments\": {…}}]}");
    text
}

/// The turns; the instructions come first, or inside the first turn where the model's template
/// has no place for them.
fn messages(system: &str, turns: &[Turn], system_turn: bool) -> Value {
    let turn = |role: &str, content: &str| json!({"role": role, "content": content});
    let mut messages = Vec::with_capacity(turns.len() + 1);
    let mut instructions = (!system.is_empty()).then_some(system);
    if system_turn && let Some(system) = instructions.take() {
        messages.push(turn("system", system));
    }
    let mut instructed = |text: &str| match instructions.take() {
        Some(system) => format!("{system}\n\n{text}"),
        None => text.to_owned(),
    };
    for each in turns {
        messages.push(match each {
            Turn::User(text) => turn("user", &instructed(text)),
            Turn::Shown { text, file } => {
                json!({"role": "user", "content": parts(&instructed(text), file)})
            }
            Turn::Assistant(text) => turn("assistant", text),
        });
    }
    messages.into()
}

/// The parts of a turn with a file, which Workers AI takes in the same form.
pub(in crate::model) fn parts(text: &str, file: &ShownFile) -> Value {
    let shown = match file.is_image() {
        true => json!({"type": "image_url", "image_url": {"url": file.data_url()}}),
        false => {
            json!({"type": "file", "file": {"filename": "document.pdf", "file_data": file.data_url()}})
        }
    };
    json!([{"type": "text", "text": text}, shown])
}
