//! Whose memory a request is about.

use serde_json::{Map, Value};

use super::super::fields::{Fields, refused};
use crate::memory::{Condition, Filter, Operator, Owner, OwnerKind, Problem, Scope, ScopeError};

/// The names under which clients send the id of a kind.
fn names(kind: OwnerKind) -> &'static [&'static str] {
    match kind {
        OwnerKind::User => &["user_id", "userId"],
        OwnerKind::Agent => &["agent_id", "agentId"],
        OwnerKind::App => &["app_id", "appId"],
        OwnerKind::Run => &["run_id", "runId", "session_id", "sessionId"],
    }
}

/// The field of a filter that holds the id of a kind.
fn field(kind: OwnerKind) -> &'static str {
    names(kind).first().copied().unwrap_or_default()
}

pub(super) fn is_id(name: &str) -> bool {
    OwnerKind::ALL
        .iter()
        .any(|kind| names(*kind).contains(&name))
}

/// The ids at the top level of a request, else inside its `filters`.
pub(super) fn of_add(fields: &Fields) -> Result<Scope, Problem> {
    let filter = filters(fields)?;
    let mut scope = Scope::default();
    for kind in OwnerKind::ALL {
        let id = match top_level(fields, kind)? {
            Some(id) => id,
            None => match filter.required(field(kind)) {
                Some(ids) => single(kind, ids)?,
                None => continue,
            },
        };
        if id == "*" {
            return Err(refused(
                "bad_id",
                format!(
                    "'*' stands for any {}: give the one to remember for",
                    field(kind)
                ),
            ));
        }
        scope.set(kind, id);
    }
    Ok(scope)
}

/// The condition that a query sets: its `filters`, and the ids beside them. A `*` beside them asks
/// for any id.
pub(super) fn filter_of(fields: &Fields) -> Result<Filter, Problem> {
    let mut parts = vec![filters(fields)?];
    for kind in OwnerKind::ALL {
        let Some(id) = top_level(fields, kind)? else {
            continue;
        };
        parts.push(match id.as_str() {
            "*" => Filter::Field(Condition {
                field: field(kind).to_owned(),
                operator: Operator::Exists,
            }),
            _ => Filter::eq(field(kind), id),
        });
    }
    parts.retain(|part| *part != Filter::all());
    Ok(match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            Filter::And(parts)
        }
    })
}

/// The one owner that a filter asks about.
///
/// A kind that the filter asks for, but not with exactly one id, would lead to several spaces,
/// unless a kind before it has named the space already.
pub(super) fn owner_of(filter: &Filter) -> Result<Owner, Problem> {
    for kind in OwnerKind::ALL {
        match filter.required(field(kind)) {
            Some(ids) => {
                let id = single(kind, ids)?;
                let mut scope = Scope::default();
                scope.set(kind, id);
                return owner(&scope);
            }
            None if asks(filter, field(kind)) => return Err(several(kind)),
            None => {}
        }
    }
    Err(missing())
}

/// The refusal of a request that names nobody.
pub(super) fn missing() -> Problem {
    scope_problem(&ScopeError::Missing)
}

/// The owner of a scope.
pub(super) fn owner(scope: &Scope) -> Result<Owner, Problem> {
    scope.owner().map_err(|error| scope_problem(&error))
}

fn scope_problem(error: &ScopeError) -> Problem {
    let code = match error {
        ScopeError::Missing => "scope_required",
        ScopeError::Malformed(_) => "bad_id",
    };
    refused(code, error.to_string())
}

/// The code of a request that concerns several owners where only one is possible.
pub(super) const SEVERAL: &str = "one_owner_at_a_time";

fn several(kind: OwnerKind) -> Problem {
    let name = field(kind);
    refused(
        SEVERAL,
        format!(
            "this reads or writes the memory of one owner: set {name} to one id (not '*', a list, or \
             one side of an OR), and ask once for each owner"
        ),
    )
}

fn single(kind: OwnerKind, mut ids: Vec<String>) -> Result<String, Problem> {
    ids.sort_unstable();
    ids.dedup();
    match (ids.pop(), ids.is_empty()) {
        (Some(id), true) => Ok(id),
        _ => Err(several(kind)),
    }
}

/// Whether a filter wants some value of a field, rather than only excludes values.
fn asks(filter: &Filter, name: &str) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| asks(part, name)),
        Filter::Not(_) => false,
        Filter::Field(condition) => {
            condition.field == name
                && !matches!(condition.operator, Operator::Ne(_) | Operator::Nin(_))
        }
    }
}

fn top_level(fields: &Fields, kind: OwnerKind) -> Result<Option<String>, Problem> {
    for name in names(kind) {
        match fields.get(name) {
            None => {}
            // A blank id is an error in the caller's code; to go on without it could file a user's
            // memories under a shared agent.
            Some(Value::String(id)) if id.trim().is_empty() => {
                return Err(scope_problem(&ScopeError::Malformed(kind.as_str())));
            }
            Some(Value::String(id)) => return Ok(Some(id.trim().to_owned())),
            Some(Value::Number(id)) => return Ok(Some(id.to_string())),
            Some(_) => return Err(refused("bad_id", format!("'{name}' must be a text"))),
        }
    }
    Ok(None)
}

