//! The conversation in an add, in every form that clients send.

use serde_json::{Map, Value};

use super::super::fields::{refused, span_of};
use super::parts::{self, Part};
use crate::compact::{lowercase, to_json};
use crate::memory::{File, FileSource, MAX_MESSAGE_BYTES, Message, Problem, Role};
use crate::operation::Attachment;

const MAX_MESSAGES: usize = 1000;
/// Of one add; a model is asked of each.
const MAX_FILES: usize = 20;
/// Of one add, in base64: they wait in one record, and SQLite's of Durable Objects hold 2 MB.
const MAX_INLINE_BYTES: usize = 1_500_000;

/// What was read of `messages`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Conversation {
    pub messages: Vec<Message>,
    /// Their files.
    pub attachments: Vec<Attachment>,
    /// Parts that are neither text nor a file of a kind that can be read.
    pub unread_parts: usize,
}

/// Reads one text, one message or a list of either. Messages of the system are dropped, as they
/// are instructions to the agent and nothing that was said.
pub(super) fn read(value: Option<&Value>) -> Result<Conversation, Problem> {
    let single;
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(Value::Null) | None => &[],
        Some(item) => {
            single = [item.clone()];
            single.as_slice()
        }
    };
    if items.len() > MAX_MESSAGES {
        return Err(refused(
            "too_many_messages",
            format!(
                "an add takes at most {MAX_MESSAGES} messages: add long conversations in parts"
            ),
        ));
    }
    let mut conversation = Conversation::default();
    for item in items {
        conversation.take(item)?;
    }
    conversation.check_files()?;
    if !conversation.messages.is_empty() {
        return Ok(conversation);
    }
    Err(match conversation.unread_parts {
        0 => refused(
            "no_messages",
            "there is nothing to remember: give `messages` as a text, or as a list such as \
             [{\"role\": \"user\", \"content\": \"...\"}]; messages of the system are not stored",
        ),
        _ => refused(
            "unsupported_content",
            "these messages hold only parts that cannot be read; there may be parts of the types text, \
             image_url, pdf_url, txt_url and mdx_url",
        ),
    })
}

impl Conversation {
    fn take(&mut self, item: &Value) -> Result<(), Problem> {
        let (role, content, fields) = match item {
            Value::String(_) => (Role::User, Some(item), None),
            Value::Object(fields) => (
                role_of(fields)?,
                ["content", "text"]
                    .iter()
                    .find_map(|name| fields.get(*name)),
                Some(fields),
            ),
            _ => {
                return Err(refused(
                    "bad_message",
                    "a message must be a text or an object such as \
                     {\"role\": \"user\", \"content\": \"...\"}",
                ));
            }
        };
        if role == Role::System {
            return Ok(());
        }
        let mut texts = Vec::new();
        self.gather(content.unwrap_or(&Value::Null), &mut texts)?;
        let content = texts.join("\n");
        if content.trim().is_empty() {
            return Ok(());
        }
        if content.len() > MAX_MESSAGE_BYTES {
            return Err(Problem::new(
                413,
                "message_too_long",
                format!("a message may have at most {} KB", MAX_MESSAGE_BYTES / 1024),
            ));
        }
        let time = ["time", "timestamp", "created_at"]
            .iter()
            .filter_map(|name| fields?.get(*name).map(|value| (name, value)))
            .find(|(_, value)| !value.is_null())
            .map(|(name, value)| span_of(&format!("messages[].{name}"), value))
            .transpose()?
            .map(|span| span.from);
        let name = fields
            .and_then(|fields| fields.get("name")?.as_str())
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned);
        self.messages.push(Message {
            role,
            content,
            name,
            time,
        });
        Ok(())
    }

    /// Collects the texts of a content: a text, a part, or a list of either.
    fn gather(&mut self, content: &Value, texts: &mut Vec<String>) -> Result<(), Problem> {
        match content {
            Value::Null => {}
            Value::String(text) => texts.push(text.clone()),
            Value::Number(number) => texts.push(number.to_string()),
            Value::Object(part) => match part.get("text").and_then(Value::as_str) {
                Some(text) => texts.push(text.to_owned()),
                None => match parts::read(part)? {
                    Some(Part::Text(text)) => texts.push(text),
                    Some(Part::File(file)) => self.attach(file, texts),
                    None => self.unread_parts += 1,
                },
            },
            Value::Array(parts) => {
                for part in parts {
                    if part.is_array() {
                        return Err(bad_content());
                    }
                    self.gather(part, texts)?;
                }
            }
            Value::Bool(_) => return Err(bad_content()),
        }
        Ok(())
    }

    /// Notes a file of the message at hand; its placeholder differs from the others of the message.
    fn attach(&mut self, mut file: File, texts: &mut Vec<String>) {
        let plain = file.placeholder.clone();
        for number in 2.. {
            if !texts.iter().any(|text| text.contains(&file.placeholder)) {
                break;
            }
            let unclosed = plain.trim_end_matches(']');
            file.placeholder = format!("{unclosed}, {number}]");
        }
        texts.push(file.placeholder.clone());
        self.attachments.push(Attachment {
            message: self.messages.len(),
            file,
        });
    }

    fn check_files(&self) -> Result<(), Problem> {
        if self.attachments.len() > MAX_FILES {
            return Err(refused(
                "too_many_files",
                format!("an add takes at most {MAX_FILES} files: add them in parts"),
            ));
        }
        let inline = self.attachments.iter().map(|it| match &it.file.source {
            FileSource::Base64(base64) => base64.len(),
            FileSource::Url(_) => 0,
        });
        if inline.sum::<usize>() > MAX_INLINE_BYTES {
            return Err(Problem::new(
                413,
                "files_too_large",
                format!(
                    "the files inside of an add may have {} KB of base64 together: give larger ones by a URL",
                    MAX_INLINE_BYTES / 1_000
                ),
            ));
        }
        Ok(())
    }
}

