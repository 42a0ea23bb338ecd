//! The same questions as older clients and the self-hosted server ask them, and the shapes of their answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::fields::{Fields, refused};
use super::super::wire::Target;
use super::{Read, Shape, add, query};
use crate::memory::{OwnerKind, Problem};
use crate::operation::{Operation, Summed};

/// How an answer differs from today's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    /// Output format v1.0: a bare list.
    Bare,
    /// Output format v1.1: `results` and `relations`.
    Results,
    /// The self-hosted server's word that it is done.
    Told(Done),
    /// The self-hosted server's memory, or null.
    OrNull,
}

/// What the self-hosted server has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Done {
    Updated,
    Deleted,
    DeletedAll,
}

impl Done {
    fn message(self) -> &'static str {
        match self {
            Done::Updated => "Memory updated successfully!",
            Done::Deleted => "Memory deleted successfully",
            Done::DeletedAll => "All relevant memories deleted",
        }
    }
}

impl Form {
    /// Puts the body of today's answer into this form.
    pub fn apply(self, mut body: Value) -> Value {
        let mut take = |name: &str| body.get_mut(name).map(Value::take);
        match self {
            Form::Bare => match take("results") {
                Some(results) => results,
                None => json!([body]),
            },
            Form::Results => {
                let relations = take("relations").unwrap_or_else(|| json!([]));
                match take("results") {
                    Some(results) => json!({"results": results, "relations": relations}),
                    None => json!({"results": [body], "relations": relations}),
                }
            }
            Form::Told(done) => json!({"message": done.message()}),
            Form::OrNull => body,
        }
    }
}

/// A request in an older form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Older {
    /// `POST /v1/memories/`
    Add,
    /// `POST /v1/memories/search/`, `POST /v2/memories/search/`
    Search,
    /// `GET /v1/memories/`, `POST /v2/memories/`
    List,
    /// `GET /v1/memories/{entity_type}/{entity_id}/`
    Under(OwnerKind, String),
    /// The self-hosted `POST /memories`
    OssAdd,
    /// The self-hosted `GET /memories`
    OssList,
    /// The self-hosted `POST /search`
    OssSearch,
    /// The self-hosted `DELETE /memories`
    OssDeleteAll,
    /// The self-hosted `GET /memories/{id}`
    OssGet(String),
    /// The self-hosted `PUT /memories/{id}`
    OssUpdate(String),
    /// The self-hosted `DELETE /memories/{id}`
    OssDelete(String),
    /// The self-hosted `GET /memories/{id}/history`
    OssHistory(String),
}

/// The route of a path, and the methods that it has.
pub(super) fn route(verb: &str, parts: &[&str]) -> Option<(Option<Older>, &'static str)> {
    let post = |older: Older| ((verb == "POST").then_some(older), "POST");
    Some(match parts {
        ["v1", "memories"] if verb != "DELETE" => {
            let older = match verb {
                "GET" => Some(Older::List),
                "POST" => Some(Older::Add),
                _ => None,
            };
            (older, "GET, POST, DELETE")
        }
        ["v2", "memories"] => post(Older::List),
        ["v1" | "v2", "memories", "search"] => post(Older::Search),
        ["v1", "memories", kind, id] if *id != "history" => {
            let under = Older::Under(super::wide::kind_of(kind)?, (*id).to_owned());
            ((verb == "GET").then_some(under), "GET")
        }
        ["memories"] => {
            let older = match verb {
                "GET" => Some(Older::OssList),
                "POST" => Some(Older::OssAdd),
                "DELETE" => Some(Older::OssDeleteAll),
                _ => None,
            };
            (older, "GET, POST, DELETE")
        }
        ["memories", id] => {
            let id = (*id).to_owned();
            let older = match verb {
                "GET" => Some(Older::OssGet(id)),
                "PUT" => Some(Older::OssUpdate(id)),
                "DELETE" => Some(Older::OssDelete(id)),
                _ => None,
            };
            (older, "GET, PUT, DELETE")
        }
        ["memories", id, "history"] => {
            let history = Older::OssHistory((*id).to_owned());
            ((verb == "GET").then_some(history), "GET")
        }
        ["search"] => post(Older::OssSearch),
        _ => return None,
    })
}

