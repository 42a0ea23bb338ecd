//! The core as WebAssembly, to be timed: its vector index beside the plain scan that it is compared with, and whole
//! recall.

mod recall;
mod world;

use edgemem::index::{
    Bitmap, FlatIndex, HnswIndex, HnswSettings, Lookup, Originals, Slot, VectorIndex,
    VectorIndexKind,
};
use wasm_bindgen::prelude::wasm_bindgen;

/// Vectors in edgemem's index and, if wanted, as they are.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Bench {
    dimension: usize,
    index: FlatIndex,
    graph: HnswIndex,
    exact: Vec<f32>,
    bytes: Vec<i8>,
    scales: Vec<f32>,
    allowed: Option<Bitmap>,
    by_originals: bool,
}

/// The vectors as they are, as the storage of a space has them.
struct Kept<'a> {
    rows: &'a [f32],
    dimension: usize,
}

impl Originals for Kept<'_> {
    fn visit(&self, slots: &[Slot], take: &mut dyn FnMut(Slot, &[f32])) {
        for slot in slots {
            let start = *slot as usize * self.dimension;
            if let Some(row) = self.rows.get(start..start + self.dimension) {
                take(*slot, row);
            }
        }
    }
}

#[wasm_bindgen]
impl Bench {
    /// Empty, for vectors of this dimension.
    #[wasm_bindgen(constructor)]
    pub fn new(dimension: usize) -> Self {
        Self {
            dimension,
            index: FlatIndex::new(),
            graph: HnswIndex::default(),
            exact: Vec::new(),
            bytes: Vec::new(),
            scales: Vec::new(),
            allowed: None,
            by_originals: true,
        }
    }

    /// Makes room for `count` vectors as they are, so that growing does not need twice as much.
    pub fn reserve(&mut self, count: usize) {
        self.exact.reserve_exact(count * self.dimension);
    }

    /// Keeps rows `[n × dimension]` as they are, for [`Bench::scan`] and for the last step of searches.
    pub fn keep(&mut self, rows: &[f32]) {
        self.exact.extend_from_slice(rows);
    }

    /// Indexes the kept rows from a slot on, up to another; whether all fitted.
    pub fn insert(&mut self, first: Slot, end: Slot) -> bool {
        let rows = self.exact.chunks_exact(self.dimension);
        let rows = (0..).zip(rows).skip(first as usize);
        rows.take_while(|(slot, _)| *slot < end)
            .all(|(slot, row)| self.index.insert(slot, row).is_ok())
    }

    /// Builds the graph over the kept rows; whether all fitted. 0 leaves a setting as it is by default.
    pub fn build_graph(&mut self, m: usize, ef_construction: usize) -> bool {
        let mut settings = HnswSettings::default();
        if m > 0 {
            settings.m = m;
        }
        if ef_construction > 0 {
            settings.ef_construction = ef_construction;
        }
        self.graph = HnswIndex::new(VectorIndexKind::Hnsw, settings);
        let rows = self.exact.chunks_exact(self.dimension);
        let fitted = (0..)
            .zip(rows)
            .all(|(slot, row)| self.graph.insert(slot, row).is_ok());
        self.graph.link(usize::MAX);
        fitted
    }

    /// How many candidates a search of the graph has.
    pub fn set_ef(&mut self, ef: usize) {
        self.graph.set_ef(ef);
    }

    /// How many candidates a search of the graph has by default.
    pub fn default_ef(&self) -> usize {
        HnswSettings::default().ef
    }

    /// Frees the index's rows: only codes stay.
    pub fn drop_rows(&mut self) {
        self.index.drop_rows();
    }

    /// Whether searches end by looking at the vectors as they are.
    pub fn by_originals(&mut self, by_originals: bool) {
        self.by_originals = by_originals;
    }

    /// Only every n-th slot may answer; 0 lifts it.
    pub fn allow_every(&mut self, n: usize) {
        let last = self.index.len() as Slot;
        self.allowed = (n > 0).then(|| (0..last).step_by(n).collect());
    }

    /// The slots of the nearest by edgemem's index.
    pub fn search(&self, query: &[f32], k: usize) -> Vec<Slot> {
        self.slots(&self.index, query, k)
    }

    /// The slots of the nearest by the graph.
    pub fn search_graph(&self, query: &[f32], k: usize) -> Vec<Slot> {
        self.slots(&self.graph, query, k)
    }

    fn slots(&self, index: &impl VectorIndex, query: &[f32], k: usize) -> Vec<Slot> {
        let kept = Kept {
            rows: &self.exact,
            dimension: self.dimension,
        };
        let mut lookup = Lookup::new(query, k).among(self.allowed.as_ref());
        if self.by_originals {
            lookup = lookup.by(&kept, k);
        }
        let found = index.search(&lookup).unwrap_or_default();
        found.into_iter().map(|(slot, _)| slot).collect()
    }

    /// The rows nearest by a scan of all, in f32 with four lanes.
    pub fn scan(&self, query: &[f32], k: usize) -> Vec<Slot> {
        let rows = self.exact.chunks_exact(self.dimension);
        nearest(rows.map(|row| dot(row, query)), k)
    }

