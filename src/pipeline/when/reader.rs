//! The grammar's hands: looking at tokens, and walking a text from one time to the next.

use jiff::civil::DateTime;

use super::calendar::Stretch;
use super::digits::Digits;
use super::lexicon::{ALL, Sense, Tongues};
use super::tokens::{Gap, Meaning, Tokens, What};
use super::{Mention, MentionKind};

/// What was read: up to which token, and in which languages it can be read so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<T> {
    pub value: T,
    pub end: usize,
    pub tongues: Tongues,
}

impl<T> Read<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Read<U> {
        Read {
            value: f(self.value),
            end: self.end,
            tongues: self.tongues,
        }
    }

    pub fn try_map<U>(self, f: impl FnOnce(T) -> Option<U>) -> Option<Read<U>> {
        Some(Read {
            value: f(self.value)?,
            end: self.end,
            tongues: self.tongues,
        })
    }
}

/// A time that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// None of what recurs.
    pub stretch: Option<Stretch>,
    pub kind: MentionKind,
}

/// A preposition stands before: of a month or year, of a day, or of either.
pub(super) const INTO: u8 = 1;
pub(super) const ON: u8 = 2;
/// A word that can stand before anything, and says less.
pub(super) const WEAK: u8 = 4;

pub(super) struct Reader<'a> {
    pub tokens: &'a Tokens,
    pub said: DateTime,
    /// By token, what stands before it.
    cues: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub fn new(tokens: &'a Tokens, said: DateTime) -> Self {
        let mut cues = vec![0_u8; tokens.list.len() + 1];
        for at in 0..tokens.list.len() {
            for meaning in tokens.meanings(at) {
                if meaning.tongues & tokens.tongues == 0 {
                    continue;
                }
                let cue = match meaning.sense {
                    Sense::Into => INTO,
                    Sense::On => ON,
                    Sense::Since | Sense::Until | Sense::By => INTO | ON,
                    Sense::Between | Sense::Before | Sense::After => WEAK,
                    _ => continue,
                };
                if let Some(place) = cues.get_mut(at + meaning.length) {
                    *place |= cue;
                }
            }
        }
        Self { tokens, said, cues }
    }

    /// What stands before a token, article included.
    pub fn cue(&self, at: usize) -> u8 {
        let here = self.cues.get(at).copied().unwrap_or(0);
        if here == 0 && at > 0 && self.is(at - 1, ALL, Sense::Link).is_some() {
            return self.cues.get(at - 1).copied().unwrap_or(0);
        }
        here
    }

    pub fn mentions(mut self) -> Vec<Mention> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.list.len() {
            let begins = |meaning: &Meaning| meaning.sense.begins();
            let worth = self.digits(at).is_some() || self.tokens.meanings(at).iter().any(begins);
            let Some(read) = worth.then(|| self.expression(at)).flatten() else {
                at += 1;
                continue;
            };
            let end = read.end.max(at + 1);
            self.carry(at, end);
            let range = self.bytes(at, end);
            at = end;
            let span = read.value.stretch.and_then(Stretch::span);
            let recurs = matches!(read.value.kind, MentionKind::Recurring(_));
            if span.is_none() && !recurs {
                continue;
            }
            found.push(Mention {
                range,
                kind: read.value.kind,
                span,
                approximate: read.value.stretch.is_some_and(|s| s.approximate),
            });
        }
        found
    }

    /// In `in May, June and July` the preposition holds for all.
    fn carry(&mut self, at: usize, end: usize) {
        let cue = self.cue(at) & (INTO | ON);
        let mut next = end;
        if self.mark(next) == Some(',') {
            next += 1;
        }
        if let Some(and) = self.is(next, ALL, Sense::And) {
            next = and.end;
        }
        if next > end
            && let Some(place) = self.cues.get_mut(next)
        {
            *place |= cue;
        }
    }

    /// A time that begins at a token.
    pub fn expression(&self, at: usize) -> Option<Read<Found>> {
        self.recurring(at)
            .or_else(|| self.range(at))
            .or_else(|| self.point(at, self.cue(at)))
    }

    /// Bytes of tokens.
    pub fn bytes(&self, from: usize, end: usize) -> std::ops::Range<usize> {
        let start = self.tokens.get(from).map_or(0, |token| token.start);
        let until = end
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.end);
        start..until.max(start)
    }

    /// The first meaning at a token that `pick` takes.
    pub fn word<T>(
        &self,
        at: usize,
        tongues: Tongues,
        pick: impl Fn(Sense) -> Option<T>,
    ) -> Option<Read<T>> {
        self.tokens.meanings(at).iter().find_map(|meaning| {
            let tongues = meaning.tongues & tongues;
            if tongues == 0 {
                return None;
            }
            Some(Read {
                value: pick(meaning.sense)?,
                end: at + meaning.length,
                tongues,
            })
        })
    }

    pub fn is(&self, at: usize, tongues: Tongues, sense: Sense) -> Option<Read<()>> {
        self.word(at, tongues, |found| (found == sense).then_some(()))
    }

    /// Goes over words that only link, at most two.
    pub fn links(&self, at: usize, tongues: Tongues) -> Read<()> {
        let mut here = Read {
            value: (),
            end: at,
            tongues,
        };
        for _ in 0..2 {
            match self.is(here.end, here.tongues, Sense::Link) {
                Some(next) => here = next,
                None => break,
            }
        }
        here
    }

    /// Goes over words that link or stand before a time.
    pub fn fillers(&self, at: usize, tongues: Tongues) -> Read<()> {
        let mut here = Read {
            value: (),
            end: at,
            tongues,
        };
        for _ in 0..3 {
            let next = self.word(here.end, here.tongues, |sense| {
                matches!(sense, Sense::Link | Sense::Into | Sense::On).then_some(())
            });
            match next {
                Some(next) => here = next,
                None => break,
            }
        }
        here
    }

    pub fn digits(&self, at: usize) -> Option<Digits> {
        match self.tokens.get(at)?.what {
            What::Digits(digits) => Some(digits),
            _ => None,
        }
    }

    pub fn mark(&self, at: usize) -> Option<char> {
        match self.tokens.get(at)?.what {
            What::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    pub fn gap(&self, at: usize) -> Option<Gap> {
        self.tokens.get(at).map(|token| token.gap)
    }

    /// A number in digits, with how many.
    pub fn figure(&self, at: usize) -> Option<(u32, u8)> {
        match self.digits(at)? {
            Digits::Number(number, digits) => Some((number, digits)),
            _ => None,
        }
    }

    /// How many: in digits or words, with how far off it may be.
    pub fn count(&self, at: usize, tongues: Tongues) -> Option<Read<(i64, i64)>> {
        if let Some((number, _)) = self.figure(at) {
            return Some(Read {
                value: (i64::from(number), 0),
                end: at + 1,
                tongues,
            });
        }
        self.word(at, tongues, |sense| match sense {
            Sense::Number(number) => Some((i64::from(number), 0)),
            Sense::Loose(number, slack) => Some((i64::from(number), i64::from(slack))),
            _ => None,
        })
    }

    /// Whether a sentence speaks of what is to come.
    pub fn is_ahead(&self, at: usize) -> bool {
        let ends = |at: &usize| !matches!(self.mark(*at), Some('.' | '!' | '?' | '。' | ';'));
        let before = (0..at).rev().take_while(ends);
        let after = (at..self.tokens.list.len()).take_while(ends);
        before
            .chain(after)
            .any(|at| self.is(at, self.tokens.tongues, Sense::Ahead).is_some())
    }

    /// Whether what follows a number is a thing that it counts: an unknown lower-case plural.
    pub fn counts_things(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            token.plural && !token.capital && self.tokens.meanings(at).is_empty()
        })
    }
}
