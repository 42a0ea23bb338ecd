//! Normal forms of texts (<https://unicode.org/reports/tr15/>), boundaries of words and sentences, small letters and
//! capitals, and kinds of characters, the same on every host.
//!
//! The standard library and the crates `unicode-normalization`, `unicode-segmentation` and `unicode_categories` say what is here; their tables, made to be fast, are more than a tenth
//! of what a page has to load. Ours are packed, a fifth of that, and unpacked when a text first needs them. The tests compare
//! every character.

mod cases;
mod sentences;
mod tables;
mod words;

use std::borrow::Cow;

pub use cases::{capitals, lower, lowercase};
pub use sentences::sentences;
pub use tables::{is_combining_mark, is_nonspacing_mark, is_other, is_punctuation};
pub use words::{word_bounds, words};

use tables::Forms;

/// A text in form KC: letters and their marks as one character, and characters that only look different as one.
pub fn nfkc(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(composed(&decomposed(text.chars(), true))),
    }
}

/// Characters in form D: letters before their marks.
pub fn nfd(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    decomposed(text, false).into_iter().map(|(_, c)| c)
}

/// Characters taken apart, each after its combining class, marks in the order of their classes.
fn decomposed(text: impl Iterator<Item = char>, compatible: bool) -> Vec<(u8, char)> {
    let forms = tables::forms();
    let mut parts: Vec<(u8, char)> = Vec::new();
    for c in text {
        forms.decompose(c, compatible, &mut |part| {
            let class = forms.class(part);
            let marks = parts.iter().rev();
            let after = marks
                .take_while(|(other, _)| class != 0 && *other > class)
                .count();
            parts.insert(parts.len() - after, (class, part));
        });
    }
    parts
}

/// The same put together again.
fn composed(parts: &[(u8, char)]) -> String {
    let forms = tables::forms();
    let mut whole: Vec<char> = Vec::with_capacity(parts.len());
    // Where the last character is that others can join, and the class of what stands between.
    let mut starter = None;
    let mut between = None;
    for &(class, c) in parts {
        let joins = between.is_none_or(|between| between < class);
        if let Some(place) = starter
            && joins
            && let Some(base) = whole.get_mut(place)
            && let Some(joined) = forms.compose(*base, c)
        {
            *base = joined;
            continue;
        }
        (starter, between) = match class {
            0 => (Some(whole.len()), None),
            _ => (starter, Some(class)),
        };
        whole.push(c);
    }
    whole.into_iter().collect()
}

/// Syllables of Korean, which are made by arithmetic (the Unicode Standard, section 3.12).
mod hangul {
    const LEADS: u32 = 0x1100;
    const VOWELS: u32 = 0x1161;
    /// One before the first: a syllable without a tail has number 0.
    const TAILS: u32 = 0x11A7;
    const SYLLABLES: u32 = 0xAC00;
    const LEAD_COUNT: u32 = 19;
    const VOWEL_COUNT: u32 = 21;
    const TAIL_COUNT: u32 = 28;

    /// The letters of a syllable.
    pub fn decompose(c: char) -> Option<impl Iterator<Item = char>> {
        let number = u32::from(c).checked_sub(SYLLABLES)?;
        let tail = number % TAIL_COUNT;
        let (lead, vowel) = (
            number / TAIL_COUNT / VOWEL_COUNT,
            number / TAIL_COUNT % VOWEL_COUNT,
        );
        let letters = [LEADS + lead, VOWELS + vowel, TAILS + tail];
        let count = if tail == 0 { 2 } else { 3 };
        let letters = letters.into_iter().filter_map(char::from_u32).take(count);
        (lead < LEAD_COUNT).then_some(letters)
    }

    /// The syllable of two letters, or of a syllable without a tail and a tail.
    pub fn compose(first: char, second: char) -> Option<char> {
        let (first, second) = (u32::from(first), u32::from(second));
        let place = |c: u32, from: u32, count: u32| c.checked_sub(from).filter(|it| *it < count);
        let number = match place(first, LEADS, LEAD_COUNT) {
            Some(lead) => (lead * VOWEL_COUNT + place(second, VOWELS, VOWEL_COUNT)?) * TAIL_COUNT,
            None => {
                let bare = place(first, SYLLABLES, LEAD_COUNT * VOWEL_COUNT * TAIL_COUNT)?;
                let tail = place(second, TAILS, TAIL_COUNT).filter(|tail| *tail > 0)?;
                (bare % TAIL_COUNT == 0).then_some(bare + tail)?
            }
        };
        char::from_u32(SYLLABLES + number)
    }
}

impl Forms {
    fn decompose(&self, c: char, compatible: bool, found: &mut dyn FnMut(char)) {
        if let Some(letters) = hangul::decompose(c) {
            return letters.for_each(found);
        }
        match self.parts(c, compatible) {
            Some(parts) => parts
                .iter()
                .for_each(|part| self.decompose(*part, compatible, found)),
            None => found(c),
        }
    }

    fn compose(&self, first: char, second: char) -> Option<char> {
        hangul::compose(first, second).or_else(|| self.pair(first, second))
    }
}

/// A text in parts, each with where it begins: `first` says where the first part of a text ends.
fn segments(text: &str, first: fn(&str) -> usize) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let part = rest.get(..first(rest))?;
        start += part.len();
        Some((start - part.len(), part))
    })
}

#[cfg(test)]
mod tests;
