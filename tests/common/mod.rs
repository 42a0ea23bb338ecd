//! A space with everything real but the LLM, whose replies are scripted by the test.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]
#![allow(clippy::indexing_slicing)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use edgemem::memory::{Id, Memory, Message, Moment, Owner, OwnerKind, Scope};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::model::files::Files;
use edgemem::model::{
    ChatModel, ChatReply, ChatRequest, Finish, ModelError, Output, Reranker, Tokens, ToolCall, Turn,
};
use edgemem::operation::{Add, Event, EventStatus, Hit, List, Operation, Reply, Search};
use edgemem::space::{Host, Models, Settings, Space, SpaceError};
use edgemem::store::{MemoryStorage, Storage, Table};
use futures_executor::block_on;
use futures_util::future::{LocalBoxFuture, ready};

/// A host whose clock the test sets and whose random numbers repeat.
pub struct TestHost {
    pub settings: Settings,
    pub storage: Rc<MemoryStorage>,
    pub clock: Rc<Cell<i64>>,
    pub random: Cell<u64>,
    pub warnings: Rc<RefCell<Vec<String>>>,
}

impl Host for TestHost {
    type Storage = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        Moment::from_millis(self.clock.get())
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    fn warn(&self, message: &str) {
        self.warnings.borrow_mut().push(message.to_owned());
    }

    fn random(&self) -> u64 {
        let next = self
            .random
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.random.set(next);
        next
    }
}

