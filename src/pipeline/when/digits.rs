//! What is written in digits: numbers, dates, times, and what is none of these.

use jiff::civil::{Date, DateTime, Time};

/// What a run of digits is. Fields hold what was written, checked to be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// A number and how many digits it has.
    Number(u32, u8),
    /// `3-5`, `2019-2021`.
    Pair(u32, u32),
    /// `2023-05-07`.
    Date(Date),
    /// `2023-05`.
    Month(i16, i8),
    /// `05/07/2023`: day or month first; both are possible.
    Either { first: i8, second: i8, year: i16 },
    /// `5/7` or `7.5`: a date only where a word says so.
    Short { first: i8, second: i8, dots: bool },
    /// `15:30`.
    Clock(Time),
    /// `2023-05-07T15:30Z`, in UTC, to the minute.
    Stamp(DateTime),
    /// A price, a version, an address, a part of a name.
    Other,
}

/// The digit's value, of ASCII and full-width digits.
pub(super) fn value(c: char) -> Option<u32> {
    match c {
        '0'..='9' => c.to_digit(10),
        '０'..='９' => Some(u32::from(c) - u32::from('０')),
        _ => None,
    }
}

/// Reads the digits that a text begins with, and how many bytes they take. `before` is the character
/// before them.
pub(super) fn read(text: &str, before: Option<char>) -> (usize, Digits) {
    let mut parts = [(0_u32, 0_u8); 3];
    let mut marks = [' '; 2];
    let mut count = 0_usize;
    let mut end = 0;
    let mut odd = false;
    loop {
        let rest = text.get(end..).unwrap_or("");
        let mut number = 0_u32;
        let mut length = 0_u8;
        for digit in rest.chars().map_while(value) {
            number = number.saturating_mul(10).saturating_add(digit);
            length = length.saturating_add(1);
        }
        end += rest
            .chars()
            .take(usize::from(length))
            .map(char::len_utf8)
            .sum::<usize>();
        match parts.get_mut(count) {
            Some(part) => *part = (number, length),
            None => odd = true,
        }
        count += 1;
        let mut next = text.get(end..).unwrap_or("").chars();
        let (Some(mark), Some(digit)) = (next.next(), next.next()) else {
            break;
        };
        let goes_on = value(digit).is_some()
            && match mark {
                '-' | '/' | '.' | ':' => true,
                // `1,000` is a number, `7,2023` is not.
                ',' => next.by_ref().map_while(value).count() != 3,
                _ => false,
            };
        if !goes_on {
            break;
        }
        if let Some(place) = marks.get_mut(count - 1) {
            *place = mark;
        }
        end += mark.len_utf8();
    }
    let after = text.get(end..).unwrap_or("");
    let tainted = before.is_some_and(|c| {
        (c.is_alphabetic() && !super::tokens::is_unspaced(c) && !matches!(c, 'Q' | 'q' | 'H'))
            || matches!(
                c,
                '$' | '€' | '£' | '¥' | '#' | '_' | '/' | '.' | '+' | '@' | '&' | '=' | '\\' | '-'
            )
    }) || after.starts_with(['%', '$', '€', '£', '_', '°', '/', '=', '@', '\\']);
    if tainted || odd {
        return (end, Digits::Other);
    }
    let read = match (count, marks) {
        (1, _) => Digits::Number(parts[0].0, parts[0].1),
        (2, [mark, _]) => two(parts[0], mark, parts[1]),
        (3, [a, b]) => three(parts, a, b),
        _ => Digits::Other,
    };
    if let Digits::Date(date) = read
        && let Some((length, stamp)) = stamp(date, after)
    {
        return (end + length, stamp);
    }
    (end, read)
}

