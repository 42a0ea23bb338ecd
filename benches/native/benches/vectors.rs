//! The core's vector index beside `hnsw_rs`, natively: `cargo xtask bench --native` sets the variables that name the
//! vectors (unit length, little-endian `f32`), their dimension and the counts.

#![allow(missing_docs, clippy::expect_used)]

use std::hint::black_box;

use criterion::Criterion;
use edgemem::index::{
    FlatIndex, HnswIndex, HnswSettings, Lookup, Originals, Slot, VectorIndex, VectorIndexKind,
};
use hnsw_rs::prelude::{DistL2, Hnsw};

const QUERIES: usize = 300;
const K: usize = 10;

/// The vectors as a storage has them.
struct Kept<'a>(&'a [Vec<f32>]);

impl Originals for Kept<'_> {
    fn visit(&self, slots: &[Slot], take: &mut dyn FnMut(Slot, &[f32])) {
        for slot in slots {
            if let Some(vector) = self.0.get(*slot as usize) {
                take(*slot, vector);
            }
        }
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("`cargo xtask bench --native` sets it")
}

fn read() -> Vec<Vec<f32>> {
    let bytes = std::fs::read(variable("EDGEMEM_BENCH_VECTORS")).expect("the vectors");
    let dimension: usize = variable("EDGEMEM_BENCH_DIMENSION")
        .parse()
        .expect("a number");
    let (values, _) = bytes.as_chunks::<4>();
    let rows = values.chunks_exact(dimension);
    rows.map(|row| row.iter().map(|value| f32::from_le_bytes(*value)).collect())
        .collect()
}

fn exact(vectors: &[Vec<f32>], query: &[f32]) -> Vec<Slot> {
    let dot = |row: &Vec<f32>| row.iter().zip(query).map(|(x, y)| x * y).sum::<f32>();
    let mut scored: Vec<(f32, Slot)> = vectors.iter().map(dot).zip(0..).collect();
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(K).map(|(_, slot)| slot).collect()
}

fn recall(queries: &[Vec<f32>], right: &[Vec<Slot>], search: &dyn Fn(&[f32]) -> Vec<Slot>) -> f32 {
    let pairs = queries.iter().zip(right);
    let hits = pairs.map(|(query, right)| {
        search(query)
            .iter()
            .filter(|slot| right.contains(slot))
            .count()
    });
    hits.sum::<usize>() as f32 / (K * queries.len()) as f32
}

fn main() {
    let mut vectors = read();
    let queries = vectors.split_off(vectors.len() - QUERIES);
    let mut criterion = Criterion::default().configure_from_args();
    for count in variable("EDGEMEM_BENCH_COUNTS").split(',') {
        let count: usize = count.parse().expect("a count");
        let Some(vectors) = vectors.get(..count) else {
            continue;
        };
        let kept = Kept(vectors);
        let right: Vec<Vec<Slot>> = queries.iter().map(|query| exact(vectors, query)).collect();
        let mut flat = FlatIndex::new();
        let mut graph = HnswIndex::new(VectorIndexKind::Hnsw, HnswSettings::default());
        // Of unit vectors the order is that of dot products; its own distance for those refuses what rounding makes of two alike.
        let peer: Hnsw<'_, f32, DistL2> = Hnsw::new(16, count, 16, 100, DistL2);
        for (at, vector) in vectors.iter().enumerate() {
            flat.insert(at as Slot, vector).expect("it fits");
            graph.insert(at as Slot, vector).expect("it fits");
            peer.insert((vector, at));
        }
        graph.link(usize::MAX);
        let slots = |index: &dyn VectorIndex, query: &[f32]| -> Vec<Slot> {
            let found = index.search(&Lookup::new(query, K).by(&kept, K));
            found
                .expect("it fits")
                .into_iter()
                .map(|(slot, _)| slot)
                .collect()
        };
        let of_peer = |query: &[f32], ef: usize| -> Vec<Slot> {
            peer.search(query, K, ef)
                .iter()
                .map(|found| found.d_id as Slot)
                .collect()
        };
        let searches: [(&str, &dyn Fn(&[f32]) -> Vec<Slot>); 4] = [
            ("edgemem", &|query| slots(&flat, query)),
            ("edgemem, HNSW", &|query| slots(&graph, query)),
            ("hnsw_rs, ef 64", &|query| of_peer(query, 64)),
            ("hnsw_rs, ef 128", &|query| of_peer(query, 128)),
        ];
        let mut group = criterion.benchmark_group(format!("{count} vectors"));
        for (name, search) in searches {
            println!("{name}: recall {:.3}", recall(&queries, &right, search));
            let mut next = queries.iter().cycle();
            group.bench_function(name, |bencher| {
                bencher.iter(|| next.next().map(|query| black_box(search(query))));
            });
        }
        group.finish();
    }
}
