//! Failures, and waiting.

use super::*;

#[test]
fn passing_failures_are_retried_with_growing_waits() {
    for status in [408, 409, 429, 500, 502, 503, 529] {
        let script = Script::new(vec![
            answer(status, "busy"),
            answer(status, "busy"),
            says("x"),
        ]);
        assert_eq!(ask(&chat(&script, "m"), Output::Text).unwrap().content, "x");
        assert_eq!(script.slept(), [500, 1_000], "{status}");
    }
    let broken = || Err(HttpError::Failed("connection reset".into()));
    let script = Script::new(vec![
        broken(),
        answer(200, "{\"choices\": [{\"mess"),
        says("x"),
    ]);
    ask(&chat(&script, "m"), Output::Text).unwrap();

    let script = Script::new(vec![broken(), broken(), says("x")]);
    script.chance.set(0.0);
    ask(&chat(&script, "m"), Output::Text).unwrap();
    assert_eq!(script.slept(), [250, 500]);
}

#[test]
fn failures_that_last_are_reported() {
    let name = || "m at http://model.test/v1".to_owned();
    let thrice = |answer: fn() -> Answer| vec![answer(), answer(), answer()];
    let cases: Vec<(Vec<Answer>, ModelError)> = vec![
        (
            thrice(|| answer(429, "{}")),
            ModelError::RateLimited {
                model: name(),
                retry_after_ms: None,
            },
        ),
        (
            thrice(|| refusal(503, "overloaded")),
            ModelError::Unavailable {
                model: name(),
                status: 503,
                reason: "overloaded".into(),
            },
        ),
        (
            thrice(|| answer(502, "<html>\n bad   gateway")),
            ModelError::Unavailable {
                model: name(),
                status: 502,
                reason: "<html> bad gateway".into(),
            },
        ),
        (
            thrice(|| Err(HttpError::Failed("no route".into()))),
            ModelError::Unreachable {
                model: name(),
                reason: "no route".into(),
            },
        ),
        (
            vec![Err(HttpError::Timeout), Err(HttpError::Timeout)],
            ModelError::Timeout {
                model: name(),
                seconds: 60,
            },
        ),
        (
            vec![refusal(401, "Incorrect API key provided: sk-very-secret")],
            ModelError::Rejected {
                model: name(),
                status: 401,
                reason: "Incorrect API key provided: [redacted]".into(),
            },
        ),
        (
            vec![answer(404, json!({"error": "model \"m\" not found"}))],
            ModelError::Rejected {
                model: name(),
                status: 404,
                reason: "model \"m\" not found".into(),
            },
        ),
        (
            vec![answer(301, "moved")],
            ModelError::Rejected {
                model: name(),
                status: 301,
                reason: "moved".into(),
            },
        ),
        (
            vec![answer(200, json!({"choices": []}))],
            ModelError::Unreadable {
                model: name(),
                reason: "no message in {\"choices\":[]}".into(),
            },
        ),
        (
            vec![answer(
                200,
                json!({"error": {"code": 401, "message": "no"}}),
            )],
            ModelError::Rejected {
                model: name(),
                status: 401,
                reason: "no".into(),
            },
        ),
    ];
    for (answers, expected) in cases {
        let script = Script::new(answers);
        assert_eq!(
            ask(&chat(&script, "m"), json_output()).unwrap_err(),
            expected
        );
        assert!(script.is_done(), "{expected}");
    }
    let script = Script::new(thrice(|| answer(200, "<html>hello")));
    let error = ask(&chat(&script, "m"), Output::Text).unwrap_err();
    assert!(
        matches!(&error, ModelError::Unreadable { reason, .. } if reason.contains("<html>hello")),
        "{error}"
    );
}

#[test]
fn retry_after_is_honoured() {
    let date = ("date", "Tue, 24 Nov 2026 10:00:00 GMT");
    let cases: [(&[(&str, &str)], u64); 5] = [
        (&[("retry-after", "2")], 2_000),
        (&[("retry-after", "1.5")], 1_500),
        (&[("retry-after-ms", "20"), ("retry-after", "2")], 20),
        (
            &[("retry-after", "Tue, 24 Nov 2026 10:00:07 GMT"), date],
            7_000,
        ),
        (&[("retry-after", "soon")], 500),
    ];
    for (headers, waited) in cases {
        let script = Script::new(vec![with_headers(429, headers), says("x")]);
        ask(&chat(&script, "m"), Output::Text).unwrap();
        assert_eq!(script.slept(), [waited], "{headers:?}");
    }
}

#[test]
fn a_long_wait_is_left_to_the_caller() {
    let script = Script::new(vec![with_headers(429, &[("retry-after", "3600")])]);
    let error = ask(&chat(&script, "m"), Output::Text).unwrap_err();
    assert_eq!(
        error,
        ModelError::RateLimited {
            model: "m at http://model.test/v1".into(),
            retry_after_ms: Some(3_600_000)
        }
    );
    assert!(script.slept().is_empty());

    let twenty = || with_headers(429, &[("retry-after", "20")]);
    let script = Script::new(vec![twenty(), twenty()]);
    let error = ask(&chat(&script, "m"), Output::Text).unwrap_err();
    assert!(matches!(
        error,
        ModelError::RateLimited {
            retry_after_ms: Some(20_000),
            ..
        }
    ));
    assert_eq!(script.slept(), [20_000]);
}
