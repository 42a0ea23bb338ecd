use super::*;
use crate::memory::{EventStatus, Filter, Id, Moment, Scope};
use crate::operation::{Event, Operation};

const KEY: &str = "test-key-0123456789";

fn gateway(keys: &str) -> Gateway {
    let keys = keys.to_owned();
    Gateway::new(
        move |name| (name == KEYS_VARIABLE).then(|| keys.clone()),
        About {
            version: "0.1.0".into(),
            embedder: Some("builtin".into()),
            ..About::default()
        },
    )
}

fn request(method: &str, path: &str, body: &str) -> Request<Vec<u8>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", format!("Token {KEY}"))
        .header("Origin", "https://app.example")
        .body(body.as_bytes().to_vec())
        .unwrap()
}

fn answered(received: Received) -> (u16, Value, Response<Vec<u8>>) {
    match received {
        Received::Answer(response) => {
            let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
            (response.status().as_u16(), body, response)
        }
        other => panic!("{other:?}"),
    }
}

fn called(received: Received) -> Call {
    match received {
        Received::Call(call) => *call,
        other => panic!("{other:?}"),
    }
}

fn event(status: EventStatus) -> Event {
    let owner = Owner::new(crate::memory::OwnerKind::User, "u");
    Event {
        id: Id::new(owner.space_hash(), 1, 2),
        status,
        created_at: Moment::from_seconds(1_800_000_000),
        updated_at: Moment::from_seconds(1_800_000_001),
        scope: Scope::user("u"),
        attempts: 1,
        error: None,
        retry_at: None,
        outcomes: Vec::new(),
        relations: Vec::new(),
        note: None,
    }
}

#[test]
fn ping_tells_clients_what_they_need_to_start() {
    let (status, body, _) = answered(gateway(KEY).receive(&request("GET", "/v1/ping/", "")));
    assert_eq!(status, 200);
    assert_eq!(body["status"], "ok");
    assert_eq!(body["project_id"], "default");
    for field in ["org_id", "user_email"] {
        assert!(
            body[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field}"
        );
    }
}

#[test]
fn nothing_but_the_public_pages_is_open() {
    for (method, path) in [
        ("GET", "/v1/ping/"),
        ("POST", "/v3/memories/add/"),
        ("DELETE", "/v1/memories/?user_id=u"),
        ("GET", "/v1/memories/11111111-2222-3333-4444-555555555555/"),
    ] {
        let mut stranger = request(method, path, "not even JSON");
        stranger.headers_mut().remove("authorization");
        let (status, body, _) = answered(gateway(KEY).receive(&stranger));
        assert_eq!(
            (status, &body["code"]),
            (401, &json!("missing_api_key")),
            "{path}"
        );
        assert!(
            body["detail"]
                .as_str()
                .unwrap()
                .starts_with("Invalid API key")
        );
        let (status, body, _) = answered(gateway("").receive(&request(method, path, "")));
        assert_eq!(
            (status, &body["code"]),
            (503, &json!("no_api_key_configured")),
            "{path}"
        );
    }
    for path in ["/", "/health", "/health/"] {
        let mut stranger = request("GET", path, "");
        stranger.headers_mut().remove("authorization");
        assert_eq!(answered(gateway("").receive(&stranger)).0, 200, "{path}");
    }
}

#[test]
fn health_tells_the_models_and_what_is_wrong() {
    let (_, well, _) = answered(gateway(KEY).receive(&request("GET", "/health", "")));
    assert_eq!(
        well,
        json!({
            "status": "ok", "version": "0.1.0", "api_keys": 1, "problems": [],
            "models": {"chat": null, "embedder": "builtin", "reranker": null},
        })
    );
    let (_, ill, _) = answered(gateway("").receive(&request("GET", "/health", "")));
    assert_eq!(ill["status"], "degraded");
    assert!(ill["problems"][0].as_str().unwrap().contains(KEYS_VARIABLE));
}