fn bad_content() -> Problem {
    refused(
        "bad_message",
        "the content of a message must be a text or a list of parts such as \
         {\"type\": \"text\", \"text\": \"...\"}",
    )
}

fn role_of(message: &Map<String, Value>) -> Result<Role, Problem> {
    let name = match message.get("role") {
        None | Some(Value::Null) => return Ok(Role::User),
        Some(Value::String(name)) => lowercase(name.trim()),
        Some(other) => to_json(other),
    };
    match name.as_str() {
        "user" | "human" => Ok(Role::User),
        "assistant" | "ai" | "model" => Ok(Role::Assistant),
        "system" | "developer" => Ok(Role::System),
        "tool" | "function" => Ok(Role::Tool),
        _ => {
            let name: String = name.chars().take(60).collect();
            Err(refused(
                "bad_role",
                format!("'{name}' is not a role: use user, assistant, system or tool"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(value: Value) -> Result<Vec<(Role, String)>, String> {
        read(Some(&value))
            .map(|conversation| {
                let turns = conversation.messages.into_iter();
                turns
                    .map(|message| (message.role, message.content))
                    .collect()
            })
            .map_err(|problem| problem.code)
    }

    #[test]
    fn every_form_of_messages_is_read() {
        let hi = || Ok(vec![(Role::User, "hi".to_owned())]);
        let audio =
            json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}});
        for (value, expected) in [
            (json!("hi"), hi()),
            (json!(["hi"]), hi()),
            (json!({"role": "user", "content": "hi"}), hi()),
            (json!([{"role": "human", "content": "hi"}]), hi()),
            (json!([{"content": "hi"}]), hi()),
            (
                json!([{"role": " USER ", "content": {"type": "text", "text": "hi"}}]),
                hi(),
            ),
            (
                json!([{"role": "user", "content": [{"type": "text", "text": "hi"}, audio]}]),
                hi(),
            ),
            (
                json!([{"role": "user", "content": [{"type": "input_text", "text": "a"}, "b"]}]),
                Ok(vec![(Role::User, "a\nb".to_owned())]),
            ),
            (
                json!([{"role": "system", "content": "be kind"}, "hi"]),
                hi(),
            ),
            (
                json!([{"role": "assistant", "content": null, "tool_calls": []}, "hi"]),
                hi(),
            ),
            (
                json!([{"role": "model", "content": "a"}, {"role": "ai", "content": "b"},
                       {"role": "function", "content": "c"}]),
                Ok(vec![
                    (Role::Assistant, "a".to_owned()),
                    (Role::Assistant, "b".to_owned()),
                    (Role::Tool, "c".to_owned()),
                ]),
            ),
        ] {
            assert_eq!(said(value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn what_cannot_be_remembered_says_why() {
        let audio =
            json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}});
        for (value, code) in [
            (json!([]), "no_messages"),
            (json!(null), "no_messages"),
            (json!("  "), "no_messages"),
            (
                json!([{"role": "system", "content": "be kind"}]),
                "no_messages",
            ),
            (
                json!([{"role": "user", "content": audio}]),
                "unsupported_content",
            ),
            (json!([{"role": "wizard", "content": "x"}]), "bad_role"),
            (json!([{"role": 3, "content": "x"}]), "bad_role"),
            (json!([7]), "bad_message"),
            (json!([{"role": "user", "content": true}]), "bad_message"),
            (json!([{"role": "user", "content": [["x"]]}]), "bad_message"),
            (
                json!([{"role": "user", "content": "x", "time": "soon"}]),
                "bad_date",
            ),
            (json!(vec!["x"; MAX_MESSAGES + 1]), "too_many_messages"),
            (json!("x".repeat(MAX_MESSAGE_BYTES + 1)), "message_too_long"),
        ] {
            assert_eq!(said(value), Err(code.to_owned()));
        }
        let wizard = read(Some(&json!({"role": "wizard", "content": "x"}))).unwrap_err();
        assert!(wizard.message.contains("'wizard'"));
    }

    #[test]
    fn files_stand_in_their_message_by_a_placeholder() {
        let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
        let url = "https://example.com/x.png?token=secret";
        let read = read(Some(&json!([
            "hi",
            {"role": "user", "content": image(url)},
            {"role": "user", "content": [{"type": "text", "text": "both:"}, image(url), image(url),
                {"type": "txt_url", "txt_url": "data:text/plain;base64,aGVsbG8="}]},
        ])))
        .unwrap();
        let contents: Vec<&str> = read.messages.iter().map(|it| &*it.content).collect();
        let expected = "both:\n[image: https://example.com/x.png]\n[image: https://example.com/x.png, 2]\nhello";
        assert_eq!(
            contents,
            ["hi", "[image: https://example.com/x.png]", expected]
        );
        let places: Vec<usize> = read.attachments.iter().map(|it| it.message).collect();
        assert_eq!(places, [1, 2, 2]);
        let file = &read.attachments[2].file;
        assert_eq!(file.source, FileSource::Url(url.to_owned()));
        assert_eq!(file.placeholder, "[image: https://example.com/x.png, 2]");
    }

    #[test]
    fn files_are_limited() {
        let of = |urls: Vec<String>| {
            let part = |url| json!({"type": "image_url", "image_url": url});
            let parts: Vec<Value> = urls.into_iter().map(part).collect();
            said(json!({"role": "user", "content": parts}))
        };
        let many = vec!["https://example.com/x.png".to_owned(); MAX_FILES + 1];
        assert_eq!(of(many), Err("too_many_files".to_owned()));
        let large = format!("data:image/jpeg;base64,/9j/{}", "A".repeat(1_000_000));
        assert!(of(vec![large.clone()]).is_ok());
        assert_eq!(
            of(vec![large.clone(), large]),
            Err("files_too_large".to_owned())
        );
    }

    #[test]
    fn name_and_time_of_a_message_are_kept() {
        let value =
            json!([{"role": "user", "name": " Ana ", "content": "hi", "timestamp": 1_700_000_000}]);
        let message = read(Some(&value)).unwrap().messages.remove(0);
        assert_eq!(message.name.as_deref(), Some("Ana"));
        assert_eq!(message.time.unwrap().date(), "2023-11-14");
    }
}
