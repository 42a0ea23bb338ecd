//! Points and spans of time, in milliseconds since the Unix epoch (UTC).

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. Written as an RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(i64);

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{0}' is not a date or time: write 2026-03-14, 2026-03-14T09:30:00Z or seconds since 1970"
)]
pub struct TimeError(pub String);

impl Moment {
    /// From milliseconds since the epoch, held within the years 1 to 9999.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(-62_135_596_800_000, 253_402_128_000_000))
    }

    /// From whole seconds since the epoch.
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment moved by `millis`.
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The calendar date in UTC, as `2026-03-14`.
    pub fn date(self) -> String {
        self.civil().date().to_string()
    }

    /// Date and weekday as a prompt shows them: `2026-03-14 (Saturday)`.
    pub fn date_and_weekday(self) -> String {
        let date = self.civil().date();
        format!("{date} ({})", weekday(date))
    }

    /// The words by which people name this day, for the keyword index:
    /// `14 March 2026 Saturday`.
    pub fn date_words(self) -> String {
        let date = self.civil().date();
        format!("{} {}", day_in_words(date), weekday(date))
    }

    /// The day, month or year that it is in, as people write it: `14 March 2026`, `March 2026`, `2026`.
    pub fn words(self, precision: Precision) -> String {
        let date = self.civil().date();
        match precision {
            Precision::Instant | Precision::Minute | Precision::Hour => day_in_words(date),
            Precision::Day | Precision::Weekend | Precision::Week => day_in_words(date),
            Precision::Month | Precision::Season => month_in_words(date),
            Precision::Year | Precision::Decade => year_in_words(date),
        }
    }

    /// Calendar and clock in UTC, for arithmetic.
    pub fn civil(self) -> civil::DateTime {
        Offset::UTC.to_datetime(self.timestamp())
    }

    /// The moment of a calendar and clock time in UTC.
    pub fn from_civil(time: civil::DateTime) -> Self {
        utc(time)
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// The months in English.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day as people write it: `14 March 2026`.
pub(crate) fn day_in_words(date: civil::Date) -> String {
    format!("{} {}", date.day(), month_in_words(date))
}

/// A month as people write it: `March 2026`.
pub(crate) fn month_in_words(date: civil::Date) -> String {
    let place = usize::try_from(date.month() - 1).unwrap_or_default();
    let month = MONTHS.get(place).copied().unwrap_or_default();
    format!("{month} {}", year_in_words(date))
}

fn year_in_words(date: civil::Date) -> String {
    format!("{:04}", date.year())
}

fn weekday(date: civil::Date) -> &'static str {
    match date.weekday() {
        civil::Weekday::Monday => "Monday",
        civil::Weekday::Tuesday => "Tuesday",
        civil::Weekday::Wednesday => "Wednesday",
        civil::Weekday::Thursday => "Thursday",
        civil::Weekday::Friday => "Friday",
        civil::Weekday::Saturday => "Saturday",
        civil::Weekday::Sunday => "Sunday",
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

impl FromStr for Moment {
    type Err = TimeError;

    /// Reads RFC 3339 times, times without a zone (taken as UTC), dates, year-months, years and
    /// seconds since the epoch.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        Span::read(text).map(|span| span.from)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Wire)
    }
}

/// Reads what stands for a moment: a text, or seconds since the epoch.
struct Wire;

impl serde::de::Visitor<'_> for Wire {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date, a time or seconds since 1970")
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Moment, E> {
        Ok(Moment::from_seconds(seconds))
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Moment, E> {
        Ok(Moment::from_seconds(
            i64::try_from(seconds).unwrap_or(i64::MAX),
        ))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Moment, E> {
        text.parse().map_err(E::custom)
    }
}

/// How exactly a time is known, finest first. Of a stretch between two times, how exactly its ends
/// are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// To the instant.
    Instant,
    /// To the minute.
    Minute,
    /// To some hours: `3 pm`, `tonight`.
    Hour,
    /// To the day.
    Day,
    /// To Saturday and Sunday.
    Weekend,
    /// To the week, Monday to Sunday.
    Week,
    /// To the month.
    Month,
    /// To three months: a season, a quarter.
    Season,
    /// To the year.
    Year,
    /// To ten years.
    Decade,
}

/// How two spans lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lies {
    /// The first ends before the second begins.
    Before,
    /// They share time.
    Overlaps,
    /// The first begins after the second ends.
    After,
}

/// A named stretch of time: an instant, a day, a month, a year, or from one of these to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first millisecond.
    pub from: Moment,
    /// The first millisecond after it; equal to `from` for an instant.
    pub until: Moment,
    /// What was named.
    pub precision: Precision,
}

