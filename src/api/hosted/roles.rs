//! The role that each route needs, and whether it takes the name of its user.
//!
//! To look costs `read`, to change memories `write`. What is set for the project, and who may do what in it, is
//! `admin`'s, to see as to change, and so is erasing what is everybody's.

use http::{Method, Uri};
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::asked::Asked;
use super::older::Older;
use super::served::{Served, Todo};
use super::task::Task;
use super::wide::Wide;
use super::{super::wire, Route};
use crate::directory::KeyRole::{self, Admin, Read, Write};
use crate::memory::{Owner, Problem};
use crate::operation::Operation;

impl Served {
    /// The role that a request needs, as far as its path and method tell.
    pub fn needs(&self) -> KeyRole {
        match self {
            Self::One(route) => match route {
                Route::Root | Route::Health | Route::Ping => Read,
                Route::Search | Route::List | Route::Get(_) | Route::History(_) => Read,
                Route::Event(_) | Route::Context | Route::Timeline | Route::Stats => Read,
                Route::Graph | Route::Export | Route::Path | Route::Entity(_) => Read,
                Route::Contradictions => Read,
                Route::Add | Route::Update(_) | Route::Delete(_) | Route::DeleteAll => Write,
                Route::Merge(_) | Route::Split(_) | Route::Resolve(_) => Write,
            },
            Self::Asked(asked) => match asked {
                Asked::Summary | Asked::GetExport => Read,
                Asked::Feedback | Asked::MakeExport => Write,
            },
            Self::Older(older) => match older {
                Older::Search | Older::List | Older::Under(..) => Read,
                Older::OssList | Older::OssSearch | Older::OssGet(_) | Older::OssHistory(_) => Read,
                Older::Add | Older::OssAdd | Older::OssUpdate(_) => Write,
                Older::OssDelete(_) | Older::OssDeleteAll => Write,
            },
            Self::Wide(wide) => match wide {
                Wide::Entities | Wide::EntityFilters | Wide::Entity(..) | Wide::OssEntities => Read,
                Wide::Events | Wide::Organizations | Wide::Organization => Read,
                Wide::Profile(_) | Wide::ProfileJob(_) => Read,
                Wide::BatchUpdate | Wide::BatchDelete | Wide::Declare(_) => Write,
                Wide::DeleteEntity(..) | Wide::DeleteNumbered(..) | Wide::StartProfiles => Write,
                Wide::MakeToken => Write,
                Wide::Projects | Wide::CreateProject | Wide::Project(_) => Admin,
                Wide::SetProject(_) | Wide::DeleteProject(_) | Wide::OssReset => Admin,
                Wide::Members(_) | Wide::AddMember(_) => Admin,
                Wide::ChangeMember(_) | Wide::RemoveMember(_) => Admin,
                Wide::Webhooks(_) | Wide::AddWebhook(_) => Admin,
                Wide::ChangeWebhook(_) | Wide::RemoveWebhook(_) => Admin,
                Wide::ProfileSettings | Wide::SetProfileSettings => Admin,
                Wide::Keys | Wide::MakeKey | Wide::RevokeKey(_) => Admin,
            },
        }
    }

    /// Whether it asks whose memory it is about by fields such as `user_id`, rather than by an id or the path.
    fn names_owner(&self) -> bool {
        match self {
            Self::One(route) => matches!(
                route,
                Route::Add
                    | Route::Search
                    | Route::List
                    | Route::DeleteAll
                    | Route::Graph
                    | Route::Export
                    | Route::Path
                    | Route::Entity(_)
                    | Route::Merge(_)
                    | Route::Split(_)
                    | Route::Context
                    | Route::Timeline
                    | Route::Contradictions
                    | Route::Stats
            ),
            Self::Asked(asked) => !matches!(asked, Asked::Feedback),
            Self::Older(older) => matches!(
                older,
                Older::Add
                    | Older::Search
                    | Older::List
                    | Older::OssAdd
                    | Older::OssList
                    | Older::OssSearch
                    | Older::OssDeleteAll
            ),
            Self::Wide(_) => false,
        }
    }

    /// The request of a user who may leave out who that is: with the name where there is none.
    ///
    /// # Errors
    /// When the body cannot be read.
    pub fn naming(
        &self,
        user: &Owner,
        method: &Method,
        uri: &Uri,
        body: &[u8],
    ) -> Result<Option<(Uri, Vec<u8>)>, Problem> {
        let is_named = |fields: &Fields| fields.has("user_id") || fields.has("userId");
        if !self.names_owner() || is_named(&Fields::of_query(uri.query())) {
            return Ok(None);
        }
        let mut fields = Fields::of_body(body)?;
        if is_named(&fields) {
            return Ok(None);
        }
        if !matches!(*method, Method::GET | Method::HEAD | Method::DELETE) {
            fields.set("user_id", json!(user.id));
            let body = Value::Object(fields.into_map()).to_string();
            return Ok(Some((uri.clone(), body.into_bytes())));
        }
        let query = uri
            .query()
            .map_or(String::new(), |query| format!("{query}&"));
        let id = wire::percent_encode(&user.id);
        let target = format!("{}?{query}user_id={id}", uri.path());
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = target.parse().ok();
        let named = Uri::from_parts(parts).ok();
        Ok(named.map(|uri| (uri, body.to_vec())))
    }
}

impl Todo {
    /// The role that a request needs, by all that it says.
    pub fn needs(&self) -> KeyRole {
        match self {
            Self::Task(Task::Spread {
                places, operation, ..
            }) if places.is_wide() && matches!(**operation, Operation::DeleteAll { .. }) => Admin,
            _ => Read,
        }
    }
}
