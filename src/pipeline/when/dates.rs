//! Times by the calendar: dates, months, years, seasons, decades, named days.

use jiff::civil::Date;

use super::calendar::{Stretch, day_of, midnight, nearest};
use super::digits::Digits;
use super::lexicon::{ALL, Sense, Tongues};
use super::reader::{Found, INTO, ON, Read, Reader};
use super::tokens::Gap;
use super::{MentionKind, Unit, words};
use crate::memory::Precision;

/// A date as far as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partial {
    pub year: Option<i16>,
    pub month: i8,
    pub day: Option<i8>,
}

impl Partial {
    /// The stretch of a partial date, nearest to a time where the year is missing.
    pub fn stretch(self, said: jiff::civil::DateTime) -> Option<Stretch> {
        match (self.year, self.day) {
            (Some(year), Some(day)) => Date::new(year, self.month, day).ok().map(Stretch::day),
            (Some(year), None) => Some(Stretch::month(year, self.month)),
            (None, Some(day)) => day_of(said, self.month, day),
            (None, None) => nearest(said, |year| Some(Stretch::month(year, self.month))),
        }
    }
}

fn absolute(stretch: Stretch) -> Found {
    Found {
        stretch: Some(stretch),
        kind: MentionKind::Absolute,
    }
}

impl Reader<'_> {
    /// One time, with the time of day that belongs to it.
    pub fn point(&self, at: usize, cue: u8) -> Option<Read<Found>> {
        if let Some(time) = self.clock(at) {
            return self.clock_first(time);
        }
        let day = self
            .offset(at)
            .or_else(|| self.edge(at))
            .or_else(|| self.dated_weekday(at))
            .or_else(|| self.relative(at, cue))
            .or_else(|| self.calendar(at, cue))?;
        Some(self.with_clock(day))
    }

    fn dated_weekday(&self, at: usize) -> Option<Read<Found>> {
        let date = self.weekday_first(at)?;
        date.try_map(|date| date.stretch(self.said).map(absolute))
    }

    /// A time by the calendar.
    pub fn calendar(&self, at: usize, cue: u8) -> Option<Read<Found>> {
        let said = self.said;
        self.date(at, cue)
            .and_then(|read| read.try_map(|date| date.stretch(said)))
            .or_else(|| self.stamp(at))
            .or_else(|| self.quarter(at))
            .or_else(|| self.decade(at))
            .or_else(|| self.season(at, cue))
            .or_else(|| self.feast(at, cue))
            .or_else(|| self.year(at, cue).map(|read| read.map(Stretch::year)))
            .map(|read| read.map(absolute))
    }

    fn stamp(&self, at: usize) -> Option<Read<Stretch>> {
        let value = match self.digits(at)? {
            Digits::Stamp(time) => Stretch::holding(time, Unit::Minute),
            _ => return None,
        };
        Some(Read {
            value,
            end: at + 1,
            tongues: ALL,
        })
    }

    /// A date with a month at least.
    pub fn date(&self, at: usize, cue: u8) -> Option<Read<Partial>> {
        self.written_date(at, cue)
            .or_else(|| self.marked_date(at))
            .or_else(|| self.day_first(at))
            .or_else(|| self.month_first(at, cue))
            .or_else(|| self.weekday_first(at))
    }

    /// In digits alone.
    fn written_date(&self, at: usize, cue: u8) -> Option<Read<Partial>> {
        let english = self.tokens.tongues & words::ENGLISH != 0;
        let full = |date: Date| (Some(date.year()), date.month(), Some(date.day()));
        let (year, month, day) = match self.digits(at)? {
            Digits::Date(date) => full(date),
            Digits::Month(year, month) => (Some(year), month, None),
            Digits::Either {
                first,
                second,
                year,
            } if english => (Some(year), first, Some(second)),
            Digits::Either {
                first,
                second,
                year,
            } => (Some(year), second, Some(first)),
            Digits::Short {
                first,
                second,
                dots,
            } if cue & ON != 0 && !self.counts_things(at + 1) => {
                let months_first = !dots && english;
                let (month, day) = if months_first && first <= 12 || second > 12 {
                    (first, second)
                } else {
                    (second, first)
                };
                if dots && self.mark(at + 1) != Some('.') && english {
                    return None;
                }
                Date::new(2024, month, day).ok()?;
                (None, month, Some(day))
            }
            _ => return None,
        };
        let mut end = at + 1;
        if matches!(self.digits(at), Some(Digits::Short { dots: true, .. }))
            && self.mark(end) == Some('.')
        {
            end += 1;
        }
        Some(Read {
            value: Partial { year, month, day },
            end,
            tongues: ALL,
        })
    }

    /// `2023年5月7日`, and its parts.
    fn marked_date(&self, at: usize) -> Option<Read<Partial>> {
        let mut here = at;
        let mut tongues = ALL;
        let mut year = None;
        if let Some(read) = self.marked(here, tongues, Sense::YearMark)
            && (1000..2200).contains(&read.value)
        {
            year = i16::try_from(read.value).ok();
            (here, tongues) = (read.end, read.tongues);
        }
        let month = self.marked(here, tongues, Sense::MonthMark)?;
        if !(1..=12).contains(&month.value) {
            return None;
        }
        (here, tongues) = (month.end, month.tongues);
        let day = self
            .marked(here, tongues, Sense::DayMark)
            .filter(|day| (1..=31).contains(&day.value));
        if let Some(day) = day {
            (here, tongues) = (day.end, day.tongues);
        }
        let small = |number: i64| i8::try_from(number).ok();
        Some(Read {
            value: Partial {
                year,
                month: small(month.value)?,
                day: day.and_then(|day| small(day.value)),
            },
            end: here,
            tongues,
        })
    }

    /// A number and its mark: `5月`.
    pub fn marked(&self, at: usize, tongues: Tongues, mark: Sense) -> Option<Read<i64>> {
        let number = self
            .count(at, tongues)
            .filter(|number| number.value.1 == 0)?;
        let end = self.is(number.end, number.tongues, mark)?;
        Some(end.map(|()| number.value.0))
    }

    /// `7 May 2023`, `the 7th of May`, `7. Mai`, `7 de mayo de 2023`.
    fn day_first(&self, at: usize) -> Option<Read<Partial>> {
        let day = self.day_number(at)?;
        let link = self.links(day.end, ALL);
        let month = self.month_word(link.end, link.tongues)?;
        let value = Partial {
            year: None,
            month: month.value,
            day: Some(day.value),
        };
        Date::new(2024, value.month, day.value).ok()?;
        Some(self.with_year(Read {
            value,
            end: month.end,
            tongues: month.tongues,
        }))
    }

    /// A day of a month: `7`, `7th`, `7.`, `1er`, `seventh`.
    pub fn day_number(&self, at: usize) -> Option<Read<i8>> {
        let (number, length) = self.figure(at)?;
        let value = i8::try_from(number)
            .ok()
            .filter(|day| (1..=31).contains(day) && length <= 2)?;
        // The number of a name: `GPT-4`.
        let named = at > 0
            && self.gap(at) == Some(Gap::Hyphen)
            && self.digits(at - 1).is_none()
            && self.month_word(at - 1, ALL).is_none();
        if named {
            return None;
        }
        let mut end = at + 1;
        let ordinal =
            self.is(end, ALL, Sense::Ordinal).is_some() && self.gap(end) == Some(Gap::None);
        if ordinal
            || (matches!(self.mark(end), Some('.' | 'º' | 'ª' | '°'))
                && self.gap(end) == Some(Gap::None))
        {
            end += 1;
        }
        Some(Read {
            value,
            end,
            tongues: ALL,
        })
    }

    pub fn month_word(&self, at: usize, tongues: Tongues) -> Option<Read<i8>> {
        let read = self.word(at, tongues, |sense| match sense {
            Sense::Month(month) => Some(month),
            _ => None,
        })?;
        // An abbreviation's dot.
        let short = self
            .tokens
            .get(at)
            .is_some_and(|token| token.end - token.start <= 5);
        let goes_on = self.figure(read.end + 1).is_some() && self.mark(read.end) == Some('.');
        let end = if short && goes_on && self.gap(read.end) == Some(Gap::None) {
            read.end + 1
        } else {
            read.end
        };
        Some(Read { end, ..read })
    }

    /// `May 7th, 2023`, `May 2023`, `in May`.
    fn month_first(&self, at: usize, cue: u8) -> Option<Read<Partial>> {
        let month = self.month_word(at, ALL)?;
        let capital = self.tokens.get(at).is_some_and(|token| token.capital);
        let bare = Partial {
            year: None,
            month: month.value,
            day: None,
        };
        let plain = Read {
            value: bare,
            end: month.end,
            tongues: month.tongues,
        };
        let dated = self.with_year(plain);
        if dated.value.year.is_some() {
            return Some(dated);
        }
        if let Some(day) = self.day_number(month.end)
            && month.tongues & words::MONTH_FIRST != 0
        {
            let sure = capital || day.end > month.end + 1;
            let clock = self.is(day.end, ALL, Sense::Pm).is_some()
                || self.is(day.end, ALL, Sense::Am).is_some();
            let real = Date::new(2024, month.value, day.value).is_ok();
            let read = self.with_year(Read {
                value: Partial {
                    day: Some(day.value),
                    ..bare
                },
                end: day.end,
                tongues: month.tongues,
            });
            let counted = self.counts_things(day.end) || self.word(day.end, ALL, unit).is_some();
            if real && !clock && (read.value.year.is_some() || (sure && !counted)) {
                return Some(read);
            }
        }
        (cue & INTO != 0 || cue != 0 && capital).then_some(plain)
    }

    /// The year after a day or a month, if there is one.
    fn with_year(&self, read: Read<Partial>) -> Read<Partial> {
        let comma = usize::from(self.mark(read.end) == Some(','));
        let link = self.links(read.end + comma, read.tongues);
        let value = match self.figure(link.end) {
            Some((year @ 1000..2200, 4)) if !self.counts_things(link.end + 1) => {
                i16::try_from(year).ok()
            }
            // `May '23`
            Some((year, 2)) if self.gap(link.end) == Some(Gap::Apostrophe) => {
                i16::try_from(2000 + year).ok()
            }
            _ => None,
        };
        let quoted = matches!(self.mark(link.end), Some('\'' | '’'));
        let (value, end) = match (value, self.figure(link.end + 1)) {
            (None, Some((year, 2))) if quoted => (i16::try_from(2000 + year).ok(), link.end + 2),
            (value, _) => (value, link.end + 1),
        };
        let Some(year) = value else {
            return read;
        };
        let end = self
            .is(end, link.tongues, Sense::YearMark)
            .map_or(end, |mark| mark.end);
        Read {
            value: Partial {
                year: Some(year),
                ..read.value
            },
            end,
            tongues: link.tongues,
        }
    }

    /// `Sunday, May 7th`.
    fn weekday_first(&self, at: usize) -> Option<Read<Partial>> {
        let weekday = self.word(at, ALL, |sense| match sense {
            Sense::Weekday(_) | Sense::MaybeWeekday(_) => Some(()),
            _ => None,
        })?;
        let comma = usize::from(matches!(self.mark(weekday.end), Some(',' | '.')));
        let next = self.fillers(weekday.end + comma, ALL).end;
        self.written_date(next, ON)
            .or_else(|| self.day_first(next))
            .or_else(|| self.month_first(next, 0))
            .filter(|read| read.value.day.is_some())
    }

    /// A year alone, where a word or its neighbours say so.
    pub fn year(&self, at: usize, cue: u8) -> Option<Read<i16>> {
        if let Some(read) = self.marked(at, ALL, Sense::YearMark)
            && (1000..2200).contains(&read.value)
        {
            return read.try_map(|year| i16::try_from(year).ok());
        }
        if let Some(mark) = self.is(at, ALL, Sense::YearMark) {
            let link = self.links(mark.end, mark.tongues);
            if let Some((year @ 1000..2200, 4)) = self.figure(link.end) {
                return Some(Read {
                    value: i16::try_from(year).ok()?,
                    end: link.end + 1,
                    tongues: link.tongues,
                });
            }
        }
        let (number, 4) = self.figure(at)? else {
            return None;
        };
        let modern = (1900..2100).contains(&number);
        let paired = |open, close| {
            self.mark(at + 1) == Some(close) && at > 0 && self.mark(at - 1) == Some(open)
        };
        let enclosed = paired('(', ')') || paired('（', '）');
        let cued = (cue & INTO != 0 && (1000..2200).contains(&number))
            || (modern && (cue != 0 || enclosed));
        if !cued || self.counts_things(at + 1) || self.word(at + 1, ALL, unit).is_some() {
            return None;
        }
        Some(Read {
            value: i16::try_from(number).ok()?,
            end: at + 1,
            tongues: ALL,
        })
    }

    /// A year that follows, linked or not.
    pub fn following_year(&self, at: usize, tongues: Tongues) -> Option<Read<i16>> {
        let link = self.fillers(at, tongues);
        self.year(link.end, INTO)
    }

    /// `early May`, `end of the year`, `Anfang 2023`, `年底`.
    fn edge(&self, at: usize) -> Option<Read<Found>> {
        let edge = self.word(at, ALL, |sense| match sense {
            Sense::Edge(edge) => Some(edge),
            _ => None,
        })?;
        let next = self.fillers(edge.end, edge.tongues);
        let whole = self
            .relative(next.end, INTO)
            .or_else(|| self.calendar(next.end, INTO))
            .or_else(|| {
                // `the end of the month`: of this one.
                let link = next.end > edge.end;
                let unit = self
                    .word(next.end, next.tongues, unit)
                    .filter(|unit| link && unit.value != Unit::Day)?;
                let stretch = Stretch::holding(self.said, unit.value);
                Some(unit.map(|_| Found {
                    stretch: Some(stretch),
                    kind: MentionKind::Relative,
                }))
            })?;
        if whole.tongues & edge.tongues == 0 {
            return None;
        }
        let stretch = whole
            .value
            .stretch
            .filter(|s| s.precision > Precision::Day)?;
        Some(whole.map(|found| Found {
            stretch: Some(stretch.edge(edge.value)),
            ..found
        }))
    }
}

/// The unit that a word is.
pub(super) fn unit(sense: Sense) -> Option<Unit> {
    match sense {
        Sense::Unit(unit) => Some(unit),
        _ => None,
    }
}

/// Midnight of the day of speaking.
pub(super) fn today(reader: &Reader) -> jiff::civil::DateTime {
    midnight(reader.said.date())
}
