use serde_json::json;

use super::*;

struct Fields(Value);

impl Subject for Fields {
    fn field(&self, name: &str) -> Option<Value> {
        let name = name.strip_prefix("metadata.").unwrap_or(name);
        self.0.get(name).filter(|value| !value.is_null()).cloned()
    }
}

fn holds(filter: Value) -> bool {
    let subject = Fields(json!({
        "user_id": "alice", "score": 3, "tag": "Big Red", "created_at": "2026-03-14T09:30:00Z",
        "categories": ["food", "travel"], "gone": null, "flag": true,
    }));
    Filter::read(&filter).unwrap().matches(&subject)
}

#[test]
fn every_operator() {
    for (filter, expected) in [
        (json!({}), true),
        (json!({"user_id": "alice"}), true),
        (json!({"userId": "alice"}), true),
        (json!({"user_id": "bob"}), false),
        (json!({"user_id": "*"}), true),
        (json!({"gone": "*"}), false),
        (json!({"score": {"eq": 3}}), true),
        (json!({"score": {"eq": 3.0}}), true),
        (json!({"score": "3"}), true),
        (json!({"score": {"ne": 3}}), false),
        (json!({"absent": {"ne": 3}}), true),
        (json!({"score": {"gt": 2, "lt": 4}}), true),
        (json!({"score": {"gt": 3}}), false),
        (json!({"score": {"gte": 3, "lte": 3}}), true),
        (json!({"score": {"gt": "2"}}), false),
        (json!({"score": {"in": [1, 3]}}), true),
        (json!({"score": {"nin": [1, 3]}}), false),
        (json!({"absent": {"nin": [1, 3]}}), true),
        (json!({"user_id": ["alice", "bob"]}), true),
        (json!({"tag": {"contains": "Red"}}), true),
        (json!({"tag": {"contains": "red"}}), false),
        (json!({"tag": {"icontains": "red"}}), true),
        (json!({"categories": {"contains": "food"}}), true),
        (json!({"categories": {"contains": "foo"}}), false),
        (json!({"categories": {"in": ["music", "travel"]}}), true),
        (json!({"categories": {"nin": ["music"]}}), true),
        (json!({"flag": true}), true),
        (json!({"created_at": {"gte": "2026-03-14"}}), true),
        (
            json!({"created_at": {"lt": "2026-03-14T10:30:00+02:00"}}),
            false,
        ),
        (
            json!({"created_at": {"lt": "2026-03-14T12:30:00+02:00"}}),
            true,
        ),
        (json!({"metadata": {"tag": "Big Red"}}), true),
    ] {
        assert_eq!(holds(filter.clone()), expected, "{filter}");
    }
}

#[test]
fn trees() {
    for (filter, expected) in [
        (json!({"AND": [{"user_id": "alice"}, {"score": 3}]}), true),
        (
            json!({"AND": [{"score": {"gt": 1}}, {"score": {"lt": 3}}]}),
            false,
        ),
        (
            json!({"OR": [{"user_id": "bob"}, {"AND": [{"score": 3}, {"flag": true}]}]}),
            true,
        ),
        (json!({"NOT": [{"user_id": "bob"}, {"score": 4}]}), true),
        (json!({"NOT": {"user_id": "alice"}}), false),
        (
            json!({"AND": [{"user_id": "alice"}], "OR": [{"score": 9}]}),
            false,
        ),
        (json!({"OR": []}), false),
    ] {
        assert_eq!(holds(filter.clone()), expected, "{filter}");
        let given = Filter::read(&filter).unwrap().given("user_id", "alice");
        assert!(!given.mentions("user_id"));
        assert_eq!(holds(given.to_json()), expected, "{filter} given the user");
        let written = Filter::read(&filter).unwrap().to_json();
        assert_eq!(holds(written), expected, "{filter} written and read again");
    }
}

#[test]
fn unreadable_filters_say_why() {
    let error = Filter::read(&json!({"score": {"near": 3}})).unwrap_err();
    assert!(error.to_string().contains("'near' is not an operator"));
    assert_eq!(Filter::read(&json!("x")), Err(FilterError::NotAnObject));
    assert!(matches!(
        Filter::read(&json!({"AND": 3})),
        Err(FilterError::NotAList(_))
    ));
    let mut deep = json!({"user_id": "a"});
    for _ in 0..100 {
        deep = json!({"NOT": [deep]});
    }
    assert_eq!(Filter::read(&deep), Err(FilterError::TooDeep));
}

#[test]
fn the_owner_is_read_from_what_must_hold() {
    let read = |value: Value| Filter::read(&value).unwrap().required("user_id");
    assert_eq!(read(json!({"user_id": "a"})), Some(vec!["a".into()]));
    assert_eq!(
        read(json!({"AND": [{"x": 1}, {"user_id": "a"}]})),
        Some(vec!["a".into()])
    );
    assert_eq!(
        read(json!({"OR": [{"user_id": "a"}, {"user_id": "b"}]})),
        Some(vec!["a".into(), "b".into()])
    );
    assert_eq!(read(json!({"OR": [{"user_id": "a"}, {"x": 1}]})), None);
    assert_eq!(read(json!({"NOT": [{"user_id": "a"}]})), None);
    assert_eq!(read(json!({"user_id": "*"})), None);
}
