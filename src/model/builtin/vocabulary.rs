//! The vocabulary: a bijection of tokens and small numbers, with no allocation a token.

use super::BuiltinError;

const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;
const EMPTY: u32 = u32::MAX;

/// Tokens by id and ids by token.
///
/// The tokens stay in one string; an open-addressing table finds them by hash (FNV-1a, 32 bits),
/// at most half full.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    text: String,
    /// Where each token begins in `text`; one more than there are tokens.
    starts: Vec<u32>,
    /// Ids by hash; a power of two of them.
    slots: Vec<u32>,
    longest: usize,
}

/// The running hash of a token's bytes, so that every prefix of a word is hashed in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hash(u32);

impl Hash {
    pub(super) const START: Hash = Hash(FNV_OFFSET);

    pub(super) fn and(self, bytes: &[u8]) -> Hash {
        Hash(
            bytes
                .iter()
                .fold(self.0, |h, &b| (h ^ u32::from(b)).wrapping_mul(FNV_PRIME)),
        )
    }
}

impl Vocabulary {
    /// Reads newline-joined tokens; the first has id 0.
    ///
    /// # Errors
    /// [`BuiltinError::Vocabulary`] when a token is empty or occurs twice.
    pub fn new(text: String) -> Result<Self, BuiltinError> {
        let mut starts = vec![0u32];
        let mut end = 0usize;
        let mut longest = 0;
        for token in text.as_bytes().split(|byte| *byte == b'\n') {
            end += token.len() + 1;
            longest = longest.max(token.len());
            let start = u32::try_from(end).map_err(|_| BuiltinError::Vocabulary)?;
            starts.push(start);
        }
        let count = starts.len() - 1;
        let mut vocabulary = Vocabulary {
            text,
            starts,
            slots: vec![EMPTY; (count * 2).next_power_of_two()],
            longest,
        };
        for id in 0..u32::try_from(count).map_err(|_| BuiltinError::Vocabulary)? {
            vocabulary.insert(id)?;
        }
        Ok(vocabulary)
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are none; never so for a vocabulary that was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token with this id.
    pub fn token(&self, id: u32) -> Option<&str> {
        let at = usize::try_from(id).ok()?;
        let start = usize::try_from(*self.starts.get(at)?).ok()?;
        let next = usize::try_from(*self.starts.get(at + 1)?).ok()?;
        self.text.get(start..next - 1)
    }

    /// The id of this token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.find("", token, Hash::START.and(token.as_bytes()))
    }

    /// The bytes of the longest token.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The id of `prefix` followed by `rest`, whose hash is known.
    pub(super) fn find(&self, prefix: &str, rest: &str, hash: Hash) -> Option<u32> {
        self.probe(hash).map_while(|(_, id)| id).find(|&id| {
            self.token(id)
                .and_then(|t| t.strip_prefix(prefix))
                .is_some_and(|t| t == rest)
        })
    }

    fn insert(&mut self, id: u32) -> Result<(), BuiltinError> {
        let token = self.token(id).filter(|t| !t.is_empty());
        let token = token.ok_or(BuiltinError::Vocabulary)?;
        let hash = Hash::START.and(token.as_bytes());
        let is_end = |(_, known): &(usize, Option<u32>)| {
            known.is_none_or(|known| self.token(known) == Some(token))
        };
        let end = self.probe(hash).find(is_end);
        let free = end.filter(|(_, known)| known.is_none());
        let slot = free.and_then(|(at, _)| self.slots.get_mut(at));
        *slot.ok_or(BuiltinError::Vocabulary)? = id;
        Ok(())
    }

    /// The slots where a token of this hash may be, each with the id in it.
    fn probe(&self, hash: Hash) -> impl Iterator<Item = (usize, Option<u32>)> + '_ {
        let mask = self.slots.len() - 1;
        // The low bits of FNV-1a depend on few bits of the input; mix the high ones in.
        let start = usize::try_from(hash.0 ^ (hash.0 >> 15)).unwrap_or(0);
        (0..self.slots.len()).map_while(move |step| {
            let at = start.wrapping_add(step) & mask;
            let id = *self.slots.get(at)?;
            Some((at, (id != EMPTY).then_some(id)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_ids_are_found_from_each_other() {
        let tokens = ["[UNK]", "a", "##a", "né", "##日"];
        let v = Vocabulary::new(tokens.join("\n")).unwrap();
        assert_eq!(v.len(), 5);
        for (id, token) in (0..).zip(tokens) {
            assert_eq!(v.id(token), Some(id));
            assert_eq!(v.token(id), Some(token));
        }
        assert_eq!(v.id("b"), None);
        assert_eq!(v.id(""), None);
        assert_eq!(v.token(5), None);
        assert_eq!(v.token(u32::MAX), None);
    }

    #[test]
    fn empty_and_repeated_tokens_are_refused() {
        for text in ["", "a\n", "a\n\nb", "a\nb\na"] {
            let read = Vocabulary::new(text.to_owned());
            assert_eq!(read.unwrap_err(), BuiltinError::Vocabulary, "{text:?}");
        }
    }
}
