//! Storage over a store that fails, stalls or is written to by others between any two of its operations.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use edgemem::store::{Storage, StorageError, Table, Write, conformance};
use futures_executor::block_on;

use super::{AT_ONCE, BUDGET_MS, KeyValueStorage, MOST_COMMITS};
use crate::bucket::{Bucket, Failed};

/// A store, and the time that passes for all who use it.
#[derive(Debug, Clone, Default)]
struct World {
    values: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    clock: Rc<Cell<u64>>,
}

impl World {
    fn keys(&self) -> Vec<String> {
        self.values.borrow().keys().cloned().collect()
    }
}

/// What happens at an operation.
type Event = Box<dyn FnOnce()>;

/// One instance's way to a store that others use as well.
#[derive(Default)]
struct Fake {
    world: World,
    /// Operations so far.
    done: Cell<u64>,
    /// The operation at which the instance dies, and whether that one is still done.
    dies: Option<(u64, bool)>,
    /// What happens before an operation.
    event: RefCell<Option<(u64, Event)>>,
}

impl Fake {
    fn on(world: &World) -> Self {
        Self {
            world: world.clone(),
            ..Self::default()
        }
    }

    /// Counts an operation; whether it is done.
    fn step(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Result<(), Failed> {
        let number = self.done.get();
        self.done.set(number + 1);
        let due = self
            .event
            .borrow()
            .as_ref()
            .is_some_and(|(at, _)| *at == number);
        if due && let Some((_, event)) = self.event.take() {
            event();
        }
        match self.dies {
            Some((at, false)) if number >= at => Err("dead".to_owned()),
            Some((at, true)) if number > at => Err("dead".to_owned()),
            Some((at, true)) if number == at => {
                change(&mut self.world.values.borrow_mut());
                Err("dead".to_owned())
            }
            _ => {
                change(&mut self.world.values.borrow_mut());
                Ok(())
            }
        }
    }
}

impl Bucket for Fake {
    fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Failed> {
        let mut found = Vec::new();
        self.step(|values| found.extend(keys.iter().map(|key| values.get(key).cloned())))?;
        Ok(found)
    }

