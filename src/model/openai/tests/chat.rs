//! Forms of requests and shapes of replies.

use super::*;

#[test]
fn each_form_of_json_is_found_and_remembered() {
    let refusals = [
        (
            400,
            "'response_format' of type 'json_schema' is not supported with this model",
        ),
        (422, "json_object is not supported"),
        (501, "tools are not implemented"),
    ];
    for tried in 0..=refusals.len() {
        let mut answers: Vec<Answer> = refusals
            .iter()
            .take(tried)
            .map(|(status, message)| refusal(*status, message))
            .collect();
        let reply = || {
            if tried == 2 {
                calls("extraction", json!("{\"facts\": [\"a\"]}"))
            } else {
                says("{\"facts\": [\"a\"]}")
            }
        };
        answers.extend([reply(), reply()]);
        let script = Script::new(answers);
        let model = chat(&script, "m");
        for _ in 0..2 {
            let reply = ask(&model, json_output()).unwrap();
            assert_eq!(
                reply,
                ChatReply {
                    content: "{\"facts\": [\"a\"]}".into(),
                    tool_calls: vec![],
                    finish: Finish::Done,
                    tokens: None,
                }
            );
        }
        assert!(script.is_done());
        let bodies = script.bodies();
        assert_eq!(bodies[tried], bodies[tried + 1], "the form is remembered");
    }
}

#[test]
fn a_form_that_worked_is_not_given_up_for_an_unrelated_refusal() {
    let too_long = || refusal(400, "This model's maximum context length is 8192");
    let script = Script::new(vec![says("{}"), too_long(), says("{}")]);
    let model = chat(&script, "m");
    ask(&model, json_output()).unwrap();
    let error = ask(&model, json_output()).unwrap_err();
    assert!(matches!(error, ModelError::Rejected { status: 400, .. }));
    ask(&model, json_output()).unwrap();
    assert!(
        script
            .bodies()
            .iter()
            .all(|body| body["response_format"]["type"] == "json_schema")
    );
}

#[test]
fn a_refusal_that_no_form_cures_is_reported_and_forgotten() {
    let too_long = || refusal(400, "too long");
    let script = Script::new(vec![
        too_long(),
        refusal(400, "second"),
        refusal(400, "third"),
        refusal(400, "fourth"),
        says("{}"),
    ]);
    let model = chat(&script, "m");
    let expected = ModelError::Rejected {
        model: "m at http://model.test/v1".into(),
        status: 400,
        reason: "too long".into(),
    };
    assert_eq!(ask(&model, json_output()).unwrap_err(), expected);
    ask(&model, json_output()).unwrap();
    assert_eq!(script.bodies()[4]["response_format"]["type"], "json_schema");
}

#[test]
fn a_form_that_is_ignored_is_left_for_the_next_request() {
    let script = Script::new(vec![
        says("Tea is nice."),
        says("{\"facts\": []}"),
        says("Hm."),
        says("{}"),
    ]);
    let model = chat(&script, "m");
    for content in ["Tea is nice.", "{\"facts\": []}", "Hm.", "{}"] {
        assert_eq!(ask(&model, json_output()).unwrap().content, content);
    }
    let forms: Vec<Value> = script
        .bodies()
        .iter()
        .map(|body| body["response_format"]["type"].clone())
        .collect();
    assert_eq!(
        forms,
        ["json_schema", "json_object", "json_object", "json_object"]
    );
}

