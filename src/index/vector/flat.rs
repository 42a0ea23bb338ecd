//! The default vector index: no graph, nothing to build, exact order among what it looks at.

use super::codes::Codes;
use super::kernels::dot_f32;
use super::rows::{QueryRow, Rows};
use super::{Bitmap, Lookup, Originals, Scored, Slot, VectorError, VectorIndex, check_vector};
use crate::index::best;

/// With this many rows or fewer to look at, all are scored; with more, those that their codes put near.
/// Below it a scan of codes saves nothing, and finds less.
const SCAN_ALL: usize = 5_000;

/// Rows scored, of so many at hand: these, the square root of how many there are, and one in so many. And for each hit
/// wanted at the least.
const ALWAYS_SCORED: usize = 30;
const SCORED_OF: usize = 2_500;
const SCORED_PER_HIT: usize = 2;

/// The same for originals that are read because there are no rows: each costs some microseconds.
const MIN_READ: usize = 400;
const READ_PER_HIT: usize = 2;
const READ_OF: usize = 1_000;

/// Originals read at the least, and for each hit whose place is to be exact, when rows have ordered them
/// already.
const MIN_REREAD: usize = 20;
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
/// row while they are few. Then it takes the rows whose codes are nearest, some hundreds, and scores
/// those. It ends by ordering the best by the originals. Insert and remove cost one row. A set of allowed
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

    /// The sum of the vectors in some slots, each so many times. `originals` are read when rows are not resident.
    pub fn sum(&self, slots: &[Scored], originals: &dyn Originals) -> Vec<f32> {
        let mut sum = vec![0.0; self.dimension];
        if let Some(rows) = &self.rows {
            for (slot, times) in slots {
                rows.add(*slot as usize, *times, &mut sum);
            }
            return sum;
        }
        let read: Vec<Slot> = slots.iter().map(|(slot, _)| *slot).collect();
        originals.visit(&read, &mut |read, vector| {
            for (_, times) in slots.iter().filter(|(slot, _)| *slot == read) {
                let both = sum.iter_mut().zip(vector);
                both.for_each(|(sum, value)| *sum += times * value);
            }
        });
        sum
    }

    /// The cosine of the vectors in two slots, as near as their rows tell; 0 when they are not resident.
    pub fn between(&self, one: Slot, other: Slot) -> f32 {
        match &self.rows {
            Some(rows) => rows.score(other as usize, &rows.query(one as usize)),
            None => 0.0,
        }
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
                let slots: Vec<Slot> = slots.collect();
                let read = MIN_REREAD.max(lookup.exact.saturating_mul(REREAD_PER_HIT));
                let mut scored = rows.scores(&slots, &query);
                scored.retain(is_near);
                if lookup.originals.is_none() {
                    return best(scored, lookup.k);
                }
                (best(scored, lookup.k.max(read)), read)
            }
            None => {
                let query = self.codes.query(lookup.query);
                let score = |slot: Slot| (slot, self.codes.cosine(slot as usize, &query));
                (slots.map(score).collect(), usize::MAX)
            }
        };
        let read = read.min(found.len());
        if let (Some(first), Some(originals)) = (found.get_mut(..read), lookup.originals) {
            first.sort_unstable_by_key(|(slot, _)| *slot);
            let slots: Vec<Slot> = first.iter().map(|(slot, _)| *slot).collect();
            originals.visit(&slots, &mut |slot, original| {
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
                let wanted = ALWAYS_SCORED + (count as f32).sqrt() as usize + count / SCORED_OF;
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
mod tests;
