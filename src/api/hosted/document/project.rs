//! What is published of the project: its settings and members, whom it tells, and profiles of its users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::answers::{Done, Time, Uuid};
use super::questions::OwnerKind;
use super::{Endpoint, delete, get, patch, post, put};

/// The routes.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        get("/v1/entities/filters/", "list_filters", "By what memories can be chosen")
            .answers::<Choices>(),
        post("/v1/users/", "declare_user", "Make a user known before anything is remembered for them; /v1/agents/, /v1/apps/ and /v1/runs/ do so for these")
            .takes::<Declare>(json!({"user_id": super::ALICE, "metadata": {"plan": "pro"}}))
            .answers::<Declared>()
            .created()
            .may_refuse(&[413, 507]),
        delete("/v1/entities/{entity_type}/{entity_number}/", "delete_owner_by_number", "Erase a user, an agent, an app or a run by its number")
            .at::<OwnerNumber>()
            .answers::<Done>()
            .may_refuse(&[404, 507]),
        get("/api/v1/orgs/organizations/", "list_organizations", "The organisations of the key: one")
            .answers::<Vec<Organization>>(),
        get("/api/v1/orgs/organizations/{org_id}/", "get_organization", "The organisation, whatever it is called")
            .at::<OfOrganization>()
            .answers::<Organization>(),
        get("/api/v1/orgs/organizations/{org_id}/projects/", "list_projects", "The projects of the key: its own")
            .at::<OfOrganization>()
            .answers::<Vec<Project>>(),
        get("/api/v1/orgs/organizations/{org_id}/projects/{project_id}/", "get_project", "What is set for the project")
            .at::<OfProject>()
            .asks::<Fields>(json!({}))
            .answers::<Project>()
            .may_refuse(&[404]),
        patch("/api/v1/orgs/organizations/{org_id}/projects/{project_id}/", "update_project", "Say what is to be extracted of all that is added from now on")
            .at::<OfProject>()
            .takes::<Settings>(json!({"custom_instructions": "Remember what people eat."}))
            .answers::<Done>()
            .may_refuse(&[404, 413, 507]),
        delete("/api/v1/orgs/organizations/{org_id}/projects/{project_id}/", "delete_project", "Erase all memories and settings of the project; its key stays good")
            .at::<OfProject>()
            .answers::<Done>()
            .may_refuse(&[404, 507]),
        get("/api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/", "list_members", "Who is named as a member; who may ask is said by keys alone")
            .at::<OfProject>()
            .answers::<Members>()
            .may_refuse(&[404]),
        post("/api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/", "add_member", "Name a member")
            .at::<OfProject>()
            .takes::<Named>(json!({"email": "bob@example.com", "role": "READER"}))
            .answers::<Done>()
            .may_refuse(&[404, 413, 507]),
        put("/api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/", "change_member", "Give a member another role")
            .at::<OfProject>()
            .takes::<Named>(json!({"email": "bob@example.com", "role": "OWNER"}))
            .answers::<Done>()
            .may_refuse(&[404, 413, 507]),
        delete("/api/v1/orgs/organizations/{org_id}/projects/{project_id}/members/", "remove_member", "Name somebody no more")
            .at::<OfProject>()
            .asks::<Email>(json!({"email": "bob@example.com"}))
            .answers::<Done>()
            .may_refuse(&[404, 507]),
        get("/api/v1/webhooks/projects/{project_id}/", "list_webhooks", "Who is told of changes")
            .at::<WebhooksOf>()
            .answers::<Vec<Webhook>>()
            .may_refuse(&[404]),
        post("/api/v1/webhooks/projects/{project_id}/", "add_webhook", "Have an address told of changes, signed with the secret that this answers once")
            .at::<WebhooksOf>()
            .takes::<NewWebhook>(json!({
                "name": "Audit", "url": "https://example.com/memories", "event_types": ["memory_add"],
            }))
            .answers::<Webhook>()
            .created()
            .may_refuse(&[404, 413, 507]),
        put("/api/v1/webhooks/{webhook_id}/", "change_webhook", "Change what a webhook is told, or where")
            .at::<WebhookId>()
            .takes::<ChangedWebhook>(json!({"is_active": false}))
            .answers::<Done>()
            .may_refuse(&[404, 413, 507]),
        delete("/api/v1/webhooks/{webhook_id}/", "remove_webhook", "Tell an address no more")
            .at::<WebhookId>()
            .answers::<Done>()
            .may_refuse(&[404, 507]),
        get("/v2/profiles/settings/", "get_profile_settings", "What a profile is to hold")
            .answers::<ProfileSettings>(),
        post("/v2/profiles/settings/", "update_profile_settings", "Say what a profile is to hold, and whether any are made")
            .takes::<NewProfileSettings>(json!({"enabled": true}))
            .answers::<ProfileSettings>()
            .may_refuse(&[413, 507]),
        post("/v2/profiles/jobs/", "make_profiles", "Have profiles of one user, or of some, made")
            .takes::<ProfileJob>(json!({"operation": "trigger", "entity_type": "user", "entity_id": super::ALICE}))
            .answers::<ProfileJobStarted>()
            .may_refuse(&[409, 413, 507]),
        get("/v2/profiles/jobs/{job_id}/", "get_profile_job", "How far the making of profiles is")
            .at::<JobId>()
            .answers::<ProfileJobState>()
            .may_refuse(&[404]),
        get("/v2/entities/user/{user_id}/profile/", "get_profile", "The profile of a user")
            .at::<UserId>()
            .answers::<Profile>(),
    ]
}

