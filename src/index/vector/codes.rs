//! Vectors as a few bits: which of them may be near, at a glance.

use super::super::Slot;
use super::super::bitmap::{Bitmap, bits};
use super::kernels::{HEAD, TAIL, hamming_head, hamming_tail};
use super::pages::Pages;

const WORDS: usize = HEAD + TAIL;
pub(super) const BITS: usize = WORDS * 64;

/// So many rows for each one wanted are near enough by their heads for their whole codes to be compared.
const WIDER: usize = 2;

/// One bit a direction: on which side of it a vector lies. The directions are those of a fixed random
/// rotation; the angle between two vectors is about `π × hamming / bits` (Charikar 2002, "Similarity
/// estimation techniques from rounding algorithms").
#[derive(Debug, Clone, Default)]
pub(super) struct Codes {
    rotation: Rotation,
    /// The first words of each code. A search among many takes as long as memory takes to give what is compared, so
    /// these are compared first.
    heads: Pages<u64>,
    tails: Pages<u64>,
}

/// A vector's code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Code {
    head: [u64; HEAD],
    tail: [u64; TAIL],
}

/// A query in four bits a direction: the code of each place of these numbers, the lowest first. The highest tells the
/// side, as the codes of vectors do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FineCode([Code; PLACES]);

/// Bits of a direction in a [`FineCode`].
const PLACES: usize = 4;

/// How many standard deviations of a query's values its numbers reach; what is beyond is as much.
const REACH: f32 = 2.5;

impl Codes {
    pub fn new(dimension: usize) -> Self {
        Self {
            rotation: Rotation::new(dimension),
            heads: Pages::new(HEAD),
            tails: Pages::new(TAIL),
        }
    }

    pub fn put(&mut self, row: usize, vector: &[f32]) {
        self.place(row, &self.rotation.code(vector));
    }

    fn place(&mut self, row: usize, code: &Code) {
        self.heads.put(row, &code.head);
        self.tails.put(row, &code.tail);
    }

    /// The `count` rows of `live` whose codes are nearest to the query's, of those whose heads are near, ascending; of
    /// equally near ones the first.
    pub fn nearest(&self, query: &[f32], count: usize, live: &Bitmap) -> Vec<Slot> {
        let query = self.rotation.code(query);
        let near = self.near_by_heads(&query.head, count.saturating_mul(WIDER), live);
        let whole = |(slot, distance)| (slot, distance + self.rest(slot as usize, &query));
        // First all distances, then which are the least: memory looks for several rests at the same time.
        let near: Vec<(Slot, u32)> = near.map(whole).collect();
        let mut nearest = Nearest::new(count);
        for (slot, distance) in near {
            nearest.offer(slot, distance);
        }
        nearest.kept().map(|(slot, _)| slot).collect()
    }

    /// The `count` rows of `live` whose heads are nearest to a query's, with their distances.
    fn near_by_heads(
        &self,
        query: &[u64; HEAD],
        count: usize,
        live: &Bitmap,
    ) -> impl Iterator<Item = (Slot, u32)> + use<> {
        let mut nearest = Nearest::new(count);
        for (at, block) in self.heads.blocks().enumerate() {
            let first = (at * 64) as Slot;
            let (heads, _) = block.as_chunks::<HEAD>();
            match live.word(at) {
                0 => {}
                u64::MAX => {
                    for (slot, head) in (first..).zip(heads) {
                        nearest.offer(slot, hamming_head(head, query));
                    }
                }
                some => {
                    for bit in bits(some) {
                        if let Some(head) = heads.get(bit as usize) {
                            nearest.offer(first + bit, hamming_head(head, query));
                        }
                    }
                }
            }
        }
        nearest.kept()
    }

    /// A query's code, to compare it with rows.
    pub fn query(&self, query: &[f32]) -> Code {
        self.rotation.code(query)
    }

    /// A query's code in more bits.
    pub fn fine_query(&self, query: &[f32]) -> FineCode {
        self.rotation.fine_code(query)
    }

    /// The code of a row; `None` for no row.
    pub fn code(&self, row: usize) -> Option<Code> {
        Some(Code {
            head: *self.heads.get(row)?.first_chunk()?,
            tail: *self.tails.get(row)?.first_chunk()?,
        })
    }

    /// How many bits of a row's code differ from a query's; all for no row.
    #[inline(always)]
    pub fn distance(&self, row: usize, query: &Code) -> u32 {
        let head = self.heads.get(row).and_then(|head| head.first_chunk());
        head.map_or(BITS as u32, |head| {
            hamming_head(head, &query.head) + self.rest(row, query)
        })
    }

    /// How many bits of the rest of a row's code differ.
    #[inline(always)]
    fn rest(&self, row: usize, query: &Code) -> u32 {
        let tail = self.tails.get(row).and_then(|tail| tail.first_chunk());
        tail.map_or(0, |tail| hamming_tail(tail, &query.tail))
    }

