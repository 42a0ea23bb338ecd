//! The directory of a project: its spaces and who is in them, its settings, members, keys and webhooks, and what
//! happened lately. One per project, in a storage of its own.
//!
//! A space reports to it after the fact ([`Ask::Report`]), so that nothing waits for it; a report that was lost comes
//! again, and one that comes twice changes nothing.

mod ask;
mod entities;
mod keys;
mod project;
mod webhooks;

use std::ops::Bound;

use futures_util::lock::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use ask::{
    Answer, ApiKey, Ask, Delivery, Entity, EventLine, KeyRole, Page, Space, Totals, Webhook,
};
pub use keys::key_hash;
pub use webhooks::{EVENT_TYPES, SIGNATURE, signature};

use crate::memory::{Moment, Problem};
use crate::store::records::{RecordError, decode, encode};
use crate::store::{Storage, StorageError, Table, Write};

/// Records read at a time.
const PAGE: usize = 1_000;

/// The directory of one project over its storage.
pub struct Directory<S> {
    storage: S,
    /// Whether webhooks may lead to this machine, to private networks and over plain HTTP.
    private: bool,
    /// Held from the reading of records to the commit that rests on them.
    turn: Mutex<()>,
}

/// What a host tells with each question.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The time.
    pub at: Moment,
    /// 256 random bits that nobody can guess: secrets are made of them.
    pub random: [u8; 32],
}

/// Why a directory did not do what was asked.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DirectoryError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A stored record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// No webhook has this id.
    #[error("Webhook not found")]
    NoSuchWebhook,
    /// Nobody here has this address.
    #[error("no member of this project has this address")]
    NoSuchMember,
    /// No key has this id.
    #[error("this project has no key with this id")]
    NoSuchKey,
    /// A value cannot be used.
    #[error("{0}")]
    Bad(String),
}

impl DirectoryError {
    /// The error as clients see it.
    pub fn problem(&self) -> Problem {
        let (status, code) = match self {
            Self::Storage(StorageError::Full(_)) => (507, "storage_full"),
            Self::Storage(StorageError::TooLarge { .. }) => (413, "record_too_large"),
            Self::Storage(StorageError::Failed(_)) => (500, "storage_failed"),
            Self::Record(_) => (500, "damaged_record"),
            Self::NoSuchWebhook => (404, "webhook_not_found"),
            Self::NoSuchMember => (404, "member_not_found"),
            Self::NoSuchKey => (404, "key_not_found"),
            Self::Bad(_) => (400, "bad_value"),
        };
        Problem::new(status, code, self.to_string())
    }
}

type Done<T> = Result<T, DirectoryError>;

impl<S: Storage> Directory<S> {
    /// The directory that this storage holds. With `private`, webhooks may lead to this machine, to private
    /// networks and over plain HTTP: for tests, and where nobody but the operator has keys.
    pub fn new(storage: S, private: bool) -> Self {
        Self {
            storage,
            private,
            turn: Mutex::new(()),
        }
    }

