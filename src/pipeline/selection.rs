//! Which memories may answer, as sets of slots.

use std::cell::RefCell;

use super::knowledge::Sketch;
use crate::compact::OrderedMap;
use crate::index::{Bitmap, Slot};
use crate::memory::{Filter, Kind, Moment};
use crate::operation::{Search, Transcript};

/// Filters whose selections are remembered.
const REMEMBERED: usize = 8;

/// Sets of slots that questions ask for again and again, kept true as memories change: a filter is evaluated
/// on every memory once, and from then on only on those that change.
#[derive(Debug, Default)]
pub(super) struct Selections {
    all: Bitmap,
    current: Bitmap,
    listed: Bitmap,
    facts: Bitmap,
    changeable: Bitmap,
    standing: Bitmap,
    expiring: OrderedMap<Slot, Moment>,
    /// The last asked comes last.
    filtered: RefCell<Vec<Filtered>>,
}

#[derive(Debug)]
struct Filtered {
    filter: Filter,
    with_transcript: bool,
    slots: Bitmap,
}

impl Selections {
    /// Takes in a memory, or what became of it. `selects` tells whether a filter selects it.
    pub fn put(&mut self, slot: Slot, card: Sketch<'_>, selects: impl Fn(&Filter) -> bool) {
        let is_current = card.is_current();
        let is_fact = card.kind() == Kind::Fact;
        let may_change = card.is_listed() && !card.is_immutable();
        self.all.insert(slot);
        self.current.set(slot, is_current);
        self.listed.set(slot, card.is_listed());
        self.facts.set(slot, is_current && is_fact);
        self.changeable.set(slot, is_current && may_change);
        self.standing.set(slot, card.is_standing());
        match card.expires_at() {
            Some(at) => self.expiring.insert(slot, at),
            None => self.expiring.remove(&slot),
        };
        for filtered in self.filtered.get_mut() {
            let may = filtered.with_transcript || card.is_listed();
            filtered.slots.set(slot, may && selects(&filtered.filter));
        }
    }

    /// Takes out a memory.
    pub fn remove(&mut self, slot: Slot) {
        self.all.remove(slot);
        self.current.remove(slot);
        self.listed.remove(slot);
        self.facts.remove(slot);
        self.changeable.remove(slot);
        self.standing.remove(slot);
        self.expiring.remove(&slot);
        for filtered in self.filtered.get_mut() {
            filtered.slots.remove(slot);
        }
    }

    /// The facts.
    pub fn facts(&self) -> &Bitmap {
        &self.facts
    }

    /// Instructions and preferences.
    pub fn standing(&self) -> &Bitmap {
        &self.standing
    }

    /// What the update phase may change.
    pub fn changeable(&self) -> &Bitmap {
        &self.changeable
    }

    /// What may answer a question: what is current, or anything when it is about the past. `select` goes through all memories, listed ones only or not, when the filter
    /// is a new one.
    pub fn answering(
        &self,
        search: &Search,
        now: Moment,
        select: impl FnOnce(&Filter, bool) -> Bitmap,
    ) -> Bitmap {
        let with_transcript = search.transcript != Transcript::Never;
        let mut slots = match (search.filter == Filter::all(), with_transcript) {
            (true, true) => self.all.clone(),
            (true, false) => self.listed.clone(),
            (false, _) => self.selected(&search.filter, with_transcript, select),
        };
        if search.as_of.is_none() && search.known_at.is_none() {
            slots = slots.and(&self.current);
        }
        if !search.show_expired {
            let expired = self.expiring.iter().filter(|(_, at)| **at <= now);
            expired.for_each(|(slot, _)| slots.remove(*slot));
        }
        slots
    }

    /// What a filter selects.
    fn selected(
        &self,
        filter: &Filter,
        with_transcript: bool,
        select: impl FnOnce(&Filter, bool) -> Bitmap,
    ) -> Bitmap {
        let mut remembered = self.filtered.borrow_mut();
        let known = remembered
            .iter()
            .position(|known| known.with_transcript == with_transcript && known.filter == *filter);
        let filtered = match known {
            Some(at) => remembered.remove(at),
            None => {
                if remembered.len() == REMEMBERED {
                    remembered.remove(0);
                }
                Filtered {
                    filter: filter.clone(),
                    with_transcript,
                    slots: select(filter, with_transcript),
                }
            }
        };
        let slots = filtered.slots.clone();
        remembered.push(filtered);
        slots
    }
}
