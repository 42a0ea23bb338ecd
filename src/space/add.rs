//! Accepting an add: the messages are stored before anybody is told so.

use serde_json::Map;

use super::{Host, Space, SpaceError};
use crate::compact::to_json;
use crate::memory::{
    Change, ChangeKind, EventStatus, Id, Kind, Memory, Message, Mint, Moment, Role, Version,
};
use crate::operation::{Add, Reply};
use crate::pipeline::knowledge::Known;
use crate::store::Changes;
use crate::store::records::{
    AddWork, AttachedFile, EventRecord, Job, OutcomeRecord, SpaceRecord, Work,
};

/// Said of an add that asked for extraction where no model can do it.
const NO_MODEL: &str = "No LLM is configured, so the messages are remembered verbatim. Set \
                        EDGEMEM_LLM_API_KEY (or OPENAI_API_KEY) to extract facts from them.";

/// Said where files are not read.
const NO_FILES: &str = "Only a server reads files in messages: what stands for them here is kept.";

/// The longest schema of structured data, as JSON: the model reads it with every batch of messages.
const SCHEMA_BYTES: usize = 16_000;

impl<H: Host> Space<H> {
    /// Stores the messages with an event and a job, in one commit.
    pub(super) async fn add(&self, mut add: Add) -> Result<Reply, SpaceError> {
        let has_unread = !H::SERVES && !add.attachments.is_empty();
        if !H::SERVES {
            add.attachments.clear();
        }
        let owner = add.scope.owner()?;
        if owner.space_hash() != self.hash {
            return Err(SpaceError::WrongSpace);
        }
        let numbered = add.messages.iter().enumerate();
        let messages: Vec<(usize, &Message)> =
            numbered.filter(|(_, it)| is_memorable(it)).collect();
        if messages.is_empty() {
            return Err(SpaceError::NoMessages);
        }
        let schema = add.structured_data_schema.as_ref();
        if schema.is_some_and(|it| !it.is_object() || to_json(it).len() > SCHEMA_BYTES) {
            return Err(SpaceError::BadShape {
                kilobytes: SCHEMA_BYTES / 1_000,
            });
        }
        self.state.borrow().check_room()?;
        let now = self.host.now();
        let extract = add.infer && self.models.chat.is_some();
        let notes = [
            (add.infer && !extract).then_some(NO_MODEL),
            has_unread.then_some(NO_FILES),
        ];
        let notes: Vec<&str> = notes.into_iter().flatten().collect();
        let embedder = self.models.embedder.name().to_owned();
        let id = self
            .commit(|state, mint| {
                let mut changes = Changes::default();
                if state.record().is_none() {
                    changes.space = Some(SpaceRecord {
                        owner,
                        next_sequence: 0,
                        embedder: Some(embedder),
                    });
                }
                let event = EventRecord {
                    id: mint.id(),
                    status: EventStatus::Pending,
                    created_at: now,
                    updated_at: now,
                    scope: add.scope.clone(),
                    attempts: 0,
                    error: None,
                    retry_at: None,
                    outcomes: Vec::new(),
                    relations: Vec::new(),
                    note: (!notes.is_empty()).then(|| notes.join(" ")),
                };
                let mut accepting = Accepting {
                    known: state.known,
                    add: &add,
                    now,
                    transcript: extract,
                    event,
                    changes,
                };
                let store = |(place, message): &(usize, &Message)| {
                    (*place, accepting.store(*place, message, mint))
                };
                let stored = messages.iter().map(store).collect();
                Ok(accepting.finish(stored, extract))
            })
            .await?;
        self.event(id).await
    }
}

fn is_memorable(message: &Message) -> bool {
    message.role != Role::System && !message.content.trim().is_empty()
}

struct Accepting<'a> {
    known: Known<'a>,
    add: &'a Add,
    now: Moment,
    transcript: bool,
    event: EventRecord,
    changes: Changes,
}

