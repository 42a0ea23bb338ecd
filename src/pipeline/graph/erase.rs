//! The graph's part of forgetting: nothing stays that only the erased said, be it a name.

use super::Draft;
use super::correct::reassign;
use super::follow::reopen;
use crate::compact::OrderedSet;
use crate::memory::{
    Claim, Entity, EntityId, Id, Memory, Mint, Naming, Relation, normalize_name, plain_name,
};
use crate::pipeline::knowledge::Known;

/// Takes out of the graph what rests on `gone` alone: relations, contradictions, entities, and names of
/// entities with what their history tells of them. Answers the memories that speak of an entity by another id
/// now, as the id was such a name.
pub fn erase(
    known: Known<'_>,
    draft: &mut Draft<'_>,
    gone: &OrderedSet<Id>,
    mint: &mut Mint<'_>,
) -> Vec<Memory> {
    let mut touched: OrderedSet<EntityId> = OrderedSet::new();
    let rests = |relation: &Relation| {
        let mut basis = relation.memories.iter().chain(&relation.messages);
        basis.any(|id| gone.contains(id))
    };
    let relations = known.graph().relations();
    let relations: Vec<(String, Relation)> = relations
        .filter(|(_, relation)| rests(relation))
        .map(|(key, relation)| (key.clone(), relation.clone()))
        .collect();
    for memory in gone.iter().filter_map(|id| known.memory(id)) {
        touched.extend(memory.entities.iter().cloned());
        touched.extend(memory.names.iter().map(|naming| naming.entity.clone()));
    }
    let is_current =
        |id: &Id| !gone.contains(id) && known.card(id).is_some_and(|card| card.current);
    let mut unsupported = Vec::new();
    for (key, mut relation) in relations {
        touched.insert(relation.subject.clone());
        touched.extend(relation.object.entity().cloned());
        relation.memories.retain(|id| !gone.contains(id));
        relation.messages.retain(|id| !gone.contains(id));
        if relation.memories.is_empty() {
            draft.remove_relation(&key);
            unsupported.push((key, relation));
        } else {
            draft.put_relation(relation);
        }
    }
    for (_, relation) in &unsupported {
        reopen(draft, relation, &is_current);
    }
    let keys: OrderedSet<&String> = unsupported.iter().map(|(key, _)| key).collect();
    let is_gone = |claim: &Claim| match claim {
        Claim::Memory(id) => gone.contains(id),
        Claim::Relation(key) => keys.contains(key),
    };
    for mut contradiction in draft.contradictions() {
        if !contradiction.claims.iter().any(is_gone) {
            continue;
        }
        contradiction.claims.retain(|claim| !is_gone(claim));
        if let Some(resolution) = &mut contradiction.resolved {
            resolution.kept = resolution.kept.take().filter(|kept| !is_gone(kept));
        }
        match contradiction.claims.len() {
            0 | 1 => draft.remove_contradiction(contradiction.id),
            _ => draft.put_contradiction(contradiction),
        }
    }
    let mut memories = Vec::new();
    for id in &touched {
        memories.extend(erase_names(known, draft, gone, id, mint));
    }
    memories
}

/// Takes out an entity that nothing mentions any more, or else those of its names that only the erased used.
fn erase_names(
    known: Known<'_>,
    draft: &mut Draft<'_>,
    gone: &OrderedSet<Id>,
    id: &EntityId,
    mint: &mut Mint<'_>,
) -> Vec<Memory> {
    let Some(mut entity) = draft.entity(id).cloned() else {
        return Vec::new();
    };
    let id = &entity.id.clone();
    let related = draft.relations_of(id);
    let mut speaking: OrderedSet<Id> = known.mentions(id).collect();
    speaking.extend(
        related
            .iter()
            .flat_map(|(_, relation)| relation.memories.iter()),
    );
    let (gone_too, speaking): (Vec<Id>, Vec<Id>) =
        speaking.into_iter().partition(|id| gone.contains(id));
    if speaking.is_empty() && related.is_empty() {
        let merged: Vec<EntityId> = draft
            .all_entities()
            .filter(|other| other.merged_into.as_ref() == Some(id))
            .map(|other| other.id.clone())
            .collect();
        for other in merged.iter().chain([id]) {
            draft.remove_entity(other);
        }
        return Vec::new();
    }
    // Everything that the erased called it, unless one of the others does so too.
    let by_gone = gone
        .iter()
        .chain(&gone_too)
        .filter_map(|id| known.memory(id));
    let names = |memory: &Memory| -> Vec<String> {
        let namings = memory.names.iter();
        let namings = namings.filter(|naming: &&Naming| naming.entity == *id);
        namings.map(|naming| normalize_name(&naming.name)).collect()
    };
    let mut lost: OrderedSet<String> = by_gone.flat_map(|memory| names(&memory)).collect();
    for memory in speaking.iter().filter_map(|id| known.memory(id)) {
        if lost.is_empty() {
            break;
        }
        for name in names(&memory) {
            lost.remove(&name);
        }
    }
    if lost.is_empty() {
        return Vec::new();
    }
    let is_lost = |name: &str| lost.contains(&normalize_name(name));
    entity.aliases.retain(|alias| !is_lost(alias));
    entity
        .changes
        .retain(|change| !change.of.iter().any(|name| is_lost(name)));
    let old_name = entity.name.clone();
    if is_lost(&entity.name) && !entity.aliases.is_empty() {
        entity.name = entity.aliases.remove(0);
    }
    let merged: Vec<EntityId> = draft
        .all_entities()
        .filter(|other| other.merged_into.as_ref() == Some(id) && is_lost(&other.name))
        .map(|other| other.id.clone())
        .collect();
    for other in merged {
        draft.remove_entity(&other);
    }
    let stem = id.0.split(" #").next().unwrap_or(&id.0);
    let names_it = lost.iter().any(|name| plain_name(name) == stem)
        || plain_name(&old_name) == stem && is_lost(&old_name);
    if !names_it || id.is_party() {
        draft.put_entity(entity);
        return Vec::new();
    }
    // The id itself is a name that is to be forgotten. What was merged into the entity follows it.
    let merged: Vec<Entity> = draft
        .all_entities()
        .filter(|other| other.merged_into.as_ref() == Some(id))
        .cloned()
        .collect();
    let own = EntityId::of(&entity.name);
    let is_own = |other: &&Entity| Some(&other.id) == own.as_ref();
    let free = match merged.iter().find(is_own) {
        Some(other) => Some(other.id.clone()),
        None => draft.free_id(&entity.name),
    };
    let Some(new_id) = free else {
        draft.put_entity(entity);
        return Vec::new();
    };
    for mut other in merged {
        other.merged_into = Some(new_id.clone());
        draft.put_entity(other);
    }
    entity.id = new_id.clone();
    draft.put_entity(entity);
    let memories = reassign(known, draft, id, &new_id, None, mint);
    draft.remove_entity(id);
    let kept = memories
        .into_iter()
        .filter(|memory| !gone.contains(&memory.id));
    kept.collect()
}
