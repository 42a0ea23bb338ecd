//! The default vector index: no graph, nothing to build, exact order among what it looks at.

use super::codes::Codes;
use super::rows::{QueryRow, Rows};
use super::{Bitmap, Scored, Slot, VectorError, VectorIndex, check_vector};
use crate::index::best;

/// With this many rows or fewer to look at, all are scored; with more, those that their codes put near.
/// Below it a scan of codes saves nothing, and finds less.
const SCAN_ALL: usize = 5_000;
/// Rows scored at the least, for each hit wanted, and of how many rows one.
const MIN_SCORED: usize = 256;
const SCORED_PER_HIT: usize = 4;
const SCORED_OF: usize = 500;

/// Vectors of unit length, `[slots × dimension]` in eight bits a value, beside codes of 512 bits. A search scores every row while they are few. Then it takes the rows whose codes are nearest,
/// one in 500 but at least 256, and scores those. Insert and remove cost one row. A set of allowed slots
/// makes a search faster, the more the fewer it holds.
#[derive(Debug, Clone, Default)]
pub struct FlatIndex {
    dimension: usize,
    rows: Rows,
    codes: Codes,
    live: Bitmap,
    count: usize,
}

impl FlatIndex {
    /// An empty index. Its dimension is that of the first vector.
    pub fn new() -> Self {
        Self::default()
    }

    /// The vectors in eight bits a value.
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The vectors as codes.
    pub(super) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// The slots that hold a vector.
    pub(super) fn live(&self) -> &Bitmap {
        &self.live
    }

    /// The first vector says the dimension of all.
    fn begin(&mut self, dimension: usize) {
        if self.count == 0 {
            *self = Self {
                dimension,
                rows: Rows::new(dimension),
                codes: Codes::new(dimension),
                ..Self::default()
            };
        }
    }

    /// Whether a slot holds a vector.
    pub fn contains(&self, slot: Slot) -> bool {
        self.live.contains(slot)
    }

    /// The vectors in `count` slots from `first` on, as bytes: the dimension (`u32`); then for each vector its
    /// slot less `first` (`u32`), its scale (`f32`), its row and its code; all little-endian. Empty when
    /// there is none.
    pub fn page(&self, first: Slot, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for place in (0..).take(count) {
            if !self.live.contains(first + place) {
                continue;
            }
            if bytes.is_empty() {
                bytes.extend((self.dimension as u32).to_le_bytes());
            }
            bytes.extend(place.to_le_bytes());
            self.rows.save((first + place) as usize, &mut bytes);
            self.codes.save((first + place) as usize, &mut bytes);
        }
        bytes
    }

    /// Takes in the vectors of a page whose first slot is `first`.
    ///
    /// # Errors
    /// When the page is of another dimension than the vectors that are there, or is cut off.
    pub fn restore(&mut self, first: Slot, page: &[u8]) -> Result<(), VectorError> {
        let Some((dimension, rest)) = page.split_first_chunk::<4>() else {
            return Ok(());
        };
        let found = u32::from_le_bytes(*dimension) as usize;
        self.begin(found);
        let expected = self.dimension;
        let width = 4 + Rows::saved_bytes(found) + Codes::SAVED_BYTES;
        if expected != found || rest.len() % width != 0 {
            return Err(VectorError::Dimension { expected, found });
        }
        for saved in rest.chunks_exact(width) {
            let Some((place, saved)) = saved.split_first_chunk::<4>() else {
                continue;
            };
            let Some((row, code)) = saved.split_at_checked(Rows::saved_bytes(found)) else {
                continue;
            };
            let slot = first.saturating_add(u32::from_le_bytes(*place));
            self.rows.restore(slot as usize, row);
            self.codes.restore(slot as usize, code);
            self.count += usize::from(!self.live.contains(slot));
            self.live.insert(slot);
        }
        Ok(())
    }

    /// Bytes of its rows and codes.
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.codes.bytes()
    }
}

impl VectorIndex for FlatIndex {
    fn insert(&mut self, slot: Slot, vector: &[f32]) -> Result<(), VectorError> {
        check_vector(vector, self.dimension())?;
        self.begin(vector.len());
        self.rows.put(slot as usize, vector);
        self.codes.put(slot as usize, vector);
        self.count += usize::from(!self.live.contains(slot));
        self.live.insert(slot);
        Ok(())
    }

    fn remove(&mut self, slot: Slot) {
        if self.live.contains(slot) {
            self.live.remove(slot);
            self.count -= 1;
            // Nothing of what is forgotten stays in memory.
            let nothing = vec![0.0; self.dimension];
            self.rows.put(slot as usize, &nothing);
            self.codes.put(slot as usize, &nothing);
        }
    }

    fn len(&self) -> usize {
        self.count
    }

