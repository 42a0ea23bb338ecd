//! Which terms each document has, so that it can be taken out and put on pages.

use super::codec::{allocation, read_varint, reserve, write_varint};
use crate::index::Slot;

/// Documents that share a buffer: an allocation each would take as much as their terms.
const SHARING: usize = 128;

/// The encoded terms of documents, by slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Forward {
    /// One document after another: the number of its bytes, and they.
    blocks: Vec<Vec<u8>>,
    /// How many documents are in the last block, empty ones too.
    last: usize,
    /// Bytes that the blocks have allocated.
    allocated: usize,
}

impl Forward {
    pub fn bytes(&self) -> usize {
        self.allocated + allocation(self.blocks.capacity() * size_of::<Vec<u8>>())
    }

    pub fn get(&self, slot: Slot) -> &[u8] {
        let at = slot as usize;
        let mut rest = self.blocks.get(at / SHARING).map_or(&[][..], Vec::as_slice);
        for _ in 0..at % SHARING {
            rest = split(rest).1;
        }
        split(rest).0
    }

    /// Puts the terms of a document in place of what was there.
    pub fn put(&mut self, slot: Slot, terms: &[u8]) {
        let at = slot as usize;
        while self.blocks.len() <= at / SHARING {
            if let Some(full) = self.blocks.last_mut() {
                self.allocated -= allocation(full.capacity());
                full.shrink_to_fit();
                self.allocated += allocation(full.capacity());
            }
            reserve(&mut self.blocks, 1);
            self.blocks.push(Vec::new());
            self.last = 0;
        }
        let is_last = self.blocks.len() == at / SHARING + 1;
        let Some(block) = self.blocks.get_mut(at / SHARING) else {
            return;
        };
        self.allocated -= allocation(block.capacity());
        let place = at % SHARING;
        let (start, end) = match is_last && place >= self.last {
            // At the end: as documents come, nothing is searched.
            true => {
                let end = block.len() + place - self.last;
                block.resize(end, 0);
                self.last = place + 1;
                (end, end)
            }
            false => {
                let mut start = 0;
                for _ in 0..place {
                    if start == block.len() {
                        block.push(0);
                    }
                    let rest = block.get(start..).unwrap_or_default();
                    start = block.len() - split(rest).1.len();
                }
                let rest = block.get(start..).unwrap_or_default();
                (start, block.len() - split(rest).1.len())
            }
        };
        let mut document = Vec::with_capacity(terms.len() + 10);
        write_varint(&mut document, terms.len() as u64);
        document.extend_from_slice(terms);
        reserve(block, document.len());
        block.splice(start..end, document);
        self.allocated += allocation(block.capacity());
    }
}

/// The first document of a block, and what comes after it.
fn split(block: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = read_varint(block) else {
        return (&[], &[]);
    };
    rest.split_at_checked(length as usize)
        .unwrap_or((rest, &[]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(
            steps in prop::collection::vec((0u32..300, prop::collection::vec(any::<u8>(), 0..200)), 0..60),
        ) {
            let mut forward = Forward::default();
            let mut map = BTreeMap::new();
            for (slot, terms) in steps {
                forward.put(slot, &terms);
                map.insert(slot, terms);
            }
            for slot in 0..310 {
                let expected = map.get(&slot).map_or(&[][..], Vec::as_slice);
                prop_assert_eq!(forward.get(slot), expected);
            }
        }
    }
}
