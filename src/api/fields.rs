//! Tolerant reading of the fields of a request.

use serde_json::{Map, Value, json};

use super::wire;
use crate::compact::{decimal, from_json, to_json};
use crate::memory::{Moment, Problem, Span, TimeError};

/// Seconds above which a time is taken for milliseconds: the year 5138.
const LAST_SECOND: f64 = 100_000_000_000.0;

/// The fields of a JSON body, or of a query string. Fields that nobody asks for are ignored.
#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body. An empty one has no fields.
    pub fn of_body(body: &[u8]) -> Result<Self, Problem> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(refused(
                "bad_json",
                "the request's body must be a JSON object: {...}",
            )),
            Err(error) => Err(refused(
                "bad_json",
                format!("the request's body is not JSON: {error}"),
            )),
        }
    }

    /// Reads a query string. A name that comes several times is a list.
    pub fn of_query(query: Option<&str>) -> Self {
        let mut fields = Map::new();
        for (name, value) in wire::query_pairs(query.unwrap_or_default()) {
            let value = Value::String(value);
            match fields.get_mut(&name) {
                None => {
                    fields.insert(name, value);
                }
                Some(Value::Array(all)) => all.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Self(fields)
    }

    /// Adds the fields of `other` that are not here yet.
    pub fn or(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// The fields of a JSON object.
    pub fn of_object(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Keeps the fields of some names only.
    pub fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| is_kept(name));
    }

    /// All fields.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A field that is present and not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether a field is present, be it null.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text that is not blank; a number as its digits.
    pub fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(bad_value(name, "a text")),
        }
    }

    /// Texts: a list of them, or one text with commas.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Problem> {
        let tidy = |text: &str| {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(text.split(',').filter_map(tidy).collect()),
            Some(Value::Array(items)) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    let text = item
                        .as_str()
                        .ok_or_else(|| bad_value(name, "a list of texts"))?;
                    texts.extend(tidy(text));
                }
                Ok(texts)
            }
            Some(_) => Err(bad_value(name, "a list of texts")),
        }
    }

    /// What is written as a text or as a list of texts, as one text.
    pub fn prose(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.get(name) {
            Some(Value::Array(_)) => {
                let text = self.texts(name)?.join(", ");
                Ok((!text.is_empty()).then_some(text))
            }
            _ => self.text(name),
        }
    }

    /// A yes or no; also as a text or as 0 and 1.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(false),
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(true),
            Some(Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Ok(true),
                "false" | "0" | "no" => Ok(false),
                "" => Ok(default),
                _ => Err(bad_value(name, "true or false")),
            },
            Some(_) => Err(bad_value(name, "true or false")),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Problem> {
        let number = match self.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => decimal(text.trim()),
            Some(_) => None,
        };
        match number.filter(|number: &f64| number.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => Err(bad_value(name, "a number")),
        }
    }

    /// A whole number within bounds.
    pub fn count(&self, name: &str, least: usize, most: usize) -> Result<Option<usize>, Problem> {
        let Some(number) = self.number(name)? else {
            return Ok(None);
        };
        if number.fract() != 0.0 || number < least as f64 || number > most as f64 {
            return Err(refused(
                "out_of_range",
                format!("'{name}' must be a whole number from {least} to {most}"),
            ));
        }
        Ok(Some(number as usize))
    }

    /// A JSON object.
    pub fn object(&self, name: &str) -> Result<Option<&Map<String, Value>>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(bad_value(name, "an object such as {\"key\": \"value\"}")),
        }
    }

    /// A JSON schema, which some clients send as text; whoever takes it sees that it is an object.
    pub fn schema(&self, name: &str) -> Option<Value> {
        match self.get(name)? {
            Value::String(text) => from_json(text).ok().or_else(|| Some(json!(text))),
            schema => Some(schema.clone()),
        }
    }

    /// A time: a date, an RFC 3339 time, or seconds (or milliseconds) since 1970.
    pub fn time(&self, name: &str) -> Result<Option<Moment>, Problem> {
        Ok(self.span(name)?.map(|span| span.from))
    }

    /// A time, with how exact it is.
    pub fn span(&self, name: &str) -> Result<Option<Span>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(value) => span_of(name, value).map(Some),
        }
    }
}

/// Reads a time from a JSON value.
pub(super) fn span_of(name: &str, value: &Value) -> Result<Span, Problem> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let text = text.trim();
            match decimal(text) {
                // Four digits are a year.
                Some(seconds) if text.len() != 4 && seconds.is_finite() => Some(seconds),
                _ => return Span::read(text).map_err(|error| bad_time(name, &error)),
            }
        }
        _ => None,
    };
    match seconds {
        Some(seconds) => {
            let millis = if seconds.abs() < LAST_SECOND {
                seconds * 1000.0
            } else {
                seconds
            };
            Ok(Span::instant(Moment::from_millis(millis as i64)))
        }
        None => Err(bad_time(
            name,
            &TimeError(to_json(value).chars().take(60).collect()),
        )),
    }
}

fn bad_time(name: &str, error: &TimeError) -> Problem {
    refused("bad_date", format!("'{name}': {error}"))
}

/// A request that cannot be understood.
pub(super) fn refused(code: &str, message: impl Into<String>) -> Problem {
    Problem::new(400, code, message)
}

pub(super) fn bad_value(name: &str, wanted: &str) -> Problem {
    refused("bad_value", format!("'{name}' must be {wanted}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::of_body(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn times_are_read_in_every_form_that_clients_send() {
        for (value, expected) in [
            (json!(1_700_000_000), "2023-11-14T22:13:20Z"),
            (json!(1_700_000_000.5), "2023-11-14T22:13:20.5Z"),
            (json!(1_700_000_000_000_i64), "2023-11-14T22:13:20Z"),
            (json!("1700000000"), "2023-11-14T22:13:20Z"),
            (json!("2026-03-14"), "2026-03-14T00:00:00Z"),
            (json!("2026"), "2026-01-01T00:00:00Z"),
            (json!(" 2026-03-14T09:30:00+01:00 "), "2026-03-14T08:30:00Z"),
        ] {
            let time = fields(json!({"t": value})).time("t").unwrap().unwrap();
            assert_eq!(time.to_string(), expected, "{value}");
        }
        assert_eq!(fields(json!({"t": null})).time("t"), Ok(None));
        for value in [json!("soon"), json!(true), json!([1]), json!("2026-13-01")] {
            let problem = fields(json!({"t": value})).time("t").unwrap_err();
            assert_eq!(problem.code, "bad_date", "{value}");
        }
    }

    #[test]
    fn values_of_the_wrong_type_name_the_field() {
        let given = fields(json!({"f": "maybe", "n": "x", "o": [1], "k": 1001, "h": 1.5}));
        for problem in [
            given.flag("f", true).unwrap_err(),
            given.number("n").unwrap_err(),
            given.object("o").unwrap_err(),
            given.count("k", 1, 1000).unwrap_err(),
            given.count("h", 1, 1000).unwrap_err(),
        ] {
            assert_eq!(problem.status, 400);
            assert!(problem.message.starts_with('\''), "{}", problem.message);
        }
        assert_eq!(fields(json!({"f": "False"})).flag("f", true), Ok(false));
        assert_eq!(fields(json!({"k": "7"})).count("k", 1, 9), Ok(Some(7)));
    }
}
