//! What the directory alone answers: entities, counts, projects, members, webhooks, profiles.

use futures_util::stream::{self, StreamExt};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::fields::{Fields, refused};
use super::super::keys::Project;
use super::shapes;
use super::task::{AT_ONCE, Answered, Backend, unexpected};
use crate::directory::{Answer, Ask, Entity, Webhook};
use crate::memory::{EventStatus, Filter, Id, Owner, OwnerKind, Problem, Purpose};
use crate::operation::{Export, Operation, Reply};

/// The one organisation of a server.
pub(crate) const ORGANIZATION: &str = "edgemem";

/// Where profile settings are kept.
const PROFILES: &str = "profiles";

/// Users in one sample of profiles at most.
const MOST_SAMPLED: usize = 50;

/// A question to the directory, and how its answer is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Admin {
    Entities {
        page: usize,
        page_size: usize,
        address: String,
        oss: bool,
    },
    Entity(OwnerKind, String),
    Declare(OwnerKind, Map<String, Value>),
    Filters,
    Totals,
    Organizations,
    Organization,
    Projects,
    Project {
        project: String,
        fields: Vec<String>,
    },
    SetProject {
        project: String,
        fields: Map<String, Value>,
    },
    Members(String),
    AddMember(String, String, String),
    ChangeMember(String, String, String),
    RemoveMember(String, String),
    Webhooks(String),
    AddWebhook(String, Map<String, Value>),
    ChangeWebhook(String, Map<String, Value>),
    RemoveWebhook(String),
    ProfileSettings,
    SetProfileSettings(Map<String, Value>),
    Profile(String),
    ProfileJob(String),
    StartProfiles {
        fields: Map<String, Value>,
        idempotency_key: Option<String>,
    },
}

fn ok(body: Value) -> Answered {
    Ok((StatusCode::OK, body))
}

fn told(message: &str) -> Answered {
    ok(json!({"message": message}))
}

impl Admin {
    pub(super) async fn run(self, project: &Project, backend: &dyn Backend) -> Answered {
        match self {
            Admin::Entities {
                page,
                page_size,
                address,
                oss,
            } => entities(page, page_size, &address, oss, project, backend).await,
            Admin::Entity(kind, id) => {
                let found = entity_list(Ask::Entity { kind, id }, backend).await?;
                let found: Vec<Value> = found.iter().map(|it| entity(it, project)).collect();
                match found.is_empty() {
                    true => Err(Problem::new(404, "entity_not_found", "Entity not found")),
                    false => ok(json!(found)),
                }
            }
            Admin::Declare(kind, fields) => declare(kind, fields, project, backend).await,
            Admin::Filters => filters(backend).await,
            Admin::Totals => totals(backend).await,
            Admin::Organizations => ok(json!([organization(project)])),
            Admin::Organization => ok(organization(project)),
            Admin::Projects => ok(json!([shown_project(project, backend).await?])),
            Admin::Project {
                project: id,
                fields,
            } => {
                own(project, &id)?;
                let mut shown = shown_project(project, backend).await?;
                if let (false, Some(shown)) = (fields.is_empty(), shown.as_object_mut()) {
                    shown.retain(|name, _| fields.contains(name));
                }
                ok(shown)
            }
            Admin::SetProject {
                project: id,
                mut fields,
            } => {
                own(project, &id)?;
                // Clients name the organisation and the project in the body as well.
                for name in ["org_id", "project_id", "org_name", "project_name"] {
                    fields.remove(name);
                }
                backend.directory(Ask::SetProject { fields }).await?;
                told("Project updated successfully")
            }
            Admin::Members(id) => {
                own(project, &id)?;
                ok(json!({"members": members(project, backend).await?}))
            }
            Admin::AddMember(id, email, role) => {
                own(project, &id)?;
                put_member(email, role, true, backend).await?;
                told("User added to the project successfully.")
            }
            Admin::ChangeMember(id, email, role) => {
                own(project, &id)?;
                put_member(email, role, false, backend).await?;
                told("User role updated successfully.")
            }
            Admin::RemoveMember(id, email) => {
                own(project, &id)?;
                backend.directory(Ask::RemoveMember { email }).await?;
                told("Member removed from the project")
            }
            Admin::Webhooks(id) => {
                own(project, &id)?;
                let found = webhook_list(Ask::Webhooks, backend).await?;
                let shown = found.iter().map(|it| webhook(it, project, false));
                ok(shown.collect())
            }
            Admin::AddWebhook(id, fields) => {
                own(project, &id)?;
                let added = webhook_list(Ask::AddWebhook { fields }, backend).await?;
                let added = added.first().ok_or_else(unexpected)?;
                // Its secret is told once.
                Ok((StatusCode::CREATED, webhook(added, project, true)))
            }
            Admin::ChangeWebhook(id, fields) => {
                backend.directory(Ask::ChangeWebhook { id, fields }).await?;
                told("Webhook updated successfully")
            }
            Admin::RemoveWebhook(id) => {
                backend.directory(Ask::RemoveWebhook { id }).await?;
                told("Webhook deleted successfully")
            }
            Admin::ProfileSettings => ok(shown_settings(&kept(PROFILES, backend).await?)),
            Admin::SetProfileSettings(fields) => set_profiles(fields, backend).await,
            Admin::Profile(id) => profile(&id, backend).await,
            Admin::ProfileJob(id) => profile_job(&id, backend).await,
            Admin::StartProfiles {
                fields,
                idempotency_key,
            } => start_profiles(fields, idempotency_key, backend).await,
        }
    }
}

