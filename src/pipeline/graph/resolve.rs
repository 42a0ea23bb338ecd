//! Which entity a name means. Two nodes are better than a wrong merge, so a name that could mean several gets
//! a node of its own; the owner can merge them.

use std::collections::HashMap;

use super::Draft;
use crate::compact::OrderedSet;
use crate::memory::{
    Entity, EntityChange, EntityChangeKind, EntityId, Fact, Moment, Speaker, kinship_and_name,
    normalize_name, plain_name, pronoun, without_article,
};
use crate::pipeline::knowledge::Graph;

/// Letters from which on a name may differ by one from that of the same entity.
const LONG_NAME: usize = 8;

/// The least cosine between the vectors of two spellings of one name. Measured with the builtin embedder: inflected
/// words have .86 and more (headphone and headphones), misspelt ones .01 to .82, and so stay two nodes there.
const SAME_NAME: f32 = 0.85;

/// Names of one entity that are kept beside the first.
const ALIASES: usize = 24;

/// Vectors of names, by the name as it is compared: two spellings are of one entity only when both are here
/// and near to each other.
#[derive(Debug, Default, Clone)]
pub struct Likeness(pub HashMap<String, Vec<f32>>);

impl Likeness {
    fn are_near(&self, one: &str, other: &str) -> bool {
        let (Some(a), Some(b)) = (self.0.get(one), self.0.get(other)) else {
            return false;
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) >= SAME_NAME * (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
    }
}

/// The names in facts that no entity has but that are spelt much as one that is known, and those: what has to
/// be embedded to tell. As names are compared.
pub fn doubtful_names(facts: &[Fact], graph: &Graph) -> OrderedSet<String> {
    let mut doubtful = OrderedSet::new();
    for entity in facts.iter().flat_map(|fact| &fact.entities) {
        let name = plain_name(&entity.name);
        if graph.named(&entity.name).next().is_some() || pronoun(&entity.name).is_some() {
            continue;
        }
        for (known, bearer) in graph.names_from(initial(&name)) {
            if may_be_spelt(&name, known) && is_same_kind(&entity.kind, &bearer.kind) {
                doubtful.insert(name.clone());
                doubtful.insert(known.to_owned());
            }
        }
    }
    doubtful
}

/// Resolves the names of one batch.
pub struct Resolver<'l> {
    likeness: &'l Likeness,
    /// Who was mentioned lately in this conversation.
    lately: OrderedSet<EntityId>,
}

/// A name with what is said of it.
pub struct Named<'n> {
    /// The name, as it was written.
    pub name: &'n str,
    /// `person`, `place`, …; `topic` or nothing when unknown.
    pub kind: &'n str,
    /// Other names for it.
    pub aliases: &'n [String],
    /// When it was said.
    pub at: Moment,
}

impl<'l> Resolver<'l> {
    /// A resolver for a conversation in which these were mentioned lately.
    pub fn new(likeness: &'l Likeness, lately: OrderedSet<EntityId>) -> Self {
        Self { likeness, lately }
    }

    /// The entity that a name means, if there is one.
    pub fn find(&self, draft: &Draft<'_>, name: &str, kind: &str) -> Option<EntityId> {
        if let Some(party) = party(name, kind) {
            return Some(party);
        }
        let (name, alias) = parts(name);
        self.find_named(draft, name, kind).or_else(|| {
            let found = draft.named(alias?);
            only(found.into_iter().filter(|e| is_compatible(kind, &e.kind)))
        })
    }

