//! The graph, asked for and shown.

use serde_json::{Value, json};

use super::super::super::export::Format;
use super::super::*;
use super::writing::{memory, written};
use super::{ask, at, id};
use crate::memory::{
    Claim, Contradiction, Entity, EntityChange, EntityChangeKind, EntityId, Filter, Object,
    Precision, Relation, Resolution, ResolvedBy,
};
use crate::operation::{
    Conflict, Dated, EntityView, Graph, Hit, Link, Receipt, Side, Step, Stop, Triple,
};

fn entity(id: &str, name: &str, kind: &str) -> Entity {
    Entity {
        id: EntityId(id.into()),
        name: name.into(),
        kind: kind.into(),
        aliases: Vec::new(),
        created_at: at(0),
        merged_into: None,
        changes: Vec::new(),
    }
}

fn relation(predicate: &str, object: Object) -> Relation {
    Relation {
        subject: EntityId("user".into()),
        predicate: predicate.into(),
        object,
        valid_from: Some(at(0)),
        valid_to: None,
        known_from: at(0),
        from_precision: Some(Precision::Day),
        to_precision: None,
        known_to: None,
        confidence: 0.9,
        memories: vec![id(3)],
        messages: vec![id(2)],
    }
}

fn lives_in() -> Relation {
    relation("lives_in", Object::Entity(EntityId("san francisco".into())))
}

fn operation(method: &str, address: &str, body: Value) -> Operation {
    let read = ask(method, address, body).unwrap();
    assert_eq!(read.space, id(1).space(), "{address}");
    read.operation
}

fn code(method: &str, address: &str, body: Value) -> String {
    ask(method, address, body).unwrap_err().code
}

#[test]
fn a_page_of_the_graph_is_read_whole() {
    let address = "/v1/graph/?user_id=alice&as_of=2026-05-01&known_at=2026-05-02T10:00:00Z&page=3&page_size=20";
    let end_of_day = "2026-05-01T23:59:59.999Z";
    assert_eq!(
        operation("GET", address, Value::Null),
        Operation::Graph(Graph {
            past: false,
            as_of: Some(end_of_day.parse().unwrap()),
            known_at: Some("2026-05-02T10:00:00Z".parse().unwrap()),
            filter: Filter::eq("user_id", "alice"),
            page: 3,
            page_size: 20,
        })
    );
    for (query, expected) in [
        ("", "scope_required"),
        ("user_id=*", "one_owner_at_a_time"),
        ("user_id=alice&as_of=soon", "bad_date"),
        ("user_id=alice&page=0", "out_of_range"),
        ("user_id=alice&page_size=1001", "out_of_range"),
        ("user_id=alice&format=rdf", "bad_value"),
    ] {
        assert_eq!(
            code("GET", &format!("/v1/graph/?{query}"), Value::Null),
            expected,
            "{query}"
        );
    }
}

#[test]
fn an_export_asks_for_all_that_there_is_and_was() {
    for (address, format, past) in [
        (
            "/v1/graph/?user_id=alice&format=json-ld",
            Format::JsonLd,
            true,
        ),
        (
            "/v1/graph/?user_id=alice&format=GraphML",
            Format::GraphMl,
            true,
        ),
        ("/v1/graph/export/?user_id=alice", Format::JsonLd, true),
        (
            "/v1/graph/export/?user_id=alice&format=cypher&past=false",
            Format::Cypher,
            false,
        ),
    ] {
        let read = ask("GET", address, Value::Null).unwrap();
        let space = id(1).space().to_string();
        assert_eq!(read.shape, Shape::Export { format, space }, "{address}");
        let Operation::Graph(graph) = read.operation else {
            panic!("{address}");
        };
        assert_eq!(
            (graph.past, graph.page, graph.page_size),
            (past, 1, 1_000_000),
            "{address}"
        );
    }
}

