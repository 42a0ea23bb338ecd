//! What the directory alone answers: entities, counts, projects, members, webhooks; profiles are in `profiles`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::access::Project;
use super::super::fields::{Fields, refused};
use super::profiles;
use super::shapes;
use super::task::{Answered, Backend, unexpected};
use crate::directory::{Answer, Ask, Entity, Webhook};
use crate::memory::{OwnerKind, Problem};

/// The one organisation of a server.
pub(crate) const ORGANIZATION: &str = "edgemem";

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

pub(super) fn ok(body: Value) -> Answered {
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
            Admin::ProfileSettings => profiles::settings(backend).await,
            Admin::SetProfileSettings(fields) => profiles::set(fields, backend).await,
            Admin::Profile(id) => profiles::profile(&id, backend).await,
            Admin::ProfileJob(id) => profiles::job(&id, backend).await,
            Admin::StartProfiles {
                fields,
                idempotency_key,
            } => profiles::start(fields, idempotency_key, backend).await,
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
