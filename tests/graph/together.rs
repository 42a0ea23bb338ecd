//! What recall finds though it hardly answers by its own words: what was said at the time asked about, and what hangs
//! together with the memories found first.

use edgemem::memory::Message;
use edgemem::operation::{Channel, Hit, Search, Stop};

use super::sample::asked;
use super::*;

fn say(fixture: &Fixture, at: &str, texts: &[&str]) {
    fixture.add(Add {
        messages: texts.iter().map(|text| Message::user(*text)).collect(),
        infer: false,
        time: Some(at.parse().unwrap()),
        ..fixture.add_of("")
    });
}

fn without(channels: &[Channel], query: &str) -> Search {
    Search {
        query: query.into(),
        top_k: 20,
        threshold: 0.0,
        without: channels.to_vec(),
        reference_time: Some("2026-01-01".parse().unwrap()),
        ..Search::default()
    }
}

fn place(hits: &[Hit], text: &str) -> Option<usize> {
    hits.iter().position(|hit| hit.memory.text().contains(text))
}

fn by(hit: &Hit) -> Vec<&str> {
    hit.receipt
        .path
        .iter()
        .map(|step| step.by.as_str())
        .collect()
}

/// Small talk of many days, each with the words of a question.
fn small_talk(fixture: &Fixture, topic: &str) {
    for day in 1..=80 {
        let month = 1 + day % 12;
        let text = format!("{topic} number {day} of the club was as usual");
        say(
            fixture,
            &format!("2024-{month:02}-{:02}", 1 + day % 28),
            &[&text],
        );
    }
}

#[test]
fn what_was_said_at_the_time_asked_about_is_found_by_the_time_alone() {
    let fixture = Fixture::without_model();
    small_talk(&fixture, "Recreational activity");
    say(
        &fixture,
        "2025-03-17",
        &["Yesterday I went bowling and got two strikes"],
    );
    let query = "Which recreational activity was I pursuing on March 16, 2025?";
    let hits = asked(&fixture, without(&[], query));
    let found = place(&hits, "bowling").expect("the bowling");
    assert!(found < 5, "{found}");
    let channels = &hits[found].receipt.channels;
    assert!(channels.iter().any(|channel| channel.channel == "time"));
    let without = asked(&fixture, without(&[Channel::Time], query));
    assert!(place(&without, "bowling").is_none_or(|place| place > found));
}

#[test]
fn what_was_said_in_the_session_that_answers_comes_before_the_same_of_another() {
    let fixture = Fixture::without_model();
    small_talk(&fixture, "Tea");
    let small = ["Rain again", "The bus was late", "Coffee with milk"];
    let start = |first: &'static str, last: &'static str| [&[first][..], &small, &[last]].concat();
    say(
        &fixture,
        "2025-02-01T18:00:00Z",
        &start("I repaired the bicycle", "It was a joyful evening"),
    );
    say(
        &fixture,
        "2025-02-08T18:00:00Z",
        &start(
            "My first pottery class was today",
            "This was a joyful evening",
        ),
    );
    let query = "Was the evening of my first pottery class joyful?";
    let hits = asked(&fixture, without(&[], query));
    let here = place(&hits, "This was a joyful evening").unwrap();
    assert!(place(&hits, "It was a joyful evening").is_none_or(|other| here < other));
    let pottery = place(&hits, "My first pottery class").unwrap();
    let path = &hits[pottery].receipt.path;
    assert_eq!(by(&hits[pottery]), ["found", "session"], "{path:?}");
    assert_eq!(path[0].to, Stop::Memory(hits[here].memory.id));
}

