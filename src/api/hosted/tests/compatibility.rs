//! The table of what clients of mem0 can ask, and what becomes of it: the source of `docs/compatibility.md`.

use std::fmt::Write as _;

use http::Method;

use super::super::served;

/// What becomes of a call or a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Works,
    Ignored,
    NotOffered,
}

use State::{Ignored, NotOffered, Works};

/// A method, a path, who calls it, what becomes of it, and what differs.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    State,
    &'static str,
);

/// The hosted contract.
const HOSTED: &[Row] = &[
    (
        "GET",
        "/v1/ping/",
        "every client, when it is made",
        Works,
        "",
    ),
    (
        "POST",
        "/v3/memories/add/",
        "add",
        Works,
        "with an LLM a job, without one verbatim",
    ),
    (
        "POST",
        "/v3/memories/",
        "get_all",
        Works,
        "`*` and several owners: page by page, one owner after the other",
    ),
    (
        "POST",
        "/v3/memories/search/",
        "search",
        Works,
        "one owner: one object is asked; `*` and several: all of them",
    ),
    ("GET", "/v1/memories/{id}/", "get", Works, ""),
    (
        "PUT",
        "/v1/memories/{id}/",
        "update",
        Works,
        "an immutable memory: 409",
    ),
    (
        "DELETE",
        "/v1/memories/{id}/",
        "delete",
        Works,
        "`delete_linked`: also what came from the same messages",
    ),
    (
        "DELETE",
        "/v1/memories/",
        "delete_all",
        Works,
        "done when it is answered; an unknown condition deletes nothing",
    ),
    ("GET", "/v1/memories/{id}/history/", "history", Works, ""),
    (
        "GET",
        "/v1/entities/",
        "users",
        Works,
        "known a moment after the first add",
    ),
    (
        "GET",
        "/v1/entities/filters/",
        "REST",
        Works,
        "without the dashboard's fields",
    ),
    ("DELETE", "/v1/entities/user/7/", "deleteUser", Works, ""),
    ("GET", "/v2/entities/user/{id}/", "REST", Works, ""),
    (
        "DELETE",
        "/v2/entities/user/{id}/",
        "delete_users, reset",
        Works,
        "done when it is answered",
    ),
    (
        "PUT",
        "/v1/batch/",
        "batch_update",
        Works,
        "ids that are not there are named in `failed`; 404 if all are",
    ),
    ("DELETE", "/v1/batch/", "batch_delete", Works, "the same"),
    (
        "POST",
        "/v1/exports/",
        "create_memory_export",
        Works,
        "by the LLM; without one by rules, for flat schemas",
    ),
    (
        "POST",
        "/v1/exports/get/",
        "get_memory_export",
        Works,
        "an erased memory takes the owner's exports with it",
    ),
    (
        "POST",
        "/v1/summary/",
        "get_summary",
        Works,
        "the running summaries of the owner's conversations",
    ),
    (
        "POST",
        "/v1/feedback/",
        "feedback",
        Works,
        "changes the order; VERY_NEGATIVE retires; both resolve contradictions",
    ),
    (
        "GET",
        "/api/v1/orgs/organizations/",
        "REST",
        Works,
        "one organisation, `edgemem`; its name in paths does not matter",
    ),
    (
        "POST",
        "/api/v1/orgs/organizations/",
        "REST",
        NotOffered,
        "an organisation is a deployment",
    ),
    (
        "GET",
        "/api/v1/orgs/organizations/{org}/",
        "REST",
        Works,
        "",
    ),
    (
        "GET",
        "/api/v1/orgs/organizations/{org}/members/",
        "REST",
        NotOffered,
        "members are a project's",
    ),
    (
        "GET",
        "/api/v1/orgs/organizations/{org}/projects/",
        "REST",
        Works,
        "the key's own",
    ),
    (
        "POST",
        "/api/v1/orgs/organizations/{org}/projects/",
        "project.create",
        Works,
        "403: projects are made with their keys, in EDGEMEM_API_KEYS",
    ),
    (
        "GET",
        "/api/v1/orgs/organizations/{org}/projects/{project}/",
        "project.get, get_project",
        Works,
        "",
    ),
    (
        "PATCH",
        "/api/v1/orgs/organizations/{org}/projects/{project}/",
        "project.update, update_project",
        Works,
        "instructions, prompts and categories take effect with the next extraction; other fields are kept and shown",
    ),
    (
        "DELETE",
        "/api/v1/orgs/organizations/{org}/projects/{project}/",
        "project.delete",
        Works,
        "erases every memory and setting; the key stays",
    ),
    (
        "GET",
        "/api/v1/orgs/organizations/{org}/projects/{project}/members/",
        "project.get_members",
        Works,
        "the owner and who was added",
    ),
    (
        "POST",
        "/api/v1/orgs/organizations/{org}/projects/{project}/members/",
        "project.add_member",
        Works,
        "a list only: who may ask is said by keys",
    ),
    (
        "PUT",
        "/api/v1/orgs/organizations/{org}/projects/{project}/members/",
        "project.update_member",
        Works,
        "the same",
    ),
    (
        "DELETE",
        "/api/v1/orgs/organizations/{org}/projects/{project}/members/",
        "project.remove_member",
        Works,
        "the same",
    ),
    (
        "GET",
        "/api/v1/webhooks/projects/{project}/",
        "get_webhooks",
        Works,
        "",
    ),
    (
        "POST",
        "/api/v1/webhooks/projects/{project}/",
        "create_webhook",
        Works,
        "public addresses of HTTPS; answers a secret, once",
    ),
    ("PUT", "/api/v1/webhooks/{id}/", "update_webhook", Works, ""),
    (
        "DELETE",
        "/api/v1/webhooks/{id}/",
        "delete_webhook",
        Works,
        "",
    ),
    (
        "GET",
        "/v2/entities/user/{id}/profile/",
        "get_profile",
        Works,
        "",
    ),
    (
        "POST",
        "/v2/profiles/jobs/",
        "generate_profile, sample_profiles",
        Works,
        "409 until profiles are enabled; samples are of the first users",
    ),
    (
        "GET",
        "/v2/profiles/jobs/{id}/",
        "get_profile_job",
        Works,
        "",
    ),
    (
        "GET",
        "/v2/profiles/settings/",
        "get_profile_settings",
        Works,
        "",
    ),
    (
        "POST",
        "/v2/profiles/settings/",
        "update_profile_settings",
        Works,
        "",
    ),
    ("GET", "/v1/event/{id}/", "CLI, n8n, Zapier", Works, ""),
    (
        "GET",
        "/v1/events/",
        "CLI",
        Works,
        "adds of the last 30 days",
    ),
    (
        "GET",
        "/v1/stats/",
        "REST",
        Works,
        "searches are not counted; with an owner, that owner's",
    ),
    (
        "GET",
        "/v1/memories/events/",
        "REST",
        NotOffered,
        "the history of all memories; ask for one memory's",
    ),
    ("GET", "/v1/memories/user/{id}/", "REST", Works, ""),
    (
        "POST",
        "/v1/users/",
        "REST",
        Works,
        "also agents, apps, runs",
    ),
    (
        "POST",
        "/v1/memories/",
        "add of 1.x clients",
        Works,
        "output formats v1.0 and v1.1",
    ),
    (
        "GET",
        "/v1/memories/",
        "get_all of 0.x clients",
        Works,
        "a bare list, or a page when one is asked for",
    ),
    (
        "POST",
        "/v1/memories/search/",
        "search of 0.x clients",
        Works,
        "output formats v1.0 and v1.1",
    ),
    (
        "POST",
        "/v2/memories/",
        "get_all of 1.x clients",
        Works,
        "the same",
    ),
    (
        "POST",
        "/v2/memories/search/",
        "search of 1.x clients",
        Works,
        "the same; `enable_graph` adds `relations`",
    ),
    (
        "POST",
        "/api/v1/auth/agent_mode/",
        "mem0-cli login",
        NotOffered,
        "give the CLI a key",
    ),
];

