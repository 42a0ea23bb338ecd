//! Phase 1: from messages to facts, in one call of the model.

use serde_json::{Map, Value, json};

use super::shape::fit_object;
use crate::compact::{lowercase, to_json};
use crate::memory::{
    Category, Fact, FactEntity, FactRelation, Id, Memory, Message, Moment, Role, Span, Speaker,
};
use crate::model::reading::{Reading, as_bool, as_index, as_text, readings};
use crate::model::{ChatModel, ChatReply, ChatRequest, Finish, ModelError, Output, Turn, prompts};

/// The topics that facts get when the operator names none.
pub const CATEGORIES: [&str; 15] = [
    "personal_details",
    "family",
    "professional_details",
    "sports",
    "travel",
    "food",
    "music",
    "health",
    "technology",
    "hobbies",
    "fashion",
    "entertainment",
    "milestones",
    "user_preferences",
    "misc",
];

/// Tokens that the model may answer with.
const MAX_TOKENS: u32 = 4_000;

/// Characters of one earlier message, and of one new one, that the prompt shows.
const CONTEXT_CHARS: usize = 300;
const MESSAGE_CHARS: usize = 16_000;

/// What extraction works on.
#[derive(Debug, Default)]
pub struct Gathered<'a> {
    /// The new messages with their ids and times, oldest first.
    pub messages: Vec<(Id, Message, Moment)>,
    /// Messages before them, oldest first.
    pub earlier: Vec<Message>,
    /// The conversation's running summary.
    pub summary: Option<String>,
    /// Memories related to the new messages.
    pub related: Vec<&'a Memory>,
    /// The topics to choose from; [`CATEGORIES`] when empty.
    pub categories: &'a [Category],
    /// The operator's instructions.
    pub instructions: Option<&'a str>,
    /// What to remember only.
    pub includes: Option<&'a str>,
    /// What not to remember.
    pub excludes: Option<&'a str>,
    /// The memory is an agent's own, not a person's.
    pub of_agent: bool,
    /// The JSON schema in whose shape facts are also wanted.
    pub structured_data_schema: Option<&'a Value>,
}

/// What extraction found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extraction {
    /// The facts, in the order in which the model gave them.
    pub facts: Vec<Fact>,
    /// The reply was cut off, or partly unreadable: there may be more.
    pub incomplete: bool,
}

/// Asks the model for the facts in the new messages. A reply that cannot be read is asked for once
/// more.
///
/// # Errors
/// When the model fails, refuses, or answers twice what cannot be read.
pub async fn extract(
    model: &dyn ChatModel,
    gathered: &Gathered<'_>,
) -> Result<Extraction, ModelError> {
    let mut request = request(gathered);
    let reply = model.chat(&request).await?;
    if let Some(extraction) = read(&reply, gathered) {
        return Ok(extraction);
    }
    if reply.finish == Finish::Refused {
        return Err(ModelError::Refused {
            model: model.name().to_owned(),
        });
    }
    request
        .turns
        .push(Turn::Assistant(head(&reply.content, CONTEXT_CHARS)));
    request.turns.push(Turn::User(prompts::REPAIR.to_owned()));
    let reply = model.chat(&request).await?;
    read(&reply, gathered).ok_or_else(|| ModelError::Unreadable {
        model: model.name().to_owned(),
        reason: match reply.content.trim() {
            "" => "the reply is empty".to_owned(),
            text => format!("no JSON object with facts in: {}", head(text, 120)),
        },
    })
}

/// The request of phase 1.
pub fn request(gathered: &Gathered<'_>) -> ChatRequest {
    ChatRequest {
        system: prompts::EXTRACT.to_owned(),
        turns: vec![Turn::User(user_turn(gathered))],
        output: Output::Json {
            name: "extraction",
            schema: schema(gathered.structured_data_schema.is_some()),
        },
        max_tokens: MAX_TOKENS,
    }
}

