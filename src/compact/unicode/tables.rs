//! The packed tables, unpacked.
//!
//! The file is a list of numbers, each in groups of seven bits, the lowest first, all but the last with the eighth bit set:
//!
//! - how many characters can be taken apart, and of each: how far it is from the one before; four times the count of its
//!   parts, plus its [`Kind`]; and how far each part is from that of the last character which had so many, its sign in the
//!   lowest bit;
//! - how many runs of characters have a combining class other than 0, and of each: how far it begins after the end of the one
//!   before, its length, its class;
//! - five times, how many runs of characters there are of a kind (combining marks; nonspacing marks; neither letters, marks,
//!   numbers, symbols, blanks nor punctuation; punctuation; passed over where a word is looked for that a sigma ends), and of each how far it begins after the end of the one before, and
//!   its length;
//! - how many runs of characters are not what is usual at the boundaries of words or sentences, and of each the same, and
//!   sixteen times the kind at those of words plus the kind at those of sentences;
//! - how many runs of pictographs there are, and of each the same without a kind;
//! - how many runs of characters have small letters, and of each the same and how far those are, the sign in the lowest bit.

use std::sync::LazyLock;

/// How a character is taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    /// In the forms KC and KD only.
    Compatible = 0,
    /// In all forms.
    Apart = 1,
    /// In all forms; its two parts make it again.
    Pair = 2,
}

/// Characters from, to before, and what they have in common.
type Run<T = u8> = (u32, u32, T);

/// What the normal forms need.
pub(super) struct Forms {
    /// Characters that can be taken apart, in order, with where their parts end.
    apart: Vec<(char, Kind, usize)>,
    parts: Vec<char>,
    /// First and second character, and the one they make, in order.
    pairs: Vec<(char, char, char)>,
    classes: Vec<Run>,
}

struct Tables {
    forms: Forms,
    kinds: [Vec<Run>; 5],
    breaks: Vec<Run>,
    pictographs: Vec<Run>,
    /// Characters from, to before, and how far their small letters are.
    small: Vec<Run<i32>>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::read(include_bytes!("tables.bin")));

pub(super) fn forms() -> &'static Forms {
    &TABLES.forms
}

impl Forms {
    /// What a character is made of, which may have parts as well.
    pub fn parts(&self, c: char, compatible: bool) -> Option<&[char]> {
        if c < self.apart.first()?.0 {
            return None;
        }
        let place = self.apart.binary_search_by(|(other, ..)| other.cmp(&c));
        let place = place.ok()?;
        let (_, kind, end) = self.apart.get(place)?;
        let before = place.checked_sub(1).and_then(|it| self.apart.get(it));
        let start = before.map_or(0, |(.., end)| *end);
        let applies = compatible || *kind != Kind::Compatible;
        applies.then(|| self.parts.get(start..*end))?
    }

    /// What two characters make.
    pub fn pair(&self, first: char, second: char) -> Option<char> {
        let pairs = &self.pairs;
        let place = pairs.binary_search_by(|(a, b, _)| (a, b).cmp(&(&first, &second)));
        pairs.get(place.ok()?).map(|(.., joined)| *joined)
    }

    /// The combining class of a character.
    pub fn class(&self, c: char) -> u8 {
        find(&self.classes, c).unwrap_or_default()
    }
}

/// Whether a character is a mark on others.
pub fn is_combining_mark(c: char) -> bool {
    is_of(0, c)
}

/// Whether it is a mark that takes no place of its own.
pub fn is_nonspacing_mark(c: char) -> bool {
    is_of(1, c)
}

/// Whether it is a control character, a format character, or of private use.
pub fn is_other(c: char) -> bool {
    is_of(2, c)
}

/// Whether it is punctuation.
pub fn is_punctuation(c: char) -> bool {
    is_of(3, c)
}

/// Whether it is passed over where a word is looked for that a sigma ends.
pub(super) fn is_passed_over(c: char) -> bool {
    is_of(4, c)
}

