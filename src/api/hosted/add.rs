//! `POST /v3/memories/add/`.

use serde_json::Value;

use super::super::fields::{Fields, bad_value};
use super::{Read, Shape, messages, scope};
use crate::memory::{Category, Moment, Problem};
use crate::operation::{Add, Operation};

pub(super) fn read(fields: &Fields) -> Result<Read, Problem> {
    let scope = scope::of_add(fields)?;
    let owner = scope::owner(&scope)?;
    let conversation = messages::read(fields.get("messages"))?;
    let infer = fields.flag("infer", true)?;
    // Without a model there is nothing to wait for.
    let wait = !infer || !fields.flag("async_mode", true)?;
    let mut instructions = None;
    // Of an agent's own memory, the agent's instructions come first.
    if scope.user_id.is_none() {
        instructions = fields.text("agent_custom_instructions")?;
    }
    for name in ["custom_instructions", "prompt"] {
        if instructions.is_none() {
            instructions = fields.text(name)?;
        }
    }
    let add = Add {
        scope,
        messages: conversation.messages,
        attachments: conversation.attachments,
        infer,
        metadata: fields.object("metadata")?.cloned().unwrap_or_default(),
        time: time(fields)?,
        expires_at: expiration(fields)?,
        immutable: fields.flag("immutable", false)?,
        instructions,
        includes: fields.prose("includes")?,
        excludes: fields.prose("excludes")?,
        categories: categories(fields.get("custom_categories"))?,
        structured_data_schema: fields.schema("structured_data_schema"),
    };
    let shape = Shape::Added {
        unread_parts: conversation.unread_parts,
    };
    let mut read = Read::of_owner(owner, Operation::Add(Box::new(add)), shape);
    read.wait = wait;
    Ok(read)
}

fn time(fields: &Fields) -> Result<Option<Moment>, Problem> {
    for name in ["timestamp", "observation_datetime", "observation_date"] {
        if let Some(time) = fields.time(name)? {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

/// The first moment at which a memory is hidden: a date still counts in full.
pub(super) fn expiration(fields: &Fields) -> Result<Option<Moment>, Problem> {
    Ok(fields.span("expiration_date")?.map(|span| span.until))
}

/// See [`Category::list`].
fn categories(value: Option<&Value>) -> Result<Vec<Category>, Problem> {
    let list = Category::list(value.unwrap_or(&Value::Null));
    list.ok_or_else(|| {
        bad_value(
            "custom_categories",
            "a list such as [{\"name\": \"description\"}]",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn add(body: Value) -> Result<(Add, bool), String> {
        let fields = Fields::of_body(body.to_string().as_bytes()).unwrap();
        match read(&fields) {
            Ok(Read {
                operation: Operation::Add(add),
                wait,
                ..
            }) => Ok((*add, wait)),
            Ok(read) => panic!("{read:?}"),
            Err(problem) => Err(problem.code),
        }
    }

    fn given(mut extra: Value) -> Value {
        extra["messages"] = json!("hi");
        extra["user_id"] = json!("u");
        extra
    }

    #[test]
    fn everything_that_clients_send_is_read() {
        let (add, wait) = add(json!({
            "messages": [{"role": "user", "content": "hi"}], "user_id": "u1", "agent_id": "a",
            "app_id": "ap", "run_id": "r", "metadata": {"fooBar": 1}, "infer": false,
            "timestamp": 1_700_000_000, "expiration_date": "2030-01-01",
            "custom_categories": [{"x": "y"}], "custom_instructions": "ci", "enable_graph": true,
            "includes": "a", "excludes": ["b", "c"], "immutable": true, "async_mode": false,
            "output_format": "v1.1", "version": "v2", "structured_data_schema": {"aB": 1},
            "never_heard_of": [1],
        }))
        .unwrap();
        assert!(wait && !add.infer && add.immutable);
        assert_eq!(add.scope.conversation(), "user=u1&agent=a&app=ap&run=r");
        assert_eq!(add.metadata.get("fooBar"), Some(&json!(1)));
        assert_eq!(add.time.unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(add.expires_at.unwrap().to_string(), "2030-01-02T00:00:00Z");
        assert_eq!(add.instructions.as_deref(), Some("ci"));
        assert_eq!(add.includes.as_deref(), Some("a"));
        assert_eq!(add.excludes.as_deref(), Some("b, c"));
        assert_eq!(add.structured_data_schema, Some(json!({"aB": 1})));
        assert_eq!(
            add.categories,
            [Category {
                name: "x".into(),
                description: "y".into()
            }]
        );
    }

    #[test]
    fn the_caller_waits_only_when_asked_or_when_no_model_is() {
        for (extra, expected) in [
            (json!({}), false),
            (json!({"async_mode": true}), false),
            (json!({"async_mode": false}), true),
            (json!({"infer": false}), true),
            (json!({"infer": "false", "async_mode": null}), true),
        ] {
            assert_eq!(add(given(extra.clone())).unwrap().1, expected, "{extra}");
        }
    }

    #[test]
    fn categories_come_in_four_forms() {
        for value in [
            json!([{"food": "what they eat"}]),
            json!([{"name": "food", "description": "what they eat"}]),
            json!({"food": "what they eat"}),
        ] {
            let categories = add(given(json!({"custom_categories": value})))
                .unwrap()
                .0
                .categories;
            assert_eq!(
                categories,
                [Category {
                    name: "food".into(),
                    description: "what they eat".into()
                }]
            );
        }
        let named = add(given(json!({"custom_categories": [" food ", ""]})))
            .unwrap()
            .0
            .categories;
        assert_eq!(
            named,
            [Category {
                name: "food".into(),
                description: String::new()
            }]
        );
        assert_eq!(
            add(given(json!({"custom_categories": [3]}))).unwrap_err(),
            "bad_value"
        );
    }

    #[test]
    fn instructions_of_the_agent_guide_its_own_memory() {
        let both = json!({"custom_instructions": "user's", "agent_custom_instructions": "agent's"});
        let user = add(given(both.clone())).unwrap().0;
        assert_eq!(user.instructions.as_deref(), Some("user's"));
        let mut body = given(both);
        body["user_id"] = Value::Null;
        body["agent_id"] = json!("a");
        assert_eq!(
            add(body).unwrap().0.instructions.as_deref(),
            Some("agent's")
        );
        let legacy = add(given(json!({"prompt": "p", "custom_instructions": " "})))
            .unwrap()
            .0;
        assert_eq!(legacy.instructions.as_deref(), Some("p"));
    }

    #[test]
    fn unreadable_adds_say_why() {
        for (body, code) in [
            (json!({"messages": "hi"}), "scope_required"),
            (json!({"user_id": "u"}), "no_messages"),
            (given(json!({"metadata": "x"})), "bad_value"),
            (given(json!({"expiration_date": "soon"})), "bad_date"),
            (given(json!({"infer": "maybe"})), "bad_value"),
            (
                json!({"messages": "hi", "user_id": "x".repeat(257)}),
                "bad_id",
            ),
        ] {
            assert_eq!(add(body.clone()).unwrap_err(), code, "{body}");
        }
    }
}
