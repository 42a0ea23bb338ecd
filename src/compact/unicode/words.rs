//! Boundaries of words (<https://unicode.org/reports/tr29/#Word_Boundaries>).

use super::{is_combining_mark, segments, tables};

/// What a character is at the boundaries of words. The numbers are those of the packed tables, where 0 is what
/// [`Kind::usual`] says; those from 16 on are of ASCII alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Any = 1,
    /// Also what formats: both belong to the character before.
    Extend,
    Letter,
    Numeric,
    Joiner,
    Hebrew,
    Katakana,
    MidLetter,
    MidNumber,
    MidBoth,
    Newline,
    Regional,
    Space,
    ZeroWidthJoiner,
    SingleQuote = 16,
    DoubleQuote,
    Return,
    Feed,
}

use Kind::*;

impl Kind {
    /// Those that the packed tables name, from 1 on.
    pub const PACKED: [Self; 14] = [
        Any,
        Extend,
        Letter,
        Numeric,
        Joiner,
        Hebrew,
        Katakana,
        MidLetter,
        MidNumber,
        MidBoth,
        Newline,
        Regional,
        Space,
        ZeroWidthJoiner,
    ];

    fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' => Letter,
            ' ' => Space,
            '0'..='9' => Numeric,
            '.' => MidBoth,
            ',' | ';' => MidNumber,
            ':' => MidLetter,
            '\'' => SingleQuote,
            '"' => DoubleQuote,
            '_' => Joiner,
            '\r' => Return,
            '\n' => Feed,
            '\u{b}' | '\u{c}' => Newline,
            '\0'..='\x7f' => Any,
            _ => tables::named(&Self::PACKED, tables::breaks(c) >> 4)
                .unwrap_or_else(|| Self::usual(c)),
        }
    }

    /// What a character is if nothing else is said of it.
    pub fn usual(c: char) -> Self {
        match c {
            _ if is_combining_mark(c) => Extend,
            _ if c.is_alphabetic() => Letter,
            _ => Any,
        }
    }

    fn is_letter(self) -> bool {
        matches!(self, Letter | Hebrew)
    }

    /// Whether it belongs to the character before, and nothing asks what it is.
    fn is_passed_over(self) -> bool {
        matches!(self, Extend | ZeroWidthJoiner)
    }
}

/// A text cut at the boundaries of words, each part with where it begins.
pub fn word_bounds(text: &str) -> impl Iterator<Item = (usize, &str)> {
    segments(text, first_end)
}

/// The words of a text: what is between boundaries and has letters or digits.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = word_bounds(text).map(|(_, part)| part);
    parts.filter(|part| part.chars().any(char::is_alphanumeric))
}

/// Where the first boundary after the beginning is.
fn first_end(text: &str) -> usize {
    let mut chars = text.char_indices();
    let first = chars.next().map_or(Any, |(_, c)| Kind::of(c));
    // The character before, whatever it is; and the last two that are not passed over.
    let mut nearest = first;
    let mut last = if first.is_passed_over() { Any } else { first };
    let mut before = Any;
    let mut regionals = usize::from(last == Regional);
    for (at, c) in chars {
        let kind = Kind::of(c);
        let is_joined = match (nearest, kind) {
            (Return, Feed) => true,
            (Return | Feed | Newline, _) | (_, Return | Feed | Newline) => return at,
            (Space, Space) => true,
            (_, Extend | ZeroWidthJoiner) => {
                nearest = kind;
                continue;
            }
            (ZeroWidthJoiner, _) if tables::is_pictograph(c) => {
                (nearest, before, last) = (kind, last, Any);
                continue;
            }
            _ => {
                let next = || {
                    let ahead = text.get(at..).unwrap_or_default().chars().skip(1);
                    let mut ahead = ahead.map(Kind::of).filter(|kind| !kind.is_passed_over());
                    ahead.next().unwrap_or(Any)
                };
                match (last, kind) {
                    (Regional, Regional) => regionals % 2 == 1,
                    pair => joins(before, pair, next),
                }
            }
        };
        if !is_joined {
            return at;
        }
        regionals += usize::from(kind == Regional);
        (nearest, before, last) = (kind, last, kind);
    }
    text.len()
}

/// Whether there is no boundary between two characters. `next` tells what comes after them.
fn joins(before: Kind, pair: (Kind, Kind), next: impl Fn() -> Kind) -> bool {
    match pair {
        (Letter | Hebrew, Letter | Hebrew | Numeric | Joiner)
        | (Numeric, Letter | Hebrew | Numeric | Joiner)
        | (Katakana, Katakana | Joiner)
        | (Joiner, Letter | Hebrew | Numeric | Katakana | Joiner)
        | (Hebrew, SingleQuote) => true,
        (Letter | Hebrew, MidLetter | MidBoth | SingleQuote) => next().is_letter(),
        (MidLetter | MidBoth | SingleQuote, Letter | Hebrew) => before.is_letter(),
        (Hebrew, DoubleQuote) => next() == Hebrew,
        (DoubleQuote, Hebrew) => before == Hebrew,
        (Numeric, MidNumber | MidBoth | SingleQuote) => next() == Numeric,
        (MidNumber | MidBoth | SingleQuote, Numeric) => before == Numeric,
        _ => false,
    }
}
