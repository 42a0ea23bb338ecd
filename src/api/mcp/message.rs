//! JSON-RPC 2.0: one message in, one answer out.

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::super::wire;

const PARSE_ERROR: i64 = -32700;
pub(super) const INVALID_REQUEST: i64 = -32600;
pub(super) const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

/// A message of a client.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// It wants an answer.
    Request {
        /// A text or a number, to be repeated in the answer.
        id: Value,
        method: String,
        params: Map<String, Value>,
    },
    /// It wants none.
    Notice,
}

/// Why a message has no result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    status: StatusCode,
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Fault {
    pub fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            data: None,
        }
    }

    /// A request of the right form that cannot be meant.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, INVALID_PARAMS, message)
    }

    /// The same, where the protocol wants the HTTP status to say so too.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_PARAMS, message)
    }

    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The answer to the message with this id, if it could be read.
    pub fn response(&self, id: Option<&Value>) -> Response<Vec<u8>> {
        let mut body = json!({
            "jsonrpc": "2.0",
            "error": {"code": self.code, "message": self.message},
        });
        if let (Some(id), Some(fields)) = (id, body.as_object_mut()) {
            fields.insert("id".to_owned(), id.clone());
        }
        if let (Some(data), Some(error)) = (
            &self.data,
            body.get_mut("error").and_then(Value::as_object_mut),
        ) {
            error.insert("data".to_owned(), data.clone());
        }
        wire::json_response(self.status, &body)
    }
}

/// Reads a body.
///
/// # Errors
/// When it is no message, or several at once.
pub(super) fn read(body: &[u8]) -> Result<Message, Fault> {
    let refused = |code, message: String| Fault::new(StatusCode::BAD_REQUEST, code, message);
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| refused(PARSE_ERROR, format!("the body is not JSON: {error}")))?;
    let invalid = |message: &str| refused(INVALID_REQUEST, message.to_owned());
    let Value::Object(mut fields) = value else {
        return Err(invalid(
            "the body must be one JSON-RPC message: batches are not part of this protocol",
        ));
    };
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid("a message must say \"jsonrpc\": \"2.0\""));
    }
    let method = match fields.remove("method") {
        Some(Value::String(method)) => method,
        // An answer of the client.
        None if fields.contains_key("result") || fields.contains_key("error") => {
            return Ok(Message::Notice);
        }
        _ => return Err(invalid("a message must name its 'method'")),
    };
    let params = match fields.remove("params") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return Err(invalid("'params' must be an object")),
    };
    match fields.remove("id") {
        None => Ok(Message::Notice),
        Some(id @ (Value::String(_) | Value::Number(_))) => {
            Ok(Message::Request { id, method, params })
        }
        Some(_) => Err(invalid("'id' must be a text or a number")),
    }
}
