//! What every [`Storage`] must do, as cases that run on any host.
//!
//! The cases return failures instead of panicking, so that they can run where there is no test
//! harness: behind a route of a Durable Object, or in a page. They empty the storage they are given.

use std::fmt::Debug;
use std::ops::Bound;

use thiserror::Error;

use super::{Storage, StorageError, Table, Write};

/// What a storage showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The cases that passed, in order.
    pub passed: Vec<&'static str>,
    /// How the storage refused [`OVERSIZE`] bytes; `None` when it took them.
    pub oversize: Option<StorageError>,
}

/// The size of a record that a limited storage may refuse, in bytes.
pub const OVERSIZE: usize = 4_000_000;

/// The size of the largest record that every storage takes, in bytes.
pub const LARGE: usize = 1_000_000;

/// Which case failed, and how.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The storage failed where it should not.
    #[error("{case}: {source}")]
    Storage {
        /// The case.
        case: &'static str,
        /// What the storage reported.
        source: StorageError,
    },
    /// The storage answered something else.
    #[error("{case}: {what}: expected {expected}, found {found}")]
    Mismatch {
        /// The case.
        case: &'static str,
        /// What was looked at.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// Runs every case, each on emptied storage, and leaves the storage empty.
///
/// # Errors
/// The first case that failed.
pub async fn run(storage: &impl Storage) -> Result<Report, Failure> {
    let mut passed = Vec::new();
    macro_rules! run {
        ($($case:ident),+ $(,)?) => {
            $({
                let case = Case { name: stringify!($case), storage };
                case.commit(vec![Write::Clear]).await?;
                $case(&case).await?;
                passed.push(case.name);
            })+
        };
    }
    run!(
        reads_nothing_from_empty_storage,
        puts_gets_replaces_and_deletes,
        keeps_tables_apart,
        keeps_every_byte,
        keeps_large_records,
        reads_many_in_the_order_asked_for,
        accepts_columns,
        scans_in_the_order_of_bytes,
        scans_within_bounds,
        pages_through_a_thousand_rows,
        applies_writes_in_order,
        clears_within_a_commit,
        clears_one_table,
        takes_an_empty_commit,
    );
    let case = Case {
        name: "commits_all_or_nothing",
        storage,
    };
    case.commit(vec![Write::Clear]).await?;
    let oversize = commits_all_or_nothing(&case).await?;
    passed.push(case.name);
    case.commit(vec![Write::Clear]).await?;
    Ok(Report { passed, oversize })
}

/// A put without values for the readable columns.
fn put(table: Table, key: &str, record: &[u8]) -> Write {
    Write::Put {
        table,
        key: key.to_owned(),
        record: record.to_vec(),
        columns: table.columns().iter().map(|_| None).collect(),
    }
}

fn delete(table: Table, key: &str) -> Write {
    Write::Delete {
        table,
        key: key.to_owned(),
    }
}

struct Case<'a, S> {
    name: &'static str,
    storage: &'a S,
}

impl<S: Storage> Case<'_, S> {
    async fn commit(&self, writes: Vec<Write>) -> Result<(), Failure> {
        let done = self.storage.commit(writes).await;
        done.map_err(|source| self.failed(source))
    }

    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let found = self.storage.get(table, key).await;
        let found = found.map_err(|source| self.failed(source))?;
        if table == Table::Memories {
            let at_once = self.storage.read(table, key);
            let at_once = at_once.map_err(|source| self.failed(source))?;
            self.equal("a record read at once", at_once, found.clone())?;
        }
        Ok(found)
    }

    async fn keys(
        &self,
        table: Table,
        after: Bound<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Failure> {
        let found = self.storage.scan(table, after, limit).await;
        let rows = found.map_err(|source| self.failed(source))?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

    fn failed(&self, source: StorageError) -> Failure {
        Failure::Storage {
            case: self.name,
            source,
        }
    }

    fn equal<T: PartialEq + Debug>(
        &self,
        what: &'static str,
        found: T,
        expected: T,
    ) -> Result<(), Failure> {
        if found == expected {
            return Ok(());
        }
        Err(Failure::Mismatch {
            case: self.name,
            what,
            expected: shown(&expected),
            found: shown(&found),
        })
    }
}

/// A value for a message: its start, when it is long.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

async fn reads_nothing_from_empty_storage<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    for table in Table::ALL {
        case.equal("a missing record", case.get(table, "nothing").await?, None)?;
        let keys = case.keys(table, Bound::Unbounded, 10).await?;
        case.equal("an empty table", keys, vec![])?;
        case.commit(vec![delete(table, "nothing")]).await?;
    }
    Ok(())
}

