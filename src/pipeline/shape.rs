//! Values held against a JSON schema: what does not fit is cast, or left out.

use serde_json::{Map, Value, json};

use crate::compact::{decimal, lowercase, to_json};

/// The part of an object that fits a schema. Types, properties, items and enums are checked; other words of a schema
/// only guide the model that fills it. Where a schema names its properties, there are no others.
pub fn fit_object(schema: &Value, object: &Map<String, Value>) -> Map<String, Value> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return object.clone();
    };
    let fitted = properties.iter().filter_map(|(name, property)| {
        let value = fit(property, object.get(name)?)?;
        Some((name.clone(), value))
    });
    fitted.collect()
}

fn fit(schema: &Value, value: &Value) -> Option<Value> {
    let fitted = match (kind_of(schema), value) {
        (_, Value::Null) => return None,
        (Some("object"), Value::Object(object)) => Value::Object(fit_object(schema, object)),
        (Some("array"), value) => {
            let cast = cast("array", value)?;
            let items = schema.get("items");
            let fit_item =
                |item: &Value| items.map_or(Some(item.clone()), |items| fit(items, item));
            cast.as_array()?.iter().filter_map(fit_item).collect()
        }
        (Some("string"), Value::Object(_) | Value::Array(_)) => return None,
        (Some(kind), value) => cast(kind, value)?,
        (None, value) => value.clone(),
    };
    let allowed = schema.get("enum").and_then(Value::as_array);
    allowed
        .is_none_or(|allowed| allowed.contains(&fitted))
        .then_some(fitted)
}

/// The first type of a schema that is not null; of one that only names properties, `object`.
pub(super) fn kind_of(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => Some(kind),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        _ => schema.get("properties").map(|_| "object"),
    }
}

/// A value as a type has it; `None` when it cannot be.
pub(super) fn cast(kind: &str, value: &Value) -> Option<Value> {
    let text = || match value {
        Value::String(text) => text.trim().to_owned(),
        other => to_json(other),
    };
    match kind {
        "string" => Some(Value::String(text())),
        "integer" => value
            .as_i64()
            .or_else(|| text().parse().ok())
            .map(Value::from),
        "number" => value
            .as_f64()
            .or_else(|| decimal(&text()))
            .filter(|number: &f64| number.is_finite())
            .map(Value::from),
        "boolean" => value
            .as_bool()
            .or_else(|| lowercase(&text()).parse().ok())
            .map(Value::from),
        "array" => Some(match value {
            Value::Array(items) => json!(items),
            other => json!([other]),
        }),
        "object" => value.is_object().then(|| value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cast_or_left_out() {
        for (kind, value, expected) in [
            ("integer", json!("42"), Some(json!(42))),
            ("integer", json!("many"), None),
            ("number", json!(1.5), Some(json!(1.5))),
            ("boolean", json!("True"), Some(json!(true))),
            ("string", json!(7), Some(json!("7"))),
            ("array", json!("x"), Some(json!(["x"]))),
            ("object", json!("x"), None),
        ] {
            assert_eq!(cast(kind, &value), expected, "{kind} {value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_at_every_depth() {
        let schema = json!({"type": "object", "required": ["city"], "properties": {
            "city": {"type": "string"},
            "rooms": {"type": ["null", "integer"]},
            "tenure": {"type": "string", "enum": ["rent", "own"]},
            "pets": {"type": "array", "items": {
                "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            }},
            "note": {},
            "floor": {"type": "integer"},
        }});
        let told = json!({
            "city": {"name": "Oslo"}, "rooms": "3", "tenure": "squat", "floor": null, "note": [1], "street": "Storgata",
            "pets": [{"name": "Rex", "age": "old", "breed": "pug"}, "a cat"],
        });
        assert_eq!(
            Value::Object(fit_object(&schema, told.as_object().unwrap())),
            json!({"rooms": 3, "pets": [{"name": "Rex"}], "note": [1]})
        );
        let open = fit_object(&json!({"type": "object"}), told.as_object().unwrap());
        assert_eq!(Value::Object(open), told);
    }
}
