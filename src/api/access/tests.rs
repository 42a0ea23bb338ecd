//! Who may enter, through the gateway.

mod tokens;

use serde_json::{Value, json};

use super::super::hosted::document::published;
use super::super::{About, Gateway, Received};
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

/// What the directory says of a key when it is asked, and what becomes of the request.
fn looked_up(known: &Rc<Known>, key: &str, found: Vec<ApiKey>) -> (u16, String) {
    let Received::Unknown(lookup) = gateway(known, NOW).receive(&ping(key)) else {
        panic!("it is not known yet")
    };
    outcome(gateway(known, NOW).receive_from(&lookup, Ok(Answer::Keys(found)), &ping(key)))
}

#[test]
fn a_key_that_was_revoked_here_opens_no_more() {
    let known = Rc::default();
    let key = "em_default_0123456789abcdef";
    assert_eq!(looked_up(&known, key, vec![key_with(KeyRole::Read)]).0, 200);
    known.revoke("key_2", Moment::from_seconds(NOW));
    assert_eq!(outcome(gateway(&known, NOW).receive(&ping(key))).0, 200);
    known.revoke("key_1", Moment::from_seconds(NOW));
    let refused = (401, "invalid_api_key".to_owned());
    let gateway = gateway(&known, NOW + 1);
    assert_eq!(outcome(gateway.receive(&ping(key))), refused);
    // What the directory said before it was revoked arrives now.
    let lookup = Lookup {
        project: Project {
            id: "default".into(),
        },
        wanted: Wanted::Key(key_hash(key)),
    };
    let late = Ok(Answer::Keys(vec![key_with(KeyRole::Read)]));
    gateway.receive_from(&lookup, late, &ping(key));
    assert_eq!(outcome(gateway.receive(&ping(key))), refused);
}

#[test]
fn guesses_reach_the_directory_only_so_often_and_lock_nobody_out_who_has_a_key() {
    let known = Rc::default();
    let good = "em_default_0123456789abcdef";
    let role = || vec![key_with(KeyRole::Read)];
    assert_eq!(looked_up(&known, good, role()).0, 200);
    let guess = |n: usize| format!("em_default_guess{n}");
    for n in 1..120 {
        let refused = looked_up(&known, &guess(n), Vec::new());
        assert_eq!(refused, (401, "invalid_api_key".into()));
    }
    let limited = (429, "too_many_unknown_keys".to_owned());
    let at = |seconds| gateway(&known, NOW + seconds);
    assert_eq!(outcome(at(1).receive(&ping(&guess(120)))), limited);
    assert_eq!(outcome(at(1).receive(&ping(good))).0, 200);
    assert_eq!(outcome(at(1).receive(&ping(&guess(1)))).0, 401);
    // Other projects go on, and after a minute so does this one.
    let other = "em_team_a_0123456789abcdef";
    assert_eq!(looked_up(&known, other, role()).0, 200);
    let next = at(60).receive(&ping(&guess(120)));
    assert!(matches!(next, Received::Unknown(_)));
    let again = at(60).receive(&ping(good));
    assert!(matches!(again, Received::Unknown(_)));
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
