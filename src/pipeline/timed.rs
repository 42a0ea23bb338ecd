//! The time channel: of what was found, and of what was said then, what is about the time that a question asks about.

use rustc_hash::FxHashSet;

use super::found::Found;
use super::knowledge::{Known, Sketch};
use super::when::{Anchor, Intent, Pick, Wanted, Window, add, mentions};
use crate::memory::{About, Id, Memory, Moment, Precision, Span, Times};

/// So much before and after the time that a question is limited to, people still speak of it: of tomorrow, of last
/// week.
const SPOKEN_OF: i64 = 8 * DAY;
/// Of so many memories said around that time, the times are looked at, though little else may speak for them.
const SAID_THEN: usize = 60;
/// What a memory of the time asked about counts at least, however little it has to do with the question by itself.
const BY_ITSELF: f32 = 0.5;

/// How surely a memory is about a time that it names, and about that at which it was said. From 0.2 to 0.4 the latter
/// changes little.
const NAMED: f32 = 0.9;
const SAID: f32 = 0.3;

/// What a memory counts at least whose time is much longer than the one that is asked about.
const VAGUE: f32 = 0.2;

/// Of so many found first, the first or last in time is meant.
const ORDERED: usize = 10;

/// A time that a memory is about, and how surely.
#[derive(Debug, Clone, Copy)]
struct Event {
    from: Moment,
    until: Moment,
    surely: f32,
}

/// Where a question of time looks.
pub(super) struct Told<'a, A, S> {
    /// What other channels found, best first, with scores of 0 to 1.
    pub found: &'a [Found<'a>],
    /// The memory that tells of an event which the question names.
    pub anchored: A,
    /// What was said from one moment on and before another, oldest first.
    pub said_between: S,
}

/// The memories that fit what a question asks of time, with how well: 0 to 1.
pub(super) fn timed<'a, A, S, I>(
    intent: &Intent,
    told: &Told<'a, A, S>,
    known: Known<'a>,
    (question, now): (&str, Moment),
) -> Vec<(Id, f32)>
where
    A: Fn(&str) -> Option<Id>,
    S: Fn(Moment, Moment) -> I,
    I: Iterator<Item = Id>,
{
    let found = told.found;
    if *intent == Intent::default() {
        return Vec::new();
    }
    let top = found.first().map_or(0.0, |first| first.score);
    let sketch = |id: &Id| known.knowledge().sketch(id.sequence());
    let anchor = |anchor: &Anchor| match anchor {
        Anchor::Time(span) => Some(Event::of(*span, 1.0)),
        Anchor::Event(range) => {
            let memory = (told.anchored)(question.get(range.clone())?)?;
            best(events(&sketch(&memory)?))
        }
    };
    let window = intent
        .window
        .as_ref()
        .and_then(|window| stretch(window, anchor));
    let mut looked_at: Vec<(Sketch<'_>, f32)> =
        found.iter().map(|it| (it.card, it.score)).collect();
    if let Some(window) = window.filter(Event::has_both_ends) {
        let rest = said_then(&window, found, known, &told.said_between);
        looked_at.extend(rest.map(|card| (card, 0.0)));
    }
    for (_, own) in &mut looked_at {
        *own /= top.max(f32::MIN_POSITIVE);
    }
    let mut fits: Vec<(Id, f32)> = looked_at
        .iter()
        .map(|(card, own)| {
            let in_window = window.map(|window| {
                let each = events(card).map(|event| window.holds(&event));
                each.fold(0.0, f32::max)
            });
            let asks_time = matches!(intent.wanted, Some(Wanted::Time | Wanted::Duration));
            let is_dated = card.times().is_some_and(|times| !times.about.is_empty());
            let fit = match (in_window, asks_time) {
                (Some(fit), _) => fit * (BY_ITSELF + (1.0 - BY_ITSELF) * own),
                (None, true) if is_dated => *own,
                _ => 0.0,
            };
            (card.id, fit)
        })
        .collect();
    if intent.pick == Some(Pick::Current) {
        let is_on = |card: &Sketch<'_>| {
            let over = card.times().and_then(|times| times.over);
            over.is_none_or(|end| end > now)
        };
        for ((_, fit), (card, own)) in fits.iter_mut().zip(&looked_at) {
            if is_on(card) {
                *fit = fit.max(*own);
            }
        }
    }
    if let Some(pick @ (Pick::First | Pick::Latest)) = intent.pick {
        let mut order: Vec<(Moment, usize)> = looked_at
            .iter()
            .take(ORDERED)
            .enumerate()
            .filter_map(|(at, (card, _))| Some((best(events(card))?.from, at)))
            .collect();
        order.sort_unstable();
        if pick == Pick::Latest {
            order.reverse();
        }
        let count = order.len().max(1) as f32;
        for (rank, (_, at)) in order.into_iter().enumerate() {
            let own = looked_at.get(at).map_or(0.0, |(_, own)| *own);
            if let Some((_, fit)) = fits.get_mut(at) {
                *fit = fit.max(own * (1.0 - rank as f32 / count));
            }
        }
    }
    fits.retain(|(_, fit)| *fit > 0.0);
    fits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fits
}

