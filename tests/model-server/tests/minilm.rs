//! The embeddings against the similarities that the model's authors publish for it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod client;

use client::Client;
use model_server::Options;
use serde_json::{Value, json};

const TEXTS: [&str; 3] = [
    "The weather is lovely today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
];

fn vectors(body: &Value) -> Vec<Vec<f64>> {
    body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| serde_json::from_value(item["embedding"].clone()).unwrap())
        .collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[test]
#[ignore = "needs the weights: MINILM=FOLDER cargo test -p model-server -- --ignored"]
fn similarities_are_the_published_ones() {
    let client = Client::with(Options {
        minilm: Some(std::env::var("MINILM").expect("MINILM").into()),
        ..Options::default()
    });
    // Enough texts to be spread over batches and threads.
    let many: Vec<&str> = TEXTS.iter().copied().cycle().take(300).collect();
    let (status, body) = client.post("/v1/embeddings", &json!({"model": "m", "input": many}));
    assert_eq!(status, 200);
    let found = vectors(&body);
    assert!(found.iter().all(|vector| vector.len() == 384));
    for (a, b, published) in [(0, 0, 1.0), (0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411)] {
        let similarity = cosine(&found[a], &found[297 + b]);
        assert!(
            (similarity - published).abs() < 1e-3,
            "{similarity} {published}"
        );
    }
}
