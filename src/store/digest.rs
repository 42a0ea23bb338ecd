//! A hash of what is stored, to compare hosts by.

use std::ops::Bound;

use super::{Storage, StorageError, Table, USAGE_KEY};

/// Records that are read at a time.
const PAGE: usize = 1_000;

/// What is no memory: made of the others, on its way to a directory, or a directory's own.
const LEFT_OUT: [Table; 3] = [Table::Index, Table::Outbox, Table::Directory];

/// BLAKE3 over every record of every table that holds memory, not of the index, which is made of the others, nor of
/// what is for a directory, nor of what the LLM cost, which not every host counts: 64 hex digits. Tables come in the order of [`Table::ALL`], each by its name, records in the
/// order of their keys, each as key and record; every part has its length before it, as 8 bytes, the lowest first.
///
/// # Errors
/// When the storage fails.
pub async fn digest(storage: &impl Storage) -> Result<String, StorageError> {
    let mut hasher = blake3::Hasher::new();
    let mut take = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    for table in Table::ALL {
        if LEFT_OUT.contains(&table) {
            continue;
        }
        take(table.name().as_bytes());
        let mut last: Option<String> = None;
        loop {
            let after = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let rows = storage.scan(table, after, PAGE).await?;
            for (key, record) in &rows {
                if table == Table::Space && key == USAGE_KEY {
                    continue;
                }
                take(key.as_bytes());
                take(record);
            }
            match rows.into_iter().last() {
                Some((key, _)) => last = Some(key),
                None => break,
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::store::{MemoryStorage, Write};

    fn of(rows: &[(Table, &str, &[u8])]) -> String {
        let storage = MemoryStorage::new();
        let writes = rows.iter().map(|(table, key, record)| Write::Put {
            table: *table,
            key: (*key).to_owned(),
            record: record.to_vec(),
            columns: Vec::new(),
        });
        block_on(storage.commit(writes.collect())).unwrap();
        block_on(digest(&storage)).unwrap()
    }

    #[test]
    fn every_record_counts_but_those_of_the_index_and_what_is_for_a_directory() {
        let (memory, event) = (Table::Memories, Table::Events);
        let rows: [(Table, &str, &[u8]); 2] = [(memory, "a", b"1"), (event, "b", b"2")];
        let mut turned = rows;
        turned.reverse();
        assert_eq!(of(&rows), of(&turned));
        assert_eq!(
            of(&rows),
            of(&[
                rows[0],
                rows[1],
                (Table::Index, "c", b"3"),
                (Table::Outbox, "d", b"4")
            ])
        );
        for other in [
            vec![rows[0]],
            vec![rows[0], (event, "b", b"3")],
            vec![rows[0], (event, "b2", b"")],
            vec![rows[0], (Table::Jobs, "b", b"2")],
        ] {
            assert_ne!(of(&rows), of(&other));
        }
    }
}