/// The self-hosted server's contract.
const SELF_HOSTED: &[Row] = &[
    (
        "POST",
        "/memories",
        "add",
        Works,
        "answered when it is done",
    ),
    (
        "GET",
        "/memories",
        "get_all",
        Works,
        "of everybody when nobody is named",
    ),
    (
        "GET",
        "/memories/{id}",
        "get",
        Works,
        "`null` when there is none",
    ),
    ("PUT", "/memories/{id}", "update", Works, ""),
    ("GET", "/memories/{id}/history", "history", Works, ""),
    ("DELETE", "/memories/{id}", "delete", Works, ""),
    ("DELETE", "/memories", "delete_all", Works, ""),
    (
        "POST",
        "/search",
        "search",
        Works,
        "ids at the top level too",
    ),
    (
        "POST",
        "/reset",
        "reset",
        Works,
        "erases every memory of the project",
    ),
    ("GET", "/entities", "dashboard", Works, ""),
    ("DELETE", "/entities/user/{id}", "dashboard", Works, ""),
    (
        "POST",
        "/configure",
        "dashboard",
        NotOffered,
        "models are configured by variables",
    ),
    (
        "GET",
        "/configure/providers",
        "dashboard",
        NotOffered,
        "the same",
    ),
    (
        "POST",
        "/generate-instructions",
        "dashboard",
        NotOffered,
        "",
    ),
    (
        "GET",
        "/api-keys",
        "dashboard",
        NotOffered,
        "ours are at `/v1/keys/`",
    ),
    (
        "POST",
        "/auth/login",
        "dashboard",
        NotOffered,
        "there is no dashboard of mem0 here",
    ),
];

