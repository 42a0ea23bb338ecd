//! Walks through a graph, from near to nearer codes.

use std::hint::black_box;

use super::codes::{BITS, Code, Limit};
use super::graph::{Graph, Near};
use crate::index::{Bitmap, Slot};

/// Slots whose links are looked at together: memory then looks at the same time for all their links, and for the codes
/// of all that these lead to. More would look at some that nearer ones had spared.
const TOGETHER: usize = 8;

/// What a walk looks for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// How many hits.
    pub k: usize,
    /// The slots that may be hits; `None` for all.
    pub allowed: Option<&'a Bitmap>,
    /// How many slots' links are looked at, at the most.
    pub looks: usize,
    /// How many bits farther than the last of the hits a walk still looks, and what it met is still answered.
    pub farther: u32,
}

/// A slot that a walk met.
struct Met {
    slot: Slot,
    distance: u32,
    /// The one met before at this distance, as in [`Front::last`].
    before: u32,
}

/// What a walk met, and what of it is still to be looked at.
struct Front<'a> {
    met: Vec<Met>,
    /// Of each distance the one met last whose links are still to be looked at: its place in `met` plus one, or 0.
    last: [u32; BITS + 1],
    /// No distance below has any.
    nearest: u32,
    hits: Limit,
    wanted: &'a Wanted<'a>,
}

impl<'a> Front<'a> {
    fn new(wanted: &'a Wanted<'a>) -> Self {
        Self {
            met: Vec::with_capacity(wanted.looks.min(1_024) * 4),
            last: [0; BITS + 1],
            nearest: BITS as u32,
            hits: Limit::new(wanted.k),
            wanted,
        }
    }

    /// The distance up to which it is worth to look.
    #[inline(always)]
    fn reach(&self) -> u32 {
        self.hits.distance() + self.wanted.farther
    }

    #[inline(always)]
    fn may_be_hit(&self, slot: Slot) -> bool {
        let allowed = self.wanted.allowed;
        allowed.is_none_or(|allowed| allowed.contains(slot))
    }

    #[inline(always)]
    fn meet(&mut self, slot: Slot, distance: u32) {
        if distance <= self.reach() {
            self.take(slot, distance);
        }
    }

    #[inline(never)]
    fn take(&mut self, slot: Slot, distance: u32) {
        let Some(last) = self.last.get_mut(distance as usize) else {
            return;
        };
        self.met.push(Met {
            slot,
            distance,
            before: *last,
        });
        *last = self.met.len() as u32;
        self.nearest = self.nearest.min(distance);
        if distance <= self.hits.distance() && self.may_be_hit(slot) {
            self.hits.add(distance);
        }
    }

    /// The nearest slot that is still to be looked at.
    fn next(&mut self) -> Option<Slot> {
        while self.nearest <= self.reach() {
            let last = self.last.get_mut(self.nearest as usize)?;
            if let Some(place) = last.checked_sub(1)
                && let Some(met) = self.met.get(place as usize)
            {
                *last = met.before;
                return Some(met.slot);
            }
            self.nearest += 1;
        }
        None
    }

    /// The slots within reach that may be hits.
    fn found(&self) -> impl Iterator<Item = Slot> {
        let reach = self.reach();
        let near = self.met.iter().filter(move |met| met.distance <= reach);
        let slots = near.map(|met| met.slot);
        slots.filter(|slot| self.may_be_hit(*slot))
    }
}

impl Graph {
    /// The slots that steps from near to nearer codes reach, in any order.
    pub fn near(&self, query: &Code, wanted: &Wanted<'_>) -> Vec<Slot> {
        let Some(entry) = self.entry() else {
            return Vec::new();
        };
        let nearness = |slot: Slot| -(self.codes().distance(slot, query) as f32);
        let mut from = Near::new(nearness(entry), entry);
        for level in (1..=self.level(entry)).rev() {
            from = self.descend(&nearness, from, level);
        }
        let mut front = Front::new(wanted);
        self.walk_codes(query, from.slot(), &mut front);
        front.found().collect()
    }

    /// Best-first steps at the ground level, until nothing in reach is left or enough were looked at.
    fn walk_codes(&self, query: &Code, from: Slot, front: &mut Front<'_>) {
        let mut unseen = self.linked().clone();
        unseen.remove(from);
        front.meet(from, self.codes().distance(from, query));
        let mut places = vec![0; TOGETHER * self.most(0)];
        let mut together = Vec::with_capacity(TOGETHER);
        let mut left = front.wanted.looks;
        loop {
            together.clear();
            let nearest = std::iter::from_fn(|| front.next());
            together.extend(nearest.take(TOGETHER.min(left)));
            if together.is_empty() {
                return;
            }
            left -= together.len();
            let new = self.neighbours(&together, &mut unseen, &mut places);
            self.codes().ask_for(new);
            for slot in new {
                front.meet(*slot, self.codes().distance(*slot, query));
            }
        }
    }

    /// Takes the slots to which the ground links of some lead out of the unseen, and writes them into `places`.
    #[inline(never)]
    fn neighbours<'a>(
        &self,
        of: &[Slot],
        unseen: &mut Bitmap,
        places: &'a mut [Slot],
    ) -> &'a [Slot] {
        // Memory is asked for the links of all before any is followed: for their first and last, as they take up two lines
        // of a processor's cache.
        let ends = of.iter().map(|slot| match self.ground(*slot) {
            [first, .., last] => first ^ last,
            _ => 0,
        });
        black_box(ends.fold(0, |all, ends| all ^ ends));
        let mut count = 0;
        for link in of.iter().flat_map(|slot| self.ground(*slot)) {
            // No link is a slot that never was unseen.
            let slot = link.wrapping_sub(1);
            // Written in any case: whether it is new cannot be foretold, and a wrong guess costs more.
            if let Some(place) = places.get_mut(count) {
                *place = slot;
            }
            count += usize::from(unseen.take(slot));
        }
        places.get(..count).unwrap_or_default()
    }
}
