//! The yes and no of a card as bits, and a card as it lies in its row.

use std::rc::Rc;

use super::rows::Row;
use crate::memory::{Card, Feedback, Id, Kind, Moment, SpaceHash, Times, Traits};

pub(super) const MESSAGE: u8 = 1;
pub(super) const TRANSCRIPT: u8 = 2;
pub(super) const CURRENT: u8 = 4;
const STANDING: u8 = 8;
const IMMUTABLE: u8 = 16;
const LIKED: u8 = 32;
const DISLIKED: u8 = 64;

/// Yes and no of a card, a bit each.
pub fn flags_of(card: &Card) -> u8 {
    let flag = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
    flag(MESSAGE, card.kind == Kind::Message)
        | flag(TRANSCRIPT, card.transcript)
        | flag(CURRENT, card.current)
        | flag(STANDING, card.standing)
        | flag(IMMUTABLE, card.immutable)
        | match card.feedback {
            None => 0,
            Some(Feedback::Positive) => LIKED,
            Some(Feedback::Negative) => DISLIKED,
            Some(Feedback::VeryNegative) => LIKED | DISLIKED,
        }
}

/// Sets what [`flags_of`] told.
pub fn set_flags(card: &mut Card, flags: u8) {
    let flag = |bit: u8| flags & bit != 0;
    card.kind = kind_of(flags);
    card.transcript = flag(TRANSCRIPT);
    card.current = flag(CURRENT);
    card.standing = flag(STANDING);
    card.immutable = flag(IMMUTABLE);
    card.feedback = feedback_of(flags);
}

fn kind_of(flags: u8) -> Kind {
    match flags & MESSAGE != 0 {
        true => Kind::Message,
        false => Kind::Fact,
    }
}

fn feedback_of(flags: u8) -> Option<Feedback> {
    match (flags & LIKED != 0, flags & DISLIKED != 0) {
        (false, false) => None,
        (true, false) => Some(Feedback::Positive),
        (false, true) => Some(Feedback::Negative),
        (true, true) => Some(Feedback::VeryNegative),
    }
}

/// A card as it lies in its row: a search looks at hundreds.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) struct Sketch<'a> {
    pub id: Id,
    pub traits: &'a Rc<Traits>,
    pub(super) space: SpaceHash,
    pub(super) row: &'a Row,
}

impl<'a> Sketch<'a> {
    pub fn kind(&self) -> Kind {
        kind_of(self.row.flags)
    }

    /// Whether it counts as a memory of its own: see [`Card::is_listed`].
    pub fn is_listed(&self) -> bool {
        self.row.flags & TRANSCRIPT == 0
    }

    pub fn is_current(&self) -> bool {
        self.row.flags & CURRENT != 0
    }

    pub fn is_standing(&self) -> bool {
        self.row.flags & STANDING != 0
    }

    pub fn is_immutable(&self) -> bool {
        self.row.flags & IMMUTABLE != 0
    }

    pub fn expires_at(&self) -> Option<Moment> {
        self.row.rare.as_deref()?.expires_at
    }

    pub fn feedback(&self) -> Option<Feedback> {
        feedback_of(self.row.flags)
    }

    pub fn created_at(&self) -> Moment {
        self.row.created_at
    }

    /// How much it tells: see [`Card::tells`].
    pub fn tells(&self) -> u8 {
        self.row.tells
    }

    pub fn times(&self) -> Option<&'a Times> {
        self.row.times.as_deref()
    }

    /// The messages that its newest version came from.
    pub fn sources(&self) -> impl Iterator<Item = Id> + use<'a> {
        let space = self.space;
        let sources = self.row.rare.as_deref().map(|rare| &*rare.sources);
        let sources = sources.unwrap_or_default().iter();
        sources.map(move |local| Id::in_space(space, *local))
    }
}
