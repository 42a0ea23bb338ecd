//! From text to the terms of the keyword index.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// The terms of a text, in order: words in NFKC and lower case, Latin ones without accents, stemmed by
/// their script's Snowball stemmer; pairs of neighbouring characters, and Chinese characters alone, where
/// a script writes no spaces; and technical identifiers (`getUserById`, `v1.2.3`, `foo_bar.baz`) whole as
/// well as in parts. Words that only hold a sentence together are left out. Question and document go
/// through the same rules, so they agree.
pub fn terms(text: &str) -> Vec<String> {
    let text = match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfkc().collect()),
    };
    let mut terms = Vec::new();
    for chunk in text.split_whitespace() {
        let chunk = chunk.trim_matches(|c: char| !c.is_alphanumeric());
        if is_identifier(chunk) {
            terms.push(chunk.to_lowercase());
        }
        for run in runs(chunk) {
            if run.starts_with(is_unspaced) {
                push_pairs(run, &mut terms);
                continue;
            }
            let words = run.unicode_words();
            for word in words.flat_map(|word| word.split(['_', '.', ':'])) {
                let parts: Vec<&str> = camel_parts(word).collect();
                if parts.len() > 1 {
                    push_word(word, &mut terms);
                }
                parts
                    .into_iter()
                    .for_each(|part| push_word(part, &mut terms));
            }
        }
    }
    terms
}

/// The stretches of a text that are written without spaces, and those that are not.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let end = rest
            .find(|c| is_unspaced(c) != unspaced)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(run)
    })
}

fn push_word(word: &str, terms: &mut Vec<String>) {
    let word = word.to_lowercase().replace('’', "'");
    let word = word.strip_suffix("'s").unwrap_or(&word);
    if word.is_empty() || STOP_WORDS.binary_search(&word).is_ok() {
        return;
    }
    terms.push(match algorithm(word) {
        Some(Algorithm::English) => {
            let plain = match word.is_ascii() {
                true => Cow::Borrowed(word),
                false => Cow::Owned(word.nfd().filter(|c| !is_combining_mark(*c)).collect()),
            };
            Stemmer::create(Algorithm::English)
                .stem(&plain)
                .into_owned()
        }
        Some(algorithm) => Stemmer::create(algorithm).stem(word).into_owned(),
        None => word.to_owned(),
    });
}

/// Pairs of neighbouring characters, and the Chinese ones alone: each can be a word (Nie et al. 2000, "On
/// the use of words and n-grams for Chinese information retrieval"). A lone character stands for itself.
fn push_pairs(run: &str, terms: &mut Vec<String>) {
    let chars: Vec<char> = run.chars().filter(|c| c.is_alphanumeric()).collect();
    let alone = chars.iter().filter(|c| is_han(**c) || chars.len() == 1);
    terms.extend(alone.map(char::to_string));
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

/// Something that a programmer names: letters or digits joined by marks.
fn is_identifier(chunk: &str) -> bool {
    let inner_mark = |c: char| matches!(c, '_' | '.' | ':' | '/' | '-' | '@' | '#' | '+');
    chunk.is_ascii() && chunk.contains(inner_mark)
}

/// Scripts that are written without spaces between words.
fn is_unspaced(c: char) -> bool {
    is_han(c)
        || matches!(u32::from(c),
            0x0e00..=0x0eff      // Thai, Lao
            | 0x1000..=0x109f    // Burmese
            | 0x1780..=0x17ff    // Khmer
            | 0x3040..=0x30ff    // Hiragana, Katakana
            | 0xac00..=0xd7af    // Hangul: written with spaces, but particles cling to words
        )
}

/// Chinese characters.
fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3134f)
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

/// English words without a topic of their own, sorted.
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
    fn words_without_a_topic_are_left_out() {
        assert!(STOP_WORDS.is_sorted());
        assert_eq!(terms("Where were you and I with the tea?"), ["tea"]);
    }

    #[test]
    fn identifiers_are_found_whole_and_in_parts() {
        let found = terms("call getUserById in foo_bar.baz, v1.2.3");
        for term in ["getuserbyid", "user", "foo_bar.baz", "baz", "v1.2.3"] {
            assert!(found.contains(&term.to_owned()), "{term} in {found:?}");
        }
    }

    /// Whether a question of these words finds the text.
    fn finds(question: &str, text: &str) -> bool {
        let found = terms(text);
        let asked = terms(question);
        !asked.is_empty() && asked.iter().all(|term| found.contains(term))
    }

    #[test]
    fn scripts_without_spaces_are_found_by_any_part() {
        for (question, text) in [
            ("東京", "私は東京に住んでいます。"),
            ("猫", "黒猫が好き"),
            ("喝茶", "我喜欢喝茶、看书"),
            ("コーヒー", "毎朝コーヒーを飲む"),
            ("서울", "저는 서울에 살아요"),
            ("กาแฟ", "ฉันชอบกาแฟดำ"),
            ("Rust 東京", "Rustを東京で学ぶ"),
        ] {
            assert!(
                finds(question, text),
                "{question} in {text}: {:?}",
                terms(text)
            );
        }
        assert!(!finds("京東", "東京"));
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        for (question, text) in [
            ("youtube", "a YouTube channel"),
            ("YOUTUBE", "WhatsApp/YouTube"),
            ("iphone", "my iPhone's screen"),
            ("tube", "a YouTube channel"),
            ("cafe in zurich", "ein Café in Zürich"),
            ("CVE-2024-1234", "patched cve-2024-1234."),
            ("1234", "patched CVE-2024-1234"),
        ] {
            assert!(
                finds(question, text),
                "{question} in {text}: {:?}",
                terms(text)
            );
        }
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(terms("").is_empty());
        assert!(terms("🙂 … !!").is_empty());
    }
}
