//! Strings between quotes of any kind, with quotes inside them that nobody escaped.

/// A string that was read.
pub(super) struct Quoted {
    pub(super) text: String,
    /// Its length in the source, in bytes, with both quotes.
    pub(super) length: usize,
}

/// How far to look for a better end after a quote that may be part of the text, in bytes.
const MAX_INNER: usize = 1024;

/// Whether `text` starts with a quote.
pub(super) fn is_quote(text: &str) -> bool {
    text.starts_with(['"', '\'', '“', '”', '„', '‘', '’', '«'])
}

/// Whether `c` can close a string that `open` opened.
fn closes(open: char, c: char) -> bool {
    match open {
        '"' => c == '"',
        '\'' => c == '\'',
        '“' | '”' | '„' => matches!(c, '“' | '”' | '"'),
        '‘' | '’' => matches!(c, '‘' | '’' | '\''),
        _ => c == '»',
    }
}

/// The key that `text` starts with, if it is at most `max` bytes long.
pub(super) fn key(text: &str, max: usize) -> Option<Quoted> {
    read(text, |at, _| {
        if at < max {
            Verdict::End
        } else {
            Verdict::GiveUp
        }
    })
}

/// The string that `text` starts with, or nothing when the text ends before it does.
///
/// In JSON a quote ends the string. Models forget to escape quotes, so one counts as the end only
/// where a string can end: before a bracket that closes, or before a comma and something that can
/// follow it. Every end of valid JSON is of that kind. When no quote is, the first at the end of
/// a line is taken.
pub(super) fn value(text: &str, in_object: bool) -> Option<Quoted> {
    let mut first_doubt = None;
    read(text, |at, rest| {
        if can_end(rest, in_object) {
            return Verdict::End;
        }
        let doubt = *first_doubt.get_or_insert(at);
        if at - doubt > MAX_INNER {
            Verdict::GiveUp
        } else {
            Verdict::Inner
        }
    })
    .or_else(|| {
        read(text, |at, rest| {
            if rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n') {
                Verdict::End
            } else if at > MAX_INNER {
                Verdict::GiveUp
            } else {
                Verdict::Inner
            }
        })
    })
}

/// Whether a string can end before `rest`.
fn can_end(rest: &str, in_object: bool) -> bool {
    let next = rest.trim_start();
    let new_line = rest
        .get(..rest.len() - next.len())
        .is_some_and(|space| space.contains('\n'));
    let Some(first) = next.chars().next() else {
        return true;
    };
    match first {
        '}' | ']' => true,
        // The comma was forgotten at the end of a line, or a comment or a fence follows.
        '/' | '#' | '`' => true,
        '{' | '[' => !in_object,
        _ if new_line && is_quote(next) => true,
        ',' | ';' => {
            let after = next.trim_start_matches([',', ';']).trim_start();
            if in_object {
                can_start_member(after)
            } else {
                can_start_item(after)
            }
        }
        _ => false,
    }
}

fn can_start_member(text: &str) -> bool {
    if is_quote(text) || text.is_empty() || text.starts_with(['}', ']', '/', '#', '{', '.', '…'])
    {
        return true;
    }
    let word =
        text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    word.len() < text.len() && word.trim_start().starts_with(':')
}

fn can_start_item(text: &str) -> bool {
    is_quote(text)
        || text.is_empty()
        || text.starts_with(['{', '[', '}', ']', '/', '#', '-', '.', '…'])
        || text.starts_with(|c: char| c.is_ascii_digit())
        || ["true", "false", "null", "True", "False", "None", "NaN"]
            .iter()
            .any(|word| {
                text.strip_prefix(word)
                    .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            })
}

/// What a quote inside a string is.
enum Verdict {
    /// The end.
    End,
    /// Part of the text.
    Inner,
    /// Neither: this is no string.
    GiveUp,
}

/// Reads a string; `verdict` judges each quote that could close it by its position and by what
/// follows it.
fn read(text: &str, mut verdict: impl FnMut(usize, &str) -> Verdict) -> Option<Quoted> {
    let mut characters = text.char_indices();
    let (_, open) = characters.next()?;
    let mut content = String::new();
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            escape(&mut characters, &mut content)?;
        } else if closes(open, c) {
            match verdict(at, characters.as_str()) {
                Verdict::End => {
                    return Some(Quoted {
                        text: content,
                        length: at + c.len_utf8(),
                    });
                }
                Verdict::Inner => content.push(c),
                Verdict::GiveUp => return None,
            }
        } else {
            content.push(c);
        }
    }
    None
}

/// Reads what follows a backslash. An escape that JSON does not know stands for itself.
fn escape(characters: &mut std::str::CharIndices<'_>, content: &mut String) -> Option<()> {
    let (_, c) = characters.next()?;
    match c {
        'n' => content.push('\n'),
        't' => content.push('\t'),
        'r' => content.push('\r'),
        'b' => content.push('\u{8}'),
        'f' => content.push('\u{c}'),
        '"' | '\\' | '/' | '\'' | '`' | '“' | '”' | '‘' | '’' => content.push(c),
        'u' => match code_unit(characters.as_str()) {
            None => content.push_str("\\u"),
            Some(high) => {
                skip(characters, 4);
                let low = characters
                    .as_str()
                    .strip_prefix("\\u")
                    .filter(|_| (0xD800..0xDC00).contains(&high))
                    .and_then(code_unit);
                let units: Vec<u16> = std::iter::once(high)
                    .chain(low.filter(|low| (0xDC00..0xE000).contains(low)))
                    .collect();
                if units.len() == 2 {
                    skip(characters, 6);
                }
                content.extend(
                    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)),
                );
            }
        },
        '\n' => content.push('\n'),
        other => {
            content.push('\\');
            content.push(other);
        }
    }
    Some(())
}

/// The number of four hexadecimal digits.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text
        .get(..4)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

fn skip(characters: &mut std::str::CharIndices<'_>, count: usize) {
    for _ in 0..count {
        characters.next();
    }
}
