//! Memories as values of a schema: by a model, else by rules.

use serde_json::{Map, Value, json};

use super::knowledge::Graph;
use super::shape::{cast, kind_of};
use crate::memory::Memory;
use crate::model::reading::readings;
use crate::model::{ChatModel, ChatRequest, Finish, ModelError, Output, Turn, prompts};

/// Tokens that the model may answer with.
const MAX_TOKENS: u32 = 4_000;

/// Characters of one memory that the prompt shows.
const MEMORY_CHARS: usize = 600;

/// What a model fills a schema from.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// A JSON schema.
    pub schema: &'a Value,
    /// What else to heed.
    pub instructions: Option<&'a str>,
    /// The memories, newest first.
    pub memories: &'a [Memory],
}

/// The request that has a model fill a schema. The schema is shown in words, as callers' schemas are seldom
/// of the strict subset that providers enforce.
pub fn request(filling: &Filling<'_>) -> ChatRequest {
    let mut prompt = format!("## Schema\n{}\n", filling.schema);
    if let Some(instructions) = filling.instructions {
        prompt.push_str(&format!("\n## Instructions\n{instructions}\n"));
    }
    prompt.push_str("\n## Memories, newest first\n");
    for memory in filling.memories {
        let text: String = memory.text().chars().take(MEMORY_CHARS).collect();
        prompt.push_str(&format!("- ({}) {text}\n", memory.created_at.date()));
    }
    ChatRequest {
        system: prompts::EXPORT.to_owned(),
        turns: vec![Turn::User(prompt.trim_end().to_owned())],
        output: Output::Text,
        max_tokens: MAX_TOKENS,
    }
}

/// Has a model fill a schema.
///
/// # Errors
/// When the model fails, refuses, or answers no JSON object.
pub async fn fill(model: &dyn ChatModel, filling: &Filling<'_>) -> Result<Value, ModelError> {
    let reply = model.chat(&request(filling)).await?;
    if reply.finish == Finish::Refused {
        return Err(ModelError::Refused {
            model: model.name().to_owned(),
        });
    }
    let mut found = readings(&reply.content).into_iter().map(|it| it.value);
    let object = found.find(Value::is_object);
    object.ok_or_else(|| ModelError::Unreadable {
        model: model.name().to_owned(),
        reason: "no JSON object in the reply".to_owned(),
    })
}

/// Fills a flat schema without a model. A property gets, in this order: a field of that name in a memory's
/// metadata; what the graph says of the owner by that name (`city` by `lives_in_city`); of a list or a text,
/// what the memories say that are of a category of that name or have its words. What nothing tells is null,
/// an empty list, or the property's default.
pub fn fill_by_rules(schema: &Value, memories: &[Memory], graph: &Graph) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let Some(properties) = properties else {
        let all = memories.iter().map(Memory::text);
        return json!({"memories": all.collect::<Vec<_>>()});
    };
    let filled = properties
        .iter()
        .map(|(name, property)| (name.clone(), value_of(name, property, memories, graph)));
    Value::Object(filled.collect::<Map<_, _>>())
}

fn value_of(name: &str, property: &Value, memories: &[Memory], graph: &Graph) -> Value {
    let kind = kind_of(property).unwrap_or("string");
    let known = memories.iter().find_map(|memory| memory.metadata.get(name));
    if let Some(value) = known.and_then(|value| cast(kind, value)) {
        return value;
    }
    let words = words_of(name);
    let told: Vec<String> = graph
        .relations()
        .filter(|(_, relation)| relation.is_current() && relation.subject.is_party())
        .filter(|(_, relation)| {
            let predicate = words_of(&relation.predicate);
            words.iter().all(|word| predicate.contains(word))
        })
        .map(|(_, relation)| graph.object_name(&relation.object).to_owned())
        .collect();
    let about = || {
        let about = memories.iter().filter(|memory| {
            let text = words_of(memory.text());
            memory
                .categories
                .iter()
                .any(|topic| words_of(topic) == words)
                || words.iter().all(|word| text.contains(word))
        });
        about.map(|memory| memory.text().to_owned())
    };
    let found = match kind {
        "array" => {
            let all: Vec<String> = match told.is_empty() {
                true => about().collect(),
                false => told,
            };
            return json!(all);
        }
        "string" => told.into_iter().next().or_else(|| about().next()),
        _ => told.into_iter().next(),
    };
    let found = found.and_then(|text| cast(kind, &Value::String(text)));
    found.unwrap_or_else(|| property.get("default").cloned().unwrap_or_default())
}

/// The words of a name (`favoriteColor`, `favorite_color`) or a text, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(name.len() + 8);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            spaced.push(' ');
        }
        was_lower = c.is_lowercase();
        match c.is_alphanumeric() {
            true => spaced.extend(c.to_lowercase()),
            false => spaced.push(' '),
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_case() {
        for name in ["favoriteColor", "favorite_color", "Favorite color"] {
            assert_eq!(words_of(name), ["favorite", "color"]);
        }
    }
}
