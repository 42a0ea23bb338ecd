//! Files in messages: fetched from a scripted network, looked at by a scripted model.
#![allow(missing_docs)]

mod common;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Bound;
use std::rc::Rc;

use common::{Answer, Fixture, facts, is_done};
use edgemem::memory::{ChangeKind, File, FileKind, FileSource, Filter, Message};
use edgemem::model::files::{Files, Origins};
use edgemem::model::{Http, HttpError, ModelError, Request, Response, Turn};
use edgemem::operation::{Add, Attachment, Event, EventStatus, Operation, Reply};
use edgemem::store::{Storage, Table};
use futures_executor::block_on;
use futures_util::future::LocalBoxFuture;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and more";
const HOUR: i64 = 3_600_000;

type Answered = Result<Response, HttpError>;

/// A network that gives the answers of a list.
#[derive(Default)]
struct Network {
    answers: RefCell<VecDeque<Answered>>,
}

impl Network {
    fn then(&self, status: u16, body: impl Into<Vec<u8>>) {
        let response = Response {
            status,
            headers: Vec::new(),
            body: body.into(),
        };
        self.answers.borrow_mut().push_back(Ok(response));
    }
}

impl Http for Network {
    fn send(&self, _: Request, _: u64) -> LocalBoxFuture<'_, Answered> {
        let answer = self.answers.borrow_mut().pop_front();
        Box::pin(async { answer.expect("nothing more is fetched") })
    }

    fn sleep(&self, _: u64) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn jitter(&self) -> f64 {
        0.0
    }
}

/// A space that fetches over the network.
fn online(mut fixture: Fixture) -> (Fixture, Rc<Network>) {
    let network = Rc::new(Network::default());
    let files = Files::new(network.clone(), Origins::default());
    fixture.files = Some(Rc::new(files));
    fixture.reopen();
    (fixture, network)
}

fn url(kind: FileKind, name: &str) -> File {
    File {
        kind,
        source: FileSource::Url(format!("https://example.com/{name}?token=secret")),
        placeholder: format!("[{}: https://example.com/{name}]", kind.as_str()),
    }
}

fn image() -> File {
    url(FileKind::Image, "cat.png")
}

fn text() -> File {
    url(FileKind::Text, "notes.txt")
}

/// An add of one message for each file, which has the words and the file.
fn with(fixture: &Fixture, said: &[(&str, File)]) -> Add {
    let messages = said.iter().map(|(words, file)| {
        let content = format!("{words}\n{}", file.placeholder);
        Message::user(content.trim())
    });
    let files = said.iter().enumerate();
    Add {
        messages: messages.collect(),
        attachments: files
            .map(|(message, (_, file))| Attachment {
                message,
                file: file.clone(),
            })
            .collect(),
        ..fixture.add_of("")
    }
}

fn note(event: &Event) -> &str {
    event.note.as_deref().unwrap_or_default()
}

#[test]
fn facts_are_extracted_from_what_files_show() {
    let (fixture, network) = online(Fixture::new());
    network.then(200, PNG);
    network.then(200, "The gate code is 4711.");
    fixture
        .script
        .then(Answer::Text("A grey cat on a red sofa.".into()));
    fixture
        .script
        .then(facts(&["User's cat is grey", "The gate code is 4711"]));
    let add = with(&fixture, &[("My cat:", image()), ("", text())]);
    let event = fixture.add(add);
    assert!(is_done(&event), "{event:?}");
    assert_eq!(event.note, None);
    assert_eq!(
        fixture.texts(),
        ["The gate code is 4711", "User's cat is grey"]
    );
    let said = [
        "My cat:\n[image cat.png: A grey cat on a red sofa.]",
        "[text notes.txt: The gate code is 4711.]",
    ];
    let transcript = fixture.transcript();
    assert_eq!(
        transcript
            .iter()
            .filter(|text| said.contains(&text.as_str()))
            .count(),
        2,
        "{transcript:?}"
    );
    let hits = fixture.search("Which colour has the sofa?");
    assert!(
        hits.iter()
            .any(|hit| hit.memory.text().contains("red sofa"))
    );

    let asked = fixture.script.asked.borrow();
    let Turn::Shown { text, file } = &asked[0].turns[0] else {
        panic!("{:?}", asked[0])
    };
    assert_eq!(file.media_type, "image/png");
    assert!(text.contains("My cat:") && text.contains("cat.png") && !text.contains("secret"));
    let Turn::User(prompt) = &asked[1].turns[0] else {
        panic!("{:?}", asked[1])
    };
    assert!(prompt.contains("A grey cat on a red sofa.") && prompt.contains("4711"));
}