    /// The storage under it.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Does what is asked.
    ///
    /// # Errors
    /// See [`DirectoryError`]; nothing is changed then.
    pub async fn apply(&self, ask: Ask, now: Now) -> Result<Answer, DirectoryError> {
        let _turn = self.turn.lock().await;
        match ask {
            Ask::Report { space, report } => self.take_report(space, *report, now).await,
            Ask::Spaces {
                kinds,
                under,
                limit,
            } => self.spaces(&kinds, under.as_ref(), limit).await,
            Ask::Entities { page, page_size } => self.entities(page, page_size).await,
            Ask::Entity { kind, id } => self.entity(kind, &id).await,
            Ask::Numbered { kind, number } => self.numbered(kind, number).await,
            Ask::Declare { kind, id, metadata } => self.declare(kind, id, metadata, now).await,
            Ask::Undeclare { kind, id } => self.undeclare(kind, &id).await,
            Ask::Totals => self.totals().await,
            Ask::Events { page, page_size } => self.events(page, page_size).await,
            Ask::Settings => self.settings().await,
            Ask::Project => self.project(now).await,
            Ask::SetProject { fields } => self.set_project(fields, now).await,
            Ask::Members => self.members().await,
            Ask::PutMember { email, role, new } => self.put_member(email, role, new).await,
            Ask::RemoveMember { email } => self.remove_member(&email).await,
            Ask::Webhooks => self.webhooks().await,
            Ask::AddWebhook { fields } => self.add_webhook(&fields, now).await,
            Ask::ChangeWebhook { id, fields } => self.change_webhook(&id, &fields, now).await,
            Ask::RemoveWebhook { id } => self.remove_webhook(&id).await,
            Ask::Due { limit } => self.due(limit, now).await,
            Ask::Delivered { id, delivered } => self.delivered(&id, delivered, now).await,
            Ask::MakeKey {
                project,
                name,
                role,
                expires_at,
            } => self.make_key(&project, &name, role, expires_at, now).await,
            Ask::Keys => self.keys().await,
            Ask::RevokeKey { id } => self.revoke_key(&id).await,
            Ask::CheckKey { sha256 } => self.check_key(&sha256, now).await,
            Ask::TokenSecret => self.token_secret(now).await,
            Ask::Kept { key } => Ok(Answer::Value(
                self.get(&format!("kept/{key}")).await?.unwrap_or_default(),
            )),
            Ask::Keep { key, value } => {
                self.commit(vec![put(&format!("kept/{key}"), &value)?])
                    .await?;
                Ok(Answer::Done)
            }
            Ask::Clear => {
                self.storage.commit(vec![Write::Clear]).await?;
                Ok(Answer::Done)
            }
        }
    }

    async fn get<T: DeserializeOwned>(&self, key: &str) -> Done<Option<T>> {
        let found = self.storage.get(Table::Directory, key).await?;
        let record = found.map(|bytes| decode(Table::Directory, key, &bytes));
        Ok(record.transpose()?)
    }

    /// All records whose keys begin so, in order.
    async fn all<T: DeserializeOwned>(&self, prefix: &str) -> Done<Vec<(String, T)>> {
        self.some(prefix, usize::MAX).await
    }

    /// The first records whose keys begin so.
    async fn some<T: DeserializeOwned>(&self, prefix: &str, most: usize) -> Done<Vec<(String, T)>> {
        let mut all = Vec::new();
        let mut after = prefix.to_owned();
        while all.len() < most {
            let page = self
                .storage
                .scan(Table::Directory, Bound::Excluded(&after), PAGE.min(most))
                .await?;
            let is_last = page.len() < PAGE.min(most);
            for (key, bytes) in page {
                if !key.starts_with(prefix) {
                    return Ok(all);
                }
                let record = decode(Table::Directory, &key, &bytes)?;
                after.clone_from(&key);
                all.push((key, record));
            }
            if is_last {
                break;
            }
        }
        all.truncate(most);
        Ok(all)
    }

    async fn commit(&self, writes: Vec<Write>) -> Done<()> {
        Ok(self.storage.commit(writes).await?)
    }
}

fn put<T: Serialize>(key: &str, record: &T) -> Done<Write> {
    Ok(Write::Put {
        table: Table::Directory,
        key: key.to_owned(),
        record: encode(Table::Directory, key, record)?,
        columns: Vec::new(),
    })
}

fn delete(key: &str) -> Write {
    Write::Delete {
        table: Table::Directory,
        key: key.to_owned(),
    }
}

/// A name as a part of a key: `/` and `%` are escaped.
fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

fn unescaped(part: &str) -> String {
    part.replace("%2F", "/").replace("%25", "%")
}

/// A time as a part of a key, in its order.
fn sortable(at: Moment) -> String {
    format!("{:015}", at.as_millis().max(0))
}
