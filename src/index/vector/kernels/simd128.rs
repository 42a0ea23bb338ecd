//! Kernels with WebAssembly's 128-bit SIMD.

use std::arch::wasm32::{
    f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, i16x8_extend_high_i8x16,
    i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, v128,
    v128_load,
};

/// The dot product of a row, of signed bytes, and a query as long.
pub fn dot(row: &[u8], query: &[i16]) -> i32 {
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
    let rest: i32 = rest
        .map(|(x, y)| i32::from(x.cast_signed()) * i32::from(*y))
        .sum();
    lanes + rest
}

/// The dot product of two vectors as long, with the sums and the order of the kernel without SIMD.
pub fn dot_f32(left: &[f32], right: &[f32]) -> f32 {
    let (left_chunks, left_rest) = left.as_chunks::<16>();
    let (right_chunks, right_rest) = right.as_chunks::<16>();
    let zero = f32x4_splat(0.0);
    let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
    for (x, y) in left_chunks.iter().zip(right_chunks) {
        let (x, y): (*const v128, *const v128) = (x.as_ptr().cast(), y.as_ptr().cast());
        // SAFETY: `x` and `y` are four vectors of 16 bytes each; `v128_load` needs no alignment.
        let product = |at: usize| unsafe { f32x4_mul(v128_load(x.add(at)), v128_load(y.add(at))) };
        a = f32x4_add(a, product(0));
        b = f32x4_add(b, product(1));
        c = f32x4_add(c, product(2));
        d = f32x4_add(d, product(3));
    }
    let sums = f32x4_add(f32x4_add(f32x4_add(f32x4_add(zero, a), b), c), d);
    let low = f32x4_extract_lane::<0>(sums) + f32x4_extract_lane::<1>(sums);
    let high = f32x4_extract_lane::<2>(sums) + f32x4_extract_lane::<3>(sums);
    let rest = left_rest.iter().zip(right_rest);
    rest.fold(low + high, |sum, (x, y)| sum + x * y)
}
