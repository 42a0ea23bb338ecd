//! Search, list, delete, update and counts.

use serde_json::{Value, json};

use super::super::fields::{Fields, bad_value, refused};
use super::super::python;
use super::super::wire::Target;
use super::shapes::Cut;
use super::{Read, Shape, add, graph, scope};
use crate::memory::{Condition, Filter, Id, Operator, Owner, Precision, Problem};
use crate::operation::{List, Operation, Search, Transcript, Update};

const MAX_RESULTS: usize = 1000;
const MAX_QUERY_BYTES: usize = 100 * 1024;

/// The words of a question.
pub(super) fn question(fields: &Fields) -> Result<Option<String>, Problem> {
    let Some(query) = fields.text("query")? else {
        return Ok(None);
    };
    let query = query.trim();
    if query.len() > MAX_QUERY_BYTES {
        return Err(Problem::new(
            413,
            "query_too_long",
            format!("a query may have at most {} KB", MAX_QUERY_BYTES / 1024),
        ));
    }
    Ok(Some(query.to_owned()))
}

pub(super) fn search(fields: &Fields) -> Result<Read, Problem> {
    let (owner, filter) = selection(fields)?;
    let (operation, shape) = search_with(fields, filter)?;
    Ok(Read::of_owner(owner, operation, shape))
}

/// A search of what this filter selects.
pub(super) fn search_with(fields: &Fields, filter: Filter) -> Result<(Operation, Shape), Problem> {
    let query = question(fields)?.ok_or_else(|| {
        refused(
            "empty_query",
            "give the question in `query`; to see all memories, list them",
        )
    })?;
    let defaults = Search::default();
    let threshold = fields.number("threshold")?;
    if threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        return Err(refused(
            "out_of_range",
            "'threshold' must be a number from 0 to 1",
        ));
    }
    let search = Search {
        query,
        filter,
        top_k: first_count(fields, &["top_k", "topK", "limit"])?.unwrap_or(defaults.top_k),
        threshold: threshold.map_or(defaults.threshold, |threshold| threshold as f32),
        show_expired: fields.flag("show_expired", false)?,
        transcript: transcript(fields)?.unwrap_or_default(),
        relations: fields.flag("enable_graph", false)?,
        reference_time: fields.time("reference_date")?,
        rerank: fields.flag("rerank", false)?,
        as_of: graph::moment(fields, "as_of")?,
        known_at: graph::moment(fields, "known_at")?,
        latest_only: fields.flag("latest_only", false)?,
        without: Vec::new(),
    };
    let shape = Shape::Hits {
        cut: Cut(fields.texts("fields")?),
        explain: fields.flag("explain", false)?,
    };
    Ok((Operation::Search(search), shape))
}

pub(super) fn list(fields: &Fields, target: &Target<'_>) -> Result<Read, Problem> {
    let (owner, filter) = selection(fields)?;
    let (operation, shape) = list_with(fields, target, filter)?;
    Ok(Read::of_owner(owner, operation, shape))
}

/// A list of what this filter selects.
pub(super) fn list_with(
    fields: &Fields,
    target: &Target<'_>,
    filter: Filter,
) -> Result<(Operation, Shape), Problem> {
    let defaults = List::default();
    let page = fields
        .count("page", 1, u32::MAX as usize)?
        .unwrap_or(defaults.page);
    let page_size =
        first_count(fields, &["page_size", "limit", "top_k"])?.unwrap_or(defaults.page_size);
    let list = List {
        filter,
        page,
        page_size,
        skip: 0,
        show_expired: fields.flag("show_expired", false)?,
        show_past: fields.flag("show_past", false)?,
        transcript: transcript(fields)?.unwrap_or(Transcript::Never) != Transcript::Never,
    };
    let shape = Shape::Page {
        cut: Cut(fields.texts("fields")?),
        address: target.address.clone(),
        page,
        page_size,
    };
    Ok((Operation::List(list), shape))
}

/// What may stand beside the conditions of a deletion. Of any other name nobody can say whether
/// it was to spare something, so nothing is deleted.
const BESIDE_A_DELETION: [&str; 8] = [
    "org_id",
    "project_id",
    "orgId",
    "projectId",
    "version",
    "api_version",
    "output_format",
    "source",
];
const CONDITIONS: [&str; 6] = [
    "filters",
    "metadata",
    "categories",
    "keywords",
    "start_date",
    "end_date",
];

pub(super) fn delete_all(fields: &Fields) -> Result<Read, Problem> {
    refuse_unknown(fields)?;
    let (owner, filter) = selection(fields)?;
    let (operation, shape) = delete_with(fields, filter)?;
    Ok(Read::of_owner(owner, operation, shape))
}

/// A deletion of what this filter selects.
pub(super) fn delete_with(fields: &Fields, filter: Filter) -> Result<(Operation, Shape), Problem> {
    refuse_unknown(fields)?;
    Ok((Operation::DeleteAll { filter }, Shape::DeletedAll))
}

