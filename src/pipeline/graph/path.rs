//! How two entities hang together: a bounded search over relations, both ways.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::compact::{OrderedMap, OrderedSet};
use crate::memory::{EntityId, Moment, Relation};
use crate::operation::Link;
use crate::pipeline::knowledge::Graph;

/// Relations on one way at most.
const HOPS: usize = 3;

/// Entities from which the search goes on at most.
const NODES: usize = 200;

/// Ways over one entity at most: the next ways would differ little from these.
const WAYS_OVER: usize = 3;

/// Ways that are answered at most.
const WAYS: usize = 5;

/// A way as far as it is known, in the order in which the search goes on: short ones first, then those that are
/// surer, then by the keys of their relations, so that the same graph always gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way<'g> {
    hops: usize,
    /// What the confidences of its relations leave open, in thousandths, summed.
    doubt: u32,
    keys: Vec<&'g str>,
    /// Where it has been, from the start to where it stands.
    stops: Vec<&'g EntityId>,
}

/// The ways from one entity to another over at most three relations that hold (at `as_of`, or now), the best first:
/// the fewest relations, then the surest.
pub fn paths(
    graph: &Graph,
    from: &EntityId,
    to: &EntityId,
    as_of: Option<Moment>,
) -> Vec<Vec<Link>> {
    let before_last: OrderedSet<&EntityId> =
        steps(graph, to, as_of).map(|(_, _, other)| other).collect();
    let mut open = BinaryHeap::new();
    let start = graph.entity(from).map(|entity| Way {
        hops: 0,
        doubt: 0,
        keys: Vec::new(),
        stops: vec![&entity.id],
    });
    open.extend(start.filter(|_| from != to).map(Reverse));
    let mut visits: OrderedMap<&EntityId, usize> = OrderedMap::new();
    let mut found = Vec::new();
    while let Some(Reverse(way)) = open.pop() {
        let Some(&here) = way.stops.last() else {
            continue;
        };
        if here == to {
            found.push(links(graph, &way));
            if found.len() == WAYS {
                break;
            }
            continue;
        }
        let visited = visits.get(here).copied().unwrap_or_default();
        if visited >= WAYS_OVER || (visited == 0 && visits.len() >= NODES) {
            continue;
        }
        visits.insert(here, visited + 1);
        for (key, relation, next) in steps(graph, here, as_of) {
            let leads_on = match HOPS - way.hops {
                0 => false,
                1 => next == to,
                2 => next == to || before_last.contains(next),
                _ => true,
            };
            if !leads_on || way.stops.contains(&next) {
                continue;
            }
            let mut on = way.clone();
            on.hops += 1;
            on.doubt += ((1.0 - relation.confidence.clamp(0.0, 1.0)) * 1_000.0) as u32;
            on.keys.push(key);
            on.stops.push(next);
            open.push(Reverse(on));
        }
    }
    found
}

/// The relations that lead on from an entity, with their keys and where they lead.
fn steps<'g>(
    graph: &'g Graph,
    at: &EntityId,
    as_of: Option<Moment>,
) -> impl Iterator<Item = (&'g str, &'g Relation, &'g EntityId)> {
    let holds = move |relation: &Relation| match as_of {
        Some(at) => relation.is_believed(None) && relation.holds_at(at),
        None => relation.is_current(),
    };
    let relations = graph.relations_of(at);
    let relations = relations.filter(move |(_, relation)| holds(relation));
    relations
        .filter_map(move |(key, relation)| Some((key.as_str(), relation, across(relation, at)?)))
}

/// The entity at the other end of a relation.
fn across<'g>(relation: &'g Relation, at: &EntityId) -> Option<&'g EntityId> {
    match relation.subject == *at {
        true => relation.object.entity(),
        false => Some(&relation.subject),
    }
}

