//! WordPiece as BERT's uncased models have it.
//!
//! A text is cleaned (control characters out, every white space a space), Chinese characters are
//! set apart, accents are stripped (NFD without nonspacing marks), letters are made small; the
//! words are cut at white space and around punctuation; and each word becomes the longest tokens
//! that match from its left, all but the first marked `##` (Wu et al. 2016, arXiv:1609.08144 §4.1;
//! Devlin et al. 2019). A name of a special token in a text, `[MASK]`, is text like any other.

use super::BuiltinError;
use super::vocabulary::{Hash, Vocabulary};
use crate::compact::{self, is_nonspacing_mark, is_other, lower, nfd};

/// A longer word, in characters, is unknown as a whole.
const LONGEST_WORD: usize = 100;
const CONTINUATION: &str = "##";
const UNKNOWN: &str = "[UNK]";

/// Cuts texts into tokens of a [`Vocabulary`].
#[derive(Debug, Clone)]
pub struct Tokenizer {
    vocabulary: Vocabulary,
    unknown: u32,
}

impl Tokenizer {
    /// A tokenizer with this vocabulary.
    ///
    /// # Errors
    /// [`BuiltinError::Vocabulary`] when the vocabulary has no `[UNK]`.
    pub fn new(vocabulary: Vocabulary) -> Result<Self, BuiltinError> {
        let unknown = vocabulary.id(UNKNOWN).ok_or(BuiltinError::Vocabulary)?;
        Ok(Tokenizer {
            vocabulary,
            unknown,
        })
    }

    /// The vocabulary.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The ids of a text's tokens, without `[CLS]` and `[SEP]`; `[UNK]` for each unknown word.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4);
        let mut word = String::new();
        for c in normalised(text) {
            if c.is_whitespace() {
                self.flush(&mut word, &mut ids);
            } else if is_punctuation(c) {
                self.flush(&mut word, &mut ids);
                word.push(c);
                self.flush(&mut word, &mut ids);
            } else {
                word.push(c);
            }
        }
        self.flush(&mut word, &mut ids);
        ids
    }

    /// Ends a word: its tokens go to `ids`.
    fn flush(&self, word: &mut String, ids: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        let before = ids.len();
        if word.chars().count() > LONGEST_WORD || self.pieces(word, ids).is_none() {
            ids.truncate(before);
            ids.push(self.unknown);
        }
        word.clear();
    }

    /// The longest tokens from the left; `None` when some rest of the word matches no token.
    fn pieces(&self, word: &str, ids: &mut Vec<u32>) -> Option<()> {
        let mut rest = word;
        let mut prefix = "";
        while !rest.is_empty() {
            let (id, length) = self.longest_match(prefix, rest)?;
            ids.push(id);
            rest = rest.get(length..)?;
            prefix = CONTINUATION;
        }
        Some(())
    }

    /// The longest token that is `prefix` and a start of `rest`, with the bytes of that start.
    fn longest_match(&self, prefix: &str, rest: &str) -> Option<(u32, usize)> {
        let mut hash = Hash::START.and(prefix.as_bytes());
        let mut found = None;
        for (start, c) in rest.char_indices() {
            let end = start + c.len_utf8();
            if prefix.len() + end > self.vocabulary.longest() {
                break;
            }
            hash = hash.and(rest.get(start..end)?.as_bytes());
            if let Some(id) = self.vocabulary.find(prefix, rest.get(..end)?, hash) {
                found = Some((id, end));
            }
        }
        found
    }
}

/// The characters of a text after cleaning, setting apart, stripping and lower-casing.
fn normalised(text: &str) -> impl Iterator<Item = char> + '_ {
    let cleaned = text.chars().filter(|&c| !is_dropped(c)).flat_map(|c| {
        let gap = is_chinese(c).then_some(' ');
        gap.into_iter().chain([c]).chain(gap)
    });
    nfd(cleaned)
        .filter(|&c| c.is_ascii() || !is_nonspacing_mark(c))
        .flat_map(lower)
}

/// NUL, the replacement character, and all that Unicode calls "other" except white space.
fn is_dropped(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        _ if c.is_ascii() => c.is_ascii_control(),
        _ => c == '\u{fffd}' || is_other(c),
    }
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_punctuation()
    } else {
        compact::is_punctuation(c)
    }
}

/// The blocks of CJK ideographs, as BERT's tokenizer lists them.
fn is_chinese(c: char) -> bool {
    matches!(
        u32::from(c),
        0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xF900..=0xFAFF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2B73F
            | 0x2B740..=0x2B81F
            | 0x2B920..=0x2CEAF
            | 0x2F800..=0x2FA1F
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let vocabulary = "[UNK]\nun\n##aff\n##able\n##a\ncafe\n,\n!\n日\n本\na\naa";
        let tokenizer = Tokenizer::new(Vocabulary::new(vocabulary.to_owned()).unwrap()).unwrap();
        let token = |id: &u32| tokenizer.vocabulary().token(*id).unwrap().to_owned();
        tokenizer.encode(text).iter().map(token).collect()
    }

    #[test]
    fn words_become_the_longest_tokens_from_the_left() {
        assert_eq!(tokens("Unaffable"), ["un", "##aff", "##able"]);
        assert_eq!(tokens("aaa"), ["aa", "##a"]);
    }

    #[test]
    fn a_word_that_does_not_match_to_its_end_is_unknown_as_a_whole() {
        assert_eq!(tokens("una un unz"), ["un", "##a", "un", "[UNK]"]);
        assert_eq!(tokens(&"a".repeat(101)), ["[UNK]"]);
        assert_eq!(tokens(&"a".repeat(100)).len(), 99);
    }

    #[test]
    fn accents_case_and_control_characters_do_not_matter() {
        for text in [
            "café",
            "CAFE\u{301}",
            "ca\u{0}f\u{200d}e",
            " \tcafe\r\n",
            "ca\u{fffd}fe",
        ] {
            assert_eq!(tokens(text), ["cafe"], "{text:?}");
        }
    }

    #[test]
    fn punctuation_and_ideographs_stand_alone() {
        assert_eq!(tokens("un,cafe!!"), ["un", ",", "cafe", "!", "!"]);
        assert_eq!(tokens("un日本un"), ["un", "日", "本", "un"]);
    }

    #[test]
    fn nothing_has_no_tokens() {
        assert!(tokens("").is_empty());
        assert!(tokens(" \u{3000}\n\u{0}").is_empty());
    }

    #[test]
    fn a_vocabulary_needs_a_token_for_the_unknown() {
        let vocabulary = Vocabulary::new("a\nb".to_owned()).unwrap();
        assert_eq!(
            Tokenizer::new(vocabulary).unwrap_err(),
            BuiltinError::Vocabulary
        );
    }
}
