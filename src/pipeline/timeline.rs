//! What happened and what held, in the order of its time in the world.

use super::knowledge::{Graph, Known};
use super::past::held;
use crate::compact::OrderedSet;
use crate::memory::{Id, Memory, Moment, Relation};
use crate::operation::Dated;

/// The versions of memories and the relations that lasted beyond `from` and began before `to`, in the order in
/// which they began.
pub fn timeline<'a>(
    known: Known<'_>,
    memories: &OrderedSet<Id>,
    relations: impl Iterator<Item = &'a Relation>,
    from: Option<Moment>,
    to: Option<Moment>,
) -> Vec<Dated> {
    let mut lines: Vec<Dated> = Vec::new();
    for memory in memories.iter().filter_map(|id| known.memory(id)) {
        lines.extend(versions(&memory, known));
    }
    lines.extend(relations.map(|relation| of_relation(relation, known.graph())));
    lines.retain(|line| {
        let lasts = line.to.unwrap_or(match line.current {
            true => Moment::from_millis(i64::MAX),
            false => line.from,
        });
        from.is_none_or(|from| lasts >= from) && to.is_none_or(|to| line.from < to)
    });
    lines.sort_by(|a, b| {
        let key = |line: &Dated| (line.from, line.relation.is_some());
        let ids = a.memories.cmp(&b.memories);
        key(a).cmp(&key(b)).then(ids).then(a.text.cmp(&b.text))
    });
    lines
}

fn versions(memory: &Memory, known: Known<'_>) -> Vec<Dated> {
    let count = memory.versions.len();
    let line = |place: usize| {
        let version = memory.versions.get(place)?;
        let held = held(memory, place, count, known)?;
        // What never came true, or turned out to be wrong, is not part of the past.
        let never = held.to.is_some_and(|to| to <= held.from);
        let is_wrong = version.known_to.is_some() && held.to.is_none();
        (!never && !is_wrong).then(|| Dated {
            from: held.from,
            from_precision: version.from_precision,
            to: held.to,
            to_precision: version.to_precision,
            text: version.text.clone(),
            current: version.known_to.is_none(),
            memories: vec![memory.id],
            relation: None,
        })
    };
    (0..count).filter_map(line).collect()
}

fn of_relation(relation: &Relation, graph: &Graph) -> Dated {
    Dated {
        from: relation.valid_from.unwrap_or(relation.known_from),
        from_precision: relation.from_precision,
        to: relation.valid_to,
        to_precision: relation.to_precision,
        text: in_words(relation, graph),
        current: relation.is_current(),
        memories: relation.memories.clone(),
        relation: Some(relation.clone()),
    }
}

/// A relation as people would read it: `Melanie lives in Portland`.
pub fn in_words(relation: &Relation, graph: &Graph) -> String {
    format!(
        "{} {} {}",
        graph.entity_name(&relation.subject),
        relation.predicate.replace('_', " "),
        graph.object_name(&relation.object)
    )
}
