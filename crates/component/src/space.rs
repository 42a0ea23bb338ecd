//! The resource `space`: one owner's memory, its calls and their end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use edgemem::memory::{Problem, Scope, SpaceHash};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::model::{ChatModel, Embedder};
use edgemem::operation::{Operation, Reply};
use edgemem::space::{Models, Settings, Space, SpaceError};
use futures_util::future::{AbortHandle, Abortable};
use futures_util::lock::Mutex;

use crate::ask::{self, Unreadable};
use crate::bindings::edgemem::memory::types;
use crate::bindings::exports::edgemem::memory::memory as wit;
use crate::host::{ComponentHost, HostChat, HostEmbedder};
use crate::limit::Limit;
use crate::storage::HostStorage;

/// The longest call of the host unless it says otherwise, in milliseconds.
const TIME_LIMIT: u64 = 60_000;

/// A space as it is in memory, and the storage under it.
struct Loaded {
    space: Space<ComponentHost>,
    storage: Rc<HostStorage>,
}

/// One owner's memory, open.
pub struct OpenSpace {
    owner: Scope,
    hash: SpaceHash,
    models: Models,
    settings: Settings,
    limit: Limit,
    /// What was read from storage; `None` when it must be read again.
    loaded: RefCell<Option<Rc<Loaded>>>,
    /// Two who ask at the same time read it once.
    loading: Mutex<()>,
    /// The calls that are under way, by their numbers.
    calls: RefCell<BTreeMap<u64, AbortHandle>>,
    last_call: Cell<u64>,
}

impl OpenSpace {
    fn new(owner: types::Scope, options: wit::Options) -> Result<Self, wit::Error> {
        let owner = Scope::from(owner);
        let hash = owner.owner().map_err(|error| shown(&error.into()))?;
        let limit = Limit {
            millis: options.time_limit.unwrap_or(TIME_LIMIT),
        };
        let defaults = Settings::default();
        Ok(Self {
            hash: hash.space_hash(),
            owner,
            models: models(options.chat, options.embedder, limit)?,
            settings: Settings {
                budget: options.megabytes.map_or(defaults.budget, |size| {
                    (size as usize).saturating_mul(1 << 20)
                }),
                ..defaults
            },
            limit,
            loaded: RefCell::default(),
            loading: Mutex::new(()),
            calls: RefCell::default(),
            last_call: Cell::new(0),
        })
    }

    /// The space, read from storage when it has to be.
    async fn load(&self) -> Result<Rc<Loaded>, SpaceError> {
        let _turn = self.loading.lock().await;
        let known = self.loaded.borrow().clone();
        if let Some(loaded) = known.filter(|loaded| !loaded.storage.is_retired()) {
            return Ok(loaded);
        }
        let storage = HostStorage::open(self.hash.to_string(), self.limit).await?;
        let storage = Rc::new(storage);
        let host = ComponentHost {
            storage: storage.clone(),
            settings: self.settings,
        };
        let space = Space::open(host, self.models.clone(), self.hash).await?;
        let loaded = Rc::new(Loaded { space, storage });
        *self.loaded.borrow_mut() = Some(loaded.clone());
        Ok(loaded)
    }

    /// Makes a call that `cancel` can end.
    async fn call<T>(
        &self,
        work: impl AsyncFnOnce(&Space<ComponentHost>) -> Result<T, SpaceError>,
    ) -> Result<T, wit::Error> {
        let (handle, registration) = AbortHandle::new_pair();
        let number = self.last_call.get().wrapping_add(1);
        self.last_call.set(number);
        self.calls.borrow_mut().insert(number, handle);
        let _call = Call {
            space: self,
            number,
        };
        let work = async {
            let loaded = self.load().await?;
            // Cut off in the middle, a call leaves the space in memory in a state that nobody planned.
            let unfinished = Unfinished(&loaded.storage);
            let answer = work(&loaded.space).await;
            std::mem::forget(unfinished);
            answer
        };
        match Abortable::new(work, registration).await {
            Ok(answer) => answer.map_err(|error| shown(&error)),
            Err(_) => Err(wit::Error::Cancelled),
        }
    }

    async fn ask(&self, operation: Operation) -> Result<Reply, wit::Error> {
        self.call(async |space| space.apply(operation).await).await
    }
}

/// A call that is under way.
struct Call<'a> {
    space: &'a OpenSpace,
    number: u64,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.space.calls.borrow_mut().remove(&self.number);
    }
}

/// A call that is not at its end.
struct Unfinished<'a>(&'a HostStorage);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.retire();
    }
}