#[test]
fn what_cannot_be_read_is_noted_and_holds_nothing_up() {
    let refused = |status| {
        Answer::Error(ModelError::Rejected {
            model: "m".into(),
            status,
            reason: "no images".into(),
        })
    };
    for (status, body, seen, expected) in [
        (404, &b"gone"[..], None, "its server answered HTTP 404"),
        (302, b"", None, "only public addresses"),
        (
            200,
            b"<html>",
            None,
            "it is not a PNG, JPEG, GIF or WebP image",
        ),
        (
            200,
            PNG,
            Some(refused(400)),
            "the LLM does not take such files",
        ),
        (
            200,
            PNG,
            Some(Answer::Refusal),
            "the LLM does not take such files",
        ),
        (
            200,
            PNG,
            Some(Answer::Text("UNREADABLE.".into())),
            "the LLM saw nothing in it",
        ),
    ] {
        let (fixture, network) = online(Fixture::new());
        network.then(status, body);
        seen.into_iter()
            .for_each(|answer| fixture.script.then(answer));
        fixture.script.then(facts(&["User has a cat"]));
        let event = fixture.add(with(&fixture, &[("I have a cat:", image())]));
        assert!(is_done(&event), "{event:?}");
        assert!(note(&event).contains(expected), "{event:?}");
        assert!(!note(&event).contains("example.com"), "{event:?}");
        assert_eq!(fixture.texts(), ["User has a cat"]);
        assert_eq!(
            fixture.transcript(),
            ["I have a cat:\n[image: https://example.com/cat.png]"]
        );
    }
}

#[test]
fn what_fails_for_now_is_tried_again_and_then_left_out() {
    let (fixture, network) = online(Fixture::new());
    network.then(503, "busy");
    let waiting = fixture.add(with(&fixture, &[("My cat:", image())]));
    assert_eq!(waiting.status, EventStatus::Pending);
    assert_eq!(waiting.error.as_ref().unwrap().code, "file_unreachable");
    // What was said is found meanwhile.
    assert_eq!(fixture.search("cat").len(), 1);
    network.then(200, PNG);
    fixture.script.then(Answer::Text("A grey cat.".into()));
    fixture.script.then(facts(&["User's cat is grey"]));
    fixture.later(HOUR);
    fixture.run_due();
    assert!(is_done(&fixture.event(waiting.id)));
    assert_eq!(fixture.texts(), ["User's cat is grey"]);

    let event = fixture.accept(with(
        &fixture,
        &[("My dog:", url(FileKind::Image, "dog.png"))],
    ));
    for _ in 0..4 {
        network.then(500, "broken");
    }
    fixture.script.then(facts(&["User has a dog"]));
    let added = vec![("add_memory", r#"{"fact": 1}"#.into())];
    fixture.script.then(Answer::Calls(added));
    for _ in 0..4 {
        fixture.run_due();
        fixture.later(HOUR);
    }
    let event = fixture.event(event.id);
    assert!(is_done(&event), "{event:?}");
    assert!(note(&event).contains("HTTP 500"), "{event:?}");
    assert!(network.answers.borrow().is_empty());
}

#[test]
fn a_file_that_was_read_is_not_read_again() {
    let (mut fixture, network) = online(Fixture::new());
    network.then(200, PNG);
    network.then(503, "busy");
    fixture.script.then(Answer::Text("A grey cat.".into()));
    let add = with(&fixture, &[("My cat:", image()), ("", text())]);
    let event = fixture.add(add);
    assert_eq!(event.status, EventStatus::Pending);
    fixture.reopen();
    network.then(200, "The gate code is 4711.");
    fixture.script.then(facts(&["User's cat is grey"]));
    fixture.later(HOUR);
    fixture.run_due();
    assert!(is_done(&fixture.event(event.id)));
    assert_eq!(fixture.script.calls(), 2);
}

#[test]
fn verbatim_messages_hold_the_words_of_their_files() {
    let (fixture, network) = online(Fixture::without_model());
    network.then(200, "\u{feff}The gate code is 4711.\n");
    let add = Add {
        infer: false,
        ..with(&fixture, &[("Remember:", text()), ("My cat:", image())])
    };
    let event = fixture.add(add);
    assert!(is_done(&event));
    assert!(note(&event).contains("no LLM is configured"), "{event:?}");
    let told: Vec<&str> = event.outcomes.iter().map(|it| it.text.as_str()).collect();
    let words = "Remember:\n[text notes.txt: The gate code is 4711.]";
    assert_eq!(
        told,
        [words, "My cat:\n[image: https://example.com/cat.png]"]
    );
    let hits = fixture.search("gate code");
    assert_eq!(hits[0].memory.text(), words);
    assert_eq!(hits[0].memory.versions.len(), 1);
    let id = hits[0].memory.id;
    let Reply::History(lines) = fixture.apply(Operation::History { id }) else {
        panic!("no history")
    };
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].change.kind, lines[0].change.new_text.as_deref()),
        (ChangeKind::Add, Some(words))
    );
}

