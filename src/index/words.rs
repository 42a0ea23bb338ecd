//! From text to the terms of the keyword index.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The terms of a text, in order: words in NFKC and lower case, stemmed by their script's Snowball
/// stemmer; pairs of neighbouring characters where a script writes no spaces; and technical identifiers
/// (`getUserById`, `v1.2.3`, `foo_bar.baz`) whole as well as in parts. Words that only hold a sentence
/// together are left out. Question and document go through the same rules, so they agree.
pub fn terms(text: &str) -> Vec<String> {
    let text: String = text.nfkc().collect();
    let mut terms = Vec::new();
    for chunk in text.split_whitespace() {
        let chunk = chunk.trim_matches(|c: char| !c.is_alphanumeric());
        if is_identifier(chunk) {
            terms.push(chunk.to_lowercase());
        }
        for word in chunk
            .unicode_words()
            .flat_map(|word| word.split(['_', '.', ':']))
        {
            if word.chars().any(is_unspaced) {
                push_pairs(word, &mut terms);
            } else {
                for part in camel_parts(word) {
                    push_word(part, &mut terms);
                }
            }
        }
    }
    terms
}

fn push_word(word: &str, terms: &mut Vec<String>) {
    let word = word.to_lowercase().replace('’', "'");
    let word = word.strip_suffix("'s").unwrap_or(&word);
    if !word.is_empty() && !STOP_WORDS.contains(&word) {
        let algorithm = algorithm(word);
        terms.push(algorithm.map_or_else(
            || word.to_owned(),
            |algorithm| Stemmer::create(algorithm).stem(word).into_owned(),
        ));
    }
}

/// Pairs of neighbouring characters; a single one stands for itself.
fn push_pairs(word: &str, terms: &mut Vec<String>) {
    let chars: Vec<char> = word.to_lowercase().chars().collect();
    if let [single] = chars.as_slice() {
        terms.push(single.to_string());
    }
    terms.extend(chars.windows(2).map(String::from_iter));
}

/// The parts of `getUserById`; the word itself when it has no humps.
fn camel_parts(word: &str) -> impl Iterator<Item = &str> {
    let mut starts = vec![0];
    let mut before: Option<char> = None;
    for (at, c) in word.char_indices() {
        if before.is_some_and(|before| before.is_lowercase() && c.is_uppercase()) {
            starts.push(at);
        }
        before = Some(c);
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([word.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .filter_map(|(start, end)| word.get(start..end))
}

/// Something that a programmer names: letters or digits joined by marks, or humps.
fn is_identifier(chunk: &str) -> bool {
    let inner_mark = |c: char| matches!(c, '_' | '.' | ':' | '/' | '-' | '@' | '#' | '+');
    chunk.is_ascii() && (chunk.contains(inner_mark) || camel_parts(chunk).count() > 1)
}

/// Scripts that are written without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff      // Thai, Lao
        | 0x1000..=0x109f    // Burmese
        | 0x1780..=0x17ff    // Khmer
        | 0x3040..=0x30ff    // Hiragana, Katakana
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3134f // Han
        | 0xac00..=0xd7af    // Hangul
    )
}

/// The stemmer of a word's script. For Latin letters it is the English one: it leaves most words of other
/// languages alone, and it does the same to a question as to the text it asks for.
fn algorithm(word: &str) -> Option<Algorithm> {
    let first = word.chars().find(|c| c.is_alphabetic())?;
    match u32::from(first) {
        0x0041..=0x024f => Some(Algorithm::English),
        0x0370..=0x03ff => Some(Algorithm::Greek),
        0x0400..=0x04ff => Some(Algorithm::Russian),
        0x0600..=0x06ff => Some(Algorithm::Arabic),
        _ => None,
    }
}

/// English words without a topic of their own.
const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how",
    "i", "i'm", "if", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "she", "so",
    "some", "that", "the", "their", "them", "they", "this", "to", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_stemmed_and_folded() {
        assert_eq!(terms("Hiking in the Alps!"), ["hike", "alp"]);
        assert_eq!(
            terms("Caroline’s ＴＯＫＹＯ trips"),
            ["carolin", "tokyo", "trip"]
        );
        assert_eq!(terms("книги"), terms("книга"));
    }

    #[test]
    fn identifiers_are_found_whole_and_in_parts() {
        let found = terms("call getUserById in foo_bar.baz, v1.2.3");
        for term in ["getuserbyid", "user", "foo_bar.baz", "baz", "v1.2.3"] {
            assert!(found.contains(&term.to_owned()), "{term} in {found:?}");
        }
    }

    #[test]
    fn unspaced_scripts_become_pairs() {
        assert_eq!(terms("東京"), ["東京"]);
        assert!(terms("私は東京に住んでいます").contains(&"東京".to_owned()));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(terms("").is_empty());
        assert!(terms("🙂 … !!").is_empty());
    }
}
