//! The Worker's storage under test, alone: each path of a Durable Object is one check.
//!
//! It is a Worker of its own, so that the one that ships carries no test routes.

#![allow(
    missing_docs,
    reason = "the durable_object macro generates undocumented methods"
)]

#[path = "../../../../crates/worker/src/failure.rs"]
mod failure;
#[path = "../../../../crates/worker/src/storage.rs"]
mod storage;

use std::ops::Bound;
use std::panic::AssertUnwindSafe;

use edgemem::index::{kernels_agree, kernels_agree_f32};
use edgemem::store::{Storage, Table, Write, conformance};
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, State, durable_object, event,
};

use storage::SqliteStorage;

/// `/{object}/{check}`: passes the request to the object.
#[event(fetch)]
pub async fn fetch(request: Request, env: Env, _context: worker::Context) -> Result<Response> {
    let path = request.path();
    let object = path.split('/').nth(1).unwrap_or_default();
    env.durable_object("OBJECTS")?
        .get_by_name(object)?
        .fetch_with_request(request)
        .await
}

/// An object with nothing but storage.
#[durable_object]
pub struct StorageObject {
    sql: SqlStorage,
    storage: AssertUnwindSafe<SqliteStorage>,
}

impl DurableObject for StorageObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            sql: state.storage().sql(),
            storage: AssertUnwindSafe(SqliteStorage::new(&state)),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let path = request.path();
        match path.split('/').nth(2).unwrap_or_default() {
            "conformance" => self.conformance().await,
            "read" => self.read().await,
            "put" => self.put().await,
            "age" => self.age(),
            "tables" => self.tables(),
            "panic" => self.panic().await,
            "kernels" => kernels(),
            _ => Response::error("no such check", 404),
        }
    }
}

impl StorageObject {
    /// Runs the suite: the refusal of an oversized record, or the failure, as text.
    async fn conformance(&self) -> Result<Response> {
        match conformance::run(&*self.storage).await {
            Ok(report) => {
                let refused = report.oversize.map(|error| error.to_string());
                Response::ok(format!(
                    "{} cases passed; {}",
                    report.passed.len(),
                    refused.unwrap_or_default()
                ))
            }
            Err(failure) => Response::error(failure.to_string(), 500),
        }
    }

    /// Reads from every table: how many records were found.
    async fn read(&self) -> Result<Response> {
        let mut found = 0;
        for table in Table::ALL {
            let record = self.storage.get(table, "a").await.map_err(failed)?;
            let rows = self.storage.scan(table, Bound::Unbounded, 10).await;
            found += record.iter().count() + rows.map_err(failed)?.len();
        }
        Response::ok(found.to_string())
    }

    /// Panics, as an operation of a space might.
    async fn panic(&self) -> Result<Response> {
        #[expect(clippy::panic, reason = "this is what is tested")]
        let caught = failure::caught(async { panic!("a secret") }).await;
        self.storage.retire();
        let refused = self.storage.commit(vec![Write::Clear]).await.is_err();
        match caught {
            Err::<(), _>(problem) if refused => Response::ok(problem.message),
            _ => Response::error("not caught", 500),
        }
    }

    /// Puts one memory with every readable column.
    async fn put(&self) -> Result<Response> {
        let columns = Table::Memories.columns().iter();
        let write = Write::Put {
            table: Table::Memories,
            key: "b".to_owned(),
            record: vec![1],
            columns: columns.map(|name| Some((*name).to_owned())).collect(),
        };
        self.storage.commit(vec![write]).await.map_err(failed)?;
        Response::ok("done")
    }

    /// Makes the memories as an older version would have, with one column and one row.
    fn age(&self) -> Result<Response> {
        self.sql.exec(
            "CREATE TABLE memories (key TEXT NOT NULL PRIMARY KEY, kind TEXT, record BLOB NOT NULL) \
             WITHOUT ROWID",
            None,
        )?;
        self.sql
            .exec("INSERT INTO memories VALUES ('a', 'fact', x'01')", None)?;
        Response::ok("done")
    }

    /// The tables and their columns, one a line.
    fn tables(&self) -> Result<Response> {
        let tables = self.sql.exec(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
            None,
        )?;
        let rows: Vec<String> = tables
            .raw()
            .map(|row| Ok(format!("{:?}", row?)))
            .collect::<Result<_>>()?;
        Response::ok(rows.join("\n"))
    }
}

/// Compares the kernels of the vector index, as they run here, with plain ones; answers how often.
fn kernels() -> Result<Response> {
    let mut state = 7u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as i32 - (1 << 23)
    };
    let mut compared = 0;
    for length in (0..130).chain([384, 1_000, 1_536, 4_096]) {
        let most = (i32::MAX / (128 * length.max(1))).min(32_767) as i16;
        let row: Vec<i8> = (0..length).map(|_| (random() % 128) as i8).collect();
        let query: Vec<i16> = (0..length)
            .map(|_| (random() % i32::from(most)) as i16)
            .collect();
        let extreme = kernels_agree(&vec![-127; row.len()], &vec![most; row.len()]);
        let left: Vec<f32> = (0..length).map(|_| random() as f32 / 1e7).collect();
        let right: Vec<f32> = (0..length).map(|_| random() as f32 * 1e3).collect();
        if !extreme || !kernels_agree(&row, &query) || !kernels_agree_f32(&left, &right) {
            return Response::error(format!("kernels differ at {length} dimensions"), 500);
        }
        compared += 3;
    }
    Response::ok(format!("{compared} comparisons"))
}

fn failed(error: impl std::error::Error) -> Error {
    Error::RustError(error.to_string())
}
