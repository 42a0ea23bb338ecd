//! What a program supplies to edgemem: tables in memory, a clock, random bits, and a language model if it has one.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime::component::{Accessor, Component, HasSelf, Linker, ResourceAny, bindgen};
use wasmtime::{Config, Engine, Error, Result, Store};

bindgen!({
    world: "library",
    path: "../../../wit",
    exports: { default: async | store },
});

pub use edgemem::memory::chat;
pub use edgemem::memory::types;
pub use exports::edgemem::memory::memory;

use edgemem::memory::{clock, embed, random, storage};
use memory::{Embedder, Operation, Options, Reply};

type Table = BTreeMap<String, Vec<u8>>;

/// What a language model answers, when it does.
pub type Answer =
    Pin<Box<dyn Future<Output = std::result::Result<chat::Reply, chat::ModelError>> + Send>>;

/// The host's side of the world.
pub struct Host {
    tables: BTreeMap<(String, u8), Table>,
    /// Asks the language model.
    pub ask: Box<dyn Fn(chat::Request) -> Answer + Send>,
    /// The time, in milliseconds since 1970.
    pub now: Box<dyn Fn() -> i64 + Send>,
    /// Random bits.
    pub bits: Box<dyn FnMut() -> u64 + Send>,
}

/// No model, the system's clock, bits that begin at its time: ids need no secrets.
impl Default for Host {
    fn default() -> Self {
        let since = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
        };
        let mut state = since().as_nanos() as u64;
        let none = || chat::ModelError::Unreachable("there is none".into());
        Self {
            tables: BTreeMap::new(),
            ask: Box::new(move |_| Box::pin(async move { Err(none()) })),
            now: Box::new(move || since().as_millis() as i64),
            bits: Box::new(move || split_mix(&mut state)),
        }
    }
}

/// SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl types::Host for Host {}
impl chat::Host for Host {}
impl embed::Host for Host {}
impl storage::Host for Host {}

impl clock::Host for Host {
    fn now(&mut self) -> i64 {
        (self.now)()
    }
}

impl<T: Send> clock::HostWithStore<T> for HasSelf<Host> {
    async fn sleep(_: &Accessor<T, Self>, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

impl random::Host for Host {
    fn bits(&mut self) -> u64 {
        (self.bits)()
    }
}

impl<T: Send> chat::HostWithStore<T> for HasSelf<Host> {
    async fn ask(
        accessor: &Accessor<T, Self>,
        request: chat::Request,
    ) -> std::result::Result<chat::Reply, chat::ModelError> {
        let answer = accessor.with(|mut host| (host.get().ask)(request));
        answer.await
    }
}

impl<T: Send> embed::HostWithStore<T> for HasSelf<Host> {
    async fn texts(
        _: &Accessor<T, Self>,
        _: Vec<String>,
    ) -> std::result::Result<Vec<Vec<f32>>, embed::ModelError> {
        Err(chat::ModelError::Unreachable("there is none".into()))
    }
}

impl<T: Send> storage::HostWithStore<T> for HasSelf<Host> {
    async fn get(
        accessor: &Accessor<T, Self>,
        space: String,
        table: storage::Table,
        key: String,
    ) -> std::result::Result<Option<Vec<u8>>, storage::StorageError> {
        Ok(accessor.with(|mut host| host.get().table(&space, table).get(&key).cloned()))
    }

    async fn scan(
        accessor: &Accessor<T, Self>,
        space: String,
        table: storage::Table,
        start: storage::Start,
        limit: u32,
    ) -> std::result::Result<Vec<storage::Entry>, storage::StorageError> {
        let from = match start {
            storage::Start::First => Bound::Unbounded,
            storage::Start::At(key) => Bound::Included(key),
            storage::Start::After(key) => Bound::Excluded(key),
        };
        Ok(accessor.with(|mut host| {
            let rows = host
                .get()
                .table(&space, table)
                .range((from, Bound::Unbounded));
            let rows = rows.map(|(key, record)| storage::Entry {
                key: key.clone(),
                record: record.clone(),
            });
            rows.take(limit as usize).collect()
        }))
    }

    async fn commit(
        accessor: &Accessor<T, Self>,
        space: String,
        writes: Vec<storage::Write>,
    ) -> std::result::Result<(), storage::StorageError> {
        accessor.with(|mut host| {
            let host = host.get();
            for write in writes {
                match write {
                    storage::Write::Put(put) => {
                        let table = host.table(&space, put.table);
                        table.insert(put.key, put.record);
                    }
                    storage::Write::Delete(place) => {
                        host.table(&space, place.table).remove(&place.key);
                    }
                    storage::Write::ClearTable(table) => host.table(&space, table).clear(),
                    storage::Write::Clear => host.tables.retain(|(of, _), _| *of != space),
                }
            }
        });
        Ok(())
    }
}

impl Host {
    fn table(&mut self, space: &str, table: storage::Table) -> &mut Table {
        let name = (space.to_owned(), table as u8);
        self.tables.entry(name).or_default()
    }
}

/// The component, loaded, and the space that is open.
pub struct Memory {
    store: Store<Host>,
    world: Library,
    table: Vec<u8>,
    space: Option<ResourceAny>,
}

impl Memory {
    /// Loads the component on a host; `table` is the builtin embedder's file.
    pub async fn load(component: &str, table: &str, host: Host) -> Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config)?;
        let component = Component::from_file(&engine, component)?;
        let mut linker = Linker::new(&engine);
        Library::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
        let mut store = Store::new(&engine, host);
        let world = Library::instantiate_async(&mut store, &component, &linker).await?;
        Ok(Self {
            table: std::fs::read(table)?,
            store,
            world,
            space: None,
        })
    }

