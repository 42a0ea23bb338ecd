use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::testing::{clustered, dot, unit};
use super::*;
use crate::index::best;

/// An index whose graph serves from the first vector on, as [`SCAN_BELOW`] would hide its errors.
fn graph_of(vectors: &BTreeMap<Slot, Vec<f32>>) -> HnswIndex {
    let mut index = HnswIndex::new(VectorIndexKind::Hnsw, HnswSettings::default());
    for (slot, vector) in vectors {
        index.insert(*slot, vector).unwrap();
    }
    index.link(usize::MAX);
    index
}

/// What the graph alone finds.
fn walked(index: &HnswIndex, query: &[f32], k: usize) -> Vec<Slot> {
    let query = index.flat.codes().fine_query(query);
    let wanted = Wanted {
        k,
        allowed: None,
        looks: 400,
        farther: FARTHER,
    };
    let near = index.graph.near(query.code(), &wanted);
    index.graph.codes().nearest(near, &query, k)
}

fn exact(vectors: &BTreeMap<Slot, Vec<f32>>, query: &[f32], k: usize) -> Vec<Slot> {
    let scored = vectors.iter().map(|(slot, row)| (*slot, dot(row, query)));
    let found = best(scored.collect(), k).into_iter();
    found.map(|(slot, _)| slot).collect()
}

fn shared(left: &[Slot], right: &[Slot]) -> usize {
    left.iter().filter(|slot| right.contains(slot)).count()
}

fn numbered(vectors: Vec<Vec<f32>>) -> BTreeMap<Slot, Vec<f32>> {
    (0..).zip(vectors).collect()
}

#[test]
fn it_finds_nearly_all_of_what_a_scan_finds_also_after_half_is_removed() {
    let mut vectors = numbered(clustered(6_000, 48));
    let queries: Vec<Vec<f32>> = vectors.values().step_by(60).cloned().collect();
    let mut index = graph_of(&vectors);
    assert!(index.flat.len() >= SCAN_BELOW);
    let found = |index: &HnswIndex, vectors: &BTreeMap<Slot, Vec<f32>>| -> usize {
        let each = queries.iter().map(|query| {
            let found = index.search(&Lookup::new(query, 10)).unwrap();
            let found: Vec<Slot> = found.into_iter().map(|(slot, _)| slot).collect();
            shared(&found, &exact(vectors, query, 10))
        });
        each.sum()
    };
    let all = found(&index, &vectors);
    assert!(all >= 950, "{all} of 1000");
    for slot in (0..6_000).filter(|slot| slot % 6 == 1) {
        index.remove(slot);
        vectors.remove(&slot);
    }
    assert_eq!(index.graph.len(), vectors.len());
    let rest = found(&index, &vectors);
    assert!(rest >= 950, "{rest} of 1000");
}

#[test]
fn filters_are_kept() {
    let vectors = numbered(clustered(6_000, 16));
    let index = graph_of(&vectors);
    for every in [2, 100] {
        let allowed: Bitmap = (0..6_000).filter(|slot| slot % every == 0).collect();
        let lookup = Lookup::new(&vectors[&9], 10).among(Some(&allowed));
        let found = index.search(&lookup).unwrap();
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|(slot, _)| slot % every == 0));
    }
}

#[test]
fn what_a_filter_allows_is_found_as_well_and_so_are_many() {
    let vectors = numbered(clustered(6_000, 64));
    let index = graph_of(&vectors);
    let third: BTreeMap<Slot, Vec<f32>> = vectors.clone().into_iter().step_by(3).collect();
    let allowed: Bitmap = third.keys().copied().collect();
    for (among, allowed, k) in [
        (&third, Some(&allowed), 10),
        (&vectors, None, 100),
        (&vectors, None, 1),
    ] {
        let queries: Vec<&Vec<f32>> = vectors.values().step_by(150).collect();
        let all: usize = queries
            .iter()
            .map(|query| {
                let lookup = Lookup::new(query, k).among(allowed);
                let found = index.search(&lookup).unwrap().into_iter();
                let found: Vec<Slot> = found.map(|(slot, _)| slot).collect();
                shared(&found, &exact(among, query, k))
            })
            .sum();
        let most = queries.len() * k;
        assert!(all * 100 >= most * 95, "{all} of {most}");
    }
}

#[test]
fn any_dimension_is_found() {
    for dimension in [64, 384, 1_536] {
        let vectors = numbered(clustered(5_000, dimension));
        let index = graph_of(&vectors);
        for (slot, query) in vectors.iter().step_by(250) {
            let found = index.search(&Lookup::new(query, 10)).unwrap();
            let found: Vec<Slot> = found.into_iter().map(|(slot, _)| slot).collect();
            assert_eq!(found.first(), Some(slot), "{dimension}");
            assert!(
                shared(&found, &exact(&vectors, query, 10)) >= 9,
                "{dimension}"
            );
        }
    }
}