    /// Makes the kept rows bytes, for [`Bench::scan_bytes`].
    pub fn quantise(&mut self) {
        self.bytes.reserve_exact(self.exact.len());
        for row in self.exact.chunks_exact(self.dimension) {
            let largest = row
                .iter()
                .fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()));
            let scale = largest / 127.0;
            self.scales.push(scale);
            self.bytes
                .extend(row.iter().map(|x| (x / scale).round() as i8));
        }
    }

    /// The rows nearest by a scan of all, in eight bits a value.
    pub fn scan_bytes(&self, query: &[f32], k: usize) -> Vec<Slot> {
        let most = (i32::MAX / (128 * query.len().max(1) as i32)).clamp(1, 32_767) as f32;
        let largest = query
            .iter()
            .fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()));
        let query: Vec<i16> = query
            .iter()
            .map(|x| (x / largest * most).round() as i16)
            .collect();
        let rows = self.bytes.chunks_exact(self.dimension).zip(&self.scales);
        nearest(
            rows.map(|(row, scale)| dot_bytes(row, &query) as f32 * scale),
            k,
        )
    }

    /// Bytes of edgemem's index.
    pub fn bytes(&self) -> usize {
        self.index.bytes()
    }

    /// Bytes of the graph and its rows.
    pub fn graph_bytes(&self) -> usize {
        self.graph.bytes()
    }
}

/// The places of the `k` highest scores, best first.
fn nearest(scores: impl Iterator<Item = f32>, k: usize) -> Vec<Slot> {
    let mut scored: Vec<(f32, Slot)> = scores.zip(0..).collect();
    let order = |a: &(f32, Slot), b: &(f32, Slot)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if k > 0 && k < scored.len() {
        scored.select_nth_unstable_by(k - 1, order);
        scored.truncate(k);
    }
    scored.sort_unstable_by(order);
    scored.into_iter().map(|(_, slot)| slot).collect()
}

/// The dot product of bytes and shorts.
#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
fn dot_bytes(row: &[i8], query: &[i16]) -> i32 {
    use std::arch::wasm32::{
        i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
        i32x4_extract_lane, i32x4_splat, v128_load,
    };
    let (row_chunks, row_rest) = row.as_chunks::<16>();
    let (query_chunks, query_rest) = query.as_chunks::<16>();
    let mut sums = i32x4_splat(0);
    for (a, b) in row_chunks.iter().zip(query_chunks) {
        let [low, high] = [b.as_ptr(), b.as_ptr().wrapping_add(8)];
        // SAFETY: `a` is 16 bytes and `b` is 32; `v128_load` needs no alignment.
        let (a, low, high) = unsafe {
            (
                v128_load(a.as_ptr().cast()),
                v128_load(low.cast()),
                v128_load(high.cast()),
            )
        };
        let low = i32x4_dot_i16x8(i16x8_extend_low_i8x16(a), low);
        let high = i32x4_dot_i16x8(i16x8_extend_high_i8x16(a), high);
        sums = i32x4_add(sums, i32x4_add(low, high));
    }
    let rest = row_rest.iter().zip(query_rest);
    let rest: i32 = rest.map(|(x, y)| i32::from(*x) * i32::from(*y)).sum();
    i32x4_extract_lane::<0>(sums)
        + i32x4_extract_lane::<1>(sums)
        + i32x4_extract_lane::<2>(sums)
        + i32x4_extract_lane::<3>(sums)
        + rest
}

#[cfg(not(target_arch = "wasm32"))]
fn dot_bytes(row: &[i8], query: &[i16]) -> i32 {
    row.iter()
        .zip(query)
        .map(|(x, y)| i32::from(*x) * i32::from(*y))
        .sum()
}

#[cfg(target_arch = "wasm32")]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    use std::arch::wasm32::{f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat};
    let (left_chunks, left_rest) = left.as_chunks::<4>();
    let (right_chunks, right_rest) = right.as_chunks::<4>();
    let mut sums = [f32x4_splat(0.0); 2];
    for (at, ([a, b, c, d], [e, f, g, h])) in left_chunks.iter().zip(right_chunks).enumerate() {
        let product = f32x4_mul(f32x4(*a, *b, *c, *d), f32x4(*e, *f, *g, *h));
        if let Some(sum) = sums.get_mut(at % 2) {
            *sum = f32x4_add(*sum, product);
        }
    }
    let [even, odd] = sums;
    let sum = f32x4_add(even, odd);
    let lanes = f32x4_extract_lane::<0>(sum)
        + f32x4_extract_lane::<1>(sum)
        + f32x4_extract_lane::<2>(sum)
        + f32x4_extract_lane::<3>(sum);
    let rest = left_rest.iter().zip(right_rest);
    lanes + rest.map(|(x, y)| x * y).sum::<f32>()
}

#[cfg(not(target_arch = "wasm32"))]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(x, y)| x * y).sum()
}
