//! The Durable Object of one space: its storage, its memory, its alarm.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::rc::{Rc, Weak};

use edgemem::api::{
    Left, Order, Project, USER_LIMIT_VARIABLE, Window, problem_response, read_limit,
};
use edgemem::directory::{Answer, Ask};
use edgemem::memory::{Moment, Problem, SpaceHash};
use edgemem::operation::{Operation, Reply};
use edgemem::space::{Host, Settings, Space, SpaceError};
use edgemem::store::records::{SpaceRecord, decode};
use edgemem::store::{SPACE_KEY, Storage, Table};
use futures_util::lock::Mutex;
use worker::{
    Date, DurableObject, Env, Request, Response, Result, State, console_error, console_warn,
    durable_object, js_sys,
};

use crate::ask::{PROJECT, REPLY, Wire};
use crate::directory::{ask_directory, has_directory};
use crate::failure::{caught, internal};
use crate::http::to_response;
use crate::models::{models, settings, variable};
use crate::storage::SqliteStorage;

/// Notices that the directory is told at a time.
const NOTICES_AT_ONCE: usize = 200;

/// The time between two reports of a space, in milliseconds, and after one that failed.
const BETWEEN_REPORTS_MS: i64 = 1_000;
const AFTER_A_FAILURE_MS: i64 = 30_000;

/// Where an object keeps the name of its project, beside the space's tables.
const PROJECT_KEY: &str = "project";

/// A space, loaded, and the storage under it.
struct Loaded {
    space: Space<WorkerHost>,
    storage: Rc<SqliteStorage>,
    /// Whether a model extracts facts.
    extracts: bool,
}

/// Where an object keeps its space once it is loaded.
type Slot = Mutex<Option<Rc<Loaded>>>;

thread_local! {
    /// The slots of this module's objects, by object id. An object that the runtime evicted is dropped when
    /// JavaScript collects it, which may be late: its successor takes its space out of memory before it loads
    /// its own.
    static SLOTS: RefCell<HashMap<String, Weak<Slot>>> = RefCell::default();
}

/// The Durable Object of one space.
#[durable_object(alarm)]
pub struct SpaceObject {
    state: State,
    env: Env,
    loaded: AssertUnwindSafe<Rc<Slot>>,
    /// When the alarm is known to ring.
    alarm: AssertUnwindSafe<Cell<Option<Moment>>>,
    /// The project that this is a space of, once it is known, and whether it is stored.
    project: AssertUnwindSafe<RefCell<Option<Project>>>,
    stored_project: AssertUnwindSafe<Cell<bool>>,
    /// When the directory may be told next: what happens meanwhile is told at once.
    tell_after: AssertUnwindSafe<Cell<Moment>>,
    /// The requests of this minute.
    window: AssertUnwindSafe<Cell<Window>>,
}

impl DurableObject for SpaceObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            loaded: AssertUnwindSafe(Rc::new(Mutex::new(None))),
            alarm: AssertUnwindSafe(Cell::new(None)),
            project: AssertUnwindSafe(RefCell::default()),
            stored_project: AssertUnwindSafe(Cell::new(false)),
            tell_after: AssertUnwindSafe(Cell::new(Moment::from_millis(0))),
            window: AssertUnwindSafe(Cell::default()),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (space, order) = match self.read(&mut request).await {
            Ok(read) => read,
            Err(problem) => return to_response(problem_response(&problem)),
        };
        let left = self.count(&order);
        let reply = match left
            .clone()
            .and_then(|left| left.map_or(Ok(()), |left| left.check()))
        {
            Ok(()) => self.apply(space, order.operation.clone()).await,
            Err(problem) => Err(problem),
        };
        let mut answer = match order.answer(reply) {
            Ok(answer) => answer,
            Err(reply) => match serde_json::to_vec(&reply) {
                Ok(body) => {
                    let mut answer = http::Response::new(body);
                    let mark = http::HeaderValue::from_static("1");
                    answer.headers_mut().insert(REPLY, mark);
                    answer
                }
                Err(error) => problem_response(&internal(&error.to_string())),
            },
        };
        if let Ok(Some(left)) = left {
            answer.headers_mut().extend(left.headers());
        }
        to_response(answer)
    }

    /// Runs the jobs that are due. An error makes the runtime ring again, later and later.
    async fn alarm(&self) -> Result<Response> {
        self.alarm.set(None);
        let run = async {
            match self.stored_hash().await? {
                Some(hash) => self
                    .apply(hash, Operation::RunJobs { event: None })
                    .await
                    .map(drop),
                None => Ok(()),
            }
        };
        let ran = run.await;
        if let Err(problem) = self.tell().await {
            console_warn!(
                "the directory was not told, and will be: {}",
                problem.message
            );
        }
        match ran {
            Ok(()) => Response::empty(),
            Err(problem) => Err(problem.message.into()),
        }
    }
}