/// Reads `filters`, with ids trimmed and numbers among them as texts, as an add stores them.
fn filters(fields: &Fields) -> Result<Filter, Problem> {
    let Some(value) = fields.get("filters") else {
        return Ok(Filter::all());
    };
    // In a query string it is a literal of Python, or JSON.
    let read = match value {
        Value::String(text) => super::super::python::read(text),
        value => Some(value.clone()),
    };
    let mut value = read.ok_or_else(|| {
        refused(
            "bad_filter",
            "'filters' must be an object such as {\"user_id\": \"alice\"}",
        )
    })?;
    tidy(&mut value);
    read_filter(&value)
}

/// Reads a filter, or says why it is none.
pub(super) fn read_filter(value: &Value) -> Result<Filter, Problem> {
    Filter::read(value).map_err(|error| refused("bad_filter", error.to_string()))
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => tidy_object(object),
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn tidy_object(object: &mut Map<String, Value>) {
    for (name, value) in object {
        if is_id(name) {
            tidy_ids(value);
        } else if name != "metadata" {
            tidy(value);
        }
    }
}

fn tidy_ids(value: &mut Value) {
    match value {
        Value::String(id) => *id = id.trim().to_owned(),
        Value::Number(id) => *value = Value::String(id.to_string()),
        Value::Array(ids) => ids.iter_mut().for_each(tidy_ids),
        Value::Object(operators) => operators.values_mut().for_each(tidy_ids),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: &Value) -> Fields {
        Fields::of_body(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_owner_of_a_query_is_found_wherever_it_is_named() {
        for (body, expected) in [
            (json!({"filters": {"user_id": "u"}}), Ok("user u")),
            (json!({"filters": {"userId": " u "}}), Ok("user u")),
            (json!({"filters": {"user_id": 7}}), Ok("user 7")),
            (json!({"user_id": 7}), Ok("user 7")),
            (
                json!({"filters": {"AND": [{"user_id": "u"}, {"run_id": "r"}]}}),
                Ok("user u"),
            ),
            (json!({"filters": {"user_id": {"in": ["u"]}}}), Ok("user u")),
            (
                json!({"filters": {"user_id": "u", "run_id": "*"}}),
                Ok("user u"),
            ),
            (json!({"filters": {"session_id": "r"}}), Ok("run r")),
            (
                json!({"filters": {"agent_id": "a", "user_id": null}}),
                Ok("agent a"),
            ),
            (
                json!({"filters": {"AND": [{"agent_id": "a"}, {"NOT": [{"user_id": "u"}]}]}}),
                Ok("agent a"),
            ),
            (
                json!({"filters": {"user_id": ["u", "v"]}}),
                Err("one_owner_at_a_time"),
            ),
            (
                json!({"filters": {"OR": [{"user_id": "u"}, {"user_id": "v"}]}}),
                Err("one_owner_at_a_time"),
            ),
            (
                json!({"filters": {"OR": [{"user_id": "u"}, {"agent_id": "a"}]}}),
                Err("one_owner_at_a_time"),
            ),
            (
                json!({"filters": {"user_id": "*", "agent_id": "a"}}),
                Err("one_owner_at_a_time"),
            ),
            (json!({"user_id": "*"}), Err("one_owner_at_a_time")),
            (json!({"filters": {"topic": "x"}}), Err("scope_required")),
            (
                json!({"filters": {"NOT": [{"user_id": "u"}]}}),
                Err("scope_required"),
            ),
            (json!({}), Err("scope_required")),
            (json!({"user_id": " "}), Err("bad_id")),
            (json!({"filters": {"user_id": " "}}), Err("bad_id")),
            (json!({"user_id": ["u"]}), Err("bad_id")),
            (
                json!({"filters": {"user_id": {"near": "u"}}}),
                Err("bad_filter"),
            ),
            (json!({"filters": ["u"]}), Err("bad_filter")),
        ] {
            let owner = filter_of(&fields(&body))
                .and_then(|filter| owner_of(&filter))
                .map(|owner| owner.to_string())
                .map_err(|problem| problem.code);
            assert_eq!(
                owner,
                expected.map(str::to_owned).map_err(str::to_owned),
                "{body}"
            );
        }
    }

    #[test]
    fn ids_stay_in_the_filter() {
        let filter = filter_of(&fields(&json!({
            "filters": {"user_id": 7, "n": 7}, "run_id": "*", "agent_id": "a",
        })))
        .unwrap();
        assert_eq!(filter.required("user_id"), Some(vec!["7".into()]));
        assert_eq!(filter.required("agent_id"), Some(vec!["a".into()]));
        assert!(filter.mentions("run_id") && filter.mentions("n"));
    }

    #[test]
    fn the_scope_of_an_add_is_found_wherever_it_is_named() {
        for (body, expected) in [
            (json!({"user_id": " u ", "runId": 7}), Ok("user=u&run=7")),
            (
                json!({"filters": {"user_id": "u", "agentId": "a"}}),
                Ok("user=u&agent=a"),
            ),
            (
                json!({"filters": {"AND": [{"user_id": "u"}]}, "app_id": "p"}),
                Ok("user=u&app=p"),
            ),
            (json!({"user_id": null, "agent_id": "a"}), Ok("agent=a")),
            (json!({"user_id": "", "agent_id": "a"}), Err("bad_id")),
            (json!({"user_id": "*"}), Err("bad_id")),
            (
                json!({"filters": {"user_id": ["u", "v"]}}),
                Err("one_owner_at_a_time"),
            ),
        ] {
            let scope = of_add(&fields(&body))
                .map(|scope| scope.conversation())
                .map_err(|problem| problem.code);
            assert_eq!(
                scope,
                expected.map(str::to_owned).map_err(str::to_owned),
                "{body}"
            );
        }
    }
}
