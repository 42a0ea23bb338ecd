//! Stretches of the calendar. All operations stay within the years that a [`Moment`] can hold.

use jiff::Span as Step;
use jiff::civil::{Date, DateTime, Weekday};

use super::lexicon::{Edge, Part};
use super::{Feast, Unit};
use crate::memory::{Moment, Precision, Span};

/// A stretch of time by calendar and clock, its end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub from: DateTime,
    pub until: DateTime,
    pub precision: Precision,
    pub approximate: bool,
}

impl Stretch {
    fn new(from: DateTime, until: DateTime, precision: Precision) -> Self {
        Self {
            from,
            until,
            precision,
            approximate: false,
        }
    }

    pub fn day(date: Date) -> Self {
        let from = midnight(date);
        Self::new(from, moved(from, Unit::Day, 1), Precision::Day)
    }

    /// The unit that holds a moment.
    pub fn holding(at: DateTime, unit: Unit) -> Self {
        let date = at.date();
        let from = match unit {
            Unit::Minute => at
                .with()
                .second(0)
                .subsec_nanosecond(0)
                .build()
                .unwrap_or(at),
            Unit::Hour => at.date().at(at.hour(), 0, 0, 0),
            Unit::Day => midnight(date),
            Unit::Week | Unit::Weekend => midnight(monday(date)),
            Unit::Month => midnight(date.first_of_month()),
            Unit::Quarter => midnight(first_of(date.year(), (date.month() - 1) / 3 * 3 + 1)),
            Unit::Year => midnight(first_of(date.year(), 1)),
            Unit::Decade => midnight(first_of(date.year() / 10 * 10, 1)),
        };
        match unit {
            Unit::Weekend => {
                let from = moved(from, Unit::Day, 5);
                Self::new(from, moved(from, Unit::Day, 2), Precision::Weekend)
            }
            _ => Self::new(from, moved(from, unit, 1), precision(unit)),
        }
    }

    pub fn year(year: i16) -> Self {
        Self::holding(midnight(first_of(year, 1)), Unit::Year)
    }

    pub fn month(year: i16, month: i8) -> Self {
        Self::holding(midnight(first_of(year, month)), Unit::Month)
    }

    /// A season: 1 is spring, 4 the winter that begins in the year.
    pub fn season(year: i16, season: i8) -> Self {
        let from = midnight(first_of(year, season * 3));
        Self::new(from, moved(from, Unit::Month, 3), Precision::Season)
    }

    pub fn quarter(year: i16, quarter: i8) -> Self {
        Self::holding(midnight(first_of(year, quarter * 3 - 2)), Unit::Quarter)
    }

    pub fn minute(date: Date, time: jiff::civil::Time) -> Self {
        Self::holding(date.to_datetime(time), Unit::Minute)
    }

    pub fn decade(year: i16) -> Self {
        Self::holding(midnight(first_of(year, 1)), Unit::Decade)
    }

    /// A part of the day that begins this stretch.
    pub fn part(self, part: Part) -> Self {
        let (from, until) = match part {
            Part::Morning => (5, 12),
            Part::Noon => (11, 14),
            Part::Afternoon => (12, 18),
            Part::Evening => (17, 23),
            Part::Night => (20, 28),
        };
        Self {
            from: moved(self.from, Unit::Hour, from),
            until: moved(self.from, Unit::Hour, until),
            precision: Precision::Hour,
            approximate: self.approximate,
        }
    }

    /// The beginning, middle or end of it: a third.
    pub fn edge(self, edge: Edge) -> Self {
        let days = ((self.until.date() - self.from.date()).get_days()).max(3);
        let (a, b) = (i64::from(days) / 3, i64::from(days) * 2 / 3);
        let at = |days| moved(self.from, Unit::Day, days);
        let (from, until) = match edge {
            Edge::Early => (self.from, at(a)),
            Edge::Mid => (at(a), at(b)),
            Edge::Late => (at(b), self.until),
        };
        Self {
            from,
            until,
            precision: self.precision,
            approximate: true,
        }
    }

    /// Moved by calendar units.
    pub fn moved(self, unit: Unit, count: i64) -> Self {
        Self {
            from: moved(self.from, unit, count),
            until: moved(self.until, unit, count),
            ..self
        }
    }

    /// From the beginning of this to the end of another.
    pub fn through(self, last: Self) -> Option<Self> {
        (self.from < last.until && self.from <= last.from).then(|| Self {
            from: self.from,
            until: last.until,
            precision: self.precision.max(last.precision),
            approximate: self.approximate || last.approximate,
        })
    }

    /// Widened by so many units on both sides.
    pub fn widened(self, unit: Unit, slack: i64) -> Self {
        Self {
            from: moved(self.from, unit, -slack),
            until: moved(self.until, unit, slack),
            precision: self.precision,
            approximate: true,
        }
    }

    /// As a span of moments; none when it fell off the calendar.
    pub fn span(self) -> Option<Span> {
        let span = Span {
            from: Moment::from_millis(Moment::from_civil(self.from).as_millis()),
            until: Moment::from_millis(Moment::from_civil(self.until).as_millis()),
            precision: self.precision,
        };
        (span.from < span.until).then_some(span)
    }
}

pub(super) fn precision(unit: Unit) -> Precision {
    match unit {
        Unit::Minute => Precision::Minute,
        Unit::Hour => Precision::Hour,
        Unit::Day => Precision::Day,
        Unit::Weekend => Precision::Weekend,
        Unit::Week => Precision::Week,
        Unit::Month => Precision::Month,
        Unit::Quarter => Precision::Season,
        Unit::Year => Precision::Year,
        Unit::Decade => Precision::Decade,
    }
}

