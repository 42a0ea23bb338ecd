//! The words of time, a table for each language.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod ko;
mod nl;
mod pl;
mod pt;
mod ru;
mod zh;

use super::lexicon::{Table, Tongues};

/// The tables; a language's place is its bit.
pub(super) static TABLES: [Table; 12] = [
    en::TABLE,
    de::TABLE,
    fr::TABLE,
    es::TABLE,
    pt::TABLE,
    it::TABLE,
    nl::TABLE,
    pl::TABLE,
    ru::TABLE,
    zh::TABLE,
    ja::TABLE,
    ko::TABLE,
];

/// English, whose dates in digits begin with the month.
pub(super) const ENGLISH: Tongues = 1;

/// Languages in which the month may come before the day: `May 7`.
pub(super) const MONTH_FIRST: Tongues = ENGLISH | 1 << 6;

/// Languages in which `last` may follow what it is said of: `la semana pasada`.
pub(super) const SHIFT_LAST: Tongues = 0b1_1011_1100;

/// Languages in which a unit alone is one of it: `tydzień temu`, `год назад`.
pub(super) const BARE_UNITS: Tongues = 0b1_1000_0000;

/// German, whose word for `after` also stands before places.
pub(super) const GERMAN: Tongues = 1 << 1;

/// Chinese, whose weekdays are numbers.
pub(super) const CHINESE: Tongues = 1 << 9;
