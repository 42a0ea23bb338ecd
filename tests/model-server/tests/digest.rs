//! The sample conversation, told to a space natively, leaves exactly what it leaves on every other host.
#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing)]

#[allow(dead_code, reason = "the stories use the rest")]
#[path = "stories/replay.rs"]
mod replay;

use std::path::Path;
use std::rc::Rc;

use edgemem::memory::{Message, Moment};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::operation::{Add, EventStatus, Operation, Reply};
use model_server::cassette::Library;
use replay::Stage;
use serde::Deserialize;

#[derive(Deserialize)]
struct Sample {
    sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Session {
    time: Moment,
    messages: Vec<Message>,
}

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    std::fs::read_to_string(&path).expect("a file of the sample")
}

#[test]
fn the_sample_leaves_the_same_on_every_host() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = std::fs::read(root.join("models/builtin.bin")).expect("the table");
    let embedder = Rc::new(StaticEmbedder::from_bytes(table).expect("an embedder"));
    let stage = Stage::new(&embedder);
    let library = Library::read(&root.join("samples/cassettes")).expect("replies");
    stage.replay(&library.entries);
    let sample: Sample =
        serde_json::from_str(&text("samples/conversation.json")).expect("the sample");
    for session in sample.sessions {
        stage.set_time(session.time);
        let add = Add {
            scope: stage.scope.clone(),
            messages: session.messages,
            infer: true,
            time: Some(session.time),
            ..Add::default()
        };
        let accepted = stage.apply(Operation::Add(Box::new(add)));
        let Ok(Reply::Event(event)) = accepted else {
            panic!("{accepted:?}")
        };
        let id = event.id;
        for event in [Some(id), None] {
            stage.apply(Operation::RunJobs { event }).expect("a run");
        }
        let ended = stage.apply(Operation::Event { id });
        assert!(
            matches!(&ended, Ok(Reply::Event(event)) if event.status == EventStatus::Succeeded),
            "{ended:?}"
        );
    }
    let digest = stage.digest();
    let expected: serde_json::Value =
        serde_json::from_str(&text("samples/digest.json")).expect("the digest");
    assert_eq!(
        expected["digest"], digest,
        "when what is stored was meant to change, write this one into samples/digest.json"
    );
}
