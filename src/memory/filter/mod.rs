//! Filters: one tree of conditions, and one exact evaluator for search, list and delete alike.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::Moment;
use crate::compact::{lowercase, to_json};

#[cfg(test)]
mod tests;

/// The deepest tree that is read.
const MAX_DEPTH: usize = 32;

/// A tree of conditions over a memory's fields.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every part holds. An empty list always holds.
    And(Vec<Filter>),
    /// At least one part holds. An empty list never holds.
    Or(Vec<Filter>),
    /// No part holds.
    Not(Vec<Filter>),
    /// A condition on one field.
    Field(Condition),
}

/// One comparison of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The field's name: a field of the memory, or a key of its metadata.
    pub field: String,
    /// The comparison.
    pub operator: Operator,
}

/// The comparisons.
///
/// Numbers compare as numbers, times as instants, everything else as text. A list-valued field
/// (such as `categories`) satisfies a comparison when one of its elements does; `Ne` and `Nin` are
/// the exact opposites of `Eq` and `In`, and so hold for an absent field. The ordering operators
/// hold only between two numbers, two times or two texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// Equal.
    Eq(Value),
    /// Not equal, or absent.
    Ne(Value),
    /// Greater.
    Gt(Value),
    /// Greater or equal.
    Gte(Value),
    /// Less.
    Lt(Value),
    /// Less or equal.
    Lte(Value),
    /// Equal to one of these.
    In(Vec<Value>),
    /// Equal to none of these, or absent.
    Nin(Vec<Value>),
    /// A text that contains this text, or a list that has this element.
    Contains(Value),
    /// `Contains` without regard to case.
    Icontains(Value),
    /// Present and not null: `"*"`.
    Exists,
}

/// Something whose fields a filter can read.
pub trait Subject {
    /// The value of a field, or `None` when it is absent or null.
    fn field(&self, name: &str) -> Option<Value>;
}

/// Why a filter cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// A filter that is no object.
    #[error("a filter must be an object such as {{\"user_id\": \"alice\"}}, or {{\"AND\": [...]}}")]
    NotAnObject,
    /// AND, OR or NOT without a list.
    #[error("{0} takes a list of filters")]
    NotAList(String),
    /// An operator that does not exist.
    #[error(
        "'{operator}' is not an operator (field '{field}'): use eq, ne, gt, gte, lt, lte, in, nin, \
         contains, icontains or \"*\""
    )]
    UnknownOperator {
        /// The field.
        field: String,
        /// What was written.
        operator: String,
    },
    /// `in` or `nin` without a list.
    #[error("'{0}' takes a list of values")]
    NotValues(String),
    /// More than 32 levels.
    #[error("a filter may be nested at most {MAX_DEPTH} levels deep")]
    TooDeep,
}

impl Filter {
    /// The filter that holds for everything.
    pub fn all() -> Self {
        Filter::And(Vec::new())
    }

    /// The condition that a field equals a text.
    pub fn eq(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Filter::Field(Condition {
            field: field.into(),
            operator: Operator::Eq(value.into()),
        })
    }

    /// Reads the JSON form: `{"AND": [...]}`, `{"OR": [...]}`, `{"NOT": [...]}`, `{field: value}`,
    /// `{field: {operator: value, ...}}` and `{field: "*"}`. The keys of one object must all hold. A
    /// list stands for `in`. camelCase names of the ids and times are read as their snake_case
    /// ones, `session_id` as `run_id`, and `metadata: {key: ...}` as conditions on the fields
    /// `metadata.key`, which are never the memory's own.
    ///
    /// # Errors
    /// See [`FilterError`].
    pub fn read(value: &Value) -> Result<Self, FilterError> {
        Self::read_at(value, 0)
    }

