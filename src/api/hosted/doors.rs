//! Keys of the project, and tokens of its users.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::access::{Access, Grant, MAX_SECONDS, Project};
use super::super::fields::{Fields, bad_value, refused};
use super::admin::ok;
use super::task::{Answered, Backend, unexpected};
use crate::directory::{Answer, ApiKey, Ask, KeyRole};
use crate::memory::{Problem, Scope};

/// How long a token lasts when nobody says, in seconds, and at least.
const USUAL_SECONDS: i64 = 3_600;
const MIN_SECONDS: usize = 10;

/// The longest life of a key that ends, in seconds: ten years.
const MAX_KEY_SECONDS: usize = 315_360_000;

/// What is asked about keys and tokens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Doors {
    Keys,
    MakeKey {
        name: String,
        role: KeyRole,
        seconds: Option<i64>,
    },
    RevokeKey(String),
    MakeToken(Grant),
}

fn role(fields: &Fields, allowed: &[KeyRole]) -> Result<Option<KeyRole>, Problem> {
    let Some(name) = fields.text("role")? else {
        return Ok(None);
    };
    let role = KeyRole::of(name.trim()).filter(|role| allowed.contains(role));
    let names: Vec<&str> = allowed.iter().map(|role| role.as_str()).collect();
    role.map(Some)
        .ok_or_else(|| bad_value("role", &format!("one of: {}", names.join(", "))))
}

fn seconds(fields: &Fields, most: usize) -> Result<Option<i64>, Problem> {
    let seconds = fields.count("expires_in", MIN_SECONDS, most)?;
    Ok(seconds.and_then(|seconds| i64::try_from(seconds).ok()))
}

/// Reads what a key is to be.
pub(super) fn new_key(fields: &Fields) -> Result<Doors, Problem> {
    let name = fields.text("name")?;
    let name = name.ok_or_else(|| refused("missing_field", "say what the key is for in `name`"))?;
    let role = role(fields, &KeyRole::ALL)?;
    Ok(Doors::MakeKey {
        name,
        role: role.ok_or_else(|| refused("missing_field", "say what the key may in `role`"))?,
        seconds: seconds(fields, MAX_KEY_SECONDS)?,
    })
}

/// Reads what a token is to say.
pub(super) fn new_token(fields: &Fields) -> Result<Doors, Problem> {
    let user = fields.text("user_id")?;
    let user =
        user.ok_or_else(|| refused("missing_field", "say whose token it is in `user_id`"))?;
    let user = user.trim().to_owned();
    super::scope::owner(&Scope::user(user.as_str()))?;
    let role = role(fields, &[KeyRole::Read, KeyRole::Write])?;
    let most = usize::try_from(MAX_SECONDS).unwrap_or(usize::MAX);
    Ok(Doors::MakeToken(Grant {
        user,
        role: role.unwrap_or(KeyRole::Read),
        seconds: seconds(fields, most)?.unwrap_or(USUAL_SECONDS),
    }))
}

impl Doors {
    pub(super) async fn run(
        self,
        project: &Project,
        access: &Access,
        backend: &dyn Backend,
    ) -> Answered {
        match self {
            Self::Keys => match backend.directory(Ask::Keys).await? {
                Answer::Keys(keys) => ok(json!({"results": keys})),
                _ => Err(unexpected()),
            },
            Self::MakeKey {
                name,
                role,
                seconds,
            } => {
                let ask = Ask::MakeKey {
                    project: project.id.clone(),
                    name,
                    role,
                    expires_at: seconds.map(|seconds| access.now.plus_millis(seconds * 1_000)),
                };
                match backend.directory(ask).await? {
                    Answer::KeyMade { key, secret } => made(&key, &secret),
                    _ => Err(unexpected()),
                }
            }
            Self::RevokeKey(id) => {
                backend.directory(Ask::RevokeKey { id: id.clone() }).await?;
                access.known.revoke(&id, access.now);
                ok(json!({"message": "Key revoked"}))
            }
            Self::MakeToken(grant) => {
                let secret = match access.secret() {
                    Ok(Some(secret)) => secret.to_owned(),
                    Ok(None) => match backend.directory(Ask::TokenSecret).await? {
                        Answer::Secret(secret) => secret,
                        _ => return Err(unexpected()),
                    },
                    Err(problem) => return Err(problem),
                };
                let end = access.now.plus_millis(grant.seconds * 1_000);
                let body = json!({
                    "token": grant.sign(&project.id, &secret, access.now),
                    "user_id": grant.user,
                    "role": grant.role,
                    "expires_in": grant.seconds,
                    "expires_at": end,
                });
                Ok((StatusCode::CREATED, body))
            }
        }
    }
}

fn made(key: &ApiKey, secret: &str) -> Answered {
    let mut body = json!(key);
    if let Some(body) = body.as_object_mut() {
        body.insert("key".to_owned(), Value::from(secret));
    }
    Ok((StatusCode::CREATED, body))
}