#[test]
fn thousands_that_are_the_same_end_a_search_as_others_do() {
    let mut vectors = numbered(clustered(6_000, 48));
    let same = vectors[&3].clone();
    for vector in vectors.values_mut().skip(1_000).take(3_000) {
        vector.clone_from(&same);
    }
    let index = graph_of(&vectors);
    let found = index.search(&Lookup::new(&same, 10)).unwrap();
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|(_, score)| *score > 0.99));
    let found = index.search(&Lookup::new(&vectors[&5_000], 1)).unwrap();
    assert_eq!(found[0].0, 5_000);
}

#[test]
fn new_vectors_are_found_before_they_are_linked() {
    let vectors = numbered(clustered(6_000, 16));
    let mut index = graph_of(&vectors);
    let axis = unit(&[[1.0].as_slice(), &[0.0; 15]].concat());
    index.insert(7_000, &axis).unwrap();
    assert_eq!(index.search(&Lookup::new(&axis, 1)).unwrap()[0].0, 7_000);
    index.link(usize::MAX);
    assert_eq!(walked(&index, &axis, 1), [7_000]);
}

fn load(loaded: &mut HnswIndex, saved: &HnswIndex) {
    let flat = saved.flat();
    loaded.restore_codes(0, &flat.codes_page(0, 500)).unwrap();
    let rows = loaded.restore_rows(0, &flat.rows_page(0, 500)).unwrap();
    assert_eq!(rows, loaded.len());
}

#[test]
fn without_rows_there_is_no_graph_and_every_vector_is_still_found() {
    let vectors = numbered(clustered(6_000, 48));
    let mut index = graph_of(&vectors);
    let before = index.bytes();
    index.drop_rows();
    assert!(index.bytes() * 2 < before);
    assert!(index.links(0, 6_000).is_empty());
    assert!(index.unsaved() >= 6_000, "stored links are out of date");
    index.link(usize::MAX);
    for (slot, query) in vectors.iter().step_by(500) {
        assert_eq!(index.search(&Lookup::new(query, 1)).unwrap()[0].0, *slot);
    }
    index.remove(500);
    let found = index.search(&Lookup::new(&vectors[&500], 20)).unwrap();
    assert!(found.iter().all(|(slot, _)| *slot != 500));
}

#[test]
fn saved_links_are_taken_but_for_vectors_that_changed() {
    let vectors = numbered(clustered(500, 16));
    let index = graph_of(&vectors);
    let mut loaded = HnswIndex::new(VectorIndexKind::Hnsw, HnswSettings::default());
    load(&mut loaded, &index);
    let other = unit(&[0.3; 16]);
    loaded.insert(5, &other).unwrap();
    for first in [0, 256] {
        loaded.restore_links(first, &index.links(first, 256));
    }
    assert!(!loaded.graph.linked().contains(5));
    assert_eq!(loaded.graph.len(), 499);
    loaded.insert(5, &vectors[&5]).unwrap();
    loaded.link(usize::MAX);
    for query in vectors.values().step_by(10) {
        assert!(shared(&walked(&loaded, query, 10), &walked(&index, query, 10)) >= 9);
    }
    // Cut off anywhere, what is there serves.
    for length in (0..index.links(0, 20).len()).step_by(7) {
        let mut cut = HnswIndex::new(VectorIndexKind::Hnsw, HnswSettings::default());
        load(&mut cut, &index);
        cut.restore_links(0, &index.links(0, 20)[..length]);
        cut.link(usize::MAX);
        assert_eq!(cut.graph.len(), 500);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_order_of_inserts_and_removes_leaves_every_vector_in_reach(
        steps in prop::collection::vec((0u32..60, 0u8..4, prop::array::uniform4(-1.0f32..1.0)), 0..200),
    ) {
        let mut index = HnswIndex::new(VectorIndexKind::Hnsw, HnswSettings::default());
        let mut rows = BTreeMap::new();
        for (slot, step, vector) in steps {
            if step > 0 {
                let vector = unit(&vector);
                index.insert(slot, &vector).unwrap();
                index.link(usize::MAX);
                rows.insert(slot, vector);
            } else {
                index.remove(slot);
                rows.remove(&slot);
            }
        }
        prop_assert_eq!(index.graph.len(), rows.len());
        for query in rows.values() {
            let found = walked(&index, query, rows.len());
            prop_assert!(found.len() * 10 >= rows.len() * 9, "{} of {}", found.len(), rows.len());
        }
    }
}
