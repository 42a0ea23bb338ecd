//! What an owner says of the graph: two entities are one, one is two, this side of a contradiction is true.

use thiserror::Error;

use super::Draft;
use super::follow::{Leaving, leave};
use super::relate::{Related, Statement, relate};
use super::resolve::{entity, learn_alias};
use crate::compact::OrderedSet;
use crate::memory::{
    Claim, EntityChange, EntityChangeKind, EntityId, Id, Memory, Mint, Naming, Object, Relation,
    Resolution, ResolvedBy, normalize_name,
};
use crate::pipeline::knowledge::Known;

/// Why a correction makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CorrectionError {
    /// There is no such entity.
    #[error("no entity has the id '{0}'")]
    NoSuchEntity(EntityId),
    /// There is no such open contradiction.
    #[error("no open contradiction has this id")]
    NoSuchContradiction(Id),
    /// Anything else.
    #[error("{0}")]
    Senseless(&'static str),
}

/// Makes one entity of two: names, relations and memories of `from` become those of `into`. Answers the id of
/// the one that stays, and the memories that speak of it now.
///
/// # Errors
/// When one is not there, both are one, or `from` is the owner or the agent.
pub fn merge(
    known: Known<'_>,
    draft: &mut Draft<'_>,
    from: &EntityId,
    into: &EntityId,
    mint: &mut Mint<'_>,
) -> Result<(EntityId, Vec<Memory>), CorrectionError> {
    let found = |id: &EntityId| {
        let entity = draft.entity(id).cloned();
        entity.ok_or_else(|| CorrectionError::NoSuchEntity(id.clone()))
    };
    let (mut gone, mut stays) = (found(from)?, found(into)?);
    if gone.id == stays.id {
        return Err(CorrectionError::Senseless(
            "an entity cannot be merged into itself",
        ));
    }
    if gone.id.is_party() {
        return Err(CorrectionError::Senseless(
            "the owner and the agent stay themselves: merge the other entity into them",
        ));
    }
    if stays.kind == "topic" {
        stays.kind = gone.kind.clone();
    }
    stays.changes.push(EntityChange {
        kind: EntityChangeKind::Merged,
        at: draft.now,
        of: vec![gone.name.clone()],
    });
    let id = stays.id.clone();
    draft.put_entity(stays);
    for name in gone.names() {
        let taken = draft
            .entity(&id)
            .map(|e| e.names().any(|n| normalize_name(n) == normalize_name(name)));
        if taken == Some(false) {
            let mut stays = draft.entity(&id).cloned().unwrap_or_else(|| gone.clone());
            stays.aliases.push(name.to_owned());
            draft.put_entity(stays);
        }
    }
    let memories = reassign(known, draft, &gone.id, &id, None, mint);
    gone.merged_into = Some(id.clone());
    draft.put_entity(gone);
    Ok((id, memories))
}

/// Makes two entities of one: some memories, with what only they support, are about another of this name.
/// Answers the new one's id, and the memories that speak of it now.
///
/// # Errors
/// When the entity is not there or is the owner or the agent, the name has no letters, or no memory mentions it.
pub fn split(
    known: Known<'_>,
    draft: &mut Draft<'_>,
    id: &EntityId,
    name: &str,
    memories: &[Id],
    mint: &mut Mint<'_>,
) -> Result<(EntityId, Vec<Memory>), CorrectionError> {
    let Some(mut old) = draft.entity(id).cloned() else {
        return Err(CorrectionError::NoSuchEntity(id.clone()));
    };
    let id = old.id.clone();
    let free = draft.free_id(name).filter(|free| !free.is_party());
    let new_id = free.ok_or(CorrectionError::Senseless(
        "the new entity needs a name of its own",
    ))?;
    if id.is_party() {
        return Err(CorrectionError::Senseless(
            "the owner and the agent cannot be split",
        ));
    }
    let chosen: OrderedSet<Id> = memories.iter().copied().collect();
    let mentioning: OrderedSet<Id> = known.mentions(&id).collect();
    let moved = mentioning.iter().filter(|id| chosen.contains(id));
    let moved: OrderedSet<Id> = moved.copied().collect();
    if moved.is_empty() {
        return Err(CorrectionError::Senseless(
            "none of these memories mentions the entity",
        ));
    }
    let split = |of: &str| EntityChange {
        kind: EntityChangeKind::Split,
        at: draft.now,
        of: vec![of.to_owned()],
    };
    let mut new = entity(new_id.clone(), name.trim().to_owned(), &old.kind, draft.now);
    new.changes.push(split(&old.name));
    old.changes.push(split(name.trim()));
    let mut memories = Vec::new();
    draft.put_entity(new);
    for mut memory in reassign(known, draft, &id, &new_id, Some(&moved), mint) {
        let names = memory.names.iter();
        let names: Vec<String> = names
            .filter(|naming| naming.entity == new_id)
            .map(|naming| naming.name.clone())
            .collect();
        for name in names {
            learn_alias(draft, &new_id, &name, draft.now);
        }
        memory.names.push(Naming {
            entity: new_id.clone(),
            name: name.trim().to_owned(),
        });
        memories.push(memory);
    }
    // The names that only they used go with them.
    let rest = mentioning.iter().filter(|id| !moved.contains(id));
    let rest = rest.filter_map(|id| known.memory(id));
    let left: OrderedSet<String> = rest
        .flat_map(|memory| memory.names.clone())
        .filter(|naming| naming.entity == id)
        .map(|naming| normalize_name(&naming.name))
        .collect();
    if !left.is_empty() {
        old.aliases
            .retain(|alias| left.contains(&normalize_name(alias)));
    }
    draft.put_entity(old);
    Ok((new_id, memories))
}

