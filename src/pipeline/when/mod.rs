//! When a text speaks of: the times named in it, and what a question asks of time.
//!
//! Words and a grammar, no model and no clock: the moment of speaking is passed in. All times are in
//! UTC, weeks begin on Monday, seasons are the northern meteorological ones.
//!
//! ```
//! use edgemem::memory::Moment;
//! use edgemem::pipeline::when::{intent, mentions, words, Wanted};
//!
//! let said: Moment = "2023-05-10".parse()?;
//! let found = mentions("We met two weeks ago, on 7 May 2023 she left.", said);
//! let told: Vec<String> = found.iter().filter_map(|m| m.span).map(words).collect();
//! assert_eq!(told, ["week of 24 April 2023", "7 May 2023"]);
//! assert_eq!(intent("When did she leave?", said).wanted, Some(Wanted::Time));
//! # Ok::<(), edgemem::memory::TimeError>(())
//! ```
//!
//! Where people differ, this is what is read:
//! - `05/07/2023` is the 7th of May in English text and where nothing tells the language, the 5th of
//!   July in others; with dots or hyphens the day comes first.
//! - A month or a day without a year is the nearest one.
//! - `last Friday` is the latest before the day of speaking, `this Friday` the next from it on, `next Friday`
//!   that of the next week. A bare `Friday` is past, unless the sentence speaks of the future.
//! - `two weeks ago` is the calendar week that holds the day two weeks earlier; so with months and years.
//! - `a few`, `a couple` give a wider span that is marked as approximate.

mod arithmetic;
mod calendar;
mod clock;
mod dates;
mod digits;
mod eras;
mod intent;
mod lexicon;
mod ranges;
mod reader;
mod recurring;
mod relative;
mod tokens;
mod wording;
mod words;

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::memory::{Moment, Span};

pub use arithmetic::{Amount, Distance, add, distance, next, previous};
pub use intent::{Anchor, Intent, Pick, Wanted, Window, intent};
pub use wording::words;

/// A unit of the calendar or the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Unit {
    Minute,
    Hour,
    Day,
    Weekend,
    Week,
    Month,
    /// Three months.
    Quarter,
    Year,
    Decade,
}

/// A day of the year that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Feast {
    Christmas,
    ChristmasEve,
    NewYear,
    NewYearsEve,
    /// Easter Sunday, of the western churches.
    Easter,
    Halloween,
    /// The American one: the fourth Thursday of November.
    Thanksgiving,
    Valentine,
}

/// The rule of what recurs. Weekdays count from 1, Monday, to 7; months from 1; seasons from 1,
/// spring, to 4, winter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recurrence {
    /// A weekday, every so many weeks.
    Weekday {
        /// 1 to 7.
        day: i8,
        /// At least 1.
        weeks: u8,
    },
    /// Saturdays and Sundays.
    Weekends,
    /// Mondays to Fridays.
    Workdays,
    /// Every so many units.
    Every {
        /// At least 1.
        count: u8,
        /// Of what.
        unit: Unit,
    },
    /// A month of every year.
    Month(i8),
    /// A season of every year.
    Season(i8),
    /// A named day of every year.
    Feast(Feast),
}

/// How a time was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MentionKind {
    /// By the calendar: `7 May 2023`, `in May`.
    Absolute,
    /// From the moment of speaking: `yesterday`, `two weeks ago`.
    Relative,
    /// By its ends: `from May to July`, `since 2019`, `for the past three months`.
    Range,
    /// Again and again; it has no span.
    Recurring(Recurrence),
}

/// A time that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where, in bytes of the text.
    pub range: Range<usize>,
    /// How.
    pub kind: MentionKind,
    /// Which time; absent of what recurs, never empty.
    pub span: Option<Span>,
    /// The span is wider than what is meant, which lies somewhere in it: `a few weeks ago`.
    pub approximate: bool,
}

/// All times that a text names, in order and without overlaps. `said_at` is the moment from which
/// relative ones count.
pub fn mentions(text: &str, said_at: Moment) -> Vec<Mention> {
    let tokens = tokens::Tokens::read(text);
    reader::Reader::new(&tokens, said_at.civil()).mentions()
}
