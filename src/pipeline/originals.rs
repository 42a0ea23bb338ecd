//! The vectors of passages as they are stored, read when a search asks for them.

use super::knowledge::Known;
use super::recall::Passage;
use crate::compact::OrderedMap;
use crate::index::{Originals, Slot, Slots};
use crate::memory::Id;

/// Memories whose vectors are read at once: of long texts, they are large.
const AT_ONCE: usize = 256;

/// The stored vectors of the passages in slots.
pub(super) struct StoredVectors<'a> {
    pub slots: &'a Slots<Passage>,
    pub known: Known<'a>,
}

impl Originals for StoredVectors<'_> {
    fn visit(&self, slots: &[Slot], take: &mut dyn FnMut(Slot, &[f32])) {
        let mut wanted: OrderedMap<Id, Vec<(u16, Slot)>> = OrderedMap::new();
        for slot in slots {
            if let Some(passage) = self.slots.key(*slot)
                && let Some(id) = self.known.id(passage.sequence())
            {
                wanted.change(id, |passages| passages.push((passage.place(), *slot)));
            }
        }
        let wanted: Vec<(Id, Vec<(u16, Slot)>)> = wanted.into_iter().collect();
        for wanted in wanted.chunks(AT_ONCE) {
            let ids: Vec<Id> = wanted.iter().map(|(id, _)| *id).collect();
            for ((_, passages), vectors) in wanted.iter().zip(self.known.vectors(&ids)) {
                for (place, slot) in passages {
                    let vector = vectors.as_ref().and_then(|v| v.get(usize::from(*place)));
                    if let Some(vector) = vector {
                        take(*slot, vector);
                    }
                }
            }
        }
    }
}
