//! Who calls, and what they may: the operator's keys, those that a directory keeps, and tokens of users.
//!
//! A key of a directory is looked up there once ([`Lookup`]), and then known for a minute ([`Known`]); so is what
//! signs tokens. So a request asks nobody who it is, but for the first of a minute.

mod keys;
mod known;
mod token;

use std::fmt;
use std::rc::Rc;

use http::Request;

pub use keys::{KEYS_VARIABLE, Keys, KeysError, Project};
pub use known::Known;
pub(super) use token::{Grant, MAX_SECONDS};
pub use token::{SECRET_VARIABLE, SecretError};

use super::wire;
use crate::directory::{Answer, ApiKey, Ask, KeyRole, key_hash};
use crate::memory::{Moment, Owner, Problem, SpaceHash};

/// What keys of directories begin with; their project's name follows.
const KEY_PREFIX: &str = "em_";

/// Whoever made a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Caller {
    pub project: Project,
    pub role: KeyRole,
    /// The only user whose memory a token opens.
    pub user: Option<Owner>,
    /// Names the key, or the token's user, without saying the secret.
    pub name: String,
}

impl Caller {
    /// Refuses what needs a higher role.
    pub fn may(&self, needed: KeyRole) -> Result<(), Problem> {
        if self.role >= needed {
            return Ok(());
        }
        let (needed, has) = (needed.as_str(), self.role.as_str());
        let holder = match self.user {
            Some(_) => "token",
            None => "key",
        };
        Err(Problem::new(
            403,
            "role_required",
            format!("this needs the role '{needed}', and this {holder} has the role '{has}'"),
        ))
    }
}

/// Refuses what would reach another's memory, where only one user's may be reached: what reaches another space,
/// or (`None`) may reach several, or tells of the project.
///
/// # Errors
/// 403.
pub(super) fn guard(bound: Option<&Owner>, space: Option<SpaceHash>) -> Result<(), Problem> {
    match bound {
        Some(owner) if space != Some(owner.space_hash()) => Err(Problem::new(
            403,
            "bound_to_another_user",
            "this is bound to one user (by a user's token, or by X-Edgemem-User), and asks for more than that \
             user's memory",
        )),
        _ => Ok(()),
    }
}

/// Something that the directory of a project has to be asked before it is known who calls.
#[derive(Clone, PartialEq)]
pub struct Lookup {
    /// The project.
    pub project: Project,
    wanted: Wanted,
}

#[derive(Clone, PartialEq)]
enum Wanted {
    /// The key with this hash.
    Key(String),
    /// What signs tokens, for this one.
    Secret(String),
}

/// Without what the caller sent.
impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lookup({})", self.project.id)
    }
}

/// Without secrets.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({:?})", self.keys)
    }
}

impl Lookup {
    /// What to ask.
    pub fn ask(&self) -> Ask {
        match &self.wanted {
            Wanted::Key(sha256) => Ask::CheckKey {
                sha256: sha256.clone(),
            },
            Wanted::Secret(_) => Ask::TokenSecret,
        }
    }
}

/// What a request's key or token is.
pub(super) enum Identity {
    Known(Result<Caller, Problem>),
    Unknown(Lookup),
}

/// Knows who may enter.
#[derive(Clone)]
pub(super) struct Access {
    pub keys: Result<Keys, KeysError>,
    secret: Result<Option<String>, SecretError>,
    pub now: Moment,
    pub known: Rc<Known>,
}

