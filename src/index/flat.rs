//! An exact vector index: every query looks at every vector.

use super::{Scored, Slot, VectorError, VectorIndex, best, check_vector};

/// Vectors of unit length in rows, `[slots × dimension]`. A search costs one dot product a vector;
/// insert and remove cost one row.
#[derive(Debug, Clone, Default)]
pub struct FlatIndex {
    dimension: usize,
    rows: Vec<f32>,
    live: Vec<bool>,
    count: usize,
}

impl FlatIndex {
    /// An empty index. Its dimension is that of the first vector.
    pub fn new() -> Self {
        Self::default()
    }

    fn check(&self, vector: &[f32]) -> Result<(), VectorError> {
        check_vector(vector, self.dimension())
    }
}

impl VectorIndex for FlatIndex {
    fn insert(&mut self, slot: Slot, vector: &[f32]) -> Result<(), VectorError> {
        self.check(vector)?;
        if self.count == 0 && vector.len() != self.dimension {
            self.rows.clear();
            self.live.clear();
            self.dimension = vector.len();
        }
        let slot = slot as usize;
        if self.live.len() <= slot {
            self.live.resize(slot + 1, false);
            self.rows.resize((slot + 1) * self.dimension, 0.0);
        }
        let start = slot * self.dimension;
        if let Some(row) = self.rows.get_mut(start..start + self.dimension) {
            row.copy_from_slice(vector);
        }
        if let Some(live) = self.live.get_mut(slot) {
            self.count += usize::from(!*live);
            *live = true;
        }
        Ok(())
    }

    fn remove(&mut self, slot: Slot) {
        if let Some(live) = self.live.get_mut(slot as usize) {
            self.count -= usize::from(*live);
            *live = false;
        }
        let start = slot as usize * self.dimension;
        if let Some(row) = self.rows.get_mut(start..start + self.dimension) {
            row.fill(0.0);
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
        filter: &dyn Fn(Slot) -> bool,
    ) -> Result<Vec<Scored>, VectorError> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        self.check(query)?;
        let rows = self.rows.chunks_exact(self.dimension.max(1));
        let scored = rows
            .zip(&self.live)
            .enumerate()
            .filter(|(slot, (_, live))| **live && filter(*slot as Slot))
            .map(|(slot, (row, _))| (slot as Slot, dot(row, query)))
            .filter(|(_, score)| *score > 0.0);
        Ok(best(scored.collect(), k))
    }
}

/// The dot product, summed in eight lanes: the same order, and so the same result, on every host.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (left_chunks, left_rest) = left.as_chunks::<8>();
    let (right_chunks, right_rest) = right.as_chunks::<8>();
    for (a, b) in left_chunks.iter().zip(right_chunks) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += x * y;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(values: &[f32]) -> Vec<f32> {
        let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-9);
        values.iter().map(|v| v / norm).collect()
    }

    #[test]
    fn the_nearest_come_first_and_ties_by_slot() {
        let mut index = FlatIndex::new();
        for (slot, vector) in [(4, [1.0, 0.0]), (2, [1.0, 0.0]), (1, [0.0, 1.0])] {
            index.insert(slot, &vector).unwrap();
        }
        let found = index.search(&unit(&[1.0, 0.1]), 10, &|_| true).unwrap();
        assert_eq!(
            found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
            [2, 4, 1]
        );
        let filtered = index.search(&[1.0, 0.0], 10, &|slot| slot != 2).unwrap();
        assert_eq!(filtered, [(4, 1.0)]);
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
        assert!(index.search(&[1.0, 0.0, 0.0], 1, &|_| true).is_err());
    }

    #[test]
    fn an_emptied_index_takes_another_dimension() {
        let mut index = FlatIndex::new();
        index.insert(3, &[1.0, 0.0]).unwrap();
        index.remove(3);
        index.insert(0, &[0.0, 0.0, 1.0]).unwrap();
        assert_eq!(
            index.search(&[0.0, 0.0, 1.0], 5, &|_| true).unwrap(),
            [(0, 1.0)]
        );
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
            let all = rows.iter().map(|(slot, row)| (*slot, dot(row, &query)));
            let expected = best(all.filter(|(_, score)| *score > 0.0).collect(), 5);
            prop_assert_eq!(index.len(), rows.len());
            prop_assert_eq!(index.search(&query, 5, &|_| true).unwrap(), expected);
        }
    }
}
