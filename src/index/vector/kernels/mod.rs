//! The inner loops. On WebAssembly with SIMD they use it; everywhere they compute with integers, or with floats in the
//! same order, so that every host gets the same result.

#[cfg(any(
    test,
    feature = "test-suite",
    not(all(target_arch = "wasm32", target_feature = "simd128"))
))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[allow(unsafe_code)]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use scalar::{dot, dot_f32};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use simd128::{dot, dot_f32};

/// Words of 64 bits in the first part of a code, and in the rest.
pub(super) const HEAD: usize = 6;
pub(super) const TAIL: usize = 2;

/// How many bits of two heads differ. Written out, as compilers that mind the size do not unroll it.
#[inline(always)]
pub(super) fn hamming_head(left: &[u64; HEAD], right: &[u64; HEAD]) -> u32 {
    let [a, b, c, d, e, f] = left;
    let [g, h, i, j, k, l] = right;
    let low = (a ^ g).count_ones() + (b ^ h).count_ones() + (c ^ i).count_ones();
    let high = (d ^ j).count_ones() + (e ^ k).count_ones() + (f ^ l).count_ones();
    low + high
}

/// How many bits of two tails differ.
#[inline(always)]
pub(super) fn hamming_tail(left: &[u64; TAIL], right: &[u64; TAIL]) -> u32 {
    let [a, b] = left;
    let [c, d] = right;
    (a ^ c).count_ones() + (b ^ d).count_ones()
}

/// Compares this machine's kernels with plain ones; for tests that run on it. Shapes: any.
#[cfg(any(test, feature = "test-suite"))]
pub fn agree(row: &[i8], query: &[i16]) -> bool {
    let plain: i32 = row
        .iter()
        .zip(query)
        .map(|(a, b)| i32::from(*a) * i32::from(*b))
        .sum();
    let row: Vec<u8> = row.iter().map(|value| value.cast_unsigned()).collect();
    dot(&row, query) == plain && scalar::dot(&row, query) == plain
}

/// The same for vectors of floats as long, which must agree to the last bit.
#[cfg(any(test, feature = "test-suite"))]
pub fn agree_f32(left: &[f32], right: &[f32]) -> bool {
    let products = left
        .iter()
        .zip(right)
        .map(|(a, b)| f64::from(*a) * f64::from(*b));
    let (plain, size) = products.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
    let found = dot_f32(left, right);
    let is_right = (f64::from(found) - plain).abs() <= size * f64::from(f32::EPSILON) * 64.0;
    is_right && found.to_bits() == scalar::dot_f32(left, right).to_bits()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn extremes_do_not_overflow() {
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 384, 1_536, 4_096] {
            let most = (i32::MAX / (128 * length.max(1) as i32)).min(32_767) as i16;
            for value in [-127, 127] {
                assert!(agree(&vec![value; length], &vec![most; length]), "{length}");
                assert!(
                    agree(&vec![value; length], &vec![-most; length]),
                    "{length}"
                );
            }
        }
    }

    #[test]
    fn floats_of_any_length_and_size_agree() {
        for length in [0, 1, 3, 4, 15, 16, 17, 64, 384, 385, 4_096] {
            for size in [1e-18f32, 0.05, 1.0, 1e9] {
                let left: Vec<f32> = (0..length)
                    .map(|at| size * (at % 7) as f32 - size)
                    .collect();
                let right: Vec<f32> = (0..length)
                    .map(|at| size - size * (at % 5) as f32)
                    .collect();
                assert!(agree_f32(&left, &right), "{length} {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn floats_agree(pairs in prop::collection::vec((-1.0f32..1.0, -1.0f32..1.0), 0..600)) {
            let (left, right): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            prop_assert!(agree_f32(&left, &right));
        }

        #[test]
        fn every_kernel_is_the_plain_one(
            pairs in prop::collection::vec((-127i8..=127, -4_000i16..=4_000), 0..600),
            head in prop::array::uniform6(prop::array::uniform2(any::<u64>())),
            tail in prop::array::uniform2(prop::array::uniform2(any::<u64>())),
        ) {
            let (row, query): (Vec<i8>, Vec<i16>) = pairs.into_iter().unzip();
            prop_assert!(agree(&row, &query));
            let plain = |words: &[[u64; 2]]| -> u32 {
                let bits = words.iter().flat_map(|[left, right]| {
                    (0..64).map(move |bit| (left ^ right) >> bit & 1)
                });
                bits.sum::<u64>() as u32
            };
            let found = hamming_head(&head.map(|pair| pair[0]), &head.map(|pair| pair[1]));
            prop_assert_eq!(found, plain(&head));
            let found = hamming_tail(&tail.map(|pair| pair[0]), &tail.map(|pair| pair[1]));
            prop_assert_eq!(found, plain(&tail));
        }
    }
}
