//! Sets of slots.

use super::Slot;

/// A set of slots, one bit each. Scans skip what is not in it 64 slots at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    /// Puts a slot in.
    pub fn insert(&mut self, slot: Slot) {
        let (word, bit) = place(slot);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    /// Takes a slot out.
    pub fn remove(&mut self, slot: Slot) {
        let (word, bit) = place(slot);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Takes a slot out, and says whether it was in.
    #[inline(always)]
    pub(super) fn take(&mut self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        self.words.get_mut(word).is_some_and(|word| {
            let was_in = *word & bit != 0;
            *word &= !bit;
            was_in
        })
    }

    /// Puts a slot in or takes it out.
    pub fn set(&mut self, slot: Slot, is_in: bool) {
        match is_in {
            true => self.insert(slot),
            false => self.remove(slot),
        }
    }

    /// Whether a slot is in.
    pub fn contains(&self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        self.word(word) & bit != 0
    }

    /// How many slots are in.
    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The slots, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Slot> {
        let words = self.words.iter().enumerate();
        words.flat_map(|(at, word)| bits(*word).map(move |bit| (at * 64) as Slot + bit))
    }

    /// What both sets hold.
    pub fn and(&self, other: &Self) -> Self {
        let pairs = self.words.iter().zip(&other.words);
        Self {
            words: pairs.map(|(left, right)| left & right).collect(),
        }
    }

    /// What this set holds and the other does not.
    pub fn and_not(&self, other: &Self) -> Self {
        let words = self.words.iter().enumerate();
        Self {
            words: words.map(|(at, word)| word & !other.word(at)).collect(),
        }
    }

    /// The slots `64 × at` to `64 × at + 63`, the lowest bit first; 0 past the end.
    pub(super) fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or_default()
    }
}

impl FromIterator<Slot> for Bitmap {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut set = Self::default();
        slots.into_iter().for_each(|slot| set.insert(slot));
        set
    }
}

/// The places of the ones in a word, ascending.
pub(super) fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        Some(bit)
    })
}

fn place(slot: Slot) -> (usize, u64) {
    (slot as usize / 64, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(steps in prop::collection::vec((0u32..300, any::<bool>()), 0..200)) {
            let mut bitmap = Bitmap::default();
            let mut set = BTreeSet::new();
            for (slot, is_in) in steps {
                bitmap.set(slot, is_in);
                if is_in { set.insert(slot); } else { set.remove(&slot); }
            }
            prop_assert_eq!(bitmap.len(), set.len());
            prop_assert_eq!(bitmap.is_empty(), set.is_empty());
            prop_assert!(bitmap.iter().eq(set.iter().copied()));
            prop_assert!((0..310).all(|slot| bitmap.contains(slot) == set.contains(&slot)));
            let even: Bitmap = (0..150).map(|half| half * 2).collect();
            let is_even = |slot: &Slot| *slot < 300 && slot.is_multiple_of(2);
            prop_assert!(bitmap.and(&even).iter().eq(set.iter().copied().filter(is_even)));
            prop_assert!(bitmap.and_not(&even).iter().eq(set.into_iter().filter(|slot| !is_even(slot))));
        }
    }
}
