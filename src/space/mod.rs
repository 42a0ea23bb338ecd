//! One owner's memory: the only place where indexes, storage and models meet.

mod add;
mod attach;
mod context;
mod error;
mod export;
mod feedback;
mod graph;
mod ingest;
mod jobs;
mod meter;
mod notices;
mod pages;
mod read;
mod served;
mod settings;
mod state;
mod write;

use std::cell::RefCell;
use std::ops::{Deref, Range};
use std::rc::Rc;

use futures_util::lock::Mutex;

use crate::compact::OrderedSet;
use crate::memory::{Id, Mint, Moment, ProjectSettings, SpaceHash};
use crate::model::files::Files;
use crate::model::{ChatModel, Embedder, ModelError, Reranker, unit};
use crate::operation::{Operation, Reply};
use crate::pipeline::knowledge::Known;
use crate::store::{Changes, Storage};

pub use error::SpaceError;
use meter::Meter;
pub use settings::Settings;
use state::State;

/// What a host supplies: time, randomness and storage. HTTP reaches a space through its models.
pub trait Host {
    /// The host's storage.
    type Storage: Storage;

    /// Whether it serves others than the program that it is part of, and so has a directory, batches, exports and
    /// feedback, and reads files. Where it has not, no code of these is linked.
    const SERVES: bool = true;

    /// The storage of this space.
    fn storage(&self) -> &Self::Storage;

    /// The time.
    fn now(&self) -> Moment;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// What the operator set.
    fn settings(&self) -> Settings {
        Settings::default()
    }

    /// How much memory the module that this runs in has, in bytes, where that can be told.
    fn memory(&self) -> Option<usize> {
        None
    }

    /// Tells the operator of something that mended itself.
    fn warn(&self, message: &str) {
        let _ = message;
    }
}

/// The models of a space.
#[derive(Clone)]
pub struct Models {
    /// Extracts and decides; without one, messages are remembered verbatim.
    pub chat: Option<Rc<dyn ChatModel>>,
    /// Makes vectors.
    pub embedder: Rc<dyn Embedder>,
    /// Reorders the hits of searches that ask for it.
    pub reranker: Option<Rc<dyn Reranker>>,
    /// Fetches files that come with messages; without it, none are fetched.
    pub files: Option<Rc<Files>>,
}

impl Models {
    /// Embeds texts. Whatever an embedder gives has unit length from here on: it ranks by its direction.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut vectors = self.embedder.embed(texts).await?;
        vectors.iter_mut().for_each(|vector| unit(vector));
        Ok(vectors)
    }
}

/// One owner's memory.
///
/// Operations may interleave at every await. What one reads and what it commits on that ground happens
/// under one turn of `commits`; what models answered on an older state is checked again there.
pub struct Space<H> {
    host: H,
    models: Models,
    hash: SpaceHash,
    state: RefCell<State>,
    /// Held from the reading of the state to the end of the commit that rests on it.
    commits: Mutex<()>,
    /// Held while jobs run: a conversation's adds are worked on in order, one at a time.
    jobs: Mutex<()>,
    /// What the project asks of extraction where an add says nothing.
    project: RefCell<Rc<ProjectSettings>>,
    /// The events whose jobs are running.
    running: RefCell<OrderedSet<Id>>,
    /// What the LLM costs, where that is counted.
    meter: Meter,
}

/// The state of a space, and what it knows with the words in storage.
struct View<'a> {
    state: &'a State,
    known: Known<'a>,
}

impl Deref for View<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state
    }
}

impl<H: Host> Space<H> {
    /// Loads the space of an owner, by the hash that names it. A space that was never written to is
    /// empty and leaves no trace until the first add.
    ///
    /// # Errors
    /// When the storage fails or holds a record that cannot be read.
    pub async fn open(host: H, models: Models, hash: SpaceHash) -> Result<Self, SpaceError> {
        let (storage, embedder) = (host.storage(), models.embedder.name());
        let (state, damage) = State::load(storage, host.settings(), embedder, host.now()).await?;
        if let Some(damage) = damage {
            host.warn(&format!("{damage}: the indexes are made anew"));
        }
        let meter = match H::SERVES {
            true => Meter::load(host.storage()).await?,
            false => Meter::default(),
        };
        let space = Self {
            host,
            models: match H::SERVES {
                true => meter.around(models),
                false => models,
            },
            hash,
            state: RefCell::new(state),
            commits: Mutex::new(()),
            jobs: Mutex::new(()),
            project: RefCell::default(),
            running: RefCell::default(),
            meter,
        };
        space.save_pages().await;
        // What it was loaded from is not what it answers with.
        space.host.storage().ready().await?;
        Ok(space)
    }

