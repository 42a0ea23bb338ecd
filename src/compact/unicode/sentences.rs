//! Boundaries of sentences (<https://unicode.org/reports/tr29/#Sentence_Boundaries>).

use super::{is_combining_mark, segments, tables};

/// What a character is at the boundaries of sentences. The numbers are those of the packed tables, where 0 is what
/// [`Kind::usual`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Any = 1,
    /// Also what formats: both belong to the character before.
    Extend,
    Lower,
    Upper,
    /// A letter that is neither.
    Letter,
    Numeric,
    /// What may end a sentence, as a full stop.
    Stop,
    /// What ends a sentence.
    End,
    Separator,
    Space,
    /// What closes after the end: quotation marks and parentheses.
    Close,
    /// What shows that a sentence goes on.
    Continue,
    Return,
    Feed,
}

use Kind::*;

impl Kind {
    /// All of them, from 1 on.
    pub const PACKED: [Self; 14] = [
        Any, Extend, Lower, Upper, Letter, Numeric, Stop, End, Separator, Space, Close, Continue,
        Return, Feed,
    ];

    fn of(c: char) -> Self {
        match c {
            'a'..='z' => Lower,
            'A'..='Z' => Upper,
            ' ' | '\t' | '\u{b}' | '\u{c}' => Space,
            '0'..='9' => Numeric,
            '.' => Stop,
            '!' | '?' => End,
            ',' | '-' | ':' | ';' => Continue,
            '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' => Close,
            '\r' => Return,
            '\n' => Feed,
            '\0'..='\x7f' => Any,
            _ => tables::named(&Self::PACKED, tables::breaks(c) & 0xf)
                .unwrap_or_else(|| Self::usual(c)),
        }
    }

    /// What a character is if nothing else is said of it.
    pub fn usual(c: char) -> Self {
        match c {
            _ if is_combining_mark(c) => Extend,
            _ if c.is_lowercase() => Lower,
            _ if c.is_uppercase() => Upper,
            _ if c.is_alphabetic() => Letter,
            _ => Any,
        }
    }

    fn is_separator(self) -> bool {
        matches!(self, Separator | Return | Feed)
    }
}

/// What came since the mark that may end the sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    Nothing,
    Closed,
    Blank,
}

/// A mark that may end the sentence.
#[derive(Clone, Copy)]
struct Mark {
    is_stop: bool,
    /// Whether a letter of two cases stands before it.
    after_letter: bool,
    since: Since,
}

/// A text cut at the boundaries of sentences, each with where it begins.
pub fn sentences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    segments(text, first_end)
}

/// Where the first boundary after the beginning is.
fn first_end(text: &str) -> usize {
    let mut last = Any;
    let mut mark: Option<Mark> = None;
    for (at, c) in text.char_indices() {
        let kind = Kind::of(c);
        if last.is_separator() && (last, kind) != (Return, Feed) {
            return at;
        }
        if kind == Extend && at > 0 {
            continue;
        }
        let ahead = text.get(at..).unwrap_or_default();
        if mark.is_some_and(|mark| !goes_on(mark, kind, ahead)) {
            return at;
        }
        mark = match (kind, mark) {
            (Stop | End, _) => Some(Mark {
                is_stop: kind == Stop,
                after_letter: matches!(last, Lower | Upper),
                since: Since::Nothing,
            }),
            (Close, Some(mark)) if mark.since != Since::Blank => Some(Mark {
                since: Since::Closed,
                ..mark
            }),
            (Space, Some(mark)) => Some(Mark {
                since: Since::Blank,
                ..mark
            }),
            _ => None,
        };
        last = kind;
    }
    text.len()
}

/// Whether the sentence goes on after a mark, with a character of this kind, with which `ahead` begins.
fn goes_on(mark: Mark, kind: Kind, ahead: &str) -> bool {
    let is_next = mark.is_stop && mark.since == Since::Nothing;
    match kind {
        Numeric if is_next => true,
        Upper if is_next && mark.after_letter => true,
        _ if mark.is_stop && continues_small(ahead) => true,
        Continue | Stop | End => true,
        Close => mark.since != Since::Blank,
        Space | Separator | Return | Feed => true,
        _ => false,
    }
}

/// Whether the next letter is a small one, and no mark comes before it.
fn continues_small(ahead: &str) -> bool {
    let mut kinds = ahead.chars().map(Kind::of);
    let decides =
        |kind: &Kind| kind.is_separator() || matches!(kind, Lower | Upper | Letter | Stop | End);
    kinds.find(decides) == Some(Lower)
}
