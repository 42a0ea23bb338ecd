//! What one commit changes, as nouns; and as the writes that a storage takes.

use super::records::{
    EventRecord, ExportRecord, Job, RecordError, SpaceRecord, SummaryRecord, UsageRecord, Work,
    encode, encode_vectors,
};
use super::{Table, Write};
use crate::memory::{
    Change, Claim, Contradiction, Entity, EntityId, Id, Memory, Notice, Object, Relation,
};

/// The key of the [`SpaceRecord`] in [`Table::Space`].
pub const SPACE_KEY: &str = "space";

/// The key of the [`UsageRecord`] in [`Table::Space`].
pub const USAGE_KEY: &str = "usage";

/// Everything that one commit changes. Records replace those of the same key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Remove everything first.
    pub clear: bool,
    /// What the space is.
    pub space: Option<SpaceRecord>,
    /// What the LLM cost.
    pub usage: Option<UsageRecord>,
    /// Memories, new or changed.
    pub memories: Vec<Memory>,
    /// Memories to remove, with their vectors.
    pub erased: Vec<Id>,
    /// Remove all vectors first: they are another embedder's.
    pub drop_vectors: bool,
    /// Vectors of memories' newest texts.
    pub vectors: Vec<(Id, Vec<Vec<f32>>)>,
    /// History, new or redacted.
    pub history: Vec<Change>,
    /// Entities, new or changed.
    pub entities: Vec<Entity>,
    /// Entities to remove.
    pub entities_gone: Vec<EntityId>,
    /// Relations, new or changed.
    pub relations: Vec<Relation>,
    /// Keys of relations to remove.
    pub relations_gone: Vec<String>,
    /// Contradictions, new or changed.
    pub contradictions: Vec<Contradiction>,
    /// Contradictions to remove.
    pub contradictions_gone: Vec<Id>,
    /// Events, new or changed.
    pub events: Vec<EventRecord>,
    /// Jobs, new or changed.
    pub jobs: Vec<Job>,
    /// Keys of jobs that are done.
    pub jobs_done: Vec<String>,
    /// Running summaries, new or changed.
    pub summaries: Vec<SummaryRecord>,
    /// Conversations whose summary to remove.
    pub summaries_gone: Vec<String>,
    /// Exports, new or changed.
    pub exports: Vec<ExportRecord>,
    /// Remove all exports first: they hold words of what is erased.
    pub drop_exports: bool,
    /// What the directory is to be told.
    pub notices: Vec<Notice>,
    /// What it has been told.
    pub notices_gone: Vec<Id>,
}