    fn dimension(&self) -> Option<usize> {
        (self.count > 0).then_some(self.dimension)
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        allowed: Option<&Bitmap>,
    ) -> Result<Vec<Scored>, VectorError> {
        if self.count == 0 || k == 0 {
            return Ok(Vec::new());
        }
        check_vector(query, self.dimension())?;
        let both = allowed.map(|allowed| self.live.and(allowed));
        let (live, count) = match &both {
            Some(both) => (both, both.len()),
            None => (&self.live, self.count),
        };
        let wanted = (count / SCORED_OF)
            .max(MIN_SCORED)
            .max(k.saturating_mul(SCORED_PER_HIT));
        let query_row = QueryRow::new(query);
        let score = |slot: Slot| (slot, self.rows.score(slot as usize, &query_row));
        let near = |(_, score): &Scored| *score > 0.0;
        let scored: Vec<Scored> = if count > SCAN_ALL.max(wanted) {
            let slots = self.codes.nearest(query, wanted, live).into_iter();
            slots.map(score).filter(near).collect()
        } else {
            live.iter().map(score).filter(near).collect()
        };
        Ok(best(scored, k))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{clustered, dot, unit};
    use super::*;

    /// What eight bits lose of a cosine of four values.
    const ROUNDING: f32 = 0.01;

    #[test]
    fn the_nearest_come_first_and_ties_by_slot() {
        let mut index = FlatIndex::new();
        for (slot, vector) in [(4, [1.0, 0.0]), (2, [1.0, 0.0]), (1, [0.0, 1.0])] {
            index.insert(slot, &vector).unwrap();
        }
        let found = index.search(&unit(&[1.0, 0.1]), 10, None).unwrap();
        assert_eq!(
            found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
            [2, 4, 1]
        );
        let filtered = index
            .search(&[1.0, 0.0], 10, Some(&[1, 4].into_iter().collect()))
            .unwrap();
        assert_eq!(
            filtered.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
            [4]
        );
        assert!((filtered[0].1 - 1.0).abs() < 0.01);
    }

    #[test]
    fn vectors_that_do_not_fit_are_refused() {
        let mut index = FlatIndex::new();
        index.insert(0, &[1.0, 0.0]).unwrap();
        assert!(matches!(
            index.insert(1, &[1.0]),
            Err(VectorError::Dimension { .. })
        ));
        assert_eq!(
            index.insert(1, &[f32::NAN, 0.0]),
            Err(VectorError::NotFinite)
        );
        assert!(index.search(&[1.0, 0.0, 0.0], 1, None).is_err());
    }

    #[test]
    fn an_emptied_index_takes_another_dimension() {
        let mut index = FlatIndex::new();
        index.insert(3, &[1.0, 0.0]).unwrap();
        index.remove(3);
        index.insert(0, &[0.0, 0.0, 1.0]).unwrap();
        let found = index.search(&[0.0, 0.0, 1.0], 5, None).unwrap();
        assert_eq!(found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [0]);
    }

    proptest! {
        #[test]
        fn any_order_of_inserts_and_removes_answers_like_brute_force(
            steps in prop::collection::vec((0u32..20, any::<bool>(), prop::array::uniform4(-1.0f32..1.0)), 0..60),
            query in prop::array::uniform4(-1.0f32..1.0),
        ) {
            let query = unit(&query);
            let mut index = FlatIndex::new();
            let mut rows = std::collections::BTreeMap::new();
            for (slot, insert, vector) in steps {
                if insert {
                    let vector = unit(&vector);
                    index.insert(slot, &vector).unwrap();
                    rows.insert(slot, vector);
                } else {
                    index.remove(slot);
                    rows.remove(&slot);
                }
            }
            prop_assert_eq!(index.len(), rows.len());
            let mut restored = FlatIndex::new();
            for first in [0, 7, 14] {
                restored.restore(first, &index.page(first, 7)).unwrap();
            }
            prop_assert_eq!(restored.search(&query, 5, None), index.search(&query, 5, None));
            let found = index.search(&query, 5, None).unwrap();
            let exact = |slot: &Slot| dot(&rows[slot], &query);
            for (slot, score) in &found {
                prop_assert!((score - exact(slot)).abs() < ROUNDING, "{slot}: {score}");
            }
            // Whatever was left out is no better than what was found, but for rounding.
            let worst = if found.len() == 5 { exact(&found[4].0) } else { 0.0 };
            for slot in rows.keys().filter(|slot| found.iter().all(|(found, _)| found != *slot)) {
                prop_assert!(exact(slot) <= worst + 2.0 * ROUNDING, "{slot}");
            }
        }
    }

    #[test]
    fn codes_find_nearly_all_of_what_a_scan_finds() {
        let vectors = clustered(SCAN_ALL + 3_000, 96);
        let mut index = FlatIndex::new();
        for (slot, vector) in vectors.iter().enumerate() {
            index.insert(slot as Slot, vector).unwrap();
        }
        let even: Bitmap = (0..vectors.len() as Slot)
            .filter(|slot| slot % 2 == 0)
            .collect();
        let (mut found, mut halved) = (0, 0);
        for query in vectors.iter().step_by(160) {
            let exact = |allowed: &dyn Fn(Slot) -> bool| {
                let all = vectors
                    .iter()
                    .enumerate()
                    .map(|(slot, row)| (slot as Slot, dot(row, query)));
                best(all.filter(|(slot, _)| allowed(*slot)).collect(), 10)
            };
            let hits = |found: Vec<Scored>, exact: Vec<Scored>| {
                exact
                    .iter()
                    .filter(|(slot, _)| found.iter().any(|(found, _)| found == slot))
                    .count()
            };
            found += hits(index.search(query, 10, None).unwrap(), exact(&|_| true));
            halved += hits(
                index.search(query, 10, Some(&even)).unwrap(),
                exact(&|slot| slot % 2 == 0),
            );
        }
        assert!(found >= 475, "{found} of 500");
        assert!(halved >= 475, "{halved} of 500 in half the slots");
    }

    #[test]
    fn a_removed_vector_is_found_no_more_and_its_slot_serves_again() {
        let vectors = clustered(SCAN_ALL + 100, 32);
        let mut index = FlatIndex::new();
        for (slot, vector) in vectors.iter().enumerate() {
            index.insert(slot as Slot, vector).unwrap();
        }
        index.remove(17);
        let found = index.search(&vectors[17], 20, None).unwrap();
        assert!(found.iter().all(|(slot, _)| *slot != 17));
        index.insert(17, &vectors[17]).unwrap();
        assert_eq!(index.search(&vectors[17], 1, None).unwrap()[0].0, 17);
        assert_eq!(index.len(), vectors.len());
    }
}
