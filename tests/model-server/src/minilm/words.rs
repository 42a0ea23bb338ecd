//! BERT's uncased word pieces: the words of a text, each as the longest known pieces.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Words longer than this, in characters, are unknown as a whole.
const LONGEST_WORD: usize = 100;

/// A vocabulary.
pub(super) struct WordPieces {
    ids: HashMap<String, usize>,
    start: usize,
    end: usize,
    unknown: usize,
}

impl WordPieces {
    /// From `vocab.txt`: one piece a line, its number the line's.
    pub(super) fn new(vocabulary: &str) -> Result<Self, String> {
        let ids: HashMap<String, usize> = vocabulary
            .lines()
            .enumerate()
            .map(|(id, piece)| (piece.to_owned(), id))
            .collect();
        let special = |name: &str| {
            ids.get(name)
                .copied()
                .ok_or_else(|| format!("vocab.txt has no {name}"))
        };
        Ok(Self {
            start: special("[CLS]")?,
            end: special("[SEP]")?,
            unknown: special("[UNK]")?,
            ids,
        })
    }

    /// The pieces of `text` between the start and end marks, `limit` at most.
    pub(super) fn tokens(&self, text: &str, limit: usize) -> Vec<usize> {
        let mut tokens = vec![self.start];
        for word in words(text) {
            if tokens.len() >= limit {
                break;
            }
            self.split(&word, &mut tokens);
        }
        tokens.truncate(limit.saturating_sub(1));
        tokens.push(self.end);
        tokens
    }

    fn split(&self, word: &str, tokens: &mut Vec<usize>) {
        let before = tokens.len();
        let mut rest = word;
        let mut piece = String::new();
        if word.chars().count() > LONGEST_WORD {
            tokens.push(self.unknown);
            return;
        }
        while !rest.is_empty() {
            let known = rest.char_indices().rev().find_map(|(at, last)| {
                let (head, tail) = rest.split_at(at + last.len_utf8());
                piece.clear();
                if tokens.len() > before {
                    piece.push_str("##");
                }
                piece.push_str(head);
                Some((*self.ids.get(&piece)?, tail))
            });
            let Some((id, tail)) = known else {
                tokens.truncate(before);
                tokens.push(self.unknown);
                return;
            };
            tokens.push(id);
            rest = tail;
        }
    }
}

/// Lower-case words without accents; punctuation marks and CJK characters stand alone.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let folded = text
        .nfd()
        .filter(|c| c.general_category() != GeneralCategory::NonspacingMark);
    for c in folded.flat_map(char::to_lowercase) {
        if c.is_whitespace() {
            words.push(String::new());
        } else if c == '\0'
            || c == '\u{fffd}'
            || c.general_category_group() == GeneralCategoryGroup::Other
        {
        } else if is_cjk(c) || is_punctuation(c) {
            words.push(c.to_string());
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

fn is_cjk(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F
        | 0x2B740..=0x2B81F | 0x2B920..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}
