//! Seasons, quarters, decades and named days.

use super::calendar::{self, Stretch, nearest};
use super::lexicon::{ALL, Sense};
use super::reader::{INTO, Read, Reader};
use super::tokens::Gap;
use super::words;

impl Reader<'_> {
    /// `summer 2023`.
    pub fn season(&self, at: usize, cue: u8) -> Option<Read<Stretch>> {
        let season = self.word(at, ALL, |sense| match sense {
            Sense::Season(season) => Some(season),
            _ => None,
        })?;
        if let Some(year) = self.following_year(season.end, season.tongues) {
            return Some(year.map(|year| Stretch::season(year, season.value)));
        }
        if cue & INTO == 0 {
            return None;
        }
        let said = self.said;
        season.try_map(|season| nearest(said, |year| Some(Stretch::season(year, season))))
    }

    /// `Christmas 2022`.
    pub fn feast(&self, at: usize, cue: u8) -> Option<Read<Stretch>> {
        let feast = self.word(at, ALL, |sense| match sense {
            Sense::Feast(feast) => Some(feast),
            _ => None,
        })?;
        let day = |year| Stretch::day(calendar::feast(feast.value, year));
        if let Some(year) = self.following_year(feast.end, feast.tongues) {
            return Some(year.map(day));
        }
        let near = nearest(self.said, |year| Some(day(year)))?;
        (cue != 0).then_some(feast.map(|_| near))
    }

    /// `Q3 2024`.
    pub fn quarter(&self, at: usize) -> Option<Read<Stretch>> {
        self.is(at, ALL, Sense::Quarter)?;
        let (number @ 1..=4, 1) = self
            .figure(at + 1)
            .filter(|_| self.gap(at + 1) == Some(Gap::None))?
        else {
            return None;
        };
        let quarter = i8::try_from(number).ok()?;
        if let Some(year) = self.following_year(at + 2, ALL) {
            return Some(year.map(|year| Stretch::quarter(year, quarter)));
        }
        let value = nearest(self.said, |year| Some(Stretch::quarter(year, quarter)))?;
        (self.cue(at) != 0).then_some(Read {
            value,
            end: at + 2,
            tongues: ALL,
        })
    }

    /// `the 90s`, `1990s`, `die 90er`, `les années 90`, `90年代`.
    pub fn decade(&self, at: usize) -> Option<Read<Stretch>> {
        let century = |decade: u32| {
            let year = if decade <= 30 { 2000 } else { 1900 } + decade;
            i16::try_from(year).ok().map(Stretch::decade)
        };
        if let Some(words) = self.word(at, ALL, |sense| match sense {
            Sense::Nineties(decade) => Some(decade),
            _ => None,
        }) {
            return words.try_map(|decade| century(u32::from(decade)));
        }
        if let Some(ahead) = self.is(at, ALL, Sense::DecadeAhead) {
            let (number, digits) = self.figure(self.links(ahead.end, ALL).end)?;
            let value = match (number % 10, digits) {
                (0, 2) => century(number)?,
                (0, 4) => Stretch::decade(i16::try_from(number).ok()?),
                _ => return None,
            };
            return Some(Read {
                value,
                end: ahead.end + 1,
                tongues: ahead.tongues,
            });
        }
        let (number, digits) = self.figure(at)?;
        let suffix = self.is(at + 1, ALL, Sense::Decades)?;
        if number % 10 != 0 || matches!(self.gap(at + 1), Some(Gap::Space)) {
            return None;
        }
        let known = at > 0
            && (self.is(at - 1, ALL, Sense::Link).is_some()
                || matches!(self.mark(at - 1), Some('\'' | '’')));
        let value = match digits {
            4 if (1000..2200).contains(&number) => Stretch::decade(i16::try_from(number).ok()?),
            2 if known || suffix.tongues & words::ENGLISH == 0 => century(number)?,
            _ => return None,
        };
        Some(suffix.map(|()| value))
    }
}