fn links(graph: &Graph, way: &Way<'_>) -> Vec<Link> {
    let relations = way.keys.iter().zip(&way.stops);
    relations
        .filter_map(|(key, stop)| {
            let relation = graph.relation(key)?.clone();
            let backwards = relation.subject != **stop;
            Some(Link {
                relation,
                backwards,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Entity, Id, Object, Owner, OwnerKind};
    use crate::store::Changes;

    fn day(day: i64) -> Moment {
        Moment::from_seconds(1_700_000_000 + day * 86_400)
    }

    fn entity(id: &str) -> EntityId {
        EntityId(id.to_owned())
    }

    fn relation(subject: &str, predicate: &str, object: &str) -> Relation {
        Relation {
            subject: entity(subject),
            predicate: predicate.to_owned(),
            object: Object::Entity(entity(object)),
            valid_from: Some(day(0)),
            valid_to: None,
            from_precision: None,
            to_precision: None,
            known_from: day(0),
            known_to: None,
            confidence: 1.0,
            memories: vec![Id::new(Owner::new(OwnerKind::User, "u").space_hash(), 1, 1)],
            messages: Vec::new(),
        }
    }

    fn graph(relations: Vec<Relation>) -> Graph {
        let ids: OrderedSet<EntityId> = relations
            .iter()
            .flat_map(|r| [r.subject.clone(), r.object.entity().unwrap().clone()])
            .collect();
        let mut graph = Graph::default();
        graph.apply(&Changes {
            entities: ids
                .into_iter()
                .map(|id| Entity {
                    name: id.0.clone(),
                    id,
                    kind: "topic".to_owned(),
                    aliases: Vec::new(),
                    created_at: day(0),
                    merged_into: None,
                    changes: Vec::new(),
                })
                .collect(),
            relations,
            ..Changes::default()
        });
        graph
    }

    /// The ways in words: `<` before a predicate that is followed backwards.
    fn ways(graph: &Graph, from: &str, to: &str, as_of: Option<Moment>) -> Vec<String> {
        let ways = paths(graph, &entity(from), &entity(to), as_of);
        let word = |link: &Link| {
            let mark = if link.backwards { "<" } else { "" };
            format!("{mark}{}", link.relation.predicate)
        };
        ways.iter()
            .map(|way| way.iter().map(word).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn a_trip_leads_to_an_allergy_and_the_surer_way_comes_first() {
        let mut doubtful = relation("user", "likes", "satay");
        doubtful.confidence = 0.4;
        let graph = graph(vec![
            relation("user", "visits", "tokyo"),
            relation("user", "allergic_to", "peanuts"),
            doubtful,
            relation("satay", "contains", "peanuts"),
        ]);
        assert_eq!(
            ways(&graph, "tokyo", "peanuts", None),
            ["<visits allergic_to", "<visits likes contains"]
        );
        assert_eq!(
            ways(&graph, "peanuts", "tokyo", None),
            ["<allergic_to visits", "<contains <likes visits"]
        );
        assert!(ways(&graph, "tokyo", "tokyo", None).is_empty());
        assert!(ways(&graph, "tokyo", "nowhere", None).is_empty());
    }

    #[test]
    fn four_relations_are_too_far() {
        let chain = |n: usize| {
            let name = |i: usize| format!("e{i}");
            graph(
                (0..n)
                    .map(|i| relation(&name(i), "next", &name(i + 1)))
                    .collect(),
            )
        };
        assert_eq!(ways(&chain(3), "e0", "e3", None), ["next next next"]);
        assert!(ways(&chain(4), "e0", "e4", None).is_empty());
    }

    #[test]
    fn a_way_is_as_good_as_its_time() {
        let mut lived = relation("user", "lives_in", "oslo");
        lived.valid_to = Some(day(10));
        let mut mistaken = relation("user", "born_in", "oslo");
        mistaken.known_to = Some(day(1));
        let graph = graph(vec![lived, mistaken]);
        assert!(ways(&graph, "user", "oslo", None).is_empty());
        assert_eq!(ways(&graph, "user", "oslo", Some(day(9))), ["lives_in"]);
        assert!(ways(&graph, "user", "oslo", Some(day(10))).is_empty());
    }

    #[test]
    fn a_crowd_around_an_entity_does_not_hide_the_way_through_it() {
        let mut relations: Vec<Relation> = (0..2_000)
            .map(|i| relation("user", "knows", &format!("friend {i}")))
            .collect();
        relations.push(relation("trip", "of", "user"));
        relations.push(relation("friend 1999", "lives_in", "zürich"));
        let graph = graph(relations);
        assert_eq!(ways(&graph, "trip", "zürich", None), ["of knows lives_in"]);
    }
}
