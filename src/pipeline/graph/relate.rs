//! Statements become relations, and their spans follow from each other: of a predicate that has one value at a
//! time, what starts later ends what was, and what lies further back ends where the next begins.

use super::predicates::{ended_by, is_single, is_symmetric};
use super::{Draft, contradictions};
use crate::memory::{Claim, Id, Mint, Moment, Object, Precision, Relation, plain_name};

/// What a memory states.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The relation. Its memories and messages are those that state it.
    pub relation: Relation,
    /// Memories that contradict it, of which nobody knows whether they are right: what they support is not
    /// ended by it.
    pub disputed: Vec<Id>,
}

/// What became of a statement: the key of its relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Related {
    /// It is a new relation.
    New(String),
    /// It supports one that was known.
    Known(String),
}

impl Related {
    /// The key of the relation.
    pub fn into_key(self) -> String {
        match self {
            Related::New(key) | Related::Known(key) => key,
        }
    }
}

/// Adds a statement, or its support to a relation that says it already. `None` for one that would have ended
/// before it began.
pub fn relate(draft: &mut Draft<'_>, statement: Statement, mint: &mut Mint<'_>) -> Option<Related> {
    let Statement {
        relation: mut new,
        disputed,
    } = statement;
    if let (Some(from), Some(to)) = (new.valid_from, new.valid_to)
        && to < from
    {
        return None;
    }
    let believed: Vec<(String, Relation)> = draft
        .relations_by(&new.subject, &new.predicate)
        .into_iter()
        .chain(match (&new.object, is_symmetric(&new.predicate)) {
            (Object::Entity(object), true) => draft.relations_by(object, &new.predicate),
            _ => Vec::new(),
        })
        .filter(|(_, relation)| relation.known_to.is_none())
        .collect();
    let same = believed
        .iter()
        .find(|(_, known)| says_the_same(draft, known, &new) && overlaps(known, &new));
    let others: Vec<(String, Relation)> = match is_single(&new.predicate) {
        true => {
            let others = believed
                .iter()
                .filter(|(_, known)| excludes(draft, known, &new));
            others.cloned().collect()
        }
        false => Vec::new(),
    };
    if let Some((key, known)) = same {
        support(draft, known, &new, &others);
        return Some(Related::Known(key.clone()));
    }
    let was_open = new.valid_to.is_none();
    let next = others
        .iter()
        .filter(|(_, other)| starts_before(&new, other) && !is_disputed(other, &disputed))
        .min_by_key(|(_, other)| other.valid_from);
    if let Some((_, next)) = next
        && new.valid_to.is_none_or(|to| next.valid_from < Some(to))
    {
        new.valid_to = next.valid_from;
        new.to_precision = next.from_precision;
    }
    let mut clashing = Vec::new();
    for (key, other) in &others {
        let goes_on = other.valid_to.is_none_or(|to| Some(to) > new.valid_from);
        if !goes_on {
            continue;
        }
        let disputes = is_disputed(other, &disputed);
        if (other.valid_from == new.valid_from || disputes)
            && other.valid_to.is_none()
            && new.valid_to.is_none()
        {
            clashing.push(key.clone());
        } else if was_open && starts_before(other, &new) && !disputes {
            let mut other = other.clone();
            other.valid_to = new.valid_from;
            other.to_precision = new.from_precision;
            draft.put_relation(other);
        }
    }
    end_what_it_replaces(draft, &new);
    let key = draft.put_new_relation(new);
    if !clashing.is_empty() {
        let claims = clashing.into_iter().chain([key.clone()]);
        contradictions::open(draft, claims.map(Claim::Relation).collect(), mint);
    }
    Some(Related::New(key))
}

/// An engagement ends with the wedding.
fn end_what_it_replaces(draft: &mut Draft<'_>, new: &Relation) {
    let Some(predicate) = ended_by(&new.predicate) else {
        return;
    };
    for (_, mut before) in draft.relations_by(&new.subject, predicate) {
        let is_believed = before.known_to.is_none() && before.valid_to.is_none();
        let is_of_both = new.object.entity().is_some_and(|one| before.touches(one));
        if is_believed && is_of_both && starts_before(&before, new) {
            before.valid_to = new.valid_from;
            before.to_precision = new.from_precision;
            draft.put_relation(before);
        }
    }
}

/// Whether two relations state the same.
pub fn says_the_same(draft: &Draft<'_>, one: &Relation, other: &Relation) -> bool {
    if one.predicate != other.predicate {
        return false;
    }
    let same = one.subject == other.subject && is_same_value(draft, &one.object, &other.object);
    let turned = is_symmetric(&one.predicate)
        && one.object.entity() == Some(&other.subject)
        && other.object.entity() == Some(&one.subject);
    same || turned
}