#[test]
fn a_long_text_is_cut_where_a_message_ends() {
    let (fixture, network) = online(Fixture::without_model());
    network.then(200, "ä".repeat(100_000));
    let event = fixture.add(with(&fixture, &[("Read:", text())]));
    assert!(
        note(&event).contains("cut where its message reached 100 KB"),
        "{event:?}"
    );
    let texts = fixture.texts();
    assert!(texts[0].len() <= 100 * 1024 && texts[0].len() > 99 * 1024);
    assert!(texts[0].starts_with("Read:\n[text notes.txt: ää") && texts[0].ends_with("ä…]"));
}

#[test]
fn files_inside_are_looked_at_and_nothing_is_fetched_where_that_is_off() {
    let fixture = Fixture::new();
    let inside = File {
        kind: FileKind::Pdf,
        source: FileSource::Base64("JVBERi0xLjcKJQ==".into()),
        placeholder: "[pdf: application/pdf, 1 KB]".into(),
    };
    fixture
        .script
        .then(Answer::Cut("Invoice 12 over 30 EUR".into()));
    fixture.script.then(facts(&["User owes 30 EUR"]));
    let event = fixture.add(with(&fixture, &[("", inside), ("", text())]));
    assert!(is_done(&event));
    assert!(
        note(&event).contains("this server fetches nothing"),
        "{event:?}"
    );
    let transcript = fixture.transcript();
    assert!(
        transcript.contains(&"[pdf: Invoice 12 over 30 EUR…]".to_owned()),
        "{transcript:?}"
    );
}

#[test]
fn erasing_a_message_takes_its_waiting_file_along() {
    let (fixture, network) = online(Fixture::new());
    network.then(503, "busy");
    let event = fixture.add(with(&fixture, &[("My cat:", image())]));
    assert_eq!(event.status, EventStatus::Pending);
    let stored = || {
        let jobs = fixture.storage.scan(Table::Jobs, Bound::Unbounded, 100);
        let jobs = block_on(jobs).unwrap();
        jobs.iter()
            .any(|(_, job)| String::from_utf8_lossy(job).contains("token=secret"))
    };
    assert!(stored());
    fixture.apply(Operation::DeleteAll {
        filter: Filter::all(),
    });
    assert!(!stored());
    fixture.later(HOUR);
    fixture.run_due();
    assert!(is_done(&fixture.event(event.id)));
    assert_eq!(fixture.script.calls(), 0);
}
