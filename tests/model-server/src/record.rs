//! Recording: calls go to a real endpoint, its replies into a cassette.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::cassette::{Cassette, Entry, Match};
use crate::http::Response;
use crate::lock;
use crate::prompt::{
    KNOWN_MEMORIES, Labels, NEW_FACTS, NEW_MESSAGES, Question, Task, without_note,
};
use crate::reply::{Call, Reply};
use crate::server::Upstream;

/// A real endpoint, and the file that keeps what it says.
pub struct Recorder {
    upstream: Upstream,
    agent: ureq::Agent,
    file: PathBuf,
    cassette: Mutex<Cassette>,
}

impl Recorder {
    /// Records into `folder/recorded-SECONDS.json`, the time at which it began.
    pub fn new(upstream: Upstream, folder: Option<&PathBuf>) -> Self {
        let seconds = SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |age| age.as_secs());
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(300)))
            .build()
            .new_agent();
        let about = format!("Replies of {}, recorded.", upstream.url);
        Self {
            upstream,
            agent,
            file: folder
                .cloned()
                .unwrap_or_default()
                .join(format!("recorded-{seconds}.json")),
            cassette: Mutex::new(Cassette {
                about,
                entries: Vec::new(),
            }),
        }
    }

    /// Sends a request on and gives back what came.
    pub fn pass(&self, path: &str, body: &Value) -> Response {
        match self.send(path, body) {
            Ok((status, body)) => Response {
                body,
                ..Response::json(status, &Value::Null)
            },
            Err(error) => Response::error(502, "upstream", &error),
        }
    }

    /// Asks the endpoint and keeps its reply.
    ///
    /// # Errors
    /// The answer to give instead, when the endpoint failed or said nothing that can be replayed.
    pub fn chat(&self, question: &Question, body: &Value) -> Result<Reply, Response> {
        let (status, bytes) = self
            .send("/chat/completions", body)
            .map_err(|error| Response::error(502, "upstream", &error))?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let reply = answer.pointer("/choices/0/message").and_then(read_reply);
        let Some(reply) = reply.filter(|_| status < 300) else {
            return Err(Response {
                body: bytes,
                ..Response::json(status, &Value::Null)
            });
        };
        self.keep(entry(question, &reply)).map_err(|error| {
            Response::error(
                500,
                "cannot_record",
                &format!("{}: {error}", self.file.display()),
            )
        })?;
        Ok(reply)
    }

    fn send(&self, path: &str, body: &Value) -> Result<(u16, Vec<u8>), String> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.upstream.url))
            .header("content-type", "application/json");
        if let Some(key) = &self.upstream.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut answer = request.send(body.to_string()).map_err(|e| e.to_string())?;
        let bytes = answer.body_mut().read_to_vec().map_err(|e| e.to_string())?;
        Ok((answer.status().as_u16(), bytes))
    }

    fn keep(&self, entry: Entry) -> std::io::Result<()> {
        let mut cassette = lock(&self.cassette);
        cassette.entries.push(entry);
        std::fs::write(&self.file, serde_json::to_string_pretty(&*cassette)? + "\n")
    }
}

fn read_reply(message: &Value) -> Option<Reply> {
    let calls = message
        .get("tool_calls")
        .and_then(Value::as_array)
        .filter(|calls| !calls.is_empty());
    if let Some(calls) = calls {
        let read = |call: &Value| {
            let function = call.get("function")?;
            Some(Call {
                name: function.get("name")?.as_str()?.to_owned(),
                arguments: serde_json::from_str(function.get("arguments")?.as_str()?).ok()?,
            })
        };
        return calls
            .iter()
            .map(read)
            .collect::<Option<_>>()
            .map(Reply::Calls);
    }
    let content = message.get("content")?.as_str()?;
    match serde_json::from_str::<Map<String, Value>>(content) {
        Ok(object) => Some(Reply::Json(object.into())),
        Err(_) => Some(Reply::Text(content.to_owned())),
    }
}

/// The entry that gives `reply` again: the prompt's numbers become the texts that they stand for.
fn entry(question: &Question, reply: &Reply) -> Entry {
    let messages = question.labelled(NEW_MESSAGES);
    let facts = question.labelled(NEW_FACTS);
    let memories = question.labelled(KNOWN_MEMORIES);
    let contains = match question.task {
        Task::Extract => messages
            .numbers()
            .filter_map(|label| messages.text(label))
            .map(|line| spoken(line).to_owned())
            .collect(),
        Task::Update => Vec::new(),
        _ => vec![question.prompt.trim().to_owned()],
    };
    let reply = match reply {
        Reply::Json(value) if question.task == Task::Extract => {
            let mut value = value.clone();
            let sources = value
                .get_mut("facts")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten();
            for source in sources
                .filter_map(|fact| fact.get_mut("sources")?.as_array_mut())
                .flatten()
            {
                name(source, "message", &messages);
            }
            Reply::Json(value)
        }
        Reply::Calls(calls) => Reply::Calls(
            calls
                .iter()
                .cloned()
                .map(|mut call| {
                    for (kind, labels) in [("fact", &facts), ("memory", &memories)] {
                        if let Some(number) = call.arguments.get_mut(kind) {
                            name(number, kind, labels);
                        }
                    }
                    call
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Entry {
        when: Match {
            task: question.task,
            contains,
            shows: question.shows.first().cloned(),
        },
        reply,
    }
}

/// Replaces a number by the text that the prompt gave it to.
fn name(number: &mut Value, kind: &str, labels: &Labels) {
    if let Some(text) = number.as_u64().and_then(|label| labels.text(label)) {
        let text = if kind == "message" {
            spoken(text)
        } else {
            without_note(text)
        };
        *number = json!(format!("{{{{{kind}:{text}}}}}"));
    }
}

/// What was said in a line `user (2026-01-10): text`: replies hold on any day.
fn spoken(line: &str) -> &str {
    line.split_once("): ").map_or(line, |(_, text)| text)
}
