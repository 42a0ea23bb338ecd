//! Times that count from the moment of speaking, or from another time.

use super::calendar::{self, Stretch, feast, moved, shifted, weekday_of};
use super::dates::{today, unit};
use super::lexicon::{ALL, Part, Sense, Tongues};
use super::reader::{Found, INTO, ON, Read, Reader};
use super::{MentionKind, Unit};

/// What can be last or next.
#[derive(Debug, Clone, Copy)]
enum Named {
    Unit(Unit),
    Weekday(i8),
    Month(i8),
    Season(i8),
    Feast(super::Feast),
}

fn named(sense: Sense) -> Option<Named> {
    Some(match sense {
        Sense::Unit(unit) => Named::Unit(unit),
        Sense::Weekday(day) | Sense::MaybeWeekday(day) | Sense::Weekdays(day) => {
            Named::Weekday(day)
        }
        Sense::Month(month) => Named::Month(month),
        Sense::Season(season) => Named::Season(season),
        Sense::Feast(feast) => Named::Feast(feast),
        _ => return None,
    })
}

fn shift(sense: Sense) -> Option<i8> {
    match sense {
        Sense::Shift(shift) => Some(shift),
        _ => None,
    }
}

fn part(sense: Sense) -> Option<Part> {
    match sense {
        Sense::Part(part) => Some(part),
        _ => None,
    }
}