#[test]
fn entities_are_asked_for_by_any_name_and_corrected() {
    let named = |name: &str| EntityId(name.into());
    assert_eq!(
        operation(
            "GET",
            "/v1/graph/entities/AC%2FDC%20%E6%9D%B1/?user_id=alice",
            Value::Null
        ),
        Operation::Entity {
            id: named("AC/DC 東")
        }
    );
    assert_eq!(
        operation(
            "POST",
            "/v1/graph/entities/Mel/merge/",
            json!({"user_id": "alice", "into": "Melanie"})
        ),
        Operation::MergeEntities {
            from: named("Mel"),
            into: named("Melanie")
        }
    );
    assert_eq!(
        operation(
            "POST",
            "/v1/graph/entities/john/split/?user_id=alice",
            json!({"name": "John (brother)", "memory_ids": [id(3)]})
        ),
        Operation::SplitEntity {
            entity: named("john"),
            name: "John (brother)".into(),
            memories: vec![id(3)],
        }
    );
    for (path, body, expected) in [
        ("merge", json!({}), "missing_value"),
        ("merge", json!({"into": 7.5, "user_id": " "}), "bad_id"),
        ("split", json!({"name": "x"}), "missing_value"),
        ("split", json!({"memory_ids": [id(3)]}), "missing_value"),
        (
            "split",
            json!({"name": "x", "memory_ids": ["3"]}),
            "bad_memory_id",
        ),
    ] {
        let address = format!("/v1/graph/entities/john/{path}/?agent_id=a");
        assert_eq!(
            code("POST", &address, body.clone()),
            expected,
            "{path} {body}"
        );
    }
}

#[test]
fn ways_and_contradictions_are_asked_for() {
    assert_eq!(
        operation(
            "GET",
            "/v1/graph/path/?user_id=alice&from=Tokyo&to=peanuts&as_of=2026",
            Value::Null
        ),
        Operation::Path {
            from: EntityId("Tokyo".into()),
            to: EntityId("peanuts".into()),
            as_of: Some("2026-12-31T23:59:59.999Z".parse().unwrap()),
        }
    );
    assert_eq!(
        code(
            "GET",
            "/v1/graph/path/?user_id=alice&from=Tokyo",
            Value::Null
        ),
        "missing_value"
    );
    assert_eq!(
        operation(
            "GET",
            "/v1/contradictions/?user_id=alice&resolved=true",
            Value::Null
        ),
        Operation::Contradictions { resolved: true }
    );
    let address = format!("/v1/contradictions/{}/resolve/", id(9));
    for (keep, expected) in [
        (json!(id(3)), Claim::Memory(id(3))),
        (json!({"memory": id(3)}), Claim::Memory(id(3))),
        (json!({"relation": "00ff"}), Claim::Relation("00ff".into())),
    ] {
        assert_eq!(
            operation("POST", &address, json!({"keep": keep})),
            Operation::Resolve {
                id: id(9),
                keep: expected
            }
        );
    }
    for keep in [json!(null), json!("x"), json!(7), json!({"side": 1})] {
        assert_eq!(code("POST", &address, json!({"keep": keep})), "bad_claim");
    }
    assert_eq!(
        code("POST", "/v1/contradictions/9/resolve/", json!({})),
        "bad_contradiction_id"
    );
}

#[test]
fn contexts_and_timelines_are_asked_for() {
    let body = json!({
        "query": " dinner? ", "user_id": "alice", "budget_tokens": 400, "as_of": "2026-05-01T10:00:00Z",
        "filters": {"run_id": "r"},
    });
    let Operation::Context(context) = operation("POST", "/v1/context/", body) else {
        panic!("no context");
    };
    assert_eq!(
        (context.query.as_str(), context.budget_tokens),
        ("dinner?", 400)
    );
    assert_eq!(context.as_of.unwrap().to_string(), "2026-05-01T10:00:00Z");
    assert!(context.filter.mentions("run_id"));
    for (body, expected) in [
        (json!({"user_id": "alice"}), "empty_query"),
        (json!({"query": "q"}), "scope_required"),
        (
            json!({"query": "q", "user_id": "u", "budget_tokens": 49}),
            "out_of_range",
        ),
        (
            json!({"query": "q", "user_id": "u", "budget_tokens": 1e9}),
            "out_of_range",
        ),
    ] {
        assert_eq!(
            code("POST", "/v1/context/", body.clone()),
            expected,
            "{body}"
        );
    }
    let address = "/v1/timeline/?user_id=alice&entity=Mel&query=pottery&from=2026-02&to=2026-03";
    let Operation::Timeline(timeline) = operation("GET", address, Value::Null) else {
        panic!("no timeline");
    };
    assert_eq!(timeline.entity, Some(EntityId("Mel".into())));
    assert_eq!(timeline.query.as_deref(), Some("pottery"));
    let span = [timeline.from, timeline.to].map(|at| at.unwrap().date());
    assert_eq!(span, ["2026-02-01", "2026-04-01"], "all of March");
}