/// One scripted answer of the model.
pub enum Answer {
    /// This text.
    Text(String),
    /// This text, cut off by the token limit.
    Cut(String),
    /// These tool calls, with `{memory:…}` and `{fact:…}` replaced by the labels shown for them.
    Calls(Vec<(&'static str, String)>),
    /// A refusal.
    Refusal,
    /// A failure.
    Error(ModelError),
}

/// A model that gives scripted answers, in order, and keeps what it was asked.
#[derive(Default)]
pub struct Script {
    pub answers: RefCell<VecDeque<Answer>>,
    pub asked: RefCell<Vec<ChatRequest>>,
    /// What each answer says that it cost.
    pub tokens: Cell<Option<Tokens>>,
}

impl Script {
    pub fn then(&self, answer: Answer) {
        self.answers.borrow_mut().push_back(answer);
    }

    pub fn calls(&self) -> usize {
        self.asked.borrow().len()
    }
}

impl ChatModel for Script {
    fn name(&self) -> &str {
        "scripted model"
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        self.asked.borrow_mut().push(request.clone());
        let answer = self.answers.borrow_mut().pop_front();
        let shape = match &request.output {
            Output::Text => "text",
            Output::Json { name, .. } => name,
            Output::Tools(_) => "tools",
        };
        let answer = answer.unwrap_or_else(|| panic!("the script has no answer for: {shape}"));
        let reply = |content: String, finish| ChatReply {
            content,
            tool_calls: Vec::new(),
            finish,
            tokens: self.tokens.get(),
        };
        let result = match answer {
            Answer::Text(text) => Ok(reply(text, Finish::Done)),
            Answer::Cut(text) => Ok(reply(text, Finish::Length)),
            Answer::Refusal => Ok(reply("I can't help with that.".into(), Finish::Refused)),
            Answer::Error(error) => Err(error),
            Answer::Calls(calls) => {
                let Some(Turn::User(prompt)) = request.turns.first() else {
                    panic!("no prompt")
                };
                let calls = calls.into_iter().map(|(name, arguments)| ToolCall {
                    name: name.to_owned(),
                    arguments: with_labels(prompt, &arguments),
                });
                Ok(ChatReply {
                    tool_calls: calls.collect(),
                    ..reply(String::new(), Finish::Done)
                })
            }
        };
        Box::pin(ready(result))
    }
}

/// Replaces `{memory:text}` and `{fact:text}` by the number of the line that contains the text.
fn with_labels(prompt: &str, arguments: &str) -> String {
    let (memories, facts) = prompt.split_once("## New facts").expect("an update prompt");
    let mut filled = arguments.to_owned();
    for (mark, section) in [("{memory:", memories), ("{fact:", facts)] {
        while let Some(start) = filled.find(mark) {
            let end = start + filled[start..].find('}').expect("a closing brace");
            let wanted = filled[start + mark.len()..end].to_owned();
            let line = section.lines().find(|line| line.contains(&wanted));
            let line = line.unwrap_or_else(|| panic!("'{wanted}' is not shown in:\n{prompt}"));
            let label = line
                .trim_start_matches('[')
                .split(']')
                .next()
                .unwrap()
                .to_owned();
            filled.replace_range(start..=end, &label);
        }
    }
    filled
}

pub struct Fixture {
    pub space: Rc<Space<TestHost>>,
    pub script: Rc<Script>,
    pub storage: Rc<MemoryStorage>,
    pub clock: Rc<Cell<i64>>,
    pub warnings: Rc<RefCell<Vec<String>>>,
    /// What the space is opened with.
    pub settings: Settings,
    pub reranker: Option<Rc<dyn Reranker>>,
    pub files: Option<Rc<Files>>,
    owner: Owner,
    chat: Option<Rc<dyn ChatModel>>,
}

pub fn embedder() -> StaticEmbedder {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/builtin.bin");
    StaticEmbedder::from_bytes(std::fs::read(path).unwrap()).unwrap()
}

impl Fixture {
    /// The space of user `alice`, with a scripted model.
    pub fn new() -> Self {
        Self::open(true, Owner::new(OwnerKind::User, "alice"))
    }

    pub fn without_model() -> Self {
        Self::open(false, Owner::new(OwnerKind::User, "alice"))
    }

    pub fn of(owner: Owner) -> Self {
        Self::open(true, owner)
    }

    /// The space of user `alice`, with another model than the script.
    pub fn with_chat(chat: Rc<dyn ChatModel>) -> Self {
        let mut fixture = Self::without_model();
        fixture.chat = Some(chat);
        fixture.reopen();
        fixture
    }

    fn open(with_model: bool, owner: Owner) -> Self {
        let storage = Rc::new(MemoryStorage::new());
        let clock = Rc::new(Cell::new(1_767_225_600_000));
        let script = Rc::new(Script::default());
        let warnings = Rc::default();
        let settings = Settings::default();
        let chat = with_model.then(|| Rc::clone(&script) as Rc<dyn ChatModel>);
        let space = open(
            &storage,
            &clock,
            chat.clone(),
            &owner,
            &warnings,
            settings,
            None,
            None,
        );
        Self {
            space,
            script,
            storage,
            clock,
            warnings,
            settings,
            reranker: None,
            files: None,
            owner,
            chat,
        }
    }

    /// An empty space of these settings, without a model.
    pub fn with_settings(settings: Settings) -> Self {
        let mut fixture = Self::without_model();
        fixture.settings = settings;
        fixture.reopen();
        fixture
    }

    /// The same storage, opened anew: what a restart finds.
    pub fn reopen(&mut self) {
        self.space = open(
            &self.storage,
            &self.clock,
            self.chat.clone(),
            &self.owner,
            &self.warnings,
            self.settings,
            self.reranker.clone(),
            self.files.clone(),
        );
    }

    pub fn scope(&self) -> Scope {
        let mut scope = Scope::default();
        scope.set(self.owner.kind, self.owner.id.clone());
        scope
    }

    pub fn try_apply(&self, operation: Operation) -> Result<Reply, SpaceError> {
        block_on(self.space.apply(operation))
    }

    pub fn apply(&self, operation: Operation) -> Reply {
        self.try_apply(operation).unwrap()
    }

    pub fn add_of(&self, text: &str) -> Add {
        Add {
            scope: self.scope(),
            messages: vec![Message::user(text)],
            infer: true,
            ..Add::default()
        }
    }

    /// Adds, runs the job, and answers the event.
    pub fn add(&self, add: Add) -> Event {
        let event = self.accept(add);
        self.run(event.id)
    }

    pub fn say(&self, text: &str) -> Event {
        self.add(self.add_of(text))
    }

    pub fn accept(&self, add: Add) -> Event {
        match self.apply(Operation::Add(Box::new(add))) {
            Reply::Event(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    pub fn run(&self, id: Id) -> Event {
        self.apply(Operation::RunJobs { event: Some(id) });
        self.event(id)
    }

    pub fn run_due(&self) {
        self.apply(Operation::RunJobs { event: None });
    }

    pub fn event(&self, id: Id) -> Event {
        match self.apply(Operation::Event { id }) {
            Reply::Event(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    pub fn memories(&self) -> Vec<Memory> {
        match self.apply(Operation::List(List::default())) {
            Reply::Page { memories, .. } => memories,
            other => panic!("{other:?}"),
        }
    }

    /// The texts of the listed memories, sorted.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self
            .memories()
            .iter()
            .map(|m| m.text().to_owned())
            .collect();
        texts.sort();
        texts
    }

    /// Every verbatim message that is kept, in order.
    pub fn transcript(&self) -> Vec<String> {
        let list = List {
            transcript: true,
            ..List::default()
        };
        match self.apply(Operation::List(list)) {
            Reply::Page { memories, .. } => {
                let mut messages: Vec<_> = memories.iter().filter_map(Memory::message).collect();
                messages.reverse();
                messages
                    .into_iter()
                    .map(|message| message.content)
                    .collect()
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn search(&self, query: &str) -> Vec<Hit> {
        let search = Search {
            query: query.to_owned(),
            ..Search::default()
        };
        match self.apply(Operation::Search(search)) {
            Reply::Hits(hits) => hits,
            other => panic!("{other:?}"),
        }
    }

    pub fn later(&self, ms: i64) {
        self.clock.set(self.clock.get() + ms);
    }
}

#[allow(clippy::too_many_arguments)]
fn open(
    storage: &Rc<MemoryStorage>,
    clock: &Rc<Cell<i64>>,
    chat: Option<Rc<dyn ChatModel>>,
    owner: &Owner,
    warnings: &Rc<RefCell<Vec<String>>>,
    settings: Settings,
    reranker: Option<Rc<dyn Reranker>>,
    files: Option<Rc<Files>>,
) -> Rc<Space<TestHost>> {
    let host = TestHost {
        settings,
        storage: Rc::clone(storage),
        clock: Rc::clone(clock),
        random: Cell::new(7),
        warnings: Rc::clone(warnings),
    };
    let models = Models {
        chat,
        embedder: Rc::new(embedder()),
        reranker,
        files,
    };
    Rc::new(block_on(Space::open(host, models, owner.space_hash())).unwrap())
}

/// An extraction reply with facts of only a text.
pub fn facts(texts: &[&str]) -> Answer {
    let facts: Vec<_> = texts
        .iter()
        .map(|text| serde_json::json!({"text": text}))
        .collect();
    Answer::Text(serde_json::json!({"facts": facts}).to_string())
}

pub fn is_done(event: &Event) -> bool {
    event.status == EventStatus::Succeeded
}

/// Every stored record, as text.
pub fn everything_stored(storage: &MemoryStorage) -> String {
    let mut all = String::new();
    for table in Table::ALL {
        let entries = block_on(storage.scan(table, std::ops::Bound::Unbounded, 10_000)).unwrap();
        for (key, record) in entries {
            all.push_str(&format!(
                "{table:?} {key} {}\n",
                String::from_utf8_lossy(&record)
            ));
        }
    }
    all
}
