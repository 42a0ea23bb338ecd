//! Kernels without explicit SIMD; compilers make some of it.

/// The dot product of a row and a query as long.
pub fn dot(row: &[i8], query: &[i16]) -> i32 {
    let (row_chunks, row_rest) = row.as_chunks::<16>();
    let (query_chunks, query_rest) = query.as_chunks::<16>();
    let mut lanes = [0i32; 16];
    for (a, b) in row_chunks.iter().zip(query_chunks) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += i32::from(*x) * i32::from(*y);
        }
    }
    let rest = row_rest.iter().zip(query_rest);
    let rest: i32 = rest.map(|(x, y)| i32::from(*x) * i32::from(*y)).sum();
    lanes.iter().sum::<i32>() + rest
}
