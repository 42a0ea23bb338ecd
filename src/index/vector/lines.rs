//! Whole codes, for walks, which look at some here and some there.

use std::hint::black_box;

use super::super::Slot;
use super::codes::{BITS, Code, FineCode};
use super::pages::Pages;

/// A code in one line of a processor's cache, so that memory has to be asked for it once.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line(Code);

/// The codes of slots, whole.
#[derive(Debug, Clone)]
pub(super) struct Lines(Pages<Line>);

impl Lines {
    pub fn new() -> Self {
        Self(Pages::new(1))
    }

    pub fn put(&mut self, slot: Slot, code: Code) {
        self.0.put(slot as usize, &[Line(code)]);
    }

    #[inline(always)]
    fn get(&self, slot: Slot) -> Option<&Code> {
        let [Line(code)] = self.0.get(slot as usize)? else {
            return None;
        };
        Some(code)
    }

    /// How many bits of a slot's code differ from a query's; all for no slot.
    #[inline(always)]
    pub fn distance(&self, slot: Slot, query: &Code) -> u32 {
        self.get(slot)
            .map_or(BITS as u32, |code| code.distance(query))
    }

    /// Of some slots the `most` whose codes are nearest to a query in more bits, in any order.
    pub fn nearest(&self, slots: Vec<Slot>, query: &FineCode, most: usize) -> Vec<Slot> {
        if slots.len() <= most {
            return slots;
        }
        let distance = |slot| self.get(slot).map_or(u32::MAX, |code| query.distance(code));
        let scored = slots.into_iter().map(|slot| (distance(slot), slot));
        let mut scored: Vec<(u32, Slot)> = scored.collect();
        scored.select_nth_unstable(most);
        scored.truncate(most);
        scored.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Asks memory for the codes of some slots, for all of them at the same time.
    #[inline(always)]
    pub fn ask_for(&self, slots: &[Slot]) {
        let words = slots.iter().map(|slot| self.get(*slot));
        let words = words.map(|code| code.map_or(0, |code| code.first_word()));
        black_box(words.fold(0, |all, word| all ^ word));
    }

    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }
}
