//! What a server answers: what a program's own memory does, and what needs more than one space, a directory, or the
//! words of older clients. A program has none of this, so nothing that it reads requests with leads here.

use http::{HeaderMap, Method};

use super::super::fields::Fields;
use super::super::wire::Target;
use super::super::{MAX_BODY_BYTES, body_too_large};
use super::asked::{self, Asked};
use super::older::{self, Older};
use super::task::{Asks, Task, in_form, spread};
use super::wide::{self, Wide};
use super::{Read, Refusal, Route, admin, places, query, read, route, scope};
use crate::memory::{Problem, SpaceHash};

/// What a path and method stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Served {
    /// What one space answers, or none.
    One(Route),
    /// Summaries, feedback and exports.
    Asked(Asked),
    /// What older clients and those of the self-hosted server ask of one space.
    Older(Older),
    /// What more than one space, or the directory, answers.
    Wide(Wide),
}

/// Finds what a request asks.
pub(in crate::api) fn served(method: &Method, path: &str) -> Result<Served, Refusal> {
    let parts = super::parts_of(path);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let verb = super::verb_of(method.as_str());
    if parts == ["v1", "memories", "events"] {
        return Err(Refusal::of_path());
    }
    let asked = asked::route(verb, &parts).map(|(it, allow)| (it.map(Served::Asked), allow));
    let older = || older::route(verb, &parts).map(|(it, allow)| (it.map(Served::Older), allow));
    let wide = || wide::route(verb, &parts).map(|(it, allow)| (it.map(Served::Wide), allow));
    match asked.or_else(older).or_else(wide) {
        Some((found, allow)) => found.ok_or_else(|| Refusal::of_method(method.as_str(), allow)),
        None => route(method.as_str(), path).map(Served::One),
    }
}

/// What a request asks for.
pub(in crate::api) enum Todo {
    /// One space can answer it.
    Read(Read),
    /// Several spaces, or the directory, answer it.
    Task(Task),
}

impl Todo {
    /// The only space that it reaches; `None` when it may reach others, or tells of the project.
    pub fn space(&self) -> Option<SpaceHash> {
        match self {
            Self::Read(read) => Some(read.space),
            Self::Task(task) => task.space(),
        }
    }
}

/// Reads a request of anything but what asks nothing.
pub(in crate::api) fn todo(
    served: &Served,
    target: &Target<'_>,
    headers: &HeaderMap,
    body: &[u8],
    project: &str,
) -> Result<Todo, Problem> {
    if body.len() > MAX_BODY_BYTES {
        return Err(body_too_large());
    }
    let fields = || {
        let query = Fields::of_query(target.query);
        Fields::of_body(body).map(|body| query.or(body))
    };
    match served {
        Served::One(Route::Stats) if !wide::names_somebody(&fields()?) => {
            let totals = Task::Of(Box::new(admin::Admin::Totals));
            return Ok(Todo::Task(totals));
        }
        // So a client says that everything is to go.
        Served::One(Route::DeleteAll) if wide::names_everybody(&fields()?) => {
            let mut fields = fields()?;
            fields.retain(|name| !scope::is_id(name));
            let (operation, shape) = query::delete_with(&fields, query::conditions(&fields)?)?;
            return Ok(Todo::Task(Task::Spread {
                places: places::Places::everywhere(),
                operation: Box::new(operation),
                shape,
            }));
        }
        Served::Older(Older::OssList) if !wide::names_somebody(&fields()?) => {
            return spread(&fields()?, target, Asks::OssList).map(Todo::Task);
        }
        _ => {}
    }
    let read = match served {
        Served::One(route) => read(route, target, body),
        Served::Asked(asked) => asked::read(*asked, body),
        Served::Older(older) => older::read(older, target, body),
        Served::Wide(wide) => {
            return wide::read(wide, target, headers, body, project).map(Todo::Task);
        }
    };
    let problem = match read {
        Ok(read) => return Ok(Todo::Read(read)),
        Err(problem) => problem,
    };
    let asks = match served {
        Served::One(Route::Search) | Served::Older(Older::Search | Older::OssSearch) => {
            Asks::Search
        }
        Served::One(Route::List) | Served::Older(Older::List | Older::OssList) => Asks::List,
        Served::One(Route::DeleteAll) | Served::Older(Older::OssDeleteAll) => Asks::DeleteAll,
        _ => return Err(problem),
    };
    if problem.code != scope::SEVERAL {
        return Err(problem);
    }
    let fields = fields()?;
    let task = spread(&fields, target, asks)?;
    let form = match served {
        Served::Older(older) => older::form_of(older, &fields)?,
        _ => None,
    };
    Ok(Todo::Task(in_form(task, form)))
}