/// Reads a request of such a route.
pub(super) fn read(older: &Older, target: &Target<'_>, body: &[u8]) -> Result<Read, Problem> {
    let fields = || {
        let query = Fields::of_query(target.query);
        Fields::of_body(body).map(|body| query.or(body))
    };
    match older {
        Older::Add => {
            let fields = fields()?;
            Ok(add::read(&fields)?.shaped(output_format(&fields)?))
        }
        Older::Search => {
            let fields = fields()?;
            Ok(query::search(&fields)?.shaped(output_format(&fields)?))
        }
        Older::List => {
            let fields = fields()?;
            let read = query::list(&fields, target)?;
            // Who asks for a page gets one.
            let is_paged = fields.has("page") || fields.has("page_size");
            Ok(match is_paged {
                true => read,
                false => read.shaped(output_format(&fields)?),
            })
        }
        Older::Under(kind, id) => {
            let mut fields = fields()?;
            fields.set(&format!("{}_id", kind.as_str()), json!(id));
            query::list(&fields, target)
        }
        Older::OssAdd => {
            let mut read = add::read(&fields()?)?;
            read.wait = true;
            Ok(read.shaped(Form::Results))
        }
        Older::OssList => query::list(&fields()?, target),
        Older::OssSearch => query::search(&fields()?),
        Older::OssDeleteAll => {
            Ok(query::delete_all(&fields()?)?.shaped(Form::Told(Done::DeletedAll)))
        }
        Older::OssGet(id) => {
            let id = super::memory_id(id)?;
            let read = Read::of_id(id, Operation::Get { id }, Shape::Memory);
            Ok(read.shaped(Form::OrNull))
        }
        Older::OssUpdate(id) => {
            let read = query::update(super::memory_id(id)?, &fields()?)?;
            Ok(read.shaped(Form::Told(Done::Updated)))
        }
        Older::OssDelete(id) => {
            let id = super::memory_id(id)?;
            let read = Read::of_id(id, Operation::Delete { id }, Shape::Deleted);
            Ok(read.shaped(Form::Told(Done::Deleted)))
        }
        Older::OssHistory(id) => {
            let id = super::memory_id(id)?;
            Ok(Read::of_id(id, Operation::History { id }, Shape::History))
        }
    }
}

/// How the answer of several spaces is written, by what asked for it.
pub(super) fn form_of(older: &Older, fields: &Fields) -> Result<Option<Form>, Problem> {
    Ok(match older {
        Older::Search => Some(output_format(fields)?),
        Older::List => match fields.has("page") || fields.has("page_size") {
            true => None,
            false => Some(output_format(fields)?),
        },
        Older::OssDeleteAll => Some(Form::Told(Done::DeletedAll)),
        _ => None,
    })
}

fn output_format(fields: &Fields) -> Result<Form, Problem> {
    Ok(match fields.text("output_format")?.as_deref() {
        None | Some("v1.0" | "v1") => Form::Bare,
        Some("v1.1" | "v2" | "v2.0") => Form::Results,
        Some(_) => {
            return Err(refused("bad_value", "'output_format' must be v1.0 or v1.1"));
        }
    })
}

/// Running summaries.
pub(super) fn summaries(summaries: &[Summed]) -> Value {
    let summary = |summed: &Summed| {
        let body = json!({
            "summary": summed.text,
            "memory": summed.text,
            "updated_at": summed.updated_at,
        });
        Value::Object(super::shapes::with_ids(body, &summed.scope))
    };
    summaries.iter().map(summary).collect()
}
