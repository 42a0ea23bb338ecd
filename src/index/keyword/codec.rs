//! Ascending numbers with how often each is in a text and in what is told about it, in few bytes.
//!
//! An entry is a varint of `gap << 2 | tag`, the gap being what lies between a number and the one before. The tag
//! says how often: once in the text, once about it, twice in the text, or as two varints that follow. It serves
//! the slots of a term and the terms of a slot alike.

/// How often something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Times {
    /// In the text.
    pub text: u32,
    /// In what is told about it: date, speaker.
    pub about: u32,
}

/// A number, and how often it is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub number: u32,
    pub times: Times,
}

/// Writes an entry, after one for `before`.
pub(super) fn write(bytes: &mut Vec<u8>, before: Option<u32>, number: u32, times: Times) {
    let from = before.map_or(0, |before| before.saturating_add(1));
    let gap = u64::from(number.saturating_sub(from));
    let tag = match (times.text, times.about) {
        (1, 0) => 0,
        (0, 1) => 1,
        (2, 0) => 2,
        _ => 3,
    };
    write_varint(bytes, gap << 2 | tag);
    if tag == 3 {
        write_varint(bytes, times.text.into());
        write_varint(bytes, times.about.into());
    }
}

/// The entries that were written; ends at the first byte that no entry begins with.
pub(super) fn read(bytes: &[u8]) -> Entries<'_> {
    Entries { bytes, from: 0 }
}

/// See [`read`].
#[derive(Debug, Clone)]
pub(super) struct Entries<'a> {
    /// What is not read yet.
    pub bytes: &'a [u8],
    /// The least number that may come.
    from: u32,
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    #[inline(always)]
    fn next(&mut self) -> Option<Entry> {
        let head = self.varint()?;
        let number = self.from.saturating_add((head >> 2) as u32);
        let times = match head & 3 {
            0 => Times { text: 1, about: 0 },
            1 => Times { text: 0, about: 1 },
            2 => Times { text: 2, about: 0 },
            _ => Times {
                text: self.varint()? as u32,
                about: self.varint()? as u32,
            },
        };
        self.from = number.saturating_add(1);
        Some(Entry { number, times })
    }
}

impl Entries<'_> {
    #[inline(always)]
    fn varint(&mut self) -> Option<u64> {
        let (first, rest) = self.bytes.split_first()?;
        if *first < 0x80 {
            self.bytes = rest;
            return Some((*first).into());
        }
        let (value, rest) = read_varint(self.bytes)?;
        self.bytes = rest;
        Some(value)
    }
}

/// Puts a number among the entries in place of what it had, or takes it out; says the greatest number after, and
/// whether there was an entry for it. `last` is the greatest before.
pub(super) fn set(
    bytes: &mut Vec<u8>,
    start: usize,
    last: Option<u32>,
    number: u32,
    times: Option<Times>,
) -> (Option<u32>, bool) {
    if last.is_none_or(|last| last < number) {
        let Some(times) = times else {
            return (last, false);
        };
        reserve(bytes, 12);
        write(bytes, last, number, times);
        return (Some(number), false);
    }
    let mut was_there = false;
    let mut before = None;
    let (mut from, mut to) = (start, start);
    let mut following = None;
    let mut entries = read(bytes.get(start..).unwrap_or_default());
    while let Some(entry) = entries.next() {
        to = bytes.len() - entries.bytes.len();
        if entry.number > number {
            following = Some(entry);
            break;
        }
        was_there |= entry.number == number;
        if entry.number < number {
            before = Some(entry.number);
            from = to;
        }
    }
    let mut changed = Vec::with_capacity(24);
    let mut greatest = before;
    if let Some(times) = times {
        write(&mut changed, before, number, times);
        greatest = Some(number);
    }
    if let Some(entry) = following {
        write(&mut changed, greatest, entry.number, entry.times);
        greatest = last;
    }
    if changed.len() > to - from {
        reserve(bytes, changed.len());
    }
    bytes.splice(from..to, changed);
    (greatest, was_there)
}

/// Makes room in small steps: a list that grows by half would waste a quarter of its bytes.
pub(super) fn reserve<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / 8));
    }
}

/// Writes seven bits a byte, the lowest first.
pub(super) fn write_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A value, and the bytes after it.
pub(super) fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    let mut rest = bytes;
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some((value, rest));
        }
    }
    None
}

/// Bytes that an allocation takes from a heap that keeps its size beside it, as Doug Lea's does, which wasm32 has.
pub(super) fn allocation(bytes: usize) -> usize {
    let word = size_of::<usize>();
    match bytes {
        0 => 0,
        bytes => (bytes + word).next_multiple_of(2 * word).max(4 * word),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_is_a_map(
            steps in prop::collection::vec((0u32..600, prop::option::of((0u32..300, 0u32..3))), 0..80),
        ) {
            let mut bytes = b"word".to_vec();
            let mut last = None;
            let mut map = BTreeMap::new();
            for (number, times) in steps {
                let times = times.map(|(text, about)| Times { text, about });
                let was_there;
                (last, was_there) = set(&mut bytes, 4, last, number, times);
                let known = match times {
                    Some(times) => map.insert(number, times),
                    None => map.remove(&number),
                };
                prop_assert_eq!(was_there, known.is_some());
                prop_assert_eq!(last, map.keys().next_back().copied());
            }
            let found: Vec<_> = read(&bytes[4..]).map(|entry| (entry.number, entry.times)).collect();
            prop_assert_eq!(found, map.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&bytes).count() <= bytes.len());
        }
    }
}