impl Reader<'_> {
    /// A time that counts from the moment of speaking.
    pub fn relative(&self, at: usize, cue: u8) -> Option<Read<Found>> {
        let read = self
            .ago(at)
            .or_else(|| self.day(at))
            .or_else(|| self.side(at))
            .or_else(|| self.shifted(at))
            .or_else(|| self.weekday(at, cue))?;
        Some(read.map(|stretch| Found {
            stretch: Some(stretch),
            kind: MentionKind::Relative,
        }))
    }

    /// `yesterday`, `tonight`, `the other day`.
    fn day(&self, at: usize) -> Option<Read<Stretch>> {
        let day = |off: i8| Stretch::day(moved(today(self), Unit::Day, i64::from(off)).date());
        if let Some(read) = self.is(at, ALL, Sense::Lately) {
            let from = moved(today(self), Unit::Day, -7);
            let until = today(self);
            let week = Stretch {
                from,
                until,
                approximate: true,
                ..day(0)
            };
            return Some(read.map(|()| week));
        }
        let read = self.word(at, ALL, |sense| match sense {
            Sense::Day(off) => Some((off, None)),
            Sense::DayPart(off, part) => Some((off, Some(part))),
            _ => None,
        })?;
        match read.value {
            (off, Some(part)) => Some(read.map(|_| day(off).part(part))),
            (off, None) => Some(self.with_part(read.map(|_| day(off)))),
        }
    }

    /// A day with the part of it that follows, if one does.
    fn with_part(&self, day: Read<Stretch>) -> Read<Stretch> {
        let next = self.fillers(day.end, day.tongues);
        match self.word(next.end, next.tongues, part) {
            Some(part) => part.map(|part| day.value.part(part)),
            None => day,
        }
    }

    /// `earlier this month`, `later today`.
    fn side(&self, at: usize) -> Option<Read<Stretch>> {
        let side = self.word(at, ALL, |sense| match sense {
            Sense::Side(side) => Some(side),
            _ => None,
        })?;
        let next = self.fillers(side.end, side.tongues);
        let whole = self.day(next.end).or_else(|| self.shifted(next.end))?;
        let said = self.said;
        let Stretch { from, until, .. } = whole.value;
        if !(from <= said && said < until) {
            return Some(whole);
        }
        let cut = match whole.value.precision {
            crate::memory::Precision::Day => said,
            _ => today(self),
        };
        let half = if side.value < 0 {
            Stretch {
                until: cut,
                ..whole.value
            }
        } else {
            Stretch {
                from: cut,
                ..whole.value
            }
        };
        let half = if half.from < half.until {
            half
        } else {
            whole.value
        };
        Some(whole.map(|_| Stretch {
            approximate: true,
            ..half
        }))
    }

    /// `last week`, `la semana pasada`, `next Friday`, `this summer`.
    pub fn shifted(&self, at: usize) -> Option<Read<Stretch>> {
        if let Some(read) = self.word(at, ALL, |sense| match sense {
            Sense::Shifted(shift, unit) => Some((shift, unit)),
            _ => None,
        }) {
            let (off, unit) = read.value;
            let whole = Stretch::holding(self.said, unit).moved(unit, i64::from(off));
            return Some(self.within(read.map(|_| whole), unit));
        }
        let (name, off) = if let Some(off) = self.word(at, ALL, shift) {
            let next = self.links(off.end, off.tongues);
            match self.word(next.end, next.tongues, named) {
                Some(name) => (name, off.value),
                None => return self.this_part(at),
            }
        } else {
            let name = self.word(at, ALL, named)?;
            let next = self.links(name.end, name.tongues);
            let off = self.word(next.end, next.tongues, shift)?;
            // The words of English, German and Dutch stand before what they are said of.
            if off.tongues & super::words::SHIFT_LAST == 0 {
                return None;
            }
            (
                Read {
                    value: name.value,
                    end: off.end,
                    tongues: off.tongues,
                },
                off.value,
            )
        };
        let off_wide = i64::from(off);
        let said = self.said;
        let capital = (at..name.end).any(|at| {
            self.is(at, ALL, Sense::Plain).is_some()
                && !self.tokens.get(at).is_some_and(|token| token.capital)
        });
        let stretch = match name.value {
            Named::Unit(Unit::Minute | Unit::Hour | Unit::Day) => return None,
            Named::Unit(unit) => Stretch::holding(said, unit).moved(unit, off_wide),
            Named::Weekday(day) => {
                let read = name.map(|_| Stretch::day(self.shifted_weekday(day, off)));
                return Some(self.with_part(read));
            }
            Named::Month(_) if off == 0 && capital => return None,
            Named::Month(month) => shifted(said, off, |year| Some(Stretch::month(year, month)))?,
            Named::Season(season) => {
                let all = |year| Some(Stretch::season(year, season));
                match off {
                    // `this winter`, said in one, is that one.
                    0 => calendar::nearest(said, all)?,
                    _ => shifted(said, off, all)?,
                }
            }
            Named::Feast(name) => shifted(said, off, |year| Some(Stretch::day(feast(name, year))))?,
        };
        let read = name.map(|_| stretch);
        Some(match name.value {
            Named::Unit(unit) => self.within(read, unit),
            _ => read,
        })
    }

    /// `this morning`, `last night`.
    fn this_part(&self, at: usize) -> Option<Read<Stretch>> {
        let off = self.word(at, ALL, shift)?;
        let part = self.word(off.end, off.tongues, part)?;
        let day = Stretch::day(moved(today(self), Unit::Day, i64::from(off.value)).date());
        Some(part.map(|part| day.part(part)))
    }

    fn shifted_weekday(&self, day: i8, off: i8) -> jiff::civil::Date {
        let today = self.said.date();
        let here = i64::from(today.weekday().to_monday_one_offset());
        let ahead = (i64::from(day) - here).rem_euclid(7);
        let by = |days| moved(super::calendar::midnight(today), Unit::Day, days).date();
        match off {
            0 => by(ahead),
            1.. => weekday_of(by(7 * i64::from(off)), day),
            _ => by(ahead + 7 * i64::from(off)),
        }
    }

    /// A weekday or a month within a week or year that was named: `上周五`, `last year in May`.
    fn within(&self, whole: Read<Stretch>, unit: Unit) -> Read<Stretch> {
        let next = self.fillers(whole.end, whole.tongues);
        let from = whole.value.from;
        let chinese = whole.tongues & super::words::CHINESE != 0;
        let inner = self.word(next.end, next.tongues, |sense| match (unit, sense) {
            // `上周五`
            (Unit::Week, Sense::Number(day @ 1..=6)) if chinese => {
                let day = i8::try_from(day).ok()?;
                Some(Stretch::day(weekday_of(from.date(), day)))
            }
            (Unit::Week, Sense::DayMark) if chinese => {
                Some(Stretch::day(weekday_of(from.date(), 7)))
            }
            (Unit::Week, Sense::Weekday(day)) => Some(Stretch::day(weekday_of(from.date(), day))),
            (Unit::Year, Sense::Month(month)) => Some(Stretch::month(from.year(), month)),
            (Unit::Year, Sense::Season(season)) => Some(Stretch::season(from.year(), season)),
            (Unit::Year, Sense::Feast(name)) => Some(Stretch::day(feast(name, from.year()))),
            _ => None,
        });
        if unit == Unit::Year
            && let Some(date) = self.date(next.end, INTO)
            && date.value.year.is_none()
            && let Some(stretch) = (super::dates::Partial {
                year: Some(from.year()),
                ..date.value
            })
            .stretch(self.said)
        {
            return date.map(|_| stretch);
        }
        match inner {
            Some(inner) => self.with_part(inner),
            None => whole,
        }
    }

    /// A weekday alone: `on Friday`, `Friday night`, `Friday last week`.
    fn weekday(&self, at: usize, cue: u8) -> Option<Read<Stretch>> {
        let day = self.word(at, ALL, |sense| match sense {
            Sense::Weekday(day) => Some(day),
            Sense::MaybeWeekday(day) if cue & ON != 0 => Some(day),
            _ => None,
        })?;
        let next = self.fillers(day.end, day.tongues);
        let week = self
            .word(next.end, next.tongues, |sense| match sense {
                Sense::Shifted(off, Unit::Week) => Some(off),
                _ => None,
            })
            .or_else(|| {
                let off = self.word(next.end, next.tongues, shift)?;
                Some(
                    self.is(off.end, off.tongues, Sense::Unit(Unit::Week))?
                        .map(|()| off.value),
                )
            });
        if let Some(week) = week {
            let monday = moved(self.said, Unit::Week, i64::from(week.value));
            return Some(week.map(|_| Stretch::day(weekday_of(monday.date(), day.value))));
        }
        let today = i64::from(self.said.date().weekday().to_monday_one_offset());
        let back = (today - i64::from(day.value)).rem_euclid(7);
        let off = match (self.is_ahead(at), back) {
            (true, 0) => 0,
            (true, back) => 7 - back,
            (false, back) => -back,
        };
        let date = moved(super::calendar::midnight(self.said.date()), Unit::Day, off).date();
        Some(self.with_part(day.map(|_| Stretch::day(date))))
    }

    /// An amount: `three weeks`, `a few days`, `a fortnight`. Count, slack, unit.
    pub fn amount(&self, at: usize, tongues: Tongues) -> Option<Read<(i64, i64, Unit)>> {
        if let Some(read) = self.word(at, tongues, |sense| match sense {
            Sense::Amount(count, unit) => Some((i64::from(count), 0, unit)),
            _ => None,
        }) {
            return Some(read);
        }
        let count = self.count(at, tongues).or_else(|| {
            // `hace una semana` has its number, `год назад` has none.
            self.word(at, tongues & super::words::BARE_UNITS, unit)
                .map(|read| Read {
                    value: (1, 0),
                    end: at,
                    tongues: read.tongues,
                })
        })?;
        if count.value.0 > 9999 {
            return None;
        }
        let link = self.links(count.end, count.tongues);
        let unit = self.word(link.end, link.tongues, unit)?;
        // `2019 года` is a year.
        let year = unit.value == Unit::Year && count.value.0 >= 1000;
        (!year).then_some(unit.map(|unit| (count.value.0, count.value.1, unit)))
    }

    /// `three days ago`, `vor drei Tagen`, `in two weeks`, `two Fridays ago`.
    fn ago(&self, at: usize) -> Option<Read<Stretch>> {
        let ahead = self.word(at, ALL, |sense| match sense {
            Sense::AgoAhead => Some(-1),
            Sense::Within => Some(1),
            _ => None,
        });
        if let Some(ahead) = ahead
            && let Some(amount) = self.amount(ahead.end, ahead.tongues)
        {
            let end = self
                .is(amount.end, amount.tongues, Sense::Ago)
                .map_or(amount.end, |ago| ago.end);
            let read = Read { end, ..amount };
            return Some(
                read.map(|(count, slack, unit)| self.away(count * ahead.value, slack, unit)),
            );
        }
        let direction = |sense| match sense {
            Sense::Ago => Some(-1),
            Sense::Hence => Some(1),
            _ => None,
        };
        if let Some(amount) = self.amount(at, ALL) {
            let word = self.word(amount.end, amount.tongues, direction)?;
            let (count, slack, unit) = amount.value;
            return Some(word.map(|way| self.away(count * way, slack, unit)));
        }
        let count = self.count(at, ALL)?;
        let name = self.word(count.end, count.tongues, named)?;
        let ago = self.is(name.end, name.tongues, Sense::Ago)?;
        let times = i8::try_from(count.value.0)
            .ok()
            .filter(|times| (1..=50).contains(times))?;
        let said = self.said;
        let stretch = match name.value {
            Named::Weekday(day) => Stretch::day(self.shifted_weekday(day, -times)),
            Named::Season(season) => {
                shifted_far(said, times, |year| Stretch::season(year, season))?
            }
            Named::Month(month) => shifted_far(said, times, |year| Stretch::month(year, month))?,
            Named::Feast(name) => shifted_far(said, times, |year| Stretch::day(feast(name, year)))?,
            Named::Unit(_) => return None,
        };
        Some(ago.map(|()| stretch))
    }

    /// So many units away from the moment of speaking.
    fn away(&self, count: i64, slack: i64, unit: Unit) -> Stretch {
        let at = moved(self.said, unit, count);
        let stretch = Stretch::holding(at, unit);
        if slack > 0 {
            stretch.widened(unit, slack)
        } else {
            stretch
        }
    }

    /// `two days before Christmas`, `the week after 9 June`.
    pub fn offset(&self, at: usize) -> Option<Read<Found>> {
        let amount = self
            .amount(at, ALL)
            .or_else(|| Some(self.word(at, ALL, unit)?.map(|unit| (1, 0, unit))))?;
        let way = self.word(amount.end, amount.tongues, |sense| match sense {
            Sense::Before => Some(-1),
            Sense::After => Some(1),
            _ => None,
        })?;
        let next = self.links(way.end, way.tongues);
        let anchor = self
            .relative(next.end, INTO | ON)
            .or_else(|| self.calendar(next.end, INTO | ON))?;
        let (count, slack, unit) = amount.value;
        let from = anchor.value.stretch?;
        let edge = if way.value < 0 || unit == Unit::Day {
            from.from
        } else {
            moved(from.until, Unit::Minute, -1)
        };
        let edge = if way.value > 0 {
            moved(from.until, Unit::Minute, -1)
        } else {
            edge
        };
        let there = Stretch::holding(moved(edge, unit, count * way.value), unit);
        let there = if slack > 0 {
            there.widened(unit, slack)
        } else {
            there
        };
        Some(anchor.map(|found| Found {
            stretch: Some(there),
            kind: found.kind,
        }))
    }
}

fn shifted_far(
    said: jiff::civil::DateTime,
    times: i8,
    at: impl Fn(i16) -> Stretch,
) -> Option<Stretch> {
    let year = said.year();
    (0..60)
        .map(|back| at(year - back))
        .filter(|stretch| stretch.until <= said)
        .nth(usize::from(times.unsigned_abs()) - 1)
}