/// A time moved by calendar units; the last day of a shorter month stands for those it lacks. Held at
/// the calendar's ends.
pub(super) fn moved(at: DateTime, unit: Unit, count: i64) -> DateTime {
    let count = count.clamp(-9_000_000, 9_000_000);
    let step = |step: Result<Step, jiff::Error>| step.unwrap_or_default();
    let zero = Step::new();
    let step = match unit {
        Unit::Minute => step(zero.try_minutes(count)),
        Unit::Hour => step(zero.try_hours(count)),
        Unit::Day => step(zero.try_days(count.min(7_000_000))),
        Unit::Week | Unit::Weekend => step(zero.try_weeks(count.clamp(-1_000_000, 1_000_000))),
        Unit::Month => step(zero.try_months(count.clamp(-230_000, 230_000))),
        Unit::Quarter => step(zero.try_months((count * 3).clamp(-230_000, 230_000))),
        Unit::Year => step(zero.try_years(count.clamp(-19_000, 19_000))),
        Unit::Decade => step(zero.try_years((count * 10).clamp(-19_000, 19_000))),
    };
    let earliest = first_of(1, 1).to_datetime(jiff::civil::Time::midnight());
    let latest = first_of(9999, 12).to_datetime(jiff::civil::Time::midnight());
    at.saturating_add(step).clamp(earliest, latest)
}

pub(super) fn midnight(date: Date) -> DateTime {
    date.to_datetime(jiff::civil::Time::midnight())
}

pub(super) fn first_of(year: i16, month: i8) -> Date {
    Date::new(year.clamp(1, 9999), month.clamp(1, 12), 1).unwrap_or(Date::ZERO)
}

pub(super) fn monday(date: Date) -> Date {
    let back = date.weekday().to_monday_zero_offset();
    moved(midnight(date), Unit::Day, -i64::from(back)).date()
}

/// The day of a weekday (1 is Monday) in the week of a date.
pub(super) fn weekday_of(date: Date, weekday: i8) -> Date {
    moved(midnight(monday(date)), Unit::Day, i64::from(weekday) - 1).date()
}

/// The named day in a year.
pub(super) fn feast(feast: Feast, year: i16) -> Date {
    let day = |month, day| Date::new(year.clamp(1, 9999), month, day).unwrap_or(Date::ZERO);
    match feast {
        Feast::Christmas => day(12, 25),
        Feast::ChristmasEve => day(12, 24),
        Feast::NewYear => day(1, 1),
        Feast::NewYearsEve => day(12, 31),
        Feast::Halloween => day(10, 31),
        Feast::Valentine => day(2, 14),
        Feast::Thanksgiving => day(11, 1)
            .nth_weekday_of_month(4, Weekday::Thursday)
            .unwrap_or(day(11, 25)),
        Feast::Easter => easter(year),
    }
}

/// Easter Sunday of the Gregorian calendar (Meeus, "Astronomical Algorithms", 1991, chapter 8).
fn easter(year: i16) -> Date {
    let year = i32::from(year.clamp(1, 9999));
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    let small = |n: i32| i8::try_from(n).unwrap_or(1);
    Date::new(year as i16, small(n / 31), small(n % 31 + 1)).unwrap_or(Date::ZERO)
}

/// Of what comes every year, the one nearest to a time; `at` gives that of a year.
pub(super) fn nearest(said: DateTime, at: impl Fn(i16) -> Option<Stretch>) -> Option<Stretch> {
    let year = said.year();
    [year, year - 1, year + 1]
        .into_iter()
        .filter_map(at)
        .min_by_key(|stretch| distance(*stretch, said))
}

/// Of what comes every year, the last before, the one that holds or follows, or the next after a time.
pub(super) fn shifted(
    said: DateTime,
    shift: i8,
    at: impl Fn(i16) -> Option<Stretch>,
) -> Option<Stretch> {
    let mut years = (-3..=3).filter_map(|offset| at(said.year() + offset));
    match shift {
        0 => at(said.year()),
        1.. => years
            .filter(|s| s.from > said)
            .nth(usize::from(shift.unsigned_abs()) - 1),
        _ => {
            let past: Vec<Stretch> = years.by_ref().filter(|s| s.until <= said).collect();
            past.iter()
                .rev()
                .nth(usize::from(shift.unsigned_abs()) - 1)
                .copied()
        }
    }
}

/// How many hours lie between a stretch and a time.
fn distance(stretch: Stretch, said: DateTime) -> i64 {
    let hours = |a: DateTime, b: DateTime| b.duration_since(a).as_hours();
    if said < stretch.from {
        hours(said, stretch.from)
    } else if said >= stretch.until {
        hours(stretch.until, said)
    } else {
        -1
    }
}

/// The whole of time that can be written.
pub(super) fn bounds() -> (DateTime, DateTime) {
    (midnight(first_of(1, 1)), midnight(first_of(9999, 12)))
}

/// A day and a month of the nearest year that has them.
pub(super) fn day_of(said: DateTime, month: i8, day: i8) -> Option<Stretch> {
    let near = nearest(said, |year| {
        Date::new(year, month, day).ok().map(Stretch::day)
    });
    // The 29th of February may be two years away.
    near.or_else(|| {
        (2..=4).find_map(|off| {
            Date::new(said.year() - off, month, day)
                .ok()
                .map(Stretch::day)
        })
    })
}