async fn puts_gets_replaces_and_deletes<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let table = Table::Memories;
    case.commit(vec![put(table, "a", b"one"), put(table, "b", b"two")])
        .await?;
    case.equal("a put", case.get(table, "a").await?, Some(b"one".to_vec()))?;
    case.equal("a missing key", case.get(table, "c").await?, None)?;
    case.commit(vec![put(table, "a", b"three")]).await?;
    let replaced = case.get(table, "a").await?;
    case.equal("a replaced record", replaced, Some(b"three".to_vec()))?;
    case.commit(vec![delete(table, "a"), delete(table, "never there")])
        .await?;
    case.equal("a deleted record", case.get(table, "a").await?, None)?;
    let kept = case.get(table, "b").await?;
    case.equal("its neighbour", kept, Some(b"two".to_vec()))
}

async fn keeps_tables_apart<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let named = |table: Table| put(table, "same key", table.name().as_bytes());
    case.commit(Table::ALL.into_iter().map(named).collect())
        .await?;
    case.commit(vec![delete(Table::Events, "same key")]).await?;
    for table in Table::ALL {
        let expected = (table != Table::Events).then(|| table.name().as_bytes().to_vec());
        case.equal("a record", case.get(table, "same key").await?, expected)?;
    }
    Ok(())
}

async fn keeps_every_byte<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let bytes: Vec<u8> = (0..=u8::MAX).chain((0..=u8::MAX).rev()).collect();
    let table = Table::Vectors;
    case.commit(vec![put(table, "all", &bytes), put(table, "none", b"")])
        .await?;
    case.equal("all bytes", case.get(table, "all").await?, Some(bytes))?;
    case.equal("no bytes", case.get(table, "none").await?, Some(vec![]))
}

async fn keeps_large_records<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let large: Vec<u8> = (0..=u8::MAX).cycle().take(LARGE).collect();
    let table = Table::Vectors;
    case.commit(vec![put(table, "large", &large)]).await?;
    let found = case.get(table, "large").await?;
    case.equal("a large record", found, Some(large))
}

async fn reads_many_in_the_order_asked_for<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    for table in [Table::Memories, Table::Vectors] {
        reads_many(case, table).await?;
    }
    Ok(())
}

/// Vectors may be missing: not every storage can give them at once.
async fn reads_many<S: Storage>(case: &Case<'_, S>, table: Table) -> Result<(), Failure> {
    let read = |keys: &[&str], expected: &[Option<Vec<u8>>]| {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let found = case.storage.read_many(table, &keys);
        let mut found = found.map_err(|source| case.failed(source))?;
        if table == Table::Vectors {
            for (found, expected) in found.iter_mut().zip(expected) {
                *found = found.take().or_else(|| expected.clone());
            }
        }
        Ok(found)
    };
    let none = vec![None, None];
    case.equal("an empty table", read(&["a", "b"], &none)?, none)?;
    let hostile = "\"]) --'\\\u{1F600}";
    case.commit(
        ["a", "b", "c", hostile]
            .map(|key| put(table, key, key.as_bytes()))
            .to_vec(),
    )
    .await?;
    let asked = ["c", "gone", "a", hostile, "c", "B"];
    let is_there = |key: &&str| !["gone", "B"].contains(key);
    let expected = asked.map(|key| Some(key.as_bytes().to_vec()).filter(|_| is_there(&key)));
    case.equal("many records", read(&asked, &expected)?, expected.to_vec())?;
    case.equal("no records", read(&[], &[])?, vec![])?;
    let numbers: Vec<String> = (0..1_000).map(|number| format!("{number:04}")).collect();
    let puts = numbers.iter().map(|key| put(table, key, key.as_bytes()));
    case.commit(puts.collect()).await?;
    let keys: Vec<&str> = numbers.iter().rev().map(String::as_str).collect();
    let expected = keys.iter().map(|key| Some(key.as_bytes().to_vec()));
    let expected: Vec<_> = expected.collect();
    case.equal("a thousand records", read(&keys, &expected)?, expected)
}

