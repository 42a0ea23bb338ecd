//! Reading a chat request: which task it is, and what its prompt lists.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::reply::Call;

/// The heading of the messages that facts are extracted from.
pub const NEW_MESSAGES: &str = "## New messages";
/// The heading of the stored memories that new facts may change.
pub const KNOWN_MEMORIES: &str = "## Known memories";
/// The heading of the facts to decide on.
pub const NEW_FACTS: &str = "## New facts";

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Find the facts in messages.
    Extract,
    /// Decide what facts do to memories.
    Update,
    /// Shorten a conversation.
    Summary,
    /// Say what a file shows.
    Describe,
    /// Any other chat.
    Chat,
    /// Vectors.
    Embeddings,
}

impl Task {
    /// The name in cassettes and on `/control`.
    pub fn as_str(self) -> &'static str {
        match self {
            Task::Extract => "extract",
            Task::Update => "update",
            Task::Summary => "summary",
            Task::Describe => "describe",
            Task::Chat => "chat",
            Task::Embeddings => "embeddings",
        }
    }
}

/// A chat request, as far as a reply depends on it.
#[derive(Debug)]
pub struct Question {
    /// What it is for.
    pub task: Task,
    /// The model that it names.
    pub model: String,
    /// The user turn that holds the task: the last one, or before it the one with the task's
    /// sections when the last only asks for a repair.
    pub prompt: String,
    /// The names of the tools offered.
    pub tools: Vec<String>,
    /// The media types of the files that it shows.
    pub shows: Vec<String>,
    /// Every turn, the results of tools among them: what the reply to any other chat depends on.
    pub turns: String,
}

impl Question {
    /// Reads the JSON body of `POST /v1/chat/completions`.
    pub fn read(body: &Value) -> Self {
        let turns = body
            .get("messages")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let of_role = |role: &'static str| {
            turns
                .iter()
                .filter(move |turn| turn.get("role").and_then(Value::as_str) == Some(role))
                .map(|turn| text_of(turn.get("content")))
        };
        let texts: Vec<String> = turns
            .iter()
            .map(|turn| text_of(turn.get("content")))
            .collect();
        let system = of_role("system").next().unwrap_or_default();
        let users: Vec<String> = of_role("user").collect();
        let tools: Vec<String> = body
            .get("tools")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|tool| tool.pointer("/function/name")?.as_str().map(str::to_owned))
            .collect();
        let schema = body
            .pointer("/response_format/json_schema/name")
            .and_then(Value::as_str);
        let holding = |heading| {
            users
                .iter()
                .rev()
                .find(|turn| section(turn, heading).is_some())
        };

        let shows: Vec<String> = turns.iter().flat_map(shown).collect();
        let task = if !shows.is_empty() {
            Task::Describe
        } else if schema == Some("extraction") || tools.iter().any(|name| name == "extraction") {
            Task::Extract
        } else if tools.iter().any(|name| name == "keep_memory") {
            Task::Update
        } else if system.trim_start().starts_with("Summarise") {
            Task::Summary
        } else if holding(NEW_FACTS).is_some() {
            Task::Update
        } else if holding(NEW_MESSAGES).is_some() {
            Task::Extract
        } else {
            Task::Chat
        };
        let prompt = match task {
            Task::Extract => holding(NEW_MESSAGES),
            Task::Update => holding(NEW_FACTS),
            _ => None,
        };
        Self {
            task,
            model: body
                .get("model")
                .and_then(Value::as_str)
                .unwrap_or("replay")
                .to_owned(),
            prompt: prompt.or(users.last()).cloned().unwrap_or_default(),
            tools,
            shows,
            turns: texts.join("\n"),
        }
    }

    /// The part of the prompt that an entry's `contains` is checked against.
    pub fn subject(&self) -> &str {
        match self.task {
            Task::Extract => section(&self.prompt, NEW_MESSAGES).unwrap_or_default(),
            Task::Update => section(&self.prompt, NEW_FACTS).unwrap_or_default(),
            Task::Chat => &self.turns,
            Task::Summary | Task::Describe | Task::Embeddings => &self.prompt,
        }
    }

    /// A recorded call by the name that its tool has here: frameworks put the name of an MCP server before it.
    pub fn offered(&self, call: &Call) -> Call {
        let is_offered = self.tools.contains(&call.name);
        let prefixed = self.tools.iter().find(|name| {
            let prefix = name.strip_suffix(&call.name);
            prefix.is_some_and(|prefix| prefix.ends_with('_'))
        });
        Call {
            name: prefixed
                .filter(|_| !is_offered)
                .unwrap_or(&call.name)
                .clone(),
            arguments: call.arguments.clone(),
        }
    }

    /// The labelled lines under a heading.
    pub fn labelled(&self, heading: &str) -> Labels {
        Labels::read(section(&self.prompt, heading).unwrap_or_default())
    }
}

