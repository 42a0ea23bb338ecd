//! A parser for almost-JSON that keeps what it understood.

use serde_json::{Map, Number, Value};

use super::{has_content, quoted};
use crate::compact::{decimal, from_json};

/// How deep values may nest, as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// The longest key or word without quotes, in bytes. Without a bound, prose full of braces could
/// be scanned to its end at every brace.
const MAX_WORD: usize = 256;

/// What was found where an element should be.
enum Element {
    /// A value, whole.
    Whole(Value),
    /// A value that stops early: the text ends, or cannot be read further.
    Cut(Value),
    /// Nothing that could be kept, and nothing readable after it.
    Lost,
    /// No value starts here.
    None,
}

/// Reads one object or array from the start of a text.
///
/// Once it has read something it does not fail any more: where it cannot go on, it closes what is
/// open. So a search can continue at [`Parser::position`] and never reads a stretch twice.
pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// The brackets open around the position.
    open: Vec<u8>,
    /// Whether something was skipped as a comment.
    commented: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Parser {
            text,
            at: 0,
            open: Vec::new(),
            commented: false,
        }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Whether something was skipped as a comment. Where nothing else was read, it may have been
    /// none: `see [#3] and {"a": 1}`.
    pub(super) fn has_comments(&self) -> bool {
        self.commented
    }

    /// The object or array at the position, and whether it was closed as it should be.
    pub(super) fn container(&mut self) -> Option<(Value, bool)> {
        let element = match self.peek()? {
            b'{' => self.object(),
            b'[' => self.array(),
            _ => Element::None,
        };
        match element {
            Element::Whole(value) => Some((value, true)),
            Element::Cut(value) => Some((value, false)),
            Element::Lost | Element::None => None,
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space, comments, ellipses, and invisible characters.
    fn skip_trivia(&mut self) {
        loop {
            let rest = self.rest();
            let solid = rest.trim_start_matches(|c: char| {
                c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '…')
            });
            self.at += rest.len() - solid.len();
            let comment = if solid.starts_with("//") || solid.starts_with('#') {
                Some(solid.find('\n').unwrap_or(solid.len()))
            } else if solid.starts_with("/*") {
                solid.find("*/").map(|end| end + 2)
            } else {
                None
            };
            self.commented |= comment.is_some();
            let skip = match comment {
                Some(skip) => skip,
                None if solid.starts_with("...") => 3,
                None => return,
            };
            self.at += skip;
        }
    }

    /// Skips trivia and commas.
    fn skip_separators(&mut self) {
        self.skip_trivia();
        while matches!(self.peek(), Some(b',' | b';')) {
            self.at += 1;
            self.skip_trivia();
        }
    }

    fn object(&mut self) -> Element {
        if self.open.len() >= MAX_DEPTH {
            return Element::None;
        }
        self.open.push(b'{');
        self.at += 1;
        let mut members = Map::new();
        let whole = loop {
            self.skip_separators();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    break true;
                }
                // The array around this object ends: the brace was forgotten.
                Some(b']') if self.encloses(b'[') => break true,
                None => break false,
                _ => {}
            }
            let before = self.at;
            let Some(key) = self.key() else {
                self.at = before;
                break false;
            };
            match self.value(b'{') {
                Element::Whole(value) => {
                    members.insert(key, value);
                }
                Element::Cut(value) => {
                    if has_content(&value) {
                        members.insert(key, value);
                    }
                    break false;
                }
                Element::Lost | Element::None => break false,
            }
        };
        self.open.pop();
        if whole {
            Element::Whole(Value::Object(members))
        } else {
            Element::Cut(Value::Object(members))
        }
    }

    fn array(&mut self) -> Element {
        if self.open.len() >= MAX_DEPTH {
            return Element::None;
        }
        self.open.push(b'[');
        self.at += 1;
        let mut items = Vec::new();
        let whole = loop {
            self.skip_separators();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    break true;
                }
                // The object around this array ends: the bracket was forgotten.
                Some(b'}') if self.encloses(b'{') => break true,
                None => break false,
                _ => {}
            }
            match self.value(b'[') {
                Element::Whole(value) => items.push(value),
                Element::Cut(value) => {
                    if has_content(&value) {
                        items.push(value);
                    }
                    break false;
                }
                Element::Lost | Element::None => break false,
            }
        };
        self.open.pop();
        if whole {
            Element::Whole(Value::Array(items))
        } else {
            Element::Cut(Value::Array(items))
        }
    }

    /// Whether a bracket of this kind is open outside the innermost one.
    fn encloses(&self, bracket: u8) -> bool {
        self.open.iter().rev().skip(1).any(|open| *open == bracket)
    }

    /// A key and its colon.
    fn key(&mut self) -> Option<String> {
        let rest = self.rest();
        let key = if quoted::is_quote(rest) {
            let key = quoted::key(rest, MAX_WORD)?;
            self.at += key.length;
            key.text
        } else {
            let length = rest
                .char_indices()
                .find(|(_, c)| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.')))
                .map_or(rest.len(), |(at, _)| at);
            let word = rest
                .get(..length)
                .filter(|word| !word.is_empty() && word.len() <= MAX_WORD)?;
            self.at += length;
            word.to_owned()
        };
        self.skip_trivia();
        if self.peek() != Some(b':') {
            return None;
        }
        self.at += 1;
        Some(key)
    }

    /// The value at the position, inside a bracket of the given kind.
    fn value(&mut self, inside: u8) -> Element {
        self.skip_trivia();
        let rest = self.rest();
        let Some(first) = self.peek() else {
            return Element::Lost;
        };
        if first == b'{' {
            return self.object();
        }
        if first == b'[' {
            return self.array();
        }
        if quoted::is_quote(rest) {
            return match quoted::value(rest, inside == b'{') {
                Some(string) => {
                    self.at += string.length;
                    Element::Whole(Value::String(string.text))
                }
                None => {
                    self.at += first_length(rest);
                    Element::Lost
                }
            };
        }
        if inside == b'{' && matches!(first, b',' | b'}') {
            return Element::Whole(Value::Null);
        }
        self.word(rest, inside)
    }

    /// A number, a literal, or a string that lacks its quotes.
    fn word(&mut self, rest: &str, inside: u8) -> Element {
        let ends = |c: char| {
            matches!(
                c,
                ',' | ';' | '}' | ']' | '{' | '[' | '\n' | '\r' | '"' | '`'
            )
        };
        let Some((length, end)) = rest.char_indices().find(|(_, c)| ends(*c)) else {
            // Cut off: `12` may have been going to be `120`.
            return Element::Lost;
        };
        let Some(span) = rest
            .get(..length.min(MAX_WORD))
            .filter(|span| span.len() == length)
        else {
            return Element::None;
        };
        let span = span
            .find("//")
            .or_else(|| span.find("/*"))
            .or_else(|| span.find(" #"))
            .and_then(|end| span.get(..end))
            .unwrap_or(span);
        let word = span.trim_end();
        let value = if let Some(value) = literal(word) {
            value
        } else if !word.starts_with(char::is_alphanumeric)
            || (inside == b'[' && (self.open.len() == 1 || matches!(end, '{' | '[' | '"')))
        {
            // Such as `[see above]` in prose.
            return Element::None;
        } else {
            Value::String(word.to_owned())
        };
        self.at += span.len();
        Element::Whole(value)
    }
}

/// The length of the first character.
fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// The value of a word in JSON, JavaScript or Python.
fn literal(word: &str) -> Option<Value> {
    match word {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        "null" | "Null" | "NULL" | "None" | "nil" | "undefined" | "NaN" | "nan" | "Infinity"
        | "-Infinity" | "inf" | "-inf" => Some(Value::Null),
        _ if word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
            number(word)
        }
        _ => None,
    }
}

/// A number, also with a leading plus, a bare point, or underscores between digits.
fn number(word: &str) -> Option<Value> {
    if let Ok(number) = from_json::<Number>(word) {
        return Some(Value::Number(number));
    }
    let plain = word.replace('_', "");
    let plain = plain.strip_prefix('+').unwrap_or(&plain);
    if let Ok(integer) = plain.parse::<i64>() {
        return Some(Value::from(integer));
    }
    let float = decimal(plain)?;
    Some(Number::from_f64(float).map_or(Value::Null, Value::Number))
}
