//! What an operator sets for spaces, as users see it.
#![allow(missing_docs)]

mod common;

use std::ops::Bound;

use common::Fixture;
use edgemem::index::VectorIndexKind;
use edgemem::memory::{Filter, Message};
use edgemem::operation::{Add, Operation, Reply};
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

fn links(fixture: &Fixture) -> Vec<(String, Vec<u8>)> {
    let rows = block_on(
        fixture
            .storage
            .scan(Table::Index, Bound::Unbounded, usize::MAX),
    );
    let rows = rows.unwrap().into_iter();
    rows.filter(|(key, _)| key.starts_with("links/")).collect()
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
    let Reply::Stats(stats) = fixture.apply(Operation::Stats) else {
        panic!("no stats")
    };
    assert_eq!(stats.memories, stored * 50);
    assert!(stats.bytes >= stats.budget);
    assert!(!found(&fixture).is_empty());

    fixture.apply(Operation::DeleteAll {
        filter: Filter::all(),
    });
    fixture.add(batch(&fixture, 0));
    assert_eq!(fixture.memories().len(), 50);
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
