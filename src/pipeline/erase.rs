//! Forgetting: removing memories and everything derived from them.

use super::graph::{self, Settled, settle};
use super::knowledge::{Knowledge, Known};
use crate::compact::OrderedSet;
use crate::memory::{Change, ChangeKind, Id, Kind, Mint, Moment, ResolvedBy};
use crate::store::Changes;
use crate::store::records::{Job, SummaryRecord, Work};

/// The changes that erase `ids`: the memories with their versions and vectors, the messages that
/// they were extracted from, the words of their history, their relations, the entities that nothing
/// else mentions, the names that only they used, contradictions about them, the summaries of their conversations, and their part of waiting jobs. `history` are
/// the lines of all memories that [`reach`] names; they stay, without words. What only shares a
/// source with an erased memory is kept, but no longer names the source.
pub fn erase(
    knowledge: Known<'_>,
    ids: &OrderedSet<Id>,
    history: Vec<Change>,
    jobs: &[Job],
    summaries: &[SummaryRecord],
    now: Moment,
    mint: &mut Mint<'_>,
) -> Changes {
    let gone = reach(&knowledge, ids);
    let mut changes = Changes {
        erased: gone.iter().copied().collect(),
        drop_exports: true,
        ..Changes::default()
    };
    let derived: OrderedSet<Id> = gone
        .iter()
        .flat_map(|id| knowledge.facts_of(id))
        .map(|card| card.id)
        .filter(|id| !gone.contains(id))
        .collect();
    for memory in derived.iter().filter_map(|id| knowledge.memory(id)) {
        let mut memory = (*memory).clone();
        for version in &mut memory.versions {
            version.sources.retain(|id| !gone.contains(id));
        }
        changes.memories.push(memory);
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
    let mut draft = graph::Draft::new(knowledge.knowledge().graph(), now);
    for speaking in graph::erase(knowledge, &mut draft, &gone, mint) {
        let known = changes
            .memories
            .iter_mut()
            .find(|memory| memory.id == speaking.id);
        match known {
            Some(memory) => {
                memory.entities = speaking.entities;
                memory.names = speaking.names;
            }
            None => changes.memories.push(speaking),
        }
    }
    settle_and_finish(knowledge, draft, &mut changes);
    erase_derived(&knowledge, &gone, jobs, summaries, &mut changes);
    changes
}

/// Everything that erasing `ids` removes: the memories, and the transcript messages they came from.
pub fn reach(knowledge: &Knowledge, ids: &OrderedSet<Id>) -> OrderedSet<Id> {
    let mut gone = ids.clone();
    for card in ids.iter().filter_map(|id| knowledge.card(id)) {
        let is_transcript = |id: &&Id| knowledge.card(id).is_some_and(|card| card.transcript);
        gone.extend(card.all_sources().filter(is_transcript));
    }
    gone
}

fn settle_and_finish(knowledge: Known<'_>, mut draft: graph::Draft<'_>, changes: &mut Changes) {
    let is_current = |id: &Id| {
        let is_erased = changes.erased.contains(id);
        !is_erased && knowledge.card(id).is_some_and(|card| card.current)
    };
    let settled = Settled {
        is_current: &is_current,
        by: ResolvedBy::Owner,
    };
    settle(&mut draft, &settled);
    draft.finish(changes);
}

fn erase_derived(
    knowledge: &Knowledge,
    gone: &OrderedSet<Id>,
    jobs: &[Job],
    summaries: &[SummaryRecord],
    changes: &mut Changes,
) {
    let touched: OrderedSet<String> = gone
        .iter()
        .filter_map(|id| knowledge.card(id))
        .filter(|card| card.kind == Kind::Message)
        .map(|card| card.traits.scope.conversation())
        .collect();
    for summary in summaries {
        let conversation = summary.scope.conversation();
        if touched.contains(&conversation) {
            changes.summaries_gone.push(conversation);
        }
    }
    for job in jobs {
        if let Work::Export { .. } = job.work {
            changes.jobs_done.push(job.key());
        }
        let Work::Add(work) = &job.work else { continue };
        let facts = work.extracted.iter().flatten();
        let drops = |ids: &[Id]| ids.iter().any(|id| gone.contains(id));
        let attached = work.files.iter().any(|it| gone.contains(&it.message));
        if attached || drops(&work.messages) || facts.clone().any(|fact| drops(&fact.sources)) {
            let mut job = job.clone();
            if let Work::Add(work) = &mut job.work {
                work.messages.retain(|id| !gone.contains(id));
                work.files.retain(|it| !gone.contains(&it.message));
                if let Some(facts) = &mut work.extracted {
                    facts.retain(|fact| !drops(&fact.sources));
                }
            }
            changes.jobs.push(job);
        }
    }
}
