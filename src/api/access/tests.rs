//! Who may enter, through the gateway.

use serde_json::{Value, json};

use super::super::hosted::document::published;
use super::super::{About, Gateway, Received};
use super::token::is_token;
use super::*;
use crate::memory::{Id, OwnerKind};

const OPERATOR: &str = "key-of-the-operator";
const SECRET: &str = "a secret that has thirty-two bytes or more";
const NOW: i64 = 1_800_000_000;

fn variable(name: &str) -> Option<String> {
    match name {
        KEYS_VARIABLE => Some(format!("{OPERATOR},team_a:{OPERATOR}-2")),
        SECRET_VARIABLE => Some(SECRET.to_owned()),
        _ => None,
    }
}

fn gateway(known: &Rc<Known>, seconds: i64) -> Gateway {
    let gateway = Gateway::new(variable, About::default());
    gateway.at(Moment::from_seconds(seconds), Rc::clone(known))
}

fn request(method: &str, path: &str, body: &Value, key: &str) -> Request<Vec<u8>> {
    let body = match body {
        Value::Null => Vec::new(),
        body => body.to_string().into_bytes(),
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", format!("Bearer {key}"))
        .body(body)
        .unwrap()
}

fn ping(key: &str) -> Request<Vec<u8>> {
    request("GET", "/v1/ping/", &Value::Null, key)
}

/// The status and code of an answer; 0 when somebody else has to be asked.
fn outcome(received: Received) -> (u16, String) {
    match received {
        Received::Answer(response) => {
            let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
            let code = body["code"].as_str().unwrap_or_default().to_owned();
            (response.status().as_u16(), code)
        }
        Received::Unknown(lookup) => panic!("{lookup:?}"),
        Received::Call(_) | Received::Work(_) => (0, String::new()),
    }
}

fn key_with(role: KeyRole) -> ApiKey {
    ApiKey {
        id: "key_1".into(),
        name: "test".into(),
        role,
        created_at: Moment::from_seconds(NOW),
        last_used_at: None,
        expires_at: None,
    }
}

fn asked_with(role: KeyRole, request: &Request<Vec<u8>>) -> Received {
    let gateway = gateway(&Rc::default(), NOW);
    match gateway.receive(request) {
        Received::Unknown(lookup) => {
            let answer = Answer::Keys(vec![key_with(role)]);
            gateway.receive_from(&lookup, Ok(answer), request)
        }
        other => other,
    }
}

#[test]
fn a_key_of_a_directory_is_looked_up_once_a_minute() {
    let known = Rc::default();
    let key = "em_team_a_0123456789abcdef";
    let at = |seconds| gateway(&known, seconds);
    let Received::Unknown(lookup) = at(NOW).receive(&ping(key)) else {
        panic!("it is not known yet")
    };
    assert_eq!(lookup.project.id, "team_a");
    let sha256 = key_hash(key);
    assert_eq!(lookup.ask(), Ask::CheckKey { sha256 });
    let answer = Answer::Keys(vec![key_with(KeyRole::Read)]);
    let received = at(NOW).receive_from(&lookup, Ok(answer), &ping(key));
    assert_eq!(outcome(received).0, 200);
    assert_eq!(outcome(at(NOW + 59).receive(&ping(key))).0, 200);
    // Revoked meanwhile.
    let Received::Unknown(lookup) = at(NOW + 60).receive(&ping(key)) else {
        panic!("it is looked up again")
    };
    let received = at(NOW + 60).receive_from(&lookup, Ok(Answer::Keys(vec![])), &ping(key));
    assert_eq!(outcome(received), (401, "invalid_api_key".into()));
    let again = at(NOW + 61).receive(&ping(key));
    assert_eq!(outcome(again), (401, "invalid_api_key".into()));
    let failed = Problem::new(503, "directory_unavailable", "gone");
    let received = at(NOW + 61).receive_from(&lookup, Err(failed), &ping(key));
    assert_eq!(outcome(received), (503, "directory_unavailable".into()));
}

#[test]
fn a_key_that_ends_ends_even_while_it_is_known() {
    let known = Rc::default();
    let key = "em_default_0123456789abcdef";
    let Received::Unknown(lookup) = gateway(&known, NOW).receive(&ping(key)) else {
        panic!("it is not known yet")
    };
    let ending = ApiKey {
        expires_at: Some(Moment::from_seconds(NOW + 5)),
        ..key_with(KeyRole::Admin)
    };
    let answer = Ok(Answer::Keys(vec![ending]));
    let received = gateway(&known, NOW).receive_from(&lookup, answer, &ping(key));
    assert_eq!(outcome(received).0, 200);
    let later = gateway(&known, NOW + 5).receive(&ping(key));
    assert_eq!(outcome(later), (401, "api_key_expired".into()));
}

#[test]
fn nobody_is_looked_up_in_a_project_that_the_operator_did_not_name() {
    for key in ["em_other_0123456789abcdef", "em_", "em_default", "nonsense"] {
        let received = gateway(&Rc::default(), NOW).receive(&ping(key));
        assert_eq!(outcome(received), (401, "invalid_api_key".into()), "{key}");
    }
}

#[test]
fn keys_are_taken_from_every_header_that_clients_send_them_in() {
    for (authorization, x_api_key, code) in [
        (Some(format!("tOKEN   {OPERATOR} ")), None, ""),
        (Some(format!("Bearer {OPERATOR}")), None, ""),
        (None, Some(OPERATOR), ""),
        (Some("Basic dTpw".to_owned()), Some(OPERATOR), ""),
        (Some("Token ".to_owned()), None, "missing_api_key"),
        (Some(OPERATOR.to_owned()), None, "missing_api_key"),
        (None, None, "missing_api_key"),
    ] {
        let mut request = ping("x");
        request.headers_mut().remove("authorization");
        for (name, value) in [
            ("authorization", authorization.as_deref()),
            ("x-api-key", x_api_key),
        ] {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let received = gateway(&Rc::default(), NOW).receive(&request);
        assert_eq!(outcome(received).1, code, "{authorization:?}");
    }
}

/// Routes of older clients, which are not published, beside those that are.
const OLDER: [&str; 18] = [
    "POST /v1/memories/",
    "GET /v1/memories/?user_id=u",
    "POST /v2/memories/",
    "POST /v1/memories/search/",
    "POST /v2/memories/search/",
    "GET /v1/memories/user/u/",
    "POST /memories",
    "GET /memories",
    "DELETE /memories?user_id=u",
    "GET /memories/x",
    "PUT /memories/x",
    "DELETE /memories/x",
    "GET /memories/x/history",
    "POST /search",
    "GET /entities",
    "DELETE /entities/user/u",
    "POST /reset",
    "POST /api/v1/orgs/organizations/o/projects/",
];

#[test]
fn every_route_is_open_to_its_role_and_those_above_it() {
    let routes = published().into_iter();
    let routes = routes.chain(OLDER.map(str::to_owned));
    let mut table = String::new();
    for route in routes {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace(['{', '}'], "");
        let request = request(method, &path, &json!({}), "em_default_0");
        let refused = KeyRole::ALL.map(|role| {
            let (status, code) = outcome(asked_with(role, &request));
            assert!(code != "role_required" || status == 403);
            code == "role_required"
        });
        let needed = match refused {
            _ if path == "/health" => "none",
            [false, false, false] => "read",
            [true, false, false] => "write",
            [true, true, false] => "admin",
            other => panic!("{route}: {other:?}"),
        };
        table.push_str(&format!("{needed:5} {route}\n"));
    }
    insta::assert_snapshot!("roles", table);
}

#[test]
fn a_refusal_says_which_role_is_needed() {
    let add = json!({"messages": "hi", "user_id": "u"});
    let add = request("POST", "/v3/memories/add/", &add, "em_default_0");
    let Received::Answer(response) = asked_with(KeyRole::Read, &add) else {
        panic!("it is refused")
    };
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(
        body["error"],
        "this needs the role 'write', and this key has the role 'read'"
    );
}

#[test]
fn to_erase_everybody_is_for_admins() {
    let everybody = "/v1/memories/?user_id=*&agent_id=*&app_id=*&run_id=*";
    for (path, needed) in [
        ("/v1/memories/?user_id=u", KeyRole::Write),
        ("/v1/memories/?user_id=*", KeyRole::Admin),
        (everybody, KeyRole::Admin),
        ("/memories?user_id=*", KeyRole::Admin),
    ] {
        for role in KeyRole::ALL {
            let request = request("DELETE", path, &Value::Null, "em_default_0");
            let is_refused = outcome(asked_with(role, &request)).1 == "role_required";
            assert_eq!(is_refused, role < needed, "{path} {role:?}");
        }
    }
}

#[test]
fn tools_need_what_their_routes_need() {
    let call = |name: &str, arguments: Value| {
        let params = json!({"name": name, "arguments": arguments});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let mut request = request("POST", "/mcp", &body, "em_default_0");
        let version = "2025-11-25".parse().unwrap();
        request
            .headers_mut()
            .insert("mcp-protocol-version", version);
        request
    };
    let search = json!({"query": "tea?", "user_id": "u"});
    let add = json!({"text": "I like tea", "user_id": "u"});
    for (name, arguments, role, allowed) in [
        ("search_memories", search, KeyRole::Read, true),
        ("add_memory", add.clone(), KeyRole::Read, false),
        ("add_memory", add, KeyRole::Write, true),
    ] {
        match asked_with(role, &call(name, arguments)) {
            Received::Call(_) => assert!(allowed, "{name} {role:?}"),
            Received::Answer(response) => {
                let text = String::from_utf8_lossy(response.body()).into_owned();
                assert!(!allowed && text.contains("(role_required)"), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }
}

fn token(user: &str, role: KeyRole) -> String {
    let grant = Grant {
        user: user.into(),
        role,
        seconds: 600,
    };
    grant.sign("default", SECRET, Moment::from_seconds(NOW))
}

fn id_of(user: &str) -> Id {
    Id::new(Owner::new(OwnerKind::User, user).space_hash(), 1, 2)
}

fn asked_by_ann(method: &str, path: &str, body: &Value) -> Received {
    let token = token("ann", KeyRole::Write);
    gateway(&Rc::default(), NOW).receive(&request(method, path, body, &token))
}

#[test]
fn a_token_opens_the_memory_of_its_user_and_need_not_name_it() {
    let (own, id) = (Owner::new(OwnerKind::User, "ann"), id_of("ann"));
    for (method, path, body) in [
        ("POST", "/v3/memories/add/", json!({"messages": "hi"})),
        (
            "POST",
            "/v3/memories/add/",
            json!({"messages": "hi", "user_id": "ann", "agent_id": "a"}),
        ),
        ("POST", "/v3/memories/search/", json!({"query": "q"})),
        (
            "POST",
            "/v3/memories/search/",
            json!({"query": "q", "filters": {"agent_id": "a"}}),
        ),
        (
            "POST",
            "/v3/memories/search/",
            json!({"query": "q", "filters": {"user_id": "ann"}}),
        ),
        ("POST", "/v3/memories/?page=2", json!({})),
        ("POST", "/v1/context/", json!({"query": "q"})),
        ("GET", "/v1/graph/", Value::Null),
        ("GET", "/v1/stats/", Value::Null),
        ("GET", "/v1/timeline/?entity=Oslo", Value::Null),
        ("DELETE", "/v1/memories/?agent_id=a", Value::Null),
        ("GET", "/memories", Value::Null),
        ("POST", "/v1/summary/", json!({})),
        ("GET", &format!("/v1/memories/{id}/"), Value::Null),
        ("PUT", &format!("/v1/memories/{id}/"), json!({"text": "x"})),
        ("GET", &format!("/v1/event/{id}/"), Value::Null),
    ] {
        match asked_by_ann(method, path, &body) {
            Received::Call(call) => assert_eq!(call.space, own.space_hash(), "{path} {body}"),
            Received::Answer(response) => {
                panic!("{path}: {}", String::from_utf8_lossy(response.body()))
            }
            other => panic!("{path} {body}: {other:?}"),
        }
    }
    let batch = json!({"memories": [{"memory_id": id}]});
    let received = asked_by_ann("DELETE", "/v1/batch/", &batch);
    assert!(matches!(received, Received::Work(_)));
}

#[test]
fn a_token_opens_nothing_else() {
    let (id, own) = (id_of("bob"), id_of("ann"));
    for (method, path, body) in [
        (
            "POST",
            "/v3/memories/add/",
            json!({"messages": "hi", "user_id": "bob"}),
        ),
        (
            "POST",
            "/v3/memories/add/",
            json!({"messages": "hi", "userId": "bob"}),
        ),
        (
            "POST",
            "/v3/memories/search/",
            json!({"query": "q", "filters": {"user_id": "bob"}}),
        ),
        (
            "POST",
            "/v3/memories/search/",
            json!({"query": "q", "user_id": "*"}),
        ),
        ("GET", "/v1/graph/?user_id=bob", Value::Null),
        ("DELETE", "/v1/memories/?user_id=bob", Value::Null),
        ("DELETE", "/v1/memories/", json!({"user_id": "bob"})),
        (
            "DELETE",
            "/v1/memories/?user_id=*&agent_id=*&app_id=*&run_id=*",
            Value::Null,
        ),
        ("GET", &format!("/v1/memories/{id}/"), Value::Null),
        ("DELETE", &format!("/v1/memories/{id}/"), Value::Null),
        ("GET", &format!("/v1/event/{id}/"), Value::Null),
        (
            "DELETE",
            "/v1/batch/",
            json!({"memories": [{"memory_id": own}, {"memory_id": id}]}),
        ),
        ("DELETE", "/v2/entities/user/bob/", Value::Null),
        ("DELETE", "/v2/entities/agent/ann/", Value::Null),
        ("GET", "/v1/memories/user/bob/", Value::Null),
        ("GET", "/v1/memories/agent/a/", Value::Null),
        ("GET", "/v1/entities/", Value::Null),
        ("GET", "/v2/entities/user/ann/", Value::Null),
        ("GET", "/v1/events/", Value::Null),
        ("POST", "/v1/users/", json!({"user_id": "ann"})),
        ("POST", "/v1/tokens/", json!({"user_id": "ann"})),
    ] {
        let (status, code) = outcome(asked_by_ann(method, path, &body));
        assert_eq!(
            (status, code.as_str()),
            (403, "bound_to_another_user"),
            "{method} {path} {body}"
        );
    }
    for (method, path) in [("GET", "/v1/keys/"), ("POST", "/reset")] {
        let (status, code) = outcome(asked_by_ann(method, path, &json!({})));
        assert_eq!((status, code.as_str()), (403, "role_required"));
    }
}

#[test]
fn a_token_that_may_only_read_does_not_write() {
    let token = token("ann", KeyRole::Read);
    let gateway = gateway(&Rc::default(), NOW);
    let add = json!({"messages": "hi"});
    let add = gateway.receive(&request("POST", "/v3/memories/add/", &add, &token));
    assert_eq!(outcome(add), (403, "role_required".into()));
    let search = json!({"query": "hi"});
    let search = gateway.receive(&request("POST", "/v3/memories/search/", &search, &token));
    assert_eq!(outcome(search).0, 0);
}

#[test]
fn an_agent_with_a_token_is_bound_to_its_user() {
    let call = |arguments: Value, user: Option<&str>| {
        let params = json!({"name": "search_memories", "arguments": arguments});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let mut request = request("POST", "/mcp", &body, &token("ann", KeyRole::Read));
        let headers = request.headers_mut();
        headers.insert("mcp-protocol-version", "2025-11-25".parse().unwrap());
        if let Some(user) = user {
            headers.insert("x-edgemem-user", user.parse().unwrap());
        }
        gateway(&Rc::default(), NOW).receive(&request)
    };
    let own = Owner::new(OwnerKind::User, "ann").space_hash();
    for user in [None, Some("ann")] {
        let Received::Call(call) = call(json!({"query": "tea?"}), user) else {
            panic!("{user:?}")
        };
        assert_eq!(call.space, own);
    }
    for (arguments, user) in [
        (json!({"query": "tea?", "user_id": "bob"}), None),
        (json!({"query": "tea?"}), Some("bob")),
    ] {
        let Received::Answer(response) = call(arguments, user) else {
            panic!("{user:?}")
        };
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(text.contains("(bound_to_another_user)"), "{text}");
    }
}

/// A token of any header and claims, signed by a secret.
fn forged(header: &Value, claims: &Value, secret: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit, Mac};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let code = mac.chain_update(signed.as_bytes()).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(code))
}

#[test]
fn only_good_tokens_are_taken() {
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let claims = |more: Value| {
        let mut claims = json!({"sub": "ann", "exp": NOW + 600});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    let signed = |more: Value| forged(&hs256, &claims(more), SECRET);
    let good = signed(json!({}));
    let (head, tail) = good.rsplit_once('.').unwrap();
    let other_alg = |alg: &str| forged(&json!({"alg": alg}), &claims(json!({})), SECRET);
    let crit = json!({"alg": "HS256", "crit": ["b64"], "b64": false});
    let cut = &good[..good.len() - 1];
    for (token, code) in [
        (good.as_str(), ""),
        (&signed(json!({"iat": NOW, "nbf": NOW + 30})), ""),
        (&signed(json!({"exp": NOW as f64 + 0.5})), ""),
        (
            &signed(json!({"aud": ["x", "edgemem"], "role": "write"})),
            "",
        ),
        (&signed(json!({"exp": NOW + 86_400})), ""),
        (&signed(json!({"exp": NOW})), "token_expired"),
        (&signed(json!({"exp": -1})), "token_expired"),
        (&signed(json!({"nbf": NOW + 300})), "token_not_yet_valid"),
        (&signed(json!({"iat": NOW + 300})), "token_not_yet_valid"),
        (
            &signed(json!({"exp": NOW + 90_000})),
            "token_lasts_too_long",
        ),
        (&signed(json!({"exp": 1e300})), "token_lasts_too_long"),
        (&signed(json!({"exp": null})), "invalid_token"),
        (&signed(json!({"exp": "soon"})), "invalid_token"),
        (&signed(json!({"sub": " "})), "invalid_token"),
        (&signed(json!({"sub": 7})), "invalid_token"),
        (&signed(json!({"sub": "x".repeat(257)})), "invalid_token"),
        (&signed(json!({"aud": "elsewhere"})), "invalid_token"),
        (&signed(json!({"role": "admin"})), "invalid_token"),
        (&signed(json!({"role": "owner"})), "invalid_token"),
        (&signed(json!({"project": "other"})), "invalid_token"),
        (&signed(json!({"project": 1})), "invalid_token"),
        (&signed(json!({"pad": "x".repeat(5_000)})), "invalid_token"),
        (&forged(&hs256, &json!([]), SECRET), "invalid_token"),
        (
            &forged(&hs256, &claims(json!({})), "another secret"),
            "invalid_token",
        ),
        (&forged(&crit, &claims(json!({})), SECRET), "invalid_token"),
        (&other_alg("none"), "invalid_token"),
        (&other_alg("HS512"), "invalid_token"),
        (&other_alg("RS256"), "invalid_token"),
        (&other_alg("hs256"), "invalid_token"),
        (&format!("{head}."), "invalid_token"),
        (head, "invalid_token"),
        (cut, "invalid_token"),
        (&format!("{good}.{tail}"), "invalid_token"),
        (&format!("{good}="), "invalid_token"),
        ("eyJ.eyJ.x", "invalid_token"),
    ] {
        assert!(is_token(token));
        let received = gateway(&Rc::default(), NOW).receive(&ping(token));
        let (status, got) = outcome(received);
        let expected = if code.is_empty() { 200 } else { 401 };
        assert_eq!((status, got.as_str()), (expected, code), "{token}");
    }
}

#[test]
fn without_a_configured_secret_the_directory_keeps_one() {
    let known: Rc<Known> = Rc::default();
    let at = |seconds| {
        let variable = |name: &str| (name == KEYS_VARIABLE).then(|| OPERATOR.to_owned());
        let gateway = Gateway::new(variable, About::default());
        gateway.at(Moment::from_seconds(seconds), Rc::clone(&known))
    };
    let (good, forged) = (
        token("ann", KeyRole::Read),
        "another secret, of another server",
    );
    let Received::Unknown(lookup) = at(NOW).receive(&ping(&good)) else {
        panic!("its secret is not known yet")
    };
    assert_eq!(lookup.ask(), Ask::TokenSecret);
    let secret = || Ok(Answer::Secret(SECRET.into()));
    let received = at(NOW).receive_from(&lookup, secret(), &ping(&good));
    assert_eq!(outcome(received).0, 200);
    assert_eq!(outcome(at(NOW + 1).receive(&ping(&good))).0, 200);
    let grant = Grant {
        user: "ann".into(),
        role: KeyRole::Read,
        seconds: 60,
    };
    let forged = grant.sign("default", forged, Moment::from_seconds(NOW));
    let received = at(NOW + 1).receive(&ping(&forged));
    assert_eq!(outcome(received), (401, "invalid_token".into()));
}

#[test]
fn a_secret_that_can_be_guessed_is_refused() {
    let variable = |name: &str| match name {
        KEYS_VARIABLE => Some(OPERATOR.to_owned()),
        SECRET_VARIABLE => Some("short".to_owned()),
        _ => None,
    };
    let gateway = Gateway::new(variable, About::default());
    let gateway = gateway.at(Moment::from_seconds(NOW), Rc::default());
    let token = token("ann", KeyRole::Read);
    let received = gateway.receive(&ping(&token));
    assert_eq!(outcome(received), (503, "bad_token_configuration".into()));
    assert_eq!(outcome(gateway.receive(&ping(OPERATOR))).0, 200);
    let health = request("GET", "/health", &Value::Null, "");
    let Received::Answer(health) = gateway.receive(&health) else {
        panic!("it is open")
    };
    let health = String::from_utf8_lossy(health.body()).into_owned();
    assert!(health.contains(SECRET_VARIABLE) && !health.contains("\"short\""));
}
