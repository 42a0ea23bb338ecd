//! A space that opens from its pages is the space that its records make, whatever happened before and whatever
//! becomes of the pages.
#![allow(missing_docs)]

mod common;

use std::ops::Bound;

use common::Fixture;
use edgemem::memory::{Filter, Id, Message};
use edgemem::operation::{Add, Operation, Reply, Search, Transcript, Update};
use edgemem::space::Settings;
use edgemem::store::{Storage, Table, Write};
use futures_executor::block_on;
use proptest::prelude::*;

const SUBJECTS: [&str; 6] = [
    "tea",
    "rain",
    "Oslo",
    "the cello",
    "a red bicycle",
    "my sister in May 2023",
];
const VERBS: [&str; 5] = [
    "I like",
    "I forgot",
    "we saw",
    "nobody mentions",
    "she paints",
];

fn sentence(number: usize) -> String {
    let (subject, verb) = (SUBJECTS[number % 6], VERBS[number / 6 % 5]);
    format!("{verb} {subject}, said for the {number}th time.")
}

fn remember(fixture: &Fixture, first: usize, count: usize) {
    let numbers = first..first + count;
    fixture.add(Add {
        messages: numbers.map(|n| Message::user(sentence(n))).collect(),
        metadata: [("odd".to_owned(), (first % 2 == 1).into())]
            .into_iter()
            .collect(),
        infer: false,
        ..fixture.add_of("")
    });
}

/// A space of so many adds of so many messages.
fn filled(batches: usize, each: usize) -> Fixture {
    let fixture = Fixture::without_model();
    (0..batches).for_each(|batch| remember(&fixture, batch * each, each));
    fixture
}

fn rows(fixture: &Fixture, table: Table) -> Vec<(String, Vec<u8>)> {
    block_on(fixture.storage.scan(table, Bound::Unbounded, usize::MAX)).unwrap()
}

fn put(fixture: &Fixture, table: Table, key: String, record: Vec<u8>) {
    let columns = Vec::new();
    let write = Write::Put {
        table,
        key,
        record,
        columns,
    };
    block_on(fixture.storage.commit(vec![write])).unwrap();
}

/// The same records without the pages.
fn without_pages(fixture: &Fixture) -> Fixture {
    let mut copy = Fixture::without_model();
    for table in Table::ALL
        .into_iter()
        .filter(|table| *table != Table::Index)
    {
        for (key, record) in rows(fixture, table) {
            put(&copy, table, key, record);
        }
    }
    copy.reopen();
    copy
}

/// What a space answers, with scores: to questions, and as a list.
fn answers(fixture: &Fixture) -> Vec<String> {
    let mut answers: Vec<String> = fixture.transcript();
    for (query, filter) in [
        ("Who plays the cello?", Filter::all()),
        ("a red bicycle in the rain", Filter::eq("odd", true)),
        ("my sister in Oslo", Filter::eq("metadata.odd", false)),
        ("What happened in May 2023?", Filter::all()),
    ] {
        let search = Search {
            query: query.to_owned(),
            top_k: 30,
            threshold: 0.0,
            transcript: Transcript::Always,
            filter,
            ..Search::default()
        };
        match fixture.apply(Operation::Search(search)) {
            Reply::Hits(hits) => {
                answers.extend(hits.iter().map(|hit| format!("{} {hit:?}", hit.score)));
            }
            other => panic!("{other:?}"),
        }
    }
    answers
}

#[test]
fn a_space_opens_from_its_pages() {
    let mut fixture = filled(9, 37);
    let before = answers(&fixture);
    assert!(
        rows(&fixture, Table::Index)
            .iter()
            .any(|(key, _)| key == "head")
    );
    assert!(
        rows(&fixture, Table::Index)
            .iter()
            .any(|(key, _)| key.starts_with("tail/"))
    );
    fixture.reopen();
    assert_eq!(answers(&fixture), before);
    assert_eq!(answers(&without_pages(&fixture)), before);
    assert!(
        fixture.warnings.borrow().is_empty(),
        "{:?}",
        fixture.warnings
    );
}

