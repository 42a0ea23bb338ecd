use std::ops::Bound;

use futures_executor::block_on;
use futures_util::future::LocalBoxFuture;
use proptest::prelude::*;

use super::*;
use crate::memory::SpaceHash;
use crate::store::conformance;

/// A storage that packs, over rows in memory.
#[derive(Default)]
struct Packing {
    rows: MemoryStorage,
    packed: Packed,
}

impl Packing {
    fn reopened(&self) -> Packed {
        let packed = Packed::default();
        packed.fill(all(&self.rows)).unwrap();
        packed
    }
}

fn all(storage: &MemoryStorage) -> Vec<Entry> {
    block_on(storage.scan(Table::Memories, Bound::Unbounded, usize::MAX)).unwrap()
}

impl Storage for Packing {
    fn get<'a>(
        &'a self,
        table: Table,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        match table {
            Table::Memories => Box::pin(std::future::ready(self.packed.read(key))),
            _ => self.rows.get(table, key),
        }
    }

    fn read(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match table {
            Table::Memories => self.packed.read(key),
            _ => self.rows.read(table, key),
        }
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        after: Bound<&'a str>,
        limit: usize,
    ) -> LocalBoxFuture<'a, Result<Vec<Entry>, StorageError>> {
        match table {
            Table::Memories => self.packed.memories().unwrap().scan(table, after, limit),
            _ => self.rows.scan(table, after, limit),
        }
    }

    fn commit(&self, writes: Vec<Write>) -> LocalBoxFuture<'_, Result<(), StorageError>> {
        let (rows, packing) = self.packed.pack(writes).unwrap();
        self.rows.apply(rows);
        self.packed.apply(packing);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn id(sequence: u32) -> String {
    Id::new(SpaceHash::of(&["ada"]), sequence, u64::from(sequence) * 7).to_string()
}

fn delete(key: String) -> Write {
    let table = Table::Memories;
    Write::Delete { table, key }
}

#[test]
fn a_storage_that_packs_is_a_storage() {
    let storage = Packing::default();
    block_on(conformance::run(&storage)).unwrap();
    assert!(all(&storage.rows).is_empty());
}

#[test]
fn many_memories_share_a_row() {
    let storage = Packing::default();
    for sequence in 0..200 {
        block_on(storage.commit(vec![put(id(sequence), vec![1, 2, 3])])).unwrap();
    }
    assert_eq!(all(&storage.rows).len(), 4);
    assert_eq!(all(storage.reopened().memories().unwrap()).len(), 200);
}

#[test]
fn rows_of_one_memory_are_packed_by_the_next_change() {
    let storage = Packing::default();
    let old = (0..100).map(|sequence| (id(sequence), vec![1, 9]));
    storage.rows.extend(Table::Memories, old.collect());
    let storage = Packing {
        packed: storage.reopened(),
        rows: storage.rows,
    };
    assert_eq!(all(storage.packed.memories().unwrap()).len(), 100);
    block_on(storage.commit(vec![put(id(100), vec![1, 9])])).unwrap();
    assert_eq!(all(&storage.rows).len(), 2);
    assert_eq!(all(storage.reopened().memories().unwrap()).len(), 101);
}

#[test]
fn a_row_that_cannot_be_read_is_an_error() {
    let storage = Packing::default();
    block_on(storage.commit(vec![put(id(1), vec![1, 2, 3])])).unwrap();
    let (key, row) = all(&storage.rows).remove(0);
    for length in [0, 5, 20, row.len() - 1] {
        let cut = (key.clone(), row[..length].to_vec());
        let packed = Packed::default();
        packed.fill([cut]).unwrap();
        // Each time, as to find nothing there would be another answer, and to write the row again a loss.
        for _ in 0..2 {
            let asked = [
                packed.read(&id(1)).map(drop),
                packed.memories().map(drop),
                packed.pack(vec![put(id(2), vec![1])]).map(drop),
            ];
            for error in asked.map(Result::unwrap_err) {
                assert!(error.to_string().ends_with("is damaged"), "{error}");
            }
        }
        // Of what is not in it, nothing is wrong.
        assert_eq!(packed.read(&id(ROW)), Ok(None));
    }
    let error = Packed::default()
        .fill([(key, vec![VERSION + 1, 0])])
        .unwrap_err();
    assert!(error.to_string().contains("newer edgemem"), "{error}");
}

/// Records on both sides of the limit, for ids of three rows and a key that is none.
fn write() -> impl Strategy<Value = Write> {
    let key = prop_oneof![
        (0u32..150).prop_map(id),
        Just("no id".to_owned()),
        Just(id(3).to_uppercase())
    ];
    let length = prop_oneof![9 => 1usize..40, 1 => Just(LONGEST + 1)];
    let table = Table::Memories;
    prop_oneof![
        6 => (key.clone(), length).prop_map(|(key, length)| put(key, vec![1; length])),
        3 => key.prop_map(delete),
        1 => prop_oneof![Just(Write::ClearTable { table }), Just(Write::Clear)],
    ]
}

proptest! {
    #[test]
    fn what_is_stored_opens_as_what_was_written(
        old in prop::collection::btree_map((0u32..150).prop_map(id), Just(vec![1u8, 2]), 0..20),
        commits in prop::collection::vec(prop::collection::vec(write(), 1..6), 0..20),
    ) {
        let storage = Packing::default();
        storage.rows.extend(Table::Memories, old.clone().into_iter().collect());
        let storage = Packing { packed: storage.reopened(), rows: storage.rows };
        let plain = MemoryStorage::new();
        plain.extend(Table::Memories, old.into_iter().collect());
        for writes in commits {
            block_on(storage.commit(writes.clone())).unwrap();
            plain.apply(writes);
            prop_assert_eq!(all(storage.packed.memories().unwrap()), all(&plain));
            prop_assert_eq!(all(storage.reopened().memories().unwrap()), all(&plain));
        }
    }
}