fn user_turn(gathered: &Gathered<'_>) -> String {
    let mut prompt = String::new();
    let mut section = |title: &str, body: &str| {
        prompt.push_str("## ");
        prompt.push_str(title);
        prompt.push('\n');
        prompt.push_str(body.trim_end());
        prompt.push_str("\n\n");
    };
    if gathered.of_agent {
        section(
            "Whose memory",
            "This memory belongs to the assistant itself. Extract what concerns the assistant: its \
             role, abilities, configuration, decisions and what it learnt. Call it \"Assistant\".",
        );
    }
    let categories: String = if gathered.categories.is_empty() {
        CATEGORIES.join(", ")
    } else {
        let line = |category: &Category| match category.description.as_str() {
            "" => format!("- {}\n", category.name),
            description => format!("- {}: {description}\n", category.name),
        };
        gathered.categories.iter().map(line).collect()
    };
    section("Categories", &categories);
    if let Some(text) = gathered.instructions {
        section("Instructions of the operator", text);
    }
    if let Some(text) = gathered.includes {
        section("Remember only", text);
    }
    if let Some(text) = gathered.excludes {
        section("Do not remember", text);
    }
    if let Some(schema) = gathered.structured_data_schema {
        let asked = "Give each fact also `structured_data`: what it tells in the shape of this JSON schema, as JSON text; \
                     null when it tells nothing of it.";
        section("Structured data", &format!("{asked}\n{}", to_json(schema)));
    }
    if let Some(text) = &gathered.summary {
        section("Summary of the conversation so far", text);
    }
    if !gathered.related.is_empty() {
        let lines: String = gathered
            .related
            .iter()
            .map(|memory| format!("- {}\n", one_line(memory.text(), CONTEXT_CHARS)))
            .collect();
        section("Known memories", &lines);
    }
    if !gathered.earlier.is_empty() {
        let lines: String = gathered
            .earlier
            .iter()
            .map(|m| format!("{}: {}\n", m.speaker(), one_line(&m.content, CONTEXT_CHARS)))
            .collect();
        section("Earlier messages (context only)", &lines);
    }
    let lines: String = gathered
        .messages
        .iter()
        .enumerate()
        .map(|(index, (_, message, time))| {
            format!(
                "[{}] {} ({}): {}\n",
                index + 1,
                message.speaker(),
                time.date_and_weekday(),
                fenced(&message.content, MESSAGE_CHARS)
            )
        })
        .collect();
    section("New messages", &lines);
    prompt.truncate(prompt.trim_end().len());
    prompt
}

/// Structured data comes as a text: providers enforce only a strict subset of schemas, which callers' seldom are of.
fn schema(structured: bool) -> Value {
    let object = |properties: Value| {
        let required: Vec<&String> = properties
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    let text = json!({"type": "string"});
    let maybe = json!({"type": ["string", "null"]});
    let mut fact = json!({
        "text": text,
        "category": text,
        "attributed_to": {"type": "string", "enum": ["user", "assistant"]},
        "valid_from": maybe,
        "valid_to": maybe,
        "standing": {"type": "boolean"},
        "applies_when": maybe,
        "entities": {"type": "array", "items": object(json!({
            "name": text,
            "type": text,
            "aliases": {"type": "array", "items": text},
        }))},
        "relations": {
            "type": "array",
            "items": object(json!({"subject": text, "predicate": text, "object": text})),
        },
        "sources": {"type": "array", "items": {"type": "integer"}},
    });
    if let (true, Some(fact)) = (structured, fact.as_object_mut()) {
        fact.insert("structured_data".to_owned(), maybe);
    }
    object(json!({"facts": {"type": "array", "items": object(fact)}}))
}

/// Reads a reply, taking every fact that can be read. `None` when it holds no answer at all.
fn read(reply: &ChatReply, gathered: &Gathered<'_>) -> Option<Extraction> {
    let mut values = readings(&reply.content);
    for call in &reply.tool_calls {
        values.extend(readings(&call.arguments));
    }
    let mut answered = false;
    let mut extraction = Extraction {
        incomplete: reply.finish == Finish::Length,
        ..Extraction::default()
    };
    for Reading { value, complete } in &values {
        let Some(items) = fact_list(value) else {
            continue;
        };
        answered = true;
        extraction.incomplete |= !complete;
        for item in items {
            match read_fact(item, gathered) {
                Some(fact) if !extraction.facts.iter().any(|f| f.text == fact.text) => {
                    extraction.facts.push(fact);
                }
                Some(_) => {}
                None => extraction.incomplete = true,
            }
        }
    }
    answered.then_some(extraction)
}

/// The list of facts in a value: under `facts` or a name that models use instead, the value itself
/// when it is a list, or a single fact.
fn fact_list(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => {
            let plausible = |item: &Value| item.is_object() || item.is_string();
            items.iter().all(plausible).then(|| items.iter().collect())
        }
        Value::Object(object) => {
            for name in ["facts", "memories", "memory", "extraction", "results"] {
                match object.get(name) {
                    Some(Value::Array(items)) => return Some(items.iter().collect()),
                    Some(inner @ Value::Object(_)) => {
                        return fact_list(inner).or_else(|| Some(vec![inner]));
                    }
                    Some(Value::Null) => return Some(Vec::new()),
                    _ => {}
                }
            }
            fact_text(object).map(|_| vec![value])
        }
        _ => None,
    }
}