#[test]
fn a_context_tells_which_memories_it_cites() {
    let reply = Reply::Context {
        text: "Facts\n- Alice is allergic to peanuts [m1]".into(),
        memories: vec![id(3)],
        tokens: 12,
        truncated: false,
    };
    assert_eq!(
        written(Shape::Context, reply),
        json!({
            "context": "Facts\n- Alice is allergic to peanuts [m1]",
            "tokens": 12, "truncated": false, "citations": {"m1": id(3)},
        })
    );
}

#[test]
fn a_timeline_shows_what_it_knows_of_each_time() {
    let line = Dated {
        from: at(0),
        from_precision: Some(Precision::Day),
        to: None,
        to_precision: None,
        text: "Alice lives_in San Francisco".into(),
        current: true,
        memories: vec![id(3)],
        relation: Some(lives_in()),
    };
    let shown = written(Shape::Timeline, Reply::Timeline(vec![line]));
    insta::assert_json_snapshot!("timeline", shown);
}

#[test]
fn a_receipt_shows_the_way_and_a_hit_what_contradicts_it() {
    let step = |by: &str, to, name: &str| Step {
        by: by.into(),
        backwards: by == "visits",
        to,
        name: name.into(),
    };
    let hit = Hit {
        memory: memory(),
        score: 0.5,
        rerank_score: None,
        receipt: Receipt {
            path: vec![
                step("named", Stop::Entity(EntityId("tokyo".into())), "Tokyo"),
                step("visits", Stop::Entity(EntityId("user".into())), "Alice"),
                step("mentions", Stop::Memory(id(3)), ""),
            ],
            ..Receipt::default()
        },
        contradicts: vec![id(4)],
    };
    let cut = shapes::Cut(vec!["contradicts".into(), "receipt".into()]);
    let shown = written(Shape::Hits { cut, explain: true }, Reply::Hits(vec![hit]));
    insta::assert_json_snapshot!("way", shown);
}

#[test]
fn wrong_methods_say_which_are_right() {
    for (method, path, allowed) in [
        ("POST", "/v1/graph/", "GET"),
        ("POST", "/v1/graph/export/", "GET"),
        ("DELETE", "/v1/graph/entities/x/", "GET"),
        ("GET", "/v1/graph/entities/x/merge/", "POST"),
        ("GET", "/v1/graph/entities/x/split/", "POST"),
        ("PUT", "/v1/graph/path/", "GET"),
        ("POST", "/v1/contradictions/", "GET"),
        ("GET", "/v1/context/", "POST"),
        ("POST", "/v1/timeline/", "GET"),
        ("GET", "/v1/contradictions/x/resolve/", "POST"),
    ] {
        let refusal = route(method, path).unwrap_err();
        assert_eq!(
            (refusal.problem.status, refusal.allow),
            (405, Some(allowed)),
            "{path}"
        );
    }
    assert_eq!(
        code("GET", "/v1/graph/nodes/", Value::Null),
        "no_such_route"
    );
}

#[test]
fn a_page_of_the_graph_names_what_is_on_other_pages_and_links_to_them() {
    let read = ask(
        "GET",
        "https://m.example/v1/graph/?user_id=a%26b&page=2&as_of=2026&page_size=2",
        Value::Null,
    )
    .unwrap();
    let reply = Reply::Graph {
        total: 5,
        entities: vec![entity("user", "Alice", "person")],
        relations: vec![
            lives_in(),
            relation("born_in", Object::Literal("1990".into())),
        ],
        names: vec![(EntityId("san francisco".into()), "San Francisco".into())],
    };
    insta::assert_json_snapshot!("graph", written(read.shape, reply));
}

#[test]
fn an_entity_is_shown_with_its_story() {
    let mut melanie = entity("melanie", "Melanie", "person");
    melanie.aliases = vec!["Mel".into(), "my sister".into()];
    melanie.changes = vec![EntityChange {
        kind: EntityChangeKind::Alias,
        at: at(1),
        of: vec!["Mel".into()],
    }];
    let mut moved = memory();
    moved.versions[0].known_to = Some(at(5));
    moved.versions.push(crate::memory::Version {
        text: "User lives in Oslo".into(),
        known_from: at(5),
        known_to: None,
        valid_from: Some(at(4)),
        from_precision: Some(Precision::Day),
        ..moved.versions[0].clone()
    });
    let view = EntityView {
        relations: vec![Relation {
            subject: EntityId("melanie".into()),
            ..relation("sister_of", Object::Entity(EntityId("user".into())))
        }],
        names: vec![(EntityId("user".into()), "Alice".into())],
        memories: vec![moved],
        entity: melanie,
    };
    let shown = written(Shape::Entity, Reply::Entity(Box::new(view)));
    insta::assert_json_snapshot!("entity", shown);
}