impl Accepting<'_> {
    /// Stores one message, unless it stands for itself and is known word for word. What one with files says is not known
    /// yet.
    fn store(&mut self, place: usize, message: &Message, mint: &mut Mint<'_>) -> Id {
        let has_files = self.add.attachments.iter().any(|it| it.message == place);
        let is_told = self.transcript || has_files;
        let known = (!is_told).then(|| self.same(message)).flatten();
        if let Some((id, version)) = known {
            self.outcome(id, ChangeKind::None, version);
            return id;
        }
        let said_at = message.time.or(self.add.time).unwrap_or(self.now);
        let memory = Memory {
            id: mint.id(),
            kind: Kind::Message,
            transcript: self.transcript,
            scope: self.add.scope.clone(),
            versions: vec![Version {
                text: message.content.clone(),
                known_from: self.now,
                known_to: None,
                valid_from: None,
                valid_to: None,
                from_precision: None,
                to_precision: None,
                sources: Vec::new(),
                structured_data: Map::new(),
            }],
            role: Some(message.role),
            name: message.name.clone(),
            attributed_to: None,
            standing: false,
            applies_when: None,
            categories: Vec::new(),
            entities: Vec::new(),
            names: Vec::new(),
            metadata: self.add.metadata.clone(),
            expires_at: self.add.expires_at,
            immutable: self.add.immutable,
            undecided: false,
            feedback: None,
            feedback_reason: None,
            created_at: said_at,
            updated_at: said_at,
        };
        if !self.transcript {
            self.changes.history.push(Change {
                id: mint.id(),
                memory_id: memory.id,
                kind: ChangeKind::Add,
                old_text: None,
                new_text: Some(message.content.clone()),
                at: said_at,
                sources: Vec::new(),
            });
            self.outcome(memory.id, ChangeKind::Add, 0);
        }
        let id = memory.id;
        self.changes.memories.push(memory);
        id
    }

    /// A message of the same words, speaker, ids and fields, and which version of it.
    fn same(&self, message: &Message) -> Option<(Id, usize)> {
        let same = |memory: &Memory| {
            memory.kind == Kind::Message
                && memory.is_listed()
                && memory.text() == message.content
                && memory.role == Some(message.role)
                && memory.name == message.name
                && memory.scope == self.add.scope
                && memory.metadata == self.add.metadata
        };
        let found = |memory: &Memory| (memory.id, memory.versions.len().saturating_sub(1));
        let drafted = self.changes.memories.iter().find(|memory| same(memory));
        let known = || {
            let said = self.known.duplicates_of(&message.content);
            let mut said = said.filter_map(|id| self.known.memory(&id));
            said.find(|memory| same(memory))
        };
        drafted.map(found).or_else(|| known().as_deref().map(found))
    }

    fn outcome(&mut self, memory: Id, kind: ChangeKind, version: usize) {
        self.event.outcomes.push(OutcomeRecord {
            memory,
            kind,
            version,
        });
    }

    /// `stored` are the messages by their places in the add.
    fn finish(mut self, stored: Vec<(usize, Id)>, infer: bool) -> (Changes, Id) {
        let id = self.event.id;
        let attached = self.add.attachments.iter().filter_map(|attachment| {
            let (_, message) = stored
                .iter()
                .find(|(place, _)| *place == attachment.message)?;
            Some(AttachedFile {
                message: *message,
                file: attachment.file.clone(),
            })
        });
        let files = attached.collect();
        self.changes.jobs.push(Job {
            work: Work::Add(Box::new(AddWork {
                event: id,
                scope: self.add.scope.clone(),
                messages: stored.into_iter().map(|(_, id)| id).collect(),
                infer,
                metadata: self.add.metadata.clone(),
                expires_at: self.add.expires_at,
                immutable: self.add.immutable,
                instructions: self.add.instructions.clone(),
                includes: self.add.includes.clone(),
                excludes: self.add.excludes.clone(),
                categories: self.add.categories.clone(),
                extracted: None,
                files,
                structured_data_schema: self.add.structured_data_schema.clone(),
            })),
            attempts: 0,
            due_at: self.now,
        });
        self.changes.events.push(self.event);
        (self.changes, id)
    }
}
