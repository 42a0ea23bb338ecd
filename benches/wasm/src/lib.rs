//! The core's vector index as WebAssembly, beside the plain scan that it is compared with.

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
    allowed: Option<Bitmap>,
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
            allowed: None,
        }
    }

    /// Indexes rows `[n × dimension]` from a slot on; whether all fitted.
    pub fn insert(&mut self, first: Slot, rows: &[f32]) -> bool {
        let rows = rows.chunks_exact(self.dimension);
        (first..)
            .zip(rows)
            .all(|(slot, row)| self.index.insert(slot, row).is_ok())
    }

    /// Builds the graph over rows `[n × dimension]`; whether all fitted.
    pub fn build_graph(&mut self, rows: &[f32]) -> bool {
        self.graph = HnswIndex::new(VectorIndexKind::Hnsw, HnswSettings::default());
        let rows = rows.chunks_exact(self.dimension);
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

    /// The slots of the nearest by the graph.
    pub fn search_graph(&self, query: &[f32], k: usize) -> Vec<Slot> {
        let found = self.graph.search(query, k, self.allowed.as_ref());
        let found = found.unwrap_or_default().into_iter();
        found.map(|(slot, _)| slot).collect()
    }

    /// Bytes of the graph and its rows.
    pub fn graph_bytes(&self) -> usize {
        self.graph.bytes()
    }

    /// Keeps rows `[n × dimension]` for [`Bench::scan`].
    pub fn keep(&mut self, rows: &[f32]) {
        self.exact.extend_from_slice(rows);
    }

    /// Only every n-th slot may answer; 0 lifts it.
    pub fn allow_every(&mut self, n: usize) {
        let last = self.index.len() as Slot;
        self.allowed = (n > 0).then(|| (0..last).step_by(n).collect());
    }

    /// The slots of the nearest by edgemem's index.
    pub fn search(&self, query: &[f32], k: usize) -> Vec<Slot> {
        let found = self.index.search(query, k, self.allowed.as_ref());
        let found = found.unwrap_or_default().into_iter();
        found.map(|(slot, _)| slot).collect()
    }

    /// The rows nearest by a scan of all, in f32 with four lanes.
    pub fn scan(&self, query: &[f32], k: usize) -> Vec<Slot> {
        let rows = self.exact.chunks_exact(self.dimension);
        let mut scored: Vec<(f32, Slot)> = rows.map(|row| dot(row, query)).zip(0..).collect();
        let order = |a: &(f32, Slot), b: &(f32, Slot)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if k > 0 && k < scored.len() {
            scored.select_nth_unstable_by(k - 1, order);
            scored.truncate(k);
        }
        scored.sort_unstable_by(order);
        scored.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Bytes of edgemem's index.
    pub fn bytes(&self) -> usize {
        self.index.bytes()
    }
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
