//! Spaces: opened when they are asked for, and again when another instance wrote to them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use edgemem::api::Project;
use edgemem::memory::{Problem, ProjectSettings, SpaceHash};
use edgemem::operation::{Operation, Reply};
use edgemem::space::{Models, Settings, Space, SpaceError};
use futures_util::lock::Mutex;

use super::host::{ServiceHost, log, random_bits};
use crate::bucket::Bucket;
use crate::storage::KeyValueStorage;

/// What all keys begin with: the version of what is under them is in each value. A key has letters, digits, `.`, `-` and
/// `_` alone: some hosts make a file name of it.
const PREFIX: &str = "edgemem";

/// How often something is tried again after another instance was first.
const TRIES: u32 = 10;

/// The longest wait before the second try, in milliseconds. It doubles.
const WAIT_MS: u64 = 20;

/// Spaces that are kept in memory. The host bounds an instance's memory, so they are few.
const LOADED: usize = 16;

/// A project's space, by its name.
pub type Place = (Project, SpaceHash);

/// A space in memory, and the storage under it.
pub struct Loaded {
    pub space: Space<ServiceHost>,
    pub storage: Rc<KeyValueStorage>,
}

type Slot = Rc<Mutex<Option<Rc<Loaded>>>>;

/// The spaces of all projects.
pub struct Spaces {
    bucket: Rc<dyn Bucket>,
    models: Models,
    settings: Settings,
    /// What projects want extracted.
    wanted: RefCell<HashMap<Project, ProjectSettings>>,
    slots: RefCell<HashMap<Place, Slot>>,
}

impl Spaces {
    pub fn new(bucket: Rc<dyn Bucket>, models: Models, settings: Settings) -> Self {
        Self {
            bucket,
            models,
            settings,
            wanted: RefCell::default(),
            slots: RefCell::default(),
        }
    }

    /// Takes note of what a project wants extracted by jobs.
    pub fn learn(&self, project: &Project, wanted: ProjectSettings) {
        self.wanted.borrow_mut().insert(project.clone(), wanted);
    }

    /// Whether a model extracts facts.
    pub fn extract(&self) -> bool {
        self.models.chat.is_some()
    }

    /// Asks a space. Of a batch each part is asked alone: some may have to be repeated, and others not.
    ///
    /// # Errors
    /// What it refuses.
    pub async fn ask(&self, place: &Place, operation: Operation) -> Result<Reply, Problem> {
        let Operation::Batch { operations } = operation else {
            return self.ask_one(place, operation).await;
        };
        let mut replies = Vec::with_capacity(operations.len());
        for operation in operations {
            replies.push(self.ask_one(place, operation).await);
        }
        Ok(Reply::Batch(replies))
    }

    async fn ask_one(&self, place: &Place, operation: Operation) -> Result<Reply, Problem> {
        let mut tries = Tries::new(self.bucket.clone());
        loop {
            let loaded = self.open(place).await?;
            let begun = loaded.storage.commits();
            let runs_jobs = matches!(operation, Operation::RunJobs { .. });
            if runs_jobs {
                let wanted = self.wanted.borrow().get(&place.0).cloned();
                loaded.space.set_project(wanted.unwrap_or_default());
            }
            let reply = loaded.space.apply(operation.clone()).await;
            let error = match reply {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if !loaded.storage.was_late() {
                return Err(shown(&error));
            }
            // What each step of a job did is stored, and not done twice.
            let can_be_repeated = runs_jobs || loaded.storage.commits() == begun;
            if !(can_be_repeated && tries.again()) {
                return Err(busy(&error));
            }
        }
    }

    /// The space, as it is stored now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(&self, place: &Place) -> Result<Rc<Loaded>, Problem> {
        let slot = self.slot(place);
        let mut slot = slot.lock().await;
        if let Some(loaded) = &*slot
            && !loaded
                .storage
                .is_stale()
                .map_err(|error| shown(&error.into()))?
        {
            return Ok(loaded.clone());
        }
        *slot = None;
        let mut tries = Tries::new(self.bucket.clone());
        loop {
            let (project, hash) = place;
            let name = format!("{PREFIX}.{}.{hash}", project.id);
            let storage = KeyValueStorage::open(self.bucket.clone(), name);
            let storage = Rc::new(storage.map_err(|error| shown(&error.into()))?);
            let host = ServiceHost {
                storage: storage.clone(),
                settings: self.settings,
            };
            match Space::open(host, self.models.clone(), *hash).await {
                Ok(space) => return Ok(slot.insert(Rc::new(Loaded { space, storage })).clone()),
                Err(_) if storage.was_late() && tries.again() => {}
                Err(error) if storage.was_late() => return Err(busy(&error)),
                Err(error) => return Err(shown(&error)),
            }
        }
    }

    fn slot(&self, place: &Place) -> Slot {
        let mut slots = self.slots.borrow_mut();
        if slots.len() >= LOADED && !slots.contains_key(place) {
            slots.retain(|_, slot| Rc::strong_count(slot) > 1);
        }
        slots.entry(place.clone()).or_default().clone()
    }
}

/// Tries after another instance was first.
pub struct Tries {
    bucket: Rc<dyn Bucket>,
    left: u32,
    wait: u64,
}

impl Tries {
    pub fn new(bucket: Rc<dyn Bucket>) -> Self {
        Self {
            bucket,
            left: TRIES,
            wait: WAIT_MS,
        }
    }

    /// Waits for a while, another than others wait; `false` when there were enough tries.
    pub fn again(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return false;
        }
        self.bucket.pause(random_bits() % self.wait);
        self.wait *= 2;
        true
    }
}

/// The name of what is stored for a project beside its spaces.
pub fn directory_name(project: &Project) -> String {
    format!("{PREFIX}.{}.directory", project.id)
}

/// The code of an error that says that others were first too often.
pub const BUSY: &str = "storage_busy";

fn busy(error: &SpaceError) -> Problem {
    Problem::new(503, BUSY, error.to_string())
}

/// An error for the client; what is wrong with the server goes to its log as well.
fn shown(error: &SpaceError) -> Problem {
    let problem = error.problem();
    if problem.status >= 500 {
        log(&format!("{}: {error}", problem.code));
    }
    problem
}