    fn read_at(value: &Value, depth: usize) -> Result<Self, FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError::TooDeep);
        }
        let object = match value {
            Value::Null => return Ok(Filter::all()),
            Value::Object(object) => object,
            _ => return Err(FilterError::NotAnObject),
        };
        let mut parts = Vec::with_capacity(object.len());
        for (key, value) in object {
            let part = match key.as_str() {
                "AND" | "and" => Filter::And(Self::read_list(key, value, depth)?),
                "OR" | "or" => Filter::Or(Self::read_list(key, value, depth)?),
                "NOT" | "not" => Filter::Not(Self::read_list(key, value, depth)?),
                "metadata" => match value {
                    Value::Object(fields) => Self::read_fields(fields)?,
                    other => read_field("metadata", other)?,
                },
                _ => read_field(canonical(key), value)?,
            };
            parts.push(part);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Filter::And(parts),
        })
    }

    fn read_list(key: &str, value: &Value, depth: usize) -> Result<Vec<Filter>, FilterError> {
        match value {
            Value::Array(items) => items
                .iter()
                .map(|item| Self::read_at(item, depth + 1))
                .collect(),
            Value::Object(_) => Ok(vec![Self::read_at(value, depth + 1)?]),
            _ => Err(FilterError::NotAList(key.to_owned())),
        }
    }

    fn read_fields(fields: &Map<String, Value>) -> Result<Self, FilterError> {
        fields
            .iter()
            .map(|(key, value)| read_field(&format!("metadata.{key}"), value))
            .collect::<Result<_, _>>()
            .map(Filter::And)
    }

    /// The JSON form that [`Filter::read`] reads back.
    pub fn to_json(&self) -> Value {
        let list = |parts: &[Filter]| parts.iter().map(Filter::to_json).collect::<Vec<_>>();
        match self {
            Filter::And(parts) => json!({"AND": list(parts)}),
            Filter::Or(parts) => json!({"OR": list(parts)}),
            Filter::Not(parts) => json!({"NOT": list(parts)}),
            Filter::Field(Condition { field, operator }) => {
                let test = match operator {
                    Operator::Eq(value) => json!({"eq": value}),
                    Operator::Ne(value) => json!({"ne": value}),
                    Operator::Gt(value) => json!({"gt": value}),
                    Operator::Gte(value) => json!({"gte": value}),
                    Operator::Lt(value) => json!({"lt": value}),
                    Operator::Lte(value) => json!({"lte": value}),
                    Operator::In(values) => json!({"in": values}),
                    Operator::Nin(values) => json!({"nin": values}),
                    Operator::Contains(value) => json!({"contains": value}),
                    Operator::Icontains(value) => json!({"icontains": value}),
                    Operator::Exists => json!({"*": true}),
                };
                json!({field: test})
            }
        }
    }

    /// Whether a memory satisfies the filter.
    pub fn matches(&self, subject: &impl Subject) -> bool {
        match self {
            Filter::And(parts) => parts.iter().all(|part| part.matches(subject)),
            Filter::Or(parts) => parts.iter().any(|part| part.matches(subject)),
            Filter::Not(parts) => !parts.iter().any(|part| part.matches(subject)),
            Filter::Field(condition) => condition.matches(subject),
        }
    }

    /// The values that `field` must equal for the filter to hold: those of an `eq` or `in` that no
    /// OR with other fields and no NOT weakens. `None` when the filter leaves the field open.
    pub fn required(&self, field: &str) -> Option<Vec<String>> {
        match self {
            Filter::And(parts) => parts.iter().find_map(|part| part.required(field)),
            Filter::Or(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(part.required(field)?);
                }
                (!all.is_empty()).then_some(all)
            }
            Filter::Not(_) => None,
            Filter::Field(condition) if condition.field == field => match &condition.operator {
                Operator::Eq(value) => Some(vec![plain(value)]),
                Operator::In(values) => Some(values.iter().map(plain).collect()),
                _ => None,
            },
            Filter::Field(_) => None,
        }
    }

    /// The same filter for subjects that are known to have `value` in `field`: conditions that this alone
    /// decides are gone, so that what always holds costs nothing.
    pub fn given(&self, field: &str, value: &str) -> Self {
        let known = Known { field, value };
        let given = |parts: &[Filter], decided: &Filter| -> Vec<Filter> {
            let parts = parts.iter().map(|part| part.given(field, value));
            parts.filter(|part| part != decided).collect()
        };
        let nothing = Filter::Or(Vec::new());
        match self {
            Filter::And(parts) => {
                let open = given(parts, &Filter::all());
                match open.contains(&nothing) {
                    true => nothing,
                    false => Filter::And(open),
                }
            }
            Filter::Or(parts) => {
                let open = given(parts, &nothing);
                match open.contains(&Filter::all()) {
                    true => Filter::all(),
                    false => Filter::Or(open),
                }
            }
            Filter::Not(parts) => match Filter::Or(parts.clone()).given(field, value) {
                all if all == Filter::all() => nothing,
                none if none == nothing => Filter::all(),
                open => Filter::Not(vec![open]),
            },
            Filter::Field(condition) if condition.field == field => {
                match condition.matches(&known) {
                    true => Filter::all(),
                    false => nothing,
                }
            }
            Filter::Field(condition) => Filter::Field(condition.clone()),
        }
    }

    /// Whether any condition of the filter is on `field`.
    pub fn mentions(&self, field: &str) -> bool {
        match self {
            Filter::And(parts) | Filter::Or(parts) | Filter::Not(parts) => {
                parts.iter().any(|part| part.mentions(field))
            }
            Filter::Field(condition) => condition.field == field,
        }
    }
}

impl Default for Filter {
    fn default() -> Self {
        Filter::all()
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Filter::read(&value).map_err(serde::de::Error::custom)
    }
}

/// A subject of which one field is known.
struct Known<'a> {
    field: &'a str,
    value: &'a str,
}

impl Subject for Known<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        (name == self.field).then(|| self.value.into())
    }
}

