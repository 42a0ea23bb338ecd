//! Kernels without explicit SIMD; compilers make some of it.

/// The dot product of a row, of signed bytes, and a query as long.
pub fn dot(row: &[u8], query: &[i16]) -> i32 {
    let (row_chunks, row_rest) = row.as_chunks::<16>();
    let (query_chunks, query_rest) = query.as_chunks::<16>();
    let mut lanes = [0i32; 16];
    for (a, b) in row_chunks.iter().zip(query_chunks) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += i32::from(x.cast_signed()) * i32::from(*y);
        }
    }
    let rest = row_rest.iter().zip(query_rest);
    let rest: i32 = rest
        .map(|(x, y)| i32::from(x.cast_signed()) * i32::from(*y))
        .sum();
    lanes.iter().sum::<i32>() + rest
}

/// The dot product of two vectors as long. Its sixteen sums and their order are those of the kernel with SIMD, so that both
/// round alike.
pub fn dot_f32(left: &[f32], right: &[f32]) -> f32 {
    let (left_chunks, left_rest) = left.as_chunks::<16>();
    let (right_chunks, right_rest) = right.as_chunks::<16>();
    let mut lanes = [0f32; 16];
    for (a, b) in left_chunks.iter().zip(right_chunks) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += x * y;
        }
    }
    let (quarters, _) = lanes.as_chunks::<4>();
    let mut sums = [0f32; 4];
    for quarter in quarters {
        for (sum, lane) in sums.iter_mut().zip(quarter) {
            *sum += lane;
        }
    }
    let [a, b, c, d] = sums;
    let rest = left_rest.iter().zip(right_rest);
    rest.fold((a + b) + (c + d), |sum, (x, y)| sum + x * y)
}
