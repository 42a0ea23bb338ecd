//! A stand-in for an LLM, which knows the answers: what is evaluated is recall, not extraction.

use std::cell::RefCell;

use edgemem::model::{
    ChatModel, ChatReply, ChatRequest, Finish, ModelError, Output, ToolCall, Turn,
};
use futures_util::future::{LocalBoxFuture, ready};
use serde_json::{Value, json};

use super::data::{GivenFact, SpokenTurn};

/// In place of an LLM: answers the extraction with the facts that the data gives for the turns asked
/// about, and decides to add each.
#[derive(Default)]
pub struct GivenFacts {
    turns: RefCell<Vec<String>>,
    facts: RefCell<Vec<GivenFact>>,
}

impl GivenFacts {
    /// The turns of the next add, and the facts in them.
    pub fn prepare(&self, turns: &[SpokenTurn], facts: Vec<GivenFact>) {
        let spoken = turns.iter().filter(|turn| !turn.text.trim().is_empty());
        *self.turns.borrow_mut() = spoken.map(|turn| turn.id.clone()).collect();
        *self.facts.borrow_mut() = facts;
    }

    /// The facts of the next `count` turns.
    fn extraction(&self, count: usize) -> Value {
        let mut turns = self.turns.borrow_mut();
        let taken = count.min(turns.len());
        let rest = turns.split_off(taken);
        let batch = std::mem::replace(&mut *turns, rest);
        let label = |id: &String| {
            batch
                .iter()
                .position(|turn| turn == id)
                .map(|place| place + 1)
        };
        let mut facts = Vec::new();
        for fact in self.facts.borrow().iter() {
            let sources: Vec<usize> = fact.evidence.iter().filter_map(label).collect();
            if !sources.is_empty() {
                facts.push(json!({"text": fact.text, "sources": sources}));
            }
        }
        json!({"facts": facts})
    }
}

impl ChatModel for GivenFacts {
    fn name(&self) -> &str {
        "the data's own facts"
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        let prompt = match request.turns.last() {
            Some(Turn::User(text) | Turn::Shown { text, .. } | Turn::Assistant(text)) => {
                text.as_str()
            }
            None => "",
        };
        let labels = |section: &str| {
            let lines = prompt
                .rsplit_once(section)
                .map_or("", |(_, lines)| lines)
                .lines();
            lines.filter(|line| line.starts_with('[')).count()
        };
        let mut reply = ChatReply {
            content: String::new(),
            tool_calls: Vec::new(),
            finish: Finish::Done,
            tokens: None,
        };
        match &request.output {
            Output::Json { .. } => {
                reply.content = self.extraction(labels("## New messages\n")).to_string();
            }
            Output::Tools(_) => {
                reply.tool_calls = (1..=labels("## New facts\n"))
                    .map(|fact| ToolCall {
                        name: "add_memory".into(),
                        arguments: json!({"fact": fact}).to_string(),
                    })
                    .collect();
            }
            Output::Text => reply.content = "(none)".into(),
        }
        Box::pin(ready(Ok(reply)))
    }
}
