//! The graph: its pages, exports, entities, ways and contradictions.

use serde_json::Value;

use super::super::export::Format;
use super::super::fields::{Fields, bad_value, refused};
use super::super::wire::{self, Target};
use super::{Read, Shape, query, scope};
use crate::memory::{Claim, EntityId, Id, Moment, Owner, Problem};
use crate::operation::{Graph, Operation};

/// Entities on a page of an export: all.
const WHOLE: usize = 1_000_000;

pub(super) fn read(fields: &Fields, target: &Target<'_>) -> Result<Read, Problem> {
    if let Some(format) = format(fields)? {
        return whole(fields, format);
    }
    let defaults = Graph::default();
    let page = fields.count("page", 1, u32::MAX as usize)?;
    let page_size = query::first_count(fields, &["page_size", "limit"])?;
    let (page, page_size) = (
        page.unwrap_or(defaults.page),
        page_size.unwrap_or(defaults.page_size),
    );
    let (owner, asked) = asked(fields, false)?;
    let asked = Graph {
        page,
        page_size,
        ..asked
    };
    let shape = Shape::Graph {
        address: address(target),
        page,
        page_size,
    };
    Ok(Read::of_owner(owner, Operation::Graph(asked), shape))
}

/// The whole graph, in JSON-LD unless another format is named.
pub(super) fn export(fields: &Fields) -> Result<Read, Problem> {
    whole(fields, format(fields)?.unwrap_or(Format::JsonLd))
}

fn whole(fields: &Fields, format: Format) -> Result<Read, Problem> {
    let (owner, asked) = asked(fields, true)?;
    let asked = Graph {
        page_size: WHOLE,
        ..asked
    };
    let space = owner.space_hash().to_string();
    let shape = Shape::Export { format, space };
    Ok(Read::of_owner(owner, Operation::Graph(asked), shape))
}

fn asked(fields: &Fields, past: bool) -> Result<(Owner, Graph), Problem> {
    let (owner, filter) = query::selection(fields)?;
    let graph = Graph {
        past: fields.flag("past", past)?,
        as_of: moment(fields, "as_of")?,
        known_at: moment(fields, "known_at")?,
        filter,
        ..Graph::default()
    };
    Ok((owner, graph))
}

fn format(fields: &Fields) -> Result<Option<Format>, Problem> {
    match fields.text("format")? {
        None => Ok(None),
        Some(name) if name.trim().eq_ignore_ascii_case("json") => Ok(None),
        Some(name) => match Format::named(&name) {
            Some(format) => Ok(Some(format)),
            None => Err(bad_value("format", "json, json-ld, graphml or cypher")),
        },
    }
}

pub(super) fn entity(name: &str, fields: &Fields) -> Result<Read, Problem> {
    let id = EntityId(name.to_owned());
    Ok(Read::of_owner(
        owner(fields)?,
        Operation::Entity { id },
        Shape::Entity,
    ))
}

pub(super) fn merge(name: &str, fields: &Fields) -> Result<Read, Problem> {
    let operation = Operation::MergeEntities {
        from: EntityId(name.to_owned()),
        into: EntityId(required(
            fields,
            "into",
            "give the entity that this one is in 'into', by its id or any of its names",
        )?),
    };
    Ok(Read::of_owner(owner(fields)?, operation, Shape::Entity))
}

pub(super) fn split(name: &str, fields: &Fields) -> Result<Read, Problem> {
    let ids = fields.texts("memory_ids")?;
    if ids.is_empty() {
        return Err(refused(
            "missing_value",
            "give the memories that are about the other entity in 'memory_ids'",
        ));
    }
    let memories = ids.iter().map(|id| super::memory_id(id));
    let operation = Operation::SplitEntity {
        entity: EntityId(name.to_owned()),
        name: required(
            fields,
            "name",
            "give the name of the other entity in 'name'",
        )?,
        memories: memories.collect::<Result<_, _>>()?,
    };
    Ok(Read::of_owner(owner(fields)?, operation, Shape::Entity))
}

pub(super) fn path(fields: &Fields) -> Result<Read, Problem> {
    let end = |name: &str| {
        let why = "give two entities in 'from' and 'to', by their ids or any of their names";
        required(fields, name, why).map(EntityId)
    };
    let operation = Operation::Path {
        from: end("from")?,
        to: end("to")?,
        as_of: moment(fields, "as_of")?,
    };
    Ok(Read::of_owner(owner(fields)?, operation, Shape::Paths))
}

pub(super) fn contradictions(fields: &Fields) -> Result<Read, Problem> {
    let resolved = fields.flag("resolved", false)?;
    let operation = Operation::Contradictions { resolved };
    Ok(Read::of_owner(
        owner(fields)?,
        operation,
        Shape::Contradictions,
    ))
}

pub(super) fn resolve(id: Id, fields: &Fields) -> Result<Read, Problem> {
    let wanted = || {
        refused(
            "bad_claim",
            "give what is true in 'keep': the id of a memory that one side rests on, or the 'claim' of that side",
        )
    };
    let keep = match fields.get("keep") {
        Some(Value::String(id)) => Claim::Memory(id.trim().parse().map_err(|_| wanted())?),
        Some(claim) => serde_json::from_value(claim.clone()).map_err(|_| wanted())?,
        None => return Err(wanted()),
    };
    Ok(Read::of_id(
        id,
        Operation::Resolve { id, keep },
        Shape::Contradiction,
    ))
}

/// A moment to look from. Of a day, a month or a year it is the end: what had come to be by then.
pub(super) fn moment(fields: &Fields, name: &str) -> Result<Option<Moment>, Problem> {
    let span = fields.span(name)?;
    Ok(span.map(|span| match span.until > span.from {
        true => span.until.plus_millis(-1),
        false => span.from,
    }))
}

pub(super) fn owner(fields: &Fields) -> Result<Owner, Problem> {
    scope::owner_of(&scope::filter_of(fields)?)
}

fn required(fields: &Fields, name: &str, why: &str) -> Result<String, Problem> {
    fields
        .text(name)?
        .ok_or_else(|| refused("missing_value", why))
}

/// The address with all that was asked but the page.
fn address(target: &Target<'_>) -> String {
    let kept = target.query.unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty()
            && !["page", "page_size", "limit"].contains(&wire::percent_decode(name).as_str())
    });
    let kept: String = kept.flat_map(|pair| [pair, "&"]).collect();
    format!("{}?{kept}", target.address)
}
