//! Failures on demand.
//!
//! ```json
//! {"fail": [{"task": "extract", "kind": "429", "times": 2, "retry_after": 1}]}
//! ```
//!
//! `task` is `extract`, `update`, `summary`, `chat`, `embeddings`, or left out for any. `kind`:
//!
//! | kind | what the client sees |
//! |---|---|
//! | `400` … `599` | that HTTP status and an error body; `retry_after` (seconds) becomes a header |
//! | `slow` | the right answer after `delay_ms` (2000) |
//! | `hang` | nothing until `POST /control/release`, or `delay_ms` if given; then the right answer |
//! | `cut` | half of the answer, then a closed connection |
//! | `garbage` | HTTP 200 with a body that is HTML |
//! | `empty` | a message with neither text nor calls |
//! | `refusal` | a message that refuses |
//! | `prose` | polite prose instead of JSON or calls |
//! | `fenced` | the right answer as text, in a code fence with prose around it |
//! | `truncated` | the right answer cut off in the middle, `finish_reason` `length` |
//! | `invented` | tool calls whose numbers are not in the prompt |

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lock;
use crate::prompt::Task;
use crate::reply::Message;

/// How many requests `GET /control/requests` remembers.
const REMEMBERED: usize = 200;

/// A way to fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which calls; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// How; see the table above.
    pub kind: Kind,
    /// How many calls.
    #[serde(default = "once")]
    pub times: u32,
    /// Seconds for the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Milliseconds of a delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
}

fn once() -> u32 {
    1
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// An HTTP status.
    Status(u16),
    /// The wire or the wait.
    Wire(Wire),
    /// What the model says.
    Said(Said),
}

/// Failures of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Wire {
    Slow,
    Hang,
    Cut,
    Garbage,
}

/// Failures of what the model says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Said {
    Empty,
    Refusal,
    Prose,
    Fenced,
    Truncated,
    Invented,
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if let Ok(status) = name.parse::<u16>() {
            return match status {
                400..=599 => Ok(Kind::Status(status)),
                _ => Err(format!("{status} is not an error status")),
            };
        }
        let value = Value::String(name.clone());
        serde_json::from_value(value.clone())
            .map(Kind::Wire)
            .or_else(|_| serde_json::from_value(value).map(Kind::Said))
            .map_err(|_| format!("there is no failure '{name}'"))
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        let named = match kind {
            Kind::Status(status) => return status.to_string(),
            Kind::Wire(wire) => serde_json::to_value(wire),
            Kind::Said(said) => serde_json::to_value(said),
        };
        named
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

impl Said {
    /// `message` as this failure leaves it.
    pub fn distort(self, message: Message) -> Message {
        let content = message.content.as_deref();
        match self {
            Said::Empty => Message {
                content: Some(String::new()),
                finish: "stop",
                ..Message::default()
            },
            Said::Refusal => Message {
                refusal: Some("I'm sorry, I can't help with that.".into()),
                finish: "stop",
                ..Message::default()
            },
            Said::Prose => {
                Message::text("Sure! I had a look at it and everything seems to be in order.")
            }
            Said::Fenced => {
                let calls: Vec<Value> = message.calls.iter().map(call_as_json).collect();
                let json =
                    content.map_or_else(|| json!({ "calls": calls }).to_string(), str::to_owned);
                Message::text(format!(
                    "Here is what I found:\n\n```json\n{json}\n```\n\nLet me know!"
                ))
            }
            Said::Truncated => Message {
                content: content.map(half),
                calls: message
                    .calls
                    .iter()
                    .map(|(name, arguments)| (name.clone(), half(arguments)))
                    .collect(),
                finish: "length",
                refusal: None,
            },
            Said::Invented => Message {
                calls: message
                    .calls
                    .iter()
                    .map(|(name, arguments)| (name.clone(), invented(arguments)))
                    .collect(),
                ..message
            },
        }
    }
}

fn call_as_json((name, arguments): &(String, String)) -> Value {
    json!({"name": name, "arguments": serde_json::from_str::<Value>(arguments).unwrap_or_default()})
}

fn half(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

/// The arguments with every number raised out of the prompt's range.
fn invented(arguments: &str) -> String {
    let mut value: Value = serde_json::from_str(arguments).unwrap_or_default();
    for field in value
        .as_object_mut()
        .into_iter()
        .flat_map(|fields| fields.values_mut())
    {
        if let Some(number) = field.as_u64() {
            *field = (number + 900).into();
        }
    }
    value.to_string()
}

/// What was asked, and what is to fail.
#[derive(Debug, Default)]
pub struct Control {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    faults: VecDeque<Fault>,
    calls: BTreeMap<Task, u64>,
    failed: BTreeMap<Task, u64>,
    requests: VecDeque<Value>,
    hanging: u32,
    releases: u64,
    number: u64,
}

impl Control {
    /// Queues failures.
    pub fn fail(&self, faults: Vec<Fault>) {
        lock(&self.state).faults.extend(faults);
    }

    /// Counts a call and takes the failure meant for it, if any, with the call's number.
    pub fn enter(&self, task: Task, request: &Value) -> (u64, Option<Fault>) {
        let mut state = lock(&self.state);
        state.number += 1;
        *state.calls.entry(task).or_default() += 1;
        if state.requests.len() == REMEMBERED {
            state.requests.pop_front();
        }
        state
            .requests
            .push_back(json!({"task": task, "body": request}));
        let place = state
            .faults
            .iter()
            .position(|fault| fault.task.is_none_or(|meant| meant == task));
        let Some((place, fault)) = place.and_then(|at| Some((at, state.faults.get_mut(at)?)))
        else {
            return (state.number, None);
        };
        fault.times = fault.times.saturating_sub(1);
        let taken = fault.clone();
        if taken.times == 0 {
            state.faults.remove(place);
        }
        *state.failed.entry(task).or_default() += 1;
        (state.number, Some(taken))
    }

    /// Waits for [`Control::release`], or at most `limit`.
    pub fn hang(&self, limit: Option<Duration>) {
        let mut state = lock(&self.state);
        let before = state.releases;
        state.hanging += 1;
        let limit = limit.unwrap_or(Duration::from_secs(24 * 3600));
        let waited = self
            .released
            .wait_timeout_while(state, limit, |state| state.releases == before);
        let (mut state, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        state.hanging = state.hanging.saturating_sub(1);
    }

    /// Lets hanging calls go on.
    pub fn release(&self) {
        lock(&self.state).releases += 1;
        self.released.notify_all();
    }

    /// Forgets counts, requests and failures, and lets hanging calls go.
    pub fn reset(&self) {
        {
            let mut state = lock(&self.state);
            let (hanging, releases, number) = (state.hanging, state.releases, state.number);
            *state = State {
                hanging,
                releases,
                number,
                ..State::default()
            };
        }
        self.release();
    }

    /// Counts by task, what is still to fail, and how many calls hang.
    pub fn report(&self) -> Value {
        let state = lock(&self.state);
        json!({"calls": state.calls, "failed": state.failed, "pending": state.faults, "hanging": state.hanging})
    }

    /// The last requests, oldest first.
    pub fn requests(&self) -> Value {
        let state = lock(&self.state);
        json!({"requests": state.requests})
    }
}