/// By what memories can be chosen.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Choices {
    /// What happens to memories.
    event_type: Vec<String>,
    categories: Vec<String>,
    /// The ids of the first thousand.
    users: Vec<String>,
    parameters: Vec<Value>,
}

/// A user to be known.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Declare {
    #[schemars(length(min = 1, max = 256))]
    user_id: String,
    /// Your own fields.
    metadata: Option<Map<String, Value>>,
    name: Option<String>,
}

/// A user, an agent, an app or a run that was made known.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Declared {
    /// Its number.
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    name: String,
    metadata: Map<String, Value>,
    created_at: Time,
    updated_at: Time,
    graph_entities: Option<Value>,
    is_deleted: bool,
    project: u64,
}

/// A user, an agent, an app or a run by its number.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct OwnerNumber {
    entity_type: OwnerKind,
    /// The `id` in the list of them.
    entity_number: u64,
}

/// The organisation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct OfOrganization {
    /// Any name: a server has one.
    #[schemars(length(min = 1))]
    org_id: String,
}

/// The project of the key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct OfProject {
    /// Any name: a server has one.
    #[schemars(length(min = 1))]
    org_id: String,
    /// The project's name, which `GET /v1/ping/` answers.
    #[schemars(length(min = 1))]
    project_id: String,
}

/// An organisation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Organization {
    org_id: String,
    name: String,
    members: Vec<Member>,
    is_default: bool,
    byok_enabled: bool,
    invitations: Vec<Value>,
    is_owner: bool,
    user_role: String,
}

/// Somebody who is named as a member.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Member {
    username: String,
    /// `OWNER` or `READER`.
    role: String,
    email: String,
}

/// Who is named.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Members {
    members: Vec<Member>,
}

/// What is set for a project. `fields` may have cut it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = super::answers::may_be_cut)]
struct Project {
    project_id: String,
    org_id: String,
    name: String,
    /// A text, or a list of texts.
    custom_instructions: Value,
    /// The same, for what is remembered for an agent alone.
    agent_custom_instructions: Value,
    /// What to remember only.
    inclusion_prompt: Value,
    /// What not to remember.
    exclusion_prompt: Value,
    custom_categories: Vec<Map<String, Value>>,
    members: Vec<Member>,
    user_role: String,
    created_at: Time,
    updated_at: Time,
}

/// Which of the fields to answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Fields {
    fields: Option<Vec<String>>,
}

/// What to set. Other fields are kept and shown.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Settings {
    /// What to extract, in your words.
    custom_instructions: Option<String>,
    /// The same, for what is remembered for an agent alone.
    agent_custom_instructions: Option<String>,
    /// What to remember only.
    inclusion_prompt: Option<String>,
    /// What not to remember.
    exclusion_prompt: Option<String>,
    /// The topics to choose from: a name and a description each.
    custom_categories: Option<Vec<Map<String, Value>>>,
}

