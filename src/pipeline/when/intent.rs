//! What a question asks of time.

use std::ops::Range;

use super::MentionKind;
use super::arithmetic::Amount;
use super::lexicon::{ALL, Asks, Sense};
use super::reader::{INTO, ON, Reader};
use super::tokens::Tokens;
use crate::memory::{Moment, Span};

/// What the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A time: `when did …`, `what year`. Dated memories about the rest of the question matter.
    Time,
    /// A length of time: `how long`, `how many days between`.
    Duration,
    /// An order of events: `which came first`, `in what order`.
    Order,
}

/// Which of several the question means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The earliest.
    First,
    /// The one before now: `the last time`, `the most recent`, `latest`.
    Latest,
    /// What holds now: `currently`, `these days`.
    Current,
}

/// What a question counts time from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// A time that it names.
    Time(Span),
    /// An event that it names, as bytes of the question: `the trip to Tokyo`. When it was is for recall to
    /// find out.
    Event(Range<usize>),
}

/// The time that a question is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// Within a span.
    At(Span),
    /// Before it.
    Before(Anchor),
    /// After it.
    After(Anchor),
    /// Between the two.
    Between(Anchor, Anchor),
    /// An amount away from an event; negative before it: `two weeks before the trip`.
    Away(Amount, Anchor),
}

/// What a question asks of time; nothing, when all are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intent {
    /// What the answer is, when it is about time itself.
    pub wanted: Option<Wanted>,
    /// The time that it is limited to.
    pub window: Option<Window>,
    /// Which of several is meant.
    pub pick: Option<Pick>,
}

/// What a question that is asked at a moment asks of time.
pub fn intent(question: &str, now: Moment) -> Intent {
    let tokens = Tokens::read(question);
    let reader = Reader::new(&tokens, now.civil());
    let mut intent = Intent::default();
    let (mut first, mut or) = (false, false);
    let mut at = 0;
    while at < tokens.list.len() {
        let asks = reader.word(at, tokens.tongues, |sense| match sense {
            Sense::Asks(asks) => Some(asks),
            _ => None,
        });
        if let Some(asks) = asks {
            match asks.value {
                Asks::Time => intent.wanted = intent.wanted.or(Some(Wanted::Time)),
                Asks::Duration => intent.wanted = Some(Wanted::Duration),
                Asks::Order => intent.wanted = Some(Wanted::Order),
                Asks::First => {
                    first = true;
                    intent.pick = intent.pick.or(Some(Pick::First));
                }
                Asks::Latest => intent.pick = intent.pick.or(Some(Pick::Latest)),
                Asks::Current => intent.pick = intent.pick.or(Some(Pick::Current)),
            }
            at = asks.end;
            continue;
        }
        or |= first
            && reader
                .word(at, tokens.tongues, |sense| {
                    (sense == Sense::Other).then_some(())
                })
                .is_some();
        if intent.window.is_none()
            && let Some((window, end)) = window(&reader, at)
        {
            intent.window = Some(window);
            at = end.max(at + 1);
            continue;
        }
        at += 1;
    }
    if first && or && intent.wanted != Some(Wanted::Duration) {
        intent.wanted = Some(Wanted::Order);
    }
    if intent.wanted == Some(Wanted::Order) {
        intent.pick = None;
    }
    intent
}

/// The window that begins at a token.
fn window(reader: &Reader, at: usize) -> Option<(Window, usize)> {
    if let Some(read) = reader.expression(at)
        && !matches!(read.value.kind, MentionKind::Recurring(_))
    {
        let end = read.end;
        let span = read.value.stretch.and_then(|s| s.span())?;
        // `昨日之前`: the word stands after.
        let window = match reader.word(end, ALL, after_it) {
            Some(after) => match after.value {
                false => return Some((Window::Before(Anchor::Time(span)), after.end)),
                true => return Some((Window::After(Anchor::Time(span)), after.end)),
            },
            None => Window::At(span),
        };
        return Some((window, end));
    }
    if let Some(amount) = reader.amount(at, ALL)
        && let Some((late, end)) = way(reader, amount.end)
    {
        let (count, _, unit) = amount.value;
        let (anchor, end) = anchor(reader, end)?;
        let count = i32::try_from(if late { count } else { -count }).ok()?;
        return Some((Window::Away(Amount { count, unit }, anchor), end));
    }
    if let Some((late, end)) = way(reader, at) {
        let (anchor, end) = anchor(reader, end)?;
        let window = if late {
            Window::After(anchor)
        } else {
            Window::Before(anchor)
        };
        return Some((window, end));
    }
    if let Some(since) = reader.is(at, reader.tokens.tongues, Sense::Since) {
        let (anchor, end) = anchor(reader, since.end)?;
        return Some((Window::After(anchor), end));
    }
    if let Some(between) = reader.is(at, reader.tokens.tongues, Sense::Between) {
        return pair(reader, between.end);
    }
    let after = reader.word(at, ALL, after_it)?;
    let start = (0..at)
        .rev()
        .take_while(|at| reader.mark(*at).is_none())
        .last()?;
    let event = Anchor::Event(reader.bytes(start, at));
    let window = if after.value {
        Window::After(event)
    } else {
        Window::Before(event)
    };
    Some((window, after.end))
}

/// Words that stand after what they are said of: whether it is `after`.
fn after_it(sense: Sense) -> Option<bool> {
    match sense {
        Sense::BeforeThat => Some(false),
        Sense::AfterThat => Some(true),
        _ => None,
    }
}

/// `before` or `after`: whether it is `after`.
fn way(reader: &Reader, at: usize) -> Option<(bool, usize)> {
    let read = reader.word(at, reader.tokens.tongues, |sense| match sense {
        Sense::Before => Some(false),
        Sense::After => Some(true),
        _ => None,
    })?;
    Some((read.value, read.end))
}

/// What is named from a token on: a time, or the event up to the end of the clause.
fn anchor(reader: &Reader, at: usize) -> Option<(Anchor, usize)> {
    if let Some(read) = reader.point(reader.links(at, ALL).end, INTO | ON)
        && let Some(span) = read.value.stretch.and_then(|s| s.span())
    {
        return Some((Anchor::Time(span), read.end));
    }
    let end = clause_end(reader, at);
    let place = reader.tokens.tongues == super::words::GERMAN
        && reader.tokens.get(at).is_some_and(|token| token.capital);
    (end > at && !place).then(|| (Anchor::Event(reader.bytes(at, end)), end))
}

fn clause_end(reader: &Reader, at: usize) -> usize {
    (at..reader.tokens.list.len())
        .find(|at| {
            matches!(
                reader.mark(*at),
                Some(',' | '?' | '!' | ';' | '.' | '，' | '、' | '？' | '。' | '¿')
            )
        })
        .unwrap_or(reader.tokens.list.len())
}

/// `between the wedding and the move`.
fn pair(reader: &Reader, at: usize) -> Option<(Window, usize)> {
    let end = clause_end(reader, at);
    let and = (at..end).find_map(|at| Some((at, reader.is(at, ALL, Sense::And)?.end)))?;
    let first = reader.bytes(at, and.0);
    let second = reader.bytes(and.1, end);
    let one =
        |range: Range<usize>, at: usize| match reader.point(reader.links(at, ALL).end, INTO | ON) {
            Some(read) => read
                .value
                .stretch
                .and_then(|s| s.span())
                .map_or(Anchor::Event(range), Anchor::Time),
            None => Anchor::Event(range),
        };
    let empty = first.is_empty() || second.is_empty();
    (!empty).then(|| (Window::Between(one(first, at), one(second, and.1)), end))
}
