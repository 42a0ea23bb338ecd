//! The directory of a project, the webhooks that it calls, and the spaces that have work to do later.

use std::ops::Bound;
use std::rc::Rc;

use edgemem::api::Project;
use edgemem::directory::{Answer, Ask, Delivery, Directory, Now, SIGNATURE, signature};
use edgemem::memory::{Moment, Problem, SpaceHash};
use edgemem::model::{Http, Request};
use edgemem::store::{Entry, Storage, StorageError, Table, Write};
use futures_util::future::LocalBoxFuture;

use super::host::{internal, log, now, random_bytes};
use super::http::HostHttp;
use super::space::{Tries, directory_name};
use crate::bucket::Bucket;
use crate::storage::KeyValueStorage;

/// Set to `true`, webhooks may lead to private networks and over plain HTTP.
const PRIVATE_VARIABLE: &str = "EDGEMEM_PRIVATE_WEBHOOKS";

/// Deliveries that are tried at a time.
const AT_A_TIME: usize = 20;

/// How long a receiver may take, in milliseconds.
const TIMEOUT_MS: u64 = 10_000;

/// The directories of all projects.
pub struct Directories {
    bucket: Rc<dyn Bucket>,
    private: bool,
}

impl Directories {
    pub fn new(bucket: Rc<dyn Bucket>, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let private = variable(PRIVATE_VARIABLE);
        Self {
            bucket,
            private: private.is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
        }
    }

    /// Asks the directory of a project.
    ///
    /// # Errors
    /// What it refuses.
    pub async fn ask(&self, project: &Project, ask: Ask) -> Result<Answer, Problem> {
        let mut tries = Tries::new(self.bucket.clone());
        loop {
            let storage = self.open(project)?;
            let directory = Directory::new(Shared(storage.clone()), self.private);
            let now = Now {
                at: now(),
                random: random_bytes(),
            };
            let error = match directory.apply(ask.clone(), now).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !(storage.was_late() && storage.commits() == 0 && tries.again()) {
                let problem = error.problem();
                if problem.status >= 500 {
                    log(&format!("directory: {}: {error}", problem.code));
                }
                return Err(problem);
            }
        }
    }

    /// Notes when a space must be woken, or that it need not be.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn wake(
        &self,
        project: &Project,
        space: SpaceHash,
        due: Option<Moment>,
    ) -> Result<(), Problem> {
        let mut tries = Tries::new(self.bucket.clone());
        loop {
            let storage = self.open(project)?;
            let (table, key) = (Table::Jobs, space.to_string());
            let write = match due {
                Some(due) => Write::Put {
                    table,
                    key,
                    record: due.as_millis().to_le_bytes().to_vec(),
                    columns: Vec::new(),
                },
                None => Write::Delete { table, key },
            };
            match storage.commit(vec![write]).await {
                Ok(()) => return Ok(()),
                Err(_) if storage.was_late() && tries.again() => {}
                Err(error) => return Err(internal(&error.to_string())),
            }
        }
    }

    /// The spaces that are to be woken, and when.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sleeping(&self, project: &Project) -> Result<Vec<(SpaceHash, Moment)>, Problem> {
        let storage = self.open(project)?;
        let rows = storage
            .scan(Table::Jobs, Bound::Unbounded, usize::MAX)
            .await;
        let rows = rows.map_err(|error| internal(&error.to_string()))?;
        let read = rows.into_iter().filter_map(|(key, record)| {
            let due = i64::from_le_bytes(record.try_into().ok()?);
            Some((key.parse().ok()?, Moment::from_millis(due)))
        });
        Ok(read.collect())
    }

    /// Calls the webhooks that are due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliver(&self, project: &Project) -> Result<(), Problem> {
        let ask = Ask::Due { limit: AT_A_TIME };
        let Answer::Due { deliveries, .. } = self.ask(project, ask).await? else {
            return Err(internal("a directory did not say what is due"));
        };
        for delivery in deliveries {
            let delivered = send(&delivery).await;
            let id = delivery.id;
            self.ask(project, Ask::Delivered { id, delivered }).await?;
        }
        Ok(())
    }

    /// A directory is small, and opened by two questions.
    fn open(&self, project: &Project) -> Result<Rc<KeyValueStorage>, Problem> {
        let storage = KeyValueStorage::open(self.bucket.clone(), directory_name(project));
        let storage = storage.map_err(|error| internal(&error.to_string()))?;
        Ok(Rc::new(storage))
    }
}

/// Tells one receiver; whether it said that it heard. Redirects are not followed: one could lead to where a webhook
/// may not.
async fn send(delivery: &Delivery) -> bool {
    let body = delivery.body.to_string();
    let signed = signature(&delivery.secret, now(), body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", concat!("edgemem/", env!("CARGO_PKG_VERSION"))),
        ("x-edgemem-delivery", &delivery.id),
        (SIGNATURE, &signed),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Request {
        method: "POST",
        url: delivery.url.clone(),
        headers: headers.into(),
        body: body.into_bytes(),
        download: None,
    };
    let answer = HostHttp.send(request, TIMEOUT_MS).await;
    answer.is_ok_and(|answer| (200..300).contains(&answer.status))
}

/// A storage that a directory and its face share.
struct Shared(Rc<KeyValueStorage>);

impl Storage for Shared {
    fn get<'a>(
        &'a self,
        table: Table,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        self.0.get(table, key)
    }

    fn read(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.0.read(table, key)
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Entry>, StorageError>> {
        self.0.scan(table, after, limit)
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        self.0.commit(writes)
    }
}
