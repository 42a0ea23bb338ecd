//! What is published of keys and of users' tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answers::{Done, Time};
use super::{Endpoint, delete, get, post};

/// The routes.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get(
            "/v1/keys/",
            "list_keys",
            "The project's keys, but for the operator's own",
        )
        .answers::<Keys>(),
        post(
            "/v1/keys/",
            "make_key",
            "Make a key, which this answers once",
        )
        .takes::<NewKey>(json!({"name": "Support bot", "role": "write"}))
        .answers::<MadeKey>()
        .created()
        .may_refuse(&[413, 507]),
        delete(
            "/v1/keys/{key_id}/",
            "revoke_key",
            "End a key, within a minute",
        )
        .at::<KeyId>()
        .answers::<Done>()
        .may_refuse(&[404, 507]),
        post(
            "/v1/tokens/",
            "make_token",
            "Make a token, with which a user's own browser reaches that user's memory alone",
        )
        .takes::<NewToken>(json!({"user_id": super::ALICE, "role": "write", "expires_in": 3600}))
        .answers::<Token>()
        .created()
        .may_refuse(&[413, 507]),
    ]
}

/// What a key may: each may what those before it may.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum KeyRole {
    Read,
    Write,
    Admin,
}

/// What a token may.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum TokenRole {
    Read,
    Write,
}

/// The project's keys.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Keys {
    results: Vec<Key>,
}

/// A key, without its text.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Key {
    id: String,
    name: String,
    role: KeyRole,
    created_at: Time,
    /// To the hour; null before the first use.
    last_used_at: Option<Time>,
    /// Null for one that does not end.
    expires_at: Option<Time>,
}

/// A key that was made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct MadeKey {
    #[serde(flatten)]
    made: Key,
    /// What its holder sends. Only its hash is kept.
    key: String,
}

/// A key to be made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct NewKey {
    /// What it is for.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    role: KeyRole,
    /// After how many seconds it ends; never when left out.
    #[schemars(range(min = 10, max = 315_360_000))]
    expires_in: Option<u32>,
}

/// A key by its id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct KeyId {
    /// The key's id.
    #[schemars(length(min = 1))]
    key_id: String,
}

/// A token to be made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct NewToken {
    /// Whose memory it opens.
    #[schemars(length(min = 1, max = 256))]
    user_id: String,
    /// `read` when left out.
    role: Option<TokenRole>,
    /// After how many seconds it ends; 3600 when left out.
    #[schemars(range(min = 10, max = 86_400))]
    expires_in: Option<u32>,
}

/// A token of a user.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Token {
    /// A JWT, to be sent as a key is.
    token: String,
    user_id: String,
    role: TokenRole,
    /// In seconds.
    expires_in: u32,
    expires_at: Time,
}
