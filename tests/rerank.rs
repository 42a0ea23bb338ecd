//! Searches whose hits a reranking model orders.
#![allow(missing_docs)]

mod common;

use std::rc::Rc;

use common::Fixture;
use edgemem::model::{ModelError, Reranker};
use edgemem::operation::{Hit, Operation, Reply, Search};
use futures_util::future::{LocalBoxFuture, ready};

/// Scores texts by their length, the shortest first; fails when asked about failure.
struct Shortest;

impl Reranker for Shortest {
    fn name(&self) -> &str {
        "shortest"
    }

    fn rerank<'a>(
        &'a self,
        query: &'a str,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<f32>, ModelError>> {
        let scores = texts.iter().map(|text| 1.0 / text.len() as f32).collect();
        Box::pin(ready(match query.contains("fail") {
            true => Err(ModelError::Refused {
                model: "shortest".into(),
            }),
            false => Ok(scores),
        }))
    }
}

fn fixture(reranker: Option<Rc<dyn Reranker>>) -> Fixture {
    let mut fixture = Fixture::without_model();
    fixture.reranker = reranker;
    fixture.reopen();
    for text in [
        "Tea, green tea, and more tea: tea is what I like.",
        "I like tea.",
        "My sister likes tea as well, with milk.",
    ] {
        fixture.say(text);
    }
    fixture
}

fn search(fixture: &Fixture, query: &str, rerank: bool, top_k: usize) -> Vec<Hit> {
    let search = Search {
        query: query.into(),
        threshold: 0.0,
        rerank,
        top_k,
        ..Search::default()
    };
    match fixture.apply(Operation::Search(search)) {
        Reply::Hits(hits) => hits,
        other => panic!("{other:?}"),
    }
}

fn texts(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.memory.text()).collect()
}

#[test]
fn the_reranker_orders_more_than_the_hits_that_were_asked_for() {
    let fixture = fixture(Some(Rc::new(Shortest)));
    let hits = search(&fixture, "Who likes green tea?", true, 1);
    assert_eq!(texts(&hits), ["I like tea."]);
    assert!(hits[0].rerank_score.is_some());
    let plain = search(&fixture, "Who likes green tea?", false, 1);
    assert!(texts(&plain)[0].contains("green"));
    assert_eq!(plain[0].rerank_score, None);
}

#[test]
fn without_a_reranker_or_when_it_fails_the_order_is_recalls_own() {
    let none = fixture(None);
    let failing = fixture(Some(Rc::new(Shortest)));
    let query = "Who will fail to like green tea?";
    let plain = search(&none, query, false, 3);
    assert_eq!(texts(&search(&none, query, true, 3)), texts(&plain));
    assert_eq!(texts(&search(&failing, query, true, 3)), texts(&plain));
    let warnings = failing.warnings.borrow();
    assert!(warnings[0].contains("shortest"), "{warnings:?}");
}