fn refuse_unknown(fields: &Fields) -> Result<(), Problem> {
    let unknown = fields.names().find(|name| {
        !(BESIDE_A_DELETION.contains(name) || CONDITIONS.contains(name) || scope::is_id(name))
    });
    if let Some(name) = unknown {
        let name: String = name.chars().take(60).collect();
        return Err(refused(
            "unknown_condition",
            format!(
                "'{name}' is no condition for a deletion, so nothing was deleted: give ids \
                 (user_id, agent_id, app_id, run_id), filters, metadata, categories, keywords, \
                 start_date or end_date"
            ),
        ));
    }
    Ok(())
}

pub(super) fn update(id: Id, fields: &Fields) -> Result<Read, Problem> {
    let mut text = None;
    for name in ["text", "data", "memory"] {
        match fields.get(name) {
            None => continue,
            Some(Value::String(given)) if given.trim().is_empty() => {
                return Err(refused(
                    "empty_text",
                    format!("'{name}' is empty; to forget a memory, delete it"),
                ));
            }
            Some(_) => text = fields.text(name)?,
        }
        break;
    }
    let expires_at = match fields.has("expiration_date") {
        true => Some(add::expiration(fields)?),
        false => None,
    };
    let update = Update {
        id,
        text,
        metadata: fields.object("metadata")?.cloned(),
        time: fields.time("timestamp")?,
        expires_at,
    };
    if update.text.is_none()
        && update.metadata.is_none()
        && update.time.is_none()
        && update.expires_at.is_none()
    {
        return Err(refused(
            "nothing_to_update",
            "give at least one of text, metadata, timestamp and expiration_date",
        ));
    }
    Ok(Read::of_id(id, Operation::Update(update), Shape::Memory))
}

pub(super) fn stats(fields: &Fields) -> Result<Read, Problem> {
    let owner = scope::owner_of(&scope::filter_of(fields)?)?;
    let digest = fields.flag("digest", false)?;
    Ok(Read::of_owner(
        owner,
        Operation::Stats { digest },
        Shape::Stats,
    ))
}

/// The owner and all conditions of a request.
pub(super) fn selection(fields: &Fields) -> Result<(Owner, Filter), Problem> {
    let owner = scope::owner_of(&scope::filter_of(fields)?)?;
    Ok((owner, conditions(fields)?))
}

/// All conditions of a request.
pub(super) fn conditions(fields: &Fields) -> Result<Filter, Problem> {
    let mut parts = vec![scope::filter_of(fields)?];
    let field = |field: &str, operator| {
        Filter::Field(Condition {
            field: field.to_owned(),
            operator,
        })
    };
    let categories = values(fields, "categories")?;
    if !categories.is_empty() {
        parts.push(field("categories", Operator::In(categories)));
    }
    let keywords = values(fields, "keywords")?;
    if !keywords.is_empty() {
        let any = keywords
            .into_iter()
            .map(|word| field("text", Operator::Icontains(word)));
        parts.push(Filter::Or(any.collect()));
    }
    if let Some(metadata) = metadata(fields)? {
        parts.push(scope::read_filter(&json!({"metadata": metadata}))?);
    }
    if let Some(span) = fields.span("start_date")? {
        parts.push(field("created_at", Operator::Gte(json!(span.from))));
    }
    if let Some(span) = fields.span("end_date")? {
        let until = json!(span.until);
        parts.push(field(
            "created_at",
            match span.precision {
                Precision::Instant => Operator::Lte(until),
                _ => Operator::Lt(until),
            },
        ));
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

/// Values of a condition: a list, a text, or a list written as a literal in a query string.
fn values(fields: &Fields, name: &str) -> Result<Vec<Value>, Problem> {
    if let Some(Value::String(text)) = fields.get(name)
        && let Some(Value::Array(items)) = python::read(text)
    {
        return Ok(items);
    }
    Ok(fields.texts(name)?.into_iter().map(Value::String).collect())
}

/// Conditions on metadata, as an object or as a literal in a query string.
fn metadata(fields: &Fields) -> Result<Option<Value>, Problem> {
    let value = match fields.get("metadata") {
        None => return Ok(None),
        Some(Value::String(text)) => python::read(text),
        Some(value) => Some(value.clone()),
    };
    match value {
        Some(Value::Object(object)) if object.is_empty() => Ok(None),
        Some(value @ Value::Object(_)) => Ok(Some(value)),
        _ => Err(bad_value(
            "metadata",
            "an object such as {\"key\": \"value\"}",
        )),
    }
}

pub(super) fn first_count(fields: &Fields, names: &[&str]) -> Result<Option<usize>, Problem> {
    for name in names {
        if let Some(count) = fields.count(name, 1, MAX_RESULTS)? {
            return Ok(Some(count));
        }
    }
    Ok(None)
}

fn transcript(fields: &Fields) -> Result<Option<Transcript>, Problem> {
    let wanted = "true, false, \"never\", \"fill\" or \"always\"";
    Ok(match fields.get("transcript") {
        None => None,
        Some(Value::Bool(true)) => Some(Transcript::Always),
        Some(Value::Bool(false)) => Some(Transcript::Never),
        Some(Value::String(name)) => Some(match name.as_str() {
            "never" | "false" => Transcript::Never,
            "fill" => Transcript::Fill,
            "always" | "true" => Transcript::Always,
            _ => return Err(bad_value("transcript", wanted)),
        }),
        Some(_) => return Err(bad_value("transcript", wanted)),
    })
}
