//! Phase 2: how each fact updates what is known, decided by tool calls in one call of the model.

use serde_json::{Value, json};

use crate::compact::lowercase;
use crate::memory::{Fact, Id, Memory};
use crate::model::reading::{as_index, as_text, json_values};
use crate::model::{
    ChatModel, ChatReply, ChatRequest, ModelError, Output, ToolSpec, Turn, prompts,
};

/// Tokens that the model may answer with.
const MAX_TOKENS: u32 = 2_000;

/// What to do with one fact, or one memory.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Store the fact as a new memory.
    Add {
        /// The fact, by its place in the list.
        fact: usize,
        /// The model's decision could not be read.
        undecided: bool,
        /// A memory that cannot be true together with the fact, of which nobody knows whether it is.
        contradicts: Option<Id>,
    },
    /// Give a memory a new version.
    Update {
        /// The fact, by its place in the list.
        fact: usize,
        /// The memory.
        memory: Id,
        /// Its new text.
        text: String,
    },
    /// End a memory: it is no longer true.
    Delete {
        /// The fact that ends it, by its place in the list.
        fact: usize,
        /// The memory.
        memory: Id,
    },
    /// Nothing: the memory says it already.
    Keep {
        /// The fact, by its place in the list.
        fact: usize,
        /// The memory.
        memory: Id,
    },
}

/// A fact and the memories near to it.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// The fact.
    pub fact: &'a Fact,
    /// A memory that says exactly the same.
    pub duplicate: Option<Id>,
    /// Memories that may say the same, or something it changes; nearest first.
    pub neighbours: Vec<&'a Memory>,
}

/// Decides on every fact. Exact duplicates and facts without neighbours are decided at once; the
/// model is asked about the rest, in one call, and once more when its reply holds no decision. Facts
/// on which it then still says nothing are added, flagged as undecided.
///
/// # Errors
/// When the model fails to answer.
pub async fn update(
    model: &dyn ChatModel,
    candidates: &[Candidate<'_>],
) -> Result<Vec<Decision>, ModelError> {
    let mut decisions = Vec::new();
    let mut open = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        match candidate.duplicate {
            Some(memory) => decisions.push(Decision::Keep {
                fact: index,
                memory,
            }),
            None if candidate.neighbours.is_empty() => decisions.push(Decision::Add {
                fact: index,
                undecided: false,
                contradicts: None,
            }),
            None => open.push(index),
        }
    }
    if open.is_empty() {
        return Ok(decisions);
    }
    let question = Question::new(candidates, open);
    let mut request = question.request();
    let reply = model.chat(&request).await?;
    let mut read = question.read(&reply);
    if read.is_empty() {
        request
            .turns
            .push(Turn::Assistant(if reply.content.is_empty() {
                "(no tool call)".to_owned()
            } else {
                reply.content.chars().take(300).collect()
            }));
        request.turns.push(Turn::User(prompts::REPAIR.to_owned()));
        read = question.read(&model.chat(&request).await?);
    }
    decisions.extend(question.complete(read));
    decisions.sort_by_key(Decision::order);
    Ok(decisions)
}

impl Decision {
    /// The fact it is about, by its place in the list.
    pub fn fact(&self) -> usize {
        match self {
            Decision::Add { fact, .. }
            | Decision::Update { fact, .. }
            | Decision::Delete { fact, .. }
            | Decision::Keep { fact, .. } => *fact,
        }
    }

    /// The memory it changes or ends.
    fn changes(&self, id: &Id) -> bool {
        match self {
            Decision::Update { memory, .. } | Decision::Delete { memory, .. } => memory == id,
            Decision::Add { .. } | Decision::Keep { .. } => false,
        }
    }

    /// By fact, and what ends a memory before what begins one.
    fn order(&self) -> (usize, u8) {
        let rank = match self {
            Decision::Delete { .. } => 0,
            Decision::Update { .. } => 1,
            Decision::Keep { .. } => 2,
            Decision::Add { .. } => 3,
        };
        (self.fact(), rank)
    }
}