async fn accepts_columns<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    for table in Table::ALL {
        let value = |name: &&str| (*name != "kind").then(|| format!("{name} 'quoted' \"名\" ?1"));
        let write = |columns| Write::Put {
            table,
            key: "a".to_owned(),
            record: b"record".to_vec(),
            columns,
        };
        let columns = table.columns().iter().map(value).collect();
        case.commit(vec![write(columns), write(vec![])]).await?;
        let found = case.get(table, "a").await?;
        case.equal("a record with columns", found, Some(b"record".to_vec()))?;
    }
    Ok(())
}

async fn scans_in_the_order_of_bytes<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    // U+FF5E precedes U+1F600 in UTF-8, but follows it in UTF-16; case and accents must not fold.
    let mut keys = [
        "\u{1F600}",
        "\u{FF5E}",
        "é",
        "e",
        "f",
        "Z",
        "a",
        "B",
        "b",
        "a/2",
        "a/10",
        "a b",
        "a\0b",
        "~",
        "0",
        "",
        "日本",
        "日",
    ];
    let table = Table::History;
    case.commit(keys.iter().map(|key| put(table, key, b"")).collect())
        .await?;
    keys.sort_unstable_by_key(|key| key.as_bytes());
    let found = case.keys(table, Bound::Unbounded, 100).await?;
    case.equal("the order", found, keys.map(str::to_owned).to_vec())?;
    for pair in keys.windows(2) {
        if let [before, after] = pair {
            let found = case.keys(table, Bound::Excluded(before), 1).await?;
            case.equal("the next key", found, vec![(*after).to_owned()])?;
        }
    }
    Ok(())
}

async fn scans_within_bounds<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let table = Table::Events;
    let puts = ["a", "b", "c", "d"].map(|key| put(table, key, key.as_bytes()));
    case.commit(puts.to_vec()).await?;
    let from = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    for (bound, limit, expected) in [
        (Bound::Unbounded, 2, from(&["a", "b"])),
        (Bound::Unbounded, 4, from(&["a", "b", "c", "d"])),
        (Bound::Unbounded, usize::MAX, from(&["a", "b", "c", "d"])),
        (Bound::Unbounded, 0, from(&[])),
        (Bound::Included("b"), 2, from(&["b", "c"])),
        (Bound::Excluded("b"), 2, from(&["c", "d"])),
        (Bound::Included("bb"), 9, from(&["c", "d"])),
        (Bound::Excluded("bb"), 9, from(&["c", "d"])),
        (Bound::Included("d"), 9, from(&["d"])),
        (Bound::Excluded("d"), 9, from(&[])),
        (Bound::Excluded("z"), 9, from(&[])),
    ] {
        let found = case.keys(table, bound, limit).await?;
        case.equal("the keys after a bound", found, expected)?;
    }
    let rows = case.storage.scan(table, Bound::Included("c"), 1).await;
    let rows = rows.map_err(|source| case.failed(source))?;
    case.equal("a row", rows, vec![("c".to_owned(), b"c".to_vec())])
}

async fn pages_through_a_thousand_rows<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let table = Table::Memories;
    let keys: Vec<String> = (0..1000).map(|n| format!("{n:04}")).collect();
    // Written in another order than they are read, and over more than one commit.
    let writes: Vec<Write> = keys.iter().rev().map(|key| put(table, key, b"")).collect();
    for some in writes.chunks(300) {
        case.commit(some.to_vec()).await?;
    }
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found
            .last()
            .map_or(Bound::Unbounded, |key| Bound::Excluded(key.as_str()));
        let page = case.keys(table, after, 64).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    case.equal("the rows", found.len(), keys.len())?;
    case.equal("the rows in order", found, keys)
}

async fn applies_writes_in_order<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let table = Table::Jobs;
    case.commit(vec![
        put(table, "a", b"1"),
        put(table, "a", b"2"),
        put(table, "b", b"1"),
        delete(table, "b"),
        delete(table, "c"),
        put(table, "c", b"1"),
    ])
    .await?;
    case.equal("put, put", case.get(table, "a").await?, Some(b"2".to_vec()))?;
    case.equal("put, delete", case.get(table, "b").await?, None)?;
    let found = case.get(table, "c").await?;
    case.equal("delete, put", found, Some(b"1".to_vec()))
}