impl wit::GuestSpace for OpenSpace {
    async fn open(owner: types::Scope, options: wit::Options) -> Result<wit::Space, wit::Error> {
        let space = Self::new(owner, options)?;
        space.call(async |_| Ok(())).await?;
        Ok(wit::Space::new(space))
    }

    async fn remember(&self, messages: Vec<types::Message>) -> Result<wit::Event, wit::Error> {
        let add = ask::plain(&self.owner, messages);
        let event = self
            .call(async |space| {
                let Reply::Event(event) = space.apply(Operation::Add(Box::new(add))).await? else {
                    return Err(SpaceError::NoMessages);
                };
                let id = event.id;
                space.apply(Operation::RunJobs { event: Some(id) }).await?;
                match space.apply(Operation::Event { id }).await? {
                    Reply::Event(event) => Ok(*event),
                    _ => Err(SpaceError::NoSuchEvent(id)),
                }
            })
            .await?;
        Ok(event.into())
    }

    async fn recall(&self, query: String, top_k: u32) -> Result<Vec<wit::Hit>, wit::Error> {
        match self.ask(ask::question(query, top_k)).await? {
            Reply::Hits(hits) => Ok(hits.into_iter().map(wit::Hit::from).collect()),
            _ => Ok(Vec::new()),
        }
    }

    async fn apply(&self, operation: wit::Operation) -> Result<wit::Reply, wit::Error> {
        let operation = ask::read(&self.owner, operation).map_err(invalid)?;
        let reply = self.ask(operation).await?;
        reply.try_into().map_err(|error| shown(&error))
    }

    fn next_due(&self) -> Option<types::Moment> {
        let loaded = self.loaded.borrow();
        let due = loaded.as_ref().and_then(|loaded| loaded.space.next_due());
        due.map(|at| at.as_millis())
    }

    fn cancel(&self) {
        let calls = self.calls.borrow();
        calls.values().for_each(AbortHandle::abort);
    }

    async fn digest(&self) -> Result<String, wit::Error> {
        match self.ask(Operation::Stats { digest: true }).await? {
            Reply::Stats(stats) => Ok(stats.digest.unwrap_or_default()),
            _ => Ok(String::new()),
        }
    }
}

fn models(
    chat: Option<String>,
    embedder: wit::Embedder,
    limit: Limit,
) -> Result<Models, wit::Error> {
    let embedder: Rc<dyn Embedder> = match embedder {
        wit::Embedder::Builtin(table) => Rc::new(
            StaticEmbedder::from_bytes(table)
                .map_err(|error| wit::Error::Invalid(problem("bad_embedder", error.to_string())))?,
        ),
        wit::Embedder::Host(name) => Rc::new(HostEmbedder { name, limit }),
    };
    let chat = chat.map(|name| Rc::new(HostChat { name, limit }) as Rc<dyn ChatModel>);
    Ok(Models {
        chat,
        embedder,
        reranker: None,
        files: None,
    })
}

/// An error as the world has it: its kind, with the code and the sentence of the HTTP API.
fn shown(error: &SpaceError) -> wit::Error {
    let Problem { code, message, .. } = error.problem();
    let problem = types::Problem { code, message };
    match error {
        SpaceError::NoSuchMemory(_)
        | SpaceError::NoSuchEntity(_)
        | SpaceError::NoSuchContradiction(_)
        | SpaceError::NoSuchEvent(_)
        | SpaceError::NoSuchExport
        | SpaceError::NothingToExport => wit::Error::NotFound(problem),
        SpaceError::BadCorrection(_)
        | SpaceError::WrongSpace
        | SpaceError::Scope(_)
        | SpaceError::NoMessages
        | SpaceError::EmptyQuery
        | SpaceError::OutOfRange { .. }
        | SpaceError::BadSchema
        | SpaceError::BadShape { .. }
        | SpaceError::NotServed
        | SpaceError::EmptyText => wit::Error::Invalid(problem),
        SpaceError::Immutable(_) => wit::Error::Conflict(problem),
        SpaceError::Full { .. } => wit::Error::Full(problem),
        SpaceError::Model(_)
        | SpaceError::File(_)
        | SpaceError::Vector(_)
        | SpaceError::OverBudget { .. } => wit::Error::Model(problem),
        SpaceError::Storage(_) => wit::Error::Storage(problem),
        SpaceError::Record(_) => wit::Error::Damaged(problem),
    }
}

fn invalid(error: Unreadable) -> wit::Error {
    wit::Error::Invalid(problem("unreadable_request", error.to_string()))
}

fn problem(code: &str, message: String) -> types::Problem {
    types::Problem {
        code: code.to_owned(),
        message,
    }
}