/// Refuses another project than the key's.
fn own(project: &Project, id: &str) -> Result<(), Problem> {
    match id == project.id {
        true => Ok(()),
        false => Err(Problem::new(
            404,
            "project_not_found",
            "Organization or project not found",
        )),
    }
}

async fn entity_list(ask: Ask, backend: &dyn Backend) -> Result<Vec<Entity>, Problem> {
    match backend.directory(ask).await? {
        Answer::Entities(page) => Ok(page.items),
        _ => Err(unexpected()),
    }
}

async fn webhook_list(ask: Ask, backend: &dyn Backend) -> Result<Vec<Webhook>, Problem> {
    match backend.directory(ask).await? {
        Answer::Webhooks(all) => Ok(all),
        _ => Err(unexpected()),
    }
}

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

fn entity(entity: &Entity, project: &Project) -> Value {
    json!({
        "id": entity.number().to_string(),
        "name": entity.id,
        "type": entity.kind,
        "owner": project.email(),
        "metadata": entity.metadata,
        "total_memories": entity.memories,
        "created_at": entity.created_at,
        "updated_at": entity.updated_at,
    })
}

async fn entities(
    page: usize,
    page_size: usize,
    address: &str,
    oss: bool,
    project: &Project,
    backend: &dyn Backend,
) -> Answered {
    let Answer::Entities(found) = backend.directory(Ask::Entities { page, page_size }).await?
    else {
        return Err(unexpected());
    };
    if oss {
        let shown = found.items.iter().map(|entity| {
            json!({
                "id": entity.id,
                "type": entity.kind,
                "total_memories": entity.memories,
                "created_at": entity.created_at,
                "updated_at": entity.updated_at,
            })
        });
        return ok(shown.collect());
    }
    let Answer::Totals(totals) = backend.directory(Ask::Totals).await? else {
        return Err(unexpected());
    };
    let [users, agents, apps, runs] = totals.entities;
    let results = found.items.iter().map(|it| entity(it, project)).collect();
    let fields = [
        ("results", results),
        ("total_users", json!(users)),
        ("total_agents", json!(agents)),
        ("total_apps", json!(apps)),
        ("total_runs", json!(runs)),
    ];
    let address = format!("{address}?");
    ok(shapes::paged(
        found.total,
        &address,
        (page, page_size),
        fields,
    ))
}

async fn declare(
    kind: OwnerKind,
    fields: Map<String, Value>,
    project: &Project,
    backend: &dyn Backend,
) -> Answered {
    let fields = Fields::of_object(fields);
    let field = format!("{}_id", kind.as_str());
    let id = fields.text(&field)?;
    let id = id.ok_or_else(|| refused("missing_field", format!("give its `{field}`")))?;
    let metadata = fields.object("metadata")?.cloned().unwrap_or_default();
    let ask = Ask::Declare {
        kind,
        id: id.trim().to_owned(),
        metadata: Value::Object(metadata),
    };
    let declared = entity_list(ask, backend).await?;
    let declared = declared.first().ok_or_else(unexpected)?;
    let mut body = json!({
        "id": declared.number(),
        "name": fields.text("name")?.unwrap_or_else(|| declared.id.clone()),
        "metadata": declared.metadata,
        "created_at": declared.created_at,
        "updated_at": declared.updated_at,
        "graph_entities": null,
        "is_deleted": false,
        "project": Entity::number_of(OwnerKind::App, &project.id),
    });
    if let Some(body) = body.as_object_mut() {
        body.insert(field, json!(declared.id));
    }
    Ok((StatusCode::CREATED, body))
}