#[test]
fn tools_that_are_refused_are_described_instead() {
    let text = "Well: {\"calls\": [{\"name\": \"add_memory\", \"arguments\": {\"fact\": 1}}, {\"delete_memory\": {\"memory\": 2}}]}";
    let script = Script::new(vec![
        refusal(404, "No endpoints found that support tool use"),
        says(text),
        says(text),
    ]);
    let model = chat(&script, "m");
    for _ in 0..2 {
        let reply = ask(&model, tools_output()).unwrap();
        assert_eq!(
            reply.tool_calls,
            [
                call("add_memory", "{\"fact\":1}"),
                call("delete_memory", "{\"memory\":2}")
            ]
        );
        assert_eq!(reply.content, "");
    }
    let bodies = script.bodies();
    assert!(bodies[1].get("tools").is_none());
    assert!(
        bodies[1]["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains("add_memory: Remembers a fact.")
    );
}

#[test]
fn tool_choice_and_strict_are_given_up_one_by_one() {
    let script = Script::new(vec![
        refusal(400, "Unknown parameter: 'tools[0].function.strict'"),
        refusal(400, "tool_choice 'required' is not supported"),
        calls("add_memory", json!({"fact": 1})),
    ]);
    assert_eq!(
        ask(&chat(&script, "m"), tools_output()).unwrap().tool_calls,
        [call("add_memory", "{\"fact\":1}")]
    );
    let bodies = script.bodies();
    assert!(bodies[1]["tools"][0]["function"].get("strict").is_none());
    assert_eq!(bodies[2]["tool_choice"], "auto");
}

#[test]
fn parameters_that_are_refused_are_changed_and_stay_so() {
    let script = Script::new(vec![
        refusal(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        ),
        refusal(
            400,
            "Unsupported value: 'temperature' does not support 0 with this model.",
        ),
        refusal(400, "System role not supported"),
        says("{}"),
        says("{}"),
    ]);
    let model = chat(&script, "m");
    ask(&model, json_output()).unwrap();
    ask(&model, json_output()).unwrap();
    let bodies = script.bodies();
    assert_eq!(bodies[1]["max_completion_tokens"], 500);
    assert!(bodies[1].get("max_tokens").is_none());
    assert!(bodies[2].get("temperature").is_none());
    assert_eq!(
        bodies[3]["messages"][0],
        json!({"role": "user", "content": "Find facts.\n\nI like tea."})
    );
    assert_eq!(bodies[3]["response_format"]["type"], "json_schema");
    assert_eq!(bodies[3], bodies[4]);
}

#[test]
fn an_older_endpoint_gets_the_older_limit() {
    let script = Script::new(vec![
        refusal(400, "Unrecognized request argument: max_completion_tokens"),
        refusal(400, "max_tokens is too large"),
        says("x"),
    ]);
    ask(&chat(&script, "o3"), Output::Text).unwrap();
    let bodies = script.bodies();
    assert!(bodies[1].get("max_tokens").is_some());
    assert!(
        bodies[2].get("max_tokens").is_none() && bodies[2].get("max_completion_tokens").is_none()
    );
}

#[test]
fn replies_come_in_many_shapes() {
    let text = |message: Value| json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    let done = |content: &str| ChatReply {
        content: content.into(),
        tool_calls: vec![],
        finish: Finish::Done,
        tokens: None,
    };
    let cases = [
        (text(json!({"content": "a"})), done("a")),
        (
            text(
                json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
            ),
            done("ab"),
        ),
        (
            text(json!({"content": {"facts": []}})),
            done("{\"facts\":[]}"),
        ),
        (
            text(json!({"content": "", "reasoning_content": "a"})),
            done("a"),
        ),
        (text(json!({"content": null})), done("")),
        (json!({"choices": [{"text": "a"}]}), done("a")),
        (json!({"response": "a"}), done("a")),
        (
            json!({"choices": [{"message": {"content": "a"}, "finish_reason": "length"}]}),
            ChatReply {
                finish: Finish::Length,
                tokens: None,
                ..done("a")
            },
        ),
        (
            json!({"choices": [{"message": {"content": "a"}, "finish_reason": "content_filter"}]}),
            ChatReply {
                finish: Finish::Refused,
                tokens: None,
                ..done("a")
            },
        ),
        (
            text(json!({"content": null, "refusal": "No."})),
            ChatReply {
                finish: Finish::Refused,
                tokens: None,
                ..done("No.")
            },
        ),
    ];
    for (body, expected) in cases {
        let script = Script::new(vec![answer(200, &body)]);
        assert_eq!(
            ask(&chat(&script, "m"), Output::Text).unwrap(),
            expected,
            "{body}"
        );
    }
}

#[test]
fn calls_come_in_many_shapes() {
    let message =
        |message: Value| json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    let text = |content: &str| message(json!({"content": content}));
    let bodies = [
        message(
            json!({"tool_calls": [{"function": {"name": "add_memory", "arguments": "{\"fact\":1}"}}]}),
        ),
        message(
            json!({"content": "Thinking.", "tool_calls": [{"function": {"name": "functions.add_memory", "arguments": {"fact": 1}}}]}),
        ),
        message(
            json!({"content": null, "function_call": {"name": "add_memory", "arguments": "{\"fact\":1}"}}),
        ),
        json!({"response": null, "tool_calls": [{"name": "add_memory", "arguments": {"fact": 1}}]}),
        text("<tool_call>{\"name\": \"add_memory\", \"arguments\": {\"fact\": 1}}</tool_call>"),
        text("```json\n[{\"tool\": \"add_memory\", \"parameters\": {\"fact\": 1}}]\n```"),
        text(
            "{\"calls\": [{\"function\": {\"name\": \"add_memory\", \"arguments\": {\"fact\": 1}}}]}",
        ),
    ];
    for body in bodies {
        let script = Script::new(vec![answer(200, &body)]);
        assert_eq!(
            ask(&chat(&script, "m"), tools_output()).unwrap().tool_calls,
            [call("add_memory", "{\"fact\":1}")],
            "{body}"
        );
    }
}