    /// About the cosine of a row and a query: that of the angle which their codes tell, by Bhaskara's formula, as
    /// hosts differ in the last digits of theirs.
    pub fn cosine(&self, row: usize, query: &Code) -> f32 {
        let turn = self.distance(row, query) as f32 / BITS as f32;
        (1.0 - 4.0 * turn * turn) / (1.0 + turn * turn)
    }

    /// Bytes of a saved code.
    pub const SAVED_BYTES: usize = BITS / 8;

    /// Appends a code to a page.
    pub fn save(&self, row: usize, page: &mut Vec<u8>) {
        let words = [self.heads.get(row), self.tails.get(row)];
        let words = words.into_iter().flatten().flatten();
        page.extend(words.flat_map(|word| word.to_le_bytes()));
    }

    /// Takes in a code of [`Codes::SAVED_BYTES`] bytes.
    pub fn restore(&mut self, row: usize, saved: &[u8]) {
        let (words, _) = saved.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        let head = std::array::from_fn(word);
        let tail = std::array::from_fn(|at| word(HEAD + at));
        self.place(row, &Code { head, tail });
    }

    pub fn bytes(&self) -> usize {
        self.heads.bytes() + self.tails.bytes()
    }
}

impl Code {
    /// The code of so many words; zeros where there are none.
    fn of(words: impl Iterator<Item = u64>) -> Self {
        let mut words = words.chain(std::iter::repeat(0));
        let mut next = |_| words.next().unwrap_or_default();
        Self {
            head: std::array::from_fn(&mut next),
            tail: std::array::from_fn(next),
        }
    }

    /// Some of its bits, by which memory is asked for it.
    #[inline(always)]
    pub fn first_word(&self) -> u64 {
        let [first, ..] = self.head;
        first
    }

    /// How many bits differ from another code's.
    #[inline(always)]
    pub fn distance(&self, other: &Self) -> u32 {
        hamming_head(&self.head, &other.head) + hamming_tail(&self.tail, &other.tail)
    }
}

impl FineCode {
    /// The query's code.
    pub fn code(&self) -> &Code {
        let [.., code] = &self.0;
        code
    }

    /// How far a code is: more exactly than codes alone tell, as it counts more where the query's values are larger. That is
    /// the product of the query's numbers and the code's signs, up to a constant and a factor (as in Gao and Long 2024, "RaBitQ").
    #[inline(always)]
    pub fn distance(&self, code: &Code) -> u32 {
        let [a, b, c, d] = &self.0;
        let low = a.distance(code) + 2 * b.distance(code);
        low + 4 * c.distance(code) + 8 * d.distance(code)
    }
}

/// The distance within which as many lie as are wanted. Distances are small integers: counting how many there are of
/// each gives it without a heap.
pub(super) struct Limit {
    wanted: usize,
    limit: usize,
    within: usize,
    counts: [u32; BITS + 1],
}

impl Limit {
    pub fn new(wanted: usize) -> Self {
        Self {
            wanted,
            limit: BITS,
            within: 0,
            counts: [0; BITS + 1],
        }
    }

    /// The limit: the greatest distance that there is until there are enough.
    #[inline(always)]
    pub fn distance(&self) -> u32 {
        self.limit as u32
    }

    /// Counts a distance within the limit.
    pub fn add(&mut self, distance: u32) {
        if let Some(count) = self.counts.get_mut(distance as usize) {
            *count += 1;
        }
        self.within += 1;
        while let Some(last) = self.counts.get(self.limit).map(|count| *count as usize)
            && self.limit > 0
            && self.within - last >= self.wanted
        {
            self.within -= last;
            self.limit -= 1;
        }
    }

    /// How many at the limit itself belong to the wanted.
    fn at_limit(&self) -> usize {
        let at_limit = self.counts.get(self.limit);
        let nearer = self.within - at_limit.map_or(0, |count| *count as usize);
        self.wanted.saturating_sub(nearer)
    }
}

/// The nearest so far.
struct Nearest {
    limit: Limit,
    kept: Vec<(Slot, u32)>,
}

impl Nearest {
    fn new(count: usize) -> Self {
        Self {
            limit: Limit::new(count),
            kept: Vec::with_capacity(count * 4),
        }
    }

    #[inline(always)]
    fn offer(&mut self, slot: Slot, distance: u32) {
        if distance <= self.limit.distance() {
            self.keep(slot, distance);
        }
    }

    #[inline(never)]
    fn keep(&mut self, slot: Slot, distance: u32) {
        self.kept.push((slot, distance));
        self.limit.add(distance);
    }

    /// The nearest with their distances, in the order in which they were offered.
    fn kept(self) -> impl Iterator<Item = (Slot, u32)> + use<> {
        let mut at_limit = self.limit.at_limit();
        let limit = self.limit.distance();
        self.kept.into_iter().filter(move |(_, distance)| {
            if *distance == limit && at_limit > 0 {
                at_limit -= 1;
                return true;
            }
            *distance < limit
        })
    }
}