#[test]
fn browsers_may_call() {
    let (status, _, preflight) =
        answered(gateway("").receive(&request("OPTIONS", "/v3/memories/add/", "")));
    assert_eq!(status, 204);
    let header = |name: &str| preflight.headers().get(name).unwrap().to_str().unwrap();
    assert_eq!(header("access-control-allow-origin"), "*");
    for name in [
        "Authorization",
        "Content-Type",
        "Mem0-User-ID",
        "X-Mem0-Client",
        "X-Mem0-Source",
        "X-Application",
        "Idempotency-Key",
    ] {
        assert!(
            header("access-control-allow-headers").contains(name),
            "{name}"
        );
    }
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(
            header("access-control-allow-methods").contains(method),
            "{method}"
        );
    }
    let (_, _, refused) = answered(gateway(KEY).receive(&request("GET", "/nowhere", "")));
    assert!(
        refused
            .headers()
            .contains_key("access-control-allow-origin")
    );
}

#[test]
fn a_wrong_path_or_method_says_what_is_right() {
    let (status, body, _) = answered(gateway(KEY).receive(&request("GET", "/v9/x", "")));
    assert_eq!((status, &body["code"]), (404, &json!("no_such_route")));
    let (status, body, response) =
        answered(gateway(KEY).receive(&request("PATCH", "/v1/memories/x/", "")));
    assert_eq!((status, &body["code"]), (405, &json!("method_not_allowed")));
    assert_eq!(response.headers()["allow"], "GET, PUT, DELETE");
}

#[test]
fn slashes_make_no_difference() {
    for path in ["/v1/ping", "/v1/ping/", "//v1/ping/"] {
        assert_eq!(
            answered(gateway(KEY).receive(&request("GET", path, ""))).0,
            200,
            "{path}"
        );
    }
}

#[test]
fn an_id_leads_to_its_space_and_projects_do_not_meet() {
    let event = event(EventStatus::Pending);
    let path = format!("/v1/memories/{}/", event.id);
    let call = called(gateway(&format!("team:{KEY}")).receive(&request("GET", &path, "")));
    assert_eq!(call.project.id, "team");
    assert_eq!(call.space, event.id.space());
    assert_eq!(call.owner, None);
    assert_eq!(call.operation, Operation::Get { id: event.id });
}

#[test]
fn an_add_answers_at_once_or_waits() {
    let gateway = gateway(KEY);
    let body = r#"{"messages": "hi", "user_id": "u"}"#;
    let mut call = called(gateway.receive(&request("POST", "/v3/memories/add/", body)));
    assert_eq!(call.space, call.owner.clone().unwrap().space_hash());
    let pending = Ok(Reply::Event(Box::new(event(EventStatus::Pending))));
    assert_eq!(call.next(&pending), None);

    let body = r#"{"messages": "hi", "user_id": "u", "async_mode": false}"#;
    let mut call = called(gateway.receive(&request("POST", "/v3/memories/add/", body)));
    let id = event(EventStatus::Pending).id;
    assert_eq!(
        call.next(&pending),
        Some(Operation::RunJobs { event: Some(id) })
    );
    let ran = Ok(Reply::Ran { next_due: None });
    assert_eq!(call.next(&ran), Some(Operation::Event { id }));
    assert_eq!(
        call.next(&pending),
        None,
        "a failed attempt is not waited for again"
    );

    let mut call = called(gateway.receive(&request("POST", "/v3/memories/add/", body)));
    let done = Ok(Reply::Event(Box::new(event(EventStatus::Succeeded))));
    assert_eq!(call.next(&done), None);
    let response = gateway.answer(&call, done);
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}

#[test]
fn problems_of_a_space_reach_both_kinds_of_client() {
    let gateway = gateway(KEY);
    let path = format!("/v1/memories/{}/", event(EventStatus::Pending).id);
    let call = called(gateway.receive(&request("GET", &path, "")));
    let missing = Problem::new(404, "memory_not_found", "Memory not found!");
    let response = gateway.answer(&call, Err(missing));
    assert_eq!(response.status(), 404);
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(
        body,
        json!({"error": "Memory not found!", "detail": "Memory not found!", "code": "memory_not_found"})
    );
    let stray = gateway.answer(&call, Ok(Reply::Deleted { count: 1 }));
    assert_eq!(stray.status(), 500);
}