    fn exists(&self, key: &str) -> Result<bool, Failed> {
        let mut found = false;
        self.step(|values| found = values.contains_key(key))?;
        Ok(found)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Failed> {
        self.step(|values| drop(values.insert(key.to_owned(), value.to_vec())))
    }

    fn delete_many(&self, keys: &[String]) -> Result<(), Failed> {
        // One after the other: it is not atomic.
        for key in keys {
            self.step(|values| drop(values.remove(key)))?;
        }
        Ok(())
    }

    fn increment(&self, key: &str, by: u64) -> Result<u64, Failed> {
        let mut sum = 0;
        self.step(|values| {
            let value = values.entry(key.to_owned()).or_insert_with(|| vec![0; 8]);
            sum = u64::from_le_bytes(value.as_slice().try_into().unwrap()) + by;
            *value = sum.to_le_bytes().to_vec();
        })?;
        Ok(sum)
    }

    fn ticks(&self) -> u64 {
        self.world.clock.get()
    }

    fn pause(&self, milliseconds: u64) {
        self.world.clock.set(self.world.clock.get() + milliseconds);
    }
}

fn open(bucket: Fake) -> Result<KeyValueStorage, StorageError> {
    KeyValueStorage::open(Rc::new(bucket), "a".to_owned())
}

fn put(table: Table, key: &str, record: &[u8]) -> Write {
    Write::Put {
        table,
        key: key.to_owned(),
        record: record.to_vec(),
        columns: Vec::new(),
    }
}

fn delete(table: Table, key: &str) -> Write {
    Write::Delete {
        table,
        key: key.to_owned(),
    }
}

type Rows = BTreeMap<(Table, String), Vec<u8>>;

/// Everything that is stored.
fn rows(storage: &KeyValueStorage) -> Rows {
    let mut all = Rows::new();
    for table in Table::ALL {
        let found = block_on(storage.scan(table, Bound::Unbounded, usize::MAX)).unwrap();
        for (key, record) in found {
            let one = block_on(storage.get(table, &key)).unwrap();
            assert_eq!(one.as_ref(), Some(&record), "{table:?} {key}");
            all.insert((table, key), record);
        }
    }
    all
}

fn apply(rows: &mut Rows, writes: &[Write]) {
    for write in writes {
        match write {
            Write::Put {
                table, key, record, ..
            } => drop(rows.insert((*table, key.clone()), record.clone())),
            Write::Delete { table, key } => drop(rows.remove(&(*table, key.clone()))),
            Write::ClearTable { table } => rows.retain(|(other, _), _| other != table),
            Write::Clear => rows.clear(),
        }
    }
}

/// Commits that make roots by their number, by their size and by erasing.
fn script() -> Vec<Vec<Write>> {
    let key = |number: usize| format!("{:03}", number * 37 % 101);
    let mut script: Vec<Vec<Write>> = Vec::new();
    for number in 0..40 {
        script.push(vec![
            put(Table::Memories, &key(number), key(number).as_bytes()),
            put(Table::Jobs, &key(number), b"job"),
            delete(Table::Jobs, &key(number / 2)),
        ]);
    }
    script.push(vec![
        put(Table::Vectors, "large", &[7; 40_000]),
        put(Table::Vectors, "larger", &[8; 300_000]),
    ]);
    script.push(vec![
        delete(Table::Memories, &key(7)),
        put(Table::Space, "a", b"1"),
    ]);
    script.push(vec![Write::ClearTable { table: Table::Jobs }]);
    script.push(vec![put(Table::Jobs, "new", b"job")]);
    script.push(vec![Write::Clear, put(Table::Space, "a", b"2")]);
    script.push(vec![put(Table::Space, "b", b"3")]);
    script
}

#[test]
fn it_conforms() {
    let world = World::default();
    let storage = open(Fake::on(&world)).unwrap();
    let report = block_on(conformance::run(&storage));
    assert_eq!(report.map(|report| report.oversize), Ok(None));
    assert!(world.keys().len() <= 5, "{:?}", world.keys());
}

#[test]
fn whoever_opens_it_later_sees_every_commit() {
    let world = World::default();
    let mut expected = Rows::new();
    for writes in script() {
        let storage = open(Fake::on(&world)).unwrap();
        assert_eq!(rows(&storage), expected);
        apply(&mut expected, &writes);
        block_on(storage.commit(writes)).unwrap();
        assert_eq!(rows(&storage), expected);
    }
    assert_eq!(rows(&open(Fake::on(&world)).unwrap()), expected);
}

#[test]
fn asking_for_what_was_never_stored_leaves_nothing() {
    let world = World::default();
    let storage = open(Fake::on(&world)).unwrap();
    assert_eq!(rows(&storage), Rows::new());
    assert_eq!(storage.is_stale(), Ok(false));
    assert_eq!(world.keys(), Vec::<String>::new());
}

#[test]
fn opening_takes_few_operations() {
    let world = World::default();
    let storage = open(Fake::on(&world)).unwrap();
    for number in 0..500 {
        let key = format!("{number:03}");
        block_on(storage.commit(vec![put(Table::Memories, &key, &[1; 900])])).unwrap();
        let bucket = Rc::new(Fake::on(&world));
        KeyValueStorage::open(bucket.clone(), "a".to_owned()).unwrap();
        assert!(bucket.done.get() <= 4, "{}", bucket.done.get());
    }
    let slots = world
        .keys()
        .iter()
        .filter(|key| key.contains("slot"))
        .count();
    assert!(u64::try_from(slots).unwrap() < AT_ONCE);
}

#[test]
fn nothing_that_was_erased_is_left() {
    let world = World::default();
    let storage = open(Fake::on(&world)).unwrap();
    let secret = b"a secret".as_slice();
    let found = || {
        let values = world.values.borrow();
        let mut bytes = values.values();
        bytes.any(|bytes| bytes.windows(secret.len()).any(|some| some == secret))
    };
    for number in 0..MOST_COMMITS * 2 + 3 {
        let key = format!("{number:03}");
        let record: &[u8] = if number == 5 || number == 60 {
            secret
        } else {
            b"said"
        };
        let writes = vec![
            put(Table::Memories, &key, record),
            put(Table::History, &key, record),
        ];
        block_on(storage.commit(writes)).unwrap();
    }
    assert!(found());
    for key in ["005", "060"] {
        let writes = [Table::Memories, Table::History].map(|table| delete(table, key));
        block_on(storage.commit(writes.to_vec())).unwrap();
    }
    assert!(!found());
    assert_eq!(rows(&storage).len(), 2 * 65);
}

/// An instance dies at every operation in turn; what it was told that it stored is there, and nothing by halves.
#[test]
fn an_instance_that_dies_loses_nothing_that_was_acknowledged() {
    let script = script();
    for at in 0.. {
        let mut survived = false;
        for last_is_done in [false, true] {
            let world = World::default();
            let bucket = Fake {
                dies: Some((at, last_is_done)),
                ..Fake::on(&world)
            };
            let mut expected = Rows::new();
            let mut pending = None;
            let mut done = 0;
            if let Ok(storage) = open(bucket) {
                for writes in &script {
                    if block_on(storage.commit(writes.clone())).is_err() {
                        pending = Some(writes);
                        break;
                    }
                    apply(&mut expected, writes);
                    done += 1;
                }
            }
            survived |= done == script.len();
            let next = open(Fake::on(&world)).unwrap();
            let found = rows(&next);
            if found != expected {
                apply(&mut expected, pending.expect("nothing was pending"));
                assert_eq!(found, expected, "died at {at}");
            }
            // It goes on from there, at once, and leaves no more than it needs.
            let begun = next.bucket.ticks();
            block_on(next.commit(vec![Write::Clear])).unwrap();
            assert_eq!(next.bucket.ticks(), begun);
            assert_eq!(rows(&open(Fake::on(&world)).unwrap()), Rows::new());
            let left = world.keys();
            assert!(left.len() <= 4, "died at {at}: {left:?}");
        }
        if survived {
            assert!(at > 150, "{at}");
            return;
        }
    }
}

/// Another instance commits between any two operations of one: who is late says so, and then changed nothing.
#[test]
fn of_two_that_write_at_one_time_one_must_look_again() {
    // At the ninth a root is due; the tenth erases.
    for before in [0, 8, MOST_COMMITS - 2, MOST_COMMITS - 1, MOST_COMMITS] {
        for erases in [false, true] {
            let mut late = 0;
            for at in 0.. {
                let world = World::default();
                let mut expected = Rows::new();
                let filler = open(Fake::on(&world)).unwrap();
                for number in 0..before {
                    let writes = vec![put(Table::Memories, &number.to_string(), b"said")];
                    apply(&mut expected, &writes);
                    block_on(filler.commit(writes)).unwrap();
                }
                let other = world.clone();
                let event: Event = Box::new(move || {
                    let storage = open(Fake::on(&other)).unwrap();
                    block_on(storage.commit(vec![put(Table::Space, "other", b"1")])).unwrap();
                });
                let bucket = Fake {
                    event: RefCell::new(Some((at, event))),
                    ..Fake::on(&world)
                };
                let bucket = Rc::new(bucket);
                let mut writes = vec![put(Table::Space, "mine", b"1")];
                if erases {
                    writes.push(delete(Table::Memories, "0"));
                }
                let storage = KeyValueStorage::open(bucket.clone(), "a".to_owned());
                let outcome = storage.and_then(|storage| block_on(storage.commit(writes.clone())));
                let happened = bucket.event.borrow().is_none();
                match outcome {
                    Ok(()) => apply(&mut expected, &writes),
                    Err(_) => late += 1,
                }
                if happened {
                    expected.insert((Table::Space, "other".to_owned()), b"1".to_vec());
                }
                let found = rows(&open(Fake::on(&world)).unwrap());
                assert_eq!(found, expected, "at {at} after {before}");
                if !happened {
                    break;
                }
            }
            assert!(late > 0);
        }
    }
}

/// An instance stalls between two operations for longer than others wait: it is not told that it stored anything
/// that they went on without, and what it left can be read.
#[test]
fn who_stalls_too_long_is_not_told_that_it_wrote() {
    for (before, others_write) in [
        (0, true),
        (0, false),
        (MOST_COMMITS, true),
        (MOST_COMMITS, false),
    ] {
        let mut stalled = 0;
        for at in 0.. {
            let world = World::default();
            let filler = open(Fake::on(&world)).unwrap();
            for number in 0..before {
                let writes = vec![put(Table::Memories, &number.to_string(), b"said")];
                block_on(filler.commit(writes)).unwrap();
            }
            let other = world.clone();
            let event: Event = Box::new(move || {
                other.clock.set(other.clock.get() + BUDGET_MS + 1);
                if others_write {
                    let storage = open(Fake::on(&other)).unwrap();
                    block_on(storage.commit(vec![put(Table::Space, "other", b"1")])).unwrap();
                }
            });
            let bucket = Rc::new(Fake {
                event: RefCell::new(Some((at, event))),
                ..Fake::on(&world)
            });
            let storage = KeyValueStorage::open(bucket.clone(), "a".to_owned());
            let writes = vec![put(Table::Space, "mine", b"1")];
            let outcome = storage.and_then(|storage| block_on(storage.commit(writes)));
            let happened = bucket.event.borrow().is_none();
            let next = open(Fake::on(&world)).unwrap();
            let found = rows(&next);
            let has = |key: &str| found.contains_key(&(Table::Space, key.to_owned()));
            assert!(outcome.is_err() || has("mine"), "at {at} after {before}");
            assert_eq!(
                has("other"),
                happened && others_write,
                "at {at} after {before}"
            );
            assert_eq!(
                found
                    .keys()
                    .filter(|(table, _)| *table == Table::Memories)
                    .count() as u64,
                before
            );
            block_on(next.commit(vec![Write::Clear])).unwrap();
            assert!(
                world.keys().len() <= 4,
                "at {at} after {before}: {:?}",
                world.keys()
            );
            stalled += u32::from(outcome.is_err());
            if !happened {
                break;
            }
        }
        assert!(stalled > 0);
    }
}

#[test]
fn an_instance_notices_that_another_wrote() {
    let world = World::default();
    let kept = open(Fake::on(&world)).unwrap();
    let mine = vec![put(Table::Space, "mine", b"1")];
    block_on(kept.commit(mine.clone())).unwrap();
    assert_eq!((kept.is_stale(), kept.commits()), (Ok(false), 1));
    let other = open(Fake::on(&world)).unwrap();
    block_on(other.commit(vec![put(Table::Space, "other", b"1")])).unwrap();
    assert_eq!((kept.is_stale(), kept.was_late()), (Ok(true), false));
    assert!(block_on(kept.commit(mine)).is_err());
    assert_eq!((kept.was_late(), kept.commits()), (true, 1));
    assert_eq!(rows(&open(Fake::on(&world)).unwrap()).len(), 2);
}