/// A member.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Named {
    #[schemars(length(min = 1, max = 320))]
    email: String,
    /// `READER` or `OWNER`.
    role: Option<String>,
}

/// A member.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Email {
    #[schemars(length(min = 1, max = 320))]
    email: String,
}

/// The project of the key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct WebhooksOf {
    /// The project's name, which `GET /v1/ping/` answers.
    #[schemars(length(min = 1))]
    project_id: String,
}

/// A webhook by its id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct WebhookId {
    /// The webhook's id.
    #[schemars(length(min = 1))]
    webhook_id: String,
}

/// Whom to tell of what.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct NewWebhook {
    name: String,
    /// A public address of HTTPS.
    #[schemars(extend("format" = "uri"))]
    url: String,
    /// `memory_add`, `memory_update`, `memory_delete`, `memory_categorize`.
    event_types: Vec<String>,
    is_active: Option<bool>,
}

/// What to change of a webhook.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ChangedWebhook {
    name: Option<String>,
    /// A public address of HTTPS.
    #[schemars(extend("format" = "uri"))]
    url: Option<String>,
    /// `memory_add`, `memory_update`, `memory_delete`, `memory_categorize`.
    event_types: Option<Vec<String>>,
    is_active: Option<bool>,
}

/// Who is told of what.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Webhook {
    webhook_id: String,
    name: String,
    url: String,
    event_types: Vec<String>,
    owner: String,
    project: String,
    is_active: bool,
    created_at: Time,
    updated_at: Time,
    /// What signs each request; told when it is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// What a profile holds.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfileSettings {
    enabled: bool,
    capabilities: Map<String, Value>,
    entities: ProfiledAnswer,
}

/// What is said of each kind: of users.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfiledAnswer {
    user: ProfileAnswer,
}

/// What a profile of a user holds.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfileAnswer {
    /// A JSON schema.
    schema: Map<String, Value>,
    custom_instructions: Option<String>,
}

/// What a profile is to hold.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct NewProfileSettings {
    /// Whether profiles are made.
    enabled: Option<bool>,
    entities: Option<Profiled>,
}

/// What is said of each kind: of users.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Profiled {
    user: Option<ProfileOf>,
}

/// What a profile of a user is to hold.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfileOf {
    /// A JSON schema; the usual one when null.
    schema: Option<Map<String, Value>>,
    /// How to fill it, in your words.
    custom_instructions: Option<String>,
}

/// Whose profiles to make.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfileJob {
    /// `trigger`: of one user; `sample`: of some.
    operation: String,
    /// `user`.
    entity_type: Option<String>,
    /// Of `trigger`: the user.
    entity_id: Option<String>,
    /// Of `sample`: how many.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u32>,
}

/// That profiles are being made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfileJobStarted {
    /// To ask how far it is.
    job_id: Uuid,
    status: String,
    status_url: String,
    operation: String,
    entity_type: String,
    entity_count_reserved: u64,
    event_id: Uuid,
    /// Whether the same `Idempotency-Key` was given before.
    replayed: bool,
    sampled: u64,
    entity_ids: Vec<String>,
}

/// The making of profiles by its id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct JobId {
    /// From the answer of its start.
    #[schemars(length(min = 1))]
    job_id: String,
}

/// How far the making of profiles is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfileJobState {
    job: ProfileJobCounts,
}

/// What is made and what is not.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ProfileJobCounts {
    id: Uuid,
    operation: String,
    entity_type: String,
    /// `running`, `succeeded`, `failed` or `partially_completed`.
    status: String,
    total: u64,
    enumeration_complete: bool,
    completed: u64,
    succeeded: u64,
    failed: u64,
    /// Users of whom nothing is remembered.
    skipped: u64,
}

/// A user.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct UserId {
    /// The user.
    #[schemars(length(min = 1, max = 256))]
    user_id: String,
}

/// The profile of a user.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Profile {
    /// A value of the schema, when it is made.
    profile: Option<Value>,
    /// `not_enabled`, `insufficient_data`, `pending`, `succeeded` or `failed`.
    status: String,
    entity_type: String,
    entity_id: String,
    updated_at: Option<Time>,
    generation_count: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}
