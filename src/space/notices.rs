//! What the directory is told: kept in the space, in the same commit as what it tells of, until it has arrived.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Host, Space, SpaceError};
use crate::compact::OrderedSet;
use crate::memory::{ChangeKind, Happened, Id, Moment, Notice, OwnerKind};
use crate::operation::{Named, Reply, Report};
use crate::store::records::decode;
use crate::store::{Changes, Storage, Table};

/// What a commit tells. New are ids from the sequence number `first` on: other lines of history are only redacted.
pub(super) fn of(changes: &Changes, first: u32, at: Moment) -> Vec<Notice> {
    let history = changes.history.iter().filter_map(|change| {
        let is_told = change.id.sequence() >= first && change.kind != ChangeKind::None;
        let memory = || changes.memories.iter().find(|it| it.id == change.memory_id);
        is_told.then(|| Notice {
            id: change.id,
            at,
            what: Happened::Memory {
                id: change.memory_id,
                kind: change.kind,
                text: change
                    .new_text
                    .clone()
                    .or(change.old_text.clone())
                    .unwrap_or_default(),
                categories: match change.kind {
                    ChangeKind::Add => memory()
                        .map(|memory| memory.categories.clone())
                        .unwrap_or_default(),
                    _ => Vec::new(),
                },
            },
        })
    });
    let new = changes.events.iter().filter(|it| it.id.sequence() >= first);
    let events = new.map(|event| Notice {
        id: event.id,
        at,
        what: Happened::Event { id: event.id },
    });
    let mut notices: Vec<Notice> = history.chain(events).collect();
    notices.sort_by_key(|notice| notice.id);
    notices
}

impl<H: Host> Space<H> {
    /// What the directory does not know yet, and what the space holds now.
    pub(super) async fn notices(&self, limit: usize) -> Result<Reply, SpaceError> {
        let storage = self.host.storage();
        let found = storage
            .scan(Table::Outbox, Bound::Unbounded, limit.max(1))
            .await?;
        let mut notices = Vec::with_capacity(found.len());
        for (key, bytes) in &found {
            let notice: Notice = decode(Table::Outbox, key, bytes)?;
            notices.push(notice);
        }
        let state = self.state.borrow();
        let mut named: BTreeMap<(OwnerKind, &str), Named> = BTreeMap::new();
        let mut memories = 0;
        for (traits, listed) in state.knowledge.listed() {
            memories += listed.count;
            for kind in OwnerKind::ALL {
                let Some(id) = traits.scope.id(kind) else {
                    continue;
                };
                let known = named.entry((kind, id)).or_insert_with(|| Named {
                    kind,
                    id: id.to_owned(),
                    memories: 0,
                    created_at: listed.created_at,
                    updated_at: listed.updated_at,
                });
                known.memories += listed.count;
                known.created_at = known.created_at.min(listed.created_at);
                known.updated_at = known.updated_at.max(listed.updated_at);
            }
        }
        Ok(Reply::Notices(Box::new(Report {
            owner: state.record().map(|record| record.owner.clone()),
            memories,
            named: named.into_values().collect(),
            more: notices.len() >= limit.max(1),
            notices,
        })))
    }

    /// What was not told yet of memories that are erased, without their words.
    pub(super) async fn untold_of(&self, gone: &OrderedSet<Id>) -> Result<Vec<Notice>, SpaceError> {
        let storage = self.host.storage();
        let found = storage
            .scan(Table::Outbox, Bound::Unbounded, usize::MAX)
            .await?;
        let mut redacted = Vec::new();
        for (key, bytes) in &found {
            let mut notice: Notice = decode(Table::Outbox, key, bytes)?;
            if let Happened::Memory { id, text, .. } = &mut notice.what
                && gone.contains(id)
            {
                text.clear();
                redacted.push(notice);
            }
        }
        Ok(redacted)
    }

    /// Forgets what has arrived.
    pub(super) async fn noticed(&self, upto: Option<Id>) -> Result<Reply, SpaceError> {
        if let Some(upto) = upto {
            let storage = self.host.storage();
            let found = storage
                .scan(Table::Outbox, Bound::Unbounded, usize::MAX)
                .await?;
            let ids: Vec<Id> = found
                .iter()
                .filter_map(|(key, _)| key.parse().ok())
                .collect();
            let gone: Vec<Id> = ids.iter().copied().filter(|id| *id <= upto).collect();
            let is_all = gone.len() == ids.len();
            let _turn = self.commits.lock().await;
            let changes = Changes {
                notices_gone: gone,
                ..Changes::default()
            };
            storage.commit(changes.to_writes()?).await?;
            let now = self.host.now();
            // What came meanwhile is told next.
            let left = storage.scan(Table::Outbox, Bound::Unbounded, 1).await?;
            self.state.borrow_mut().untold_since = match is_all && left.is_empty() {
                true => None,
                false => Some(now),
            };
        }
        Ok(Reply::Ran {
            next_due: self.next_due(),
        })
    }
}
