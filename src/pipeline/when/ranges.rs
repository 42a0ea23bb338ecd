//! Times that are named by their ends.

use super::calendar::{Stretch, bounds, moved};
use super::dates::{Partial, today, unit};
use super::digits::Digits;
use super::lexicon::{ALL, Sense, Tongues};
use super::reader::{Found, INTO, ON, Read, Reader};
use super::tokens::Gap;
use super::{MentionKind, Unit};
use crate::memory::Precision;

/// An end of a range: a date that may lack its year, or a time that is known.
#[derive(Debug, Clone, Copy)]
enum End {
    Date(Partial),
    Year(i16),
    Known(Stretch),
}

impl Reader<'_> {
    /// A range that begins at a token.
    pub fn range(&self, at: usize) -> Option<Read<Found>> {
        let read = self
            .past_units(at)
            .or_else(|| self.joined_times(at))
            .or_else(|| self.since(at))
            .or_else(|| self.until(at))
            .or_else(|| self.days_of_month(at))
            .or_else(|| self.bare(at))?;
        Some(read.map(|stretch| Found {
            stretch: Some(stretch),
            kind: MentionKind::Range,
        }))
    }

    /// `for the past three months`, `the next two weeks`, `les trois derniers mois`.
    fn past_units(&self, at: usize) -> Option<Read<Stretch>> {
        let shift = |sense| match sense {
            Sense::Shift(off @ (-1 | 1)) => Some(off),
            _ => None,
        };
        let (count, off, unit) = if let Some(off) = self.word(at, ALL, shift) {
            let count = self.count(off.end, off.tongues)?;
            let link = self.links(count.end, count.tongues);
            (
                count.value,
                off.value,
                self.word(link.end, link.tongues, unit)?,
            )
        } else {
            let count = self.count(at, ALL).filter(|count| count.value.0 > 1)?;
            if let Some(off) = self.word(count.end, count.tongues, shift) {
                (
                    count.value,
                    off.value,
                    self.word(off.end, off.tongues, unit)?,
                )
            } else {
                let word = self.word(count.end, count.tongues, unit)?;
                let off = self.word(word.end, word.tongues & super::words::SHIFT_LAST, shift)?;
                (count.value, off.value, off.map(|_| word.value))
            }
        };
        let (count, slack) = count;
        if count > 9999 {
            return None;
        }
        let tomorrow = moved(today(self), Unit::Day, 1);
        let edge = if unit.value <= Unit::Hour {
            self.said
        } else {
            today(self)
        };
        let far = moved(edge, unit.value, i64::from(off) * (count + slack));
        let (from, until) = if off < 0 {
            (far, tomorrow)
        } else {
            (edge, moved(far, Unit::Day, 1))
        };
        Some(unit.map(|unit| Stretch {
            from,
            until,
            precision: super::calendar::precision(unit).max(Precision::Day),
            approximate: slack > 0,
        }))
    }

    /// `since 2019`, `seit drei Jahren`.
    fn since(&self, at: usize) -> Option<Read<Stretch>> {
        let since = self.is(at, self.tokens.tongues, Sense::Since)?;
        let tomorrow = moved(today(self), Unit::Day, 1);
        let next = self.links(since.end, since.tongues);
        if let Some(amount) = self.amount(next.end, next.tongues)
            && self.is(amount.end, amount.tongues, Sense::Ago).is_none()
        {
            let (count, slack, unit) = amount.value;
            let from = moved(today(self), unit, -(count + slack));
            let precision = super::calendar::precision(unit).max(Precision::Day);
            return Some(amount.map(|_| Stretch {
                from,
                until: tomorrow,
                precision,
                approximate: slack > 0,
            }));
        }
        let start = self.past_end(next.end)?;
        let stretch = start.value;
        let until = if stretch.from < tomorrow {
            tomorrow
        } else {
            bounds().1
        };
        Some(start.map(|_| Stretch { until, ..stretch }))
    }

    /// An end that lies behind: of `since May` said in April, last year's.
    fn past_end(&self, at: usize) -> Option<Read<Stretch>> {
        let read = self.point(at, INTO | ON)?;
        let stretch = read.value.stretch?;
        let yearless = self
            .date(at, INTO | ON)
            .is_some_and(|date| date.value.year.is_none());
        let back = yearless && stretch.from > self.said;
        Some(read.map(|_| {
            if back {
                stretch.moved(Unit::Year, -1)
            } else {
                stretch
            }
        }))
    }

    /// `until next Friday`: from now; of what is past, from ever.
    fn until(&self, at: usize) -> Option<Read<Stretch>> {
        let until = self.is(at, self.tokens.tongues, Sense::Until)?;
        let next = self.fillers(until.end, until.tongues);
        let end = self.point(next.end, INTO | ON)?;
        let stretch = end.value.stretch?;
        let from = if stretch.until > self.said {
            today(self)
        } else {
            bounds().0
        };
        Some(end.map(|_| Stretch { from, ..stretch }))
    }

    /// `from May to July`, `between 3 and 5 June`, `May – July 2023`.
    fn joined_times(&self, at: usize) -> Option<Read<Stretch>> {
        let opening = self.word(at, self.tokens.tongues, |sense| match sense {
            Sense::From | Sense::Since => Some(false),
            Sense::Between => Some(true),
            _ => None,
        });
        let (start, and, mut tongues) = match opening {
            Some(read) => (
                self.fillers(read.end, read.tongues).end,
                read.value,
                read.tongues,
            ),
            None => (at, false, ALL),
        };
        if opening.is_some()
            && let Some(read) = self.days_of_month(start)
        {
            return Some(read);
        }
        let cue = if opening.is_some() {
            INTO | ON
        } else {
            self.cue(at)
        };
        let first = self.end(start, cue | INTO, opening.is_some())?;
        tongues &= first.tongues;
        let join = self.join(first.end, tongues, and, opening.is_some())?;
        let last = self.end(self.fillers(join.end, ALL).end, INTO | ON, true)?;
        // Without an opening word, only what is surely a time makes a range.
        let bare = matches!(first.value, End::Year(_)) && first.end == start + 1;
        if opening.is_none() && bare && cue == 0 {
            return None;
        }
        let stretch = self.joined(first.value, last.value)?;
        Some(last.map(|_| stretch))
    }

    fn end(&self, at: usize, cue: u8, sure: bool) -> Option<Read<End>> {
        let date = self.date(at, cue).filter(|read| {
            sure || read.value.day.is_some()
                || read.value.year.is_some()
                || self.is_joined(read.end)
        });
        if let Some(read) = date {
            return Some(read.map(End::Date));
        }
        if let Some(read) = self.year(at, cue) {
            return Some(read.map(End::Year));
        }
        self.point(at, cue)
            .and_then(|read| read.try_map(|found| found.stretch.map(End::Known)))
    }

    /// Whether a range goes on here.
    fn is_joined(&self, at: usize) -> bool {
        self.join(at, ALL, false, false).is_some()
    }

    /// What stands between the ends.
    fn join(&self, at: usize, tongues: Tongues, and: bool, opened: bool) -> Option<Read<()>> {
        if let Some('–' | '—' | '-' | '~' | '〜' | '～') = self.mark(at) {
            return Some(Read {
                value: (),
                end: at + 1,
                tongues,
            });
        }
        if self.gap(at) == Some(Gap::Hyphen) {
            return Some(Read {
                value: (),
                end: at,
                tongues,
            });
        }
        let read = self.word(at, tongues, |sense| match sense {
            Sense::And => and.then_some(()),
            Sense::To | Sense::Until => (!and).then_some(()),
            // `从五月到七月`, `5月から7月まで`: the word for `from` stands between.
            Sense::From => (!and && !opened).then_some(()),
            _ => None,
        })?;
        Some(read)
    }

    fn joined(&self, first: End, last: End) -> Option<Stretch> {
        let said = self.said;
        let end = match last {
            End::Date(date) => date.stretch(said)?,
            End::Year(year) => Stretch::year(year),
            End::Known(stretch) => stretch,
        };
        let start = match first {
            End::Date(date @ Partial { year: None, .. }) => {
                let year = end.from.year();
                let same = Partial {
                    year: Some(year),
                    ..date
                }
                .stretch(said)?;
                if same.from <= end.from {
                    same
                } else {
                    Partial {
                        year: Some(year - 1),
                        ..date
                    }
                    .stretch(said)?
                }
            }
            End::Date(date) => {
                let start = date.stretch(said)?;
                // `from May 2023 to July`: of the same year or the next.
                if let End::Date(last @ Partial { year: None, .. }) = last {
                    let after = (0..=1).filter_map(|on| {
                        Partial {
                            year: date.year.map(|year| year + on),
                            ..last
                        }
                        .stretch(said)
                    });
                    return after.into_iter().find_map(|end| start.through(end));
                }
                start
            }
            End::Year(year) => Stretch::year(year),
            End::Known(start) if start.from > end.from => start.moved(Unit::Week, -1),
            End::Known(start) => start,
        };
        start.through(end)
    }

    /// `3-5 June`, `June 3 to 5, 2023`, `3 and 5 June` after `between`.
    fn days_of_month(&self, at: usize) -> Option<Read<Stretch>> {
        if let Some(month) = self.month_word(at, super::words::MONTH_FIRST) {
            let pair = self.pair(month.end)?;
            let comma = usize::from(self.mark(pair.end) == Some(','));
            let year = self
                .figure(pair.end + comma)
                .filter(|(year, digits)| *digits == 4 && (1000..2200).contains(year));
            let (year, end) = match year {
                Some((year, _)) => (i16::try_from(year).ok(), pair.end + comma + 1),
                None => (None, pair.end),
            };
            return self.days(
                pair.value,
                Partial {
                    year,
                    month: month.value,
                    day: None,
                },
                end,
            );
        }
        let first = self.pair(at)?;
        let link = self.links(first.end, ALL);
        let month = self.month_word(link.end, link.tongues)?;
        // Read the later day with its month and year.
        let last = self
            .date(first.end - 1, 0)
            .filter(|read| read.end >= month.end);
        let year = last.and_then(|read| read.value.year);
        let end = last.map_or(month.end, |read| read.end);
        let (year, end) = match (year, self.figure(month.end)) {
            (None, Some((year @ 1000..2200, 4))) => (i16::try_from(year).ok(), month.end + 1),
            _ => (year, end),
        };
        self.days(
            first.value,
            Partial {
                year,
                month: month.value,
                day: None,
            },
            end,
        )
    }

    fn days(&self, (a, b): (i8, i8), month: Partial, end: usize) -> Option<Read<Stretch>> {
        let last = Partial {
            day: Some(b),
            ..month
        }
        .stretch(self.said)?;
        let first = Partial {
            day: Some(a),
            year: Some(last.from.year()),
            ..month
        }
        .stretch(self.said)?;
        Some(Read {
            value: first.through(last)?,
            end,
            tongues: ALL,
        })
    }

    /// Two days of a month.
    fn pair(&self, at: usize) -> Option<Read<(i8, i8)>> {
        if let Some(Digits::Pair(a @ 1..=31, b @ 1..=31)) = self.digits(at) {
            return Some(Read {
                value: (i8::try_from(a).ok()?, i8::try_from(b).ok()?),
                end: at + 1,
                tongues: ALL,
            });
        }
        let first = self.day_number(at)?;
        let join = self.join(first.end, ALL, false, false).or_else(|| {
            let opened = at > 0
                && (self.is(at - 1, ALL, Sense::Between).is_some()
                    || self.is(at - 1, ALL, Sense::Link).is_some());
            self.is(first.end, ALL, Sense::And).filter(|_| opened)
        })?;
        let last = self.day_number(self.links(join.end, ALL).end)?;
        (first.value < last.value).then_some(Read {
            value: (first.value, last.value),
            end: last.end,
            tongues: ALL,
        })
    }

    /// `2019–2021`, `2019-2021`.
    fn bare(&self, at: usize) -> Option<Read<Stretch>> {
        let modern = 1900..2100_u32;
        let (first, last, end) = match self.digits(at)? {
            Digits::Pair(a, b) => (a, b, at + 1),
            Digits::Number(a, 4) if matches!(self.mark(at + 1), Some('–' | '—')) => {
                match self.digits(at + 2)? {
                    Digits::Number(b, 4) => (a, b, at + 3),
                    _ => return None,
                }
            }
            _ => return None,
        };
        let years = modern.contains(&first) && modern.contains(&last) && first < last;
        if !years || self.counts_things(end) || self.mark(end) == Some('–') {
            return None;
        }
        let stretch = Stretch::year(i16::try_from(first).ok()?)
            .through(Stretch::year(i16::try_from(last).ok()?))?;
        Some(Read {
            value: stretch,
            end,
            tongues: ALL,
        })
    }
}
