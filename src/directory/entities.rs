//! Spaces, the users, agents, apps and runs in them, and what happened lately.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Answer, Directory, DirectoryError, Done, Entity, EventLine, Now, Page, Space, Totals, delete,
    escaped, put, sortable, unescaped,
};
use crate::memory::{Happened, Id, Moment, Owner, OwnerKind, SpaceHash};
use crate::operation::{Named, Report};
use crate::store::Storage;

/// How long the directory knows of an add.
const EVENT_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// What is declared of an entity has this in place of a space.
const DECLARED: &str = "-";

const COUNTERS: &str = "counters";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SpaceRecord {
    owner: Owner,
    memories: usize,
    named: Vec<(OwnerKind, String)>,
    /// The last notice that arrived: what comes again is known.
    told_upto: Option<Id>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NamedRecord {
    memories: usize,
    created_at: Moment,
    updated_at: Moment,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    metadata: Value,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Counters {
    adds: usize,
}

fn named_key(kind: OwnerKind, id: &str, space: &str) -> String {
    format!("named/{}/{}/{space}", kind.as_str(), escaped(id))
}

/// What a key says: the kind, the id and the space.
fn parts(key: &str) -> Option<(OwnerKind, String, &str)> {
    let mut parts = key.split('/').skip(1);
    let (kind, id, space) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = OwnerKind::ALL.into_iter().find(|it| it.as_str() == kind)?;
    Some((kind, unescaped(id), space))
}

impl<S: Storage> Directory<S> {
    pub(super) async fn take_report(
        &self,
        space: SpaceHash,
        report: Report,
        now: Now,
    ) -> Done<Answer> {
        let Some(owner) = report.owner.clone() else {
            return Ok(Answer::Done);
        };
        let key = format!("space/{space}");
        let known: Option<SpaceRecord> = self.get(&key).await?;
        let upto = known.as_ref().and_then(|known| known.told_upto);
        let mut writes = Vec::new();
        let is_named = |kind: OwnerKind, id: &str| {
            let mut named = report.named.iter();
            named.any(|it| it.kind == kind && it.id == id)
        };
        let before = known.iter().flat_map(|known| &known.named);
        for (kind, id) in before.filter(|(kind, id)| !is_named(*kind, id)) {
            writes.push(delete(&named_key(*kind, id, &space.to_string())));
        }
        for Named {
            kind,
            id,
            memories,
            created_at,
            updated_at,
        } in &report.named
        {
            let record = NamedRecord {
                memories: *memories,
                created_at: *created_at,
                updated_at: *updated_at,
                metadata: Value::Null,
            };
            writes.push(put(&named_key(*kind, id, &space.to_string()), &record)?);
        }
        let new = report.notices.iter();
        let new: Vec<_> = new
            .filter(|it| upto.is_none_or(|upto| it.id > upto))
            .collect();
        let mut adds = 0;
        for notice in &new {
            if let Happened::Event { id } = notice.what {
                adds += 1;
                let line = EventLine { id, at: notice.at };
                writes.push(put(&event_key(&line), &line)?);
            }
        }
        if adds > 0 {
            let mut counters: Counters = self.get(COUNTERS).await?.unwrap_or_default();
            counters.adds += adds;
            writes.push(put(COUNTERS, &counters)?);
            writes.extend(self.old_events(now.at).await?);
        }
        self.queue(&new, &owner, now, &mut writes).await?;
        let record = SpaceRecord {
            owner,
            memories: report.memories,
            named: report
                .named
                .iter()
                .map(|named| (named.kind, named.id.clone()))
                .collect(),
            told_upto: report.notices.last().map(|notice| notice.id).max(upto),
        };
        writes.push(put(&key, &record)?);
        self.commit(writes).await?;
        Ok(Answer::Done)
    }

    /// A few of the events that are too old, each time.
    async fn old_events(&self, now: Moment) -> Done<Vec<crate::store::Write>> {
        let before = now.plus_millis(-EVENT_DAYS * DAY_MS);
        let oldest = self.some::<EventLine>("event/", 20).await?;
        let old = oldest.into_iter().filter(|(_, line)| line.at < before);
        Ok(old.map(|(key, _)| delete(&key)).collect())
    }

    pub(super) async fn spaces(
        &self,
        kinds: &[OwnerKind],
        under: Option<&(OwnerKind, String)>,
        limit: usize,
    ) -> Done<Answer> {
        let mut spaces = Vec::new();
        let wanted = |owner: &Owner| kinds.is_empty() || kinds.contains(&owner.kind);
        let mut add = |key: &str, record: SpaceRecord| {
            if let Some(Ok(hash)) = key.strip_prefix("space/").map(str::parse)
                && wanted(&record.owner)
            {
                spaces.push(Space {
                    hash,
                    owner: record.owner,
                    memories: record.memories,
                });
            }
        };
        match under {
            None => {
                for (key, record) in self.all::<SpaceRecord>("space/").await? {
                    add(&key, record);
                }
            }
            Some((kind, id)) => {
                let prefix = named_key(*kind, id, "");
                for (key, _) in self.all::<NamedRecord>(&prefix).await? {
                    let Some((.., space)) = parts(&key) else {
                        continue;
                    };
                    let key = format!("space/{space}");
                    if let Some(record) = self.get::<SpaceRecord>(&key).await? {
                        add(&key, record);
                    }
                }
            }
        }
        let more = spaces.len() > limit;
        spaces.truncate(limit);
        Ok(Answer::Spaces { spaces, more })
    }

    /// All entities: by kind, then in the order of their ids.
    async fn every_entity(&self, prefix: &str) -> Done<Vec<Entity>> {
        let mut found: BTreeMap<(OwnerKind, String), Entity> = BTreeMap::new();
        for (key, record) in self.all::<NamedRecord>(prefix).await? {
            let Some((kind, id, _)) = parts(&key) else {
                continue;
            };
            let entity = found.entry((kind, id.clone())).or_insert_with(|| Entity {
                kind,
                id,
                memories: 0,
                created_at: record.created_at,
                updated_at: record.updated_at,
                metadata: Value::Null,
            });
            entity.memories += record.memories;
            entity.created_at = entity.created_at.min(record.created_at);
            entity.updated_at = entity.updated_at.max(record.updated_at);
            if !record.metadata.is_null() {
                entity.metadata = record.metadata;
            }
        }
        Ok(found.into_values().collect())
    }

    pub(super) async fn entities(&self, page: usize, page_size: usize) -> Done<Answer> {
        let all = self.every_entity("named/").await?;
        Ok(Answer::Entities(paged(all, page, page_size)))
    }

    pub(super) async fn entity(&self, kind: OwnerKind, id: &str) -> Done<Answer> {
        let found = self.every_entity(&named_key(kind, id, "")).await?;
        Ok(Answer::Entities(paged(found, 1, 1)))
    }

    pub(super) async fn numbered(&self, kind: OwnerKind, number: u64) -> Done<Answer> {
        let mut all = self
            .every_entity(&format!("named/{}/", kind.as_str()))
            .await?;
        all.retain(|entity| entity.number() == number);
        Ok(Answer::Entities(paged(all, 1, 1)))
    }

    pub(super) async fn declare(
        &self,
        kind: OwnerKind,
        id: String,
        metadata: Value,
        now: Now,
    ) -> Done<Answer> {
        if id.trim().is_empty() || id.len() > 256 {
            return Err(DirectoryError::Bad(format!(
                "{}_id must have between 1 and 256 bytes and not only spaces",
                kind.as_str()
            )));
        }
        let record = NamedRecord {
            memories: 0,
            created_at: now.at,
            updated_at: now.at,
            metadata: match metadata {
                Value::Null => Value::Object(Default::default()),
                given => given,
            },
        };
        self.commit(vec![put(&named_key(kind, &id, DECLARED), &record)?])
            .await?;
        self.entity(kind, &id).await
    }

    pub(super) async fn undeclare(&self, kind: OwnerKind, id: &str) -> Done<Answer> {
        self.commit(vec![delete(&named_key(kind, id, DECLARED))])
            .await?;
        Ok(Answer::Done)
    }

    pub(super) async fn totals(&self) -> Done<Answer> {
        let counters: Counters = self.get(COUNTERS).await?.unwrap_or_default();
        let spaces = self.all::<SpaceRecord>("space/").await?;
        let mut totals = Totals {
            memories: spaces.iter().map(|(_, space)| space.memories).sum(),
            adds: counters.adds,
            ..Totals::default()
        };
        for entity in self.every_entity("named/").await? {
            let place = OwnerKind::ALL.iter().position(|it| *it == entity.kind);
            let place = place.unwrap_or_default();
            if let (Some(count), Some(memories)) = (
                totals.entities.get_mut(place),
                totals.memories_under.get_mut(place),
            ) && entity.memories > 0
            {
                *count += 1;
                *memories += entity.memories;
            }
        }
        Ok(Answer::Totals(Box::new(totals)))
    }

    pub(super) async fn events(&self, page: usize, page_size: usize) -> Done<Answer> {
        let all = self.all::<EventLine>("event/").await?;
        let all = all.into_iter().rev().map(|(_, line)| line).collect();
        Ok(Answer::Events(paged(all, page, page_size)))
    }
}

fn event_key(line: &EventLine) -> String {
    format!("event/{}/{}", sortable(line.at), line.id)
}

fn paged<T>(all: Vec<T>, page: usize, page_size: usize) -> Page<T> {
    let skip = page.saturating_sub(1).saturating_mul(page_size);
    Page {
        total: all.len(),
        items: all.into_iter().skip(skip).take(page_size).collect(),
    }
}
