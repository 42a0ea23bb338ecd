//! The words of time of all languages in one index.
//!
//! A table is a list of `("word|other form|a phrase", meaning)`. Words are written as [`fold`] leaves
//! them: lower case, Latin letters without accents, hyphens and apostrophes as spaces. A word that
//! begins with `?` also means something else in another language, and counts only in a text that
//! looks like its own.
//!
//! [`fold`]: super::tokens::fold

use std::cmp::Reverse;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::words;
use super::{Feast, Unit};

/// A set of languages, one bit each.
pub(super) type Tongues = u16;

/// Every language.
pub(super) const ALL: Tongues = u16::MAX;

/// The words of a language.
pub(super) type Table = &'static [(&'static str, Sense)];

/// Which part of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    Early,
    Mid,
    Late,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Morning,
    Noon,
    Afternoon,
    Evening,
    Night,
}

/// What a question's word asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asks {
    Time,
    Duration,
    Order,
    First,
    Latest,
    Current,
}

/// What a word or phrase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sense {
    /// Common words, by which a language is known.
    Plain,
    /// What follows or precedes lies ahead: `will`.
    Ahead,
    Month(i8),
    Weekday(i8),
    /// An abbreviation that is a word of its own: `sat`.
    MaybeWeekday(i8),
    /// `Tuesdays`.
    Weekdays(i8),
    Unit(Unit),
    Number(u8),
    /// `a few`: the number and how far off it may be.
    Loose(u8, u8),
    /// `fortnight`.
    Amount(u8, Unit),
    Season(i8),
    Feast(Feast),
    /// `last`, `this`, `next`.
    Shift(i8),
    /// `yesterday`.
    Day(i8),
    Part(Part),
    /// `tonight`.
    DayPart(i8, Part),
    /// `last year`, where it is one word.
    Shifted(i8, Unit),
    /// `ago`, after the amount.
    Ago,
    /// `vor`, before the amount.
    AgoAhead,
    /// `in three days`.
    Within,
    /// `from now`, after the amount.
    Hence,
    /// Before a month, a year, a season or a feast.
    Into,
    /// Before a day.
    On,
    By,
    Since,
    Until,
    From,
    To,
    Between,
    And,
    Every,
    Other,
    Link,
    Before,
    After,
    /// `之前`: after what it is said of.
    BeforeThat,
    AfterThat,
    Edge(Edge),
    /// `earlier` or `later`, as in `later this month`.
    Side(i8),
    /// `weekly`: every so many units.
    Often(u8, Unit),
    /// `the other day`.
    Lately,
    Weekends,
    Workdays,
    /// `年`, `года`: after the number of a year.
    YearMark,
    MonthMark,
    DayMark,
    HourMark,
    Am,
    Pm,
    /// `th`, after the number of a day.
    Ordinal,
    /// `s` of `the 90s`.
    Decades,
    /// `années` of `les années 90`.
    DecadeAhead,
    /// `nineties`.
    Nineties(u8),
    /// `Q` of `Q3`.
    Quarter,
    Asks(Asks),
}

impl Sense {
    /// Whether a time can begin with it. Most words of a text are none.
    pub fn begins(self) -> bool {
        use Sense::*;
        !matches!(
            self,
            Plain
                | Ahead
                | Ago
                | Hence
                | Into
                | By
                | To
                | And
                | Other
                | Link
                | Before
                | After
                | BeforeThat
                | AfterThat
                | MonthMark
                | DayMark
                | HourMark
                | Am
                | Pm
                | Ordinal
                | Decades
                | Asks(_)
        )
    }
}

/// A word with one of its meanings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub key: &'static str,
    pub sense: Sense,
    pub tongues: Tongues,
    /// Counts only in a text of its language.
    pub shy: bool,
}

/// All entries, those of a first word together, the longest first, and where those of each are.
struct Lexicon {
    entries: Vec<Entry>,
    heads: FxHashMap<&'static str, (u32, u32)>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    // The first question waits for this: to sort all at once would compare each with a dozen others.
    let mut groups: FxHashMap<&str, Vec<Entry>> = FxHashMap::default();
    for (number, table) in words::TABLES.iter().enumerate() {
        for (keys, sense) in *table {
            for words in keys.split('|') {
                let key = words.strip_prefix('?').unwrap_or(words);
                groups.entry(head(key)).or_default().push(Entry {
                    key,
                    sense: *sense,
                    tongues: 1 << number,
                    shy: key.len() < words.len(),
                });
            }
        }
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(4096);
    let mut heads = FxHashMap::default();
    for (head, mut group) in groups {
        if group.len() > 1 {
            let place =
                |entry: &Entry| (Reverse(entry.key.len()), entry.key, entry.sense, entry.shy);
            group.sort_by(|a, b| place(a).cmp(&place(b)));
            group.dedup_by(|next, kept| {
                let same = next.key == kept.key && next.sense == kept.sense && next.shy == kept.shy;
                if same {
                    kept.tongues |= next.tongues;
                }
                same
            });
        }
        let first = entries.len() as u32;
        entries.extend(group);
        heads.insert(head, (first, entries.len() as u32));
    }
    Lexicon { entries, heads }
});

/// What phrases are found by: their first word, or their first character in a script without spaces.
pub(super) fn head(key: &str) -> &str {
    match key.chars().next() {
        Some(first) if super::tokens::is_unspaced(first) => {
            key.get(..first.len_utf8()).unwrap_or(key)
        }
        _ => key.split(' ').next().unwrap_or(key),
    }
}

/// The entries whose first word this is, the longest first.
pub(super) fn entries(head: &str) -> &'static [Entry] {
    let lexicon = &*LEXICON;
    lexicon
        .heads
        .get(head)
        .and_then(|(from, until)| lexicon.entries.get(*from as usize..*until as usize))
        .unwrap_or_default()
}
