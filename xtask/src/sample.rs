//! The sample conversation, run through a served Worker.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use edgemem::memory::Moment;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::{Failure, While};
use crate::http::Api;
use crate::process::interrupted;
use crate::shell::{Project, say};

const FILE: &str = "samples/conversation.json";
/// The sessions that are in the memory, a line each, beside the databases that hold it.
const PROGRESS: &str = "sample-sessions";
/// What is asked after the conversation.
const QUESTIONS: [&str; 3] = [
    "Where does the user live?",
    "What is the user allergic to?",
    "the trip to Tokyo",
];

/// A conversation in several sessions.
#[derive(Debug, Deserialize)]
pub struct Sample {
    /// Whose it is.
    pub user_id: String,
    sessions: Vec<Session>,
}

#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    time: Moment,
    messages: Vec<Value>,
}

impl Sample {
    /// Reads it.
    pub fn read(project: &Project) -> Result<Self, Failure> {
        serde_json::from_str(&project.read(FILE)?).map_err(|error| Failure::Unreadable {
            file: FILE.into(),
            reason: error.to_string(),
        })
    }

    /// Runs what earlier runs on this state left of it, and asks about it.
    pub fn run(&self, api: &Api, state: &Path) -> Result<(), Failure> {
        let filters = json!({"user_id": self.user_id});
        let (known, _) = api.post("/v3/memories/", &json!({"filters": filters}))?;
        let known = list(&known).len();
        let progress = state.join(PROGRESS);
        let done = fs::read_to_string(&progress).unwrap_or_default();
        let done: Vec<&str> = done.lines().collect();
        let left = |session: &&Session| !done.contains(&session.id.as_str());
        let left: Vec<&Session> = self.sessions.iter().filter(left).collect();
        if known > 0 {
            say(format!(
                "{} has {known} memories from an earlier run (--fresh forgets them)",
                self.user_id
            ));
        }
        if !left.is_empty() {
            self.add(api, &left, &progress)?;
        }
        for question in QUESTIONS {
            let body = json!({"query": question, "filters": filters, "top_k": 3});
            let (found, time) = api.post("/v3/memories/search/", &body)?;
            println!("\nrecall in {}, no model asked: {question}", millis(time));
            for hit in list(&found) {
                println!(
                    "  {:.3}  {}",
                    hit["score"].as_f64().unwrap_or_default(),
                    text(hit, "memory").replace('\n', " ")
                );
            }
        }
        Ok(())
    }

    fn add(&self, api: &Api, sessions: &[&Session], progress: &Path) -> Result<(), Failure> {
        say(format!(
            "running {FILE}: {} sessions of {}",
            sessions.len(),
            self.user_id
        ));
        for session in sessions {
            if interrupted() {
                return Ok(());
            }
            let body = json!({
                "user_id": self.user_id,
                "messages": session.messages,
                "timestamp": session.time.as_millis() / 1000,
                "async_mode": false,
            });
            let (added, took) = api.post("/v3/memories/add/", &body)?;
            println!(
                "\n{} · {} · {} messages, {}",
                session.id,
                session.time.date(),
                session.messages.len(),
                millis(took)
            );
            for line in decisions(&added) {
                println!("  {line}");
            }
            note(progress, &session.id)?;
        }
        Ok(())
    }
}

/// Notes that a session is in the memory.
fn note(progress: &Path, session: &str) -> Result<(), Failure> {
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(progress);
    file.and_then(|mut file| writeln!(file, "{session}"))
        .trying(format!("writing {}", progress.display()))
}

/// What an add decided, a line each.
fn decisions(added: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for decision in list(added) {
        let new = text(decision, "memory");
        let old = text(decision, "old_memory");
        lines.push(match text(decision, "event") {
            "UPDATE" => format!("UPDATE  {old}\n       -> {new}"),
            "DELETE" => format!("DELETE  {}", if old.is_empty() { new } else { old }),
            "NONE" if !old.is_empty() && old != new => format!("NONE    {new}\n       == {old}"),
            event => format!("{event:<7} {new}"),
        });
    }
    for relation in added["relations"].as_array().into_iter().flatten() {
        let [from, how, to] = ["source", "relationship", "target"].map(|part| text(relation, part));
        lines.push(format!("        {from} --{how}--> {to}"));
    }
    if let Some(note) = added["note"].as_str() {
        lines.push(format!("note:   {note}"));
    }
    lines
}

fn list(answer: &Value) -> &[Value] {
    let list = answer["results"].as_array().or(answer.as_array());
    list.map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_show_old_and_new_text_and_relations() {
        let added = json!({
            "results": [
                {"event": "ADD", "memory": "likes tea"},
                {"event": "UPDATE", "memory": "lives in Rome", "old_memory": "lives in Oslo"},
                {"event": "DELETE", "memory": "is a vegetarian"},
                {"event": "NONE", "memory": "has a peanut allergy", "old_memory": "is allergic to peanuts"},
            ],
            "relations": [{"source": "user", "relationship": "lives_in", "target": "Rome"}],
        });
        let expected = [
            "ADD     likes tea",
            "UPDATE  lives in Oslo\n       -> lives in Rome",
            "DELETE  is a vegetarian",
            "NONE    has a peanut allergy\n       == is allergic to peanuts",
            "        user --lives_in--> Rome",
        ];
        assert_eq!(decisions(&added), expected);
    }
}
