//! Summaries, feedback and exports.

use serde_json::Value;

use super::super::fields::{Fields, bad_value, refused};
use super::{Read, Shape, query, scope};
use crate::memory::{Feedback, Id, Problem};
use crate::operation::{Export, Judgement, Operation, Purpose};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `POST /v1/summary/`
    Summary,
    /// `POST /v1/feedback/`
    Feedback,
    /// `POST /v1/exports/`
    MakeExport,
    /// `POST /v1/exports/get/`
    GetExport,
}

/// The route of a path, and the methods that it has.
pub(super) fn route(verb: &str, parts: &[&str]) -> Option<(Option<Asked>, &'static str)> {
    let asked = match parts {
        ["v1", "summary"] => Asked::Summary,
        ["v1", "feedback"] => Asked::Feedback,
        ["v1", "exports"] => Asked::MakeExport,
        ["v1", "exports", "get"] => Asked::GetExport,
        _ => return None,
    };
    Some(((verb == "POST").then_some(asked), "POST"))
}

/// Reads a request of such a route.
pub(super) fn read(asked: Asked, body: &[u8]) -> Result<Read, Problem> {
    let fields = Fields::of_body(body)?;
    match asked {
        Asked::Summary => summary(&fields),
        Asked::Feedback => feedback(&fields),
        Asked::MakeExport => export(&fields),
        Asked::GetExport => exported(&fields),
    }
}

fn summary(fields: &Fields) -> Result<Read, Problem> {
    let filter = scope::filter_of(fields)?;
    let owner = scope::owner_of(&filter)?;
    Ok(Read::of_owner(
        owner,
        Operation::Summaries { filter },
        Shape::Summaries,
    ))
}

fn feedback(fields: &Fields) -> Result<Read, Problem> {
    let id = fields.text("memory_id")?.ok_or_else(|| {
        refused(
            "missing_field",
            "give the memory that it is about in `memory_id`",
        )
    })?;
    let id: Id = super::memory_id(&id)?;
    let feedback = match fields.text("feedback")? {
        None => None,
        Some(text) => Some(match text.trim().to_uppercase().as_str() {
            "POSITIVE" => Feedback::Positive,
            "NEGATIVE" => Feedback::Negative,
            "VERY_NEGATIVE" => Feedback::VeryNegative,
            _ => {
                return Err(bad_value(
                    "feedback",
                    "POSITIVE, NEGATIVE, VERY_NEGATIVE or null",
                ));
            }
        }),
    };
    let judgement = Judgement {
        memory: id,
        feedback,
        reason: fields.text("feedback_reason")?,
    };
    Ok(Read::of_id(
        id,
        Operation::Feedback(judgement),
        Shape::Judged,
    ))
}

fn export(fields: &Fields) -> Result<Read, Problem> {
    let schema = fields
        .schema("schema")
        .filter(Value::is_object)
        .ok_or_else(|| {
            refused(
                "bad_schema",
                "Schema is required and must be a valid object",
            )
        })?;
    let (owner, filter) = query::selection(fields)?;
    let export = Export {
        purpose: Purpose::Export,
        schema,
        instructions: fields.prose("export_instructions")?,
        filter,
    };
    Ok(Read::of_owner(
        owner,
        Operation::Export(Box::new(export)),
        Shape::ExportAccepted,
    ))
}

fn exported(fields: &Fields) -> Result<Read, Problem> {
    let id = match fields.text("memory_export_id")? {
        None => None,
        Some(id) => Some(id.parse::<Id>().map_err(|_| {
            Problem::new(404, "export_not_found", "No memory export request found")
        })?),
    };
    let asked = |id| Operation::Exported {
        id,
        purpose: Purpose::Export,
    };
    match id {
        Some(id) => Ok(Read::of_id(id, asked(Some(id)), Shape::Exported)),
        None => {
            let (owner, _) = query::selection(fields)?;
            Ok(Read::of_owner(owner, asked(None), Shape::Exported))
        }
    }
}
