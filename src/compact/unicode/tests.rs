use std::ops::RangeInclusive;

use proptest::prelude::*;
use unicode_categories::UnicodeCategories;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{
    canonical_combining_class, compose, decompose_canonical, decompose_compatible,
    is_combining_mark as is_mark,
};

use super::*;

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
    let kinds: [fn(char) -> bool; 4] = [
        is_mark,
        |c| c.is_mark_nonspacing(),
        |c| c.is_other(),
        |c| c.is_punctuation(),
    ];
    for kind in kinds {
        put_runs(&mut bytes, false, |c| u8::from(kind(c)));
    }
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
