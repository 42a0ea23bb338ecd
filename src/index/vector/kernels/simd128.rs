//! Kernels with WebAssembly's 128-bit SIMD.

use std::arch::wasm32::{
    i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
    i32x4_extract_lane, i32x4_splat, v128, v128_load,
};

/// The dot product of a row and a query as long.
pub fn dot(row: &[i8], query: &[i16]) -> i32 {
    let (row_chunks, row_rest) = row.as_chunks::<16>();
    let (query_chunks, query_rest) = query.as_chunks::<16>();
    let mut low = i32x4_splat(0);
    let mut high = i32x4_splat(0);
    for (a, b) in row_chunks.iter().zip(query_chunks) {
        let from: *const v128 = b.as_ptr().cast();
        // SAFETY: `a` is 16 bytes and `b` is 32; `v128_load` needs no alignment.
        let (a, left, right) = unsafe {
            (
                v128_load(a.as_ptr().cast()),
                v128_load(from),
                v128_load(from.add(1)),
            )
        };
        low = i32x4_add(low, i32x4_dot_i16x8(i16x8_extend_low_i8x16(a), left));
        high = i32x4_add(high, i32x4_dot_i16x8(i16x8_extend_high_i8x16(a), right));
    }
    let sums = i32x4_add(low, high);
    let lanes = i32x4_extract_lane::<0>(sums)
        + i32x4_extract_lane::<1>(sums)
        + i32x4_extract_lane::<2>(sums)
        + i32x4_extract_lane::<3>(sums);
    let rest = row_rest.iter().zip(query_rest);
    let rest: i32 = rest.map(|(x, y)| i32::from(*x) * i32::from(*y)).sum();
    lanes + rest
}