#[test]
fn deletions_read_what_python_writes_into_a_query() {
    let gateway = gateway(KEY);
    for path in [
        "/v1/memories/?user_id=u1",
        "/v1/memories?filters=%7B%27user_id%27%3A+%27u1%27%7D",
        "/v1/memories/?user_id=u1&run_id=%2A&metadata=%7B%27a%27%3A+1%7D",
    ] {
        let call = called(gateway.receive(&request("DELETE", path, "")));
        assert_eq!(call.owner.unwrap().to_string(), "user u1", "{path}");
        let Operation::DeleteAll { filter } = call.operation else {
            panic!("{path}");
        };
        assert_ne!(filter, Filter::all(), "{path}");
        assert_eq!(filter.mentions("run_id"), path.contains("run_id"), "{path}");
        assert_eq!(
            filter.mentions("metadata.a"),
            path.contains("metadata"),
            "{path}"
        );
    }
    for (path, code) in [
        ("/v1/memories/", "scope_required"),
        ("/v1/memories/?user_id=", "bad_id"),
        (
            "/v1/memories/?user_id=u&metadata=%5Bobject%20Object%5D",
            "bad_value",
        ),
        ("/v1/memories/?user_id=u&filters=%7B", "bad_filter"),
        (
            "/v1/memories/?user_id=u&older_than=2020",
            "unknown_condition",
        ),
    ] {
        let (status, body, _) = answered(gateway.receive(&request("DELETE", path, "")));
        assert_eq!((status, &body["code"]), (400, &json!(code)), "{path}");
    }
}

#[test]
fn what_concerns_several_owners_is_work() {
    let gateway = gateway(KEY);
    let everybody = "/v1/memories/?user_id=*&agent_id=*&app_id=*&run_id=*";
    let two = r#"{"filters": {"OR": [{"user_id": "u"}, {"user_id": "v"}]}, "query": "q"}"#;
    for (method, path, body) in [
        ("DELETE", "/v1/memories/?user_id=*", ""),
        ("DELETE", everybody, ""),
        ("POST", "/v3/memories/", r#"{"filters": {"user_id": "*"}}"#),
        ("POST", "/v3/memories/search/", two),
        ("POST", "/v2/memories/search/", two),
        ("GET", "/memories", ""),
        ("GET", "/v1/stats/", ""),
        ("GET", "/v1/entities/", ""),
    ] {
        let received = gateway.receive(&request(method, path, body));
        assert!(matches!(received, Received::Work(_)), "{method} {path}");
    }
    let one = r#"{"filters": {"user_id": "u", "run_id": "*"}, "query": "q"}"#;
    called(gateway.receive(&request("POST", "/v3/memories/search/", one)));
}

#[test]
fn unreadable_bodies_and_ids_are_refused() {
    let gateway = gateway(KEY);
    for (method, path, body, status, code) in [
        ("POST", "/v3/memories/add/", "{", 400, "bad_json"),
        ("POST", "/v3/memories/add/", "[]", 400, "bad_json"),
        ("POST", "/v3/memories/add/", "", 400, "scope_required"),
        ("POST", "/v3/memories/", "{}", 400, "scope_required"),
        (
            "POST",
            "/v3/memories/search/",
            r#"{"filters":{"user_id":"u"}}"#,
            400,
            "empty_query",
        ),
        ("GET", "/v1/memories/404/", "", 400, "bad_memory_id"),
        ("GET", "/v1/event/404/", "", 400, "bad_event_id"),
        ("GET", "/v1/memories/%00/", "", 400, "bad_memory_id"),
    ] {
        let (got, body, _) = answered(gateway.receive(&request(method, path, body)));
        assert_eq!(
            (got, &body["code"]),
            (status, &json!(code)),
            "{method} {path}"
        );
    }
    let (_, body, _) = answered(gateway.receive(&request("GET", "/v1/memories/404/", "")));
    assert_eq!(body["error"], "memory_id should be a valid UUID");
    let long = " ".repeat(MAX_BODY_BYTES + 1);
    let (status, body, _) = answered(gateway.receive(&request("POST", "/v3/memories/add/", &long)));
    assert_eq!((status, &body["code"]), (413, &json!("body_too_large")));
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let (status, _, _) = answered(gateway.receive(&request("POST", "/v3/memories/add/", &deep)));
    assert_eq!(status, 400);
}
