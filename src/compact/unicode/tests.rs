use std::collections::HashMap;
use std::ops::RangeInclusive;

use proptest::prelude::*;
use unicode_categories::UnicodeCategories;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{
    canonical_combining_class, compose, decompose_canonical, decompose_compatible,
    is_combining_mark as is_mark,
};

use unicode_segmentation::UnicodeSegmentation;

use super::*;
use super::{sentences::Kind as InSentence, words::Kind as InWord};

const ALL: RangeInclusive<char> = '\0'..=char::MAX;

#[test]
fn every_character_is_what_the_crates_say() {
    for c in ALL {
        assert_eq!(is_combining_mark(c), is_mark(c), "{c:?}");
        assert_eq!(is_nonspacing_mark(c), c.is_mark_nonspacing(), "{c:?}");
        assert_eq!(is_other(c), c.is_other(), "{c:?}");
        assert_eq!(is_punctuation(c), c.is_punctuation(), "{c:?}");
        let text = c.to_string();
        assert_eq!(nfkc(&text), text.nfkc().collect::<String>(), "{c:?}");
        assert!(nfd(text.chars()).eq(text.nfd()), "{c:?}");
    }
}

#[test]
fn every_two_parts_make_what_the_crate_makes_of_them() {
    for c in ALL {
        let parts: String = c.to_string().nfd().collect();
        for text in [
            parts.clone(),
            format!("{parts}\u{0316}"),
            format!("{parts}\u{0301}\u{0327}"),
        ] {
            assert_eq!(nfkc(&text), text.nfkc().collect::<String>(), "{text:?}");
        }
    }
}

fn character() -> impl Strategy<Value = char> {
    let range = prop::char::range;
    let (marks, latin) = (range('\u{300}', '\u{36f}'), range('A', '\u{17f}'));
    let (korean, syllables) = (range('\u{1100}', '\u{11ff}'), range('\u{ac00}', '\u{ac40}'));
    prop_oneof![any::<char>(), latin, marks, korean, syllables]
}

proptest! {
    #[test]
    fn texts_are_as_the_crate_has_them(text in prop::collection::vec(character(), 0..12)) {
        let text: String = text.into_iter().collect();
        prop_assert_eq!(nfkc(&text), text.nfkc().collect::<String>());
        prop_assert!(nfd(text.chars()).eq(text.nfd()));
    }

    #[test]
    fn boundaries_are_where_the_crate_has_them(
        text in prop::collection::vec(prop_oneof![character(), at_boundaries()], 0..24),
    ) {
        // It lets a pictograph join even what a joiner after punctuation does not belong to.
        let text: String = text.into_iter().filter(|c| *c != '\u{200d}').collect();
        have_its_boundaries(&text)?;
    }
}

#[test]
fn joined_pictographs_are_one() {
    for text in [
        "👨\u{200d}👩\u{200d}👧 a",
        "a\u{200d}b",
        "\u{200d}😀a",
        "1\u{200d}😀",
        "🏳\u{fe0f}\u{200d}🌈.",
        "\u{200d}\u{2139}a",
    ] {
        have_its_boundaries(text).unwrap();
    }
}

fn have_its_boundaries(text: &str) -> Result<(), TestCaseError> {
    let bounds = word_bounds(text).collect::<Vec<_>>();
    prop_assert_eq!(bounds, text.split_word_bound_indices().collect::<Vec<_>>());
    let parts = words(text).collect::<Vec<_>>();
    prop_assert_eq!(parts, text.unicode_words().collect::<Vec<_>>());
    let parts = sentences(text).collect::<Vec<_>>();
    prop_assert_eq!(
        parts,
        text.split_sentence_bound_indices().collect::<Vec<_>>()
    );
    Ok(())
}

/// One of the characters that are like others at boundaries.
fn at_boundaries() -> impl Strategy<Value = char> {
    let characters = IN_WORDS.iter().map(|it| it.0);
    let characters = characters.chain(IN_SENTENCES.iter().map(|it| it.0));
    prop::sample::select(
        characters
            .chain("\u{2139}😀'\"\r\n".chars())
            .collect::<Vec<_>>(),
    )
}

/// A character of each kind.
const IN_WORDS: [(char, InWord); 14] = [
    ('@', InWord::Any),
    ('\u{308}', InWord::Extend),
    ('a', InWord::Letter),
    ('1', InWord::Numeric),
    ('_', InWord::Joiner),
    ('א', InWord::Hebrew),
    ('カ', InWord::Katakana),
    (':', InWord::MidLetter),
    (',', InWord::MidNumber),
    ('.', InWord::MidBoth),
    ('\u{b}', InWord::Newline),
    ('\u{1f1e6}', InWord::Regional),
    (' ', InWord::Space),
    ('\u{200d}', InWord::ZeroWidthJoiner),
];
const IN_SENTENCES: [(char, InSentence); 14] = [
    ('@', InSentence::Any),
    ('\u{308}', InSentence::Extend),
    ('a', InSentence::Lower),
    ('A', InSentence::Upper),
    ('א', InSentence::Letter),
    ('1', InSentence::Numeric),
    ('.', InSentence::Stop),
    ('!', InSentence::End),
    ('\u{85}', InSentence::Separator),
    (' ', InSentence::Space),
    (')', InSentence::Close),
    (',', InSentence::Continue),
    ('\r', InSentence::Return),
    ('\n', InSentence::Feed),
];

