//! The routes that more than one space, or the directory, answers.

use http::HeaderMap;
use serde_json::Value;

use super::super::fields::{Fields, refused};
use super::super::wire::Target;
use super::admin::Admin;
use super::doors::{self, Doors};
use super::task::{self, Name, Task};
use crate::memory::{OwnerKind, Problem};

/// What a path and method stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wide {
    /// `PUT /v1/batch/`
    BatchUpdate,
    /// `DELETE /v1/batch/`
    BatchDelete,
    /// `GET /v1/entities/`
    Entities,
    /// `GET /v1/entities/filters/`
    EntityFilters,
    /// `GET /v2/entities/{entity_type}/{entity_id}/`
    Entity(String, String),
    /// `DELETE /v2/entities/{entity_type}/{entity_id}/`
    DeleteEntity(String, String),
    /// `DELETE /v1/entities/{entity_type}/{entity_number}/`
    DeleteNumbered(String, String),
    /// `POST /v1/users/`
    Declare(OwnerKind),
    /// `GET /v1/events/`
    Events,
    /// `GET /api/v1/orgs/organizations/`
    Organizations,
    /// `GET /api/v1/orgs/organizations/{org_id}/`
    Organization,
    /// `GET /api/v1/orgs/organizations/{org_id}/projects/`
    Projects,
    /// `POST /api/v1/orgs/organizations/{org_id}/projects/`
    CreateProject,
    /// `GET /api/v1/orgs/organizations/{org_id}/projects/{project_id}/`
    Project(String),
    /// `PATCH /api/v1/orgs/organizations/{org_id}/projects/{project_id}/`
    SetProject(String),
    /// `DELETE /api/v1/orgs/organizations/{org_id}/projects/{project_id}/`
    DeleteProject(String),
    /// `GET /api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/`
    Members(String),
    /// `POST /api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/`
    AddMember(String),
    /// `PUT /api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/`
    ChangeMember(String),
    /// `DELETE /api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/`
    RemoveMember(String),
    /// `GET /api/v1/webhooks/projects/{project_id}/`
    Webhooks(String),
    /// `POST /api/v1/webhooks/projects/{project_id}/`
    AddWebhook(String),
    /// `PUT /api/v1/webhooks/{webhook_id}/`
    ChangeWebhook(String),
    /// `DELETE /api/v1/webhooks/{webhook_id}/`
    RemoveWebhook(String),
    /// `GET /v2/entities/user/{user_id}/profile/`
    Profile(String),
    /// `POST /v2/profiles/jobs/`
    StartProfiles,
    /// `GET /v2/profiles/jobs/{job_id}/`
    ProfileJob(String),
    /// `GET /v2/profiles/settings/`
    ProfileSettings,
    /// `POST /v2/profiles/settings/`
    SetProfileSettings,
    /// `GET /v1/keys/`
    Keys,
    /// `POST /v1/keys/`
    MakeKey,
    /// `DELETE /v1/keys/{key_id}/`
    RevokeKey(String),
    /// `POST /v1/tokens/`
    MakeToken,
    /// The self-hosted `GET /entities`
    OssEntities,
    /// The self-hosted `POST /reset`
    OssReset,
}

