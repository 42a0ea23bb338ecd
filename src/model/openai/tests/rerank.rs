//! Reranking.

use super::*;
use crate::model::Reranker;

fn rerank(script: &Rc<Script>, texts: &[&str]) -> Result<Vec<f32>, ModelError> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let model = RerankModel::new(script.clone(), endpoint(), "r");
    block_on(model.rerank("which?", &texts))
}

#[test]
fn scores_come_in_the_order_of_the_texts() {
    let of = |name: &str| json!([{"index": 1, name: 0.9}, {"index": 0, name: 0.2}]);
    for body in [
        json!({"results": of("relevance_score")}),
        json!({"data": of("relevance_score")}),
        of("score"),
    ] {
        let script = Script::new(vec![answer(200, body)]);
        assert_eq!(rerank(&script, &["a", "b"]), Ok(vec![0.2, 0.9]));
        let asked = &script.bodies()[0];
        assert_eq!(
            asked,
            &json!({"model": "r", "query": "which?", "documents": ["a", "b"]})
        );
    }
}

#[test]
fn what_is_left_out_comes_last_and_nonsense_is_an_error() {
    let script = Script::new(vec![answer(
        200,
        json!({"results": [{"index": 1, "relevance_score": 0.1}]}),
    )]);
    let scores = rerank(&script, &["a", "b"]).unwrap();
    assert!(scores[0] < scores[1]);
    for body in [
        json!({"scores": 1}),
        json!({"results": [{"index": 7, "relevance_score": 1.0}]}),
        json!({"results": [{"index": 0}]}),
    ] {
        let script = Script::new(vec![answer(200, body)]);
        let error = rerank(&script, &["a"]).unwrap_err();
        assert_eq!(error.code(), "model_unreadable");
    }
    let script = Script::new(vec![refusal(400, "no such model")]);
    assert_eq!(
        rerank(&script, &["a"]).unwrap_err().code(),
        "model_rejected"
    );
}