impl Span {
    /// Reads a time and how exact it is: `2026` is a year, `2026-03` a month, `2026-03-14` a day,
    /// everything longer an instant.
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn read(text: &str) -> Result<Self, TimeError> {
        let text = text.trim();
        let refused = || TimeError(text.chars().take(60).collect());
        if let Some(date) = read_year_month(text) {
            let (from, until, precision) = match date {
                (year, None) => (
                    civil::Date::new(year, 1, 1),
                    civil::Date::new(year.saturating_add(1), 1, 1),
                    Precision::Year,
                ),
                (year, Some(month)) if month < 12 => (
                    civil::Date::new(year, month, 1),
                    civil::Date::new(year, month + 1, 1),
                    Precision::Month,
                ),
                (year, Some(month)) => (
                    civil::Date::new(year, month, 1),
                    civil::Date::new(year.saturating_add(1), 1, 1),
                    Precision::Month,
                ),
            };
            let (Ok(from), Ok(until)) = (from, until) else {
                return Err(refused());
            };
            return Ok(Self {
                from: start_of(from),
                until: start_of(until),
                precision,
            });
        }
        if let Ok(seconds) = text.parse::<i64>() {
            return Ok(Self::instant(Moment::from_seconds(seconds)));
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Ok(Self::instant(Moment(timestamp.as_millisecond())));
        }
        if text.len() <= 10
            && let Ok(date) = text.parse::<civil::Date>()
        {
            let from = start_of(date);
            return Ok(Self {
                from,
                until: from.plus_millis(DAY_MS),
                precision: Precision::Day,
            });
        }
        let time = text.parse::<civil::DateTime>().map_err(|_| refused())?;
        Ok(Self::instant(utc(time)))
    }

    /// The span of one instant.
    pub fn instant(moment: Moment) -> Self {
        Self {
            from: moment,
            until: moment,
            precision: Precision::Instant,
        }
    }

    /// How this span lies to another. Spans that only touch share nothing; an instant lies within
    /// a span that begins with it.
    pub fn lies(self, other: Self) -> Lies {
        if self.from == other.from {
            Lies::Overlaps
        } else if self.until <= other.from {
            Lies::Before
        } else if other.until <= self.from {
            Lies::After
        } else {
            Lies::Overlaps
        }
    }

    /// The time that two spans share, as exactly as the coarser of them is known.
    pub fn overlap(self, other: Self) -> Option<Self> {
        (self.lies(other) == Lies::Overlaps).then(|| Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
            precision: self.precision.max(other.precision),
        })
    }
}

/// Milliseconds of a day.
const DAY_MS: i64 = SignedDuration::from_hours(24).as_millis() as i64;

fn start_of(date: civil::Date) -> Moment {
    utc(date.to_datetime(civil::Time::midnight()))
}

fn utc(time: civil::DateTime) -> Moment {
    time.to_zoned(TimeZone::UTC)
        .map(|zoned| Moment(zoned.timestamp().as_millisecond()))
        .unwrap_or(Moment(0))
}

/// `2026` or `2026-03`.
fn read_year_month(text: &str) -> Option<(i16, Option<i8>)> {
    match (text.len(), text.split_once('-')) {
        (4, None) => Some((text.parse().ok()?, None)),
        (7, Some((year, month))) if year.len() == 4 => {
            Some((year.parse().ok()?, Some(month.parse().ok()?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_clients_send() {
        for (text, expected) in [
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("2026-03-14", "2026-03-14T00:00:00Z"),
            ("2026-03", "2026-03-01T00:00:00Z"),
            ("2026", "2026-01-01T00:00:00Z"),
            ("2026-03-14T09:30:00", "2026-03-14T09:30:00Z"),
            ("2026-03-14 09:30", "2026-03-14T09:30:00Z"),
            ("2026-03-14T09:30:00-07:00", "2026-03-14T16:30:00Z"),
        ] {
            assert_eq!(
                text.parse::<Moment>().unwrap().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn precision_follows_the_text() {
        assert_eq!(Span::read("2026").unwrap().precision, Precision::Year);
        let march = Span::read("2026-12").unwrap();
        assert_eq!(march.precision, Precision::Month);
        assert_eq!(march.until.date(), "2027-01-01");
        let day = Span::read("2026-03-14").unwrap();
        assert_eq!(
            (day.precision, day.until.date().as_str()),
            (Precision::Day, "2026-03-15")
        );
    }

    #[test]
    fn nonsense_is_refused_with_help() {
        for text in ["", "soon", "2026-13", "2026-02-31", "99999999999999999999"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn extreme_numbers_stay_in_range() {
        assert_eq!(Moment::from_seconds(i64::MAX).date(), "9999-12-30");
        let _ = Moment::from_millis(i64::MIN).to_string();
    }
}