impl Condition {
    fn matches(&self, subject: &impl Subject) -> bool {
        let value = subject.field(&self.field);
        let any = |test: &dyn Fn(&Value) -> bool| match &value {
            None => false,
            Some(Value::Array(items)) => items.iter().any(test),
            Some(value) => test(value),
        };
        let ordered = |bound: &Value, wanted: &dyn Fn(Ordering) -> bool| {
            any(&|value| compare(value, bound).is_some_and(wanted))
        };
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::Eq(wanted) => value.as_ref() == Some(wanted) || any(&|v| equal(v, wanted)),
            Operator::Ne(wanted) => !(value.as_ref() == Some(wanted) || any(&|v| equal(v, wanted))),
            Operator::In(wanted) => any(&|v| wanted.iter().any(|w| equal(v, w))),
            Operator::Nin(wanted) => !any(&|v| wanted.iter().any(|w| equal(v, w))),
            Operator::Gt(bound) => ordered(bound, &Ordering::is_gt),
            Operator::Gte(bound) => ordered(bound, &Ordering::is_ge),
            Operator::Lt(bound) => ordered(bound, &Ordering::is_lt),
            Operator::Lte(bound) => ordered(bound, &Ordering::is_le),
            Operator::Contains(part) => match &value {
                Some(Value::Array(items)) => items.iter().any(|v| equal(v, part)),
                Some(value) => plain(value).contains(&plain(part)),
                None => false,
            },
            Operator::Icontains(part) => {
                let part = lowercase(&plain(part));
                match &value {
                    Some(Value::Array(items)) => items.iter().any(|v| lowercase(&plain(v)) == part),
                    Some(value) => lowercase(&plain(value)).contains(&part),
                    None => false,
                }
            }
        }
    }
}

/// The field that a client's name stands for.
fn canonical(name: &str) -> &str {
    match name {
        "userId" => "user_id",
        "agentId" => "agent_id",
        "appId" => "app_id",
        "runId" | "session_id" | "sessionId" => "run_id",
        "createdAt" => "created_at",
        "updatedAt" => "updated_at",
        "expirationDate" => "expiration_date",
        "memory" | "keywords" => "text",
        "memory_ids" | "memoryIds" => "id",
        "category" => "categories",
        name => name,
    }
}

fn read_field(field: &str, value: &Value) -> Result<Filter, FilterError> {
    let condition = |operator| {
        Filter::Field(Condition {
            field: field.to_owned(),
            operator,
        })
    };
    match value {
        Value::String(text) if text == "*" => Ok(condition(Operator::Exists)),
        Value::Array(values) => Ok(condition(Operator::In(values.clone()))),
        Value::Object(operators) => {
            let mut parts = Vec::with_capacity(operators.len());
            for (name, operand) in operators {
                parts.push(condition(read_operator(field, name, operand)?));
            }
            Ok(match parts.len() {
                1 => parts.remove(0),
                _ => Filter::And(parts),
            })
        }
        Value::Null => Ok(Filter::Not(vec![condition(Operator::Exists)])),
        value => Ok(condition(Operator::Eq(value.clone()))),
    }
}

fn read_operator(field: &str, name: &str, operand: &Value) -> Result<Operator, FilterError> {
    let list = || match operand {
        Value::Array(values) => Ok(values.clone()),
        _ => Err(FilterError::NotValues(name.to_owned())),
    };
    Ok(match name {
        "eq" => Operator::Eq(operand.clone()),
        "ne" => Operator::Ne(operand.clone()),
        "gt" => Operator::Gt(operand.clone()),
        "gte" => Operator::Gte(operand.clone()),
        "lt" => Operator::Lt(operand.clone()),
        "lte" => Operator::Lte(operand.clone()),
        "in" => Operator::In(list()?),
        "nin" => Operator::Nin(list()?),
        "contains" => Operator::Contains(operand.clone()),
        "icontains" => Operator::Icontains(operand.clone()),
        "*" => Operator::Exists,
        _ => {
            return Err(FilterError::UnknownOperator {
                field: field.to_owned(),
                operator: name.to_owned(),
            });
        }
    })
}

fn equal(left: &Value, right: &Value) -> bool {
    compare(left, right) == Some(Ordering::Equal)
}

/// Compares two numbers, two booleans, two times or two texts; a number and a text that is that
/// number are equal, as clients write ids both ways.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::String(left), Value::String(right)) => {
            if left == right {
                return Some(Ordering::Equal);
            }
            match (time(left), time(right)) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => Some(left.cmp(right)),
            }
        }
        (Value::String(text), Value::Number(number))
        | (Value::Number(number), Value::String(text)) => {
            (*text == number.to_string()).then_some(Ordering::Equal)
        }
        (left, right) => (left == right).then_some(Ordering::Equal),
    }
}

/// A text that is plainly a date or time; a bare number or year is not.
fn time(text: &str) -> Option<Moment> {
    let dashed = text.as_bytes().get(4) == Some(&b'-') && text.len() >= 10;
    dashed.then(|| text.parse().ok()).flatten()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => to_json(other),
    }
}
