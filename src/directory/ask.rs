//! What a directory is asked, and what it answers. Both travel as JSON between objects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::memory::{Id, Moment, Owner, OwnerKind, ProjectSettings, SpaceHash};
use crate::operation::Report;

/// Something to ask of a directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A space tells what it holds and what happened. Answers [`Answer::Done`].
    Report {
        /// Which space.
        space: SpaceHash,
        /// What it tells.
        report: Box<Report>,
    },
    /// The spaces of owners of some kinds, in a fixed order. Answers [`Answer::Spaces`].
    Spaces {
        /// The kinds; all when empty.
        kinds: Vec<OwnerKind>,
        /// Only those with memories under this id.
        under: Option<(OwnerKind, String)>,
        /// At most so many.
        limit: usize,
    },
    /// Users, agents, apps and runs, a page at a time. Answers [`Answer::Entities`].
    Entities {
        /// The page, from 1.
        page: usize,
        /// How many on a page.
        page_size: usize,
    },
    /// One of them. Answers [`Answer::Entities`] with one or none.
    Entity {
        /// What it is.
        kind: OwnerKind,
        /// Its id.
        id: String,
    },
    /// The one with this number. Answers [`Answer::Entities`] with one or none.
    Numbered {
        /// What it is.
        kind: OwnerKind,
        /// Its [`Entity::number`].
        number: u64,
    },
    /// Makes one known before anything is remembered of it. Answers [`Answer::Entities`].
    Declare {
        /// What it is.
        kind: OwnerKind,
        /// Its id.
        id: String,
        /// The client's own fields.
        metadata: Value,
    },
    /// Forgets that one was declared. Answers [`Answer::Done`].
    Undeclare {
        /// What it is.
        kind: OwnerKind,
        /// Its id.
        id: String,
    },
    /// Counts over all spaces. Answers [`Answer::Totals`].
    Totals,
    /// The latest adds, newest first. Answers [`Answer::Events`].
    Events {
        /// The page, from 1.
        page: usize,
        /// How many on a page.
        page_size: usize,
    },
    /// What the project asks of extraction. Answers [`Answer::Settings`].
    Settings,
    /// The project as its API shows it. Answers [`Answer::Value`].
    Project,
    /// Sets fields of it. Answers [`Answer::Done`].
    SetProject {
        /// The fields.
        fields: Map<String, Value>,
    },
    /// Its members beside the owner. Answers [`Answer::Members`].
    Members,
    /// Adds a member, or changes what one may. Answers [`Answer::Done`].
    PutMember {
        /// Who.
        email: String,
        /// `READER` or `OWNER`.
        role: String,
        /// Whether it may be somebody new.
        new: bool,
    },
    /// Removes a member. Answers [`Answer::Done`].
    RemoveMember {
        /// Who.
        email: String,
    },
    /// The webhooks. Answers [`Answer::Webhooks`].
    Webhooks,
    /// Adds one from `name`, `url`, `event_types`, `is_active` and `secret`. Answers [`Answer::Webhooks`].
    AddWebhook {
        /// The fields.
        fields: Map<String, Value>,
    },
    /// Changes one by the same fields. Answers [`Answer::Done`].
    ChangeWebhook {
        /// Its id.
        id: String,
        /// The fields.
        fields: Map<String, Value>,
    },
    /// Removes one, with what waits for it. Answers [`Answer::Done`].
    RemoveWebhook {
        /// Its id.
        id: String,
    },
    /// What is to be sent now, and when the next after it. Answers [`Answer::Due`].
    Due {
        /// At most so many.
        limit: usize,
    },
    /// A delivery was tried. Answers [`Answer::Done`].
    Delivered {
        /// Which.
        id: String,
        /// Whether it arrived.
        delivered: bool,
    },
    /// A value that was kept under a name; null when none was. Answers [`Answer::Value`].
    Kept {
        /// The name.
        key: String,
    },
    /// Keeps a value. Answers [`Answer::Done`].
    Keep {
        /// The name.
        key: String,
        /// The value.
        value: Value,
    },
    /// Makes a key, whose text is told this once. Answers [`Answer::KeyMade`].
    MakeKey {
        /// The project, which the key names.
        project: String,
        /// What it is for.
        name: String,
        /// What it may.
        role: KeyRole,
        /// When it ends; never when `None`.
        expires_at: Option<Moment>,
    },
    /// The keys, the oldest first. Answers [`Answer::Keys`].
    Keys,
    /// Ends a key. Answers [`Answer::Done`].
    RevokeKey {
        /// Its id.
        id: String,
    },
    /// Somebody calls with a key. Answers [`Answer::Keys`] with one or none.
    CheckKey {
        /// The [`key_hash`](super::key_hash) of its text.
        sha256: String,
    },
    /// What signs tokens of the project's users. Answers [`Answer::Secret`].
    TokenSecret,
    /// Forgets everything. Answers [`Answer::Done`].
    Clear,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// Spaces.
    Spaces {
        /// In a fixed order.
        spaces: Vec<Space>,
        /// Whether there are more.
        more: bool,
    },
    /// Entities.
    Entities(Page<Entity>),
    /// Counts.
    Totals(Box<Totals>),
    /// Events.
    Events(Page<EventLine>),
    /// What the project asks of extraction.
    Settings(Box<ProjectSettings>),
    /// Addresses and roles.
    Members(Vec<(String, String)>),
    /// Webhooks.
    Webhooks(Vec<Webhook>),
    /// A key that was made, and its text.
    KeyMade {
        /// The key.
        key: ApiKey,
        /// What its holder sends.
        secret: String,
    },
    /// Keys.
    Keys(Vec<ApiKey>),
    /// A secret.
    Secret(String),
    /// Deliveries.
    Due {
        /// To be sent now.
        deliveries: Vec<Delivery>,
        /// When to ask again; `None` when nothing else waits.
        next: Option<Moment>,
    },
    /// Anything else.
    Value(Value),
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// How many there are on all pages.
    pub total: usize,
    /// Those of this page.
    pub items: Vec<T>,
}

