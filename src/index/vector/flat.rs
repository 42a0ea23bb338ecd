//! The default vector index: no graph, nothing to build, exact order among what it looks at.

use super::codes::Codes;
use super::kernels::dot_f32;
use super::rows::{QueryRow, Rows};
use super::{Bitmap, Lookup, Scored, Slot, VectorError, VectorIndex, check_vector};
use crate::index::best;

/// With this many rows or fewer to look at, all are scored; with more, those that their codes put near.
/// Below it a scan of codes saves nothing, and finds less.
const SCAN_ALL: usize = 5_000;

/// Rows scored at the least, for each hit wanted, and of how many rows one.
const MIN_SCORED: usize = 160;
const SCORED_PER_HIT: usize = 4;
const SCORED_OF: usize = 400;

/// The same for originals that are read because there are no rows: each costs some microseconds.
const MIN_READ: usize = 400;
const READ_PER_HIT: usize = 2;
const READ_OF: usize = 1_000;

/// Originals read at the least, and for each hit whose place is to be exact, when rows have ordered them
/// already.
const MIN_REREAD: usize = 32;
const REREAD_PER_HIT: usize = 2;

/// What an index keeps in memory of each vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Residency {
    /// Its row and its code: a search reads no originals but for its last step.
    #[default]
    Resident,
    /// Its code: a search reads the originals of the few hundred whose codes are nearest.
    Lean,
}

impl Residency {
    /// `resident` or `lean`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Lean => "lean",
        }
    }
}

/// Vectors of unit length, `[slots × dimension]` in eight bits a value, beside codes of 512 bits. A search scores every
/// row while they are few. Then it takes the rows whose codes are nearest, one in 400 but at least 160, and
/// scores those. It ends by ordering the best by the originals. Insert and remove cost one row. A set of allowed
/// slots makes a search faster, the more the fewer it holds. The rows can be dropped when memory is short.
#[derive(Debug, Clone, Default)]
pub struct FlatIndex {
    dimension: usize,
    /// `None` when they were dropped.
    rows: Option<Rows>,
    codes: Codes,
    live: Bitmap,
    count: usize,
}

impl FlatIndex {
    /// An empty index. Its dimension is that of the first vector.
    pub fn new() -> Self {
        Self::default()
    }

    /// The vectors in eight bits a value, if they are resident.
    pub(super) fn rows(&self) -> Option<&Rows> {
        self.rows.as_ref()
    }

    /// The vectors as codes.
    pub(super) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// The slots that hold a vector.
    pub(super) fn live(&self) -> &Bitmap {
        &self.live
    }

    /// What it keeps in memory. An empty index begins with rows.
    pub fn residency(&self) -> Residency {
        match self.count > 0 && self.rows.is_none() {
            true => Residency::Lean,
            false => Residency::Resident,
        }
    }

    /// Frees the rows: about six sevenths of its memory at 384 dimensions. Searches then read originals, until
    /// the index is emptied or [`FlatIndex::take_rows`] is called.
    pub fn drop_rows(&mut self) {
        self.rows = None;
    }

    /// Bytes that the rows take, or would.
    pub fn row_bytes(&self) -> usize {
        Rows::saved_bytes(self.dimension) * self.count
    }

    /// The first vector says the dimension of all.
    fn begin(&mut self, dimension: usize) {
        if self.count == 0 {
            *self = Self {
                dimension,
                rows: Some(Rows::new(dimension)),
                codes: Codes::new(dimension),
                ..Self::default()
            };
        }
    }

    /// Whether a slot holds a vector.
    pub fn contains(&self, slot: Slot) -> bool {
        self.live.contains(slot)
    }

    /// The codes in `count` slots from `first` on, as bytes: the dimension (`u32`); then for each vector its
    /// slot less `first` (`u32`) and its code; all little-endian. Empty when there is none.
    pub fn codes_page(&self, first: Slot, count: usize) -> Vec<u8> {
        self.page(first, count, |slot, page| self.codes.save(slot, page))
    }

