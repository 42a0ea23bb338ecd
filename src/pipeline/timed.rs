//! The time channel: of what was found, and of what was said then, what is about the time that a question asks about.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::found::Found;
use super::knowledge::Known;
use super::when::{Anchor, Intent, Pick, Wanted, Window, add, mentions};
use crate::memory::{Card, Id, Memory, Moment, Precision, Span};

/// Of so many memories found first, the times are looked at.
const LOOKED_AT: usize = 60;

/// So much before and after the time that a question is limited to, people still speak of it: of tomorrow, of last
/// week.
const SPOKEN_OF: i64 = 8 * DAY;
/// Of so many memories said around that time, the times are looked at, though little else may speak for them.
const SAID_THEN: usize = 60;
/// What a memory of the time asked about counts at least, however little it has to do with the question by itself.
const BY_ITSELF: f32 = 0.5;

/// How surely a memory is about a time that it names, and about that at which it was said.
const NAMED: f32 = 0.9;
const SAID: f32 = 0.4;

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
    pub found: &'a [Found],
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
    let anchor = |anchor: &Anchor| match anchor {
        Anchor::Time(span) => Some(Event::of(*span, 1.0)),
        Anchor::Event(range) => {
            let memory = known.memory(&(told.anchored)(question.get(range.clone())?)?)?;
            best(&events(&memory)).copied()
        }
    };
    let window = intent
        .window
        .as_ref()
        .and_then(|window| stretch(window, anchor));
    let first = found.get(..LOOKED_AT.min(found.len())).unwrap_or_default();
    let first = first.iter().map(|it| (Rc::clone(&it.card), it.score));
    let mut likely: Vec<(Rc<Card>, f32)> = first.collect();
    if let Some(window) = window.filter(Event::has_both_ends) {
        likely.extend(said_then(&window, found, known, &told.said_between));
    }
    let dated = likely.iter().filter(|(card, _)| card.dated);
    known.fetch(dated.map(|(card, _)| card.id));
    let looked_at = likely.iter().filter_map(|(card, score)| {
        let own = score / top.max(f32::MIN_POSITIVE);
        match card.dated {
            false => Some((card.id, own, vec![Event::said(card.created_at)], true)),
            true => {
                let memory = known.memory(&card.id)?;
                Some((card.id, own, events(&memory), is_on(&memory, now)))
            }
        }
    });
    let looked_at: Vec<(Id, f32, Vec<Event>, bool)> = looked_at.collect();
    let mut fits: Vec<(Id, f32)> = looked_at
        .iter()
        .map(|(id, own, events, _)| {
            let in_window = window.map(|window| {
                let each = events.iter().map(|event| window.holds(event));
                each.fold(0.0, f32::max)
            });
            let asks_time = matches!(intent.wanted, Some(Wanted::Time | Wanted::Duration));
            let is_dated = events.iter().any(|event| event.surely >= NAMED);
            let fit = match (in_window, asks_time) {
                (Some(fit), _) => fit * (BY_ITSELF + (1.0 - BY_ITSELF) * own),
                (None, true) if is_dated => *own,
                _ => 0.0,
            };
            (*id, fit)
        })
        .collect();
    if intent.pick == Some(Pick::Current) {
        for ((_, fit), (_, own, _, is_on)) in fits.iter_mut().zip(&looked_at) {
            if *is_on {
                *fit = fit.max(*own);
            }
        }
    }
    if let Some(pick @ (Pick::First | Pick::Latest)) = intent.pick {
        let mut order: Vec<(Moment, usize)> = looked_at
            .iter()
            .take(ORDERED)
            .enumerate()
            .filter_map(|(at, (_, _, events, _))| Some((best(events)?.from, at)))
            .collect();
        order.sort_unstable();
        if pick == Pick::Latest {
            order.reverse();
        }
        let count = order.len().max(1) as f32;
        for (rank, (_, at)) in order.into_iter().enumerate() {
            let own = looked_at.get(at).map_or(0.0, |(_, own, ..)| *own);
            if let Some((_, fit)) = fits.get_mut(at) {
                *fit = fit.max(own * (1.0 - rank as f32 / count));
            }
        }
    }
    fits.retain(|(_, fit)| *fit > 0.0);
    fits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fits
}

/// What was said around a time and is not among the first that other channels found: what they found of it besides,
/// best first, then the rest, oldest first.
fn said_then<'a, I: Iterator<Item = Id>>(
    window: &Event,
    found: &'a [Found],
    known: Known<'a>,
    said_between: impl Fn(Moment, Moment) -> I,
) -> impl Iterator<Item = (Rc<Card>, f32)> {
    let from = window.from.plus_millis(-SPOKEN_OF);
    let until = window.until.plus_millis(SPOKEN_OF);
    let is_then = move |at: Moment| from <= at && at < until;
    let besides = found.get(LOOKED_AT..).unwrap_or_default().iter();
    let besides = besides
        .filter(move |it| is_then(it.card.created_at))
        .map(|it| (Rc::clone(&it.card), it.score));
    let known_already: FxHashSet<Id> = found.iter().map(|it| it.card.id).collect();
    let rest = said_between(from, until).filter(move |id| !known_already.contains(id));
    let rest = rest.filter_map(move |id| Some((Rc::new(known.card(&id)?), 0.0)));
    besides.chain(rest).take(SAID_THEN)
}

/// The times that a memory is about: those of its newest version, those that its text names, else that at which it
/// was said.
fn events(memory: &Memory) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(version) = memory.latest()
        && let Some(from) = version.valid_from
        && version.from_precision.is_some()
    {
        let until = match (version.valid_to, version.from_precision) {
            (Some(to), _) => to,
            (None, Some(Precision::Month)) => from.plus_millis(31 * DAY),
            (None, Some(Precision::Year)) => from.plus_millis(366 * DAY),
            (None, _) => from.plus_millis(DAY),
        };
        events.push(Event {
            from,
            until,
            surely: 1.0,
        });
    }
    let named = mentions(memory.text(), memory.created_at).into_iter();
    let named = named.filter_map(|mention| mention.span);
    events.extend(named.map(|span| Event::of(span, NAMED)));
    if events.is_empty() {
        events.push(Event::said(memory.created_at));
    }
    events
}

/// Whether a memory is about a time that it names, or that is known of it. The times of all others are those at
/// which they were said.
pub(super) fn is_dated(memory: &Memory) -> bool {
    let version = memory.latest();
    version.is_some_and(|it| it.valid_from.is_some() || it.valid_to.is_some())
        || mentions(memory.text(), memory.created_at)
            .iter()
            .any(|mention| mention.span.is_some())
}

/// Whether what a memory says is not over.
fn is_on(memory: &Memory, now: Moment) -> bool {
    let version = memory.latest();
    version.is_some_and(|version| version.valid_to.is_none_or(|end| end > now))
}

const DAY: i64 = 86_400_000;

/// The one that a memory is most surely about.
fn best(events: &[Event]) -> Option<&Event> {
    events.iter().max_by(|a, b| a.surely.total_cmp(&b.surely))
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
