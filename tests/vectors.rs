//! What a space does when its embedder changes its mind.
#![allow(missing_docs)]

mod common;

use std::cell::Cell;
use std::rc::Rc;

use common::{TestHost, is_done};
use edgemem::memory::{Message, Owner, OwnerKind, Scope};
use edgemem::model::{Embedder, ModelError};
use edgemem::operation::{Add, Event, EventStatus, Operation, Reply, Search};
use edgemem::space::{Models, Settings, Space};
use edgemem::store::MemoryStorage;
use futures_executor::block_on;
use futures_util::future::{LocalBoxFuture, ready};

/// An embedder that keeps its name while its vectors change their length, as a server does whose
/// model was exchanged.
struct Fickle(Cell<usize>);

impl Embedder for Fickle {
    fn name(&self) -> &str {
        "fickle"
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> {
        let vector = vec![1.0; self.0.get()];
        Box::pin(ready(Ok(vec![vector; texts.len()])))
    }
}

/// An embedder whose vectors are as long as the text says: `7 tea` is seven times as long as `1 tea`.
struct Unscaled;

impl Embedder for Unscaled {
    fn name(&self) -> &str {
        "unscaled"
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> {
        let vector = |text: &String| {
            let (length, word) = text.split_once(' ').unwrap();
            let length: f32 = length.parse().unwrap();
            let side = if word == "tea" { 0.0 } else { 0.5 };
            vec![length, length * side, 0.0, 0.0]
        };
        Box::pin(ready(Ok(texts.iter().map(vector).collect())))
    }
}

#[test]
fn a_vector_ranks_by_its_direction_whatever_its_length() {
    let host = TestHost {
        settings: Settings::default(),
        storage: Rc::default(),
        clock: Rc::new(Cell::new(1_767_225_600_000)),
        random: Cell::new(7),
        warnings: Rc::default(),
    };
    let models = Models {
        chat: None,
        embedder: Rc::new(Unscaled),
        reranker: None,
        files: None,
    };
    let owner = Owner::new(OwnerKind::User, "alice");
    let space = block_on(Space::open(host, models, owner.space_hash())).unwrap();
    for text in ["0.001 tea", "1000 coffee"] {
        assert!(is_done(&add(&space, text)));
    }
    let search = Search {
        query: "20 tea".into(),
        threshold: 0.0,
        ..Search::default()
    };
    let Reply::Hits(hits) = block_on(space.apply(Operation::Search(search))).unwrap() else {
        panic!("no hits")
    };
    assert_eq!(hits[0].memory.text(), "0.001 tea");
    let cosine = |at: usize| {
        let mut channels = hits[at].receipt.channels.iter();
        channels.find(|c| c.channel == "vector").unwrap().raw
    };
    assert!((cosine(0) - 1.0).abs() < 1e-5, "{}", cosine(0));
    assert!((cosine(1) - 0.8f32.sqrt()).abs() < 1e-5, "{}", cosine(1));
}

fn event(space: &Space<TestHost>, operation: Operation) -> Event {
    match block_on(space.apply(operation)).unwrap() {
        Reply::Event(event) => *event,
        other => panic!("{other:?}"),
    }
}

fn add(space: &Space<TestHost>, text: &str) -> Event {
    let mut scope = Scope::default();
    scope.set(OwnerKind::User, "alice".into());
    let add = Add {
        scope,
        messages: vec![Message::user(text)],
        infer: false,
        ..Add::default()
    };
    let accepted = event(space, Operation::Add(Box::new(add)));
    let id = accepted.id;
    block_on(space.apply(Operation::RunJobs { event: Some(id) })).unwrap();
    event(space, Operation::Event { id })
}

#[test]
fn vectors_of_another_length_delay_an_add_and_break_nothing() {
    let storage = Rc::new(MemoryStorage::new());
    let clock = Rc::new(Cell::new(1_767_225_600_000));
    let embedder = Rc::new(Fickle(Cell::new(4)));
    let open = || {
        let host = TestHost {
            settings: Settings::default(),
            storage: Rc::clone(&storage),
            clock: Rc::clone(&clock),
            random: Cell::new(7),
            warnings: Rc::default(),
        };
        let models = Models {
            chat: None,
            embedder: Rc::clone(&embedder) as Rc<dyn Embedder>,
            reranker: None,
            files: None,
        };
        let owner = Owner::new(OwnerKind::User, "alice");
        block_on(Space::open(host, models, owner.space_hash())).unwrap()
    };

    let space = open();
    assert!(is_done(&add(&space, "I like tea.")));

    embedder.0.set(8);
    let refused = add(&space, "I like coffee.");
    assert_eq!(refused.status, EventStatus::Pending);
    let reason = refused.error.unwrap().message;
    assert!(
        reason.contains("fickle") && reason.contains('8'),
        "{reason}"
    );
    assert!(refused.retry_at.is_some());

    embedder.0.set(4);
    let space = open();
    let id = refused.id;
    block_on(space.apply(Operation::RunJobs { event: Some(id) })).unwrap();
    assert!(is_done(&event(&space, Operation::Event { id })));
}