async fn clears_within_a_commit<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let all = |key: &str| Table::ALL.map(|table| put(table, key, b"")).to_vec();
    case.commit(all("old")).await?;
    let mut writes = vec![put(Table::Space, "early", b""), Write::Clear];
    writes.push(put(Table::Space, "new", b"1"));
    writes.push(delete(Table::Summaries, "old"));
    case.commit(writes).await?;
    for table in Table::ALL {
        let expected = match table {
            Table::Space => vec!["new".to_owned()],
            _ => vec![],
        };
        let found = case.keys(table, Bound::Unbounded, 10).await?;
        case.equal("what a clear left", found, expected)?;
    }
    case.commit(all("again")).await?;
    let found = case.keys(Table::Jobs, Bound::Unbounded, 10).await?;
    case.equal("a put after a clear", found, vec!["again".to_owned()])
}

async fn clears_one_table<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    let clear = |table| Write::ClearTable { table };
    let before = Table::ALL.map(|table| put(table, "old", b""));
    case.commit(before.to_vec()).await?;
    case.commit(vec![
        clear(Table::Vectors),
        put(Table::Vectors, "new", b"1"),
        clear(Table::Jobs),
        clear(Table::Jobs),
    ])
    .await?;
    for table in Table::ALL {
        let expected = match table {
            Table::Vectors => vec!["new".to_owned()],
            Table::Jobs => vec![],
            _ => vec!["old".to_owned()],
        };
        let found = case.keys(table, Bound::Unbounded, 10).await?;
        case.equal("what clearing a table left", found, expected)?;
    }
    Ok(())
}

async fn takes_an_empty_commit<S: Storage>(case: &Case<'_, S>) -> Result<(), Failure> {
    case.commit(vec![put(Table::Space, "a", b"1")]).await?;
    case.commit(vec![]).await?;
    let found = case.get(Table::Space, "a").await?;
    case.equal("a record", found, Some(b"1".to_vec()))
}

/// Sends a commit whose fourth write may be refused; then all of it must be there, or none.
async fn commits_all_or_nothing<S: Storage>(
    case: &Case<'_, S>,
) -> Result<Option<StorageError>, Failure> {
    let before = vec![
        put(Table::Memories, "a", b"old"),
        put(Table::Jobs, "b", b"old"),
    ];
    case.commit(before).await?;
    let huge = vec![7; OVERSIZE];
    let refused = |last: Write| {
        vec![
            put(Table::Memories, "a", b"new"),
            delete(Table::Jobs, "b"),
            // The first record of its table, so that a host which makes tables must unmake this one.
            put(Table::History, "c", b"new"),
            last,
            put(Table::Events, "d", b"new"),
        ]
    };
    let oversize = case
        .storage
        .commit(refused(put(Table::Vectors, "huge", &huge)))
        .await
        .err();
    let (a, b, c) = match &oversize {
        Some(_) => (Some(b"old".to_vec()), Some(b"old".to_vec()), None),
        None => (Some(b"new".to_vec()), None, Some(b"new".to_vec())),
    };
    case.equal("a put", case.get(Table::Memories, "a").await?, a)?;
    case.equal("a delete", case.get(Table::Jobs, "b").await?, b)?;
    let first = case.get(Table::History, "c").await?;
    case.equal("the first put of a table", first, c.clone())?;
    let later = case.get(Table::Events, "d").await?;
    case.equal("the write after it", later, c)?;

    if oversize.is_some() {
        let mut cleared = refused(put(Table::Vectors, "huge", &huge));
        cleared.insert(0, Write::Clear);
        let done = case.storage.commit(cleared).await;
        case.equal("the same refusal", done.err(), oversize.clone())?;
        let kept = case.get(Table::Memories, "a").await?;
        case.equal("what a clear would remove", kept, Some(b"old".to_vec()))?;
    }
    case.commit(refused(put(Table::Vectors, "small", b"")))
        .await?;
    let after = case.get(Table::History, "c").await?;
    case.equal("a commit after it", after, Some(b"new".to_vec()))?;
    Ok(oversize)
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStorage;
    use super::*;

    #[test]
    fn memory_storage_conforms() {
        let report = futures_executor::block_on(run(&MemoryStorage::new()));
        assert_eq!(report.map(|report| report.oversize), Ok(None));
    }
}