    /// The entity that a name means, made where it is new; with the names that were learnt for it.
    /// `None` for a name without letters or digits.
    pub fn resolve(&mut self, draft: &mut Draft<'_>, named: &Named<'_>) -> Option<Resolved> {
        if let Some(id) = party(named.name, named.kind) {
            if draft.entity(&id).is_none() {
                draft.put_entity(entity(id.clone(), id.0.clone(), party_kind(&id), named.at));
            }
            let mut names = Vec::new();
            for alias in named.aliases {
                if pronoun(alias).is_none() {
                    names.extend(learn_alias(draft, &id, alias, named.at));
                }
            }
            return Some(Resolved { id, names });
        }
        let (name, kinship) = parts(named.name);
        let found = self.find_named(draft, name, named.kind).or_else(|| {
            let others = kinship.into_iter();
            let others = others.chain(named.aliases.iter().map(String::as_str));
            let found = others.flat_map(|alias| draft.named(alias));
            let found = found.filter(|entity| is_compatible(named.kind, &entity.kind));
            // Two people can have the same short name: what is called otherwise is another.
            only(found.filter(|entity| goes_with(&entity.name, name)))
        });
        let id = match found {
            Some(id) => {
                if let Some(known) = draft.entity(&id)
                    && is_vague(&known.kind)
                    && !is_vague(named.kind)
                {
                    let mut known = known.clone();
                    known.kind = named.kind.to_owned();
                    draft.put_entity(known);
                }
                id
            }
            None => {
                let id = draft.free_id(name)?;
                let kind = match (named.kind, kinship) {
                    (kind, Some(_)) if is_vague(kind) => "person",
                    ("", None) => "topic",
                    (kind, _) => kind,
                };
                draft.put_entity(entity(id.clone(), name.to_owned(), kind, named.at));
                id
            }
        };
        self.lately.insert(id.clone());
        let mut names = vec![name.to_owned()];
        let others = std::iter::once(name).chain(kinship);
        let others = others.chain(named.aliases.iter().map(String::as_str));
        let others: Vec<&str> = others.collect();
        for alias in others {
            if pronoun(alias).is_none() {
                names.extend(learn_alias(draft, &id, alias, named.at));
            }
        }
        names.dedup();
        Some(Resolved { id, names })
    }

    fn find_named(&self, draft: &Draft<'_>, name: &str, kind: &str) -> Option<EntityId> {
        let named = draft.named(name);
        let fitting: Vec<&Entity> = named
            .into_iter()
            .filter(|entity| is_compatible(kind, &entity.kind))
            .collect();
        let plain = plain_name(name);
        // `John (brother)` and `John (colleague)` both are John.
        let prefix = format!("{plain} ");
        let longer = draft.names_from(&prefix);
        let qualified: OrderedSet<&EntityId> = longer
            .iter()
            .filter(|(known, entity)| {
                known
                    .get(prefix.len()..)
                    .is_some_and(|rest| rest.starts_with('('))
                    && is_compatible(kind, &entity.kind)
            })
            .map(|(_, entity)| &entity.id)
            .collect();
        let candidates: OrderedSet<&EntityId> = fitting
            .iter()
            .map(|entity| &entity.id)
            .chain(qualified.iter().copied())
            .collect();
        if candidates.len() > 1 {
            let mut lately = candidates.iter().filter(|id| self.lately.contains(**id));
            return match (lately.next(), lately.next()) {
                (Some(id), None) => Some((*id).clone()),
                // The one that is called so and nothing more.
                _ => only(fitting.into_iter().filter(|e| plain_name(&e.name) == plain)),
            };
        }
        if let Some(id) = candidates.first() {
            return Some((*id).clone());
        }
        self.given_name(draft, &plain, kind)
            .or_else(|| self.near_name(draft, &plain, kind))
    }