/// The small letter of a character that has a single one, else the character.
pub(super) fn lower(c: char) -> char {
    let step = find(&TABLES.small, c).unwrap_or_default();
    char::from_u32(u32::from(c).wrapping_add_signed(step)).unwrap_or(c)
}

/// What a character is at the boundaries of words (times sixteen) and sentences; 0 is what is usual.
pub(super) fn breaks(c: char) -> u8 {
    find(&TABLES.breaks, c).unwrap_or_default()
}

/// The kind of a number that says one, from 1 on.
pub(super) fn named<K: Copy>(kinds: &[K], number: u8) -> Option<K> {
    kinds.get(usize::from(number).checked_sub(1)?).copied()
}

/// Whether it is a pictograph, which others may join.
pub(super) fn is_pictograph(c: char) -> bool {
    find(&TABLES.pictographs, c).is_some()
}

fn is_of(kind: usize, c: char) -> bool {
    let runs = TABLES.kinds.get(kind);
    runs.is_some_and(|runs| find(runs, c).is_some())
}

fn find<T: Copy>(runs: &[Run<T>], c: char) -> Option<T> {
    let c = u32::from(c);
    if c < runs.first()?.0 {
        return None;
    }
    let after = runs.partition_point(|(from, ..)| *from <= c);
    let (_, to, value) = runs.get(after.checked_sub(1)?)?;
    (c < *to).then_some(*value)
}

impl Tables {
    fn read(bytes: &[u8]) -> Self {
        let mut numbers = Numbers(bytes);
        Self {
            forms: Forms::read(&mut numbers),
            kinds: std::array::from_fn(|_| numbers.runs(false)),
            breaks: numbers.runs(true),
            pictographs: numbers.runs(false),
            small: numbers.small(),
        }
    }
}

impl Forms {
    fn read(numbers: &mut Numbers) -> Self {
        let mut forms = Self {
            apart: Vec::new(),
            parts: Vec::new(),
            pairs: Vec::new(),
            classes: Vec::new(),
        };
        let (mut c, mut last) = (0, [0u32; 32]);
        for _ in 0..numbers.next() {
            c += numbers.next();
            let head = numbers.next();
            for last in last.iter_mut().take(head as usize / 4) {
                *last = last.wrapping_add_signed(numbers.signed());
                forms.parts.extend(char::from_u32(*last));
            }
            let kind = match head % 4 {
                0 => Kind::Compatible,
                1 => Kind::Apart,
                _ => Kind::Pair,
            };
            let Some(c) = char::from_u32(c) else { break };
            forms.apart.push((c, kind, forms.parts.len()));
            if let (Kind::Pair, [.., first, second]) = (kind, forms.parts.as_slice()) {
                forms.pairs.push((*first, *second, c));
            }
        }
        forms.pairs.sort_unstable();
        forms.classes = numbers.runs(true);
        forms
    }
}

/// What is left of the file.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    /// The next number; 0 after the last.
    fn next(&mut self) -> u32 {
        let (mut number, mut shift) = (0, 0);
        while let Some((byte, rest)) = self.0.split_first() {
            self.0 = rest;
            number |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    /// The next number, with a sign in its lowest bit.
    fn signed(&mut self) -> i32 {
        let number = self.next();
        ((number >> 1) ^ 0u32.wrapping_sub(number & 1)) as i32
    }

    fn small(&mut self) -> Vec<Run<i32>> {
        let mut end = 0;
        let count = self.next();
        let runs = (0..count).map(|_| {
            let from = end + self.next();
            end = from + self.next();
            (from, end, self.signed())
        });
        runs.collect()
    }

    fn runs(&mut self, valued: bool) -> Vec<Run> {
        let mut end = 0;
        let count = self.next();
        let runs = (0..count).map(|_| {
            let from = end + self.next();
            end = from + self.next();
            let value = if valued { self.next() } else { 0 };
            (from, end, value as u8)
        });
        runs.collect()
    }
}