#[test]
fn ways_are_shown_in_words_and_steps() {
    let visits = relation("visits", Object::Entity(EntityId("tokyo".into())));
    let allergic = relation("allergic_to", Object::Entity(EntityId("peanuts".into())));
    let reply = Reply::Paths {
        entities: vec![
            entity("tokyo", "Tokyo", "place"),
            entity("peanuts", "peanuts", "food"),
            entity("user", "Alice", "person"),
        ],
        paths: vec![vec![
            Link {
                relation: visits,
                backwards: true,
            },
            Link {
                relation: allergic,
                backwards: false,
            },
        ]],
    };
    let shown = written(Shape::Paths, reply);
    assert_eq!(
        shown["paths"][0]["text"],
        "Tokyo <-visits- Alice -allergic_to-> peanuts"
    );
    insta::assert_json_snapshot!("paths", shown);
}

#[test]
fn contradictions_show_both_sides_and_how_they_ended() {
    let conflict = |resolved| Conflict {
        contradiction: Contradiction {
            id: id(9),
            claims: vec![Claim::Memory(id(3)), Claim::Relation("00ff".into())],
            found_at: at(7),
            resolved,
        },
        sides: vec![
            Side {
                claim: Claim::Memory(id(3)),
                text: "User lives in Oslo".into(),
                memories: vec![id(3)],
                said_at: Some(at(6)),
            },
            Side {
                claim: Claim::Relation("00ff".into()),
                text: "Alice lives_in Rome".into(),
                memories: vec![id(4)],
                said_at: None,
            },
        ],
    };
    let shown = written(
        Shape::Contradictions,
        Reply::Contradictions(vec![conflict(None)]),
    );
    insta::assert_json_snapshot!("contradictions", shown);
    let resolution = Resolution {
        at: at(8),
        kept: Some(Claim::Memory(id(3))),
        by: ResolvedBy::Owner,
    };
    let reply = Reply::Contradictions(vec![conflict(Some(resolution))]);
    let shown = written(Shape::Contradiction, reply);
    assert_eq!(
        shown["resolved"],
        json!({"at": at(8), "kept": {"memory": id(3)}, "by": "owner"})
    );
}

#[test]
fn an_export_is_not_json_unless_it_is() {
    let reply = Reply::Graph {
        total: 1,
        entities: vec![entity("user", "Alice", "person")],
        relations: Vec::new(),
        names: Vec::new(),
    };
    for (format, begins, content_type) in [
        (Format::JsonLd, "{", "application/ld+json"),
        (
            Format::GraphMl,
            "<?xml",
            "application/graphml+xml; charset=utf-8",
        ),
        (
            Format::Cypher,
            "//",
            "application/x-cypher-query; charset=utf-8",
        ),
    ] {
        let space = "00".to_owned();
        let shape = Shape::Export { format, space };
        let text = String::from_utf8(write(&shape, &reply).unwrap()).unwrap();
        assert!(text.starts_with(begins) && text.contains("Alice"), "{text}");
        assert_eq!(shape.content_type(), content_type);
    }
}

#[test]
fn a_search_with_the_graph_has_the_relations_that_older_clients_expect() {
    let body =
        json!({"query": "where?", "user_id": "alice", "enable_graph": true, "fields": ["id"]});
    let read = ask("POST", "/v3/memories/search/", body).unwrap();
    assert!(matches!(&read.operation, Operation::Search(search) if search.relations));
    let reply = Reply::Related {
        hits: vec![Hit {
            memory: memory(),
            score: 0.5,
            rerank_score: None,
            receipt: Receipt::default(),
            contradicts: Vec::new(),
        }],
        relations: vec![Triple {
            source: "Alice".into(),
            relationship: "lives_in".into(),
            target: "San Francisco".into(),
        }],
    };
    assert_eq!(
        written(read.shape, reply),
        json!({
            "results": [{"id": id(3)}],
            "relations": [{
                "source": "Alice", "relationship": "lives_in",
                "target": "San Francisco", "destination": "San Francisco",
            }],
        })
    );
}