/// Has relations and memories speak of another entity: all of them, or these memories and what they support.
/// Answers the memories.
pub(super) fn reassign(
    known: Known<'_>,
    draft: &mut Draft<'_>,
    from: &EntityId,
    into: &EntityId,
    of: Option<&OrderedSet<Id>>,
    mint: &mut Mint<'_>,
) -> Vec<Memory> {
    let is_moved = |id: &Id| of.is_none_or(|of| of.contains(id));
    let mut relations = draft.relations_of(from);
    let mut speaking: OrderedSet<Id> = known.mentions(from).collect();
    speaking.extend(
        relations
            .iter()
            .flat_map(|(_, relation)| relation.memories.iter()),
    );
    relations.sort_by_key(|(_, relation)| (relation.valid_from, relation.known_from));
    for (key, relation) in relations {
        let (moved, stay): (Vec<Id>, Vec<Id>) =
            relation.memories.iter().partition(|id| is_moved(id));
        if moved.is_empty() {
            continue;
        }
        if stay.is_empty() {
            draft.remove_relation(&key);
        } else {
            draft.put_relation(Relation {
                memories: stay.clone(),
                ..relation.clone()
            });
        }
        let there = |id: &EntityId| if id == from { into.clone() } else { id.clone() };
        let object = match &relation.object {
            Object::Entity(id) => Object::Entity(there(id)),
            literal => literal.clone(),
        };
        let relation = Relation {
            subject: there(&relation.subject),
            object,
            memories: moved,
            ..relation
        };
        let is_loop = relation.object.entity() == Some(&relation.subject);
        let new_key = match relation.known_to {
            _ if is_loop => None,
            None => {
                let statement = Statement {
                    relation,
                    disputed: Vec::new(),
                };
                relate(draft, statement, mint).map(Related::into_key)
            }
            Some(_) => Some(draft.put_new_relation(relation)),
        };
        if stay.is_empty() {
            rename_claim(draft, &key, new_key);
        }
    }
    let memories = speaking.iter().filter(|id| is_moved(id));
    memories
        .filter_map(|id| known.memory(id))
        .map(|memory| {
            let mut memory = (*memory).clone();
            for id in memory.entities.iter_mut().filter(|id| **id == *from) {
                *id = into.clone();
            }
            memory.entities.sort();
            memory.entities.dedup();
            for naming in memory
                .names
                .iter_mut()
                .filter(|naming| naming.entity == *from)
            {
                naming.entity = into.clone();
            }
            memory
        })
        .collect()
}

fn rename_claim(draft: &mut Draft<'_>, key: &str, new_key: Option<String>) {
    let old = Claim::Relation(key.to_owned());
    for mut contradiction in draft.contradictions() {
        if !contradiction.claims.contains(&old) {
            continue;
        }
        contradiction.claims.retain(|claim| *claim != old);
        if let Some(new_key) = &new_key {
            let new = Claim::Relation(new_key.clone());
            if !contradiction.claims.contains(&new) {
                contradiction.claims.push(new.clone());
            }
            if let Some(resolution) = &mut contradiction.resolved
                && resolution.kept.as_ref() == Some(&old)
            {
                resolution.kept = Some(new);
            }
        }
        match contradiction.claims.is_empty() {
            true => draft.remove_contradiction(contradiction.id),
            false => draft.put_contradiction(contradiction),
        }
    }
}

/// Decides a contradiction. What the other claims say is no longer believed. Answers the memories that are to
/// be retired with them: those that say nothing else.
///
/// # Errors
/// When it is not there or not open, or `keep` is none of its claims nor a memory that one of them rests on.
pub fn resolve(
    draft: &mut Draft<'_>,
    id: Id,
    keep: &Claim,
) -> Result<OrderedSet<Id>, CorrectionError> {
    let found = draft
        .contradiction(&id)
        .filter(|one| one.is_open())
        .cloned();
    let mut contradiction = found.ok_or(CorrectionError::NoSuchContradiction(id))?;
    let rests_on_kept = |claim: &&Claim| {
        *claim == keep || matches!(keep, Claim::Memory(id) if draft.basis(claim).contains(id))
    };
    let mut kept = contradiction.claims.iter().filter(rests_on_kept);
    let (Some(kept), None) = (kept.next().cloned(), kept.next()) else {
        return Err(CorrectionError::Senseless(
            "keep must name one claim of the contradiction, or a memory that one of them rests on",
        ));
    };
    let true_memories: OrderedSet<Id> = draft.basis(&kept).into_iter().collect();
    let mut retired = OrderedSet::new();
    let lost: Vec<Claim> = contradiction
        .claims
        .iter()
        .filter(|c| **c != kept)
        .cloned()
        .collect();
    for claim in &lost {
        match claim {
            Claim::Memory(id) => {
                leave(draft, id, Leaving::Unbelieved, &|_, _| false);
                retired.insert(*id);
            }
            Claim::Relation(key) => {
                let Some(mut relation) = draft.relation(key).cloned() else {
                    continue;
                };
                relation.known_to = Some(draft.now.max(relation.known_from));
                let memories = relation.memories.clone();
                draft.put_relation(relation);
                let says_nothing_else = |id: &Id| {
                    let mut others = draft.relations_from(id).into_iter();
                    !others.any(|(_, other)| other.known_to.is_none())
                };
                retired.extend(memories.into_iter().filter(says_nothing_else));
            }
        }
    }
    retired.retain(|id| !true_memories.contains(id));
    contradiction.resolved = Some(Resolution {
        at: draft.now,
        kept: Some(kept),
        by: ResolvedBy::Owner,
    });
    draft.put_contradiction(contradiction);
    Ok(retired)
}
