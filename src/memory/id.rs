//! Ids that carry their space.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The first 64 bits of the BLAKE3 hash of a space's owner.
///
/// It names the space's store (a Durable Object, a database) within its project and is repeated in
/// every [`Id`] made in that space, so that an id alone tells where it lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceHash(u64);

impl SpaceHash {
    /// Hashes the parts that name an owner. Parts are length-prefixed, so no two lists of parts
    /// collide by concatenation.
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut first = [0u8; 8];
        hasher.finalize_xof().fill(&mut first);
        Self(u64::from_be_bytes(first))
    }

    /// Its 64 bits.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SpaceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Reads what [`fmt::Display`] wrote.
impl Serialize for SpaceHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SpaceHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for SpaceHash {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl fmt::Debug for SpaceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpaceHash({self})")
    }
}

/// The id of a memory, a message or an event: a UUID of version 8 (RFC 9562 §5.8).
///
/// Its 122 free bits are, from the left: 64 bits of the [`SpaceHash`], a 32-bit sequence number
/// that grows within the space (so ids sort by age), and 26 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(u128);

/// Why a text is not an [`Id`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not a UUID at all.
    #[error("memory_id should be a valid UUID")]
    NotAUuid,
}

const SEQUENCE_SHIFT: u32 = 26;
const RANDOM_MASK: u64 = (1 << SEQUENCE_SHIFT) - 1;
/// Sequence number and random bits: the lowest of an id.
const LOCAL_BITS: u32 = 32 + SEQUENCE_SHIFT;
const LOCAL_MASK: u64 = (1 << LOCAL_BITS) - 1;
/// What of a space's hash stands before the version, between version and variant, and after the variant.
const HIGH_SHIFT: u32 = 16;
const MIDDLE_SHIFT: u32 = 4;
const MIDDLE_MASK: u64 = 0xfff;
const LOW_MASK: u64 = 0xf;
const VERSION: u64 = 0x8 << 12;
const VARIANT: u64 = 0b10 << 62;

impl Id {
    /// No id is before this one.
    pub const FIRST: Self = Self(0);

    /// Makes the id number `sequence` of a space. Only the low 26 bits of `random` are used.
    pub fn new(space: SpaceHash, sequence: u32, random: u64) -> Self {
        let local = u64::from(sequence) << SEQUENCE_SHIFT | (random & RANDOM_MASK);
        Self::in_space(space, local)
    }

    /// The hash of the space that this id was made in. For a UUID that edgemem did not make, it is
    /// the hash of no space, so a look-up finds nothing.
    pub fn space(&self) -> SpaceHash {
        let (first, last) = ((self.0 >> 64) as u64, self.0 as u64);
        let high = first >> HIGH_SHIFT << HIGH_SHIFT;
        let middle = (first & MIDDLE_MASK) << MIDDLE_SHIFT;
        SpaceHash(high | middle | (last >> LOCAL_BITS & LOW_MASK))
    }

    /// The sequence number within the space.
    pub fn sequence(&self) -> u32 {
        Self::sequence_of(self.local())
    }

    /// The id as a number.
    pub fn to_bits(self) -> u128 {
        self.0
    }

    /// The id that [`Id::to_bits`] gave as a number.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// What tells it from the other ids of its space: sequence number and random bits. They order as the ids do.
    pub fn local(&self) -> u64 {
        self.0 as u64 & LOCAL_MASK
    }

    /// The id of a space that [`Id::local`] stands for.
    pub fn in_space(space: SpaceHash, local: u64) -> Self {
        let high = space.0 >> HIGH_SHIFT << HIGH_SHIFT;
        let middle = space.0 >> MIDDLE_SHIFT & MIDDLE_MASK;
        let low = (space.0 & LOW_MASK) << LOCAL_BITS;
        let first = high | VERSION | middle;
        let last = VARIANT | low | (local & LOCAL_MASK);
        Self(u128::from(first) << 64 | u128::from(last))
    }

    /// The sequence number in what [`Id::local`] gave.
    pub fn sequence_of(local: u64) -> u32 {
        ((local & LOCAL_MASK) >> SEQUENCE_SHIFT) as u32
    }
}

/// Makes the ids of one space, in order.
pub struct Mint<'a> {
    space: SpaceHash,
    next: u32,
    random: &'a dyn Fn() -> u64,
}

impl<'a> Mint<'a> {
    /// Goes on with number `next`; `random` supplies the random bits.
    pub fn new(space: SpaceHash, next: u32, random: &'a dyn Fn() -> u64) -> Self {
        Self {
            space,
            next,
            random,
        }
    }

    /// A new id, greater than all before it.
    pub fn id(&mut self) -> Id {
        let id = Id::new(self.space, self.next, (self.random)());
        self.next = self.next.saturating_add(1);
        id
    }

    /// The number that the next id will have.
    pub fn next_sequence(&self) -> u32 {
        self.next
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text)
            .map(|uuid| Self(uuid.as_u128()))
            .map_err(|_| IdError::NotAUuid)
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.to_string()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_u128(self.0).as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_its_space_and_sequence() {
        let space = SpaceHash::of(&["default", "user", "alice"]);
        for (sequence, random) in [(0, 0), (1, u64::MAX), (u32::MAX, 12345)] {
            let id = Id::new(space, sequence, random);
            assert_eq!(id.space(), space);
            assert_eq!(id.sequence(), sequence);
            let text = id.to_string();
            assert_eq!(text.len(), 36);
            assert_eq!(text.as_bytes()[14], b'8', "version 8: {text}");
            assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
            assert_eq!(text.parse::<Id>().unwrap(), id);
            assert_eq!(Id::in_space(space, id.local()), id);
        }
    }

    #[test]
    fn ids_of_one_space_sort_by_age() {
        let space = SpaceHash::of(&["p", "user", "u"]);
        assert!(Id::new(space, 7, u64::MAX) < Id::new(space, 8, 0));
    }

    #[test]
    fn owners_do_not_collide_by_concatenation() {
        assert_ne!(SpaceHash::of(&["ab", "c"]), SpaceHash::of(&["a", "bc"]));
    }

    #[test]
    fn text_that_is_no_uuid_is_refused() {
        assert_eq!("404".parse::<Id>(), Err(IdError::NotAUuid));
    }
}
