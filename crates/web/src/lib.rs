//! edgemem in a page, in a worker of a page, or in Node: the engine under the npm package.
//!
//! It answers the requests of the HTTP API, by [`Local`], for the spaces of one program; what it needs comes
//! from JavaScript through a `Host`: storage, the network, time and randomness. The class that people use, and
//! what happens between the tabs of a browser, is TypeScript (`npm/src`).

mod config;
mod host;
mod http;
mod storage;
mod tasks;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use edgemem::api::Local;
use edgemem::memory::{Moment, Problem, SpaceHash};
use edgemem::operation::{Operation, Reply};
use edgemem::space::{Models, Settings, Space, SpaceError};
use futures_util::lock::Mutex;
use wasm_bindgen::prelude::*;

use crate::config::Config;
use crate::host::{Host, WebHost};
use crate::storage::JsStorage;

/// Where a space is kept once it is loaded. Two who ask at the same time load it once.
type Slot = Mutex<Option<Rc<Space<WebHost>>>>;

/// The spaces of one program.
#[wasm_bindgen]
pub struct Engine(Rc<Spaces>);

/// What an engine holds.
struct Spaces {
    host: Rc<Host>,
    models: Models,
    settings: Settings,
    slots: RefCell<HashMap<SpaceHash, Rc<Slot>>>,
}

#[wasm_bindgen]
impl Engine {
    /// An engine on a host. `config` is JSON of a `Config`; `table` the builtin embedder's file, when the
    /// configuration names no other embedder.
    ///
    /// # Errors
    /// JSON of a [`Problem`], as a string, when the configuration cannot be used.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host, config: &str, table: Option<Vec<u8>>) -> Result<Engine, JsValue> {
        let host = Rc::new(host);
        let config = Config::read(config).map_err(|problem| thrown(&problem))?;
        let models = config.models(&host, table);
        Ok(Engine(Rc::new(Spaces {
            models: models.map_err(|problem| thrown(&problem))?,
            settings: config.settings(),
            host,
            slots: RefCell::default(),
        })))
    }

    /// Begins to answer a request of the HTTP API, as the task of this number. The answer is JSON, or what an export of
    /// the graph is in; the failure JSON of a [`Problem`], or what the host threw when it was asked for a space's
    /// storage.
    pub fn ask(&self, task: u32, method: String, target: String, body: String) {
        let spaces = self.0.clone();
        let work = async move { spaces.ask(&method, &target, &body).await };
        tasks::start(task, &self.0.host, work);
    }

    /// Begins to run the jobs that are due, as the task of this number. A job that fails says so in its event and is
    /// tried again later; the task fails when a storage does.
    #[wasm_bindgen(js_name = runJobs)]
    pub fn run_jobs(&self, task: u32) {
        let spaces = self.0.clone();
        tasks::start(task, &self.0.host, async move { spaces.run_jobs().await });
    }

    /// Begins to store what the next start reads instead of making it, as the task of this number. It never fails.
    pub fn settle(&self, task: u32) {
        let spaces = self.0.clone();
        tasks::start(task, &self.0.host, async move {
            for space in spaces.loaded() {
                space.settle().await;
            }
            Ok(String::new())
        });
    }

    /// Makes a step of a task that woke.
    pub fn step(&self, task: u32) {
        tasks::step(task);
    }

    /// The space that a request is about, as 16 hex digits.
    ///
    /// # Errors
    /// JSON of a [`Problem`], as a string, when it is none.
    pub fn space(&self, method: &str, target: &str, body: &str) -> Result<String, JsValue> {
        let request = read(method, target, body).map_err(|problem| thrown(&problem))?;
        Ok(request.space.to_string())
    }

    /// Drops a space from memory: the next who asks loads what is stored.
    pub fn forget(&self, space: &str) {
        if let Ok(hash) = space.parse() {
            self.0.slots.borrow_mut().remove(&hash);
        }
    }

    /// When the next job of any loaded space is due, in milliseconds since 1970; `undefined` when none waits.
    pub fn due(&self) -> Option<f64> {
        let due = self.0.loaded();
        let due = due.iter().filter_map(|space| space.next_due()).min();
        due.map(|at| at.as_millis() as f64)
    }
}

impl Spaces {
    async fn ask(&self, method: &str, target: &str, body: &str) -> Result<String, JsValue> {
        let mut request = read(method, target, body).map_err(|problem| thrown(&problem))?;
        let space = self.open(request.space).await?;
        let mut reply = apply(&space, request.operation.clone()).await;
        while let Some(operation) = request.next(&reply) {
            reply = apply(&space, operation).await;
        }
        let body = request.write(reply).map_err(|problem| thrown(&problem))?;
        String::from_utf8(body).map_err(|error| thrown(&internal(&error.to_string())))
    }

    async fn run_jobs(&self) -> Result<String, JsValue> {
        for space in self.loaded() {
            if space.next_due().is_some() {
                let ran = apply(&space, Operation::RunJobs { event: None }).await;
                ran.map_err(|problem| thrown(&problem))?;
            }
        }
        Ok(String::new())
    }

    /// The space, loaded when nobody asked before.
    async fn open(&self, hash: SpaceHash) -> Result<Rc<Space<WebHost>>, JsValue> {
        let slot = self.slots.borrow_mut().entry(hash).or_default().clone();
        let mut slot = slot.lock().await;
        if let Some(space) = &*slot {
            return Ok(space.clone());
        }
        let backend = self.host.storage(&hash.to_string()).await?;
        let storage = JsStorage::new(backend.unchecked_into());
        let host = WebHost::new(self.host.clone(), storage, self.settings);
        let opened = Space::open(host, self.models.clone(), hash).await;
        let space = opened.map_err(|error| thrown(&error.problem()))?;
        Ok(slot.insert(Rc::new(space)).clone())
    }

    /// The spaces that are loaded and not just being loaded.
    fn loaded(&self) -> Vec<Rc<Space<WebHost>>> {
        let slots = self.slots.borrow();
        let loaded = slots.values().filter_map(|slot| slot.try_lock());
        loaded.filter_map(|slot| slot.clone()).collect()
    }
}

fn read(method: &str, target: &str, body: &str) -> Result<Local, Problem> {
    Local::read(method, target, body.as_bytes())
}

async fn apply(space: &Space<WebHost>, operation: Operation) -> Result<Reply, Problem> {
    let reply = space.apply(operation).await;
    reply.map_err(|error: SpaceError| error.problem())
}

fn internal(reason: &str) -> Problem {
    Problem::new(500, "internal_error", reason)
}

/// A problem as it is thrown: JavaScript makes an error of it.
fn thrown(problem: &Problem) -> JsValue {
    let text = serde_json::to_string(problem);
    JsValue::from_str(&text.unwrap_or_else(|error| error.to_string()))
}

/// Milliseconds since 1970 as JavaScript counts them.
fn moment(millis: f64) -> Moment {
    Moment::from_millis(millis as i64)
}

/// Runs the storage suite on a backend, from which everything is removed: what it printed.
///
/// # Errors
/// The case that failed, as a string.
#[cfg(feature = "test-suite")]
#[wasm_bindgen]
pub async fn conformance(backend: host::Backend) -> Result<String, JsValue> {
    let storage = JsStorage::new(backend);
    let report = edgemem::store::conformance::run(&storage).await;
    report
        .map(|report| format!("{} cases passed", report.passed.len()))
        .map_err(|failure| JsValue::from_str(&failure.to_string()))
}
