//! Long messages in passages: a vector holds one thought, and one matching paragraph is enough.

use crate::compact;

/// A text of so many bytes or fewer is one passage.
const WHOLE: usize = 600;
/// A passage ends with the sentence that reaches so many bytes.
const LENGTH: usize = 400;
/// A longer sentence (a listing, a table) is cut.
const LONGEST: usize = 600;
/// The most passages of one text; beyond, they grow.
const MOST: usize = 64;

/// The passages of a text, in order, each beginning with the last sentence of the one before. A short text is
/// its only passage.
pub fn passages(text: &str) -> Vec<&str> {
    if text.len() <= WHOLE {
        return vec![text];
    }
    // Every second byte may be said twice, when a passage has two sentences.
    let length = LENGTH.max(text.len() * 2 / MOST);
    let sentences = sentences(text, LONGEST.max(length));
    let mut passages = Vec::new();
    let mut first = 0;
    let mut size = 0;
    for (at, (start, end)) in sentences.iter().enumerate() {
        size += end - start;
        let is_last = at + 1 == sentences.len();
        if size < length && !is_last {
            continue;
        }
        let from = sentences.get(first).map_or(*start, |sentence| sentence.0);
        passages.extend(text.get(from..*end).map(str::trim));
        // The next begins with this sentence, unless that is most of it.
        let repeated = end - start < length / 2;
        first = at + usize::from(!repeated);
        size = if repeated { end - start } else { 0 };
    }
    passages.retain(|passage| !passage.is_empty());
    passages
}

/// Where sentences start and end; none is longer than `longest` bytes by more than a word.
fn sentences(text: &str, longest: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, sentence) in compact::sentences(text) {
        if sentence.len() <= longest {
            found.push((start, start + sentence.len()));
            continue;
        }
        let mut from = 0;
        for (at, word) in compact::word_bounds(sentence) {
            let end = at + word.len();
            if end - from >= longest || end == sentence.len() {
                found.push((start + from, start + end));
                from = end;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_texts_stay_whole() {
        assert_eq!(passages(""), [""]);
        assert_eq!(passages("I like tea. And rain."), ["I like tea. And rain."]);
    }

    #[test]
    fn passages_end_with_sentences_and_overlap_by_one() {
        let text: String = (0..40)
            .map(|n| format!("This is sentence number {n} of a long message. "))
            .collect();
        let found = passages(&text);
        assert!(found.len() > 3, "{found:?}");
        for pair in found.windows(2) {
            let last = pair[0].rsplit("This").next().unwrap();
            assert!(pair[1].starts_with(&format!("This{last}")), "{pair:?}");
        }
        assert!(
            found
                .iter()
                .all(|passage| passage.len() < 500 && passage.ends_with('.'))
        );
    }

    #[test]
    fn a_listing_without_sentences_is_cut() {
        let text = "let x = f(y); ".repeat(2_000);
        let found = passages(&text);
        assert!((2..=MOST + 1).contains(&found.len()), "{}", found.len());
    }

    proptest! {
        #[test]
        fn nothing_said_is_in_no_passage(text in "([a-zé東🙂]{1,30}[ .!?\n]{1,2}){0,400}") {
            let found = passages(&text);
            prop_assert!(found.len() <= 2 * MOST);
            for word in compact::words(&text) {
                prop_assert!(found.iter().any(|passage| passage.contains(word)), "{word}");
            }
        }
    }
}
