//! The vector index for large collections: a graph over the rows of the flat one.

use super::flat::{FlatIndex, Residency};
use super::graph::{Graph, HnswSettings};
use super::walk::Wanted;
use super::{Bitmap, Lookup, Scored, Slot, VectorError, VectorIndex, check_vector};

/// From this many vectors on there is a graph. It is three times as fast as the flat index by then, at equal recall,
/// and twice at a third as many; but these would have less room for their rows beside it in a usual budget, and rows
/// save more time. `cargo xtask bench --vectors --hnsw` measures both.
const WINS_FROM: usize = 150_000;

/// With fewer vectors than this a scan is faster and exact.
const SCAN_BELOW: usize = 5_000;

/// A filter that allows fewer than one in this many is answered faster by the flat index.
const SELECTIVE: usize = 4;

/// So many vectors' links are looked at for each hit wanted, if they have to be.
const LOOKS_PER_HIT: usize = 2;

/// How many bits farther than the last of the hits wanted a walk still looks. A code's distance, of 512 bits, is off by up
/// to √(512 / 4) = 11 bits in the root mean square: few of the true hits lie more than twice as much farther. It is how
/// far a vector is that counts, and not how many are nearer (Al-Jazzazi et al. 2025, "Distance adaptive beam search"):
/// where many are about as near as the hits, more are looked at.
const FARTHER: u32 = 24;

/// Codes order vectors roughly: so many rows are scored at the least, and for each hit wanted.
const MIN_SCORED: usize = 112;
const SCORED_PER_HIT: usize = 3;

/// Vectors outside the graph that a search looks at one by one; with more, the flat index serves.
const MOST_UNLINKED: usize = 2_000;

/// Which index serves a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VectorIndexKind {
    /// What is faster for as many vectors as there are.
    #[default]
    Auto,
    /// The flat index, whatever the size: nothing to build, and the least memory.
    Flat,
    /// The graph, from a few thousand vectors on.
    Hnsw,
}

impl VectorIndexKind {
    /// The kind of a name: `auto`, `flat` or `hnsw`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "flat" => Some(Self::Flat),
            "hnsw" => Some(Self::Hnsw),
            _ => None,
        }
    }
}

/// A [`FlatIndex`], with a graph (HNSW) that serves large collections. New vectors enter the graph by
/// [`HnswIndex::link`]; until then they are compared one by one, so that they are found at once.
#[derive(Debug, Clone)]
pub struct HnswIndex {
    flat: FlatIndex,
    graph: Graph,
    kind: VectorIndexKind,
    /// Slots linked or unlinked since the links were saved.
    unsaved: usize,
}

impl Default for HnswIndex {
    fn default() -> Self {
        Self::new(VectorIndexKind::default(), HnswSettings::default())
    }
}

impl HnswIndex {
    /// An empty index.
    pub fn new(kind: VectorIndexKind, settings: HnswSettings) -> Self {
        Self {
            flat: FlatIndex::new(),
            graph: Graph::new(settings),
            kind,
            unsaved: 0,
        }
    }

    /// Sets how many candidates a search has: more find more, and cost more.
    pub fn set_ef(&mut self, ef: usize) {
        self.graph.set_ef(ef);
    }

    /// The index of all vectors below the graph.
    pub fn flat(&self) -> &FlatIndex {
        &self.flat
    }

    /// See [`FlatIndex::restore_codes`].
    ///
    /// # Errors
    /// As there.
    pub fn restore_codes(&mut self, first: Slot, page: &[u8]) -> Result<(), VectorError> {
        self.flat.restore_codes(first, page)
    }

    /// See [`FlatIndex::restore_rows`].
    ///
    /// # Errors
    /// As there.
    pub fn restore_rows(&mut self, first: Slot, page: &[u8]) -> Result<usize, VectorError> {
        self.flat.restore_rows(first, page)
    }

    /// Frees the rows, and the graph, which is one between rows. See [`FlatIndex::drop_rows`].
    pub fn drop_rows(&mut self) {
        self.unsaved += self.graph.len();
        self.graph = Graph::new(self.graph.settings());
        self.flat.drop_rows();
    }

    /// See [`FlatIndex::take_rows`].
    pub fn take_rows(&mut self) {
        self.flat.take_rows();
    }

    /// See [`FlatIndex::restore_row`].
    pub fn restore_row(&mut self, slot: Slot, original: &[f32]) -> bool {
        self.flat.restore_row(slot, original)
    }

    /// Whether a graph is kept for as many vectors as there are.
    fn keeps_graph(&self) -> bool {
        match self.kind {
            _ if self.flat.residency() == Residency::Lean => false,
            VectorIndexKind::Auto => self.flat.len() >= WINS_FROM,
            VectorIndexKind::Flat => false,
            VectorIndexKind::Hnsw => true,
        }
    }

