use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(text: &str) -> Vec<Value> {
    json_values(text)
}

/// Each text, and the values that it holds.
#[test]
fn replies_are_read() {
    let facts = || json!({"facts": [{"text": "a"}, {"text": "b"}]});
    let cases: Vec<(&str, Vec<Value>)> = vec![
        // Whole and well-formed.
        (
            r#"{"facts": [{"text": "a"}, {"text": "b"}]}"#,
            vec![facts()],
        ),
        (
            "[1, 2.5, -3e2, null, true]",
            vec![json!([1, 2.5, -3e2, null, true])],
        ),
        ("{}", vec![json!({})]),
        ("3", vec![json!(3)]),
        (r#""{\"facts\": []}""#, vec![json!({"facts": []})]),
        (r#""just words""#, vec![json!("just words")]),
        // Wrapped.
        ("\u{feff}  {\"a\": 1}\n", vec![json!({"a": 1})]),
        ("```json\n{\"a\": 1}\n```", vec![json!({"a": 1})]),
        (
            "```\n{\"a\": 1}\n```\nHope this helps!",
            vec![json!({"a": 1})],
        ),
        (
            "Sure! Here you are:\n\n{\"a\": {\"b\": []}}\n\nAnything else?",
            vec![json!({"a": {"b": []}})],
        ),
        (
            "<tool_call>{\"name\": \"x\", \"arguments\": {}}</tool_call>",
            vec![json!({"name": "x", "arguments": {}})],
        ),
        (
            "I think {that} is [fine] { } then {\"a\": 1}",
            vec![json!({}), json!({"a": 1})],
        ),
        ("Result = {'a': [1, 2, ...]}", vec![json!({"a": [1, 2]})]),
        (
            r#"See [#3], ["x and [/* y: {"a": 1}"#,
            vec![json!({"a": 1})],
        ),
        (r#"{"name" and {"a": 1}"#, vec![json!({"a": 1})]),
        // Reasoning.
        (
            "<think>Maybe {\"a\": 0}?</think>{\"a\": 1}",
            vec![json!({"a": 1})],
        ),
        (
            "<THINKING>\n{\"a\": 0}\n</Thinking>\n```json\n{\"a\": 1}\n```",
            vec![json!({"a": 1})],
        ),
        (
            "the tag came from the template {\"a\": 0}</think>\n{\"a\": 1}",
            vec![json!({"a": 1})],
        ),
        ("[THINK]{\"a\": 0}[/THINK]{\"a\": 1}", vec![json!({"a": 1})]),
        ("◁think▷{\"a\": 0}◁/think▷{\"a\": 1}", vec![json!({"a": 1})]),
        ("<think>I never stop {\"a\": 1}", vec![json!({"a": 1})]),
        (
            "{\"a\": 1}<think>was that {\"a\": 2} right",
            vec![json!({"a": 1})],
        ),
        ("<think>all of it {\"a\": 1}</think>", vec![json!({"a": 1})]),
        ("<think>nothing at all", vec![]),
        (
            r#"{"a": "she writes <think> and </think>"}"#,
            vec![json!({"a": "she writes <think> and </think>"})],
        ),
        (
            "<|channel|>analysis<|message|>{\"a\": 0}<|end|><|start|>assistant<|channel|>final<|message|>{\"a\": 1}",
            vec![json!({"a": 1})],
        ),
        // Several values.
        (
            "{\"a\": 1}\n{\"a\": 2}",
            vec![json!({"a": 1}), json!({"a": 2})],
        ),
        (
            "{\"a\": 1}{\"b\": 2}",
            vec![json!({"a": 1}), json!({"b": 2})],
        ),
        (
            "First {\"a\": 1}, or rather [{\"a\": 2}]",
            vec![json!({"a": 1}), json!([{"a": 2}])],
        ),
        // Python, JavaScript, comments, commas.
        (
            "{'a': True, 'b': None, 'c': False,}",
            vec![json!({"a": true, "b": null, "c": false})],
        ),
        (
            "{'text': 'it's Ann's', 'b': 1}",
            vec![json!({"text": "it's Ann's", "b": 1})],
        ),
        (
            "{a: 1, b_c: 'x', d-e: null}",
            vec![json!({"a": 1, "b_c": "x", "d-e": null})],
        ),
        (
            "{\"a\": NaN, \"b\": Infinity, \"c\": -Infinity}",
            vec![json!({"a": null, "b": null, "c": null})],
        ),
        (
            "{\"a\": .5, \"b\": +3, \"c\": 5., \"d\": 1_000}",
            vec![json!({"a": 0.5, "b": 3, "c": 5.0, "d": 1000})],
        ),
        (
            "{\"a\": 1, // one\n \"b\": 2 /* two */, # three\n \"c\": 3}",
            vec![json!({"a": 1, "b": 2, "c": 3})],
        ),
        ("[1, 2,, 3,]", vec![json!([1, 2, 3])]),
        ("{\"a\": 1 \"b\": 2}", vec![json!({"a": 1, "b": 2})]),
        (
            "{\"a\": \"x\"\n \"b\": \"y\"}",
            vec![json!({"a": "x", "b": "y"})],
        ),
        (
            "{\"a\": [{\"b\": 1} {\"b\": 2}]}",
            vec![json!({"a": [{"b": 1}, {"b": 2}]})],
        ),
        (
            "{\"category\": travel, \"tags\": [food, home]}",
            vec![json!({"category": "travel", "tags": ["food", "home"]})],
        ),
        ("{\"a\": , \"b\": }", vec![json!({"a": null, "b": null})]),
        // Quotes.
        (
            "{“text”: “so be it”, “n”: 1}",
            vec![json!({"text": "so be it", "n": 1})],
        ),
        (
            "{\"text\": \"the “quoted” word\"}",
            vec![json!({"text": "the “quoted” word"})],
        ),
        (
            r#"{"text": "He said "hi", then left", "n": 1}"#,
            vec![json!({"text": "He said \"hi\", then left", "n": 1})],
        ),
        (
            r#"{"text": "likes "Dune""}"#,
            vec![json!({"text": "likes \"Dune\""})],
        ),
        (
            r#"["likes "Dune" most", "b"]"#,
            vec![json!(["likes \"Dune\" most", "b"])],
        ),
        (
            "{\"text\": \"two\nlines\tand a tab\"}",
            vec![json!({"text": "two\nlines\tand a tab"})],
        ),
        (
            r#"{"text": "it\'s \d \u12 \uD83D\uDE00 \uD83D x", "b": 'a'}"#,
            vec![json!({"text": "it's \\d \\u12 😀 \u{fffd} x", "b": "a"})],
        ),
        // Brackets that are wrong.
        (r#"{"facts": [{"text": "a"}, {"text": "b"}}"#, vec![facts()]),
        (r#"{"facts": [{"text": "a"}, {"text": "b"]}"#, vec![facts()]),
        (
            r#"{"facts": [{"text": "a"}, {"text": "b"}]}}}]"#,
            vec![facts()],
        ),
        // Nothing there.
        ("", vec![]),
        ("I have nothing to add.", vec![]),
        ("{", vec![]),
        ("[[[[", vec![]),
        ("{\"facts\": [", vec![]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn what_came_before_the_end_is_kept() {
    let whole = r#"{"facts": [{"text": "a b", "n": 12, "ok": true}, {"text": "c d", "n": 34, "ok": null}]}"#;
    let cases = [
        // In the middle of the second text: no half fact.
        (
            r#""text": "c"#,
            json!({"facts": [{"text": "a b", "n": 12, "ok": true}]}),
        ),
        // After the second text: what is whole of it stays.
        (
            r#""text": "c d""#,
            json!({"facts": [{"text": "a b", "n": 12, "ok": true}, {"text": "c d"}]}),
        ),
        (
            r#""text": "c d", "n""#,
            json!({"facts": [{"text": "a b", "n": 12, "ok": true}, {"text": "c d"}]}),
        ),
        // A number may have gone on.
        (
            r#""n": 3"#,
            json!({"facts": [{"text": "a b", "n": 12, "ok": true}, {"text": "c d"}]}),
        ),
        (
            r#""n": 34,"#,
            json!({"facts": [{"text": "a b", "n": 12, "ok": true}, {"text": "c d", "n": 34}]}),
        ),
        (
            r#""ok": nul"#,
            json!({"facts": [{"text": "a b", "n": 12, "ok": true}, {"text": "c d", "n": 34}]}),
        ),
    ];
    for (last, expected) in cases {
        let end = whole.rfind(last).unwrap() + last.len();
        let read = readings(&whole[..end]);
        assert_eq!(
            read,
            [Reading {
                value: expected,
                complete: false
            }],
            "cut after {last}"
        );
    }
    assert!(readings(whole)[0].complete);
}

#[test]
fn a_cut_reply_in_a_fence_is_read() {
    let text = "```json\n{\"facts\": [{\"text\": \"a\"}, {\"text\": \"b\"}\n```\nThat is all.";
    assert_eq!(
        readings(text),
        [Reading {
            value: json!({"facts": [{"text": "a"}, {"text": "b"}]}),
            complete: false
        }]
    );
}

#[test]
fn garbage_in_the_middle_loses_nothing_around_it() {
    let text = r#"{"facts": [{"text": "a"} <oops> {"text": "b"}]}"#;
    assert_eq!(
        read(text),
        [json!({"facts": [{"text": "a"}]}), json!({"text": "b"})]
    );
}

#[test]
fn a_broken_string_on_one_line_does_not_swallow_what_follows() {
    let text = "{\"a\": 1, \"b\": \"x\" and so on.\n{\"facts\": [1]}";
    let found = read(text);
    assert!(found.contains(&json!({"facts": [1]})), "{found:?}");
}

#[test]
fn long_prose_is_read_quickly() {
    let json = r#"{"facts": [{"text": "a"}]}"#;
    let hostile = [
        "{",
        "[",
        "{\"",
        "[\"",
        "{'",
        "{“",
        "[“",
        "{a:",
        "{\"a\":",
        "[[",
        "{\"a\":1,",
        "[1,",
        "[{",
        "<think>",
        "</think>",
        "{\"a\": \"b\" x ",
        "[\"b\" x ",
        "\\",
        "{\"a\":\"\\",
        "/*",
        "{/*",
        "[#",
        "{a",
        "[aaaa aaaa",
        "{\"a\": [], ",
        "[[],",
        "{\"a\":{},",
        "a \"quoted\" {word}, ",
        "[1] see {x: y} ",
    ];
    for unit in hostile {
        let prose = unit.repeat(30_000 / unit.len());
        let started = std::time::Instant::now();
        json_values(&prose);
        json_values(&format!("{prose}\n\n{json}"));
        assert!(
            started.elapsed().as_millis() < 2_000,
            "{unit}: {:?}",
            started.elapsed()
        );
    }
    let prose =
        "It depends on what {you} mean by [that], \"really\"; see {this: one}. ".repeat(450);
    assert!(read(&format!("{prose}{json}{prose}")).contains(&json!({"facts": [{"text": "a"}]})));
}

#[test]
fn depth_is_bounded() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(
        readings(&deep)
            .iter()
            .all(|reading| !reading.complete || reading.value.is_array())
    );
    json_values(&"{\"a\":".repeat(5_000));
}

#[test]
fn wrong_types_become_right() {
    assert_eq!(as_text(&json!("  a ")), Some("a".into()));
    assert_eq!(as_text(&json!(3.5)), Some("3.5".into()));
    assert_eq!(as_text(&json!(true)), Some("true".into()));
    assert_eq!(as_text(&json!(["a"])), Some("a".into()));
    assert_eq!(as_text(&json!({"Text": "a"})), Some("a".into()));
    for nothing in [json!(null), json!(""), json!(["a", "b"]), json!({"x": 1})] {
        assert_eq!(as_text(&nothing), None, "{nothing}");
    }

    for yes in [
        json!(true),
        json!("True"),
        json!("yes"),
        json!(1),
        json!([true]),
    ] {
        assert_eq!(as_bool(&yes), Some(true), "{yes}");
    }
    for no in [json!(false), json!("no"), json!(0), json!("")] {
        assert_eq!(as_bool(&no), Some(false), "{no}");
    }
    assert_eq!(as_bool(&json!("perhaps")), None);
    assert_eq!(as_bool(&json!(null)), None);

    assert_eq!(as_strings(&json!("a")), ["a"]);
    assert_eq!(as_strings(&json!("[\"a\", \"b\"]")), ["a", "b"]);
    assert_eq!(
        as_strings(&json!(["a", 1, null, {"name": "b"}, ""])),
        ["a", "1", "b"]
    );
    assert_eq!(as_strings(&json!(null)), Vec::<String>::new());

    let three = [
        json!(3),
        json!(3.0),
        json!("3"),
        json!("3.0"),
        json!("[3]"),
        json!("#3"),
        json!("memory 3"),
        json!("m3"),
        json!([3]),
        json!({"id": "3"}),
        json!("3."),
        json!("3 (peanuts)"),
    ];
    for index in three {
        assert_eq!(as_index(&index), Some(3), "{index}");
    }
    for nothing in [
        json!(-1),
        json!(1.5),
        json!("1 or 2"),
        json!("none"),
        json!(null),
        json!("6b1f3c1e-2c1d-4a57-9f6e-0a1b2c3d4e5f"),
        json!(1e300),
    ] {
        assert_eq!(as_index(&nothing), None, "{nothing}");
    }

    let value = json!({"Attributed-To": "user", "text": null, "content": "x"});
    assert_eq!(field(&value, &["attributed_to"]), Some(&json!("user")));
    assert_eq!(field(&value, &["text", "content"]), Some(&json!("x")));
    assert_eq!(field(&value, &["missing"]), None);
}

/// Any JSON value whose outside is an object or array.
fn containers() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1_000_000..1_000_000i32).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        any::<String>().prop_map(Value::from),
        "[\"'{}\\[\\],:\\\\ <>/#\n“”a]{0,12}".prop_map(Value::from),
    ];
    let nested = leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\"': ]{0,6}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    nested.prop_map(|value| {
        if value.is_object() || value.is_array() {
            value
        } else {
            json!([value])
        }
    })
}

proptest! {
    #[test]
    fn json_is_read_exactly(value in containers()) {
        prop_assert_eq!(read(&value.to_string()), vec![value.clone()]);
        prop_assert_eq!(read(&format!("{value:#}")), vec![value.clone()]);
        let wrapped = format!("Here you are:\n```json\n{value:#}\n```\nDone.");
        prop_assert_eq!(read(&wrapped), vec![value]);
    }

    /// The lenient parser agrees with the strict one wherever that can read: the comma before the
    /// last bracket keeps the strict one out.
    #[test]
    fn leniency_changes_nothing_else(value in containers()) {
        let mut text = value.to_string();
        let last = text.pop().unwrap();
        text.push(',');
        text.push(last);
        prop_assert_eq!(read(&text), vec![value]);
    }

    #[test]
    fn a_prefix_holds_nothing_new(value in containers(), cut in any::<prop::sample::Index>()) {
        let text = value.to_string();
        let cut = cut.index(text.len() + 1);
        if let Some(prefix) = text.get(..cut) {
            readings(prefix);
        }
    }

    #[test]
    fn nothing_panics(text in "[\\[\\]{}\"':,\\\\/*#<>a-c0-9 \nthinktrue“”é\u{feff}-]{0,200}", any in any::<String>()) {
        readings(&text);
        readings(&any);
    }
}