#[test]
fn what_shares_a_rare_word_with_an_answer_is_found_and_the_receipt_says_the_word() {
    let fixture = Fixture::without_model();
    small_talk(&fixture, "Evening");
    say(
        &fixture,
        "2025-01-05",
        &["I adopted a puppy, her name is Zorbina"],
    );
    small_talk(&fixture, "Morning");
    say(
        &fixture,
        "2025-04-09",
        &["Zorbina chewed through my slippers"],
    );
    let query = "What is the puppy like that I adopted?";
    let hits = asked(&fixture, without(&[], query));
    let found = place(&hits, "slippers").expect("the slippers");
    assert!(found < 5, "{found}");
    assert_eq!(by(&hits[found]), ["found", "word", "word"]);
    let path = &hits[found].receipt.path;
    let puppy = hits[place(&hits, "puppy").unwrap()].memory.id;
    assert_eq!(path[0].to, Stop::Memory(puppy));
    assert!(matches!(&path[1].to, Stop::Value(word) if word.starts_with("zorbin")));
    assert_eq!(path[2].to, Stop::Memory(hits[found].memory.id));
    // It has no word of the question.
    let words = asked(&fixture, without(&[Channel::Vector], query));
    assert!(place(&words, "slippers").is_some());
    let words = asked(&fixture, without(&[Channel::Vector, Channel::Graph], query));
    assert_eq!(place(&words, "slippers"), None);
}

#[test]
fn what_was_learnt_from_another_speaker_counts_less_than_from_the_one_named() {
    let fixture = Fixture::new();
    let facts = json!({"facts": [
        {"text": "The hike to the lake was cold", "sources": [2]},
        {"text": "The hike to the lake was sunny", "sources": [1]},
    ]});
    fixture.script.then(Answer::Text(facts.to_string()));
    let all = [1, 2].map(|fact| ("add_memory", json!({"fact": fact}).to_string()));
    fixture.script.then(Answer::Calls(all.into()));
    let said = |name: &str, text: &str| Message {
        name: Some(name.to_owned()),
        ..Message::user(text)
    };
    fixture.add(Add {
        messages: vec![
            said("Ann", "Sun all the way"),
            said("Ben", "Ice all the way"),
        ],
        ..fixture.add_of("")
    });
    for (name, weather) in [("Ann", "sunny"), ("Ben", "cold")] {
        let query = format!("How was the hike to the lake for {name}?");
        let hits = asked(&fixture, without(&[], &query));
        assert!(hits[0].memory.text().contains(weather), "{name}: {hits:?}");
    }
}

#[test]
fn before_and_after_an_event_are_told_from_when_it_was() {
    let fixture = Fixture::without_model();
    say(&fixture, "2025-04-02", &["I sold my old car today"]);
    say(
        &fixture,
        "2025-06-10",
        &["We landed in Lisbon, the wedding is tomorrow"],
    );
    say(&fixture, "2025-08-09", &["I sold my old boat today"]);
    for (query, first, second) in [
        (
            "What did I sell before the wedding in Lisbon?",
            "car",
            "boat",
        ),
        (
            "What did I sell after the wedding in Lisbon?",
            "boat",
            "car",
        ),
    ] {
        let hits = asked(&fixture, without(&[], query));
        let sold = |what: &str| place(&hits, &format!("old {what}")).unwrap_or(usize::MAX);
        assert!(sold(first) < sold(second), "{query}: {hits:#?}");
    }
}

#[test]
fn what_was_known_then_is_told_in_the_words_of_then() {
    let fixture = Fixture::without_model();
    let event = fixture.say("My dentist is Doctor Abel");
    let id = event.outcomes[0].id;
    let then = Moment::from_millis(fixture.clock.get());
    fixture.later(60_000);
    fixture.apply(Operation::Update(Update {
        id,
        text: Some("My dentist is Doctor Baker".into()),
        metadata: None,
        time: None,
        expires_at: None,
    }));
    fixture.say("My plumber is Mister Cole");
    let known = |known_at: Option<Moment>| -> Vec<String> {
        let search = Search {
            known_at,
            ..without(&[], "Who is my dentist, who is my plumber?")
        };
        let hits = asked(&fixture, search);
        let texts = hits.iter().map(|hit| hit.memory.text().to_owned());
        texts.collect()
    };
    assert_eq!(known(Some(then)), ["My dentist is Doctor Abel"]);
    let today = known(None);
    assert!(today.contains(&"My dentist is Doctor Baker".to_owned()));
    assert!(today.contains(&"My plumber is Mister Cole".to_owned()));
    assert_eq!(today.len(), 2, "{today:?}");
    let before = Moment::from_millis(then.as_millis() - 1_000_000);
    assert!(known(Some(before)).is_empty());
}
