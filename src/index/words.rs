//! From text to the terms of the keyword index.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

use super::language::{Language, lowercase};
use crate::compact::{self, is_combining_mark, nfd, nfkc, words};

/// The terms of a text in a language, in order: words in NFKC and lower case, stemmed by the Snowball stemmer of their
/// script, of the language in Latin letters, and these without accents; pairs of neighbouring characters, and Chinese
/// characters alone, where a script writes no spaces; and technical identifiers (`getUserById`, `v1.2.3`,
/// `foo_bar.baz`) whole as well as in parts. Words that only hold a sentence together are left out. Question and
/// document go through the same rules, so they agree.
pub fn terms(text: &str, language: Language) -> Vec<String> {
    let mut terms = Vec::new();
    walk(text, |part| match part {
        Part::Word(word) => {
            let is_left_out = Language::English.leaves_out(word) || language.leaves_out(word);
            terms.extend((!is_left_out).then(|| stem(word, language)));
        }
        Part::Term(term) => terms.push(term),
    });
    terms
}

/// The words of a question to documents in these languages: for each the terms that it has in them, as nobody can
/// tell the language of two words. In English it always has one: names and dates are stemmed as English.
pub fn question_terms(question: &str, languages: &[Language]) -> Vec<Vec<String>> {
    let asked_in = match languages {
        [] | [Language::English] => Language::English,
        _ => Language::of(question),
    };
    let others = languages
        .iter()
        .copied()
        .filter(|it| *it != Language::English);
    let others: Vec<Language> = others.collect();
    let mut words = Vec::new();
    walk(question, |part| match part {
        Part::Word(word) => {
            if Language::English.leaves_out(word) || asked_in.leaves_out(word) {
                return;
            }
            let others = others.iter().filter(|language| !language.leaves_out(word));
            let mut terms = vec![stem(word, Language::English)];
            terms.extend(others.map(|language| stem(word, *language)));
            terms.sort_unstable();
            terms.dedup();
            words.push(terms);
        }
        Part::Term(term) => words.push(vec![term]),
    });
    words
}

/// What a text is taken apart into.
enum Part<'a> {
    /// A word in lower case, to be stemmed.
    Word(&'a str),
    /// A term as it is.
    Term(String),
}