/// What is around a character to see of which kind it is.
const AROUND_IN_WORDS: [(&str, &str); 15] = [
    ("", "a"),
    ("a", "a"),
    ("1", "1"),
    ("カ", ""),
    ("א", ""),
    ("", "1"),
    ("_", ""),
    ("", "_"),
    ("\u{1f1e6}", ""),
    (" ", ""),
    ("@", ""),
    ("@", "😀"),
    ("", "\u{308}"),
    ("", "'"),
    ("a.", ""),
];
const AROUND_IN_SENTENCES: [(&str, &str); 10] = [
    ("a.", "a"),
    ("a.", "A"),
    ("a. ", "a"),
    ("a. ", "A"),
    ("a.)", "A"),
    ("a", " A"),
    ("a", ".A"),
    ("a", "\nA"),
    ("\r", "A"),
    ("!", "A"),
];

/// Where a boundary is in a text: before, or after what is in the middle.
fn seen<'t>(bounds: impl Iterator<Item = (usize, &'t str)>, before: &str, c: char) -> u8 {
    let starts = bounds.map(|(start, _)| start);
    starts.fold(0, |seen, start| match start {
        _ if start == before.len() => seen | 1,
        _ if start == before.len() + c.len_utf8() => seen | 2,
        _ if start > before.len() => seen | 4,
        _ => seen,
    })
}

fn in_words(c: char) -> [u8; 15] {
    AROUND_IN_WORDS.map(|(before, after)| {
        let text = format!("{before}{c}{after}");
        seen(text.split_word_bound_indices(), before, c)
    })
}

fn in_sentences(c: char) -> [u8; 10] {
    AROUND_IN_SENTENCES.map(|(before, after)| {
        let text = format!("{before}{c}{after}");
        seen(text.split_sentence_bound_indices(), before, c)
    })
}

/// What the packed table says of a character, by what the crate does with it: its own tables are not for others.
fn at_break(c: char, kinds: &Kinds) -> u8 {
    if c.is_ascii() {
        return 0;
    }
    let word = kinds.words[&in_words(c)];
    let sentence = kinds.sentences[&in_sentences(c)];
    let word = if word == InWord::usual(c) {
        0
    } else {
        word as u8
    };
    let sentence = if sentence == InSentence::usual(c) {
        0
    } else {
        sentence as u8
    };
    word << 4 | sentence
}

/// Kinds by what is seen of them.
struct Kinds {
    words: HashMap<[u8; 15], InWord>,
    sentences: HashMap<[u8; 10], InSentence>,
}

impl Kinds {
    fn new() -> Self {
        let words = IN_WORDS.map(|(c, kind)| (in_words(c), kind));
        let sentences = IN_SENTENCES.map(|(c, kind)| (in_sentences(c), kind));
        let kinds = Self {
            words: words.into_iter().collect(),
            sentences: sentences.into_iter().collect(),
        };
        assert_eq!((kinds.words.len(), kinds.sentences.len()), (14, 14));
        assert!(
            (1..)
                .zip(InWord::PACKED)
                .all(|(number, kind)| number == kind as u8)
        );
        assert!(
            (1..)
                .zip(InSentence::PACKED)
                .all(|(number, kind)| number == kind as u8)
        );
        kinds
    }
}

fn is_pictograph(c: char) -> bool {
    let text = format!("@\u{200d}{c}");
    text.split_word_bound_indices().count() == 1
        && in_words(c) != in_words('\u{308}')
        && c != '\u{200d}'
}

#[test]
fn the_packed_tables_are_those_of_the_crates() {
    let packed = packed();
    if std::env::var_os("EDGEMEM_WRITE_UNICODE").is_some() {
        std::fs::write("src/compact/unicode/tables.bin", &packed).unwrap();
    }
    let written = std::fs::read("src/compact/unicode/tables.bin").unwrap();
    assert!(
        written == packed,
        "the tables are out of date: run with EDGEMEM_WRITE_UNICODE=1"
    );
}