/// The one question of phase 2, with the small integers that stand for facts and memories.
struct Question<'a> {
    /// The open facts; label 1 is the first.
    facts: Vec<(usize, &'a Fact)>,
    /// The memories near to any of them; label 1 is the first.
    memories: Vec<&'a Memory>,
}

impl<'a> Question<'a> {
    fn new(candidates: &[Candidate<'a>], open: Vec<usize>) -> Self {
        let mut facts = Vec::new();
        let mut memories: Vec<&Memory> = Vec::new();
        for index in open {
            let Some(candidate) = candidates.get(index) else {
                continue;
            };
            facts.push((index, candidate.fact));
            for memory in &candidate.neighbours {
                if !memories.iter().any(|known| known.id == memory.id) {
                    memories.push(memory);
                }
            }
        }
        memories.sort_by_key(|memory| memory.id);
        Self { facts, memories }
    }

    fn request(&self) -> ChatRequest {
        let mut prompt = String::from("## Known memories\n");
        for (index, memory) in self.memories.iter().enumerate() {
            let since = memory.updated_at.date();
            prompt.push_str(&format!(
                "[{}] {} (since {since})\n",
                index + 1,
                memory.text()
            ));
        }
        prompt.push_str("\n## New facts\n");
        for (index, (_, fact)) in self.facts.iter().enumerate() {
            prompt.push_str(&format!("[{}] {}\n", index + 1, fact.text));
        }
        prompt.truncate(prompt.trim_end().len());
        ChatRequest {
            system: prompts::UPDATE.to_owned(),
            turns: vec![Turn::User(prompt)],
            output: Output::Tools(tools()),
            max_tokens: MAX_TOKENS,
        }
    }

    /// The decisions of a reply; calls that name no shown number are dropped.
    fn read(&self, reply: &ChatReply) -> Vec<Decision> {
        let mut decisions: Vec<Decision> = Vec::new();
        let mut calls: Vec<(String, Value)> = Vec::new();
        for call in &reply.tool_calls {
            for value in json_values(&call.arguments) {
                calls.push((call.name.clone(), value));
            }
        }
        if calls.is_empty() {
            calls = json_values(&reply.content)
                .iter()
                .flat_map(calls_in)
                .collect();
        }
        for (name, arguments) in calls {
            if let Some(decision) = self.decision(&name, &arguments)
                && !decisions.contains(&decision)
            {
                decisions.push(decision);
            }
        }
        decisions
    }

    fn decision(&self, name: &str, arguments: &Value) -> Option<Decision> {
        let label = |names: &[&str]| {
            let value = names.iter().find_map(|name| arguments.get(*name))?;
            as_index(value)?.checked_sub(1)
        };
        let memory = || {
            let label = label(&["memory", "memory_id", "id"])?;
            self.memories.get(label).map(|memory| memory.id)
        };
        // A single open fact needs no number.
        let fact = match label(&["fact", "fact_id"]) {
            Some(label) => self.facts.get(label)?.0,
            None if self.facts.len() == 1 => self.facts.first()?.0,
            None => return None,
        };
        Some(match lowercase(name.trim()).trim_end_matches("_memory") {
            "add" => Decision::Add {
                fact,
                undecided: false,
                contradicts: label(&["contradicts"])
                    .and_then(|label| self.memories.get(label))
                    .map(|memory| memory.id),
            },
            "update" => Decision::Update {
                fact,
                memory: memory()?,
                text: arguments
                    .get("text")
                    .and_then(as_text)
                    .map(|text| text.trim().to_owned())
                    .filter(|text| !text.is_empty())
                    .or_else(|| self.fact_text(fact))?,
            },
            "delete" => Decision::Delete {
                fact,
                memory: memory()?,
            },
            "keep" | "none" | "noop" => Decision::Keep {
                fact,
                memory: memory()?,
            },
            _ => return None,
        })
    }

    fn fact_text(&self, index: usize) -> Option<String> {
        let found = self.facts.iter().find(|(place, _)| *place == index);
        found.map(|(_, fact)| fact.text.clone())
    }

    /// Makes the decisions consistent: one memory is changed once, a fact that is added is not also
    /// kept or made a version, and every fact is stored unless a memory keeps it.
    fn complete(&self, read: Vec<Decision>) -> Vec<Decision> {
        let mut decisions: Vec<Decision> = Vec::new();
        for decision in read {
            let clashes = match &decision {
                Decision::Update { memory, .. } | Decision::Delete { memory, .. } => {
                    decisions.iter().any(|d| d.changes(memory))
                }
                _ => false,
            };
            if !clashes {
                decisions.push(decision);
            }
        }
        let stored = |decisions: &[Decision], fact: usize| {
            decisions.iter().any(|d| match d {
                Decision::Update { fact: f, .. } | Decision::Keep { fact: f, .. } => *f == fact,
                _ => false,
            })
        };
        for (fact, _) in &self.facts {
            if stored(&decisions, *fact) {
                decisions.retain(|d| !matches!(d, Decision::Add { fact: f, .. } if f == fact));
                continue;
            }
            let added = |d: &Decision| matches!(d, Decision::Add { fact: f, .. } if f == fact);
            if !decisions.iter().any(added) {
                let mentioned =
                    |d: &Decision| matches!(d, Decision::Delete { fact: f, .. } if f == fact);
                let undecided = !decisions.iter().any(mentioned);
                decisions.push(Decision::Add {
                    fact: *fact,
                    undecided,
                    contradicts: None,
                });
            }
        }
        decisions
    }
}

/// Tool calls that a model wrote as JSON in its text: `{"calls": [{"name", "arguments"}]}`, one such
/// call, or a list of them.
fn calls_in(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Array(items) => items.iter().flat_map(calls_in).collect(),
        Value::Object(object) => {
            if let Some(calls) = object.get("calls").or_else(|| object.get("tool_calls")) {
                return calls_in(calls);
            }
            let function = object
                .get("function")
                .and_then(Value::as_object)
                .unwrap_or(object);
            let Some(name) = function
                .get("name")
                .or_else(|| function.get("tool"))
                .and_then(as_text)
            else {
                return Vec::new();
            };
            let arguments = match function
                .get("arguments")
                .or_else(|| function.get("parameters"))
            {
                Some(Value::String(text)) => json_values(text).into_iter().next(),
                other => other.cloned(),
            };
            vec![(name, arguments.unwrap_or_else(|| value.clone()))]
        }
        _ => Vec::new(),
    }
}