/// Whether two values are one. What was a plain value can have become known as an entity since.
fn is_same_value(draft: &Draft<'_>, one: &Object, other: &Object) -> bool {
    match (one, other) {
        (Object::Entity(one), Object::Entity(other)) => one == other,
        (Object::Literal(one), Object::Literal(other)) => plain_name(one) == plain_name(other),
        (Object::Entity(id), Object::Literal(text))
        | (Object::Literal(text), Object::Entity(id)) => {
            let plain = plain_name(text);
            let entity = draft.entity(id);
            entity.is_some_and(|entity| entity.names().any(|name| plain_name(name) == plain))
        }
    }
}

/// Whether two relations of a predicate with one value at a time have different values for the same place.
pub fn excludes(draft: &Draft<'_>, one: &Relation, other: &Relation) -> bool {
    if one.predicate != other.predicate || says_the_same(draft, one, other) {
        return false;
    }
    let turned = is_symmetric(&one.predicate)
        && (one.object.entity() == Some(&other.subject)
            || other.object.entity() == Some(&one.subject)
            || (one.object.entity().is_some() && one.object == other.object));
    one.subject == other.subject || turned
}

/// Whether one began before the other; what began before anything known, before all others.
fn starts_before(one: &Relation, other: &Relation) -> bool {
    one.valid_from < other.valid_from
}

fn is_disputed(relation: &Relation, disputed: &[Id]) -> bool {
    relation.memories.iter().any(|id| disputed.contains(id))
}

fn overlaps(one: &Relation, other: &Relation) -> bool {
    let before = |one: &Relation, other: &Relation| match (one.valid_to, other.valid_from) {
        (Some(to), Some(from)) => to <= from,
        (Some(_), None) | (None, _) => false,
    };
    !before(one, other) && !before(other, one)
}

/// A relation is stated again: more rests on it, and its span may be known better.
fn support(draft: &mut Draft<'_>, known: &Relation, new: &Relation, others: &[(String, Relation)]) {
    let mut known = known.clone();
    let earlier_start = known.valid_from;
    extend(&mut known.memories, &new.memories);
    extend(&mut known.messages, &new.messages);
    known.confidence = known.confidence.max(new.confidence);
    if let (Some(from), Some(precision)) = (new.valid_from, new.from_precision) {
        let is_unsure = known.from_precision.is_none();
        let is_earlier = known.valid_from.is_some_and(|known| from < known);
        let is_finer = known.from_precision.is_some_and(|known| precision < known)
            && known
                .valid_from
                .zip(known.from_precision)
                .is_some_and(|(start, precision)| start <= from && from < end_of(start, precision));
        let not_before = others
            .iter()
            .filter(|(_, other)| starts_before(other, &known))
            .filter_map(|(_, other)| other.valid_to.or(other.valid_from))
            .filter(|at| known.valid_from.is_none_or(|start| *at <= start))
            .max();
        let fits =
            not_before.is_none_or(|bound| bound <= from) || not_before == earlier_start && is_finer;
        let is_within = known.valid_to.is_none_or(|to| from <= to);
        if fits
            && is_within
            && (is_finer || is_earlier || (is_unsure && known.valid_from.is_none()))
        {
            known.valid_from = Some(from);
            known.from_precision = Some(precision);
        }
    }
    let is_finer_end = known
        .to_precision
        .is_some_and(|known| new.to_precision < Some(known))
        && known
            .valid_to
            .zip(known.to_precision)
            .is_some_and(|(end, precision)| {
                let within = end..end_of(end, precision);
                new.valid_to.is_some_and(|to| within.contains(&to))
            });
    if (known.valid_to.is_none() || is_finer_end && new.to_precision.is_some())
        && let Some(to) = new.valid_to
        && known.valid_from.is_none_or(|from| from <= to)
    {
        known.valid_to = Some(to);
        known.to_precision = new.to_precision;
    }
    // What ended when this began, ended when it really began.
    if known.valid_from != earlier_start {
        for (_, other) in others {
            if other.valid_to.is_some()
                && other.valid_to == earlier_start
                && other.valid_from <= known.valid_from
            {
                let mut other = other.clone();
                other.valid_to = known.valid_from;
                other.to_precision = known.from_precision;
                draft.put_relation(other);
            }
        }
    }
    draft.put_relation(known);
}

/// About where a stretch of time ends that begins there.
fn end_of(start: Moment, precision: Precision) -> Moment {
    const DAY_MS: i64 = 86_400_000;
    let days = match precision {
        Precision::Instant | Precision::Minute | Precision::Hour => 0,
        Precision::Day => 1,
        Precision::Weekend => 2,
        Precision::Week => 7,
        Precision::Month => 28,
        Precision::Season => 90,
        Precision::Year => 365,
        Precision::Decade => 3_652,
    };
    start.plus_millis(days * DAY_MS)
}

