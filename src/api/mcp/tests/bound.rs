//! Connections that are bound to one user.

use super::*;

#[test]
fn a_bound_connection_reaches_one_user_alone() {
    let call = called(&bound(
        tool("search_memories", json!({"query": "tea?"})),
        "alice",
    ));
    assert_eq!(call.owner.unwrap().to_string(), "user alice");
    for (name, arguments) in [
        (
            "search_memories",
            json!({"query": "tea?", "user_id": "bob"}),
        ),
        (
            "search_memories",
            json!({"query": "tea?", "filters": {"user_id": "bob"}}),
        ),
        (
            "search_memories",
            json!({"query": "tea?", "filters": {"userId": "bob"}}),
        ),
        (
            "get_context",
            json!({"query": "tea?", "filters": {"AND": [{"user_id": "bob"}]}}),
        ),
        (
            "add_memory",
            json!({"text": "x", "userId": "bob", "user_id": "bob"}),
        ),
        ("get_memory", json!({"memory_id": id_of("bob")})),
        (
            "update_memory",
            json!({"memory_id": id_of("bob"), "text": "x"}),
        ),
        ("delete_memory", json!({"memory_id": id_of("bob")})),
        ("delete_all_memories", json!({"user_id": "bob"})),
        ("get_event_status", json!({"event_id": id_of("bob")})),
    ] {
        assert_eq!(
            refusal(&bound(tool(name, arguments.clone()), "alice")),
            "bound_to_another_user",
            "{name} {arguments}"
        );
    }
    // An agent's own memory is not the user's.
    let call = called(&bound(
        tool("delete_all_memories", json!({"agent_id": "a"})),
        "alice",
    ));
    assert_eq!(call.owner.unwrap().to_string(), "user alice");
    for user in ["", " ", &"x".repeat(257)] {
        assert_eq!(
            refusal(&bound(tool("search_memories", json!({"query": "x"})), user)),
            "bad_user_header"
        );
    }
}

#[test]
fn what_is_of_a_project_is_for_connections_that_are_not_bound() {
    let alice = json!({"user_id": "alice"});
    for (name, arguments) in [
        ("list_entities", json!({"page": 1})),
        ("list_events", json!({})),
        ("delete_entities", alice.clone()),
        (
            "search_memories",
            json!({"query": "tea?", "filters": {"user_id": {"in": ["alice", "bob"]}}}),
        ),
    ] {
        let request = tool(name, arguments.clone());
        assert!(
            matches!(gateway().receive(&request), Received::Work(_)),
            "{name}"
        );
        let request = bound(request, "alice");
        if name == "delete_entities" {
            assert!(matches!(gateway().receive(&request), Received::Work(_)));
        } else {
            assert_eq!(refusal(&request), "bound_to_another_user", "{name}");
        }
    }
    assert_eq!(
        refusal(&bound(tool("delete_entities", alice), "bob")),
        "bound_to_another_user"
    );
    let several = json!({"user_id": "alice", "agent_id": "a"});
    assert_eq!(
        refusal(&tool("delete_entities", several)),
        "one_owner_at_a_time"
    );
}

#[test]
fn no_question_to_several_owners_leaves_the_user_of_a_bound_connection() {
    let alice = Owner::new(OwnerKind::User, "alice").space_hash();
    let every = json!({"user_id": "*", "agent_id": "*", "app_id": "*", "run_id": "*"});
    for filters in [
        json!({"user_id": "*"}),
        json!({"user_id": {"in": ["alice", "bob"]}}),
        json!({"OR": [{"user_id": "alice"}, {"user_id": "bob"}]}),
        json!({"OR": [{"user_id": "alice"}, {"agent_id": "*"}]}),
        json!({"AND": [{"user_id": "*"}, {"agent_id": "tutor"}]}),
        json!({"agent_id": ["tutor", "cook"]}),
        every.clone(),
    ] {
        for name in ["search_memories", "get_memories", "delete_all_memories"] {
            let open = json!({"query": "tea?", "filters": filters});
            if name != "delete_all_memories" {
                let received = gateway().receive(&tool(name, open.clone()));
                assert!(matches!(received, Received::Work(_)), "{name} {filters}");
            }
            match gateway().receive(&bound(tool(name, open), "alice")) {
                Received::Call(call) => assert_eq!(call.space, alice, "{name} {filters}"),
                Received::Answer(_) => {}
                other => panic!("{name} {filters}: {other:?}"),
            }
        }
    }
    let mut erase = every;
    assert!(matches!(
        gateway().receive(&tool("delete_all_memories", erase.clone())),
        Received::Work(_)
    ));
    assert_eq!(
        refusal(&bound(tool("delete_all_memories", erase.clone()), "alice")),
        "bound_to_another_user"
    );
    erase["user_id"] = json!("alice");
    let call = called(&bound(tool("delete_all_memories", erase), "alice"));
    assert_eq!(call.space, alice);
    for (kind, id) in [("user_id", "bob"), ("agent_id", "alice"), ("run_id", "r")] {
        let request = tool("delete_entities", json!({kind: id}));
        refusal(&bound(request, "alice"));
    }
}
