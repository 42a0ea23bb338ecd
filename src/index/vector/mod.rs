//! Vectors: which are nearest to one.

mod codes;
mod flat;
mod graph;
mod hnsw;
mod kernels;
mod pages;
mod rows;
#[cfg(test)]
mod testing;

use thiserror::Error;

use super::{Bitmap, Scored, Slot};

pub use flat::FlatIndex;
pub use graph::HnswSettings;
pub use hnsw::{HnswIndex, VectorIndexKind};
#[cfg(feature = "test-suite")]
pub use kernels::agree as kernels_agree;

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

    /// The `k` vectors nearest to `query` among the slots that are `allowed` (all when `None`), with
    /// their cosines as far as above 0, nearest first; ties by slot.
    ///
    /// # Errors
    /// When the query has another dimension than the vectors.
    fn search(
        &self,
        query: &[f32],
        k: usize,
        allowed: Option<&Bitmap>,
    ) -> Result<Vec<Scored>, VectorError>;
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
