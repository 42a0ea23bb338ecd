//! The builtin embedder: a table of token vectors, distilled from all-MiniLM-L6-v2.
//!
//! A text's vector is the sum of its tokens' vectors, made unit length: microseconds a text, no
//! network, no model to run. The weights come as one file (`models/builtin.bin` of the
//! repository), which the host loads as an asset; `models/README.md` says how it is made and what
//! it measures.

mod file;
mod tokenizer;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use futures_util::future::{LocalBoxFuture, ready};
use thiserror::Error;

use self::file::{Contents, Table};
pub use self::tokenizer::Tokenizer;
pub use self::vocabulary::Vocabulary;
use super::{Embedder, ModelError};

/// Why a file is not a static embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BuiltinError {
    /// It is some other file.
    #[error("not a file of the builtin embedder")]
    NotATable,
    /// It was made for another version of this program.
    #[error("the builtin embedder's file has format {found}; this program reads format 1")]
    Version {
        /// The version that the file states.
        found: u32,
    },
    /// It was cut short or changed.
    #[error("the builtin embedder's file is damaged")]
    Damaged,
    /// Its vocabulary has an empty token, one token twice, no `[UNK]`, or not a row for each.
    #[error("the builtin embedder's vocabulary is inconsistent")]
    Vocabulary,
}

/// An embedder that looks tokens up and adds their vectors.
///
/// The same text has the same vector, bit for bit, on every host: all sums are plain f32 additions
/// in a fixed order.
#[derive(Debug, Clone)]
pub struct StaticEmbedder {
    name: String,
    tokenizer: Tokenizer,
    table: Table,
}

impl StaticEmbedder {
    /// Reads the file; its bytes are kept and not copied.
    ///
    /// # Errors
    /// See [`BuiltinError`].
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, BuiltinError> {
        let Contents {
            name,
            vocabulary,
            table,
        } = file::read(bytes.into())?;
        let vocabulary = Vocabulary::new(vocabulary)?;
        if vocabulary.len() != table.tokens() {
            return Err(BuiltinError::Vocabulary);
        }
        Ok(StaticEmbedder {
            name,
            tokenizer: Tokenizer::new(vocabulary)?,
            table,
        })
    }

    /// The length of every vector.
    pub fn dimensions(&self) -> usize {
        self.table.dimensions()
    }

    /// The tokenizer, which is that of the original model.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The vector of a text: of unit length, or all zero when no token of it says anything.
    pub fn embed_one(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0; self.dimensions()];
        for token in self.tokenizer.encode(text) {
            self.table.add(token, &mut sum);
        }
        let norm = sum.iter().fold(0.0, |total, x| total + x * x).sqrt();
        if norm > 0.0 {
            sum.iter_mut().for_each(|x| *x /= norm);
        }
        sum
    }
}

impl Embedder for StaticEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> {
        let vectors = texts.iter().map(|text| self.embed_one(text)).collect();
        Box::pin(ready(Ok(vectors)))
    }

    /// Its vocabulary is English: of other scripts it has characters, not words.
    fn knows(&self, text: &str) -> bool {
        let letters = || text.chars().filter(|c| c.is_alphabetic());
        letters().filter(char::is_ascii).count() * 2 >= letters().count()
    }
}
