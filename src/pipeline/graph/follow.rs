//! What a memory no longer says, its relations no longer say either, in the same commit.

use super::Draft;
use super::predicates::{is_single, never_changes};
use super::relate::{excludes, says_the_same};
use crate::memory::{EntityId, Id, Moment, Object, Precision, Relation, normalize_name};

/// How a memory came to say something no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// It was true until then. What had not begun by then, and what never changes, was never true.
    Over {
        /// The time in the world.
        at: Moment,
        /// How exactly it is known.
        precision: Option<Precision>,
    },
    /// It is not believed any more: it was a mistake, or its words are gone.
    Unbelieved,
}

/// Takes a memory's support from the relations that it no longer states. Those that nothing else supports end,
/// or are no longer believed; the latter are answered.
pub fn leave(
    draft: &mut Draft<'_>,
    memory: &Id,
    leaving: Leaving,
    still_says: &dyn Fn(&Draft<'_>, &Relation) -> bool,
) -> Vec<Relation> {
    let mut unbelieved = Vec::new();
    for (_, mut relation) in draft.relations_from(memory) {
        let is_past = match leaving {
            Leaving::Over { at, .. } => relation.valid_to.is_some_and(|to| to <= at),
            Leaving::Unbelieved => false,
        };
        if relation.known_to.is_some() || is_past || still_says(draft, &relation) {
            continue;
        }
        if relation.memories.len() > 1 {
            relation.memories.retain(|id| id != memory);
            draft.put_relation(relation);
            continue;
        }
        match leaving {
            Leaving::Over { at, precision }
                if relation.valid_from.is_none_or(|from| from < at)
                    && !never_changes(&relation.predicate) =>
            {
                relation.valid_to = Some(at);
                relation.to_precision = precision;
            }
            _ => {
                relation.known_to = Some(draft.now.max(relation.known_from));
                unbelieved.push(relation.clone());
            }
        }
        draft.put_relation(relation);
    }
    unbelieved
}

/// After a relation turned out not to be: what ended only because it began goes on, if a memory still says so.
pub fn reopen(draft: &mut Draft<'_>, gone: &Relation, is_current: &dyn Fn(&Id) -> bool) {
    if !is_single(&gone.predicate) || gone.valid_from.is_none() {
        return;
    }
    for ended in believed_beside(draft, gone) {
        let ended_by_it = ended.valid_to == gone.valid_from && excludes(draft, &ended, gone);
        if !ended_by_it || !ended.memories.iter().any(is_current) {
            continue;
        }
        // Another value, or a later time of the same one.
        let meets = |other: &Relation| {
            *other != ended
                && (excludes(draft, other, &ended) || says_the_same(draft, other, &ended))
        };
        let mut others = believed_beside(draft, &ended);
        others.retain(meets);
        let later = others
            .iter()
            .filter(|other| other.valid_from > ended.valid_from);
        let next = later.min_by_key(|other| other.valid_from);
        let goes_on = others.iter().any(|other| other.valid_to.is_none());
        let stays_ended = match next {
            Some(next) => next.valid_from == ended.valid_to,
            None => goes_on,
        };
        if stays_ended {
            continue;
        }
        let mut reopened = ended.clone();
        reopened.valid_to = next.and_then(|next| next.valid_from);
        reopened.to_precision = next.and_then(|next| next.from_precision);
        draft.put_relation(reopened);
    }
}

/// The relations of the same predicate at the ends of one, as far as they are believed.
fn believed_beside(draft: &Draft<'_>, relation: &Relation) -> Vec<Relation> {
    let ends = std::iter::once(&relation.subject).chain(relation.object.entity());
    let there = ends.flat_map(|end| draft.relations_by(end, &relation.predicate));
    let believed = there.filter(|(_, other)| other.known_to.is_none());
    believed.map(|(_, other)| other).collect()
}

/// Those entities that a text names, by any of their names.
pub fn mentioned(draft: &Draft<'_>, entities: &[EntityId], text: &str) -> Vec<EntityId> {
    let mentioned = entities.iter().filter(|id| is_named(draft, id, text));
    mentioned.cloned().collect()
}

/// Whether a text names an entity, by any of its names; `John` is enough for `John (brother)`. The owner and
/// the agent need no naming.
fn is_named(draft: &Draft<'_>, id: &EntityId, text: &str) -> bool {
    let text = normalize_name(text);
    let names_it = |name: &str| {
        let name = name.split_once(" (").map_or(name, |(name, _)| name);
        text.contains(&normalize_name(name))
    };
    id.is_party()
        || draft
            .entity(id)
            .is_some_and(|entity| entity.names().any(names_it))
}

/// Whether a text names both ends of a relation.
pub fn is_told(draft: &Draft<'_>, relation: &Relation, text: &str) -> bool {
    let is_object_named = match &relation.object {
        Object::Entity(id) => is_named(draft, id, text),
        Object::Literal(value) => normalize_name(text).contains(&normalize_name(value)),
    };
    is_object_named && is_named(draft, &relation.subject, text)
}