/// The numbered lines of a section: `[1] text`, each with the lines that continue it.
#[derive(Debug, Default)]
pub struct Labels(Vec<(u64, String)>);

impl Labels {
    fn read(section: &str) -> Self {
        let mut lines: Vec<(u64, String)> = Vec::new();
        for line in section.lines() {
            if let Some((label, text)) = labelled(line) {
                lines.push((label, text.to_owned()));
            } else if let Some((_, last)) = lines.last_mut() {
                last.push('\n');
                last.push_str(line);
            }
        }
        Self(lines)
    }

    /// The label of the first line that contains `text`.
    pub fn containing(&self, text: &str) -> Option<u64> {
        self.label(|line| line.contains(text))
    }

    /// The label of the line that says `text`, leaving aside a note like `(since 2026-01-10)`.
    pub fn saying(&self, text: &str) -> Option<u64> {
        self.label(|line| line.trim_end() == text || without_note(line) == text)
    }

    fn label(&self, is_it: impl Fn(&str) -> bool) -> Option<u64> {
        let (label, _) = self.0.iter().find(|(_, line)| is_it(line))?;
        Some(*label)
    }

    /// The text behind a label.
    pub fn text(&self, label: u64) -> Option<&str> {
        let (_, text) = self.0.iter().find(|(number, _)| *number == label)?;
        Some(text.trim_end())
    }

    /// The labels, in the prompt's order.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|(label, _)| *label)
    }
}

/// A line without the note in parentheses that says since when it is known.
pub fn without_note(line: &str) -> &str {
    let line = line.trim_end();
    match line.rsplit_once(" (since ") {
        Some((text, _)) if line.ends_with(')') => text,
        _ => line,
    }
}

fn labelled(line: &str) -> Option<(u64, &str)> {
    let (label, text) = line.strip_prefix('[')?.split_once("] ")?;
    Some((label.parse().ok()?, text))
}

/// The lines below a heading, until the next heading of that level or the end.
pub fn section<'a>(prompt: &'a str, heading: &str) -> Option<&'a str> {
    let mut start = None;
    let mut offset = 0;
    for line in prompt.split_inclusive('\n') {
        match start {
            None if line.trim_end() == heading => start = Some(offset + line.len()),
            Some(from) if line.starts_with("## ") => return prompt.get(from..offset),
            _ => {}
        }
        offset += line.len();
    }
    prompt.get(start?..)
}

/// The media types of the images and documents in a turn, as far as they come along as base64.
fn shown(turn: &Value) -> Vec<String> {
    let parts = turn.get("content").and_then(Value::as_array);
    let urls = parts.into_iter().flatten().filter_map(|part| {
        let url = part
            .pointer("/image_url/url")
            .or(part.pointer("/file/file_data"));
        url?.as_str()
    });
    let types = urls.filter_map(|url| {
        let (media_type, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let is_base64 = !base64.is_empty() && base64.bytes().all(is_one);
        is_base64.then(|| media_type.to_owned())
    });
    types.collect()
}

/// The text of a message's content: a string, or parts.
fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect::<Vec<_>>()
            .join("\n"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_section_ends_at_the_next_heading() {
        let prompt = "## Earlier\n[1] user: old\n\n## New messages\n[1] user: a\nmore\n[2] user: b\n\n## Rest\nz";
        let labels = Labels::read(section(prompt, NEW_MESSAGES).unwrap());
        assert_eq!(labels.numbers().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(labels.text(1), Some("user: a\nmore"));
        assert_eq!(labels.containing("more"), Some(1));
        assert_eq!(labels.containing("old"), None);
        assert_eq!(section(prompt, NEW_FACTS), None);
    }

    #[test]
    fn a_line_is_found_by_all_it_says() {
        let labels = Labels::read(
            "[4] Mel lives in New York City\n[7] Mel lives in New York (since 2026-01-10)",
        );
        assert_eq!(labels.saying("Mel lives in New York"), Some(7));
        assert_eq!(labels.saying("Mel lives"), None);
    }

    #[test]
    fn a_file_is_to_be_described() {
        let url = "data:image/png;base64,iVBORw0KGgo=";
        let body = json!({"messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]}]});
        let question = Question::read(&body);
        assert_eq!(
            (question.task, question.subject()),
            (Task::Describe, "What is this?")
        );
        assert_eq!(question.shows, ["image/png"]);
    }

    #[test]
    fn a_repair_is_read_from_the_turn_that_holds_the_task() {
        let body = json!({"messages": [
            {"role": "system", "content": "Extract."},
            {"role": "user", "content": [{"type": "text", "text": "## New messages\n[1] user: hi"}]},
            {"role": "assistant", "content": "?"},
            {"role": "user", "content": "That was not JSON."},
        ]});
        let question = Question::read(&body);
        assert_eq!(question.task, Task::Extract);
        assert_eq!(question.subject(), "[1] user: hi");
    }
}
