//! API keys of the project beside those that the operator configured, and the secret that signs users' tokens.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Answer, ApiKey, Directory, DirectoryError, Done, KeyRole, Now, delete, put};
use crate::memory::Moment;
use crate::store::Storage;

/// Keys of a project at most.
const MAX_KEYS: usize = 1_000;

const MAX_NAME_CHARS: usize = 100;

/// How exact "last used" is, in milliseconds: each step costs a write.
const USE_IS_NOTED_EVERY_MS: i64 = 3_600_000;

const TOKEN_SECRET: &str = "token-secret";

/// A key as it is stored: nobody can make the key of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredKey {
    #[serde(flatten)]
    key: ApiKey,
    /// The SHA-256 of its text, in hexadecimal digits.
    sha256: String,
}

/// The SHA-256 of a key's text, in hexadecimal digits.
pub fn key_hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The id of the key with this hash.
fn id_of(sha256: &str) -> String {
    format!("key_{}", sha256.get(..20).unwrap_or(sha256))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn place(id: &str) -> String {
    format!("key/{id}")
}

impl<S: Storage> Directory<S> {
    pub(super) async fn make_key(
        &self,
        project: &str,
        name: &str,
        role: KeyRole,
        expires_at: Option<Moment>,
        now: Now,
    ) -> Done<Answer> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            let message = format!("'name' must have 1 to {MAX_NAME_CHARS} characters");
            return Err(DirectoryError::Bad(message));
        }
        if self.all::<StoredKey>("key/").await?.len() >= MAX_KEYS {
            let message = format!("a project has at most {MAX_KEYS} keys: revoke some");
            return Err(DirectoryError::Bad(message));
        }
        let secret = format!("em_{project}_{}", hex(&now.random));
        let sha256 = key_hash(&secret);
        let key = ApiKey {
            id: id_of(&sha256),
            name: name.to_owned(),
            role,
            created_at: now.at,
            last_used_at: None,
            expires_at,
        };
        let stored = StoredKey {
            key: key.clone(),
            sha256,
        };
        self.commit(vec![put(&place(&key.id), &stored)?]).await?;
        Ok(Answer::KeyMade { key, secret })
    }

    pub(super) async fn keys(&self) -> Done<Answer> {
        let all = self.all::<StoredKey>("key/").await?;
        let mut keys: Vec<ApiKey> = all.into_iter().map(|(_, stored)| stored.key).collect();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(Answer::Keys(keys))
    }

    pub(super) async fn revoke_key(&self, id: &str) -> Done<Answer> {
        match self.get::<StoredKey>(&place(id)).await? {
            Some(_) => self.commit(vec![delete(&place(id))]).await?,
            None => return Err(DirectoryError::NoSuchKey),
        }
        Ok(Answer::Done)
    }

    /// The key with this hash, if there is one that has not expired.
    pub(super) async fn check_key(&self, sha256: &str, now: Now) -> Done<Answer> {
        let place = place(&id_of(sha256));
        // What is looked up is a hash of 256 bits that nobody can choose: how long it takes tells nothing.
        let found = self.get::<StoredKey>(&place).await?;
        let Some(mut stored) = found.filter(|stored| stored.sha256 == sha256) else {
            return Ok(Answer::Keys(Vec::new()));
        };
        let noted = stored.key.last_used_at;
        if noted.is_none_or(|noted| now.at >= noted.plus_millis(USE_IS_NOTED_EVERY_MS)) {
            stored.key.last_used_at = Some(now.at);
            self.commit(vec![put(&place, &stored)?]).await?;
        }
        Ok(Answer::Keys(vec![stored.key]))
    }

    /// The secret that signs tokens of this project's users: made when it is first asked for.
    pub(super) async fn token_secret(&self, now: Now) -> Done<Answer> {
        if let Some(secret) = self.get::<String>(TOKEN_SECRET).await? {
            return Ok(Answer::Secret(secret));
        }
        let secret = hex(&now.random);
        self.commit(vec![put(TOKEN_SECRET, &secret)?]).await?;
        Ok(Answer::Secret(secret))
    }
}
