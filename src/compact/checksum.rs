//! CRC-32, as zlib has it, which tells damaged pages and tables.
//!
//! By eight bytes at a time (Kounavis and Berry 2005, "A systematic approach to building high performance software-based CRC
//! generators"). The tables are made when they are first needed: stored, as in the crate `crc32fast`, they cannot be
//! compressed, and a page has to load them.

use std::sync::LazyLock;

/// What a byte does to a checksum, when so many bytes come after it.
static TABLES: LazyLock<[[u32; 256]; 8]> = LazyLock::new(|| {
    let one = std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(sum & 1))
        })
    });
    let mut tables = [one; 8];
    let mut before = one;
    for table in tables.iter_mut().skip(1) {
        *table = before.map(|sum| (sum >> 8) ^ at(&one, sum));
        before = *table;
    }
    tables
});

/// The checksum of bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &*TABLES;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = !0;
    for [a, b, c, d, e, f, g, h] in words {
        let low = sum ^ u32::from_le_bytes([*a, *b, *c, *d]);
        let high = u32::from_le_bytes([*e, *f, *g, *h]);
        sum = at(t7, low)
            ^ at(t6, low >> 8)
            ^ at(t5, low >> 16)
            ^ at(t4, low >> 24)
            ^ at(t3, high)
            ^ at(t2, high >> 8)
            ^ at(t1, high >> 16)
            ^ at(t0, high >> 24);
    }
    for byte in rest {
        sum = (sum >> 8) ^ at(t0, sum ^ u32::from(*byte));
    }
    !sum
}

/// The entry of a table for the lowest byte.
#[inline(always)]
fn at(table: &[u32; 256], byte: u32) -> u32 {
    table
        .get((byte & 0xff) as usize)
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_checksum_of_zlib(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(crc32(&bytes), crc32fast::hash(&bytes));
        }
    }
}