    /// Puts up to `count` vectors that are not in it yet into the graph, if one is kept, the lowest slots first.
    /// Less than a millisecond each at 100,000.
    pub fn link(&mut self, count: usize) {
        if !self.keeps_graph() || self.graph.len() == self.flat.len() {
            return;
        }
        let Some(rows) = self.flat.rows() else { return };
        let unlinked: Vec<Slot> = self.unlinked().iter().take(count).collect();
        self.unsaved += unlinked.len();
        for slot in unlinked {
            if let Some(code) = self.flat.codes().code(slot as usize) {
                self.graph.insert(rows, slot, code);
            }
        }
    }

    fn unlinked(&self) -> Bitmap {
        self.flat.live().and_not(self.graph.linked())
    }

    fn unlink(&mut self, slot: Slot) {
        if self.graph.linked().contains(slot)
            && let Some(rows) = self.flat.rows()
        {
            self.graph.remove(rows, slot);
            self.unsaved += 1;
        }
    }

    /// How many slots entered or left the graph since [`HnswIndex::saved`].
    pub fn unsaved(&self) -> usize {
        self.unsaved
    }

    /// The links are saved as they are.
    pub fn saved(&mut self) {
        self.unsaved = 0;
    }

    /// The links of `count` slots from `first` on, as bytes: for each linked slot its number less `first`
    /// (`u32`), a checksum of its row (`u32`), and its links; all little-endian. Empty when there is none.
    pub fn links(&self, first: Slot, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(rows) = self.flat.rows() else {
            return bytes;
        };
        for place in (0..).take(count) {
            let slot = first + place;
            if self.graph.linked().contains(slot) {
                bytes.extend(place.to_le_bytes());
                bytes.extend(rows.checksum(slot as usize).to_le_bytes());
                self.graph.save(slot, &mut bytes);
            }
        }
        bytes
    }

    /// Takes in the links of [`HnswIndex::links`], after all vectors. Links of a vector that has changed since
    /// are left out, and so is what follows a page's damage: those vectors are not in the graph yet.
    pub fn restore_links(&mut self, first: Slot, mut saved: &[u8]) {
        let Some(rows) = self.flat.rows().filter(|_| self.keeps_graph()) else {
            return;
        };
        while let Some((place, rest)) = saved.split_first_chunk::<4>()
            && let Some((checksum, rest)) = rest.split_first_chunk::<4>()
        {
            let slot = first.saturating_add(u32::from_le_bytes(*place));
            let row = rows.checksum(slot as usize);
            let is_true = self.flat.contains(slot) && row == u32::from_le_bytes(*checksum);
            let code = self.flat.codes().code(slot as usize).filter(|_| is_true);
            match self.graph.restore(slot, rest, code) {
                Some(rest) => saved = rest,
                None => return,
            }
        }
    }

    /// Bytes of rows, codes and links.
    pub fn bytes(&self) -> usize {
        self.flat.bytes() + self.graph.bytes()
    }
}

impl VectorIndex for HnswIndex {
    fn insert(&mut self, slot: Slot, vector: &[f32]) -> Result<(), VectorError> {
        check_vector(vector, self.dimension())?;
        self.unlink(slot);
        self.flat.insert(slot, vector)
    }

    fn remove(&mut self, slot: Slot) {
        self.unlink(slot);
        self.flat.remove(slot);
    }

    fn len(&self) -> usize {
        self.flat.len()
    }

    fn dimension(&self) -> Option<usize> {
        self.flat.dimension()
    }

    fn search(&self, lookup: &Lookup<'_>) -> Result<Vec<Scored>, VectorError> {
        let count = self.flat.len();
        let may = lookup.allowed.map_or(count, Bitmap::len);
        let is_behind = count - self.graph.len() > MOST_UNLINKED;
        if !self.keeps_graph() || count < SCAN_BELOW || is_behind || may * SELECTIVE < count {
            return self.flat.search(lookup);
        }
        check_vector(lookup.query, self.dimension())?;
        let ef = self.graph.settings().ef;
        let looks = ef.max(lookup.k.saturating_mul(LOOKS_PER_HIT));
        let wanted = Wanted {
            k: lookup.k,
            allowed: lookup.allowed,
            // Of those that are looked at, so many are allowed.
            looks: looks.saturating_mul(count) / may.max(1),
            farther: FARTHER,
        };
        let query = self.flat.codes().fine_query(lookup.query);
        let near = self.graph.near(query.code(), &wanted);
        let most = MIN_SCORED.max(lookup.k.saturating_mul(SCORED_PER_HIT));
        let mut slots = self.graph.codes().nearest(near, &query, most);
        if count > self.graph.len() {
            let unlinked = self.unlinked();
            let may = |slot: &Slot| lookup.allowed.is_none_or(|allowed| allowed.contains(*slot));
            slots.extend(unlinked.iter().filter(may));
        }
        Ok(self.flat.order(slots.into_iter(), lookup))
    }
}

#[cfg(test)]
mod tests;
