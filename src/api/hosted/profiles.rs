//! Profiles of users: what a schema holds of each, filled by jobs of their spaces.

use futures_util::stream::{self, StreamExt};
use serde_json::{Map, Value, json};

use super::super::fields::{Fields, refused};
use super::admin::ok;
use super::task::{AT_ONCE, Answered, Backend, unexpected};
use crate::directory::{Answer, Ask};
use crate::memory::{EventStatus, Filter, Id, Owner, OwnerKind, Problem, Purpose};
use crate::operation::{Export, Operation, Reply};

/// Where their settings are kept.
const PROFILES: &str = "profiles";

/// Users in one sample at most.
const MOST_SAMPLED: usize = 50;

async fn kept(key: &str, backend: &dyn Backend) -> Result<Value, Problem> {
    let key = key.to_owned();
    match backend.directory(Ask::Kept { key }).await? {
        Answer::Value(value) => Ok(value),
        _ => Err(unexpected()),
    }
}

async fn keep(key: &str, value: Value, backend: &dyn Backend) -> Result<(), Problem> {
    let key = key.to_owned();
    backend.directory(Ask::Keep { key, value }).await.map(drop)
}

/// The settings as clients see them.
pub(super) async fn settings(backend: &dyn Backend) -> Answered {
    ok(shown_settings(&kept(PROFILES, backend).await?))
}

/// What a profile holds when nobody says.
fn standard_profile() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "location": {"type": "string"},
            "occupation": {"type": "string"},
            "interests": {"type": "array", "items": {"type": "string"}},
            "preferences": {"type": "array", "items": {"type": "string"}},
        },
    })
}

fn shown_settings(kept: &Value) -> Value {
    let user = kept.pointer("/entities/user");
    let of_user = |name: &str| user.and_then(|user| user.get(name)).cloned();
    json!({
        "enabled": kept.get("enabled").and_then(Value::as_bool).unwrap_or(false),
        "capabilities": {"custom_schema": true, "custom_instructions": true, "sampling": true},
        "entities": {"user": {
            "schema": of_user("schema").filter(Value::is_object).unwrap_or_else(standard_profile),
            "custom_instructions": of_user("custom_instructions").unwrap_or_default(),
        }},
    })
}

pub(super) async fn set(given: Map<String, Value>, backend: &dyn Backend) -> Answered {
    let mut settings = shown_settings(&kept(PROFILES, backend).await?);
    if let Some(enabled) = given.get("enabled") {
        let enabled = enabled
            .as_bool()
            .ok_or_else(|| refused("bad_value", "'enabled' must be true or false"))?;
        if let Some(slot) = settings.get_mut("enabled") {
            *slot = json!(enabled);
        }
    }
    let user = given
        .get("entities")
        .and_then(|entities| entities.get("user"));
    for name in ["schema", "custom_instructions"] {
        let Some(value) = user.and_then(|user| user.get(name)) else {
            continue;
        };
        let is_good = value.is_null()
            || match name {
                "schema" => value.is_object(),
                _ => value.is_string(),
            };
        if !is_good {
            let wanted = format!("'entities.user.{name}' is of the wrong type");
            return Err(refused("bad_value", wanted));
        }
        if let Some(slot) = settings.pointer_mut(&format!("/entities/user/{name}")) {
            *slot = value.clone();
        }
    }
    keep(PROFILES, settings.clone(), backend).await?;
    ok(shown_settings(&settings))
}

pub(super) async fn profile(id: &str, backend: &dyn Backend) -> Answered {
    let settings = shown_settings(&kept(PROFILES, backend).await?);
    let mut body = json!({
        "profile": null,
        "status": "not_enabled",
        "entity_type": "user",
        "entity_id": id,
        "updated_at": null,
        "generation_count": 0,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(body) = body.as_object_mut() {
            body.insert(name.to_owned(), value);
        }
    };
    if settings.get("enabled") == Some(&json!(true)) {
        let asked = Operation::Exported {
            id: None,
            purpose: Purpose::Profile,
        };
        let space = Owner::new(OwnerKind::User, id).space_hash();
        match backend.space(space, asked).await {
            Ok(Reply::Export(export)) => {
                set("status", json!(status_word(export.status)));
                set("profile", export.result.clone());
                set("updated_at", json!(export.updated_at));
                set("generation_count", json!(export.made));
                if let Some(error) = &export.error {
                    set("error", json!(error.message));
                }
            }
            Ok(_) => return Err(unexpected()),
            Err(problem) if problem.status == 404 => set("status", json!("insufficient_data")),
            Err(problem) => return Err(problem),
        }
    }
    ok(body)
}

fn status_word(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Pending | EventStatus::Running => "pending",
        EventStatus::Succeeded => "succeeded",
        EventStatus::Failed => "failed",
    }
}