fn fact_text(object: &Map<String, Value>) -> Option<String> {
    ["text", "fact", "memory", "content"]
        .iter()
        .find_map(|name| object.get(*name).and_then(as_text))
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

fn read_fact(value: &Value, gathered: &Gathered<'_>) -> Option<Fact> {
    let empty = Map::new();
    let (object, text) = match value {
        Value::String(text) if !text.trim().is_empty() => (&empty, text.trim().to_owned()),
        Value::Object(object) => (object, fact_text(object)?),
        _ => return None,
    };
    let time = |name: &str| {
        let text = object.get(name).and_then(as_text)?;
        Span::read(&text).ok()
    };
    let (from, to) = (time("valid_from"), time("valid_to"));
    // A span that ends before it begins is no span.
    let to = to.filter(|to| from.is_none_or(|from| from.from < to.until || from == *to));
    let mut sources: Vec<Id> = list(object.get("sources"))
        .filter_map(as_index)
        .filter_map(|label| gathered.messages.get(label.checked_sub(1)?))
        .map(|(id, ..)| *id)
        .collect();
    sources.dedup();
    if sources.is_empty() {
        sources = gathered.messages.iter().map(|(id, ..)| *id).collect();
    }
    let said_by = object
        .get("attributed_to")
        .and_then(as_text)
        .map(|s| lowercase(&s));
    let attributed_to = match said_by.as_deref() {
        Some("assistant" | "agent" | "ai") => Speaker::Assistant,
        Some(_) => Speaker::User,
        None if all_from_assistant(&sources, gathered) => Speaker::Assistant,
        None => Speaker::User,
    };
    let categories = list(object.get("category").or_else(|| object.get("categories")))
        .filter_map(as_text)
        .map(|name| lowercase(name.trim()))
        .filter(|name| !name.is_empty())
        .collect();
    Some(Fact {
        text,
        categories,
        attributed_to,
        standing: object.get("standing").and_then(as_bool).unwrap_or(false),
        applies_when: text_of(object.get("applies_when")),
        valid_from: from.map(|span| span.from),
        valid_to: to.map(|span| span.until),
        from_precision: from.map(|span| span.precision),
        to_precision: to.map(|span| span.precision),
        entities: list(object.get("entities"))
            .filter_map(read_entity)
            .collect(),
        relations: list(object.get("relations"))
            .filter_map(read_relation)
            .collect(),
        sources,
        structured_data: gathered
            .structured_data_schema
            .and_then(|schema| structured(object.get("structured_data")?, schema))
            .unwrap_or_default(),
    })
}

/// What a fact tells in the shape of a schema; models give the object itself or, as they are asked to, its JSON text.
fn structured(value: &Value, schema: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(told) => Some(fit_object(schema, told)),
        Value::String(text) => {
            let told = readings(text).into_iter().map(|reading| reading.value);
            let told = told.filter_map(|value| value.as_object().cloned()).next()?;
            Some(fit_object(schema, &told))
        }
        _ => None,
    }
}

fn all_from_assistant(sources: &[Id], gathered: &Gathered<'_>) -> bool {
    gathered
        .messages
        .iter()
        .filter(|(id, ..)| sources.contains(id))
        .all(|(_, message, _)| message.role == Role::Assistant)
}

fn read_entity(value: &Value) -> Option<FactEntity> {
    let (name, kind) = match value {
        Value::Object(object) => (
            object.get("name").and_then(as_text)?,
            object
                .get("type")
                .or_else(|| object.get("kind"))
                .and_then(as_text),
        ),
        other => (as_text(other)?, None),
    };
    let name = name.trim().to_owned();
    let aliases = list(value.get("aliases"))
        .filter_map(as_text)
        .map(|alias| alias.trim().to_owned())
        .filter(|alias| !alias.is_empty() && *alias != name)
        .collect();
    (!name.is_empty()).then(|| FactEntity {
        aliases,
        name,
        kind: kind.map_or_else(|| "topic".to_owned(), |kind| lowercase(kind.trim())),
    })
}

fn read_relation(value: &Value) -> Option<FactRelation> {
    let part = |index: usize, names: &[&str]| {
        let found = match value {
            Value::Array(items) => items.get(index),
            value => names.iter().find_map(|name| value.get(*name)),
        };
        found
            .and_then(as_text)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    Some(FactRelation {
        subject: part(0, &["subject", "source"])?,
        predicate: snake_case(&part(1, &["predicate", "relationship", "relation"])?),
        object: part(2, &["object", "target", "destination"])?,
    })
}

fn text_of(value: Option<&Value>) -> Option<String> {
    let text = value.and_then(as_text)?.trim().to_owned();
    let is_none = matches!(lowercase(&text).as_str(), "" | "null" | "none" | "always");
    (!is_none).then_some(text)
}

/// A list's elements, or the one value that stands where a list should.
fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let items: &[Value] = match value {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => &[],
        Some(value) => std::slice::from_ref(value),
    };
    items.iter()
}

fn snake_case(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(lowercase).collect::<Vec<_>>().join("_")
}

/// The first `limit` characters, on one line.
fn one_line(text: &str, limit: usize) -> String {
    head(
        &text.split_whitespace().collect::<Vec<_>>().join(" "),
        limit,
    )
}

/// The first `limit` characters, such that no line looks like a section of the prompt.
fn fenced(text: &str, limit: usize) -> String {
    head(text, limit).replace("\n", "\n    ")
}

fn head(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
