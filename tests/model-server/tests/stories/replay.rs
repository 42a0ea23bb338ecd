//! A real space, whose language model is replaced by the replies that a story brings.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edgemem::memory::{Moment, Owner, OwnerKind, Scope};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::model::{
    ChatModel, ChatReply, ChatRequest, Finish, ModelError, Output, ToolCall, Turn,
};
use edgemem::operation::{Operation, Reply};
use edgemem::space::{Host, Models, Space, SpaceError};
use edgemem::store::MemoryStorage;
use futures_executor::block_on;
use futures_util::future::{LocalBoxFuture, ready};
use model_server::cassette::{Entry, Library, Miss};
use model_server::prompt::{Question, Task};
use model_server::reply;

/// A host whose clock is the story's.
struct StoryHost {
    storage: MemoryStorage,
    clock: Rc<Cell<Moment>>,
    random: Cell<u64>,
}

impl Host for StoryHost {
    type Storage = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        self.clock.get()
    }

    fn random(&self) -> u64 {
        let next = self.random.get().wrapping_mul(6_364_136_223_846_793_005);
        self.random.set(next.wrapping_add(1));
        self.random.get()
    }
}

/// Gives the replies of the session that is on.
#[derive(Default)]
struct Replayer {
    library: RefCell<Library>,
    asked: RefCell<Vec<Task>>,
}

impl Replayer {
    fn answer(&self, request: &ChatRequest) -> Result<ChatReply, ModelError> {
        let task = match &request.output {
            Output::Json { .. } => Task::Extract,
            Output::Tools(_) => Task::Update,
            Output::Text => Task::Summary,
        };
        self.asked.borrow_mut().push(task);
        let said = |content: String, tool_calls| ChatReply {
            content,
            tool_calls,
            finish: Finish::Done,
            tokens: None,
        };
        let Some(Turn::User(prompt)) = request.turns.first() else {
            return Err(self.refused("no prompt".into()));
        };
        let question = Question {
            task,
            model: self.name().to_owned(),
            prompt: prompt.clone(),
            tools: Vec::new(),
            shows: Vec::new(),
            turns: String::new(),
        };
        let answer = self.library.borrow().answer(&question);
        let explained = |miss| match miss {
            Miss::NoEntry => format!("no reply to the {} call", task.as_str()),
            Miss::NoLabel { kind, text } => {
                format!(
                    "the {} call was not shown the {kind} '{text}'",
                    task.as_str()
                )
            }
        };
        if task == Task::Summary && answer.is_err() {
            return Ok(said("A summary; no story looks at it.".into(), Vec::new()));
        }
        match answer.map_err(|miss| self.refused(explained(miss)))? {
            reply::Reply::Json(value) => Ok(said(value.to_string(), Vec::new())),
            reply::Reply::Text(text) => Ok(said(text, Vec::new())),
            reply::Reply::Calls(calls) => {
                let calls = calls.into_iter().map(|call| ToolCall {
                    name: call.name,
                    arguments: serde_json::Value::Object(call.arguments).to_string(),
                });
                Ok(said(String::new(), calls.collect()))
            }
        }
    }

    fn refused(&self, reason: String) -> ModelError {
        ModelError::Rejected {
            model: self.name().to_owned(),
            status: 404,
            reason,
        }
    }
}

impl ChatModel for Replayer {
    fn name(&self) -> &str {
        "replayed"
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        Box::pin(ready(self.answer(request)))
    }
}

/// The space of one story.
pub struct Stage {
    space: Space<StoryHost>,
    clock: Rc<Cell<Moment>>,
    replayer: Rc<Replayer>,
    pub scope: Scope,
}

impl Stage {
    /// An empty space. The builtin embedder is the one that edgemem ships.
    pub fn new(embedder: &Rc<StaticEmbedder>) -> Self {
        let owner = Owner::new(OwnerKind::User, "storyteller");
        let clock = Rc::new(Cell::new(Moment::from_seconds(0)));
        let replayer = Rc::new(Replayer::default());
        let host = StoryHost {
            storage: MemoryStorage::new(),
            clock: Rc::clone(&clock),
            random: Cell::new(7),
        };
        let models = Models {
            chat: Some(Rc::clone(&replayer) as Rc<dyn ChatModel>),
            embedder: Rc::clone(embedder) as _,
            reranker: None,
            files: None,
        };
        let mut scope = Scope::default();
        scope.set(owner.kind, owner.id.clone());
        Self {
            space: block_on(Space::open(host, models, owner.space_hash())).expect("a space"),
            clock,
            replayer,
            scope,
        }
    }

    pub fn set_time(&self, time: Moment) {
        self.clock.set(time);
    }

    /// Has the model say this from now on.
    pub fn replay(&self, entries: &[Entry]) {
        self.replayer.asked.borrow_mut().clear();
        self.replayer.library.borrow_mut().entries = entries.to_vec();
    }

    /// Whether the model was asked this since [`Stage::replay`].
    pub fn was_asked(&self, task: Task) -> bool {
        self.replayer.asked.borrow().contains(&task)
    }

    pub fn apply(&self, operation: Operation) -> Result<Reply, SpaceError> {
        block_on(self.space.apply(operation))
    }

    /// The hash of what the space has stored.
    #[allow(dead_code, reason = "no story asks for it")]
    pub fn digest(&self) -> String {
        match self.apply(Operation::Stats { digest: true }) {
            Ok(Reply::Stats(stats)) => stats.digest.expect("a digest"),
            other => panic!("{other:?}"),
        }
    }
}