async fn filters(backend: &dyn Backend) -> Answered {
    let ask = Ask::Entities {
        page: 1,
        page_size: 1_000,
    };
    let found = entity_list(ask, backend).await?;
    let users = found.iter().filter(|it| it.kind == OwnerKind::User);
    let users: Vec<&str> = users.map(|it| it.id.as_str()).collect();
    let Answer::Settings(settings) = backend.directory(Ask::Settings).await? else {
        return Err(unexpected());
    };
    let own = settings.categories.iter();
    let mut categories: Vec<&str> = own.map(|category| category.name.as_str()).collect();
    if categories.is_empty() {
        categories = crate::pipeline::extract::CATEGORIES.to_vec();
    }
    ok(json!({
        "event_type": ["ADD", "UPDATE", "DELETE"],
        "categories": categories,
        "users": users,
        "parameters": [],
    }))
}

async fn totals(backend: &dyn Backend) -> Answered {
    let Answer::Totals(totals) = backend.directory(Ask::Totals).await? else {
        return Err(unexpected());
    };
    let [users, agents, _, runs] = totals.entities;
    let [of_users, of_agents, _, of_runs] = totals.memories_under;
    let each = |memories: usize, entities: usize| memories.checked_div(entities).unwrap_or(0);
    ok(json!({
        "total_memories": totals.memories,
        "total_add_events": totals.adds,
        // Searches are not counted: each would cost a write.
        "total_retrieval_events": null,
        "total_api_retrieval_events": null,
        "total_retrieval_events_limit": null,
        "total_users_with_memories": users,
        "total_agents_with_memories": agents,
        "total_runs_with_memories": runs,
        "memories_per_user": each(of_users, users),
        "memories_per_agent": each(of_agents, agents),
        "memories_per_run": each(of_runs, runs),
    }))
}

fn organization(project: &Project) -> Value {
    json!({
        "org_id": ORGANIZATION,
        "name": ORGANIZATION,
        "members": [owner_of(project)],
        "is_default": true,
        "byok_enabled": true,
        "invitations": [],
        "is_owner": true,
        "user_role": "OWNER",
    })
}

fn owner_of(project: &Project) -> Value {
    json!({"username": project.id, "role": "OWNER", "email": project.email()})
}

async fn members(project: &Project, backend: &dyn Backend) -> Result<Vec<Value>, Problem> {
    let Answer::Members(found) = backend.directory(Ask::Members).await? else {
        return Err(unexpected());
    };
    let others = found.into_iter().map(|(email, role)| {
        let username = email.split('@').next().unwrap_or_default();
        json!({"username": username, "role": role, "email": email})
    });
    Ok(std::iter::once(owner_of(project)).chain(others).collect())
}

async fn put_member(
    email: String,
    role: String,
    new: bool,
    backend: &dyn Backend,
) -> Result<(), Problem> {
    let ask = Ask::PutMember { email, role, new };
    backend.directory(ask).await.map(drop)
}

async fn shown_project(project: &Project, backend: &dyn Backend) -> Result<Value, Problem> {
    let members = members(project, backend).await?;
    let Answer::Value(mut shown) = backend.directory(Ask::Project).await? else {
        return Err(unexpected());
    };
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("project_id".to_owned(), json!(project.id));
        fields.insert("org_id".to_owned(), json!(ORGANIZATION));
        fields.insert("members".to_owned(), json!(members));
        fields.insert("user_role".to_owned(), json!("OWNER"));
    }
    Ok(shown)
}

fn webhook(webhook: &Webhook, project: &Project, with_secret: bool) -> Value {
    let mut body = json!({
        "webhook_id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "event_types": webhook.event_types,
        "owner": project.id,
        "project": project.id,
        "is_active": webhook.is_active,
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    });
    if let (true, Some(body)) = (with_secret, body.as_object_mut()) {
        body.insert("secret".to_owned(), json!(webhook.secret));
    }
    body
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

async fn set_profiles(given: Map<String, Value>, backend: &dyn Backend) -> Answered {
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

async fn profile(id: &str, backend: &dyn Backend) -> Answered {
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

async fn start_profiles(
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

async fn profile_job(id: &str, backend: &dyn Backend) -> Answered {
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