/// What was said around a time and no other channel found, oldest first.
fn said_then<'a, I: Iterator<Item = Id>>(
    window: &Event,
    found: &'a [Found<'a>],
    known: Known<'a>,
    said_between: impl Fn(Moment, Moment) -> I,
) -> impl Iterator<Item = Sketch<'a>> {
    let from = window.from.plus_millis(-SPOKEN_OF);
    let until = window.until.plus_millis(SPOKEN_OF);
    let known_already: FxHashSet<Id> = found.iter().map(|it| it.card.id).collect();
    let rest = said_between(from, until).filter(move |id| !known_already.contains(id));
    let knowledge = known.knowledge();
    rest.filter_map(|id| knowledge.sketch(id.sequence()))
        .take(SAID_THEN)
}

/// The times that a memory is about; where none are known, that at which it was said.
fn events<'a>(card: &Sketch<'a>) -> impl Iterator<Item = Event> + use<'a> {
    let about = card.times().map(|times| &*times.about).unwrap_or_default();
    let said = about.is_empty().then(|| Event::said(card.created_at()));
    let about = about.iter().map(|about| Event {
        from: about.from,
        until: about.until,
        surely: if about.known { 1.0 } else { NAMED },
    });
    about.chain(said)
}

/// The times of a memory's newest version, and those that its text names; `None` where there is nothing but when it
/// was said.
pub(super) fn times_of(memory: &Memory) -> Option<Times> {
    let version = memory.latest();
    let known = version.and_then(|version| {
        let from = version.valid_from?;
        let until = match (version.valid_to, version.from_precision?) {
            (Some(to), _) => to,
            (None, Precision::Month) => from.plus_millis(31 * DAY),
            (None, Precision::Year) => from.plus_millis(366 * DAY),
            (None, _) => from.plus_millis(DAY),
        };
        Some(About {
            from,
            until,
            known: true,
        })
    });
    let named = mentions(memory.text(), memory.created_at).into_iter();
    let named = named.filter_map(|mention| mention.span).map(|span| {
        let Event { from, until, .. } = Event::of(span, NAMED);
        About {
            from,
            until,
            known: false,
        }
    });
    let times = Times {
        about: known.into_iter().chain(named).collect(),
        over: version.and_then(|version| version.valid_to),
    };
    (!times.about.is_empty() || times.over.is_some()).then_some(times)
}

const DAY: i64 = 86_400_000;

/// The one that a memory is most surely about.
fn best(events: impl Iterator<Item = Event>) -> Option<Event> {
    events.max_by(|a, b| a.surely.total_cmp(&b.surely))
}

/// The time that a question is limited to.
fn stretch(window: &Window, anchor: impl Fn(&Anchor) -> Option<Event>) -> Option<Event> {
    let (from, until) = match window {
        Window::At(span) => (Some(span.from), Some(span.until)),
        Window::Before(end) => (None, Some(anchor(end)?.from)),
        Window::After(start) => (Some(anchor(start)?.until), None),
        Window::Between(start, end) => (Some(anchor(start)?.from), Some(anchor(end)?.until)),
        Window::Away(amount, from) => {
            let at = add(anchor(from)?.from, *amount);
            (Some(at.plus_millis(-DAY)), Some(at.plus_millis(2 * DAY)))
        }
    };
    let from = from.unwrap_or(Moment::from_millis(i64::MIN));
    let until = until.unwrap_or(Moment::from_millis(i64::MAX));
    (from < until).then_some(Event {
        from,
        until,
        surely: 1.0,
    })
}

impl Event {
    fn said(at: Moment) -> Self {
        Self {
            from: at,
            until: at.plus_millis(1),
            surely: SAID,
        }
    }

    fn of(span: Span, surely: f32) -> Self {
        Self {
            from: span.from,
            until: span.until.max(span.from.plus_millis(1)),
            surely,
        }
    }

    fn has_both_ends(&self) -> bool {
        let (from, until) = (self.from.as_millis(), self.until.as_millis());
        from != i64::MIN && until != i64::MAX
    }

    fn length(&self) -> f32 {
        self.until
            .as_millis()
            .saturating_sub(self.from.as_millis())
            .max(1) as f32
    }

    /// How well an event lies within this time: by the share of it that does.
    fn holds(&self, event: &Event) -> f32 {
        let common = Event {
            from: self.from.max(event.from),
            until: self.until.min(event.until),
            surely: 1.0,
        };
        if common.from >= common.until {
            return 0.0;
        }
        event.surely * (common.length() / event.length()).max(VAGUE)
    }
}