    /// `Melanie` and `Melanie Fischer` are one person, when nobody else may be meant.
    fn given_name(&self, draft: &Draft<'_>, plain: &str, kind: &str) -> Option<EntityId> {
        if !is_person(kind) && !is_vague(kind) || plain.contains('(') {
            return None;
        }
        let given = plain.split(' ').next().unwrap_or(plain);
        let longer = draft.names_from(&format!("{given} "));
        let mut people: Vec<&Entity> = longer
            .into_iter()
            .map(|(_, entity)| entity)
            .filter(|entity| is_person(&entity.kind))
            .collect();
        if given == plain {
            people.dedup_by_key(|entity| &entity.id);
            return only(people.into_iter());
        }
        if !is_person(kind) {
            return None;
        }
        let known = draft.named(given);
        people.extend(known.into_iter().filter(|entity| is_person(&entity.kind)));
        people.dedup_by_key(|entity| &entity.id);
        let is_only_given = |entity: &&Entity| entity.names().all(|n| !has_family_name(n, given));
        only(people.into_iter()).filter(|id| draft.entity(id).is_some_and(|e| is_only_given(&e)))
    }

    /// Another spelling of a long name. People are told apart by less: never for them.
    fn near_name(&self, draft: &Draft<'_>, plain: &str, kind: &str) -> Option<EntityId> {
        let near = draft.names_from(initial(plain));
        let near = near.into_iter().filter(|(known, entity)| {
            is_same_kind(kind, &entity.kind)
                && may_be_spelt(plain, known)
                && self.likeness.are_near(plain, known)
        });
        only(near.map(|(_, entity)| entity))
    }
}

/// An entity, and the names by which it was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The entity.
    pub id: EntityId,
    /// The names, as they were written.
    pub names: Vec<String>,
}

/// Gives an entity one more name, unless it has it. Answers the name if it is one.
pub fn learn_alias(
    draft: &mut Draft<'_>,
    id: &EntityId,
    alias: &str,
    at: Moment,
) -> Option<String> {
    let alias = without_article(alias).trim();
    let normalized = normalize_name(alias);
    if normalized.is_empty() {
        return None;
    }
    let mut entity = draft.entity(id)?.clone();
    let is_known = entity
        .names()
        .any(|name| normalize_name(name) == normalized);
    if !is_known && entity.aliases.len() < ALIASES {
        entity.aliases.push(alias.to_owned());
        entity.changes.push(EntityChange {
            kind: EntityChangeKind::Alias,
            at,
            of: vec![alias.to_owned()],
        });
        draft.put_entity(entity);
    }
    Some(alias.to_owned())
}

/// Has an entity go by another name; the earlier one stays an alias. The owner and the agent keep theirs.
/// Answers the names.
pub fn rename(draft: &mut Draft<'_>, id: &EntityId, name: &str, at: Moment) -> Vec<String> {
    let name = without_article(name).trim();
    let Some(mut entity) = draft.entity(id).cloned() else {
        return Vec::new();
    };
    if id.is_party() {
        return learn_alias(draft, id, name, at).into_iter().collect();
    }
    if normalize_name(name).is_empty() || normalize_name(name) == normalize_name(&entity.name) {
        return Vec::new();
    }
    let earlier = std::mem::replace(&mut entity.name, name.to_owned());
    let normalized = normalize_name(name);
    entity
        .aliases
        .retain(|alias| normalize_name(alias) != normalized);
    entity.aliases.push(earlier.clone());
    entity.changes.push(EntityChange {
        kind: EntityChangeKind::Renamed,
        at,
        of: vec![earlier, name.to_owned()],
    });
    draft.put_entity(entity);
    vec![name.to_owned()]
}

/// A new entity.
pub fn entity(id: EntityId, name: String, kind: &str, at: Moment) -> Entity {
    Entity {
        id,
        name,
        kind: kind.to_owned(),
        aliases: Vec::new(),
        created_at: at,
        merged_into: None,
        changes: Vec::new(),
    }
}

fn party(name: &str, kind: &str) -> Option<EntityId> {
    match pronoun(name)? {
        Speaker::User if is_person(kind) || is_vague(kind) => Some(EntityId::owner()),
        Speaker::Assistant if !is_person(kind) => Some(EntityId::agent()),
        _ => None,
    }
}

fn party_kind(id: &EntityId) -> &'static str {
    match *id == EntityId::owner() {
        true => "person",
        false => "agent",
    }
}

