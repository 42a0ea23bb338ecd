//! Vectors as rows of small integers.

use super::super::{Scored, Slot};
use super::kernels::dot;
use super::pages::Pages;
use crate::compact::crc32;

/// Rows that are asked for at a time.
const AT_ONCE: usize = 16;

/// Vectors in eight bits a value: `row[i] = round(vector[i] / scale)`, with a scale of its own for each row,
/// so that its largest value is ±127.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// Signed, kept as the bytes that pages hold.
    values: Pages<u8>,
    scales: Pages<f32>,
}

/// A query in up to sixteen bits a value: as wide as sums of 32 bits allow.
#[derive(Debug, Clone)]
pub(super) struct QueryRow {
    values: Vec<i16>,
    scale: f32,
}

impl QueryRow {
    pub fn new(query: &[f32]) -> Self {
        let most = (i32::MAX / (128 * query.len().max(1) as i32)).clamp(1, 32_767);
        let scale = scale_of(query, most as f32);
        let value = |value: &f32| (value / scale).round() as i16;
        Self {
            values: match scale > 0.0 {
                true => query.iter().map(value).collect(),
                false => vec![0; query.len()],
            },
            scale,
        }
    }
}

impl Rows {
    pub fn new(dimension: usize) -> Self {
        Self {
            values: Pages::new(dimension),
            scales: Pages::new(1),
        }
    }

    pub fn put(&mut self, row: usize, vector: &[f32]) {
        let scale = scale_of(vector, 127.0);
        let value = |value: &f32| ((value / scale).round() as i8).cast_unsigned();
        let values: Vec<u8> = match scale > 0.0 {
            true => vector.iter().map(value).collect(),
            false => vec![0; vector.len()],
        };
        self.values.put(row, &values);
        self.scales.put(row, &[scale]);
    }

    /// The dot product of a vector and the query, within the rounding of the row; 0 for no row.
    #[inline(always)]
    pub fn score(&self, row: usize, query: &QueryRow) -> f32 {
        let (Some(values), Some([scale])) = (self.values.get(row), self.scales.get(row)) else {
            return 0.0;
        };
        dot(values, &query.values) as f32 * (scale * query.scale)
    }

    /// The products of some rows and the query, with their slots. Rows lie far apart, so a few are asked for before any is
    /// computed with: memory then looks for all of them at the same time.
    pub fn scores(&self, slots: &[Slot], query: &QueryRow) -> Vec<Scored> {
        let mut scored = Vec::with_capacity(slots.len());
        for slots in slots.chunks(AT_ONCE) {
            let rows = slots.iter().map(|slot| self.values.get(*slot as usize));
            let first = rows.map(|row| row.and_then(<[u8]>::first).copied().unwrap_or_default());
            std::hint::black_box(first.fold(0, |all, value| all ^ value));
            let score = |slot: &Slot| (*slot, self.score(*slot as usize, query));
            scored.extend(slots.iter().map(score));
        }
        scored
    }

    /// Adds a row to a sum, so many times.
    pub fn add(&self, row: usize, times: f32, sum: &mut [f32]) {
        if let (Some(values), Some([scale])) = (self.values.get(row), self.scales.get(row)) {
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += times * scale * f32::from(value.cast_signed());
            }
        }
    }

    /// A row as a query, to compare it with others.
    pub fn query(&self, row: usize) -> QueryRow {
        let values = self.values.get(row).unwrap_or_default();
        let scale = self.scales.get(row).and_then(|scale| scale.first());
        QueryRow {
            values: values
                .iter()
                .map(|value| i16::from(value.cast_signed()))
                .collect(),
            scale: scale.copied().unwrap_or_default(),
        }
    }

    /// Tells a row from others, and from what it was before.
    pub fn checksum(&self, row: usize) -> u32 {
        let mut saved = Vec::new();
        self.save(row, &mut saved);
        crc32(&saved)
    }

    /// Bytes of a saved row: a scale and the values.
    pub fn saved_bytes(dimension: usize) -> usize {
        4 + dimension
    }

    /// Appends a row to a page.
    pub fn save(&self, row: usize, page: &mut Vec<u8>) {
        if let (Some(values), Some([scale])) = (self.values.get(row), self.scales.get(row)) {
            page.extend(scale.to_le_bytes());
            page.extend_from_slice(values);
        }
    }

    /// Takes in a row of [`Rows::saved_bytes`] bytes.
    pub fn restore(&mut self, row: usize, saved: &[u8]) {
        if let Some((scale, values)) = saved.split_first_chunk::<4>() {
            self.scales.put(row, &[f32::from_le_bytes(*scale)]);
            self.values.put(row, values);
        }
    }

    pub fn bytes(&self) -> usize {
        self.values.bytes() + self.scales.bytes()
    }
}

fn scale_of(vector: &[f32], most: f32) -> f32 {
    let largest = vector.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    // A scale below the smallest normal number would divide to infinity.
    let scale = largest / most;
    if scale.is_normal() { scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_dot_products() {
        for dimension in [1, 3, 64, 384, 4_096] {
            let norm = (dimension as f32).sqrt();
            let vector: Vec<f32> = (0..dimension)
                .map(|at| if at % 3 == 0 { -1.0 } else { 1.0 } / norm)
                .collect();
            let mut rows = Rows::new(dimension);
            rows.put(2, &vector);
            let query = QueryRow::new(&vector);
            assert!((rows.score(2, &query) - 1.0).abs() < 1e-3, "{dimension}");
            assert_eq!(rows.score(0, &query), 0.0);
            assert_eq!(rows.score(2, &QueryRow::new(&vec![0.0; dimension])), 0.0);
        }
    }
}
