//! The fields of a memory that filters can name.

use serde_json::Value;

use super::{Kind, Memory, Subject};

impl Subject for Memory {
    /// The memory's own fields first, then its metadata: a client's field cannot pass for an id.
    fn field(&self, name: &str) -> Option<Value> {
        let text = |text: Option<&str>| text.map(Value::from);
        match name {
            "id" => Some(self.id.to_string().into()),
            "text" => Some(self.text().into()),
            "kind" => text(Some(match self.kind {
                Kind::Fact => "fact",
                Kind::Message => "message",
            })),
            "user_id" => text(self.scope.user_id.as_deref()),
            "agent_id" => text(self.scope.agent_id.as_deref()),
            "app_id" => text(self.scope.app_id.as_deref()),
            "run_id" => text(self.scope.run_id.as_deref()),
            "role" => text(self.role.map(|role| role.as_str())),
            "actor_id" => text(self.name.as_deref()),
            "attributed_to" => text(self.attributed_to.map(|speaker| speaker.as_str())),
            "standing" => Some(self.standing.into()),
            "immutable" => Some(self.immutable.into()),
            "categories" => (!self.categories.is_empty()).then(|| self.categories.clone().into()),
            "created_at" | "timestamp" => Some(self.created_at.to_string().into()),
            "updated_at" => Some(self.updated_at.to_string().into()),
            // The last day on which it holds, as clients write it.
            "expiration_date" => self.expires_at.map(|at| at.plus_millis(-1).date().into()),
            key => self
                .metadata
                .get(key.strip_prefix("metadata.").unwrap_or(key))
                .filter(|value| !value.is_null())
                .cloned(),
        }
    }
}
