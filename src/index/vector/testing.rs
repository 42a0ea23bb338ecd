//! Vectors for tests.

/// The plain dot product.
pub fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(x, y)| x * y).sum()
}

/// A vector of the same direction and unit length.
pub fn unit(values: &[f32]) -> Vec<f32> {
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-9);
    values.iter().map(|v| v / norm).collect()
}

/// Vectors around a few hundred centres, as texts lie around topics.
pub fn clustered(count: usize, dimension: usize) -> Vec<Vec<f32>> {
    let mut state = 7u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let mut vector = |around: Option<&Vec<f32>>| -> Vec<f32> {
        let values: Vec<f32> = (0..dimension)
            .map(|at| random() + around.map_or(0.0, |centre| centre[at] * 8.0))
            .collect();
        unit(&values)
    };
    let centres: Vec<Vec<f32>> = (0..200).map(|_| vector(None)).collect();
    (0..count)
        .map(|at| vector(Some(&centres[at % 200])))
        .collect()
}
