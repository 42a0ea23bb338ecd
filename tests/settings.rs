//! What an operator sets for spaces, as users see it.
#![allow(missing_docs)]

mod common;

use std::ops::Bound;

use common::Fixture;
use edgemem::index::VectorIndexKind;
use edgemem::memory::{Filter, Message};
use edgemem::operation::{Add, Operation, Reply, Stats};
use edgemem::space::{Settings, SpaceError};
use edgemem::store::{Storage, Table, Write};
use futures_executor::block_on;

fn batch(fixture: &Fixture, number: usize) -> Add {
    let text = |at: usize| {
        format!(
            "Note {at} of the {number}th day: the tide was at {} feet.",
            at * number
        )
    };
    Add {
        messages: (0..50).map(|at| Message::user(text(at))).collect(),
        infer: false,
        ..fixture.add_of("")
    }
}

fn pages(fixture: &Fixture, kind: &str) -> Vec<(String, Vec<u8>)> {
    let rows = block_on(
        fixture
            .storage
            .scan(Table::Index, Bound::Unbounded, usize::MAX),
    );
    let rows = rows.unwrap().into_iter();
    rows.filter(|(key, _)| key.starts_with(kind)).collect()
}

fn links(fixture: &Fixture) -> Vec<(String, Vec<u8>)> {
    pages(fixture, "links/")
}

fn stats(fixture: &Fixture) -> Stats {
    match fixture.apply(Operation::Stats { digest: false }) {
        Reply::Stats(stats) => *stats,
        other => panic!("{other:?}"),
    }
}

fn found(fixture: &Fixture) -> Vec<String> {
    let hits = fixture
        .search("How high was the tide on the 7th day?")
        .into_iter();
    hits.map(|hit| format!("{:.6} {}", hit.score, hit.memory.text()))
        .collect()
}

#[test]
fn a_full_memory_refuses_more_with_what_to_do_and_keeps_all_it_has() {
    let fixture = Fixture::with_settings(Settings {
        budget: 1 << 20,
        ..Settings::default()
    });
    let mut stored = 0;
    let refused = loop {
        match fixture.try_apply(Operation::Add(Box::new(batch(&fixture, stored)))) {
            Ok(Reply::Event(event)) => drop(fixture.run(event.id)),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => break refused,
        }
        stored += 1;
    };
    assert_eq!(refused, SpaceError::Full { megabytes: 1 });
    let problem = refused.problem();
    assert_eq!((problem.status, problem.code.as_ref()), (413, "space_full"));
    assert!(problem.message.contains("EDGEMEM_SPACE_MEGABYTES"));
    assert_eq!(fixture.memories().len(), 100);
    let stats = stats(&fixture);
    assert_eq!(stats.vectors, "lean");
    assert_eq!(stats.memories, stored * 50);
    assert!(stats.bytes >= stats.budget);
    assert!(!found(&fixture).is_empty());

    fixture.apply(Operation::DeleteAll {
        filter: Filter::all(),
    });
    fixture.add(batch(&fixture, 0));
    assert_eq!(fixture.memories().len(), 50);
}

/// As many hits, as good at every place: what counts as unrelated is estimated from what a search looked at, so that
/// scores differ a little.
fn assert_alike(left: &Fixture, right: &Fixture) {
    for query in [
        "How high was the tide on the 7th day?",
        "the day of the lowest tide",
        "feet",
    ] {
        let (left, right) = (left.search(query), right.search(query));
        assert_eq!(left.len(), right.len());
        for (left, right) in left.iter().zip(&right) {
            assert!(
                (left.score - right.score).abs() < 2e-2,
                "{left:?} {right:?}"
            );
        }
    }
}

#[test]
fn when_memory_is_short_codes_stay_and_answers_stay_the_same() {
    let budget = |budget| Settings {
        budget,
        ..Settings::default()
    };
    let mut lean = Fixture::without_model();
    let mut plenty = Fixture::without_model();
    let add = |number: usize, lean: &Fixture| lean.add(batch(lean, number));
    for number in 0..24 {
        add(number, &lean);
        add(number, &plenty);
    }
    lean.reopen();
    assert_eq!(stats(&lean).vectors, "resident");
    let needed = stats(&lean).bytes;
    let short = budget(needed / 16 * 17);
    lean.settings = short;
    lean.reopen();
    assert_eq!(stats(&lean).vectors, "lean");
    assert!(stats(&lean).bytes < needed);
    assert_alike(&lean, &plenty);

    // With the next pages that are stored, those of rows go.
    assert!(!pages(&lean, "rows/").is_empty());
    for number in 24..27 {
        add(number, &lean);
        add(number, &plenty);
    }
    assert_eq!(stats(&plenty).vectors, "resident");
    assert_alike(&lean, &plenty);
    assert!(pages(&lean, "rows/").is_empty());
    assert!(!pages(&lean, "codes/").is_empty());
    assert_eq!(
        pages(&plenty, "rows/").len(),
        pages(&plenty, "codes/").len()
    );

    // It opens so, too, also from its records.
    lean.reopen();
    plenty.reopen();
    assert_eq!(stats(&lean).vectors, "lean");
    assert_alike(&lean, &plenty);
    let clear = Write::ClearTable {
        table: Table::Index,
    };
    block_on(lean.storage.commit(vec![clear])).unwrap();
    lean.reopen();
    assert_eq!(stats(&lean).vectors, "lean");
    assert_alike(&lean, &plenty);

    // With more room, rows come back, and are stored.
    lean.settings = budget(needed * 4);
    lean.reopen();
    assert_eq!(stats(&lean).vectors, "resident");
    assert_eq!(pages(&lean, "rows/").len(), pages(&lean, "codes/").len());
    assert_eq!(found(&lean), found(&plenty));
    lean.reopen();
    assert_eq!(stats(&lean).vectors, "resident");
    assert_eq!(found(&lean), found(&plenty));

    // With less again, they are left where they are.
    lean.settings = short;
    lean.reopen();
    assert_eq!(stats(&lean).vectors, "lean");
    assert_alike(&lean, &plenty);
    assert_eq!(lean.warnings.take(), [""; 0]);
}

#[test]
fn the_graph_answers_as_the_flat_index_does_and_is_loaded_from_its_pages() {
    let settings = Settings {
        vector_index: VectorIndexKind::Hnsw,
        ..Settings::default()
    };
    let mut graph = Fixture::with_settings(settings);
    let mut flat = Fixture::without_model();
    for number in 0..24 {
        graph.add(batch(&graph, number));
        flat.add(batch(&flat, number));
    }
    assert_eq!(found(&graph), found(&flat));
    assert!(!links(&graph).is_empty());
    assert!(links(&flat).is_empty());

    graph.reopen();
    flat.reopen();
    assert_eq!(found(&graph), found(&flat));

    // Damage costs the graph, nothing else.
    for (key, mut record) in links(&graph) {
        record.truncate(record.len() / 2);
        let write = Write::Put {
            table: Table::Index,
            key,
            record,
            columns: Vec::new(),
        };
        block_on(graph.storage.commit(vec![write])).unwrap();
    }
    graph.reopen();
    assert_eq!(found(&graph), found(&flat));

    // Pages tell nothing of the erased.
    let before = links(&graph);
    let erased = graph.search("tide")[0].memory.id;
    graph.apply(Operation::Delete { id: erased });
    assert_ne!(links(&graph), before);
}
