//! The document as a page to read: no scripts, and nothing from elsewhere.

use std::fmt::Write;

use serde_json::Value;

use super::Endpoint;
use crate::api::page::{STYLE, escape};

/// What every route may refuse with, which the page says once.
const EVERYWHERE: [&str; 5] = ["401", "403", "429", "500", "503"];

const HEAD: &str = include_str!("page.html");

/// The page.
pub(crate) fn page(endpoints: &[Endpoint], document: &Value) -> String {
    let mut body = String::new();
    let mut list = String::new();
    for endpoint in endpoints {
        let Endpoint {
            method,
            path,
            id,
            summary,
            ..
        } = endpoint;
        let verb = method.to_uppercase();
        let status = endpoint.status.to_string();
        let operation = &document["paths"][path][method];
        let _ = writeln!(
            list,
            "<li><a href=\"#{id}\"><code>{verb} {path}</code></a> {}</li>",
            escape(summary)
        );
        let _ = write!(
            body,
            "<section id=\"{id}\">\n<h2><code>{verb} {path}</code></h2>\n<p>{}.</p>\n",
            escape(summary)
        );
        let mut rows = String::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = parameter["in"].as_str().unwrap_or_default();
            let required = parameter["required"] == true;
            let about = parameter["description"].as_str().unwrap_or_default();
            row(
                &mut rows,
                name,
                &format!("{place}, {}", kind(&parameter["schema"])),
                required,
                about,
            );
        }
        let taken = &operation["requestBody"]["content"]["application/json"];
        fields(&mut rows, &taken["schema"]);
        if !rows.is_empty() {
            table(&mut body, &format!("What {id} takes"), &rows);
        }
        let _ = writeln!(
            body,
            "<pre tabindex=\"0\"><code>{}</code></pre>",
            escape(&curl(&verb, path, operation))
        );
        let answer =
            &operation["responses"][status.as_str()]["content"]["application/json"]["schema"];
        body.push_str("<p>");
        if let Some(role) = operation["x-role"].as_str() {
            let _ = write!(body, "Needs the role {role}. ");
        }
        let _ = write!(body, "Answers {}.", kind(answer));
        let refusals = operation["responses"].as_object().into_iter().flatten();
        let refusals: Vec<&str> = refusals
            .map(|(status, _)| status.as_str())
            .filter(|refusal| *refusal != status && !EVERYWHERE.contains(refusal))
            .collect();
        if !refusals.is_empty() {
            let _ = write!(body, " May refuse with {}.", refusals.join(", "));
        }
        body.push_str("</p>\n</section>\n");
    }
    body.push_str("<h2 id=\"answers\">What the answers are made of</h2>\n");
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let about = schema["description"].as_str().unwrap_or_default();
        let _ = write!(
            body,
            "<section id=\"{name}\">\n<h3>{name}</h3>\n<p>{}</p>\n",
            escape(about)
        );
        if schema["anyOf"].is_array() {
            let _ = writeln!(body, "<p>{}</p>", kind(schema));
        }
        let mut rows = String::new();
        fields(&mut rows, schema);
        if !rows.is_empty() {
            table(&mut body, name, &rows);
        }
        body.push_str("</section>\n");
    }
    let about = document["info"]["description"].as_str().unwrap_or_default();
    HEAD.replace("{{style}}", STYLE)
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{about}}", &escape(about))
        .replace("{{list}}", &list)
        .replace("{{body}}", &body)
}

fn table(body: &mut String, label: &str, rows: &str) {
    let _ = write!(
        body,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>\n<tbody>\n{rows}</tbody>\n</table></div>\n",
        escape(label)
    );
}

fn fields(rows: &mut String, schema: &Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let about = field["description"].as_str().unwrap_or_default();
        row(
            rows,
            name,
            &kind(field),
            required.contains(&Value::from(name.as_str())),
            about,
        );
    }
}

fn row(rows: &mut String, name: &str, kind: &str, required: bool, about: &str) {
    let star = if required { " *" } else { "" };
    // HTML ends cells and rows by itself.
    let _ = writeln!(
        rows,
        "<tr><th scope=\"row\"><code>{}</code>{star}<td>{kind}<td>{}",
        escape(name),
        escape(about)
    );
}

/// A type in a word, with a link to what it is made of.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|link| link.rsplit('/').next())
    {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choices: Vec<String> = choices
            .iter()
            .map(kind)
            .filter(|kind| kind != "null")
            .collect();
        return choices.join(" or ");
    }
    if let Some(choices) = schema["enum"].as_array() {
        return choices
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ");
    }
    let name = match &schema["type"] {
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        name => name.as_str(),
    };
    match (name, schema["format"].as_str()) {
        (Some("array"), _) => format!("list of {}", kind(&schema["items"])),
        (Some("string"), Some(format)) => format.to_owned(),
        (Some("string"), None) => "text".to_owned(),
        (Some(name), _) => name.to_owned(),
        (None, _) => "anything".to_owned(),
    }
}

fn curl(verb: &str, path: &str, operation: &Value) -> String {
    let pairs = operation["parameters"].as_array().into_iter().flatten();
    let pairs =
        pairs.filter(|parameter| parameter["in"] == "query" && !parameter["example"].is_null());
    let pairs: Vec<String> = pairs
        .map(|parameter| {
            let value = &parameter["example"];
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            format!("{}={value}", parameter["name"].as_str().unwrap_or_default())
        })
        .collect();
    let query = if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    };
    let verb = if verb == "GET" {
        String::new()
    } else {
        format!("-X {verb} ")
    };
    let mut text = format!("curl {verb}\"$EDGEMEM_URL{path}{query}\"");
    if operation["security"].is_null() {
        text.push_str(" -H \"Authorization: Token $EDGEMEM_API_KEY\"");
    }
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    if !example.is_null() {
        let _ = write!(
            text,
            " \\\n  -H \"Content-Type: application/json\" -d '{example}'"
        );
    }
    text
}
