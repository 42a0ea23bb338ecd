//! What a project sets, and who is in it.

use serde_json::{Map, Value, json};

use super::{Answer, Directory, DirectoryError, Done, Now, delete, escaped, put, unescaped};
use crate::memory::{Category, ProjectSettings};
use crate::store::Storage;

const PROJECT: &str = "project";

/// Fields that nobody may set.
const FIXED: [&str; 6] = [
    "project_id",
    "org_id",
    "created_at",
    "updated_at",
    "members",
    "user_role",
];

impl<S: Storage> Directory<S> {
    /// The project's record: what was set, over what holds when nothing is.
    pub(super) async fn project(&self, now: Now) -> Done<Answer> {
        let set: Option<Map<String, Value>> = self.get(PROJECT).await?;
        let mut fields = match defaults() {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let made = json!(now.at);
        fields.insert("created_at".to_owned(), made.clone());
        fields.insert("updated_at".to_owned(), made);
        fields.extend(set.unwrap_or_default());
        Ok(Answer::Value(Value::Object(fields)))
    }

    pub(super) async fn set_project(&self, given: Map<String, Value>, now: Now) -> Done<Answer> {
        if given
            .get("custom_categories")
            .is_some_and(|value| Category::list(value).is_none())
        {
            return Err(DirectoryError::Bad(
                "'custom_categories' must be a list such as [{\"name\": \"description\"}]".into(),
            ));
        }
        for name in ["custom_instructions", "agent_custom_instructions"] {
            if given.get(name).is_some_and(|value| prose(value).is_none()) {
                return Err(DirectoryError::Bad(format!("'{name}' must be a text")));
            }
        }
        let mut fields: Map<String, Value> = self.get(PROJECT).await?.unwrap_or_default();
        let made = json!(now.at);
        fields.entry("created_at").or_insert(made.clone());
        fields.insert("updated_at".to_owned(), made);
        for (name, value) in given {
            if !FIXED.contains(&name.as_str()) {
                fields.insert(name, value);
            }
        }
        self.commit(vec![put(PROJECT, &fields)?]).await?;
        Ok(Answer::Done)
    }

    /// What the project asks of extraction.
    pub(super) async fn settings(&self) -> Done<Answer> {
        let fields: Map<String, Value> = self.get(PROJECT).await?.unwrap_or_default();
        let text = |name: &str| fields.get(name).and_then(prose).filter(|it| !it.is_empty());
        let categories = fields.get("custom_categories").and_then(Category::list);
        Ok(Answer::Settings(Box::new(ProjectSettings {
            instructions: text("custom_instructions"),
            agent_instructions: text("agent_custom_instructions"),
            includes: text("inclusion_prompt"),
            excludes: text("exclusion_prompt"),
            categories: categories.unwrap_or_default(),
        })))
    }

    pub(super) async fn members(&self) -> Done<Answer> {
        let all = self.all::<String>("member/").await?;
        let member = |(key, role): (String, String)| {
            let email = unescaped(key.trim_start_matches("member/"));
            (email, role)
        };
        Ok(Answer::Members(all.into_iter().map(member).collect()))
    }

    pub(super) async fn put_member(&self, email: String, role: String, new: bool) -> Done<Answer> {
        let email = email.trim();
        if email.is_empty() || email.len() > 320 {
            return Err(DirectoryError::Bad("give the member's `email`".into()));
        }
        let role = role.trim().to_uppercase();
        if !["READER", "OWNER"].contains(&role.as_str()) {
            return Err(DirectoryError::Bad(
                "'role' must be READER or OWNER".to_owned(),
            ));
        }
        let key = format!("member/{}", escaped(email));
        if !new && self.get::<String>(&key).await?.is_none() {
            return Err(DirectoryError::NoSuchMember);
        }
        self.commit(vec![put(&key, &role)?]).await?;
        Ok(Answer::Done)
    }

    pub(super) async fn remove_member(&self, email: &str) -> Done<Answer> {
        let key = format!("member/{}", escaped(email.trim()));
        if self.get::<String>(&key).await?.is_none() {
            return Err(DirectoryError::NoSuchMember);
        }
        self.commit(vec![delete(&key)]).await?;
        Ok(Answer::Done)
    }
}

/// A text, or a list of texts as one; nothing is an empty one. `None` when it is something else.
fn prose(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Some(texts?.join("\n"))
        }
        _ => None,
    }
}

fn defaults() -> Value {
    json!({
        "name": "edgemem",
        "description": "",
        "usecase": null,
        "memory_depth": null,
        "inclusion_prompt": null,
        "exclusion_prompt": null,
        "custom_categories": [],
        "custom_instructions": null,
        "agent_custom_instructions": null,
        "update_custom_instructions": null,
        "summary_custom_instructions": null,
        "summary_batch_size": 20,
        "summary_max_tokens": null,
        "expiration_date": null,
        "enable_graph": true,
        "multilingual": true,
        "version": "v3",
        "is_default": true,
        "active_prompt_profile": null,
        "decay": false,
        "retrieval_criteria": [],
    })
}
