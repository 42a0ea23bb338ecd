//! What an agent is given to read: a context for its prompt, a timeline.

use super::super::fields::{Fields, refused};
use super::graph::moment;
use super::{Read, Shape, query};
use crate::memory::{EntityId, Problem};
use crate::operation::{Context, Operation, Timeline};

/// The least and the most tokens of a context.
const BUDGET: (usize, usize) = (50, 100_000);

pub(super) fn context(fields: &Fields) -> Result<Read, Problem> {
    let asked = query::question(fields)?.ok_or_else(|| {
        refused(
            "empty_query",
            "give the question, or what the person just said, in `query`",
        )
    })?;
    let (owner, filter) = query::selection(fields)?;
    let defaults = Context::default();
    let context = Context {
        query: asked,
        filter,
        budget_tokens: fields
            .count("budget_tokens", BUDGET.0, BUDGET.1)?
            .unwrap_or(defaults.budget_tokens),
        as_of: moment(fields, "as_of")?,
        reference_time: fields.time("reference_date")?,
    };
    Ok(Read::of_owner(
        owner,
        Operation::Context(context),
        Shape::Context,
    ))
}

pub(super) fn timeline(fields: &Fields) -> Result<Read, Problem> {
    let (owner, filter) = query::selection(fields)?;
    let timeline = Timeline {
        entity: fields.text("entity")?.map(EntityId),
        query: query::question(fields)?,
        from: fields.time("from")?,
        to: fields.span("to")?.map(|span| span.until),
        filter,
    };
    Ok(Read::of_owner(
        owner,
        Operation::Timeline(timeline),
        Shape::Timeline,
    ))
}