fn walk(text: &str, mut found: impl FnMut(Part<'_>)) {
    let text = nfkc(text);
    for chunk in text.split_whitespace() {
        let chunk = chunk.trim_matches(|c: char| !c.is_alphanumeric());
        if is_identifier(chunk) {
            found(Part::Term(compact::lowercase(chunk)));
        }
        for run in runs(chunk) {
            if run.starts_with(is_unspaced) {
                pairs(run, &mut found);
                continue;
            }
            for word in words(run).flat_map(|word| word.split(['_', '.', ':'])) {
                let parts: Vec<&str> = camel_parts(word).collect();
                if parts.len() > 1 {
                    find_word(word, &mut found);
                }
                for part in parts {
                    find_word(part, &mut found);
                }
            }
        }
    }
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

fn find_word(word: &str, found: &mut impl FnMut(Part<'_>)) {
    let word = lowercase(word);
    let word = word.strip_suffix("'s").unwrap_or(&word);
    if !word.is_empty() {
        found(Part::Word(word));
    }
}

/// The term of a word in a language.
fn stem(word: &str, language: Language) -> String {
    match script(word) {
        Some(Script::Latin) => {
            let word = match language {
                // As if it had been written without accents, which it may have been.
                Language::English => without_accents(word),
                _ => Cow::Borrowed(language.without_elision(word)),
            };
            let stem = Stemmer::create(language.stemmer()).stem(&word);
            without_accents(&stem).into_owned()
        }
        Some(Script::Other(algorithm)) => Stemmer::create(algorithm).stem(word).into_owned(),
        None => word.to_owned(),
    }
}

fn without_accents(word: &str) -> Cow<'_, str> {
    match word.is_ascii() {
        true => Cow::Borrowed(word),
        false => Cow::Owned(
            nfd(word.chars())
                .filter(|c| !is_combining_mark(*c))
                .collect(),
        ),
    }
}

/// Pairs of neighbouring characters, and the Chinese ones alone: each can be a word (Nie et al. 2000, "On
/// the use of words and n-grams for Chinese information retrieval"). A lone character stands for itself.
fn pairs(run: &str, found: &mut impl FnMut(Part<'_>)) {
    let chars: Vec<char> = run.chars().filter(|c| c.is_alphanumeric()).collect();
    let alone = chars.iter().filter(|c| is_han(**c) || chars.len() == 1);
    let alone = alone.map(char::to_string);
    let terms = alone.chain(chars.windows(2).map(String::from_iter));
    terms.for_each(|term| found(Part::Term(term)));
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

/// What stems a word.
enum Script {
    /// The stemmer of the text's language.
    Latin,
    /// The one stemmer of its script.
    Other(Algorithm),
}

fn script(word: &str) -> Option<Script> {
    let first = word.chars().find(|c| c.is_alphabetic())?;
    match u32::from(first) {
        0x0041..=0x024f => Some(Script::Latin),
        0x0370..=0x03ff => Some(Script::Other(Algorithm::Greek)),
        0x0400..=0x04ff => Some(Script::Other(Algorithm::Russian)),
        0x0600..=0x06ff => Some(Script::Other(Algorithm::Arabic)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(text: &str) -> Vec<String> {
        super::terms(text, Language::of(text))
    }

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
        assert!(super::super::language::STOP_WORDS.is_sorted());
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
        finds_among(question, text, &[Language::of(text)])
    }

    /// The same among texts in several languages.
    fn finds_among(question: &str, text: &str, languages: &[Language]) -> bool {
        let found = terms(text);
        let asked = question_terms(question, languages);
        let is_found = |word: &Vec<String>| word.iter().any(|term| found.contains(term));
        !asked.is_empty() && asked.iter().all(is_found)
    }

    #[test]
    fn inflected_words_are_found_in_their_language() {
        for (question, text) in [
            (
                "Haus",
                "Wir haben uns gestern zwei Häuser am See angesehen.",
            ),
            (
                "Wo sind die Häuser?",
                "Ich war mit meiner Schwester bei dem Haus. Wo sind alle?",
            ),
            (
                "cheval",
                "Nous avons vu les chevaux de ma tante dans le pré.",
            ),
            ("homme", "Il a parlé à l'homme et je ne le connais pas."),
            ("canción", "Me gustan las canciones que canta mi hermana."),
            (
                "canciones",
                "No conozco esa canción, pero es muy bonita y la canta él.",
            ),
            ("kitap", "Dün kardeşim için çok güzel kitaplar aldım."),
            (
                "talo",
                "Minä olen asunut monissa taloissa ja se on ollut hyvä.",
            ),
            (
                "librerie",
                "Ho comprato due libri nella libreria del centro.",
            ),
            (
                "gatos",
                "Eu não gosto muito desse gato, mas a minha irmã gosta.",
            ),
        ] {
            let all = Language::ALL;
            let found = (terms(text), question_terms(question, &all));
            assert!(finds(question, text), "{question} in {text}: {found:?}");
            assert!(
                finds_among(question, text, &all),
                "{question} in {text}: {found:?}"
            );
        }
    }

    #[test]
    fn where_all_is_english_a_word_has_one_term() {
        for question in [
            "Where did the die fall?",
            "Wo sind die Häuser?",
            "hiking in Zürich",
        ] {
            let expected: Vec<Vec<String>> = super::terms(question, Language::English)
                .into_iter()
                .map(|term| vec![term])
                .collect();
            assert_eq!(question_terms(question, &[]), expected);
            assert_eq!(question_terms(question, &[Language::English]), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_has_terms(text in "([a-zçğıöşüßåæøéèêñãõőűțăâ'’İ東é]{1,12}|\\PC{1,8})( ([a-zßäöüéèıåøđþǆ'’]{1,14}|\\PC{1,6})){0,4}") {
            for language in Language::ALL {
                super::terms(&text, language);
            }
            question_terms(&text, &Language::ALL);
        }
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