fn packed() -> Vec<u8> {
    let apart: Vec<(char, u32, Vec<char>)> = ALL.filter_map(taken_apart).collect();
    let mut bytes = Vec::new();
    put(&mut bytes, apart.len() as u32);
    let (mut before, mut last) = (0, [0; 32]);
    for (c, kind, parts) in apart {
        put(&mut bytes, u32::from(c) - before);
        before = u32::from(c);
        put(&mut bytes, parts.len() as u32 * 4 + kind);
        for (last, part) in last.iter_mut().zip(parts) {
            let step = part as i32 - *last;
            put(&mut bytes, ((step << 1) ^ (step >> 31)) as u32);
            *last = part as i32;
        }
    }
    put_runs(&mut bytes, true, canonical_combining_class);
    let kinds: [fn(char) -> bool; 5] = [
        is_mark,
        |c| c.is_mark_nonspacing(),
        |c| c.is_other(),
        |c| c.is_punctuation(),
        is_passed_over,
    ];
    for kind in kinds {
        put_runs(&mut bytes, false, |c| u8::from(kind(c)));
    }
    let kinds = Kinds::new();
    put_runs(&mut bytes, true, |c| at_break(c, &kinds));
    put_runs(&mut bytes, false, |c| u8::from(is_pictograph(c)));
    put_small(&mut bytes);
    bytes
}

/// A character with its kind and its parts. Syllables of Korean have none.
fn taken_apart(c: char) -> Option<(char, u32, Vec<char>)> {
    if ('\u{ac00}'..='\u{d7a3}').contains(&c) {
        return None;
    }
    let (mut canonical, mut compatible) = (Vec::new(), Vec::new());
    decompose_canonical(c, |part| canonical.push(part));
    decompose_compatible(c, |part| compatible.push(part));
    if canonical == [c] {
        return (compatible != [c]).then_some((c, 0, compatible));
    }
    let (second, rest) = canonical.split_last().unwrap();
    let first = rest
        .iter()
        .copied()
        .reduce(|a, b| compose(a, b).unwrap_or(a));
    match first {
        Some(first) if compose(first, *second) == Some(c) => Some((c, 2, vec![first, *second])),
        _ => Some((c, 1, canonical)),
    }
}

/// Whether a sigma does not see a character behind it: it ends the word before that, but not when a letter follows.
fn is_passed_over(c: char) -> bool {
    let is_last = |text: String| text.to_lowercase().chars().nth(1) == Some('ς');
    is_last(format!("αΣ{c}")) && !is_last(format!("αΣ{c}α"))
}

fn put_small(bytes: &mut Vec<u8>) {
    let mut runs: Vec<(u32, u32, i32)> = Vec::new();
    for c in ALL.filter(|c| !c.is_ascii() && *c != 'İ') {
        let mut small = c.to_lowercase();
        let (at, step) = (u32::from(c), small.next().unwrap() as i32 - c as i32);
        assert_eq!(small.next(), None, "{c:?}");
        match runs.last_mut() {
            _ if step == 0 => {}
            Some((_, end, of)) if *end == at && *of == step => *end += 1,
            _ => runs.push((at, at + 1, step)),
        }
    }
    put(bytes, runs.len() as u32);
    let mut before = 0;
    for (from, to, step) in runs {
        put(bytes, from - before);
        put(bytes, to - from);
        put(bytes, ((step << 1) ^ (step >> 31)) as u32);
        before = to;
    }
}

#[test]
fn letters_are_small_and_capital_as_the_standard_library_has_them() {
    for c in ALL {
        let text = c.to_string();
        assert_eq!(lowercase(&text), text.to_lowercase(), "{c:?}");
        assert!(lower(c).eq(c.to_lowercase()), "{c:?}");
        let (ours, upper) = (capitals(&text), text.to_uppercase());
        assert!(ours == upper || ours == text, "{c:?}: {ours} for {upper}");
    }
    for text in [
        "lives_in",
        "wohnt_in_münchen_heißt",
        "ŷÿžłőşğ",
        "живёт_в_їґ",
        "ζει_στην_ήώύ",
        "ապրում",
        "住在_ภาษา_ק",
    ] {
        assert_eq!(capitals(text), text.to_uppercase(), "{text}");
    }
}

proptest! {
    #[test]
    fn sigmas_end_words_as_the_standard_library_has_them(text in "[Σσα'.:\u{308}\u{ad}ʰ 1Aİ-]{0,8}") {
        prop_assert_eq!(lowercase(&text), text.to_lowercase());
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_runs(bytes: &mut Vec<u8>, valued: bool, value: impl Fn(char) -> u8) {
    let mut runs: Vec<(u32, u32, u8)> = Vec::new();
    for c in ALL {
        let (at, value) = (u32::from(c), value(c));
        match runs.last_mut() {
            _ if value == 0 => {}
            Some((_, end, of)) if *end == at && *of == value => *end += 1,
            _ => runs.push((at, at + 1, value)),
        }
    }
    put(bytes, runs.len() as u32);
    let mut before = 0;
    for (from, to, value) in runs {
        put(bytes, from - before);
        put(bytes, to - from);
        if valued {
            put(bytes, value.into());
        }
        before = to;
    }
}
