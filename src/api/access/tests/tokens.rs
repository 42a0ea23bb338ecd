//! Tokens of users.

use super::*;
use crate::api::access::token::is_token;

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
fn debug_output_holds_no_secret() {
    let gateway = gateway(&Rc::default(), NOW);
    assert!(!format!("{gateway:?}").contains(SECRET));
    let key = "em_default_0123456789abcdef";
    let received = gateway.receive(&ping(key));
    assert!(!format!("{received:?}").contains("0123456789abcdef"));
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
