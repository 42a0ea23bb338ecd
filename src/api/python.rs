//! Python literals, as Python's `str(dict)` writes them into a query string.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Number, Value};

use crate::compact::decimal;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// Reads a Python or JSON literal: dicts, lists, tuples, texts, numbers, `True`, `None`.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader {
        chars: text.chars().peekable(),
    };
    let value = reader.value(0)?;
    reader.skip_spaces();
    reader.chars.next().is_none().then_some(value)
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        while self.chars.next_if(|c| c.is_whitespace()).is_some() {}
    }

    /// The next character that is no space, if it is this one.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_spaces();
        self.chars.next_if_eq(&wanted).is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_spaces();
        match *self.chars.peek()? {
            '{' => self.dict(depth),
            '[' => self.list(']', depth),
            '(' => self.list(')', depth),
            quote @ ('\'' | '"') => self.text(quote).map(Value::String),
            _ => self.word(),
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Value> {
        self.chars.next();
        let mut fields = Map::new();
        while !self.take('}') {
            let key = match self.value(depth + 1)? {
                Value::String(key) => key,
                Value::Number(key) => key.to_string(),
                _ => return None,
            };
            if !self.take(':') {
                return None;
            }
            fields.insert(key, self.value(depth + 1)?);
            if !self.take(',') {
                return self.take('}').then_some(Value::Object(fields));
            }
        }
        Some(Value::Object(fields))
    }

    fn list(&mut self, end: char, depth: usize) -> Option<Value> {
        self.chars.next();
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.value(depth + 1)?);
            if !self.take(',') {
                return self.take(end).then_some(Value::Array(items));
            }
        }
        Some(Value::Array(items))
    }

    fn text(&mut self, quote: char) -> Option<String> {
        self.chars.next();
        let mut text = String::new();
        loop {
            match self.chars.next()? {
                '\\' => match self.chars.next()? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'x' => text.push(self.code(2)?),
                    'u' => text.push(self.code(4)?),
                    'U' => text.push(self.code(8)?),
                    other => text.push(other),
                },
                c if c == quote => return Some(text),
                c => text.push(c),
            }
        }
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + self.chars.next()?.to_digit(16)?;
        }
        char::from_u32(code)
    }

    fn word(&mut self) -> Option<Value> {
        let mut word = String::new();
        while let Some(c) = self
            .chars
            .next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'))
        {
            word.push(c);
        }
        Some(match word.as_str() {
            "True" | "true" => Value::Bool(true),
            "False" | "false" => Value::Bool(false),
            "None" | "null" => Value::Null,
            word => Value::Number(match word.parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => Number::from_f64(decimal(word)?)?,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_python_writes_is_read() {
        for (text, expected) in [
            ("{'user_id': 'u1'}", json!({"user_id": "u1"})),
            (
                "{'a': 1, 'b': -2.5, 'c': True, 'd': None}",
                json!({"a": 1, "b": -2.5, "c": true, "d": null}),
            ),
            (
                r#"{'it': "it's", 'q': 'say "hi"'}"#,
                json!({"it": "it's", "q": "say \"hi\""}),
            ),
            (r"{'e': 'a\'b\\c\n\x41\u6771'}", json!({"e": "a'b\\c\nA東"})),
            (
                "{'AND': [{'user_id': 'u'}, {'n': {'in': (1, 2,)}}]}",
                json!({"AND": [{"user_id": "u"}, {"n": {"in": [1, 2]}}]}),
            ),
            ("{}", json!({})),
            (r#"{"json": [true, null]}"#, json!({"json": [true, null]})),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "{'a'}",
            "{'a': }",
            "'open",
            "[object Object]",
            "{} x",
            "nan",
            deep.as_str(),
        ] {
            assert_eq!(read(text), None);
        }
    }
}