/// Parameters: where, which, state, what differs.
const PARAMETERS: &[(&str, &str, State, &str)] = &[
    (
        "add",
        "messages",
        Works,
        "a list, one message or a text; content as text, parts or an object",
    ),
    (
        "add",
        "user_id, agent_id, app_id, run_id",
        Works,
        "at the top level or in `filters`, in snake or camel case",
    ),
    (
        "add",
        "metadata, infer, timestamp, expiration_date, immutable, includes, excludes",
        Works,
        "",
    ),
    (
        "add",
        "custom_instructions, agent_custom_instructions, custom_categories",
        Works,
        "over the project's",
    ),
    (
        "add",
        "async_mode",
        Works,
        "`false` waits until facts are stored",
    ),
    ("add", "observation_date, observation_datetime", Works, ""),
    ("add", "output_format", Works, "on the older routes"),
    (
        "add",
        "structured_data_schema",
        Works,
        "of a fact that tells something of it, memories and history give `structured_data`; what does not fit its types, \
         properties, items and enums is left out; mem0's TypeScript client shows its keys in camel case",
    ),
    (
        "add",
        "prompt_profile_id, temporal_reasoning, timezone, enable_graph, version, source",
        Ignored,
        "the graph is always made",
    ),
    (
        "add",
        "image_url, pdf_url, txt_url and mdx_url parts",
        Works,
        "a URL, a `data:` URL or base64; the LLM says what images and documents show",
    ),
    (
        "search",
        "query, filters, top_k, threshold, fields, categories, metadata, show_expired, rerank, reference_date, latest_only",
        Works,
        "`rerank` where a reranking model is configured",
    ),
    ("search", "keyword_search", Ignored, "keywords always count"),
    ("search", "enable_graph", Works, "adds `relations`"),
    (
        "search",
        "filter_memories, only_metadata_based_search, source, output_format of v3",
        Ignored,
        "",
    ),
    (
        "get_all",
        "filters, page, page_size, show_expired, start_date, end_date, categories, keywords, fields",
        Works,
        "",
    ),
    (
        "get_all",
        "latest_only",
        Ignored,
        "what was superseded is not listed anyway",
    ),
    (
        "update",
        "text, metadata, timestamp, expiration_date",
        Works,
        "`null` clears the expiration",
    ),
    (
        "every call",
        "org_id, project_id",
        Ignored,
        "the key says the project",
    ),
    (
        "project",
        "decay, memory_depth, usecase_setting, multilingual, version, retrieval_criteria",
        Ignored,
        "kept and shown; memories are always of the language they were said in",
    ),
];

/// The document.
fn document() -> String {
    let mut text = String::from(
        "# Compatibility with mem0\n\nWhat clients of mem0 can ask of an edgemem Worker, and what becomes of it. Slashes at the \
         end make no difference. Made by `cargo test`; its table is in `src/api/hosted/tests/compatibility.rs`.\n",
    );
    let state = |state: State| match state {
        Works => "works",
        Ignored => "accepted and ignored",
        NotOffered => "not offered",
    };
    for (title, rows) in [
        ("The hosted contract", HOSTED),
        ("The self-hosted server's contract", SELF_HOSTED),
    ] {
        let _ = write!(
            text,
            "\n## {title}\n\n| call | by | state | what differs |\n|---|---|---|---|\n"
        );
        for (method, path, by, is, differs) in rows {
            let _ = writeln!(
                text,
                "| `{method} {path}` | {by} | {} | {differs} |",
                state(*is)
            );
        }
    }
    let _ = write!(
        text,
        "\n## Parameters\n\n| of | which | state | what differs |\n|---|---|---|---|\n"
    );
    for (of, which, is, differs) in PARAMETERS {
        let _ = writeln!(text, "| {of} | {which} | {} | {differs} |", state(*is));
    }
    text
}

#[test]
fn the_table_tells_the_truth_about_every_route() {
    for (method, path, _, state, _) in HOSTED.iter().chain(SELF_HOSTED) {
        let path = path.replace(['{', '}'], "");
        let found = served(&Method::from_bytes(method.as_bytes()).unwrap(), &path);
        assert_eq!(found.is_ok(), *state != NotOffered, "{method} {path}");
    }
}

/// `EDGEMEM_WRITE_DOCS=1` writes it.
#[test]
fn the_document_is_up_to_date() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/compatibility.md");
    let made = document();
    if std::env::var_os("EDGEMEM_WRITE_DOCS").is_some() {
        std::fs::write(file, &made).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == made,
        "docs/compatibility.md is out of date: run with EDGEMEM_WRITE_DOCS=1"
    );
}
