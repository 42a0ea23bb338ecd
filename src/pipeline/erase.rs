//! Forgetting: removing memories and everything derived from them.

use std::collections::BTreeSet;

use super::knowledge::Knowledge;
use crate::memory::{Change, ChangeKind, Id, Kind, Mint, Moment, Object};
use crate::store::Changes;
use crate::store::records::{Job, SummaryRecord, Work};

/// The changes that erase `ids`: the memories with their versions and vectors, the messages that
/// they were extracted from, the words of their history, their relations, the entities that nothing
/// else mentions, the summaries of their conversations, and their part of waiting jobs. `history` are
/// the lines of all memories that [`reach`] names; they stay, without words. What only shares a
/// source with an erased memory is kept, but no longer names the source.
pub fn erase(
    knowledge: &Knowledge,
    ids: &BTreeSet<Id>,
    history: Vec<Change>,
    jobs: &[Job],
    summaries: &[SummaryRecord],
    now: Moment,
    mint: &mut Mint<'_>,
) -> Changes {
    let gone = reach(knowledge, ids);
    let mut changes = Changes {
        erased: gone.iter().copied().collect(),
        ..Changes::default()
    };
    for memory in knowledge
        .memories()
        .filter(|memory| !gone.contains(&memory.id))
    {
        let names_gone = |sources: &[Id]| sources.iter().any(|id| gone.contains(id));
        if memory
            .versions
            .iter()
            .any(|version| names_gone(&version.sources))
        {
            let mut memory = memory.clone();
            for version in &mut memory.versions {
                version.sources.retain(|id| !gone.contains(id));
            }
            changes.memories.push(memory);
        }
    }
    for mut line in history {
        line.old_text = None;
        line.new_text = None;
        line.sources.clear();
        changes.history.push(line);
    }
    for id in ids {
        changes.history.push(Change {
            id: mint.id(),
            memory_id: *id,
            kind: ChangeKind::Delete,
            old_text: None,
            new_text: None,
            at: now,
            sources: Vec::new(),
        });
    }
    for (key, relation) in knowledge.relations() {
        if relation.memories.iter().any(|id| gone.contains(id)) {
            let mut relation = relation.clone();
            relation.memories.retain(|id| !gone.contains(id));
            if relation.memories.is_empty() {
                changes.relations_gone.push(key.clone());
            } else {
                changes.relations.push(relation);
            }
        }
    }
    erase_entities(knowledge, &gone, &mut changes);
    erase_derived(knowledge, &gone, jobs, summaries, &mut changes);
    changes
}

/// Everything that erasing `ids` removes: the memories, and the transcript messages they came from.
pub fn reach(knowledge: &Knowledge, ids: &BTreeSet<Id>) -> BTreeSet<Id> {
    let mut gone = ids.clone();
    for memory in ids.iter().filter_map(|id| knowledge.memory(id)) {
        let sources = memory.versions.iter().flat_map(|version| &version.sources);
        gone.extend(sources.filter(|id| knowledge.memory(id).is_some_and(|m| m.transcript)));
    }
    gone
}

fn erase_entities(knowledge: &Knowledge, gone: &BTreeSet<Id>, changes: &mut Changes) {
    let kept: BTreeSet<_> = knowledge
        .memories()
        .filter(|memory| !gone.contains(&memory.id))
        .flat_map(|memory| &memory.entities)
        .collect();
    let related: BTreeSet<_> = knowledge
        .relations()
        .filter(|(key, _)| !changes.relations_gone.contains(key))
        .flat_map(|(_, relation)| {
            let object = match &relation.object {
                Object::Entity(id) => Some(id),
                Object::Literal(_) => None,
            };
            std::iter::once(&relation.subject).chain(object)
        })
        .collect();
    changes.entities_gone = knowledge
        .entities()
        .map(|entity| &entity.id)
        .filter(|id| !kept.contains(id) && !related.contains(id))
        .cloned()
        .collect();
}

fn erase_derived(
    knowledge: &Knowledge,
    gone: &BTreeSet<Id>,
    jobs: &[Job],
    summaries: &[SummaryRecord],
    changes: &mut Changes,
) {
    let touched: BTreeSet<String> = gone
        .iter()
        .filter_map(|id| knowledge.memory(id))
        .filter(|memory| memory.kind == Kind::Message)
        .map(|message| message.scope.conversation())
        .collect();
    for summary in summaries {
        let conversation = summary.scope.conversation();
        if touched.contains(&conversation) {
            changes.summaries_gone.push(conversation);
        }
    }
    for job in jobs {
        let Work::Add(work) = &job.work else { continue };
        let facts = work.extracted.iter().flatten();
        let drops = |ids: &[Id]| ids.iter().any(|id| gone.contains(id));
        if drops(&work.messages) || facts.clone().any(|fact| drops(&fact.sources)) {
            let mut job = job.clone();
            if let Work::Add(work) = &mut job.work {
                work.messages.retain(|id| !gone.contains(id));
                if let Some(facts) = &mut work.extracted {
                    facts.retain(|fact| !drops(&fact.sources));
                }
            }
            changes.jobs.push(job);
        }
    }
}
