//! Cassettes: replies kept in readable JSON files, found by what a prompt says.
//!
//! ```json
//! {"about": "what this is", "entries": [
//!   {"match": {"task": "extract", "contains": ["peanuts"]},
//!    "reply": {"json": {"facts": [{"text": "User is allergic to peanuts", "sources": ["{{message:peanuts}}"]}]}}},
//!   {"match": {"task": "update"},
//!    "reply": {"calls": [{"name": "keep_memory", "arguments": {
//!       "fact": "{{fact:User has a peanut allergy}}", "memory": "{{memory:User is allergic to peanuts}}"}}]}},
//!   {"match": {"task": "summary"}, "reply": {"text": "They talked about food."}}
//! ]}
//! ```
//!
//! `contains` lists texts that must all occur: for `extract` among the new messages, for `update`
//! among the new facts, for `summary` and `describe` in the last user turn, for `chat` in any turn; `shows` is the media
//! type of a file that `describe` is about. The first entry that matches answers.
//! A string `"{{message:TEXT}}"` becomes the number that the prompt gives to the new message with
//! that text in it; `"{{fact:TEXT}}"` and `"{{memory:TEXT}}"` the number of the line that says just
//! that (a note such as `(since 2026-01-10)` aside).
//!
//! Decisions belong to facts, so `update` collects from every entry that matches: calls for facts
//! that the prompt does not list are left out, and the first entry that names a fact decides it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Error;
use crate::prompt::{KNOWN_MEMORIES, Labels, NEW_FACTS, NEW_MESSAGES, Question, Task};
use crate::reply::{Call, Reply};

/// A file of replies.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    /// What it is, for readers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The replies.
    pub entries: Vec<Entry>,
}

/// One reply and when to give it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When.
    #[serde(rename = "match")]
    pub when: Match,
    /// What.
    pub reply: Reply,
}

/// When an entry answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The task asked.
    pub task: Task,
    /// Texts that all occur in the prompt.
    #[serde(default)]
    pub contains: Vec<String>,
    /// The media type of a file that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<String>,
}

/// Why no reply was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Miss {
    /// No entry matches.
    NoEntry,
    /// An entry matches, but the prompt lacks a line that it names.
    NoLabel {
        /// `message`, `fact` or `memory`.
        kind: String,
        /// The text looked for.
        text: String,
    },
}

/// All replies of a folder.
#[derive(Debug, Default)]
pub struct Library {
    /// The entries, file by file.
    pub entries: Vec<Entry>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Library {
    /// Reads every `*.json` in `folder` that has `entries`, by name. A folder that does not exist is empty.
    ///
    /// # Errors
    /// [`Error::Cassette`] for a file that is not JSON, or whose entries are not written as above.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(folder) {
            Ok(files) => files.flatten().map(|file| file.path()).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                let what = format!("cannot read {}", folder.display());
                return Err(Error::Io { what, source });
            }
        };
        paths.retain(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        });
        paths.sort();
        let mut library = Self::default();
        for path in paths {
            let wrong = |reason: String| Error::Cassette {
                path: path.clone(),
                reason,
            };
            let text = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
            let value: Value = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
            if value.get("entries").is_none() {
                continue;
            }
            let cassette: Cassette =
                serde_json::from_value(value).map_err(|e| wrong(e.to_string()))?;
            library.entries.extend(cassette.entries);
            library.files.push(path);
        }
        Ok(library)
    }

    /// The reply to a question.
    ///
    /// # Errors
    /// See [`Miss`].
    pub fn answer(&self, question: &Question) -> Result<Reply, Miss> {
        let labels = PromptLabels::read(question);
        let mut matching = self.entries.iter().filter(|entry| {
            entry.when.task == question.task
                && entry
                    .when
                    .shows
                    .as_ref()
                    .is_none_or(|it| question.shows.contains(it))
                && entry
                    .when
                    .contains
                    .iter()
                    .all(|text| question.subject().contains(text))
        });
        if question.task == Task::Update {
            return decisions(matching, &labels);
        }
        match &matching.next().ok_or(Miss::NoEntry)?.reply {
            Reply::Json(value) => Ok(Reply::Json(labels.fill(value)?)),
            Reply::Calls(calls) => Ok(Reply::Calls(
                calls.iter().map(|call| question.offered(call)).collect(),
            )),
            reply => Ok(reply.clone()),
        }
    }
}