    /// Opens the space of a user; `model` names the host's language model, if it has one.
    pub async fn open(&mut self, user: &str, model: Option<&str>) -> Result<()> {
        let owner = types::Scope {
            user_id: Some(user.to_owned()),
            agent_id: None,
            app_id: None,
            run_id: None,
        };
        let options = Options {
            chat: model.map(str::to_owned),
            embedder: Embedder::Builtin(self.table.clone()),
            time_limit: None,
            megabytes: None,
        };
        let space = self.world.edgemem_memory_memory().space();
        let opened = self
            .store
            .run_concurrent(async |accessor| space.call_open(accessor, owner, options).await);
        self.space = Some(opened.await??.map_err(said)?);
        Ok(())
    }

    /// Remembers what the user said.
    pub async fn remember(&mut self, content: &str) -> Result<()> {
        let message = types::Message {
            role: types::Role::User,
            content: content.to_owned(),
            name: None,
            time: None,
        };
        let (space, opened) = (self.world.edgemem_memory_memory().space(), self.opened()?);
        let asked = self.store.run_concurrent(async |accessor| {
            space.call_remember(accessor, opened, vec![message]).await
        });
        asked.await??.map_err(said)?;
        Ok(())
    }

    /// The texts of what answers a question, best first.
    pub async fn recall(&mut self, query: &str, most: u32) -> Result<Vec<String>> {
        let (space, opened) = (self.world.edgemem_memory_memory().space(), self.opened()?);
        let query = query.to_owned();
        let asked = self.store.run_concurrent(async |accessor| {
            space.call_recall(accessor, opened, query, most).await
        });
        let hits = asked.await??.map_err(said)?;
        Ok(hits.into_iter().map(|hit| hit.memory.text).collect())
    }

    /// Does anything that can be asked of a space.
    pub async fn apply(&mut self, operation: Operation) -> Result<Reply> {
        let (space, opened) = (self.world.edgemem_memory_memory().space(), self.opened()?);
        let asked = self
            .store
            .run_concurrent(async |accessor| space.call_apply(accessor, opened, operation).await);
        asked.await??.map_err(said)
    }

    /// The hash of what is stored.
    pub async fn digest(&mut self) -> Result<String> {
        let (space, opened) = (self.world.edgemem_memory_memory().space(), self.opened()?);
        let asked = self
            .store
            .run_concurrent(async |accessor| space.call_digest(accessor, opened).await);
        asked.await??.map_err(said)
    }

    fn opened(&self) -> Result<ResourceAny> {
        self.space.ok_or_else(|| Error::msg("open a space first"))
    }
}

fn said(error: memory::Error) -> Error {
    Error::msg(format!("{error:?}"))
}