/// Adds what is not there yet.
pub fn extend(ids: &mut Vec<Id>, more: &[Id]) {
    for id in more {
        if !ids.contains(id) {
            ids.push(*id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{EntityId, Owner, OwnerKind, Span};
    use crate::pipeline::graph::resolve::entity;
    use crate::pipeline::graph::{Leaving, is_told, leave};
    use crate::pipeline::knowledge::Graph;

    const NOBODY: Id = Id::FIRST;

    /// A relation of the owner, with the times that were told.
    fn told(predicate: &str, object: Object, from: Option<&str>, to: Option<&str>) -> Relation {
        let [from, to] = [from, to].map(|time| time.map(|time| Span::read(time).unwrap()));
        Relation {
            subject: EntityId::owner(),
            predicate: predicate.to_owned(),
            object,
            valid_from: from.map(|span| span.from),
            valid_to: to.map(|span| span.from),
            from_precision: from.map(|span| span.precision),
            to_precision: to.map(|span| span.precision),
            known_from: Moment::from_seconds(0),
            known_to: None,
            confidence: 1.0,
            memories: vec![NOBODY],
            messages: Vec::new(),
        }
    }

    fn draft<'g>(graph: &'g Graph, relations: Vec<Relation>) -> Draft<'g> {
        let mut draft = Draft::new(graph, Moment::from_seconds(0));
        let space = Owner::new(OwnerKind::User, "alice").space_hash();
        let mut mint = Mint::new(space, 0, &|| 7);
        for relation in relations {
            let statement = Statement {
                relation,
                disputed: Vec::new(),
            };
            relate(&mut draft, statement, &mut mint).unwrap();
        }
        draft
    }

    fn all(draft: &Draft<'_>) -> Vec<Relation> {
        let relations = draft.relations_of(&EntityId::owner()).into_iter();
        relations.map(|(_, relation)| relation).collect()
    }

    #[test]
    fn an_end_becomes_as_exact_as_it_is_told() {
        let graph = Graph::default();
        let smokes = |to| {
            told(
                "smokes",
                Object::Literal("cigarettes".into()),
                None,
                Some(to),
            )
        };
        for (first, second, expected) in [
            ("2021", "2021-04", "2021-04"),
            ("2021-04", "2021-04-17", "2021-04-17"),
            ("2021-04", "2021", "2021-04"),
        ] {
            let relations = all(&draft(&graph, vec![smokes(first), smokes(second)]));
            let end = Span::read(expected).unwrap();
            assert_eq!(relations.len(), 1);
            assert_eq!(relations[0].valid_to, Some(end.from));
            assert_eq!(relations[0].to_precision, Some(end.precision));
        }
    }

    #[test]
    fn an_engagement_ends_with_the_wedding_of_the_same_two() {
        let graph = Graph::default();
        let with = |name: &str| Object::Entity(EntityId(name.into()));
        let engaged = told("engaged_to", with("carla"), Some("2024-12"), None);
        let wedding = |name| told("married_to", with(name), Some("2025-09-13"), None);
        let ended = |name| {
            let relations = all(&draft(&graph, vec![engaged.clone(), wedding(name)]));
            let engaged = relations.iter().find(|one| one.predicate == "engaged_to");
            engaged.unwrap().valid_to
        };
        assert_eq!(ended("carla"), Some(Span::read("2025-09-13").unwrap().from));
        assert_eq!(ended("nora"), None);
    }

    #[test]
    fn a_birthday_that_is_told_otherwise_was_a_mistake_and_a_home_was_one() {
        let graph = Graph::default();
        let home = told(
            "lives_in",
            Object::Literal("Rome".into()),
            Some("2020"),
            None,
        );
        let birthday = told("birthday", Object::Literal("May 12".into()), None, None);
        let mut draft = draft(&graph, vec![home, birthday]);
        let over = Leaving::Over {
            at: Span::read("2026-01-01").unwrap().from,
            precision: None,
        };
        leave(&mut draft, &NOBODY, over, &|_, _| false);
        for relation in all(&draft) {
            let was_mistaken = relation.predicate == "birthday";
            assert_eq!(relation.known_to.is_some(), was_mistaken);
            assert_eq!(relation.valid_to.is_none(), was_mistaken);
        }
    }

    #[test]
    fn one_of_two_johns_is_named_by_the_name_they_share() {
        let graph = Graph::default();
        let mut draft = draft(&graph, Vec::new());
        let john = EntityId("john (brother)".into());
        let now = Moment::from_seconds(0);
        draft.put_entity(entity(john.clone(), "John (brother)".into(), "person", now));
        let relation = Relation {
            subject: john,
            ..told("works_as", Object::Literal("carpenter".into()), None, None)
        };
        let is_told = |text| is_told(&draft, &relation, text);
        assert!(is_told(
            "User's brother John lives in Galway and is a carpenter"
        ));
        assert!(!is_told("User's brother John lives in Galway"));
        assert!(!is_told("User's brother is a carpenter"));
    }
}
