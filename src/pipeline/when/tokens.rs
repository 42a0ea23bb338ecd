//! From text to tokens: words with their meanings, numbers, dates in digits, and marks.

use super::digits::{self, Digits};
use super::lexicon::{self, ALL, Entry, Sense, Tongues};
use crate::compact::{is_combining_mark, lower};

/// What stands between a token and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    Space,
    Hyphen,
    Apostrophe,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Word,
    /// Written in digits.
    Digits(Digits),
    /// Anything else.
    Mark(char),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Byte range in the text.
    pub start: usize,
    pub end: usize,
    pub what: What,
    pub gap: Gap,
    pub capital: bool,
    /// A word of four letters or more that ends in `s`.
    pub plural: bool,
    /// Its meanings, as a range of [`Tokens::senses`].
    senses: (u32, u32),
}

/// A meaning of one token or more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub sense: Sense,
    pub tongues: Tongues,
    /// How many tokens it takes.
    pub length: usize,
}

pub(super) struct Tokens {
    pub list: Vec<Token>,
    senses: Vec<Meaning>,
    /// The languages that the text looks like.
    pub tongues: Tongues,
}

impl Tokens {
    pub fn read(text: &str) -> Self {
        let (mut list, folded, spots) = split(text);
        let mut found: Vec<(usize, &'static Entry, usize)> = Vec::new();
        let mut scores = [0_u16; 16];
        let mut known_until = 0;
        for (at, token) in list.iter().enumerate() {
            if token.what != What::Word {
                continue;
            }
            let Some(rest) = spots.get(at).and_then(|spot| folded.get(*spot..)) else {
                continue;
            };
            // Particles cling to Korean words, so that only a beginning is one.
            let inner = rest.starts_with(is_hangul)
                && token.gap == Gap::None
                && at > known_until
                && at > 0
                && !matches!(list.get(at - 1).map(|t| t.what), Some(What::Digits(_)));
            if inner {
                continue;
            }
            let mut counted = 0;
            for entry in lexicon::entries(lexicon::head(word_at(rest))) {
                let Some(length) = length_of(entry.key, rest, at, &spots) else {
                    continue;
                };
                if !entry.shy && counted & entry.tongues == 0 {
                    counted |= entry.tongues;
                    for (tongue, score) in scores.iter_mut().enumerate() {
                        *score += u16::from(entry.tongues >> tongue & 1 == 1);
                    }
                }
                known_until = known_until.max(at + length);
                found.push((at, entry, length));
            }
        }
        let best = scores.iter().copied().max().unwrap_or(0);
        let tongues = match best {
            0 => ALL,
            _ => (0..16)
                .filter(|tongue| scores.get(*tongue) == Some(&best))
                .fold(0, |tongues, tongue| tongues | 1 << tongue),
        };
        let mut senses: Vec<Meaning> = Vec::with_capacity(found.len());
        for (at, entry, length) in found {
            let tongues = match entry.shy {
                true if best == 0 => 0,
                true => entry.tongues & tongues,
                false => entry.tongues,
            };
            if tongues == 0 {
                continue;
            }
            let place = senses.len() as u32;
            if let Some(token) = list.get_mut(at) {
                if token.senses.0 == token.senses.1 {
                    token.senses = (place, place);
                }
                token.senses.1 = place + 1;
            }
            senses.push(Meaning {
                sense: entry.sense,
                tongues,
                length,
            });
        }
        Self {
            list,
            senses,
            tongues,
        }
    }

    pub fn get(&self, at: usize) -> Option<&Token> {
        self.list.get(at)
    }

    /// The meanings of what begins at a token, the longest first.
    pub fn meanings(&self, at: usize) -> &[Meaning] {
        self.get(at)
            .and_then(|token| {
                self.senses
                    .get(token.senses.0 as usize..token.senses.1 as usize)
            })
            .unwrap_or_default()
    }
}

/// The first word of a folded text, or its rest in a script without spaces.
fn word_at(rest: &str) -> &str {
    rest.split([' ', '\u{1}']).next().unwrap_or(rest)
}

/// How many tokens a key covers that begins with one at `at`.
fn length_of(key: &str, rest: &str, at: usize, spots: &[usize]) -> Option<usize> {
    if !rest.starts_with(key) {
        return None;
    }
    let start = spots.get(at)?;
    let end = start + key.len();
    let mut length = 1;
    loop {
        // The end of a token is where the next one begins, less the space between them.
        let next = *spots.get(at + length)?;
        let spaced = rest.as_bytes().get(key.len()) == Some(&b' ');
        if next == end || (next == end + 1 && spaced) {
            return Some(length);
        }
        if next > end {
            return None;
        }
        length += 1;
    }
}

/// The tokens, their folded words with single spaces, and where each one's word begins there
/// (with one more for the end).
fn split(text: &str) -> (Vec<Token>, String, Vec<usize>) {
    let mut list: Vec<Token> = Vec::with_capacity(text.len() / 4);
    let mut folded = String::with_capacity(text.len() + 8);
    let mut spots = Vec::with_capacity(text.len() / 4);
    let mut gap = Gap::None;
    let mut at = 0;
    let mut before = None;
    while let Some(rest) = text.get(at..)
        && let Some(first) = rest.chars().next()
    {
        let wide = first.len_utf8();
        if first.is_whitespace() {
            gap = Gap::Space;
            at += wide;
            before = Some(first);
            continue;
        }
        let after_letter = before.is_some_and(char::is_alphanumeric);
        let next = rest.chars().nth(1);
        if after_letter && next.is_some_and(char::is_alphanumeric) {
            let joins = match first {
                '\'' | '’' | '`' => Some(Gap::Apostrophe),
                '-' | '‐' | '‑' => Some(Gap::Hyphen),
                _ => None,
            };
            if let Some(join) = joins {
                gap = join;
                at += wide;
                // `mid-2022`
                before = before.filter(|c| !c.is_alphabetic()).map(|_| first);
                continue;
            }
        }
        if gap != Gap::None {
            folded.push(' ');
        }
        spots.push(folded.len());
        let (end, what) = if digits::value(first).is_some() {
            let (length, read) = digits::read(rest, before);
            folded.push('\u{1}');
            (at + length, What::Digits(read))
        } else if is_unspaced(first) {
            folded.push(first);
            (at + wide, What::Word)
        } else if first.is_alphabetic() {
            let length = rest
                .find(|c: char| !(c.is_alphabetic() || is_combining_mark(c)) || is_unspaced(c))
                .unwrap_or(rest.len());
            fold_into(rest.get(..length).unwrap_or(""), &mut folded);
            (at + length, What::Word)
        } else {
            folded.push('\u{1}');
            (at + wide, What::Mark(first))
        };
        list.push(Token {
            start: at,
            end,
            what,
            gap,
            capital: first.is_uppercase(),
            plural: what == What::Word
                && end - at > 3
                && text.get(at..end).is_some_and(|word| word.ends_with('s')),
            senses: (0, 0),
        });
        gap = Gap::None;
        before = text.get(at..end).and_then(|piece| piece.chars().last());
        at = end;
        // A word that ends where digits begin is one of two, without a space between.
        let ends_word = what == What::Word && !before.is_some_and(is_unspaced);
        if ends_word
            && text
                .get(at..)
                .and_then(|t| t.chars().next())
                .is_some_and(is_unspaced)
        {
            gap = Gap::Space;
        }
    }
    spots.push(folded.len());
    (list, folded, spots)
}

/// Appends a word in lower case, its Latin letters without accents.
fn fold_into(word: &str, folded: &mut String) {
    if word.is_ascii() {
        folded.extend(word.bytes().map(|b| char::from(b.to_ascii_lowercase())));
        return;
    }
    for c in word.chars().flat_map(lower) {
        match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ē' | 'ě' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' | 'ī' => folded.push('i'),
            'ñ' | 'ń' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ō' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' | 'ū' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ś' | 'š' => folded.push('s'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            'ł' => folded.push('l'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ё' => folded.push('е'),
            c if is_combining_mark(c) => {}
            c => folded.push(c),
        }
    }
}

/// A word as the tables write it.
#[cfg(test)]
pub(super) fn fold(word: &str) -> String {
    let mut folded = String::new();
    fold_into(word, &mut folded);
    folded
}

/// Scripts whose words are not parted by spaces, and Hangul, whose words end in particles.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff) || is_hangul(c)
}

fn is_hangul(c: char) -> bool {
    matches!(u32::from(c), 0xac00..=0xd7af)
}