/// The route of a path, and the methods that it has.
pub(super) fn route(verb: &str, parts: &[&str]) -> Option<(Option<Wide>, &'static str)> {
    let is = |wanted: &str| verb == wanted;
    let own = |text: &str| text.to_owned();
    Some(match parts {
        ["v1", "batch"] => (
            match verb {
                "PUT" => Some(Wide::BatchUpdate),
                "DELETE" => Some(Wide::BatchDelete),
                _ => None,
            },
            "PUT, DELETE",
        ),
        ["v1", "entities"] => (is("GET").then_some(Wide::Entities), "GET"),
        ["v1", "entities", "filters"] => (is("GET").then_some(Wide::EntityFilters), "GET"),
        ["v1", "entities", kind, id] => (
            is("DELETE").then(|| Wide::DeleteNumbered(own(kind), own(id))),
            "DELETE",
        ),
        ["v2", "entities", kind, id] => (
            match verb {
                "GET" => Some(Wide::Entity(own(kind), own(id))),
                "DELETE" => Some(Wide::DeleteEntity(own(kind), own(id))),
                _ => None,
            },
            "GET, DELETE",
        ),
        ["v2", "entities", "user", id, "profile"] => {
            (is("GET").then(|| Wide::Profile(own(id))), "GET")
        }
        // An older client does not escape the slashes in a name.
        ["v2", "entities", kind, id @ ..] if id.len() > 1 => (
            is("DELETE").then(|| Wide::DeleteEntity(own(kind), id.join("/"))),
            "DELETE",
        ),
        ["v2", "profiles", "jobs"] => (is("POST").then_some(Wide::StartProfiles), "POST"),
        ["v2", "profiles", "jobs", id] => (is("GET").then(|| Wide::ProfileJob(own(id))), "GET"),
        ["v2", "profiles", "settings"] => (
            match verb {
                "GET" => Some(Wide::ProfileSettings),
                "POST" | "PUT" | "PATCH" => Some(Wide::SetProfileSettings),
                _ => None,
            },
            "GET, POST",
        ),
        ["v1", kind @ ("users" | "agents" | "apps" | "runs")] => (
            is("POST")
                .then(|| kind_of(kind.trim_end_matches('s')).map(Wide::Declare))
                .flatten(),
            "POST",
        ),
        ["v1", "keys"] => (
            match verb {
                "GET" => Some(Wide::Keys),
                "POST" => Some(Wide::MakeKey),
                _ => None,
            },
            "GET, POST",
        ),
        ["v1", "keys", id] => (is("DELETE").then(|| Wide::RevokeKey(own(id))), "DELETE"),
        ["v1", "tokens"] => (is("POST").then_some(Wide::MakeToken), "POST"),
        ["v1", "events"] => (is("GET").then_some(Wide::Events), "GET"),
        ["api", "v1", "orgs", "organizations", rest @ ..] => organizations(verb, rest)?,
        ["api", "v1", "webhooks", "projects", project] => (
            match verb {
                "GET" => Some(Wide::Webhooks(own(project))),
                "POST" => Some(Wide::AddWebhook(own(project))),
                _ => None,
            },
            "GET, POST",
        ),
        ["api", "v1", "webhooks", id] => (
            match verb {
                "PUT" => Some(Wide::ChangeWebhook(own(id))),
                "DELETE" => Some(Wide::RemoveWebhook(own(id))),
                _ => None,
            },
            "PUT, DELETE",
        ),
        ["entities"] => (is("GET").then_some(Wide::OssEntities), "GET"),
        ["entities", kind, id] => (
            is("DELETE").then(|| Wide::DeleteEntity(own(kind), own(id))),
            "DELETE",
        ),
        ["reset"] => (is("POST").then_some(Wide::OssReset), "POST"),
        _ => return None,
    })
}

/// Below `/api/v1/orgs/organizations/`. A server has one organisation, whatever a client calls it.
fn organizations(verb: &str, parts: &[&str]) -> Option<(Option<Wide>, &'static str)> {
    let own = |text: &str| text.to_owned();
    Some(match parts {
        [] => ((verb == "GET").then_some(Wide::Organizations), "GET"),
        [_] => ((verb == "GET").then_some(Wide::Organization), "GET"),
        [_, "projects"] => (
            match verb {
                "GET" => Some(Wide::Projects),
                "POST" => Some(Wide::CreateProject),
                _ => None,
            },
            "GET, POST",
        ),
        [_, "projects", project] => (
            match verb {
                "GET" => Some(Wide::Project(own(project))),
                "PATCH" => Some(Wide::SetProject(own(project))),
                "DELETE" => Some(Wide::DeleteProject(own(project))),
                _ => None,
            },
            "GET, PATCH, DELETE",
        ),
        [_, "projects", project, "members"] => (
            match verb {
                "GET" => Some(Wide::Members(own(project))),
                "POST" => Some(Wide::AddMember(own(project))),
                "PUT" => Some(Wide::ChangeMember(own(project))),
                "DELETE" => Some(Wide::RemoveMember(own(project))),
                _ => None,
            },
            "GET, POST, PUT, DELETE",
        ),
        _ => return None,
    })
}

/// The kind of an owner by its name.
pub(super) fn kind_of(name: &str) -> Option<OwnerKind> {
    OwnerKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == name)
}

fn kind_in(path: &str) -> Result<OwnerKind, Problem> {
    kind_of(path).ok_or_else(|| refused("bad_entity_type", "Invalid entity type"))
}