/// The key of a relation: a hash of what it says and since when we know it. 32 hex digits.
pub fn relation_key(relation: &Relation) -> String {
    let (kind, object) = match &relation.object {
        Object::Entity(id) => ("entity", id.0.as_str()),
        Object::Literal(text) => ("literal", text.as_str()),
    };
    let known = relation.known_from.to_string();
    let mut hasher = blake3::Hasher::new();
    for part in [
        &relation.subject.0,
        &relation.predicate,
        kind,
        object,
        &known,
    ] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

/// The key of a line of history.
pub fn history_key(change: &Change) -> String {
    format!("{}/{}", change.memory_id, change.id)
}

impl Changes {
    /// The writes, in order.
    ///
    /// # Errors
    /// When a record cannot be written.
    pub fn to_writes(&self) -> Result<Vec<Write>, RecordError> {
        let mut writes = Vec::new();
        if self.clear {
            writes.push(Write::Clear);
        }
        if self.drop_vectors {
            writes.extend([Table::Vectors, Table::Index].map(|table| Write::ClearTable { table }));
        }
        if let Some(space) = &self.space {
            writes.push(put(Table::Space, SPACE_KEY.to_owned(), space, Vec::new())?);
        }
        if let Some(usage) = &self.usage {
            writes.push(put(Table::Space, USAGE_KEY.to_owned(), usage, Vec::new())?);
        }
        for id in &self.erased {
            let key = id.to_string();
            writes.push(delete(Table::Memories, key.clone()));
            writes.push(delete(Table::Vectors, key));
        }
        for memory in &self.memories {
            writes.push(put(
                Table::Memories,
                memory.id.to_string(),
                memory,
                memory_columns(memory),
            )?);
        }
        for (id, vectors) in &self.vectors {
            writes.push(Write::Put {
                table: Table::Vectors,
                key: id.to_string(),
                record: encode_vectors(vectors),
                columns: Vec::new(),
            });
        }
        for change in &self.history {
            let columns = vec![
                Some(change.memory_id.to_string()),
                Some(change.kind.as_str().to_owned()),
                change.old_text.clone(),
                change.new_text.clone(),
                Some(change.at.to_string()),
            ];
            writes.push(put(Table::History, history_key(change), change, columns)?);
        }
        for id in &self.entities_gone {
            writes.push(delete(Table::Entities, id.0.clone()));
        }
        for entity in &self.entities {
            let columns = vec![Some(entity.name.clone()), Some(entity.kind.clone())];
            writes.push(put(Table::Entities, entity.id.0.clone(), entity, columns)?);
        }
        for key in &self.relations_gone {
            writes.push(delete(Table::Relations, key.clone()));
        }
        for relation in &self.relations {
            let object = match &relation.object {
                Object::Entity(id) => id.0.clone(),
                Object::Literal(text) => text.clone(),
            };
            let columns = vec![
                Some(relation.subject.0.clone()),
                Some(relation.predicate.clone()),
                Some(object),
                relation.valid_from.map(|at| at.to_string()),
                relation.valid_to.map(|at| at.to_string()),
            ];
            writes.push(put(
                Table::Relations,
                relation_key(relation),
                relation,
                columns,
            )?);
        }
        for id in &self.contradictions_gone {
            writes.push(delete(Table::Contradictions, id.to_string()));
        }
        for contradiction in &self.contradictions {
            let claims = contradiction.claims.iter().map(|claim| match claim {
                Claim::Memory(id) => format!("memory {id}"),
                Claim::Relation(key) => format!("relation {key}"),
            });
            let resolved = contradiction.resolved.as_ref();
            let columns = vec![
                Some(claims.collect::<Vec<_>>().join(", ")),
                Some(contradiction.found_at.to_string()),
                resolved.map(|resolution| resolution.at.to_string()),
            ];
            let key = contradiction.id.to_string();
            writes.push(put(Table::Contradictions, key, contradiction, columns)?);
        }
        for event in &self.events {
            let columns = vec![
                Some(format!("{:?}", event.status).to_ascii_uppercase()),
                Some(event.created_at.to_string()),
                Some(event.updated_at.to_string()),
            ];
            writes.push(put(Table::Events, event.id.to_string(), event, columns)?);
        }
        for key in &self.jobs_done {
            writes.push(delete(Table::Jobs, key.clone()));
        }
        for job in &self.jobs {
            let kind = match &job.work {
                Work::Add(_) => "add",
                Work::Summarise { .. } => "summarise",
                Work::Embed => "embed",
                Work::Export { .. } => "export",
            };
            let columns = vec![
                Some(kind.to_owned()),
                Some(job.due_at.to_string()),
                Some(job.attempts.to_string()),
            ];
            writes.push(put(Table::Jobs, job.key(), job, columns)?);
        }
        for conversation in &self.summaries_gone {
            writes.push(delete(Table::Summaries, conversation.clone()));
        }
        for summary in &self.summaries {
            let columns = vec![
                Some(summary.text.clone()),
                Some(summary.updated_at.to_string()),
            ];
            let key = summary.scope.conversation();
            writes.push(put(Table::Summaries, key, summary, columns)?);
        }
        if self.drop_exports {
            let table = Table::Exports;
            writes.push(Write::ClearTable { table });
        }
        for export in &self.exports {
            let columns = vec![
                Some(format!("{:?}", export.asked.purpose).to_ascii_lowercase()),
                Some(format!("{:?}", export.status).to_ascii_uppercase()),
                Some(export.updated_at.to_string()),
            ];
            writes.push(put(Table::Exports, export.id.to_string(), export, columns)?);
        }
        for id in &self.notices_gone {
            writes.push(delete(Table::Outbox, id.to_string()));
        }
        for notice in &self.notices {
            let key = notice.id.to_string();
            writes.push(put(Table::Outbox, key, notice, Vec::new())?);
        }
        Ok(writes)
    }
}

fn memory_columns(memory: &Memory) -> Vec<Option<String>> {
    let scope = &memory.scope;
    vec![
        Some(format!("{:?}", memory.kind).to_ascii_lowercase()),
        Some(memory.text().to_owned()),
        scope.user_id.clone(),
        scope.agent_id.clone(),
        scope.app_id.clone(),
        scope.run_id.clone(),
        Some(u8::from(memory.is_current()).to_string()),
        Some(memory.created_at.to_string()),
        Some(memory.updated_at.to_string()),
    ]
}

fn put<T: serde::Serialize>(
    table: Table,
    key: String,
    value: &T,
    columns: Vec<Option<String>>,
) -> Result<Write, RecordError> {
    let record = encode(table, &key, value)?;
    Ok(Write::Put {
        table,
        key,
        record,
        columns,
    })
}

fn delete(table: Table, key: String) -> Write {
    Write::Delete { table, key }
}