/// A name without what does not belong to it, and what it says of kinship.
fn parts(name: &str) -> (&str, Option<&str>) {
    match kinship_and_name(name) {
        Some((kinship, name)) => (name, Some(kinship)),
        None => (without_article(name), None),
    }
}

/// The entity, when it is one alone.
fn only<'a>(entities: impl Iterator<Item = &'a Entity>) -> Option<EntityId> {
    let ids: OrderedSet<&EntityId> = entities.map(|entity| &entity.id).collect();
    match ids.len() {
        1 => ids.first().map(|id| (*id).clone()),
        _ => None,
    }
}

/// Whether two names can be of one person: one is a part of the other, or one is no proper name.
fn goes_with(known: &str, name: &str) -> bool {
    let (known, name) = (plain_name(known), plain_name(name));
    let (first, second) = (known.split(' ').next(), name.split(' ').next());
    first == second || name.starts_with(&known) || known.starts_with(&name)
}

fn has_family_name(name: &str, given: &str) -> bool {
    let plain = plain_name(name);
    plain
        .strip_prefix(given)
        .is_some_and(|rest| rest.starts_with(' '))
}

/// What an entity can be, as far as it keeps entities of one name apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Unknown,
    Person,
    Animal,
    Place,
    Thing,
}

fn class(kind: &str) -> Class {
    match kind {
        "" | "topic" | "other" | "unknown" | "thing" | "concept" | "entity" | "idea" | "agent" => {
            Class::Unknown
        }
        "person" | "people" | "human" | "man" | "woman" | "child" | "family_member" | "friend" => {
            Class::Person
        }
        "animal" | "pet" | "dog" | "cat" => Class::Animal,
        "place" | "city" | "country" | "location" | "region" | "address" => Class::Place,
        _ => Class::Thing,
    }
}

fn is_person(kind: &str) -> bool {
    class(kind) == Class::Person
}

fn is_vague(kind: &str) -> bool {
    class(kind) == Class::Unknown
}

/// Whether one entity can be of both kinds. A restaurant is a place to one and an organisation to another.
fn is_compatible(one: &str, other: &str) -> bool {
    match (class(one), class(other)) {
        (Class::Unknown, _) | (_, Class::Unknown) => true,
        (Class::Place, Class::Thing) | (Class::Thing, Class::Place) => {
            [one, other].contains(&"organization") || [one, other].contains(&"event")
        }
        (one, other) => one == other,
    }
}

/// Whether names of these kinds may be spelt in different ways.
fn is_same_kind(one: &str, other: &str) -> bool {
    !is_person(one) && !is_person(other) && is_compatible(one, other)
}

/// The first letter, by which other spellings are looked for.
fn initial(name: &str) -> &str {
    let end = name.char_indices().nth(1).map_or(name.len(), |(at, _)| at);
    name.get(..end).unwrap_or(name)
}

/// Whether two names are long, and differ by one letter that is no digit: put in, left out, another, or two
/// that changed places.
fn may_be_spelt(one: &str, other: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if a.len().min(b.len()) < LONG_NAME || a.len().abs_diff(b.len()) > 1 || a == b {
        return false;
    }
    let pairs = a.iter().zip(&b);
    let same_start = pairs.take_while(|(a, b)| a == b).count();
    let pairs = a.iter().rev().zip(b.iter().rev());
    let same_end = pairs.take_while(|(a, b)| a == b).count();
    let middle = |letters: &[char]| -> Vec<char> {
        let end = letters.len().saturating_sub(same_end).max(same_start);
        letters.get(same_start..end).unwrap_or_default().to_vec()
    };
    let (a, b) = (middle(&a), middle(&b));
    let is_one = a.len() <= 1 && b.len() <= 1;
    let is_swap = matches!((&a[..], &b[..]), ([a, b], [c, d]) if (a, b) == (d, c));
    (is_one || is_swap) && !a.iter().chain(&b).any(char::is_ascii_digit)
}

#[cfg(test)]
mod tests;