#[test]
fn no_page_is_needed() {
    let mut fixture = filled(5, 60);
    let before = answers(&fixture);
    for (key, page) in rows(&fixture, Table::Index) {
        if key.starts_with("tail/") {
            continue;
        }
        let mut flipped = page.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let future = [&[9], &page[1..]].concat();
        for bad in [
            Some(flipped),
            Some(page[..middle].to_vec()),
            Some(Vec::new()),
            Some(future),
            None,
        ] {
            match bad {
                Some(bad) => put(&fixture, Table::Index, key.clone(), bad),
                None => {
                    let (table, key) = (Table::Index, key.clone());
                    block_on(fixture.storage.commit(vec![Write::Delete { table, key }])).unwrap();
                }
            }
            fixture.reopen();
            assert_eq!(fixture.warnings.take().len(), 1, "{key}");
            assert_eq!(answers(&fixture), before, "{key}");
            // It mended itself.
            fixture.reopen();
            assert_eq!(fixture.warnings.take(), [""; 0], "{key}");
            assert_eq!(answers(&fixture), before, "{key}");
        }
    }
}

#[test]
fn nothing_of_the_erased_stays_on_a_page() {
    let mut fixture = filled(5, 60);
    fixture.add(Add {
        infer: false,
        ..fixture.add_of("The password is qwertz.")
    });
    for batch in 5..10 {
        remember(&fixture, batch * 60, 60);
    }
    let mentions = |fixture: &Fixture| {
        let rows = rows(fixture, Table::Index);
        rows.iter()
            .any(|(_, page)| page.windows(5).any(|bytes| bytes == b"qwert"))
    };
    assert!(mentions(&fixture));
    let id = fixture.search("qwertz")[0].memory.id;
    fixture.apply(Operation::Delete { id });
    assert!(!mentions(&fixture));
    fixture.reopen();
    assert!(
        fixture
            .search("qwertz")
            .iter()
            .all(|hit| hit.memory.id != id)
    );
    assert_eq!(fixture.warnings.take(), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_history_with_any_budget_loses_nothing(
        steps in prop::collection::vec((0usize..8, 0usize..400, 1usize..60, 0usize..3), 1..24),
    ) {
        let mut fixture = Fixture::without_model();
        let mut plenty = Fixture::without_model();
        let settings = |size: usize| Settings {
            budget: (1 << 20) << (size * 2),
            ..Settings::default()
        };
        for (step, number, count, size) in steps {
            let fits = |fixture: &Fixture| match fixture.apply(Operation::Stats { digest: false }) {
                Reply::Stats(stats) => stats.bytes < stats.budget,
                other => panic!("{other:?}"),
            };
            match step {
                0..=3 if fits(&fixture) => {
                    remember(&fixture, number * 60, count);
                    remember(&plenty, number * 60, count);
                }
                4 => {
                    let filter = Filter::eq("odd", number % 2 == 1);
                    fixture.apply(Operation::DeleteAll { filter: filter.clone() });
                    plenty.apply(Operation::DeleteAll { filter });
                }
                5 => fixture.reopen(),
                _ => {
                    fixture.settings = settings(size);
                    fixture.reopen();
                }
            }
        }
        plenty.reopen();
        prop_assert_eq!(fixture.transcript(), plenty.transcript());
        for query in ["Who plays the cello?", "a red bicycle in the rain"] {
            let (found, expected) = (fixture.search(query), plenty.search(query));
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((found.score - expected.score).abs() < 2e-3);
            }
        }
        prop_assert!(fixture.warnings.borrow().is_empty());
    }

    #[test]
    fn any_history_opens_as_its_records_say(
        steps in prop::collection::vec((0usize..8, 0usize..400, 1usize..60), 1..24),
    ) {
        let mut fixture = Fixture::without_model();
        let ids = |fixture: &Fixture| -> Vec<Id> {
            fixture.memories().iter().map(|memory| memory.id).collect()
        };
        for (step, number, count) in steps {
            let known = ids(&fixture);
            match step {
                0..=3 => remember(&fixture, number * 60, count),
                4 if !known.is_empty() => {
                    fixture.apply(Operation::Update(Update {
                        id: known[number % known.len()],
                        text: Some(format!("{} Or so.", sentence(number))),
                        metadata: None,
                        time: None,
                        expires_at: None,
                    }));
                }
                5 if !known.is_empty() => {
                    for id in known.iter().skip(number % known.len()).take(count) {
                        fixture.apply(Operation::Delete { id: *id });
                    }
                }
                6 => {
                    let filter = Filter::eq("odd", number % 2 == 1);
                    fixture.apply(Operation::DeleteAll { filter });
                }
                _ => fixture.reopen(),
            }
        }
        let before = answers(&fixture);
        fixture.reopen();
        prop_assert_eq!(answers(&fixture), before.clone());
        prop_assert_eq!(answers(&without_pages(&fixture)), before);
        prop_assert!(fixture.warnings.borrow().is_empty());
    }
}
