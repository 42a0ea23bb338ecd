//! Requests.

use serde_json::{Value, json};

use super::super::*;
use super::{ask, id};
use crate::memory::{Moment, Role};
use crate::operation::{Graph, List, Search, Transcript, Update};

#[test]
fn a_search_is_read_whole() {
    let body = json!({
        "query": " what? ", "filters": {"AND": [{"userId": "alice"}]}, "top_k": 3, "threshold": 0.2,
        "rerank": true, "reference_date": "2025-01-01", "fields": ["id"], "keyword_search": true,
        "output_format": "v1.1", "latest_only": true, "source": "X", "explain": true,
        "show_expired": true, "categories": ["food"], "keywords": "tea",
        "metadata": {"k": "v"}, "start_date": "2026-01-01", "end_date": "2026-01-31",
    });
    let read = ask("POST", "/v3/memories/search/", body).unwrap();
    assert_eq!(read.owner.unwrap().to_string(), "user alice");
    let Operation::Search(Search {
        query,
        filter,
        top_k,
        threshold,
        show_expired,
        transcript,
        relations,
        reference_time,
        rerank,
        as_of,
        known_at,
        latest_only,
        without,
    }) = read.operation
    else {
        panic!("no search");
    };
    assert_eq!(
        (query.as_str(), top_k, threshold, show_expired),
        ("what?", 3, 0.2, true)
    );
    assert!(rerank && latest_only && !relations && without.is_empty());
    assert_eq!((as_of, known_at), (None, None));
    assert_eq!(transcript, Transcript::Fill);
    assert_eq!(reference_time.unwrap().date(), "2025-01-01");
    assert_eq!(
        read.shape,
        Shape::Hits {
            cut: shapes::Cut(vec!["id".into()]),
            explain: true
        }
    );
    assert_eq!(
        filter.to_json(),
        json!({"AND": [
            {"AND": [{"user_id": {"eq": "alice"}}]},
            {"categories": {"in": ["food"]}},
            {"OR": [{"text": {"icontains": "tea"}}]},
            {"AND": [{"metadata.k": {"eq": "v"}}]},
            {"created_at": {"gte": "2026-01-01T00:00:00Z"}},
            {"created_at": {"lt": "2026-02-01T00:00:00Z"}},
        ]})
    );
}

#[test]
fn a_search_has_the_defaults_of_the_contract() {
    let read = ask(
        "POST",
        "/v3/memories/search",
        json!({"query": "q", "user_id": "u"}),
    )
    .unwrap();
    let Operation::Search(search) = read.operation else {
        panic!("no search");
    };
    assert_eq!((search.top_k, search.threshold), (10, 0.1));
    assert!(!search.show_expired);
    assert_eq!(search.filter, crate::memory::Filter::eq("user_id", "u"));
    for (extra, code) in [
        (json!({"top_k": 0}), "out_of_range"),
        (json!({"top_k": 1001}), "out_of_range"),
        (json!({"threshold": 1.5}), "out_of_range"),
        (json!({"transcript": "some"}), "bad_value"),
        (json!({"start_date": "soon"}), "bad_date"),
        (json!({"query": "x".repeat(200_000)}), "query_too_long"),
    ] {
        let mut body = json!({"query": "q", "user_id": "u"});
        body.as_object_mut()
            .unwrap()
            .append(&mut extra.as_object().unwrap().clone());
        let problem = ask("POST", "/v3/memories/search/", body).unwrap_err();
        assert_eq!(problem.code, code);
    }
}

#[test]
fn a_search_looks_from_any_moment() {
    let body = json!({
        "query": "q", "user_id": "u", "as_of": "2026-05", "known_at": "2026-05-02T10:00:00Z",
    });
    let Operation::Search(search) = ask("POST", "/v3/memories/search/", body).unwrap().operation
    else {
        panic!("no search");
    };
    let shown = [search.as_of, search.known_at].map(|at| at.unwrap().to_string());
    assert_eq!(shown, ["2026-05-31T23:59:59.999Z", "2026-05-02T10:00:00Z"]);
    let body = json!({"query": "q", "user_id": "u", "as_of": "then"});
    assert_eq!(
        ask("POST", "/v3/memories/search/", body).unwrap_err().code,
        "bad_date"
    );
}

