//! The tools, and the request of the REST API that each stands for.

use http::{Method, Request};
use serde_json::{Map, Value, json};

use super::super::fields::refused;
use super::super::wire;
use crate::memory::{Owner, OwnerKind, Problem};

/// What is told of each tool: its name, what it is for, and what goes in and comes out. The tests write it from types.
const LIST: &str = include_str!("tools.json");

/// A tool.
#[derive(Debug)]
pub(super) struct Tool {
    name: &'static str,
    method: Method,
    /// With the arguments that are part of the path, in braces.
    path: &'static str,
    reach: Reach,
}

/// What a tool is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// One owner's memory: the arguments tell whose.
    Owner,
    /// Something that an id in the arguments names.
    Id,
    /// All of a project.
    Project,
}

const fn tool(name: &'static str, method: Method, path: &'static str, reach: Reach) -> Tool {
    Tool {
        name,
        method,
        path,
        reach,
    }
}

static TOOLS: [Tool; 13] = [
    tool(
        "add_memory",
        Method::POST,
        "/v3/memories/add/",
        Reach::Owner,
    ),
    tool(
        "search_memories",
        Method::POST,
        "/v3/memories/search/",
        Reach::Owner,
    ),
    tool("get_context", Method::POST, "/v1/context/", Reach::Owner),
    tool("get_memories", Method::POST, "/v3/memories/", Reach::Owner),
    tool(
        "get_memory",
        Method::GET,
        "/v1/memories/{memory_id}/",
        Reach::Id,
    ),
    tool(
        "update_memory",
        Method::PUT,
        "/v1/memories/{memory_id}/",
        Reach::Id,
    ),
    tool(
        "delete_memory",
        Method::DELETE,
        "/v1/memories/{memory_id}/",
        Reach::Id,
    ),
    tool(
        "delete_all_memories",
        Method::DELETE,
        "/v1/memories/",
        Reach::Owner,
    ),
    tool(
        "delete_entities",
        Method::DELETE,
        "/v2/entities/{entity_type}/{entity_id}/",
        Reach::Owner,
    ),
    tool(
        "list_entities",
        Method::GET,
        "/v1/entities/",
        Reach::Project,
    ),
    tool("list_events", Method::GET, "/v1/events/", Reach::Project),
    tool(
        "get_event_status",
        Method::GET,
        "/v1/event/{event_id}/",
        Reach::Id,
    ),
    tool("graph_path", Method::GET, "/v1/graph/path/", Reach::Owner),
];

/// The tools, with all that is told of them.
pub(super) fn list() -> Value {
    serde_json::from_str(LIST).unwrap_or_else(|_| json!([]))
}

/// The tool of this name.
pub(super) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

impl Tool {
    /// The request of the REST API that a call with these arguments stands for.
    ///
    /// # Errors
    /// When an argument is missing, or is about another user than the connection.
    pub fn request(
        &self,
        mut arguments: Map<String, Value>,
        bound: Option<&Owner>,
    ) -> Result<Request<Vec<u8>>, Problem> {
        if let Some(owner) = bound {
            self.bind(&mut arguments, owner)?;
        }
        match self.name {
            "add_memory" => with_messages(&mut arguments),
            "delete_entities" => with_entity(&mut arguments)?,
            _ => {}
        }
        let mut address = String::new();
        let mut rest = self.path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            address.push_str(before);
            address.push_str(&wire::percent_encode(&part(&mut arguments, name)?));
            rest = after;
        }
        address.push_str(rest);
        let mut body = Vec::new();
        if self.method == Method::GET {
            let mut sign = '?';
            for (name, value) in &arguments {
                if let Some(text) = in_query(value) {
                    address.push(sign);
                    address.push_str(&format!(
                        "{}={}",
                        wire::percent_encode(name),
                        wire::percent_encode(&text)
                    ));
                    sign = '&';
                }
            }
        } else {
            body = Value::Object(arguments).to_string().into_bytes();
        }
        let request = Request::builder()
            .method(self.method.clone())
            .uri(address)
            .body(body);
        request
            .map_err(|error| refused("bad_value", format!("an argument cannot be sent: {error}")))
    }

    /// Makes a call about the user that the connection is bound to.
    fn bind(&self, arguments: &mut Map<String, Value>, owner: &Owner) -> Result<(), Problem> {
        let elsewhere = |message: String| Err(Problem::new(403, "bound_to_another_user", message));
        match (self.reach, arguments.get("user_id")) {
            (Reach::Id, _) => Ok(()),
            (Reach::Project, _) => elsewhere(
                "this connection is bound to one user, and this tool tells of all".to_owned(),
            ),
            (Reach::Owner, Some(user))
                if !user.is_null() && user.as_str() != Some(owner.id.as_str()) =>
            {
                elsewhere(format!(
                    "this connection is bound to the user '{}': leave user_id out",
                    owner.id
                ))
            }
            (Reach::Owner, _) => {
                arguments.insert("user_id".to_owned(), json!(owner.id));
                Ok(())
            }
        }
    }
}

/// What is to be remembered, as messages: a text is one of the user.
fn with_messages(arguments: &mut Map<String, Value>) {
    let text = arguments.remove("text");
    let given = arguments
        .get("messages")
        .is_some_and(|messages| match messages {
            Value::Null => false,
            Value::Array(messages) => !messages.is_empty(),
            _ => true,
        });
    if let (Some(text), false) = (text, given) {
        arguments.insert("messages".to_owned(), text);
    }
}

/// The one entity that the ids name.
fn with_entity(arguments: &mut Map<String, Value>) -> Result<(), Problem> {
    let mut named = Vec::new();
    for kind in OwnerKind::ALL {
        match arguments.remove(&format!("{}_id", kind.as_str())) {
            None | Some(Value::Null) => {}
            Some(id) => named.push((kind, id)),
        }
    }
    match (named.pop(), named.is_empty()) {
        (Some((kind, id)), true) => {
            arguments.insert("entity_type".to_owned(), json!(kind.as_str()));
            arguments.insert("entity_id".to_owned(), id);
            Ok(())
        }
        _ => Err(refused(
            "one_owner_at_a_time",
            "give exactly one of user_id, agent_id, app_id and run_id",
        )),
    }
}

/// An argument that becomes a part of the path.
fn part(arguments: &mut Map<String, Value>, name: &str) -> Result<String, Problem> {
    match arguments
        .remove(name)
        .as_ref()
        .and_then(in_query)
        .filter(|text| !text.trim().is_empty())
    {
        Some(text) => Ok(text),
        None => Err(refused("missing_value", format!("give '{name}'"))),
    }
}

fn in_query(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}