/// Reads a request of such a route.
pub(super) fn read(
    wide: &Wide,
    target: &Target<'_>,
    headers: &HeaderMap,
    body: &[u8],
    project: &str,
) -> Result<Task, Problem> {
    let fields = || {
        let query = Fields::of_query(target.query);
        Fields::of_body(body).map(|body| query.or(body))
    };
    let map = || Fields::of_body(body).map(Fields::into_map);
    let member = || -> Result<(String, String), Problem> {
        let fields = fields()?;
        let email = fields.text("email")?;
        let email = email.ok_or_else(|| refused("missing_field", "give the member's `email`"))?;
        Ok((
            email,
            fields.text("role")?.unwrap_or_else(|| "READER".into()),
        ))
    };
    let of = |admin: Admin| Ok(Task::Of(Box::new(admin)));
    match wide {
        Wide::BatchUpdate => task::batch(&fields()?, "updated"),
        Wide::BatchDelete => task::batch(&fields()?, "deleted"),
        Wide::Entities | Wide::OssEntities => {
            let fields = fields()?;
            let oss = *wide == Wide::OssEntities;
            of(Admin::Entities {
                page: fields.count("page", 1, u32::MAX as usize)?.unwrap_or(1),
                page_size: fields.count("page_size", 1, 10_000)?.unwrap_or(if oss {
                    10_000
                } else {
                    100
                }),
                address: target.address.clone(),
                oss,
            })
        }
        Wide::EntityFilters => of(Admin::Filters),
        Wide::Entity(kind, id) => of(Admin::Entity(kind_in(kind)?, id.clone())),
        Wide::DeleteEntity(kind, id) => Ok(Task::DeleteEntity {
            kind: kind_in(kind)?,
            name: Name::Id(id.clone()),
        }),
        Wide::DeleteNumbered(kind, id) => {
            Ok(Task::DeleteEntity {
                kind: kind_in(kind)?,
                name: Name::Number(id.parse().map_err(|_| {
                    refused("bad_entity_id", "Invalid entity ID. Must be an integer.")
                })?),
            })
        }
        Wide::Declare(kind) => of(Admin::Declare(*kind, map()?)),
        Wide::Events => {
            let fields = fields()?;
            Ok(Task::Events {
                page: fields.count("page", 1, u32::MAX as usize)?.unwrap_or(1),
                page_size: fields.count("page_size", 1, 200)?.unwrap_or(100),
                address: target.address.clone(),
            })
        }
        Wide::Organizations => of(Admin::Organizations),
        Wide::Organization => of(Admin::Organization),
        Wide::Projects => of(Admin::Projects),
        Wide::CreateProject => Err(Problem::new(
            403,
            "projects_are_keys",
            "Unauthorized to create projects in this organization: a project here is the name before a \
             key in EDGEMEM_API_KEYS",
        )),
        Wide::Project(id) => of(Admin::Project {
            project: id.clone(),
            fields: fields()?.texts("fields")?,
        }),
        Wide::SetProject(id) => of(Admin::SetProject {
            project: id.clone(),
            fields: map()?,
        }),
        Wide::DeleteProject(id) => match id == project {
            true => Ok(Task::DeleteAll {
                settings: true,
                message: "Project and related data deleted successfully.",
            }),
            false => Err(Problem::new(
                404,
                "project_not_found",
                "Organization or project not found",
            )),
        },
        Wide::Members(id) => of(Admin::Members(id.clone())),
        Wide::AddMember(id) => {
            let (email, role) = member()?;
            of(Admin::AddMember(id.clone(), email, role))
        }
        Wide::ChangeMember(id) => {
            let (email, role) = member()?;
            of(Admin::ChangeMember(id.clone(), email, role))
        }
        Wide::RemoveMember(id) => of(Admin::RemoveMember(id.clone(), member()?.0)),
        Wide::Webhooks(id) => of(Admin::Webhooks(id.clone())),
        Wide::AddWebhook(id) => of(Admin::AddWebhook(id.clone(), map()?)),
        Wide::ChangeWebhook(id) => of(Admin::ChangeWebhook(id.clone(), map()?)),
        Wide::RemoveWebhook(id) => of(Admin::RemoveWebhook(id.clone())),
        Wide::Profile(id) => of(Admin::Profile(id.clone())),
        Wide::StartProfiles => {
            let key = headers.get("idempotency-key");
            let key = key.and_then(|key| key.to_str().ok()).map(str::to_owned);
            of(Admin::StartProfiles {
                fields: map()?,
                idempotency_key: key,
            })
        }
        Wide::ProfileJob(id) => of(Admin::ProfileJob(id.clone())),
        Wide::ProfileSettings => of(Admin::ProfileSettings),
        Wide::SetProfileSettings => of(Admin::SetProfileSettings(map()?)),
        Wide::Keys => Ok(Task::Doors(Doors::Keys)),
        Wide::MakeKey => doors::new_key(&Fields::of_body(body)?).map(Task::Doors),
        Wide::RevokeKey(id) => Ok(Task::Doors(Doors::RevokeKey(id.clone()))),
        Wide::MakeToken => doors::new_token(&Fields::of_body(body)?).map(Task::Doors),
        Wide::OssReset => Ok(Task::DeleteAll {
            settings: false,
            message: "All memories reset",
        }),
    }
}

/// Whether a request names anybody.
pub(super) fn names_somebody(fields: &Fields) -> bool {
    let is_set = |name: &str| fields.get(name).is_some_and(|value| *value != "");
    fields
        .names()
        .any(|name| super::scope::is_id(name) && is_set(name))
        || is_set("filters")
}

/// Whether a request asks for any user, any agent, any app and any run: for all that there is.
pub(super) fn names_everybody(fields: &Fields) -> bool {
    let is_any = |kind: OwnerKind| {
        let name = format!("{}_id", kind.as_str());
        fields.get(&name) == Some(&Value::from("*"))
    };
    OwnerKind::ALL.into_iter().all(is_any)
}
