//! What each route asks of a space, and what its answers look like on the wire.

mod compatibility;
mod graph;
mod reading;
mod writing;

use http::{Method, Uri};
use serde_json::Value;

use super::*;
use crate::memory::{Moment, OwnerKind};

fn ask(method: &str, address: &str, body: Value) -> Result<Read, Problem> {
    let uri: Uri = address.parse().unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let served = served(&method, uri.path()).map_err(|refusal| refusal.problem)?;
    let body = match body {
        Value::Null => Vec::new(),
        body => body.to_string().into_bytes(),
    };
    match served {
        Served::One(route) => read(&route, &Target::from(&uri), &body),
        Served::Asked(asked) => asked::read(asked, &body),
        Served::Older(older) => older::read(&older, &Target::from(&uri), &body),
        Served::Wide(wide) => panic!("{wide:?}"),
    }
}

fn id(sequence: u32) -> Id {
    Id::new(
        Owner::new(OwnerKind::User, "alice").space_hash(),
        sequence,
        7,
    )
}

fn at(second: i64) -> Moment {
    Moment::from_seconds(1_800_000_000 + second)
}