pub(super) async fn start(
    fields: Map<String, Value>,
    idempotency_key: Option<String>,
    backend: &dyn Backend,
) -> Answered {
    let fields = Fields::of_object(fields);
    let operation = fields.text("operation")?.unwrap_or_default();
    if fields
        .text("entity_type")?
        .is_some_and(|kind| kind != "user")
    {
        return Err(refused("bad_value", "profiles are made of users only"));
    }
    let once = idempotency_key.map(|key| {
        let hash = blake3::hash(key.as_bytes()).to_hex();
        format!("profile-once/{}", hash.split_at(32).0)
    });
    if let Some(once) = &once
        && let Value::Object(mut before) = kept(once, backend).await?
    {
        before.insert("replayed".to_owned(), json!(true));
        return ok(Value::Object(before));
    }
    let settings = shown_settings(&kept(PROFILES, backend).await?);
    if settings.get("enabled") != Some(&json!(true)) {
        return Err(Problem::new(
            409,
            "profiles_not_enabled",
            "profiles are not enabled in this project: POST {\"enabled\": true} to /v2/profiles/settings/",
        ));
    }
    let users: Vec<String> = match operation.as_str() {
        "trigger" => {
            let id = fields.text("entity_id")?;
            vec![id.ok_or_else(|| refused("missing_field", "give the user's `entity_id`"))?]
        }
        "sample" => {
            let limit = fields.count("limit", 1, MOST_SAMPLED)?.unwrap_or(10);
            let ask = Ask::Spaces {
                kinds: vec![OwnerKind::User],
                under: None,
                limit,
            };
            let Answer::Spaces { spaces, .. } = backend.directory(ask).await? else {
                return Err(unexpected());
            };
            spaces.into_iter().map(|space| space.owner.id).collect()
        }
        _ => {
            return Err(refused(
                "bad_value",
                "'operation' must be trigger or sample",
            ));
        }
    };
    let export = Export {
        purpose: Purpose::Profile,
        schema: settings
            .pointer("/entities/user/schema")
            .filter(|schema| schema.is_object())
            .cloned()
            .unwrap_or_else(standard_profile),
        instructions: settings
            .pointer("/entities/user/custom_instructions")
            .and_then(Value::as_str)
            .map(str::to_owned),
        filter: Filter::all(),
    };
    let asking = users.iter().map(|user| {
        let space = Owner::new(OwnerKind::User, user).space_hash();
        backend.space(space, Operation::Export(Box::new(export.clone())))
    });
    let replies: Vec<_> = stream::iter(asking).buffered(AT_ONCE).collect().await;
    let (mut jobs, mut skipped): (Vec<Id>, usize) = (Vec::new(), 0);
    for reply in replies {
        match reply {
            Ok(Reply::Export(export)) => jobs.push(export.id),
            Ok(_) => return Err(unexpected()),
            // Nothing is known of them.
            Err(problem) if problem.status == 404 => skipped += 1,
            Err(problem) => return Err(problem),
        }
    }
    let seed = json!([jobs, users, idempotency_key_of(&once)]).to_string();
    let id = match jobs.as_slice() {
        [only] => only.to_string(),
        _ => {
            let hash = blake3::hash(seed.as_bytes());
            let (bits, _) = hash
                .as_bytes()
                .split_first_chunk()
                .unwrap_or((&[0; 16], &[]));
            uuid::Builder::from_custom_bytes(*bits)
                .into_uuid()
                .to_string()
        }
    };
    let job =
        json!({"operation": operation, "jobs": jobs, "total": users.len(), "skipped": skipped});
    keep(&format!("profile-job/{id}"), job, backend).await?;
    let body = json!({
        "job_id": id,
        "status": "pending",
        "status_url": format!("/v2/profiles/jobs/{id}/"),
        "operation": operation,
        "entity_type": "user",
        "entity_count_reserved": jobs.len(),
        "event_id": id,
        "replayed": false,
        "sampled": users.len(),
        "entity_ids": users,
    });
    if let Some(once) = once {
        keep(&once, body.clone(), backend).await?;
    }
    ok(body)
}

fn idempotency_key_of(once: &Option<String>) -> Value {
    json!(once)
}

pub(super) async fn job(id: &str, backend: &dyn Backend) -> Answered {
    let job = kept(&format!("profile-job/{id}"), backend).await?;
    let jobs = job.get("jobs").and_then(Value::as_array).cloned();
    let jobs = jobs.ok_or_else(|| Problem::new(404, "job_not_found", "no such profile job"))?;
    let ids: Vec<Id> = jobs
        .iter()
        .filter_map(|id| id.as_str()?.parse().ok())
        .collect();
    let asking = ids.iter().map(|id| {
        let asked = Operation::Exported {
            id: Some(*id),
            purpose: Purpose::Profile,
        };
        backend.space(id.space(), asked)
    });
    let replies: Vec<_> = stream::iter(asking).buffered(AT_ONCE).collect().await;
    let (mut succeeded, mut failed) = (0, 0);
    for reply in replies {
        match reply {
            Ok(Reply::Export(export)) => match export.status {
                EventStatus::Succeeded => succeeded += 1,
                EventStatus::Failed => failed += 1,
                EventStatus::Pending | EventStatus::Running => {}
            },
            Ok(_) => return Err(unexpected()),
            Err(problem) if problem.status == 404 => failed += 1,
            Err(problem) => return Err(problem),
        }
    }
    let completed = succeeded + failed;
    let status = match () {
        () if completed < ids.len() => "running",
        () if failed == 0 => "succeeded",
        () if succeeded == 0 => "failed",
        () => "partially_completed",
    };
    ok(json!({"job": {
        "id": id,
        "operation": job.get("operation"),
        "entity_type": "user",
        "status": status,
        "total": job.get("total"),
        "enumeration_complete": true,
        "completed": completed,
        "succeeded": succeeded,
        "failed": failed,
        "skipped": job.get("skipped"),
    }}))
}
