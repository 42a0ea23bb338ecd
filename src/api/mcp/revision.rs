//! Which revision of the protocol a request speaks, and what it must then say of itself.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::message::{Fault, METHOD_NOT_FOUND};

/// The revision in which each request says what it speaks.
const MODERN: &str = "2026-07-28";
/// The newest revision that begins with `initialize`.
const LEGACY: &str = "2025-11-25";
/// All revisions that are served, the newest first.
pub(super) const SUPPORTED: [&str; 3] = [MODERN, LEGACY, "2025-06-18"];

/// How long a client may keep what describes the server: five minutes.
pub(super) const TTL_MS: u32 = 300_000;

const HEADER_MISMATCH: i64 = -32020;
const UNSUPPORTED_VERSION: i64 = -32022;

const VERSION_FIELD: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_FIELD: &str = "io.modelcontextprotocol/clientCapabilities";

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Era {
    /// It says with each request what it speaks.
    Modern,
    /// It said so once, in `initialize`.
    Legacy,
}

impl Era {
    /// How the client of this request speaks.
    ///
    /// # Errors
    /// When it speaks a revision that is not served, or its headers and its body disagree.
    pub fn of(
        headers: &HeaderMap,
        method: &str,
        params: &Map<String, Value>,
    ) -> Result<Self, Fault> {
        let meta = params.get("_meta");
        let claimed = meta
            .and_then(|meta| meta.get(VERSION_FIELD))
            .and_then(Value::as_str);
        let header = header(headers, "mcp-protocol-version");
        let claimed = match (claimed, header) {
            (Some(claimed), _) if is_legacy(claimed) => return Ok(Era::Legacy),
            (Some(claimed), Some(header)) if claimed == header => claimed,
            (Some(claimed), header) => {
                return Err(mismatch("MCP-Protocol-Version", header, claimed));
            }
            // Its header can only repeat what the body asks for.
            (None, _) if method == "initialize" => return Ok(Era::Legacy),
            (None, Some(header)) if is_legacy(header) => return Ok(Era::Legacy),
            (None, Some(header)) if header != MODERN => header,
            (None, None) if method != "server/discover" => return Ok(Era::Legacy),
            (None, _) => return Err(missing(VERSION_FIELD)),
        };
        if claimed != MODERN {
            let message = "Unsupported protocol version";
            return Err(
                Fault::new(StatusCode::BAD_REQUEST, UNSUPPORTED_VERSION, message)
                    .with(json!({"supported": SUPPORTED, "requested": claimed})),
            );
        }
        if !meta.is_some_and(|meta| meta.get(CAPABILITIES_FIELD).is_some_and(Value::is_object)) {
            return Err(missing(CAPABILITIES_FIELD));
        }
        same(headers, "Mcp-Method", method)?;
        if method == "tools/call" {
            let name = params.get("name").and_then(Value::as_str);
            same(headers, "Mcp-Name", name.unwrap_or_default())?;
        }
        Ok(Era::Modern)
    }

    /// A method that is not served.
    pub fn unknown(self, method: &str) -> Fault {
        let status = match self {
            Era::Modern => StatusCode::NOT_FOUND,
            Era::Legacy => StatusCode::OK,
        };
        let method: String = method.chars().take(100).collect();
        Fault::new(
            status,
            METHOD_NOT_FOUND,
            format!("Method not found: {method}"),
        )
    }
}

/// The revision to speak with a client that asks `initialize`: its own, or the newest of its kind.
pub(super) fn agreed(params: &Map<String, Value>) -> &str {
    let asked = params.get("protocolVersion").and_then(Value::as_str);
    asked.filter(|asked| is_legacy(asked)).unwrap_or(LEGACY)
}

fn is_legacy(version: &str) -> bool {
    version != MODERN && SUPPORTED.contains(&version)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Whether a header says what the body says.
fn same(headers: &HeaderMap, name: &str, body: &str) -> Result<(), Fault> {
    let header = header(headers, name);
    match header.map(decoded) {
        Some(Some(value)) if value == body => Ok(()),
        _ => Err(mismatch(name, header, body)),
    }
}

/// A header's value, which is `=?base64?...?=` when it is not plain ASCII.
fn decoded(value: &str) -> Option<String> {
    let encoded = value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    match encoded {
        None => Some(value.to_owned()),
        Some(encoded) => String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok(),
    }
}

fn mismatch(name: &str, header: Option<&str>, body: &str) -> Fault {
    let body: String = body.chars().take(100).collect();
    let message = match header {
        Some(header) => format!("Header mismatch: {name} is '{header}' and the body says '{body}'"),
        None => format!("Header mismatch: {name} is missing; the body says '{body}'"),
    };
    Fault::new(StatusCode::BAD_REQUEST, HEADER_MISMATCH, message)
}

fn missing(field: &str) -> Fault {
    Fault::malformed(format!(
        "a request of revision {MODERN} must have _meta[\"{field}\"]"
    ))
}
