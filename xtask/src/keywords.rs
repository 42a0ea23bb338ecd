//! The keyword index on this machine: what it takes for a memory, and how long a search and a load take.

use std::time::Instant;

use edgemem::index::{KeywordIndex, Language, Position, Slot, Terms, question_terms, terms};
use edgemem::memory::Moment;

/// Words of a message, about.
const WORDS: usize = 25;
/// Messages of a conversation, all of one day.
const MESSAGES: usize = 50;
/// Slots on a page.
const PAGE: usize = 128;
/// Results of a search.
const K: usize = 200;
const QUESTIONS: usize = 300;

/// Prints the figures of an index of so many messages made of these sentences.
pub fn measure(sentences: &[String], count: usize) {
    let mut messages: Vec<String> = Vec::new();
    let (questions, sentences) = sentences.split_at(QUESTIONS.min(sentences.len()));
    let mut message = String::new();
    for sentence in sentences {
        message.push_str(sentence);
        message.push(' ');
        if message.split_whitespace().count() >= WORDS {
            messages.push(std::mem::take(&mut message));
        }
    }
    messages.truncate(count);
    let count = messages.len();
    let mut words = 0;
    let mut index = KeywordIndex::new();
    let start = Instant::now();
    for (slot, message) in (0..).zip(&messages) {
        words += message.split_whitespace().count();
        let (day, turn) = (slot as usize / MESSAGES, slot as usize % MESSAGES);
        let date = Moment::from_seconds(1_700_000_000 + day as i64 * 86_400).date_words();
        let speaker = if turn % 2 == 0 { "Ann" } else { "Bob" };
        let about = terms(&format!("{date} {speaker}"), Language::English);
        let language = Language::of(message);
        let document = Terms {
            language,
            text: &terms(message, language),
            about: &about,
        };
        let position = match turn {
            0 => Position::Alone,
            _ => Position::After(slot - 1),
        };
        index.insert(slot, &document, position);
    }
    let insert = start.elapsed();
    let languages = index.languages();
    let mut times: Vec<u128> = Vec::new();
    for question in questions {
        let words = question_terms(question, &languages);
        let start = Instant::now();
        let found = index.search(&words, K, None);
        times.push(start.elapsed().as_micros());
        drop(found);
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let firsts = || (0..count as Slot).step_by(PAGE);
    let start = Instant::now();
    let pages: Vec<_> = firsts().map(|first| index.page(first, PAGE)).collect();
    let save = start.elapsed();
    let start = Instant::now();
    let mut restored = KeywordIndex::new();
    for (first, page) in firsts().zip(&pages) {
        restored.restore(first, page);
    }
    restored.restored();
    let load = start.elapsed();
    println!(
        "{count:>7} messages of {:.0} words: {:.0} bytes a memory, search {median} µs, add {:.0} µs, \
         all pages made in {} ms and taken in in {} ms",
        words as f64 / count.max(1) as f64,
        index.bytes() as f64 / count.max(1) as f64,
        insert.as_micros() as f64 / count.max(1) as f64,
        save.as_millis(),
        load.as_millis(),
    );
}