fn tools() -> Vec<ToolSpec> {
    let fact = json!({"type": "integer", "description": "The number of the new fact."});
    let memory = json!({"type": "integer", "description": "The number of the known memory."});
    let text = json!({"type": "string", "description": "The memory's new text, complete."});
    let contradicts = json!({
        "type": "integer",
        "description": "The number of a known memory that cannot be true together with the fact, when it is unclear \
                        which of them is.",
    });
    let object = |properties: Value, required: &[&str]| {
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    vec![
        ToolSpec {
            name: "add_memory",
            description: "Store a new fact as a memory of its own.",
            parameters: object(json!({"fact": fact, "contradicts": contradicts}), &["fact"]),
        },
        ToolSpec {
            name: "update_memory",
            description: "Replace the text of a known memory that a new fact changes or completes.",
            parameters: object(
                json!({"fact": fact, "memory": memory, "text": text}),
                &["fact", "memory", "text"],
            ),
        },
        ToolSpec {
            name: "delete_memory",
            description: "End a known memory that a new fact says is no longer true.",
            parameters: object(json!({"fact": fact, "memory": memory}), &["fact", "memory"]),
        },
        ToolSpec {
            name: "keep_memory",
            description: "A known memory already says the new fact: change nothing.",
            parameters: object(json!({"fact": fact, "memory": memory}), &["fact", "memory"]),
        },
    ]
}
