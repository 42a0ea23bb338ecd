//! Times of day.

use jiff::civil::Time;

use super::Unit;
use super::calendar::Stretch;
use super::digits::{self, Digits};
use super::lexicon::{ALL, Sense};
use super::reader::{Found, ON, Read, Reader};
use super::tokens::Gap;
use crate::memory::Precision;

impl Reader<'_> {
    /// A time of day: `3 pm`, `at 15:30`, `um 15 Uhr`, `15h30`.
    pub fn clock(&self, at: usize) -> Option<Read<(Time, Precision)>> {
        let at = self
            .word(at, ALL, |sense| {
                matches!(sense, Sense::On | Sense::By).then_some(())
            })
            .map_or(at, |read| read.end);
        let (time, mut end, mut precision) = match self.digits(at)? {
            Digits::Clock(time) => (time, at + 1, Precision::Minute),
            Digits::Number(hour @ 0..=24, 1..=2) => {
                (digits::clock(hour % 24, 0)?, at + 1, Precision::Hour)
            }
            _ => return None,
        };
        let half = self.word(end, ALL, |sense| match sense {
            Sense::Am => Some(false),
            Sense::Pm => Some(true),
            _ => None,
        });
        let mut tongues = ALL;
        let mut hour = time.hour();
        let mut minute = time.minute();
        if let Some(half) = half {
            hour = match (half.value, hour) {
                (_, 13..) => return None,
                (true, 12) | (false, 0..=11) => hour,
                (false, _) => 0,
                (true, _) => hour + 12,
            };
            end = half.end;
            tongues = half.tongues;
        } else if let Some(mark) = self.is(end, ALL, Sense::HourMark) {
            end = mark.end;
            tongues = mark.tongues;
            if let Some((minutes @ 0..60, 2)) = self
                .figure(end)
                .filter(|_| self.gap(end) == Some(Gap::None))
            {
                minute = i8::try_from(minutes).ok()?;
                precision = Precision::Minute;
                end += 1;
            }
        } else if precision == Precision::Hour {
            return None;
        }
        let value = (Time::new(hour, minute, 0, 0).ok()?, precision);
        Some(Read {
            value,
            end,
            tongues,
        })
    }

    /// `1:56 pm on 8 May, 2023`.
    pub fn clock_first(&self, time: Read<(Time, Precision)>) -> Option<Read<Found>> {
        let comma = usize::from(self.mark(time.end) == Some(','));
        let next = self.fillers(time.end + comma, ALL);
        let day = self
            .relative(next.end, ON)
            .or_else(|| self.calendar(next.end, ON))?;
        self.at_clock(day, time.value, day.end)
    }

    /// A day with the time of day that follows, if one does.
    pub fn with_clock(&self, day: Read<Found>) -> Read<Found> {
        let comma = usize::from(self.mark(day.end) == Some(','));
        self.clock(day.end + comma)
            .and_then(|time| self.at_clock(day, time.value, time.end))
            .unwrap_or(day)
    }

    fn at_clock(
        &self,
        day: Read<Found>,
        (time, precision): (Time, Precision),
        end: usize,
    ) -> Option<Read<Found>> {
        let stretch = day
            .value
            .stretch
            .filter(|s| s.precision <= Precision::Day && !s.approximate)?;
        let date = stretch.from.date();
        let at = match precision {
            Precision::Minute => Stretch::minute(date, time),
            _ => Stretch::holding(date.to_datetime(time), Unit::Hour),
        };
        Some(Read {
            value: Found {
                stretch: Some(at),
                ..day.value
            },
            end,
            tongues: day.tongues,
        })
    }
}
