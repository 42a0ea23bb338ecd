use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::testing::{clustered, dot, unit};
use super::super::{Forgotten, Originals};
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
    let vectors: BTreeMap<Slot, Vec<f32>> = (0..).zip(clustered(SCAN_ALL + 2_000, 96)).collect();
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

#[test]
fn a_sum_of_vectors_is_the_same_when_they_are_read_as_when_they_are_resident() {
    let vectors: BTreeMap<Slot, Vec<f32>> = (0..).zip(clustered(20, 32)).collect();
    let mut index = FlatIndex::new();
    for (slot, vector) in &vectors {
        index.insert(*slot, vector).unwrap();
    }
    let weighted = [(3, 1.0), (7, 0.5)];
    let exact = |at: usize| vectors[&3][at] + 0.5 * vectors[&7][at];
    let near = |sum: Vec<f32>| {
        assert_eq!(sum.len(), 32);
        let far = sum.iter().enumerate().map(|(at, x)| (x - exact(at)).abs());
        far.fold(0.0, f32::max)
    };
    assert!(near(index.sum(&weighted, &Forgotten)) < 0.01);
    assert!(index.between(3, 3) > 0.99 && index.between(3, 7) < 0.99);
    index.drop_rows();
    assert_eq!(near(index.sum(&weighted, &Kept(&vectors, 1_000))), 0.0);
}
