//! The file of a static embedder.
//!
//! All numbers are little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `EMSTATIC` |
//! | 4 | version of the format: 1 |
//! | 4 | CRC-32 (IEEE) of all that follows |
//! | 4 | dimensions `d`, even |
//! | 4 | tokens `n` |
//! | 4 | bytes of the name `a` |
//! | 4 | bytes of the vocabulary `v` |
//! | a | the embedder's name, UTF-8 |
//! | v | the tokens in order of their ids, UTF-8, joined by newlines |
//! | 4 n | the scale of each row, f32 in 0 to 1; 0 for a token that says nothing |
//! | n d / 2 | the rows: four bits a value, the even dimension in the low half, 8 standing for 0 |
//!
//! A value is its four bits less 8, times its row's scale.

use std::borrow::Cow;
use std::ops::Range;

use super::BuiltinError;
use crate::compact::crc32;

const MAGIC: &[u8] = b"EMSTATIC";
const VERSION: u32 = 1;
/// What four bits hold for the value 0.
const ZERO: u8 = 8;
/// More would be another kind of model.
const MOST_DIMENSIONS: usize = 4096;

/// The rows of the table, kept as they are in the file.
#[derive(Debug, Clone)]
pub(super) struct Table {
    bytes: Cow<'static, [u8]>,
    rows: Range<usize>,
    scales: Vec<f32>,
    dimensions: usize,
}

/// All that a file holds.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) name: String,
    pub(super) vocabulary: String,
    pub(super) table: Table,
}

/// Reads and checks a whole file.
pub(super) fn read(bytes: Cow<'static, [u8]>) -> Result<Contents, BuiltinError> {
    let mut reader = Reader {
        bytes: &bytes,
        at: 0,
    };
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(BuiltinError::NotATable);
    }
    let version = reader.number()?;
    if version != VERSION {
        return Err(BuiltinError::Version { found: version });
    }
    let checksum = reader.number()?;
    let body = bytes.get(reader.at..).unwrap_or_default();
    if crc32(body) != checksum {
        return Err(BuiltinError::Damaged);
    }
    let dimensions = reader.size()?;
    let tokens = reader.size()?;
    let name_length = reader.size()?;
    let vocabulary_length = reader.size()?;
    if dimensions == 0 || dimensions % 2 != 0 || dimensions > MOST_DIMENSIONS {
        return Err(BuiltinError::Damaged);
    }
    let name = reader.text(name_length)?;
    let vocabulary = reader.text(vocabulary_length)?;
    let scales = reader.take(tokens.checked_mul(4).ok_or(BuiltinError::Damaged)?)?;
    let scales = scales
        .chunks_exact(4)
        .map(scale)
        .collect::<Result<_, _>>()?;
    let start = reader.at;
    reader.take(
        tokens
            .checked_mul(dimensions / 2)
            .ok_or(BuiltinError::Damaged)?,
    )?;
    let rows = start..reader.at;
    if rows.end != bytes.len() {
        return Err(BuiltinError::Damaged);
    }
    let table = Table {
        bytes,
        rows,
        scales,
        dimensions,
    };
    Ok(Contents {
        name,
        vocabulary,
        table,
    })
}

fn scale(bytes: &[u8]) -> Result<f32, BuiltinError> {
    let bytes = bytes.try_into().map_err(|_| BuiltinError::Damaged)?;
    let scale = f32::from_le_bytes(bytes);
    let in_range = (0.0..=1.0).contains(&scale);
    in_range.then_some(scale).ok_or(BuiltinError::Damaged)
}

impl Table {
    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub(super) fn tokens(&self) -> usize {
        self.scales.len()
    }

    /// Adds the vector of a token to `sum`.
    pub(super) fn add(&self, token: u32, sum: &mut [f32]) {
        let Some((scale, row)) = self.row(token) else {
            return;
        };
        if scale == 0.0 {
            return;
        }
        for (pair, &packed) in sum.chunks_exact_mut(2).zip(row) {
            if let [even, odd] = pair {
                *even += scale * value(packed & 0xf);
                *odd += scale * value(packed >> 4);
            }
        }
    }

    fn row(&self, token: u32) -> Option<(f32, &[u8])> {
        let at = usize::try_from(token).ok()?;
        let scale = *self.scales.get(at)?;
        let width = self.dimensions / 2;
        let rows = self.bytes.get(self.rows.clone())?;
        Some((scale, rows.get(at * width..(at + 1) * width)?))
    }
}

fn value(bits: u8) -> f32 {
    f32::from(bits) - f32::from(ZERO)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], BuiltinError> {
        let end = self.at.checked_add(length).ok_or(BuiltinError::Damaged)?;
        let taken = self.bytes.get(self.at..end).ok_or(BuiltinError::Damaged)?;
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, BuiltinError> {
        let bytes = self.take(4)?.try_into();
        Ok(u32::from_le_bytes(
            bytes.map_err(|_| BuiltinError::Damaged)?,
        ))
    }

    fn size(&mut self) -> Result<usize, BuiltinError> {
        usize::try_from(self.number()?).map_err(|_| BuiltinError::Damaged)
    }

    fn text(&mut self, length: usize) -> Result<String, BuiltinError> {
        let text = std::str::from_utf8(self.take(length)?);
        Ok(text.map_err(|_| BuiltinError::Damaged)?.to_owned())
    }
}
