//! The OpenAPI document.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::{Endpoint, Made, answers};

const ABOUT: &str = "Long-term memory for AI agents. The routes under /v3 and those of memories and events under /v1 are \
     mem0's, so that its clients work unchanged; the rest is edgemem's own. Slashes at the end make no difference. Fields \
     that nobody knows are ignored. Agents use the same by MCP, at POST /mcp.";

/// What is said of each status that is no success.
const REFUSALS: [(u16, &str); 11] = [
    (
        400,
        "The request cannot be understood, or names nobody's memory.",
    ),
    (401, "There is no key, or a wrong one."),
    (
        403,
        "The key has another role than is needed, or the token is of another user.",
    ),
    (404, "There is no such thing."),
    (409, "It must not be changed."),
    (413, "It is too long, or there is no room for more."),
    (
        429,
        "It is asked too often; `Retry-After` and `X-RateLimit-…` tell more.",
    ),
    (502, "A model that was needed at once failed."),
    (
        503,
        "The server has no key yet, or its memory cannot be reached.",
    ),
    (507, "The storage is full."),
    (500, "The server failed; its log says why."),
];

/// The document.
pub(crate) fn document(endpoints: &[Endpoint]) -> Value {
    let mut answering = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .for_serialize()
        .into_generator();
    answering.subschema_for::<answers::Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method] = operation(endpoint, &mut answering);
    }
    let mut schemas = answering.take_definitions(true);
    schemas.sort_keys();
    let refusals = REFUSALS.iter().map(|(status, about)| {
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let refusal =
            json!({"description": about, "content": {"application/json": {"schema": schema}}});
        (format!("Status{status}"), refusal)
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "edgemem",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "security": [{"bearer": []}, {"token": []}, {"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": refusals.collect::<Map<_, _>>(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "token": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "`Token KEY`, as mem0's clients send it",
                },
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    })
}

fn operation(endpoint: &Endpoint, answering: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let media = endpoint.media;
    let answer = (endpoint.answer)(answering);
    responses.insert(
        endpoint.status.to_string(),
        json!({"description": "Done.", "content": {media: {"schema": answer}}}),
    );
    for media in endpoint.texts {
        responses[&endpoint.status.to_string()]["content"][media] =
            json!({"schema": {"type": "string"}});
    }
    for status in endpoint.statuses() {
        let refusal = json!({"$ref": format!("#/components/responses/Status{status}")});
        responses.insert(status.to_string(), refusal);
    }
    let mut operation =
        json!({"operationId": endpoint.id, "summary": endpoint.summary, "responses": responses});
    let parameters = endpoint.parameters();
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(body) = endpoint.body {
        let media = json!({"schema": asked(body), "example": endpoint.body_example()});
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": media}});
    }
    match endpoint.role() {
        Some(role) => operation["x-role"] = json!(role),
        None => operation["security"] = json!([]),
    }
    operation
}

/// The schema of what is asked, whole.
pub(super) fn asked(made: Made) -> Value {
    let mut asking = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    let mut schema = made(&mut asking);
    asking
        .transforms_mut()
        .for_each(|transform| transform.transform(&mut schema));
    schema.to_value()
}

impl Endpoint {
    /// What it may refuse, in order.
    fn statuses(&self) -> Vec<u16> {
        let mut statuses = self.refusals.to_vec();
        if !self.open {
            statuses.extend([401, 403, 429, 500, 503]);
        }
        if self.at.is_some() || self.query.is_some() || self.body.is_some() {
            statuses.push(400);
        }
        statuses.sort_unstable();
        statuses
    }

    /// The fields of what is asked in the path and the query, as parameters.
    pub(super) fn parameters(&self) -> Vec<Value> {
        let mut parameters = Vec::new();
        for (place, made) in [("path", self.at), ("query", self.query)] {
            let Some(mut schema) = made.map(asked) else {
                continue;
            };
            let required = schema["required"].take();
            let required: Vec<&str> = required
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            for (name, field) in schema["properties"].as_object_mut().into_iter().flatten() {
                let mut parameter = json!({"name": name, "in": place, "required": required.contains(&name.as_str())});
                if let Some(about) = field
                    .as_object_mut()
                    .and_then(|field| field.remove("description"))
                {
                    parameter["description"] = about;
                }
                not_null(field);
                parameter["schema"] = field.take();
                if let Some(example) = self.example.get(name) {
                    parameter["example"] = example.clone();
                }
                parameters.push(parameter);
            }
        }
        parameters
    }

    /// The example without what is in the query.
    fn body_example(&self) -> Value {
        let query = self.query.map(asked).unwrap_or_default();
        let mut example = self.example.clone();
        if let (Some(example), Some(query)) =
            (example.as_object_mut(), query["properties"].as_object())
        {
            example.retain(|name, _| !query.contains_key(name));
        }
        example
    }
}

/// A parameter is there or it is not: it cannot be null.
fn not_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Array(mut choices)) = fields.remove("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        match (choices.pop(), choices.is_empty()) {
            (Some(Value::Object(only)), true) => fields.extend(only),
            (last, _) => {
                choices.extend(last);
                fields.insert("anyOf".into(), Value::Array(choices));
            }
        }
    }
}