fn two(a: (u32, u8), mark: char, b: (u32, u8)) -> Digits {
    match mark {
        ':' if b.1 == 2 && a.1 <= 2 => clock(a.0, b.0).map_or(Digits::Other, Digits::Clock),
        '-' | '/' | '.'
            if a.1 == 4 && b.1 == 2 && (1000..2200).contains(&a.0) && (1..=12).contains(&b.0) =>
        {
            match (mark, year(a.0)) {
                ('.', _) | (_, None) => Digits::Other,
                (_, Some(year)) => Digits::Month(year, small(b.0)),
            }
        }
        '-' if a.0 < b.0 && a.1 <= 4 && b.1 <= 4 => Digits::Pair(a.0, b.0),
        '/' | '.' if a.1 <= 2 && b.1 <= 2 && (1..=31).contains(&a.0) && (1..=31).contains(&b.0) => {
            Digits::Short {
                first: small(a.0),
                second: small(b.0),
                dots: mark == '.',
            }
        }
        _ => Digits::Other,
    }
}

fn three(parts: [(u32, u8); 3], a: char, b: char) -> Digits {
    let [x, y, z] = parts;
    if a == ':' && b == ':' && x.1 <= 2 && y.1 == 2 && z.1 == 2 {
        return clock(x.0, y.0).map_or(Digits::Other, Digits::Clock);
    }
    if a != b || !matches!(a, '-' | '/' | '.') || y.1 > 2 {
        return Digits::Other;
    }
    if x.1 == 4 && z.1 <= 2 {
        return year(x.0)
            .and_then(|year| Date::new(year, small(y.0), small(z.0)).ok())
            .map_or(Digits::Other, Digits::Date);
    }
    let year = match z.1 {
        4 => year(z.0),
        // `1.2.23` may be a version, `01.02.23` is not.
        2 if a == '/' || (a == '.' && x.1 == 2 && y.1 == 2) => {
            year(if z.0 < 70 { 2000 } else { 1900 } + z.0)
        }
        _ => None,
    };
    let Some(year) = year.filter(|_| x.1 <= 2) else {
        return Digits::Other;
    };
    let (first, second) = (small(x.0), small(y.0));
    let days = Date::new(year, second, first);
    let months = Date::new(year, first, second);
    match (days, months) {
        (Ok(date), Ok(_)) if a != '/' => Digits::Date(date),
        (Ok(_), Ok(_)) => Digits::Either {
            first,
            second,
            year,
        },
        (Ok(date), Err(_)) | (Err(_), Ok(date)) => Digits::Date(date),
        _ => Digits::Other,
    }
}

/// The time that follows a date: `T15:30:00Z`, ` 15:30`.
fn stamp(date: Date, after: &str) -> Option<(usize, Digits)> {
    let rest = after.strip_prefix(['T', 't', ' '])?;
    let digits = |from: usize, to: usize| -> Option<u32> {
        let piece = rest.get(from..to)?;
        piece
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| piece.parse().ok())?
    };
    let time = clock(digits(0, 2)?, digits(3, 5)?)?;
    rest.get(2..3).filter(|mark| *mark == ":")?;
    let mut end = 5;
    if rest.get(5..6) == Some(":") && digits(6, 8).is_some() {
        end = 8;
        let tail = rest.get(8..).unwrap_or("");
        if let Some(fraction) = tail.strip_prefix('.') {
            end += 1 + fraction.bytes().take_while(u8::is_ascii_digit).count();
        }
    }
    let mut moment = date.to_datetime(time);
    let zone = rest.get(end..).unwrap_or("");
    if zone.starts_with(['Z', 'z']) {
        end += 1;
    } else if let Some(sign) = zone.chars().next().filter(|c| matches!(c, '+' | '-'))
        && let (Some(hours), Some(minutes)) = (digits(end + 1, end + 3), digits(end + 4, end + 6))
    {
        let minutes = i64::from(hours) * 60 + i64::from(minutes);
        let minutes = if sign == '+' { -minutes } else { minutes };
        moment = moment
            .checked_add(jiff::SignedDuration::from_mins(minutes))
            .ok()?;
        end += 6;
    }
    Some((end + 1, Digits::Stamp(moment)))
}

pub(super) fn clock(hour: u32, minute: u32) -> Option<Time> {
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}

fn year(number: u32) -> Option<i16> {
    i16::try_from(number)
        .ok()
        .filter(|year| (1000..2200).contains(year))
}

fn small(number: u32) -> i8 {
    i8::try_from(number).unwrap_or(0)
}