    /// The rows likewise, each with its scale (`f32`) before it. Empty when there is none, or when they are not
    /// resident.
    pub fn rows_page(&self, first: Slot, count: usize) -> Vec<u8> {
        match &self.rows {
            Some(rows) => self.page(first, count, |slot, page| rows.save(slot, page)),
            None => Vec::new(),
        }
    }

    fn page(&self, first: Slot, count: usize, save: impl Fn(usize, &mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        for place in (0..).take(count) {
            if !self.live.contains(first + place) {
                continue;
            }
            if bytes.is_empty() {
                bytes.extend((self.dimension as u32).to_le_bytes());
            }
            bytes.extend(place.to_le_bytes());
            save((first + place) as usize, &mut bytes);
        }
        bytes
    }

    /// Takes in a page of [`FlatIndex::codes_page`]. Rows come after all codes, or not at all: see
    /// [`FlatIndex::restore_rows`].
    ///
    /// # Errors
    /// When the page is of another dimension than the vectors that are there, or is cut off.
    pub fn restore_codes(&mut self, first: Slot, page: &[u8]) -> Result<(), VectorError> {
        let Some((found, saved)) = dimension_of(page) else {
            return Ok(());
        };
        self.begin(found);
        for (slot, code) in self.saved(first, found, saved, Codes::SAVED_BYTES)? {
            self.codes.restore(slot as usize, code);
            self.count += usize::from(!self.live.contains(slot));
            self.live.insert(slot);
        }
        Ok(())
    }

    /// Takes in a page of [`FlatIndex::rows_page`] and says how many rows it held; unless rows were dropped.
    /// Rows are complete when as many were restored as there are codes; if they never are, they must be dropped.
    ///
    /// # Errors
    /// When the page is of another dimension than the codes, is cut off, or has a row where there is no code.
    pub fn restore_rows(&mut self, first: Slot, page: &[u8]) -> Result<usize, VectorError> {
        let (Some((found, saved)), Some(mut rows)) = (dimension_of(page), self.rows.take()) else {
            return Ok(0);
        };
        let saved = self.saved(first, found, saved, Rows::saved_bytes(found));
        let mut count = 0;
        let taken = saved.and_then(|mut saved| {
            saved.try_for_each(|(slot, row)| {
                rows.restore(slot as usize, row);
                count += 1;
                match self.live.contains(slot) {
                    true => Ok(()),
                    false => Err(self.other_than(found)),
                }
            })
        });
        self.rows = Some(rows);
        taken.map(|()| count)
    }

    /// Makes room for rows again: each must then be restored, or all dropped.
    pub fn take_rows(&mut self) {
        self.rows = Some(Rows::new(self.dimension));
    }

    /// Makes the row of a slot again from its original, and says whether there is one to be made.
    pub fn restore_row(&mut self, slot: Slot, original: &[f32]) -> bool {
        let fits = self.contains(slot) && check_vector(original, self.dimension()).is_ok();
        match &mut self.rows {
            Some(rows) if fits => {
                rows.put(slot as usize, original);
                true
            }
            _ => false,
        }
    }

    /// The slots of a page, with what was saved of each in `width` bytes.
    fn saved<'a>(
        &self,
        first: Slot,
        found: usize,
        saved: &'a [u8],
        width: usize,
    ) -> Result<impl Iterator<Item = (Slot, &'a [u8])> + use<'a>, VectorError> {
        if self.dimension != found || !saved.len().is_multiple_of(4 + width) {
            return Err(self.other_than(found));
        }
        let saved = saved.chunks_exact(4 + width);
        Ok(saved.filter_map(move |saved| {
            let (place, saved) = saved.split_first_chunk::<4>()?;
            Some((first.saturating_add(u32::from_le_bytes(*place)), saved))
        }))
    }

    fn other_than(&self, found: usize) -> VectorError {
        VectorError::Dimension {
            expected: self.dimension,
            found,
        }
    }

    /// Bytes of its rows and codes.
    pub fn bytes(&self) -> usize {
        self.rows.as_ref().map_or(0, Rows::bytes) + self.codes.bytes()
    }

    /// The best of some slots, by what is known best of each: its original, else its row, else its code.
    pub(super) fn order(
        &self,
        slots: impl Iterator<Item = Slot>,
        lookup: &Lookup<'_>,
    ) -> Vec<Scored> {
        let (mut found, read) = match &self.rows {
            Some(rows) => {
                let query = QueryRow::new(lookup.query);
                let score = |slot: Slot| (slot, rows.score(slot as usize, &query));
                let read = MIN_REREAD.max(lookup.exact.saturating_mul(REREAD_PER_HIT));
                let scored = slots.map(score).filter(is_near).collect();
                (best(scored, lookup.k.max(read)), read)
            }
            None => {
                let query = self.codes.query(lookup.query);
                let score = |slot: Slot| (slot, self.codes.cosine(slot as usize, &query));
                (slots.map(score).collect(), usize::MAX)
            }
        };
        let read = read.min(found.len());
        if let Some(first) = found.get_mut(..read) {
            first.sort_unstable_by_key(|(slot, _)| *slot);
            let slots: Vec<Slot> = first.iter().map(|(slot, _)| *slot).collect();
            lookup.originals.visit(&slots, &mut |slot, original| {
                if original.len() == lookup.query.len()
                    && let Ok(at) = slots.binary_search(&slot)
                    && let Some((_, score)) = first.get_mut(at)
                {
                    *score = dot_f32(original, lookup.query);
                }
            });
        }
        found.retain(is_near);
        best(found, lookup.k)
    }
}

fn is_near((_, score): &Scored) -> bool {
    *score > 0.0
}

/// The dimension that a page begins with, and the rest; `None` for an empty page.
fn dimension_of(page: &[u8]) -> Option<(usize, &[u8])> {
    let (dimension, rest) = page.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*dimension) as usize, rest))
}

