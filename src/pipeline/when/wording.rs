//! A span in plain English words, for prompts.

use jiff::civil::Date;

use crate::memory::{Precision, Span, day_in_words as day, month_in_words};

/// A span as a person writes it: `7 May 2023`, `May 2023`, `week of 8 May 2023`, `summer 2023`,
/// `May 2023 to July 2023`, `since` or `until` where an end is open.
pub fn words(span: Span) -> String {
    let from = span.from.civil();
    // The last millisecond belongs to the last unit.
    let last = span.until.plus_millis(-1).max(span.from).civil();
    let (open_from, open_until) = (from.year() <= 1, last.year() >= 9999);
    let quarters = from.month() % 3 == 1;
    let one = |at| one(at, span.precision, quarters);
    let first = one(from);
    let final_one = one(last);
    match (open_from, open_until) {
        (true, true) => "any time".to_owned(),
        (true, false) => format!("until {final_one}"),
        (false, true) => format!("since {first}"),
        (false, false) if first == final_one => first,
        (false, false) if span.precision == Precision::Hour => {
            let night = last.date() != from.date();
            match night {
                true => format!("night of {}", day(from.date())),
                false if last.hour() == from.hour() => first,
                false => format!("{first} to {}", clock(span.until.civil())),
            }
        }
        (false, false) => format!("{first} to {final_one}"),
    }
}

fn one(at: jiff::civil::DateTime, precision: Precision, quarters: bool) -> String {
    let date = at.date();
    match precision {
        Precision::Instant => format!("{} {}:{:02}", day(date), clock(at), at.second()),
        Precision::Minute | Precision::Hour => format!("{} {}", day(date), clock(at)),
        Precision::Day => day(date),
        Precision::Weekend => {
            let saturday = super::calendar::weekday_of(date, 6);
            format!("weekend of {}", day(saturday))
        }
        Precision::Week => format!("week of {}", day(super::calendar::monday(date))),
        Precision::Month => month_in_words(date),
        Precision::Season if quarters => format!("Q{} {}", (date.month() + 2) / 3, date.year()),
        Precision::Season => season(date),
        Precision::Year => date.year().to_string(),
        Precision::Decade => format!("{}s", date.year() / 10 * 10),
    }
}

/// `09:30`.
fn clock(at: jiff::civil::DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// The season of a date.
fn season(date: Date) -> String {
    let (name, year) = match date.month() {
        3..=5 => ("spring", date.year()),
        6..=8 => ("summer", date.year()),
        9..=11 => ("autumn", date.year()),
        12 => ("winter", date.year()),
        _ => ("winter", date.year() - 1),
    };
    format!("{name} {year}")
}
