//! Small letters and capitals.

use super::tables;

/// How far capitals stand before their small letters, in the alphabets that people write in: modulo 2³², as some stand behind.
const BEFORE: [u32; 12] = [
    32,
    1,
    48,
    80,
    64,
    40,
    16,
    26,
    63,
    37,
    38,
    121_u32.wrapping_neg(),
];

/// A text in small letters, as the standard library's `to_lowercase` has it.
pub fn lowercase(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut small = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            'Σ' if ends_word(text, at) => small.push('ς'),
            c => small.extend(lower(c)),
        }
    }
    small
}

/// The small letter of a character: the character itself when it has none, and one letter with a mark for one character alone.
pub fn lower(c: char) -> impl Iterator<Item = char> {
    let (small, mark) = match c {
        '\0'..='\x7f' => (c.to_ascii_lowercase(), None),
        'İ' => ('i', Some('\u{307}')),
        c => (tables::lower(c), None),
    };
    [Some(small), mark].into_iter().flatten()
}

/// Whether a sigma is the last letter of a word, and not the only one (the Unicode Standard, section 3.13).
fn ends_word(text: &str, sigma: usize) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(has_case);
    let (before, from) = text.split_at_checked(sigma).unwrap_or_default();
    let mut before = before.chars().rev();
    let mut after = from.chars().skip(1);
    is_letter(before.find(|c| !tables::is_passed_over(*c)))
        && !is_letter(after.find(|c| !tables::is_passed_over(*c)))
}

fn has_case(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || tables::lower(c) != c
}

/// A text in capitals, which are found as those of which the letters are the small ones. Letters of few languages, whose capital
/// stands elsewhere, stay as they are.
pub fn capitals(text: &str) -> String {
    let mut capitals = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ß' => capitals.push_str("SS"),
            c => capitals.push(capital(c)),
        }
    }
    capitals
}

fn capital(c: char) -> char {
    if c.is_ascii() || !c.is_lowercase() {
        return c.to_ascii_uppercase();
    }
    let at = |before: &u32| char::from_u32(u32::from(c).wrapping_sub(*before));
    let found = BEFORE.iter().filter_map(at);
    let mut found = found.filter(|capital| capital.is_uppercase());
    found
        .find(|capital| tables::lower(*capital) == c)
        .unwrap_or(c)
}
