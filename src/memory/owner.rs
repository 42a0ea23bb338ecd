//! Whose memory it is.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{SpaceHash, Subject};

/// The kinds of owner, in the order in which they claim a memory: one that names a user and an
/// agent lives in the user's space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// `user_id`
    User,
    /// `agent_id`
    Agent,
    /// `app_id`
    App,
    /// `run_id`
    Run,
}

impl OwnerKind {
    /// All kinds, in order of precedence.
    pub const ALL: [OwnerKind; 4] = [Self::User, Self::Agent, Self::App, Self::Run];

    /// The name used on the wire, without `_id`.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnerKind::User => "user",
            OwnerKind::Agent => "agent",
            OwnerKind::App => "app",
            OwnerKind::Run => "run",
        }
    }
}

/// The ids that an add or a query names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The conversation (session).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
}

/// Why a scope names no owner.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScopeError {
    /// No id at all.
    #[error(
        "say whose memory this is: give at least one of user_id, agent_id, app_id or run_id \
         (for search and list inside `filters`)"
    )]
    Missing,
    /// An id of only white space, or of more than 256 bytes.
    #[error("{0}_id must have between 1 and 256 bytes and not only spaces")]
    Malformed(&'static str),
}

/// The ids, as a filter names them.
impl Subject for Scope {
    fn field(&self, name: &str) -> Option<Value> {
        let kind = OwnerKind::ALL
            .into_iter()
            .find(|kind| name.strip_suffix("_id") == Some(kind.as_str()))?;
        self.id(kind).map(Value::from)
    }
}

impl Scope {
    /// The scope of one user.
    pub fn user(id: impl Into<String>) -> Self {
        Self {
            user_id: Some(id.into()),
            ..Self::default()
        }
    }

    /// The id of one kind.
    pub fn id(&self, kind: OwnerKind) -> Option<&str> {
        match kind {
            OwnerKind::User => self.user_id.as_deref(),
            OwnerKind::Agent => self.agent_id.as_deref(),
            OwnerKind::App => self.app_id.as_deref(),
            OwnerKind::Run => self.run_id.as_deref(),
        }
    }

    /// Sets the id of one kind.
    pub fn set(&mut self, kind: OwnerKind, id: String) {
        let slot = match kind {
            OwnerKind::User => &mut self.user_id,
            OwnerKind::Agent => &mut self.agent_id,
            OwnerKind::App => &mut self.app_id,
            OwnerKind::Run => &mut self.run_id,
        };
        *slot = Some(id);
    }

    /// The owner: the user, else the agent, the app, the run.
    ///
    /// # Errors
    /// When no id is given, or one is blank or longer than 256 bytes.
    pub fn owner(&self) -> Result<Owner, ScopeError> {
        let mut owner = None;
        for kind in OwnerKind::ALL {
            let Some(id) = self.id(kind) else { continue };
            if id.trim().is_empty() || id.len() > 256 {
                return Err(ScopeError::Malformed(kind.as_str()));
            }
            owner = owner.or_else(|| Some(Owner::new(kind, id)));
        }
        owner.ok_or(ScopeError::Missing)
    }

    /// The conversation that messages of this scope belong to: all four ids, escaped so that no two
    /// scopes share one.
    pub fn conversation(&self) -> String {
        let mut key = String::new();
        for kind in OwnerKind::ALL {
            if let Some(id) = self.id(kind) {
                if !key.is_empty() {
                    key.push('&');
                }
                key.push_str(kind.as_str());
                key.push('=');
                for c in id.chars() {
                    match c {
                        '%' => key.push_str("%25"),
                        '&' => key.push_str("%26"),
                        '=' => key.push_str("%3D"),
                        c => key.push(c),
                    }
                }
            }
        }
        key
    }
}

/// The owner of a space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// Which kind of id names it.
    pub kind: OwnerKind,
    /// The id, as the client wrote it.
    pub id: String,
}

impl Owner {
    /// An owner from its kind and id.
    pub fn new(kind: OwnerKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }

    /// The hash that names this owner's space and is part of every id made there.
    pub fn space_hash(&self) -> SpaceHash {
        SpaceHash::of(&[self.kind.as_str(), &self.id])
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_owns_what_names_a_user_and_an_agent() {
        let scope = Scope {
            agent_id: Some("a".into()),
            ..Scope::user("u")
        };
        assert_eq!(scope.owner(), Ok(Owner::new(OwnerKind::User, "u")));
    }

    #[test]
    fn a_scope_without_ids_says_what_to_give() {
        let error = Scope::default().owner().unwrap_err();
        assert!(error.to_string().contains("user_id"));
    }

    #[test]
    fn conversations_of_different_scopes_differ() {
        let tricky = Scope::user("a&run=b");
        let plain = Scope {
            run_id: Some("b".into()),
            ..Scope::user("a")
        };
        assert_ne!(tricky.conversation(), plain.conversation());
    }
}