impl VectorIndex for FlatIndex {
    fn insert(&mut self, slot: Slot, vector: &[f32]) -> Result<(), VectorError> {
        check_vector(vector, self.dimension())?;
        self.begin(vector.len());
        if let Some(rows) = &mut self.rows {
            rows.put(slot as usize, vector);
        }
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
            if let Some(rows) = &mut self.rows {
                rows.put(slot as usize, &nothing);
            }
            self.codes.put(slot as usize, &nothing);
        }
    }

    fn len(&self) -> usize {
        self.count
    }

    fn dimension(&self) -> Option<usize> {
        (self.count > 0).then_some(self.dimension)
    }

    fn search(&self, lookup: &Lookup<'_>) -> Result<Vec<Scored>, VectorError> {
        let k = lookup.k;
        if self.count == 0 || k == 0 {
            return Ok(Vec::new());
        }
        check_vector(lookup.query, self.dimension())?;
        let both = lookup.allowed.map(|allowed| self.live.and(allowed));
        let (live, count) = match &both {
            Some(both) => (both, both.len()),
            None => (&self.live, self.count),
        };
        let (wanted, all) = match &self.rows {
            Some(_) => {
                let wanted = (count / SCORED_OF).max(MIN_SCORED);
                (wanted.max(k.saturating_mul(SCORED_PER_HIT)), SCAN_ALL)
            }
            None => {
                let wanted = (count / READ_OF).max(MIN_READ);
                (wanted.max(k.saturating_mul(READ_PER_HIT)), 0)
            }
        };
        Ok(if count > all.max(wanted) {
            let slots = self.codes.nearest(lookup.query, wanted, live);
            self.order(slots.into_iter(), lookup)
        } else {
            self.order(live.iter(), lookup)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::Originals;
    use super::super::testing::{clustered, dot, unit};
    use super::*;

    #[test]
    fn the_nearest_come_first_and_ties_by_slot() {
        let mut index = FlatIndex::new();
        for (slot, vector) in [(4, [1.0, 0.0]), (2, [1.0, 0.0]), (1, [0.0, 1.0])] {
            index.insert(slot, &vector).unwrap();
        }
        let found = index.search(&Lookup::new(&unit(&[1.0, 0.1]), 10)).unwrap();
        assert_eq!(
            found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
            [2, 4, 1]
        );
        let allowed = [1, 4].into_iter().collect();
        let lookup = Lookup::new(&[1.0, 0.0], 10).among(Some(&allowed));
        let filtered = index.search(&lookup).unwrap();
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
        assert!(index.search(&Lookup::new(&[1.0, 0.0, 0.0], 1)).is_err());
    }

    #[test]
    fn an_emptied_index_takes_another_dimension() {
        let mut index = FlatIndex::new();
        index.insert(3, &[1.0, 0.0]).unwrap();
        index.remove(3);
        index.insert(0, &[0.0, 0.0, 1.0]).unwrap();
        let found = index.search(&Lookup::new(&[0.0, 0.0, 1.0], 5)).unwrap();
        assert_eq!(found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [0]);
    }

    /// Originals as a map; every n-th slot has lost its own.
    struct Kept<'a>(&'a BTreeMap<Slot, Vec<f32>>, Slot);

    impl Originals for Kept<'_> {
        fn visit(&self, slots: &[Slot], take: &mut dyn FnMut(Slot, &[f32])) {
            let there = slots.iter().filter(|slot| *slot % self.1 != self.1 - 1);
            for slot in there {
                take(*slot, &self.0[slot]);
            }
        }
    }

    fn brute_force(vectors: &BTreeMap<Slot, Vec<f32>>, query: &[f32], k: usize) -> Vec<Scored> {
        let scored = vectors.iter().map(|(slot, row)| (*slot, dot(row, query)));
        best(scored.filter(is_near).collect(), k)
    }

    /// Saves and takes in again, with rows or without.
    fn reopened(index: &FlatIndex, with_rows: bool) -> FlatIndex {
        let mut restored = FlatIndex::new();
        for first in [0, 7, 14] {
            restored
                .restore_codes(first, &index.codes_page(first, 7))
                .unwrap();
        }
        let mut rows = 0;
        for first in [0, 7, 14] {
            if with_rows {
                let page = index.rows_page(first, 7);
                rows += restored.restore_rows(first, &page).unwrap();
            }
        }
        if rows < restored.len() {
            restored.drop_rows();
        }
        restored
    }

    proptest! {
        #[test]
        fn whatever_happened_it_answers_like_brute_force(
            steps in prop::collection::vec(
                (0u32..20, 0u8..12, prop::array::uniform4(-1.0f32..1.0)),
                0..80,
            ),
            dimension in prop::sample::select(vec![4usize, 64, 100]),
            query in prop::array::uniform4(-1.0f32..1.0),
        ) {
            let wide = |values: &[f32]| unit(&values.iter().copied().cycle().take(dimension).collect::<Vec<_>>());
            let query = wide(&query);
            let mut index = FlatIndex::new();
            let mut rows = BTreeMap::new();
            for (slot, step, vector) in steps {
                match step {
                    0..=6 => {
                        let vector = wide(&vector);
                        index.insert(slot, &vector).unwrap();
                        rows.insert(slot, vector);
                    }
                    7 | 8 => {
                        index.remove(slot);
                        rows.remove(&slot);
                    }
                    9 => index.drop_rows(),
                    10 => index = reopened(&index, true),
                    _ => {
                        index = reopened(&index, false);
                        if slot % 2 == 0 {
                            index.take_rows();
                            let restored = rows.iter().all(|(slot, row)| index.restore_row(*slot, row));
                            prop_assert!(restored);
                        }
                    }
                }
                prop_assert_eq!(index.len(), rows.len());
            }
            let exact = index
                .search(&Lookup::new(&query, 5).by(&Kept(&rows, Slot::MAX), 5))
                .unwrap();
            let expected = brute_force(&rows, &query, 5);
            // What is all but at a right angle may round to nothing.
            let clear = expected.iter().filter(|(_, score)| *score > 0.01).count();
            prop_assert!((clear..=expected.len()).contains(&exact.len()));
            for ((_, found), (_, expected)) in exact.iter().zip(&expected).take(clear) {
                // Equal but for the order of additions.
                prop_assert!((found - expected).abs() < 1e-5);
            }
            // Where an original is lost, rows still tell the order, but for rounding; without them so do codes, roughly.
            let found = index
                .search(&Lookup::new(&query, 20).by(&Kept(&rows, 3), 20))
                .unwrap();
            let mut rounding = 0.01;
            if index.residency() == Residency::Lean {
                rounding = if dimension == 4 { 0.75 } else { 0.5 };
            }
            for (slot, score) in &found {
                let exact = dot(&rows[slot], &query);
                prop_assert!((score - exact).abs() < rounding, "{slot}: {score}, not {exact}");
            }
        }
    }

    #[test]
    fn the_last_step_is_as_exact_as_the_originals() {
        let vectors: BTreeMap<Slot, Vec<f32>> =
            (0..).zip(clustered(SCAN_ALL + 2_000, 96)).collect();
        let mut index = FlatIndex::new();
        for (slot, vector) in &vectors {
            index.insert(*slot, vector).unwrap();
        }
        let hits = |index: &FlatIndex| -> usize {
            let queries = vectors.values().step_by(140);
            let each = queries.map(|query| {
                let kept = Kept(&vectors, Slot::MAX);
                let lookup = Lookup::new(query, 10).by(&kept, 10);
                let found = index.search(&lookup).unwrap();
                let expected = brute_force(&vectors, query, 10);
                let is_found = |(slot, _): &&Scored| found.iter().any(|(found, _)| found == slot);
                expected.iter().filter(is_found).count()
            });
            each.sum()
        };
        let resident = hits(&index);
        assert!(resident >= 495, "{resident} of 500");
        let bytes = index.bytes();
        index.drop_rows();
        assert!(index.bytes() * 2 < bytes, "{} of {bytes}", index.bytes());
        let lean = hits(&index);
        assert!(lean >= 495, "{lean} of 500");
        assert!(index.rows_page(0, 128).is_empty());
    }

    #[test]
    fn pages_that_are_not_of_these_vectors_are_refused() {
        let mut index = FlatIndex::new();
        for slot in 0..9 {
            index.insert(slot, &unit(&[slot as f32, 1.0, 0.5])).unwrap();
        }
        let (codes, rows) = (index.codes_page(0, 9), index.rows_page(0, 9));
        let mut other = FlatIndex::new();
        other.insert(0, &[1.0, 0.0]).unwrap();
        assert!(other.restore_codes(0, &codes).is_err());
        assert!(other.restore_rows(0, &rows).is_err());
        let mut empty = FlatIndex::new();
        assert!(empty.restore_codes(0, &codes[..codes.len() - 1]).is_err());
        let mut elsewhere = FlatIndex::new();
        elsewhere.restore_codes(0, &codes).unwrap();
        assert!(
            elsewhere.restore_rows(1, &rows).is_err(),
            "a row without a code"
        );
        assert!(elsewhere.restore_rows(0, &rows[..rows.len() - 1]).is_err());
        assert_eq!(elsewhere.restore_rows(0, &rows), Ok(9));
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
            found += hits(
                index.search(&Lookup::new(query, 10)).unwrap(),
                exact(&|_| true),
            );
            halved += hits(
                index
                    .search(&Lookup::new(query, 10).among(Some(&even)))
                    .unwrap(),
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
        let found = index.search(&Lookup::new(&vectors[17], 20)).unwrap();
        assert!(found.iter().all(|(slot, _)| *slot != 17));
        index.insert(17, &vectors[17]).unwrap();
        assert_eq!(
            index.search(&Lookup::new(&vectors[17], 1)).unwrap()[0].0,
            17
        );
        assert_eq!(index.len(), vectors.len());
    }
}
