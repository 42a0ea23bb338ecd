//! Values of the wrong type, read as the right one.

use serde_json::Value;

use crate::compact::{decimal, lower, lowercase};

/// Members that hold the text of an object, likeliest first.
const TEXT_MEMBERS: [&str; 8] = [
    "text",
    "name",
    "value",
    "content",
    "fact",
    "memory",
    "description",
    "label",
];

/// Members that hold the number of an object.
const INDEX_MEMBERS: [&str; 5] = ["index", "id", "label", "number", "memory"];

/// How deep an object or list is searched for a text.
const MAX_DEPTH: usize = 4;

/// A member of an object by any of its names, likeliest first; upper and lower case, `-` and `_`
/// are the same. `null` counts as absent.
pub fn field<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    let members = value.as_object()?;
    names.iter().find_map(|name| {
        members
            .get(*name)
            .filter(|value| !value.is_null())
            .or_else(|| {
                members
                    .iter()
                    .find(|(key, value)| same_name(key, name) && !value.is_null())
                    .map(|(_, value)| value)
            })
    })
}

fn same_name(a: &str, b: &str) -> bool {
    let letters = |name: &'_ str| {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(lower)
            .collect::<String>()
    };
    letters(a) == letters(b)
}

/// A text: a string without the space around it, a number or a truth value written out, the only
/// element of a list, or the text inside an object. Nothing for an empty one.
pub fn as_text(value: &Value) -> Option<String> {
    text_within(value, MAX_DEPTH)
}

fn text_within(value: &Value, depth: usize) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(items) => match items.as_slice() {
            [only] if depth > 0 => text_within(only, depth - 1),
            _ => None,
        },
        Value::Object(_) if depth > 0 => {
            field(value, &TEXT_MEMBERS).and_then(|inner| text_within(inner, depth - 1))
        }
        Value::Object(_) | Value::Null => None,
    }
}

/// A truth value: also as a word (`"yes"`) or as 0 or 1.
pub fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(word) => match lowercase(word.trim()).as_str() {
            "true" | "yes" | "y" | "1" => Some(true),
            "false" | "no" | "n" | "0" | "" => Some(false),
            _ => None,
        },
        Value::Array(items) => match items.as_slice() {
            [only @ (Value::Bool(_) | Value::Number(_) | Value::String(_))] => as_bool(only),
            _ => None,
        },
        Value::Object(_) | Value::Null => None,
    }
}

/// Texts: each element of a list by [`as_text`], or one text alone; a string that holds a JSON
/// list is read as that list. Elements without a text are left out.
pub fn as_strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(as_text).collect(),
        Value::String(text) if text.trim_start().starts_with('[') => {
            match super::json_values(text).as_slice() {
                [Value::Array(items)] => items.iter().filter_map(as_text).collect(),
                _ => as_text(value).into_iter().collect(),
            }
        }
        _ => as_text(value).into_iter().collect(),
    }
}

/// The number of something listed: `3`, `3.0`, `"3"`, `"[3]"`, `"#3"`, `"memory 3"`, `[3]` and
/// `{"id": 3}` are all 3. Nothing for a negative or broken number, or when there are several.
pub fn as_index(value: &Value) -> Option<usize> {
    index_within(value, MAX_DEPTH)
}

fn index_within(value: &Value, depth: usize) -> Option<usize> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(integer) => usize::try_from(integer).ok(),
            None => number.as_f64().and_then(whole),
        },
        Value::String(text) => index_in(text.trim()),
        Value::Array(items) => match items.as_slice() {
            [only] if depth > 0 => index_within(only, depth - 1),
            _ => None,
        },
        Value::Object(_) if depth > 0 => {
            field(value, &INDEX_MEMBERS).and_then(|inner| index_within(inner, depth - 1))
        }
        Value::Object(_) | Value::Null | Value::Bool(_) => None,
    }
}

fn whole(number: f64) -> Option<usize> {
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    // In range and without a fraction, so the cast is exact.
    fits.then_some(number as usize)
}

fn index_in(text: &str) -> Option<usize> {
    if let Some(number) = decimal(text) {
        return whole(number);
    }
    // An identifier such as a UUID is no index, however many digits are in it.
    let mut runs = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|run| run.contains(|c: char| c.is_ascii_digit()));
    let (run, None) = (runs.next()?, runs.next()) else {
        return None;
    };
    let digits = run.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    (run.len() - digits.len() <= "memory".len())
        .then_some(digits)?
        .parse()
        .ok()
}