impl SpaceObject {
    /// Counts a request of a client, where there is a limit.
    fn count(&self, order: &Order) -> std::result::Result<Option<Left>, Problem> {
        if !order.is_counted {
            return Ok(None);
        }
        let limit = read_limit(variable(&self.env, USER_LIMIT_VARIABLE).as_deref());
        let limit = limit.map_err(|error| Problem::new(500, "bad_configuration", error))?;
        Ok(limit.map(|limit| {
            let mut window = self.window.get();
            let left = window.take(limit, moment_now());
            self.window.set(window);
            left
        }))
    }

    async fn read(
        &self,
        request: &mut Request,
    ) -> std::result::Result<(SpaceHash, Order), Problem> {
        let path = request.path();
        let hash = path.trim_start_matches('/').parse();
        let hash = hash.map_err(|_| internal("the object's URL names no space"))?;
        if let Ok(Some(id)) = request.headers().get(PROJECT) {
            self.project.replace(Some(Project { id }));
        }
        // The gateway has limited what it sends.
        let body = request.bytes().await;
        let body = body.map_err(|error| internal(&error.to_string()))?;
        let order = serde_json::from_slice(&body)
            .map_err(|error| internal(&format!("an order cannot be read: {error}")))?;
        Ok((hash, order))
    }

    /// Does what is asked, and sets the alarm for the jobs that are left.
    async fn apply(&self, hash: SpaceHash, operation: Operation) -> Wire {
        let loaded = self.open(hash).await?;
        if let Operation::RunJobs { event } = &operation
            && loaded.extracts
            && (event.is_some()
                || loaded
                    .space
                    .next_due()
                    .is_some_and(|due| due <= moment_now()))
        {
            self.learn_settings(&loaded).await;
        }
        let outcome = match caught(loaded.space.apply(operation)).await {
            Ok(outcome) => outcome,
            Err(problem) => {
                // What the panic left half done in memory is not to be trusted: load it anew, and let
                // nobody who still works on it store anything.
                loaded.storage.retire();
                *self.loaded.lock().await = None;
                return Err(problem);
            }
        };
        let due = self.due(&loaded);
        if due.is_some() {
            self.store_project().await?;
        }
        self.set_alarm(due).await?;
        outcome.map_err(|error| shown(&error))
    }

    /// When the alarm is to ring: for jobs, or to tell the directory.
    fn due(&self, loaded: &Loaded) -> Option<Moment> {
        let untold = loaded.space.untold_since();
        let tell = untold.map(|since| since.max(self.tell_after.get()));
        loaded.space.next_due().into_iter().chain(tell).min()
    }

    /// The project that this is a space of, as a request named it, or one before an alarm that woke the object:
    /// an alarm does not say the object's name.
    async fn project(&self) -> std::result::Result<Option<Project>, Problem> {
        if self.project.borrow().is_none() {
            let stored = self.state.storage().get::<String>(PROJECT_KEY).await;
            let stored = stored.map_err(|error| internal(&error.to_string()))?;
            if let Some(id) = stored {
                self.stored_project.set(true);
                self.project.replace(Some(Project { id }));
            }
        }
        Ok(self.project.borrow().clone())
    }

    /// Stores the name of the project for alarms.
    async fn store_project(&self) -> std::result::Result<(), Problem> {
        if self.stored_project.get() {
            return Ok(());
        }
        if let Some(Project { id }) = self.project().await? {
            let stored = self.state.storage().put(PROJECT_KEY, id).await;
            stored.map_err(|error| internal(&error.to_string()))?;
            self.stored_project.set(true);
        }
        Ok(())
    }

    /// Tells the directory what it does not know yet. When that fails, it is tried again later.
    async fn tell(&self) -> std::result::Result<(), Problem> {
        let Some(loaded) = self.loaded.lock().await.clone() else {
            return Ok(());
        };
        let Some(project) = self.project().await? else {
            return Ok(());
        };
        let told = async {
            while let Some(since) = loaded.space.untold_since() {
                if since.max(self.tell_after.get()) > moment_now() {
                    break;
                }
                let asked = Operation::Notices {
                    limit: NOTICES_AT_ONCE,
                };
                let Reply::Notices(report) = self.asked(&loaded, asked).await? else {
                    return Err(internal("a space did not give its notices"));
                };
                let upto = report.notices.last().map(|notice| notice.id);
                let more = report.more;
                let space = match &report.owner {
                    Some(owner) => owner.space_hash(),
                    None => break,
                };
                ask_directory(&self.env, &project, &Ask::Report { space, report }).await?;
                self.asked(&loaded, Operation::Noticed { upto }).await?;
                if !more {
                    self.tell_after
                        .set(moment_now().plus_millis(BETWEEN_REPORTS_MS));
                }
            }
            Ok(())
        };
        let told = told.await;
        if told.is_err() {
            self.tell_after
                .set(moment_now().plus_millis(AFTER_A_FAILURE_MS));
        }
        self.set_alarm(self.due(&loaded)).await?;
        told
    }

