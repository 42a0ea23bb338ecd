//! Vectors.

use super::*;

fn embed(
    script: &Rc<Script>,
    dimensions: Option<usize>,
    texts: &[String],
) -> Result<Vec<Vec<f32>>, ModelError> {
    block_on(OpenAiEmbedder::new(script.clone(), endpoint(), "e", dimensions).embed(texts))
}

fn row(index: usize, embedding: Value) -> Value {
    json!({"index": index, "embedding": embedding})
}

#[test]
fn vectors_come_in_order_and_of_unit_length() {
    let data =
        json!({"data": [row(1, json!([0, 2])), row(0, json!([3, 4])), row(2, json!([1, 1]))]});
    let script = Script::new(vec![answer(200, data)]);
    let vectors = embed(&script, None, &["a".into(), "b".into(), " ".into()]).unwrap();
    assert_eq!(vectors, [[0.6, 0.8], [0.0, 1.0], [0.0, 0.0]]);
    assert_eq!(script.bodies()[0]["input"], json!(["a", "b", "."]));
    assert!(embed(&Script::new(vec![]), None, &[]).unwrap().is_empty());
}

#[test]
fn many_texts_go_in_batches() {
    let rows = |count: usize| {
        answer(
            200,
            json!({"data": (0..count).map(|index| row(index, json!([index + 1, 0]))).collect::<Vec<_>>()}),
        )
    };
    let texts: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let script = Script::new(vec![rows(96), rows(96), rows(8)]);
    assert_eq!(embed(&script, None, &texts).unwrap().len(), 200);
    let script = Script::new(vec![rows(20), rows(5)]);
    assert_eq!(
        embed(&script, None, &vec!["ä".repeat(10_000); 25])
            .unwrap()
            .len(),
        25
    );
}

#[test]
fn a_refused_encoding_format_is_left_out() {
    let one = || answer(200, json!({"data": [row(0, json!([1]))]}));
    let script = Script::new(vec![
        refusal(400, "unknown field encoding_format"),
        one(),
        one(),
    ]);
    let model = OpenAiEmbedder::new(script.clone(), endpoint(), "e", None);
    block_on(model.embed(&["a".into()])).unwrap();
    block_on(model.embed(&["a".into()])).unwrap();
    assert!(
        script.bodies()[1..]
            .iter()
            .all(|body| body.get("encoding_format").is_none())
    );
}

#[test]
fn wrong_vectors_are_refused() {
    let two = ["a".to_owned(), "b".to_owned()];
    let cases = [
        (
            json!({"data": [row(0, json!([1]))]}),
            "1 vectors for 2 texts",
        ),
        (
            json!({"data": [row(0, json!([1])), row(0, json!([1]))]}),
            "no place for a vector with index 0",
        ),
        (
            json!({"data": [row(0, json!([1])), row(7, json!([1]))]}),
            "no place for a vector with index 7",
        ),
        (
            json!({"data": [row(0, json!([1])), row(1, json!([1, 2]))]}),
            "a vector of 2 numbers where 1 were expected",
        ),
        (
            json!({"data": [row(0, json!([1])), row(1, json!([null]))]}),
            "a vector that is empty or holds something that is not a number",
        ),
        (
            json!({"data": [row(0, json!([1])), row(1, json!([1e300]))]}),
            "a vector that is empty or holds something that is not a number",
        ),
        (
            json!({"data": [row(0, json!([1])), row(1, json!("AACAPw=="))]}),
            "a row without a list \"embedding\"",
        ),
        (json!({"object": "list"}), "no list \"data\""),
    ];
    for (body, expected) in cases {
        let error = embed(&Script::new(vec![answer(200, body)]), None, &two).unwrap_err();
        assert_eq!(
            error,
            ModelError::Unreadable {
                model: "e at http://model.test/v1".into(),
                reason: expected.into()
            }
        );
    }
    let script = Script::new(vec![answer(200, json!({"data": [row(0, json!([1]))]}))]);
    assert!(matches!(
        embed(&script, Some(2), &["a".into()]),
        Err(ModelError::Unreadable { .. })
    ));
}

#[test]
fn the_name_of_an_embedder_tells_its_vectors_apart() {
    let script = Script::new(vec![]);
    let name = |dimensions| {
        OpenAiEmbedder::new(script.clone(), endpoint(), "e", dimensions)
            .name()
            .to_owned()
    };
    assert_eq!((name(None), name(Some(256))), ("e".into(), "e/256".into()));
}
