//! Vectors: which are nearest to one.

mod codes;
mod flat;
mod graph;
mod hnsw;
mod kernels;
mod lines;
mod pages;
mod rows;
#[cfg(test)]
mod testing;
mod walk;

use thiserror::Error;

use super::{Bitmap, Scored, Slot};

pub use flat::{FlatIndex, Residency};
pub use graph::HnswSettings;
pub use hnsw::{HnswIndex, VectorIndexKind};
#[cfg(feature = "test-suite")]
pub use kernels::{agree as kernels_agree, agree_f32 as kernels_agree_f32};

/// Finds the vectors nearest to one, by cosine.
pub trait VectorIndex {
    /// Puts a vector of unit length into a slot, replacing what was there. An all-zero vector, which
    /// stands for a text without a known word, is near to nothing.
    ///
    /// # Errors
    /// When the vector has another dimension than those before it, or no numbers.
    fn insert(&mut self, slot: Slot, vector: &[f32]) -> Result<(), VectorError>;

    /// Empties a slot.
    fn remove(&mut self, slot: Slot);

    /// How many vectors it holds.
    fn len(&self) -> usize;

    /// Whether it holds none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dimension of its vectors; `None` while it holds none.
    fn dimension(&self) -> Option<usize>;

    /// The vectors nearest to the one that is looked up, with their cosines as far as above 0, nearest
    /// first; ties by slot.
    ///
    /// # Errors
    /// When the query has another dimension than the vectors.
    fn search(&self, lookup: &Lookup<'_>) -> Result<Vec<Scored>, VectorError>;
}

/// What a search looks for.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// A vector of unit length.
    pub query: &'a [f32],
    /// How many to find.
    pub k: usize,
    /// The slots that may be found; `None` for all.
    pub allowed: Option<&'a Bitmap>,
    /// How many of the first are wanted in the order of the originals: a few more are read, as the index itself
    /// knows the order only nearly. An index without rows reads all that its answer is chosen from.
    pub exact: usize,
    /// The vectors as they were put in; `None` when what the index holds is the last word.
    pub originals: Option<&'a dyn Originals>,
}

impl<'a> Lookup<'a> {
    /// The `k` nearest of all, as far as the index itself can tell.
    pub fn new(query: &'a [f32], k: usize) -> Self {
        Self {
            query,
            k,
            allowed: None,
            exact: k,
            originals: None,
        }
    }

    /// Only among these slots.
    pub fn among(self, allowed: Option<&'a Bitmap>) -> Self {
        Self { allowed, ..self }
    }

    /// With the first `exact` in the order of the originals.
    pub fn by(self, originals: &'a dyn Originals, exact: usize) -> Self {
        Self {
            originals: Some(originals),
            exact,
            ..self
        }
    }
}

/// Where the vectors are kept in the precision in which they came. An index holds them in fewer bits; a search
/// ends with another look at its best.
pub trait Originals {
    /// Calls `take` with the vectors of these slots, in any order, but for those that it does not have.
    fn visit(&self, slots: &[Slot], take: &mut dyn FnMut(Slot, &[f32]));
}

/// No originals: what the index holds is the last word.
#[derive(Debug, Clone, Copy)]
pub struct Forgotten;

impl Originals for Forgotten {
    fn visit(&self, _: &[Slot], _: &mut dyn FnMut(Slot, &[f32])) {}
}

/// Why a vector does not fit an index.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VectorError {
    /// Another dimension than the vectors that are there.
    #[error(
        "the embedder gave {found} dimensions, but this space holds vectors of {expected}: set the \
         embedder back, or name the new one so that its vectors are made anew"
    )]
    Dimension {
        /// Of the vectors that are there.
        expected: usize,
        /// Of the new one.
        found: usize,
    },
    /// A value is not a finite number.
    #[error("the embedder gave a vector with a value that is no number")]
    NotFinite,
}

/// Whether a vector can stand beside those of a dimension, or be the first when there are none.
///
/// # Errors
/// When it has another dimension, or a value that is no number.
pub fn check_vector(vector: &[f32], dimension: Option<usize>) -> Result<(), VectorError> {
    match dimension {
        Some(expected) if vector.len() != expected => Err(VectorError::Dimension {
            expected,
            found: vector.len(),
        }),
        _ if vector.iter().all(|value| value.is_finite()) => Ok(()),
        _ => Err(VectorError::NotFinite),
    }
}