/// A space that the directory knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Its hash.
    pub hash: SpaceHash,
    /// Whose it is.
    pub owner: Owner,
    /// Memories that are listed.
    pub memories: usize,
}

/// A user, an agent, an app or a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: OwnerKind,
    /// Its id.
    pub id: String,
    /// Memories under it.
    pub memories: usize,
    /// When the first of them was said, or it was declared.
    pub created_at: Moment,
    /// When any of them last changed.
    pub updated_at: Moment,
    /// What was declared of it.
    #[serde(default)]
    pub metadata: Value,
}

impl Entity {
    /// A number for it, of at most 52 bits: some clients know entities by one.
    pub fn number(&self) -> u64 {
        Self::number_of(self.kind, &self.id)
    }

    /// The number of an entity.
    pub fn number_of(kind: OwnerKind, id: &str) -> u64 {
        let hash = blake3::hash(format!("{}/{id}", kind.as_str()).as_bytes());
        let (first, _) = hash
            .as_bytes()
            .split_first_chunk()
            .unwrap_or((&[0; 8], &[]));
        u64::from_le_bytes(*first) >> 12
    }
}

/// Counts over all spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Memories.
    pub memories: usize,
    /// Adds that were ever accepted.
    pub adds: usize,
    /// Users, agents, apps and runs with memories, in this order.
    pub entities: [usize; 4],
    /// Memories under any of them, in the same order.
    pub memories_under: [usize; 4],
}

/// An add, as the directory knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// Its event.
    pub id: Id,
    /// When it was accepted.
    pub at: Moment,
}

/// What a key may. Each role may all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// Recall, list and read.
    Read,
    /// Add, change and erase memories too.
    Write,
    /// All of the project: its settings, members, webhooks and keys, and erasing everybody's memories.
    Admin,
}

impl KeyRole {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A key of a project, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may.
    pub role: KeyRole,
    /// When it was made.
    pub created_at: Moment,
    /// When somebody called with it, to the hour; `None` when nobody did.
    pub last_used_at: Option<Moment>,
    /// When it ends; never when `None`.
    pub expires_at: Option<Moment>,
}

/// An address to which changes are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where to.
    pub url: String,
    /// Of what: some of [`EVENT_TYPES`](super::EVENT_TYPES).
    pub event_types: Vec<String>,
    /// Whether it is on.
    pub is_active: bool,
    /// The key that signs what is sent.
    pub secret: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
}

/// Something to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// The webhook's id.
    pub webhook: String,
    /// Where to; empty while it waits.
    #[serde(default)]
    pub url: String,
    /// The key that signs it; empty while it waits.
    #[serde(default)]
    pub secret: String,
    /// The memory that it tells of.
    pub memory: Id,
    /// What to send.
    pub body: Value,
    /// How often it was tried.
    pub attempts: u32,
}
