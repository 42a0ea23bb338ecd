//! What happens again and again.

use super::dates::unit;
use super::lexicon::{ALL, Sense};
use super::reader::{Found, ON, Read, Reader};
use super::{MentionKind, Recurrence, Unit};

impl Reader<'_> {
    /// A rule that begins at a token: `every other Tuesday`, `weekly`, `on weekends`.
    pub fn recurring(&self, at: usize) -> Option<Read<Found>> {
        let read = self.every(at).or_else(|| self.plural(at))?;
        Some(read.map(|rule| Found {
            stretch: None,
            kind: MentionKind::Recurring(rule),
        }))
    }

    fn every(&self, at: usize) -> Option<Read<Recurrence>> {
        let every = self.is(at, ALL, Sense::Every)?;
        let mut here = self.links(every.end, every.tongues);
        let mut count = 1_u8;
        if let Some(other) = self.is(here.end, here.tongues, Sense::Other) {
            count = 2;
            here = other;
        } else if let Some(number) = self.count(here.end, here.tongues)
            && number.value.1 == 0
            && (1..=99).contains(&number.value.0)
        {
            count = u8::try_from(number.value.0).ok()?;
            here = number.map(|_| ());
            if let Some(ordinal) = self.is(here.end, here.tongues, Sense::Ordinal) {
                here = ordinal;
            }
        }
        self.word(here.end, here.tongues, |sense| {
            Some(match sense {
                Sense::Weekday(day) | Sense::MaybeWeekday(day) | Sense::Weekdays(day) => {
                    Recurrence::Weekday { day, weeks: count }
                }
                Sense::Unit(Unit::Weekend) if count == 1 => Recurrence::Weekends,
                Sense::Weekends => Recurrence::Weekends,
                Sense::Workdays => Recurrence::Workdays,
                Sense::Month(month) => Recurrence::Month(month),
                Sense::Season(season) => Recurrence::Season(season),
                Sense::Feast(feast) => Recurrence::Feast(feast),
                Sense::Part(_) => Recurrence::Every {
                    count,
                    unit: Unit::Day,
                },
                sense => Recurrence::Every {
                    count,
                    unit: unit(sense)?,
                },
            })
        })
    }

    fn plural(&self, at: usize) -> Option<Read<Recurrence>> {
        let cued = self.cue(at) & ON != 0;
        let read = self.word(at, ALL, |sense| {
            Some(match sense {
                Sense::Weekdays(day) => Recurrence::Weekday { day, weeks: 1 },
                Sense::Weekends => Recurrence::Weekends,
                Sense::Workdays if cued => Recurrence::Workdays,
                Sense::Often(count, unit) => Recurrence::Every { count, unit },
                _ => return None,
            })
        })?;
        // `two Fridays ago`
        (self.is(read.end, ALL, Sense::Ago).is_none()).then_some(read)
    }
}