#[test]
fn a_list_is_read_from_query_and_body() {
    let body = json!({"filters": {"user_id": "u1"}, "show_expired": true, "latest_only": true});
    let read = ask("POST", "/v3/memories/?page=2&page_size=5", body).unwrap();
    let Operation::List(List {
        page,
        page_size,
        show_expired,
        transcript,
        show_past,
        ..
    }) = read.operation
    else {
        panic!("no list");
    };
    assert_eq!((page, page_size, show_expired), (2, 5, true));
    assert!(!transcript && !show_past);
}

#[test]
fn an_update_tells_null_from_absent() {
    let address = format!("/v1/memories/{}/", id(3));
    let read = |body: Value| match ask("PUT", &address, body) {
        Ok(Read {
            operation: Operation::Update(update),
            ..
        }) => Ok(update),
        Ok(other) => panic!("{other:?}"),
        Err(problem) => Err(problem.code),
    };
    let nothing = Update {
        id: id(3),
        text: None,
        metadata: None,
        time: None,
        expires_at: None,
    };
    for (body, expected) in [
        (
            json!({"text": "x"}),
            Ok(Update {
                text: Some("x".into()),
                ..nothing.clone()
            }),
        ),
        (
            json!({"data": "x"}),
            Ok(Update {
                text: Some("x".into()),
                ..nothing.clone()
            }),
        ),
        (
            json!({"expiration_date": null}),
            Ok(Update {
                expires_at: Some(None),
                ..nothing.clone()
            }),
        ),
        (
            json!({"expiration_date": "2030-01-01", "timestamp": 1}),
            Ok(Update {
                expires_at: Some(Some("2030-01-02".parse().unwrap())),
                time: Some(Moment::from_seconds(1)),
                ..nothing.clone()
            }),
        ),
        (json!({}), Err("nothing_to_update")),
        (json!({"text": " "}), Err("empty_text")),
        (json!({"metadata": 3}), Err("bad_value")),
    ] {
        assert_eq!(
            read(body.clone()),
            expected.map_err(str::to_owned),
            "{body}"
        );
    }
}

#[test]
fn routes_by_id_ask_the_space_of_the_id() {
    let id = id(3);
    for (method, address, expected) in [
        ("GET", format!("/v1/memories/{id}/"), Operation::Get { id }),
        (
            "DELETE",
            format!("/v1/memories/{id}/?delete_linked=true"),
            Operation::DeleteLinked { id },
        ),
        (
            "DELETE",
            format!("/v1/memories/{id}/"),
            Operation::Delete { id },
        ),
        (
            "GET",
            format!("/v1/memories/{id}/history/"),
            Operation::History { id },
        ),
        ("GET", format!("/v1/event/{id}/"), Operation::Event { id }),
    ] {
        let read = ask(method, &address, Value::Null).unwrap();
        assert_eq!(
            (read.operation, read.space),
            (expected, id.space()),
            "{address}"
        );
    }
    let graph = ask("GET", "/v1/graph/?user_id=alice&past=true", Value::Null).unwrap();
    assert_eq!(
        (graph.operation, graph.space),
        (
            Operation::Graph(Graph {
                past: true,
                filter: crate::memory::Filter::eq("user_id", "alice"),
                ..Graph::default()
            }),
            id.space()
        )
    );
    let hashed = ask("GET", "/v1/stats/?user_id=alice&digest=true", Value::Null).unwrap();
    assert_eq!(hashed.operation, Operation::Stats { digest: true });
    let stats = ask("GET", "/v1/stats/?user_id=alice", Value::Null).unwrap();
    assert_eq!(
        (stats.operation, stats.space),
        (Operation::Stats { digest: false }, id.space())
    );
}

#[test]
fn messages_keep_their_roles() {
    let body = json!({"user_id": "alice", "messages": [
        {"role": "user", "content": "I love tea"}, {"role": "assistant", "content": "Noted"},
    ]});
    let read = ask("POST", "/v3/memories/add/", body).unwrap();
    let Operation::Add(add) = read.operation else {
        panic!("no add");
    };
    let roles: Vec<Role> = add.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant]);
    assert_eq!(read.space, id(1).space());
}