    async fn asked(&self, loaded: &Loaded, operation: Operation) -> Wire {
        let outcome = caught(loaded.space.apply(operation)).await?;
        outcome.map_err(|error| shown(&error))
    }

    /// Asks the directory what the project wants extracted; when it does not answer, what was known holds.
    async fn learn_settings(&self, loaded: &Loaded) {
        let project = match self.project().await {
            Ok(Some(project)) => project,
            Ok(None) => return,
            Err(problem) => {
                console_warn!("the space's project is not known: {}", problem.message);
                return;
            }
        };
        match ask_directory(&self.env, &project, &Ask::Settings).await {
            Ok(Answer::Settings(settings)) => loaded.space.set_project(*settings),
            Ok(_) => console_warn!("the directory answered what was not asked"),
            Err(problem) => {
                console_warn!("the project's settings are not known: {}", problem.message)
            }
        }
    }

    /// The space, loaded when nobody asked before.
    async fn open(&self, hash: SpaceHash) -> std::result::Result<Rc<Loaded>, Problem> {
        let mut slot = self.loaded.lock().await;
        if let Some(loaded) = &*slot {
            return Ok(loaded.clone());
        }
        self.forget_predecessor();
        let models = models(&self.env).await?;
        let extracts = models.chat.is_some();
        let storage = Rc::new(SqliteStorage::new(&self.state));
        let host = WorkerHost {
            settings: Settings {
                notices: has_directory(&self.env),
                ..settings(&self.env)?
            },
            storage: storage.clone(),
        };
        let opened = caught(Space::open(host, models, hash)).await?;
        let space = opened.map_err(|error| shown(&error))?;
        let loaded = Loaded {
            space,
            storage,
            extracts,
        };
        Ok(slot.insert(Rc::new(loaded)).clone())
    }

    /// Drops the space of an evicted object of the same id, unless it is still at work.
    fn forget_predecessor(&self) {
        let own = Rc::downgrade(&self.loaded);
        let before = SLOTS.with_borrow_mut(|slots| {
            slots.retain(|_, slot| slot.strong_count() > 0);
            slots.insert(self.state.id().to_string(), own)
        });
        let before = before.and_then(|slot| slot.upgrade());
        if let Some(before) = before.filter(|slot| !Rc::ptr_eq(slot, &self.loaded))
            && let Some(mut slot) = before.try_lock()
            && let Some(loaded) = slot.take()
        {
            loaded.storage.retire();
        }
    }

    /// The hash of the space that is stored here: an alarm does not say it.
    async fn stored_hash(&self) -> std::result::Result<Option<SpaceHash>, Problem> {
        let storage = SqliteStorage::new(&self.state);
        let stored = storage.get(Table::Space, SPACE_KEY).await;
        let stored = stored.map_err(|error| shown(&error.into()))?;
        let record: Option<SpaceRecord> = stored
            .map(|bytes| decode(Table::Space, SPACE_KEY, &bytes))
            .transpose()
            .map_err(|error| shown(&error.into()))?;
        Ok(record.map(|record| record.owner.space_hash()))
    }

    /// The alarm and the job it is for reach the disk together: nothing was awaited in between. An
    /// alarm that is no longer needed may ring: it finds nothing to do.
    async fn set_alarm(&self, due: Option<Moment>) -> std::result::Result<(), Problem> {
        if due == self.alarm.get() {
            return Ok(());
        }
        if let Some(due) = due {
            let at = due.as_millis().max(moment_now().as_millis());
            let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64));
            let storage = self.state.storage();
            let set = storage.set_alarm(worker::ScheduledTime::new(date)).await;
            set.map_err(|error| internal(&error.to_string()))?;
        }
        self.alarm.set(due);
        Ok(())
    }
}

/// An error for the client; what is wrong with the server goes to its log as well.
fn shown(error: &SpaceError) -> Problem {
    let problem = error.problem();
    if problem.status >= 500 {
        console_error!("{}: {error}", problem.code);
    }
    problem
}

/// The module's memory: WebAssembly never gives any back.
fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size::<0>() << 16
}

/// The time.
pub fn moment_now() -> Moment {
    Moment::from_millis(i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX))
}

/// What a Durable Object supplies to its space.
struct WorkerHost {
    settings: Settings,
    storage: Rc<SqliteStorage>,
}

impl Host for WorkerHost {
    type Storage = SqliteStorage;

    fn storage(&self) -> &SqliteStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        moment_now()
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    fn memory(&self) -> Option<usize> {
        Some(memory_bytes())
    }

    fn warn(&self, message: &str) {
        console_warn!("{message}");
    }

    fn random(&self) -> u64 {
        let half = || (js_sys::Math::random() * 4_294_967_296.0) as u64;
        (half() << 32) | half()
    }
}
