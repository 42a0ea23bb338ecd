//! Tokens of users: JSON Web Tokens (RFC 7519) signed by HMAC-SHA256, each for one user and a short time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use thiserror::Error;

use crate::directory::KeyRole;
use crate::memory::{Moment, Owner, Problem, Scope};

/// The variable with the secret that signs tokens, so that the operator's own servers can sign them too.
pub const SECRET_VARIABLE: &str = "EDGEMEM_TOKEN_SECRET";

/// RFC 7518 wants as many bits as the hash has.
const MIN_SECRET_BYTES: usize = 32;

/// The longest life of a token, in seconds: there is no way to end only one.
pub(in crate::api) const MAX_SECONDS: i64 = 86_400;

/// How far apart two clocks may be, in seconds.
const LEEWAY_SECONDS: i64 = 60;

/// The longest token that is read, in bytes.
const MAX_BYTES: usize = 4_096;

/// Who a token that names an audience must be for.
const AUDIENCE: &str = "edgemem";

/// A secret that can be guessed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{SECRET_VARIABLE} has fewer than {MIN_SECRET_BYTES} characters: use a longer one, such as the output of \
     `openssl rand -hex 32`, or unset it"
)]
pub struct SecretError;

impl SecretError {
    pub(super) fn problem(&self) -> Problem {
        Problem::new(503, "bad_token_configuration", self.to_string())
    }
}

/// Reads the value of [`SECRET_VARIABLE`].
pub(super) fn read_secret(value: Option<String>) -> Result<Option<String>, SecretError> {
    let value = value.filter(|value| !value.trim().is_empty());
    match value {
        Some(secret) if secret.len() < MIN_SECRET_BYTES => Err(SecretError),
        secret => Ok(secret),
    }
}

/// What a token is to say.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api) struct Grant {
    pub user: String,
    pub role: KeyRole,
    pub seconds: i64,
}

impl Grant {
    /// The token.
    pub fn sign(&self, project: &str, secret: &str, now: Moment) -> String {
        let at = now.as_millis().div_euclid(1_000);
        let claims = json!({
            "sub": self.user,
            "project": project,
            "role": self.role,
            "iat": at,
            "exp": at + self.seconds,
        });
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let code = mac(secret, &signed).map(|mac| mac.finalize().into_bytes());
        format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(code.unwrap_or_default())
        )
    }
}

/// The signature of a text, to be compared or sent; there is always one, as a secret may have any length.
fn mac(secret: &str, signed: &str) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok();
    mac.map(|mac| mac.chain_update(signed.as_bytes()))
}

/// Whether a text is meant as a token: three parts, the first an object.
pub(super) fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.contains('.')
}

fn invalid(what: &str) -> Problem {
    Problem::new(401, "invalid_token", format!("Invalid token: {what}"))
}

pub(super) fn of_no_project() -> Problem {
    invalid("this server has no such project")
}

/// The three parts of a token.
fn parts(token: &str) -> Result<(&str, &str, &str), Problem> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(code), None) if token.len() <= MAX_BYTES => {
            Ok((header, claims, code))
        }
        _ => Err(invalid("it does not have the three parts of a JWT")),
    }
}

fn object(part: &str) -> Result<Value, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok();
    let value = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let value = value.filter(Value::is_object);
    value.ok_or_else(|| invalid("a part of it is not an object of JSON"))
}

/// The project that a token says it is for, before anything about it is known to be true.
pub(super) fn project_of(token: &str) -> Result<String, Problem> {
    let (_, claims, _) = parts(token)?;
    match object(claims)?.get("project") {
        None | Some(Value::Null) => Ok("default".to_owned()),
        Some(Value::String(project)) => Ok(project.clone()),
        Some(_) => Err(invalid("'project' must be a text")),
    }
}

/// Whose token it is, and what it may.
///
/// # Errors
/// 401, with a code of its own for each way in which time makes it invalid.
pub(super) fn read(token: &str, secret: &str, now: Moment) -> Result<(Owner, KeyRole), Problem> {
    let (header, claims, code) = parts(token)?;
    let said = object(header)?;
    // The one algorithm: what the token says of it is checked, never followed.
    if said.get("alg").and_then(Value::as_str) != Some("HS256") || said.get("crit").is_some() {
        return Err(invalid("it must be signed by HS256, without extensions"));
    }
    let code = URL_SAFE_NO_PAD.decode(code).unwrap_or_default();
    let signed = token.get(..header.len() + 1 + claims.len());
    let signed = mac(secret, signed.unwrap_or_default());
    // In constant time.
    if signed.is_none_or(|mac| mac.verify_slice(&code).is_err()) {
        return Err(invalid("its signature is wrong"));
    }
    let claims = object(claims)?;
    check_time(&claims, now)?;
    let is_ours = |audience: &Value| audience.as_str() == Some(AUDIENCE);
    let is_for_us = match claims.get("aud") {
        None | Some(Value::Null) => true,
        Some(Value::Array(all)) => all.iter().any(is_ours),
        Some(audience) => is_ours(audience),
    };
    if !is_for_us {
        return Err(invalid("it is for another audience than 'edgemem'"));
    }
    let user = claims.get("sub").and_then(Value::as_str);
    let user = user.and_then(|user| Scope::user(user.trim()).owner().ok());
    let user = user.ok_or_else(|| invalid("'sub' must be the id of a user"))?;
    let role = match claims.get("role") {
        None | Some(Value::Null) => Some(KeyRole::Read),
        Some(role) => role.as_str().and_then(KeyRole::of),
    };
    match role {
        Some(role @ (KeyRole::Read | KeyRole::Write)) => Ok((user, role)),
        _ => Err(invalid("'role' must be read or write")),
    }
}

fn check_time(claims: &Value, now: Moment) -> Result<(), Problem> {
    let now = now.as_millis() as f64 / 1_000.0;
    let time = |name: &str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(time) => Ok(Some(time)),
            None => Err(invalid(&format!(
                "'{name}' must be a number of seconds since 1970"
            ))),
        },
    };
    let refuse = |code: &str, what: &str| {
        let message = format!("Invalid token: {what}");
        Err(Problem::new(401, code, message))
    };
    let Some(end) = time("exp")? else {
        return Err(invalid("it does not say when it expires ('exp')"));
    };
    if end <= now {
        return refuse("token_expired", "it has expired");
    }
    let leeway = LEEWAY_SECONDS as f64;
    for name in ["nbf", "iat"] {
        if time(name)?.is_some_and(|start| start > now + leeway) {
            return refuse("token_not_yet_valid", "it is not valid yet");
        }
    }
    if end > now + MAX_SECONDS as f64 + leeway {
        let what = format!("it expires more than {MAX_SECONDS} seconds from now");
        return refuse("token_lasts_too_long", &what);
    }
    Ok(())
}
