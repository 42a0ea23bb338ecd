//! Whole recall: a space in memory with made-up relations between made-up people, and questions to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edgemem::memory::{Message, Moment, Scope};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::model::{
    ChatModel, ChatReply, ChatRequest, Finish, ModelError, Output, ToolCall, Turn,
};
use edgemem::operation::{Add, Channel, Operation, Reply, Search};
use edgemem::space::{Host, Models, Space};
use edgemem::store::MemoryStorage;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::world::World;

/// The first conversation is on the morning of 2023-07-01, and each day there is another.
const FIRST: i64 = 1_688_191_200_000;
const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;
/// 2024-01-01.
const NOW: i64 = 1_704_067_200_000;
/// Of so many facts on which the model is asked, it says of one that it contradicts a known one.
const CONTRADICTED: usize = 100;

/// Replays what [`World`] made up: no model has read anything.
#[derive(Default)]
struct Script {
    /// The facts of the messages that were added last.
    facts: RefCell<Vec<Value>>,
    decided: Cell<usize>,
}

impl Script {
    fn decide(&self, fact: usize) -> ToolCall {
        self.decided.set(self.decided.get() + 1);
        let arguments = match self.decided.get().is_multiple_of(CONTRADICTED) {
            true => json!({"fact": fact, "contradicts": 1}),
            false => json!({"fact": fact}),
        };
        ToolCall {
            name: "add_memory".to_owned(),
            arguments: arguments.to_string(),
        }
    }
}

impl ChatModel for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        let mut reply = ChatReply {
            content: String::new(),
            tool_calls: Vec::new(),
            finish: Finish::Done,
            tokens: None,
        };
        match &request.output {
            Output::Json { .. } => {
                reply.content = json!({"facts": self.facts.take()}).to_string();
            }
            Output::Tools(_) => {
                let prompt = request.turns.first().map(|turn| match turn {
                    Turn::User(text) | Turn::Shown { text, .. } | Turn::Assistant(text) => text,
                });
                let facts = prompt.and_then(|prompt| prompt.split("## New facts").nth(1));
                let count = facts.map_or(0, |facts| {
                    facts.lines().filter(|line| line.starts_with('[')).count()
                });
                reply.tool_calls = (1..=count).map(|fact| self.decide(fact)).collect();
            }
            Output::Text => reply.content = "They talked about people they know.".to_owned(),
        }
        Box::pin(ready(Ok(reply)))
    }
}

/// A computer on which it is always the same day.
#[derive(Default)]
struct Still {
    storage: MemoryStorage,
    random: Cell<u64>,
}

impl Host for Still {
    type Storage = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        Moment::from_millis(NOW)
    }

    fn random(&self) -> u64 {
        let next = self.random.get().wrapping_mul(6_364_136_223_846_793_005);
        self.random
            .set(next.wrapping_add(1_442_695_040_888_963_407));
        self.random.get()
    }
}

/// The memory of one person.
#[wasm_bindgen]
pub struct Recall {
    space: Space<Still>,
    script: Rc<Script>,
    world: World,
    conversations: i64,
}

#[wasm_bindgen]
impl Recall {
    /// Empty, with the builtin embedder's table.
    ///
    /// # Errors
    /// When the table cannot be read.
    #[wasm_bindgen(constructor)]
    pub fn new(table: Vec<u8>) -> Result<Self, String> {
        let script = Rc::new(Script::default());
        let models = Models {
            chat: Some(Rc::clone(&script) as Rc<dyn ChatModel>),
            embedder: Rc::new(StaticEmbedder::from_bytes(table).map_err(in_words)?),
            reranker: None,
            files: None,
        };
        let hash = scope(0).owner().map_err(in_words)?.space_hash();
        let space = at_once(Space::open(Still::default(), models, hash))?;
        Ok(Self {
            space: space.map_err(in_words)?,
            script,
            world: World::new(1),
            conversations: 0,
        })
    }

    /// Adds a conversation in which each of these sentences is said, and something about somebody besides, and
    /// extracts a fact from each.
    ///
    /// # Errors
    /// When an add fails.
    pub fn add(&mut self, sentences: Vec<String>) -> Result<(), String> {
        let first = FIRST + self.conversations * DAY;
        let mut messages = Vec::new();
        let mut facts = Vec::new();
        for (at, sentence) in (1..).zip(&sentences) {
            let said = self.world.tell(sentence);
            messages.push(Message {
                time: Some(Moment::from_millis(first + at * MINUTE)),
                ..Message::user(said.message)
            });
            let mut fact = said.fact;
            if let Some(fields) = fact.as_object_mut() {
                fields.insert("sources".to_owned(), json!([at]));
            }
            facts.push(fact);
        }
        self.script.facts.replace(facts);
        self.apply(Operation::Add(Box::new(Add {
            scope: scope(self.conversations),
            messages,
            infer: true,
            ..Add::default()
        })))?;
        self.conversations += 1;
        self.apply(Operation::RunJobs { event: None })?;
        Ok(())
    }

    /// Some questions of a kind.
    ///
    /// # Errors
    /// When there is no such kind.
    pub fn questions(&mut self, kind: &str, count: usize) -> Result<Vec<String>, String> {
        let questions = (0..count).map(|_| self.world.ask(kind));
        let questions: Option<Vec<String>> = questions.collect();
        questions.ok_or_else(|| format!("no questions are of kind {kind:?}"))
    }

    /// Asks by all channels but these, comma-separated; how many memories were found.
    ///
    /// # Errors
    /// When a channel is unknown, or the search fails.
    pub fn search(&self, query: String, without: &str) -> Result<usize, String> {
        let without = without.split(',').filter(|name| !name.is_empty());
        let named = |name: &str| Channel::ALL.into_iter().find(|it| it.as_str() == name);
        let without: Option<Vec<Channel>> = without.map(named).collect();
        let reply = self.apply(Operation::Search(Search {
            query,
            without: without.ok_or("no such channel")?,
            ..Search::default()
        }))?;
        match reply {
            Reply::Hits(hits) => Ok(hits.len()),
            _ => Err("a search was answered with something else".to_owned()),
        }
    }

    /// What the space counts, as JSON.
    ///
    /// # Errors
    /// When it cannot count.
    pub fn stats(&self) -> Result<String, String> {
        match self.apply(Operation::Stats { digest: false })? {
            Reply::Stats(stats) => serde_json::to_string(&stats).map_err(in_words),
            _ => Err("a count was answered with something else".to_owned()),
        }
    }

    fn apply(&self, operation: Operation) -> Result<Reply, String> {
        at_once(self.space.apply(operation))?.map_err(in_words)
    }
}

fn scope(conversation: i64) -> Scope {
    Scope {
        run_id: Some(conversation.to_string()),
        ..Scope::user("somebody")
    }
}

/// Nothing here waits: storage and models answer at once.
fn at_once<T>(task: impl Future<Output = T>) -> Result<T, String> {
    task.now_or_never()
        .ok_or_else(|| "something waited".to_owned())
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
