//! Tolerant reading of what models write.
//!
//! A model that was asked for JSON may wrap it in prose, in a code fence, or behind a block of
//! reasoning; it may write Python, forget a bracket, or stop in the middle. [`readings`] takes
//! everything that can be read out of such a reply and never fails; what it cannot read, it
//! leaves out. The caller chooses by shape among the values found, and turns values of the wrong
//! type into the right one with [`as_text`] and its kin.

mod coerce;
mod parse;
mod quoted;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::coerce::{as_bool, as_index, as_strings, as_text, field};
use self::parse::Parser;
use crate::compact::from_json;

/// One value read out of a reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: Value,
    /// Whether it ended where its writer meant it to end. When not, the reply was cut off or
    /// unreadable from some point on, and elements may be missing.
    pub complete: bool,
}

/// The JSON values in `text`, in order; see [`readings`].
pub fn json_values(text: &str) -> Vec<Value> {
    readings(text)
        .into_iter()
        .map(|reading| reading.value)
        .collect()
}

/// The objects and arrays in `text`, in order, with a note of which are whole.
///
/// - Text that is JSON as a whole is read exactly, scalars too. A string that holds JSON is
///   unwrapped once.
/// - Reasoning (`<think>…</think>` and the like) is skipped. When its end is missing, or nothing
///   stands outside it, what stands inside is read: a draft is better than a loss.
/// - Accepted: comments, trailing, doubled and missing commas, single and typographic quotes,
///   quotes and line breaks inside strings, keys without quotes, `True`, `None`, `NaN`, brackets
///   that are missing or do not match.
/// - When the text stops inside an element, every element before it is kept; a string, number or
///   word that was cut is left out, since half a fact is a wrong one.
///
/// Takes time in proportion to the length of the text.
pub fn readings(text: &str) -> Vec<Reading> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Ok(value) = from_json::<Value>(text) {
        if let Value::String(inner) = &value {
            let found = search(inner);
            if !found.is_empty() {
                return found;
            }
        }
        return vec![Reading {
            value,
            complete: true,
        }];
    }
    search(text)
}

/// Marks the start of the answer proper in replies of models that label their channels.
const FINAL_CHANNEL: &str = "<|channel|>final<|message|>";

/// Finds objects and arrays among prose and reasoning.
fn search(text: &str) -> Vec<Reading> {
    let text = text
        .rsplit_once(FINAL_CHANNEL)
        .map_or(text, |(_, answer)| answer);
    let mut answers = Vec::new();
    let mut drafts = Vec::new();
    let mut in_unclosed_reasoning = false;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(skip) = rest.find(['{', '[', '<', '◁']) else {
            break;
        };
        let start = at + skip;
        let Some(rest) = text.get(start..) else { break };
        match reasoning_tag(rest) {
            Some(Tag::Block { length, end }) if !in_unclosed_reasoning => {
                match rest
                    .get(length..)
                    .and_then(|inside| find_ignoring_case(inside, end))
                {
                    Some(inside) => {
                        drafts.extend(search_values(
                            rest.get(length..length + inside).unwrap_or_default(),
                        ));
                        at = start + length + inside + end.len();
                    }
                    None => {
                        in_unclosed_reasoning = true;
                        at = start + length;
                    }
                }
            }
            Some(Tag::Block { length, .. }) => at = start + length,
            Some(Tag::End { length }) => {
                drafts.append(&mut answers);
                in_unclosed_reasoning = false;
                at = start + length;
            }
            None => {
                let (reading, next) = value_at(text, start);
                at = next;
                let found = if in_unclosed_reasoning {
                    &mut drafts
                } else {
                    &mut answers
                };
                found.extend(reading);
            }
        }
    }
    if answers.is_empty() { drafts } else { answers }
}

/// Finds objects and arrays among prose.
fn search_values(text: &str) -> Vec<Reading> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(skip) = text.get(at..).and_then(|rest| rest.find(['{', '['])) {
        let (reading, next) = value_at(text, at + skip);
        found.extend(reading);
        at = next;
    }
    found
}

/// Reads the value that may begin at byte `start`; also tells where to search on, always after
/// `start`.
fn value_at(text: &str, start: usize) -> (Option<Reading>, usize) {
    let after_first = start
        + text
            .get(start..)
            .and_then(|rest| rest.chars().next())
            .map_or(1, char::len_utf8);
    let Some(rest) = text
        .get(start..)
        .filter(|rest| rest.starts_with(['{', '[']))
    else {
        return (None, after_first);
    };
    let mut exact = serde_json::Deserializer::from_slice(rest.as_bytes()).into_iter::<Value>();
    if let Some(Ok(value)) = exact.next() {
        return (
            Some(Reading {
                value,
                complete: true,
            }),
            start + exact.byte_offset(),
        );
    }
    let mut parser = Parser::new(rest);
    match parser.container() {
        Some((value, complete)) if complete || has_content(&value) => (
            Some(Reading { value, complete }),
            start + parser.position().max(1),
        ),
        _ if parser.has_comments() => (None, after_first),
        _ => (None, after_first.max(start + parser.position())),
    }
}

/// Whether anything was said in a value: `[[], {"facts": []}]` says nothing.
fn has_content(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_content),
        Value::Object(members) => members.values().any(has_content),
        _ => true,
    }
}

/// A tag that fences reasoning.
enum Tag {
    /// It starts a block: its own length, and the tag that ends it.
    Block { length: usize, end: &'static str },
    /// It ends a block whose start was not written.
    End { length: usize },
}

/// The ways in which models fence their reasoning.
const REASONING: [(&str, &str); 9] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
];

/// The reasoning tag that `text` begins with.
fn reasoning_tag(text: &str) -> Option<Tag> {
    let begins = |tag: &str| {
        text.get(..tag.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(tag))
    };
    REASONING.iter().find_map(|(start, end)| {
        if begins(start) {
            Some(Tag::Block {
                length: start.len(),
                end,
            })
        } else if begins(end) {
            Some(Tag::End { length: end.len() })
        } else {
            None
        }
    })
}

/// Where `needle` first occurs, letters of either case being equal.
fn find_ignoring_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes()
        .windows(needle.len())
        .position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}