impl Access {
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            keys: Keys::read(&variable(KEYS_VARIABLE).unwrap_or_default()),
            secret: token::read_secret(variable(SECRET_VARIABLE)),
            now: Moment::from_millis(0),
            known: Rc::default(),
        }
    }

    /// The operator's secret that signs tokens; `None` when directories keep one of their own.
    ///
    /// # Errors
    /// 503 when it can be guessed.
    pub fn secret(&self) -> Result<Option<&str>, Problem> {
        let secret = self.secret.as_ref().map(Option::as_deref);
        secret.map_err(SecretError::problem)
    }

    /// What is wrong with the configuration.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let keys = self.keys.as_ref().err().map(ToString::to_string);
        let secret = self.secret.as_ref().err().map(ToString::to_string);
        keys.into_iter().chain(secret)
    }

    /// Who makes a request, by `Authorization: Token`, `Authorization: Bearer` or `X-API-Key`.
    pub fn identify<B>(&self, request: &Request<B>) -> Identity {
        let keys = match &self.keys {
            Ok(keys) => keys,
            Err(error) => return Identity::Known(Err(error.problem())),
        };
        let Some(text) = credentials(request) else {
            return Identity::Known(Err(Problem::new(
                401,
                "missing_api_key",
                "Invalid API key: send one as 'Authorization: Token <key>' or 'X-API-Key: <key>'",
            )));
        };
        if let Some(project) = keys.opened_by(text) {
            return Identity::Known(Ok(Caller {
                project: project.clone(),
                role: KeyRole::Admin,
                user: None,
                name: format!("operator/{}", project.id),
            }));
        }
        if token::is_token(text) {
            return self.identify_user(keys, text);
        }
        // Projects that the operator did not name have no keys, so that strangers cannot have objects made.
        let named = text.strip_prefix(KEY_PREFIX);
        let named = named.and_then(|rest| rest.rsplit_once('_'));
        let Some(project) = named.and_then(|(project, _)| keys.project(project)) else {
            return Identity::Known(Err(unknown_key()));
        };
        let sha256 = key_hash(text);
        match self.known.key(&sha256, self.now) {
            Some(key) => Identity::Known(self.holder(project, key)),
            None => match self.known.may_ask(&project.id, &sha256, self.now) {
                Ok(()) => Identity::Unknown(Lookup {
                    project: project.clone(),
                    wanted: Wanted::Key(sha256),
                }),
                Err(refusal) => Identity::Known(Err(refusal)),
            },
        }
    }

    fn identify_user(&self, keys: &Keys, token: &str) -> Identity {
        let project = match token::project_of(token) {
            Ok(id) => keys.project(&id).ok_or_else(token::of_no_project),
            Err(problem) => Err(problem),
        };
        let project = match project {
            Ok(project) => project,
            Err(problem) => return Identity::Known(Err(problem)),
        };
        match self.secret() {
            Err(problem) => Identity::Known(Err(problem)),
            Ok(Some(secret)) => Identity::Known(self.bearer(project, token, secret)),
            Ok(None) => match self.known.secret(&project.id, self.now) {
                Some(secret) => Identity::Known(self.bearer(project, token, &secret)),
                None => Identity::Unknown(Lookup {
                    project: project.clone(),
                    wanted: Wanted::Secret(token.to_owned()),
                }),
            },
        }
    }

    /// Who calls, once the directory has answered.
    ///
    /// # Errors
    /// 401, or what the directory failed with.
    pub fn learn(
        &self,
        lookup: &Lookup,
        answer: Result<Answer, Problem>,
    ) -> Result<Caller, Problem> {
        let project = &lookup.project;
        match (&lookup.wanted, answer?) {
            (Wanted::Key(sha256), Answer::Keys(found)) => {
                let key = found.into_iter().next();
                self.known.learn_key(sha256, key.clone(), self.now);
                self.holder(project, key)
            }
            (Wanted::Secret(token), Answer::Secret(secret)) => {
                self.known.learn_secret(&project.id, &secret, self.now);
                self.bearer(project, token, &secret)
            }
            _ => Err(super::hosted::unexpected()),
        }
    }

    fn holder(&self, project: &Project, key: Option<ApiKey>) -> Result<Caller, Problem> {
        let key = key.ok_or_else(unknown_key)?;
        if key.expires_at.is_some_and(|end| end <= self.now) {
            let message = "Invalid API key: it has expired";
            return Err(Problem::new(401, "api_key_expired", message));
        }
        Ok(Caller {
            project: project.clone(),
            role: key.role,
            user: None,
            name: format!("{}/{}", project.id, key.id),
        })
    }

    fn bearer(&self, project: &Project, token: &str, secret: &str) -> Result<Caller, Problem> {
        let (user, role) = token::read(token, secret, self.now)?;
        Ok(Caller {
            project: project.clone(),
            role,
            name: format!("{}/user/{}", project.id, user.id),
            user: Some(user),
        })
    }
}

fn unknown_key() -> Problem {
    let message = format!(
        "Invalid API key: this server does not know it (see {KEYS_VARIABLE}, or GET /v1/keys/)"
    );
    Problem::new(401, "invalid_api_key", message)
}

/// The key or token that a request carries.
fn credentials<B>(request: &Request<B>) -> Option<&str> {
    let authorization = wire::header(request, "authorization").and_then(|header| {
        let (scheme, key) = header.trim().split_once(char::is_whitespace)?;
        let known = scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("bearer");
        known.then(|| key.trim())
    });
    let named = || wire::header(request, "x-api-key").map(str::trim);
    authorization.or_else(named).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests;
