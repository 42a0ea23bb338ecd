//! Reckoning with dates: distances, amounts, and the next time of what recurs.

use std::fmt;

use jiff::Unit as JiffUnit;
use jiff::civil::DateTime;

use super::calendar::{self, Stretch, moved, weekday_of};
use super::{Recurrence, Unit};
use crate::memory::{Moment, Span};

/// So many units of the calendar; negative ones lie behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    /// How many.
    pub count: i32,
    /// Of what.
    pub unit: Unit,
}

/// How far two moments are apart, by the calendar. Never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Distance {
    /// Whole years.
    pub years: u16,
    /// Whole months beyond them, below 12.
    pub months: u8,
    /// Whole days beyond them, below 31.
    pub days: u8,
    /// All whole days.
    pub total_days: u32,
}

impl fmt::Display for Distance {
    /// As a person says it, in the two largest units that matter: `3 days`, `2 weeks`, `5 weeks`, `4 months`,
    /// `1 year and 2 months`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = |count: u32, unit: &str| match count {
            1 => format!("1 {unit}"),
            _ => format!("{count} {unit}s"),
        };
        let pair = |a: (u32, &str), b: (u32, &str)| match b.0 {
            0 => some(a.0, a.1),
            _ => format!("{} and {}", some(a.0, a.1), some(b.0, b.1)),
        };
        let (years, months, days) = (self.years.into(), self.months.into(), u32::from(self.days));
        let words = match (years, months) {
            (0, 0) if self.total_days >= 14 && days % 7 == 0 => some(days / 7, "week"),
            (0, 0) => some(days, "day"),
            (0, _) => pair((months, "month"), (days, "day")),
            _ => pair((years, "year"), (months, "month")),
        };
        f.write_str(&words)
    }
}

/// How far two moments are apart, whichever comes first. The time of day does not count.
pub fn distance(a: Moment, b: Moment) -> Distance {
    let (first, last) = (a.min(b).civil().date(), a.max(b).civil().date());
    let by = |unit| first.until((unit, last)).unwrap_or_default();
    let step = by(JiffUnit::Year);
    Distance {
        years: step.get_years().unsigned_abs(),
        months: step.get_months().unsigned_abs().try_into().unwrap_or(0),
        days: step.get_days().unsigned_abs().try_into().unwrap_or(0),
        total_days: by(JiffUnit::Day).get_days().unsigned_abs(),
    }
}

/// A moment moved by an amount. The last day of a shorter month stands for those it lacks; the result
/// stays within the years that a moment can hold.
pub fn add(moment: Moment, amount: Amount) -> Moment {
    Moment::from_civil(moved(moment.civil(), amount.unit, i64::from(amount.count)))
}

/// The first time of a rule that begins after a moment. A rule that counts units counts from the moment.
pub fn next(rule: Recurrence, after: Moment) -> Option<Span> {
    find(rule, after.civil(), 1)
}

/// The last time of a rule that is over at a moment.
pub fn previous(rule: Recurrence, before: Moment) -> Option<Span> {
    find(rule, before.civil(), -1)
}

fn find(rule: Recurrence, at: DateTime, way: i64) -> Option<Span> {
    let fits = |stretch: &Stretch| {
        if way > 0 {
            stretch.from > at
        } else {
            stretch.until <= at
        }
    };
    let years = |make: &dyn Fn(i16) -> Stretch| {
        let by_year = |off: i64| {
            i16::try_from(i64::from(at.year()) + off * way)
                .ok()
                .map(make)
        };
        (-1..=2).filter_map(by_year).find(fits)
    };
    let weeks = |make: &dyn Fn(DateTime) -> Stretch| {
        (-1..=2)
            .map(|off| make(moved(at, Unit::Week, off * way)))
            .find(fits)
    };
    let stretch = match rule {
        Recurrence::Weekday { day, weeks: count } => {
            let first = weeks(&|week| Stretch::day(weekday_of(week.date(), day)))?;
            first.moved(Unit::Week, way * (i64::from(count.max(1)) - 1))
        }
        Recurrence::Weekends => weeks(&|week| Stretch::holding(week, Unit::Weekend))?,
        Recurrence::Workdays => (1..=4)
            .map(|off| Stretch::holding(moved(at, Unit::Day, off * way), Unit::Day))
            .find(|day| fits(day) && day.from.date().weekday().to_monday_one_offset() <= 5)?,
        Recurrence::Every { count, unit } => {
            let there = moved(at, unit, way * i64::from(count.max(1)));
            Stretch::holding(there, unit)
        }
        Recurrence::Month(month) => years(&|year| Stretch::month(year, month))?,
        Recurrence::Season(season) => years(&|year| Stretch::season(year, season))?,
        Recurrence::Feast(feast) => years(&|year| Stretch::day(calendar::feast(feast, year)))?,
    };
    stretch.span()
}