/// The calls for the facts that the prompt lists, in its order.
fn decisions<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    labels: &PromptLabels,
) -> Result<Reply, Miss> {
    let mut decided_by: HashMap<u64, usize> = HashMap::new();
    let mut calls = Vec::new();
    for (number, entry) in entries.enumerate() {
        let Reply::Calls(recorded) = &entry.reply else {
            continue;
        };
        for call in recorded {
            let mut fact = None;
            if let Some(text) = call.arguments.get("fact").and_then(placeholder) {
                let Some(label) = labels.find(text) else {
                    continue;
                };
                if *decided_by.entry(label).or_insert(number) != number {
                    continue;
                }
                fact = Some(label);
            }
            let mut arguments = Map::new();
            for (name, value) in &call.arguments {
                arguments.insert(name.clone(), labels.fill(value)?);
            }
            calls.push((
                fact,
                Call {
                    name: call.name.clone(),
                    arguments,
                },
            ));
        }
    }
    if calls.is_empty() {
        return Err(Miss::NoEntry);
    }
    calls.sort_by_key(|(fact, _)| *fact);
    Ok(Reply::Calls(
        calls.into_iter().map(|(_, call)| call).collect(),
    ))
}

struct PromptLabels {
    messages: Labels,
    facts: Labels,
    memories: Labels,
}

impl PromptLabels {
    fn read(question: &Question) -> Self {
        Self {
            messages: question.labelled(NEW_MESSAGES),
            facts: question.labelled(NEW_FACTS),
            memories: question.labelled(KNOWN_MEMORIES),
        }
    }

    fn find(&self, (kind, text): (&str, &str)) -> Option<u64> {
        match kind {
            "message" => self.messages.containing(text),
            "fact" => self.facts.saying(text),
            _ => self.memories.saying(text),
        }
    }

    /// `value` with its placeholders replaced by the prompt's numbers.
    fn fill(&self, value: &Value) -> Result<Value, Miss> {
        Ok(match value {
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.fill(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| Ok((name.clone(), self.fill(field)?)))
                    .collect::<Result<_, _>>()?,
            ),
            _ => match placeholder(value) {
                Some((kind, text)) => self
                    .find((kind, text))
                    .ok_or_else(|| Miss::NoLabel {
                        kind: kind.to_owned(),
                        text: text.to_owned(),
                    })?
                    .into(),
                None => value.clone(),
            },
        })
    }
}

/// The kind and text of `"{{kind:text}}"`.
fn placeholder(value: &Value) -> Option<(&str, &str)> {
    let inner = value.as_str()?.strip_prefix("{{")?.strip_suffix("}}")?;
    inner
        .split_once(':')
        .filter(|(kind, _)| matches!(*kind, "message" | "fact" | "memory"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn library() -> Library {
        let cassette: Cassette = serde_json::from_value(json!({"entries": [
            {"match": {"task": "extract", "contains": ["Alps"]},
             "reply": {"json": {"facts": [{"text": "User hikes", "sources": ["{{message:Alps}}"]}]}}},
            {"match": {"task": "update"}, "reply": {"calls": [
                {"name": "update_memory", "arguments": {"memory": "{{memory:lives in Rome}}", "fact": "{{fact:moved to Oslo}}", "text": "lives in Oslo"}},
                {"name": "add_memory", "arguments": {"fact": "{{fact:has a cat}}"}},
            ]}},
            {"match": {"task": "update"}, "reply": {"calls": [
                {"name": "keep_memory", "arguments": {"memory": 1, "fact": "{{fact:has a cat}}"}},
            ]}},
        ]}))
        .unwrap();
        Library {
            entries: cassette.entries,
            files: Vec::new(),
        }
    }

    fn ask(prompt: &str) -> Result<Reply, Miss> {
        library().answer(&Question::read(
            &json!({"messages": [{"role": "user", "content": prompt}]}),
        ))
    }

    #[test]
    fn only_new_messages_match() {
        let context = "## Earlier messages\n[1] user: the Alps\n## New messages\n[1] user: hello";
        assert_eq!(ask(context), Err(Miss::NoEntry));
        let reply = ask("## New messages\n[1] user: hello\n[2] user: the Alps").unwrap();
        assert_eq!(
            reply,
            Reply::Json(json!({"facts": [{"text": "User hikes", "sources": [2]}]}))
        );
    }

    #[test]
    fn calls_for_other_facts_are_left_out() {
        let Reply::Calls(calls) = ask("## Known memories\n[5] lives in Rome (since 2026-01-10)\n## New facts\n[1] moved to Oslo").unwrap() else {
            panic!("calls expected")
        };
        assert_eq!(calls.len(), 1);
        assert_eq!(
            Value::Object(calls[0].arguments.clone()),
            json!({"memory": 5, "fact": 1, "text": "lives in Oslo"})
        );
    }

    #[test]
    fn the_first_entry_decides_a_fact() {
        let Reply::Calls(calls) = ask("## New facts\n[3] has a cat").unwrap() else {
            panic!("calls expected")
        };
        assert_eq!(
            calls
                .iter()
                .map(|call| call.name.as_str())
                .collect::<Vec<_>>(),
            ["add_memory"]
        );
    }

    #[test]
    fn a_missing_memory_is_named() {
        let miss =
            ask("## Known memories\n[5] has a dog\n## New facts\n[1] moved to Oslo").unwrap_err();
        assert_eq!(
            miss,
            Miss::NoLabel {
                kind: "memory".into(),
                text: "lives in Rome".into()
            }
        );
    }
}
