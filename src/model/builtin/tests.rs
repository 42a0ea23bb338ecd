//! The file as it is committed, and files that are not it.

use std::sync::OnceLock;

use futures_executor::block_on;
use serde::Deserialize;

use super::*;
use crate::compact::crc32;

const FILE: &[u8] = include_bytes!("../../../models/builtin.bin");
const FIXTURE: &str = include_str!("../../../models/fixtures/builtin.json");

#[derive(Deserialize)]
struct Fixture {
    tokens: Vec<Tokens>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Tokens {
    text: String,
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Vector {
    text: String,
    start: Vec<f32>,
}

fn embedder() -> &'static StaticEmbedder {
    static EMBEDDER: OnceLock<StaticEmbedder> = OnceLock::new();
    EMBEDDER.get_or_init(|| StaticEmbedder::from_bytes(FILE).unwrap())
}

fn fixture() -> Fixture {
    serde_json::from_str(FIXTURE).unwrap()
}

fn cosine(a: &str, b: &str) -> f32 {
    let (a, b) = (embedder().embed_one(a), embedder().embed_one(b));
    a.iter().zip(&b).map(|(x, y)| x * y).sum()
}

/// The file with some bytes of its body changed and the checksum made right again.
fn with_body(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = FILE[16..].to_vec();
    change(&mut body);
    let checksum = crc32(&body).to_le_bytes();
    [&FILE[..12], &checksum, &body].concat()
}

fn error_of(bytes: Vec<u8>) -> BuiltinError {
    StaticEmbedder::from_bytes(bytes).unwrap_err()
}

#[test]
fn tokens_are_those_of_the_original_tokenizer() {
    for Tokens { text, ids } in fixture().tokens {
        assert_eq!(embedder().tokenizer().encode(&text), ids, "{text:?}");
    }
}

#[test]
fn vectors_are_those_of_the_table() {
    for Vector { text, start } in fixture().vectors {
        let vector = embedder().embed_one(&text);
        for (ours, theirs) in vector.iter().zip(&start) {
            assert!((ours - theirs).abs() < 1e-5, "{text:?}: {ours} {theirs}");
        }
    }
}

#[test]
fn vectors_have_the_same_bits_on_every_host() {
    let vector = embedder().embed_one("My sister's wedding is on the 3rd of June in Porto.");
    let bits: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(crc32(&bits), 621_432_572);
}

#[test]
fn a_batch_has_one_unit_vector_for_each_text_and_zeros_for_what_says_nothing() {
    let texts = ["Anna plays the violin.", "", "?! 🎉", "我昨天在北京"].map(String::from);
    let vectors = block_on(embedder().embed(&texts)).unwrap();
    let norms: Vec<f32> = vectors
        .iter()
        .map(|v| v.iter().map(|x| x * x).sum::<f32>().sqrt())
        .collect();
    assert!(vectors.iter().all(|v| v.len() == embedder().dimensions()));
    assert!((norms[0] - 1.0).abs() < 1e-5 && (norms[3] - 1.0).abs() < 1e-5);
    assert_eq!((norms[1], norms[2]), (0.0, 0.0));
}

#[test]
fn texts_on_one_subject_are_nearer_than_others() {
    let question = "Which pets does she have?";
    let related = cosine(question, "Maria adopted a puppy and two cats.");
    let unrelated = cosine(question, "The train to Vienna was three hours late.");
    assert!(related > unrelated + 0.1, "{related} {unrelated}");
    assert!(cosine("I moved to Berlin", "I MOVED to Bérlin!") > 0.999);
}

#[test]
fn the_name_says_which_table_made_the_vectors() {
    assert_eq!(embedder().name(), "builtin-minilm-static-256@1");
    assert_eq!(embedder().dimensions(), 256);
}

#[test]
fn another_file_is_refused() {
    assert_eq!(
        error_of(b"<!doctype html>\n".to_vec()),
        BuiltinError::NotATable
    );
    assert_eq!(error_of(Vec::new()), BuiltinError::Damaged);
}

#[test]
fn a_file_of_the_future_is_refused_with_its_version() {
    let mut bytes = FILE.to_vec();
    bytes[8] = 2;
    assert_eq!(error_of(bytes), BuiltinError::Version { found: 2 });
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let cuts = (0..64).chain([300, 240_000, 400_000, FILE.len() - 1]);
    for length in cuts {
        let error = error_of(FILE[..length].to_vec());
        assert_eq!(error, BuiltinError::Damaged, "{length}");
    }
    assert_eq!(error_of([FILE, b"x"].concat()), BuiltinError::Damaged);
}

#[test]
fn a_changed_bit_is_noticed() {
    for at in [12, 16, 40, 100_000, FILE.len() - 1] {
        let mut bytes = FILE.to_vec();
        bytes[at] ^= 0x10;
        assert_eq!(error_of(bytes), BuiltinError::Damaged, "{at}");
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused_whatever_the_checksum_says() {
    for field in 0..4 {
        for size in [0, 1, 255, 30_523, u32::MAX] {
            let bytes = with_body(|body| {
                body[field * 4..field * 4 + 4].copy_from_slice(&size.to_le_bytes());
            });
            StaticEmbedder::from_bytes(bytes).unwrap_err();
        }
    }
}

#[test]
fn a_vocabulary_with_one_token_twice_is_refused() {
    let bytes = with_body(|body| {
        let at = body.windows(9).position(|w| w == b"\n[unused1").unwrap();
        body[at + 8] = b'0';
    });
    assert_eq!(error_of(bytes), BuiltinError::Vocabulary);
}

#[test]
fn scales_are_numbers_between_zero_and_one() {
    for scale in [f32::NAN, f32::INFINITY, -0.5, 1.5] {
        let bytes = with_body(|body| {
            let size = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().unwrap());
            let at = 16 + size(8) as usize + size(12) as usize;
            body[at..at + 4].copy_from_slice(&scale.to_le_bytes());
        });
        assert_eq!(error_of(bytes), BuiltinError::Damaged, "{scale}");
    }
}