    /// Does what is asked. Deterministic, given the host's time, randomness and storage and the
    /// models' answers.
    ///
    /// # Errors
    /// See [`SpaceError`]; nothing is changed then, but for what a failed job itself records.
    pub async fn apply(&self, operation: Operation) -> Result<Reply, SpaceError> {
        match operation {
            Operation::Add(add) => self.add(*add).await,
            Operation::RunJobs { event } => self.run_jobs(event).await,
            Operation::Search(search) if search.relations => self.search_related(search).await,
            Operation::Search(search) => self.search(search).await,
            Operation::Context(context) => self.context(context).await,
            Operation::Timeline(timeline) => self.timeline(timeline).await,
            Operation::Get { id } => self.get(id),
            Operation::List(list) => self.list(&list),
            Operation::Update(update) => self.update(update).await,
            Operation::Delete { id } => self.delete(id).await,
            Operation::DeleteAll { filter } => self.delete_all(&filter).await,
            Operation::History { id } => self.history(id).await,
            Operation::Event { id } => self.event(id).await,
            Operation::Graph(graph) => self.graph(&graph),
            Operation::Entity { id } => self.entity(&id),
            Operation::Path { from, to, as_of } => self.path(&from, &to, as_of),
            Operation::MergeEntities { from, into } => self.merge_entities(&from, &into).await,
            Operation::SplitEntity {
                entity,
                name,
                memories,
            } => self.split_entity(&entity, &name, &memories).await,
            Operation::Contradictions { resolved } => self.contradictions(resolved),
            Operation::Resolve { id, keep } => self.resolve(id, &keep).await,
            Operation::Summary { scope } => Ok(self.summary(&scope)),
            Operation::Stats { digest } => self.stats(digest).await,
            operation @ (Operation::DeleteLinked { .. }
            | Operation::Feedback(_)
            | Operation::Batch { .. }
            | Operation::Export(_)
            | Operation::Exported { .. }
            | Operation::Notices { .. }
            | Operation::Noticed { .. }
            | Operation::Summaries { .. }) => self.serve(operation).await,
        }
    }

    /// What the project asks of extraction where an add says nothing; until it is told, nothing.
    pub fn set_project(&self, settings: ProjectSettings) {
        *self.project.borrow_mut() = Rc::new(settings);
    }

    /// When the directory should be told of what happened; `None` when it knows everything.
    pub fn untold_since(&self) -> Option<Moment> {
        self.state.borrow().untold_since
    }

    /// When the next job is due; `None` when none waits. The face wakes the space then.
    pub fn next_due(&self) -> Option<Moment> {
        self.state.borrow().next_due()
    }

    fn view<'a>(&'a self, state: &'a State) -> View<'a> {
        View {
            known: Known::new(&state.knowledge, self.host.storage()),
            state,
        }
    }

    /// Plans a change on the state as it is, stores it, and takes it over. No other commit comes
    /// between.
    async fn commit<T>(
        &self,
        plan: impl FnOnce(&View<'_>, &mut Mint<'_>) -> Result<(Changes, T), SpaceError>,
    ) -> Result<T, SpaceError> {
        let _turn = self.commits.lock().await;
        let (changes, answer) = {
            let state = self.state.borrow();
            let random = || self.host.random();
            let first = state.next_sequence();
            let mut mint = Mint::new(self.hash, first, &random);
            let view = self.view(&state);
            let (changes, answer) = plan(&view, &mut mint)?;
            view.known.check()?;
            let ids = first..mint.next_sequence();
            (self.completed(changes, &state, ids)?, answer)
        };
        self.store(changes).await?;
        Ok(answer)
    }

    /// What is stored with changes that took the sequence numbers `ids`.
    fn completed(
        &self,
        mut changes: Changes,
        state: &State,
        ids: Range<u32>,
    ) -> Result<Changes, SpaceError> {
        if !ids.is_empty() && !changes.clear {
            let record = changes.space.take().or_else(|| state.record().cloned());
            changes.space = record.map(|mut record| {
                record.next_sequence = ids.end;
                record
            });
        }
        if H::SERVES && self.host.settings().notices {
            let new = notices::of(&changes, ids.start, self.host.now());
            changes.notices.extend(new);
        }
        if H::SERVES {
            changes.usage = self.meter.to_store(self.host.now());
        }
        // What is stored must be readable when the space is opened again.
        state.index.check_vectors(&changes.vectors)?;
        Ok(changes)
    }

    /// Stores changes and takes them over. Apart from what plans them, so that there is one of it.
    async fn store(&self, changes: Changes) -> Result<(), SpaceError> {
        if changes == Changes::default() {
            return Ok(());
        }
        let mut writes = changes.to_writes()?;
        {
            let state = self.state.borrow();
            writes.extend(state.tear(&changes));
            writes.extend(state.pages.writes(&changes));
        }
        let storage = self.host.storage();
        storage.commit(writes).await?;
        if let Some(usage) = &changes.usage {
            self.meter.store(usage.clone());
        }
        {
            let mut state = self.state.borrow_mut();
            state.pages.written(&changes);
            let embedded = changes.vectors.len();
            state.apply(changes, storage)?;
            state.index.link(embedded);
        }
        self.save_pages().await;
        Ok(())
    }
}
