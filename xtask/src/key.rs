//! `cargo xtask key`: the API keys of a project on a served or deployed Worker.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::http::Api;
use crate::settings::Settings;
use crate::shell::Project;

/// Where `cargo xtask dev` serves.
const DEV: &str = "http://127.0.0.1:8787";

/// The variable with the key that keys are made by.
const ADMIN_KEY: &str = "EDGEMEM_API_KEY";

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Make {
        name: String,
        role: String,
        expires_in: Option<u64>,
    },
    List,
    Revoke(String),
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    task: Task,
    host: Option<String>,
}

impl Options {
    fn read(words: &[String]) -> Result<Self, Failure> {
        let usage = |message: &str| Failure::Usage(message.to_owned());
        let (mut plain, mut role, mut expires_in, mut host) = (Vec::new(), None, None, None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let value = words.next().cloned();
                value.ok_or_else(|| Failure::Usage(format!("{word} needs a value")))
            };
            match word.as_str() {
                "--role" => role = Some(value()?),
                "--host" => host = Some(value()?.trim_end_matches('/').to_owned()),
                "--expires-in" => {
                    let seconds = value()?.parse();
                    expires_in = Some(seconds.map_err(|_| usage("--expires-in needs a number"))?);
                }
                other if other.starts_with('-') => {
                    return Err(Failure::Usage(format!("`key` takes no {other:?}")));
                }
                plain_word => plain.push(plain_word.to_owned()),
            }
        }
        let task = match plain.as_slice() {
            [task, name] if task == "make" => Task::Make {
                name: name.clone(),
                role: role.take().unwrap_or_else(|| "read".to_owned()),
                expires_in: expires_in.take(),
            },
            [task] if task == "list" => Task::List,
            [task, id] if task == "revoke" => Task::Revoke(id.clone()),
            _ => return Err(usage("say `key make NAME`, `key list` or `key revoke ID`")),
        };
        if role.is_some() || expires_in.is_some() {
            return Err(usage("--role and --expires-in are for `key make`"));
        }
        Ok(Self { task, host })
    }
}

/// Runs the task.
pub fn run(project: &Project, words: &[String]) -> Result<(), Failure> {
    let Options { task, host } = Options::read(words)?;
    let named = std::env::var(ADMIN_KEY).ok().filter(|key| !key.is_empty());
    let key = match (named, &host) {
        (Some(key), _) => key,
        // The development server's own key is for no other host.
        (None, None) => Settings::read(project)?.key,
        (None, Some(host)) => {
            return Err(Failure::Missing {
                what: format!("there is no key for {host}"),
                advice: format!("set {ADMIN_KEY} to one of the project's admin keys"),
            });
        }
    };
    let api = Api::new(host.unwrap_or_else(|| DEV.to_owned()), key);
    match task {
        Task::Make {
            name,
            role,
            expires_in,
        } => {
            let body = json!({"name": name, "role": role, "expires_in": expires_in});
            let made = api.ask("POST", "/v1/keys/", &body)?;
            println!("{}", line(&made));
            println!("{}", text(&made, "key"));
            eprintln!("Keep it: nobody can show it again.");
        }
        Task::List => {
            let listed = api.ask("GET", "/v1/keys/", &Value::Null)?;
            let listed = listed.get("results").and_then(Value::as_array);
            let listed = listed.map_or(&[][..], Vec::as_slice);
            for key in listed {
                println!("{}", line(key));
            }
            if listed.is_empty() {
                eprintln!(
                    "There are none but the operator's; `cargo xtask key make NAME` makes one."
                );
            }
        }
        Task::Revoke(id) => {
            api.ask("DELETE", &format!("/v1/keys/{id}/"), &Value::Null)?;
            println!("{id} opens nothing any more; servers that know it forget it within a minute");
        }
    }
    Ok(())
}

fn text<'a>(key: &'a Value, name: &str) -> &'a str {
    key[name].as_str().unwrap_or("-")
}

/// What is known of a key.
fn line(key: &Value) -> String {
    format!(
        "{}  {:5}  made {}  used {}  ends {}  {}",
        text(key, "id"),
        text(key, "role"),
        text(key, "created_at"),
        text(key, "last_used_at"),
        text(key, "expires_at"),
        text(key, "name"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Options, String> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Options::read(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn a_task_is_read_with_its_options() {
        let made = read("make bot --role write --host https://m.example/ --expires-in 60");
        let task = Task::Make {
            name: "bot".into(),
            role: "write".into(),
            expires_in: Some(60),
        };
        let host = Some("https://m.example".to_owned());
        assert_eq!(made.unwrap(), Options { task, host });
        let (task, host) = (Task::Revoke("key_1".into()), None);
        assert_eq!(read("revoke key_1").unwrap(), Options { task, host });
        for wrong in [
            "make",
            "list all",
            "list --role read",
            "make x --expires-in soon",
            "make x --role",
            "make x --forever",
            "erase",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