/// A fixed random rotation: three rounds of random signs and a Hadamard transform (Andoni et al. 2015,
/// "Practical and optimal LSH for angular distance"), so that it costs `n log n` and no memory.
#[derive(Debug, Clone, Default)]
struct Rotation {
    /// `[3 × n]`, n being a power of two not below the dimension.
    signs: Vec<f32>,
    size: usize,
}

const ROUNDS: usize = 3;

impl Rotation {
    fn new(dimension: usize) -> Self {
        let size = dimension.next_power_of_two().max(BITS);
        let mut state = 0x6564_6765_6d65_6d00; // Any number, but always the same.
        let signs = (0..ROUNDS * size).map(|_| {
            if split_mix(&mut state) >> 63 == 0 {
                1.0
            } else {
                -1.0
            }
        });
        Self {
            signs: signs.collect(),
            size,
        }
    }

    fn code(&self, vector: &[f32]) -> Code {
        let values = self.turned(vector);
        code_of(&values, |value| value > 0.0)
    }

    fn fine_code(&self, vector: &[f32]) -> FineCode {
        let mut values = self.turned(vector);
        values.truncate(BITS);
        let square: f32 = values.iter().map(|value| value * value).sum();
        let most = (1 << PLACES) as f32 / 2.0;
        let step = REACH * (square / BITS as f32).sqrt() / most;
        for value in &mut values {
            *value = (*value / step).ceil().clamp(1.0 - most, most) + most - 1.0;
        }
        FineCode(std::array::from_fn(|place| {
            code_of(&values, |value| value as u32 >> place & 1 == 1)
        }))
    }

    /// A vector in the directions of the rotation, up to a factor.
    fn turned(&self, vector: &[f32]) -> Vec<f32> {
        let mut values = vector.to_vec();
        values.resize(self.size, 0.0);
        for signs in self.signs.chunks_exact(self.size) {
            for (value, sign) in values.iter_mut().zip(signs) {
                *value *= sign;
            }
            hadamard(&mut values);
        }
        values
    }
}

/// A bit of each value.
#[inline(always)]
fn code_of(values: &[f32], bit: impl Fn(f32) -> bool) -> Code {
    let words = values.chunks_exact(64).map(|values| {
        let bits = values.iter().enumerate();
        bits.fold(0, |word, (at, value)| word | (u64::from(bit(*value)) << at))
    });
    Code::of(words)
}

/// The fast Walsh-Hadamard transform, in place, of a power of two values.
fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for block in values.chunks_exact_mut(half * 2) {
            let (left, right) = block.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
pub(super) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_angle_shows_in_the_distance() {
        let codes = Codes::new(256);
        let axis =
            |at: usize| -> Vec<f32> { (0..256).map(|i| f32::from(u8::from(i == at))).collect() };
        let distance = |left: &[f32], right: &[f32]| {
            let mut codes = codes.clone();
            codes.put(0, left);
            codes.distance(0, &codes.query(right))
        };
        assert_eq!(distance(&axis(0), &axis(0)), 0);
        let right_angle = distance(&axis(0), &axis(1));
        assert!((200..312).contains(&right_angle), "{right_angle}");
        let opposite: Vec<f32> = axis(0).iter().map(|value| -value).collect();
        assert!(distance(&axis(0), &opposite) > 500);
    }

    proptest! {
        #[test]
        fn a_fine_distance_is_a_product(
            query in prop::collection::vec(-1.0f32..1.0, 8..700),
            words in prop::array::uniform8(any::<u64>()),
        ) {
            let codes = Codes::new(query.len());
            let fine = codes.fine_query(&query);
            let bit = |code: &Code, at: usize| {
                let words = code.head.iter().chain(&code.tail).copied();
                i64::from(words.collect::<Vec<u64>>()[at / 64] >> (at % 64) & 1 == 1)
            };
            let number = |at| -> i64 {
                let places = (0..).zip(&fine.0);
                places.map(|(place, code)| (2 * bit(code, at) - 1) << place).sum()
            };
            let code = Code::of(words.into_iter());
            let product: i64 = (0..BITS).map(|at| number(at) * (2 * bit(&code, at) - 1)).sum();
            let most = (BITS as i64) * 15;
            prop_assert_eq!(i64::from(fine.distance(&code)), (most - product) / 2);
            prop_assert_eq!(fine.code(), &codes.query(&query));
        }

        #[test]
        fn the_nearest_are_those_of_a_sort(
            distances in prop::collection::vec(0u32..40, 0..300),
            count in 0usize..50,
        ) {
            let mut nearest = Nearest::new(count);
            for (slot, distance) in distances.iter().enumerate() {
                nearest.offer(slot as Slot, *distance);
            }
            let mut sorted: Vec<(u32, Slot)> =
                distances.iter().enumerate().map(|(slot, d)| (*d, slot as Slot)).collect();
            sorted.sort_unstable();
            let mut expected: Vec<Slot> = sorted.into_iter().take(count).map(|(_, slot)| slot).collect();
            expected.sort_unstable();
            let found: Vec<Slot> = nearest.kept().map(|(slot, _)| slot).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
