//! Pages: many small things in one record, read at once.
//!
//! A page is a version byte, the CRC-32 of its body (little-endian) and the body. Pages repeat what other
//! records hold in a form that loads quickly: one that is damaged, or of another version, costs the time to
//! make it anew and nothing else.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::compact::crc32;

/// The version that is written.
pub const PAGE_VERSION: u8 = 4;

/// Why a page cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PageError {
    /// Written by another edgemem.
    #[error("page {key} has format {version}, this edgemem reads {PAGE_VERSION}")]
    Version {
        /// The key.
        key: String,
        /// Its version.
        version: u8,
    },
    /// Not what was written.
    #[error("page {key} is damaged")]
    Damaged {
        /// The key.
        key: String,
    },
    /// It should be there.
    #[error("a page is missing: there are {found} of {expected}")]
    Missing {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

/// Makes a page of a body.
pub fn seal(body: &[u8]) -> Vec<u8> {
    let mut page = Vec::with_capacity(5 + body.len());
    page.push(PAGE_VERSION);
    page.extend(crc32(body).to_le_bytes());
    page.extend_from_slice(body);
    page
}

/// The body of a page.
///
/// # Errors
/// When it is of another version, or not what was written.
pub fn unseal<'a>(key: &str, page: &'a [u8]) -> Result<&'a [u8], PageError> {
    match page.split_first() {
        Some((&PAGE_VERSION, rest)) => match rest.split_first_chunk::<4>() {
            Some((sum, body)) if crc32(body).to_le_bytes() == *sum => Ok(body),
            _ => Err(damaged(key)),
        },
        Some((&version, _)) => Err(PageError::Version {
            key: key.to_owned(),
            version,
        }),
        None => Err(damaged(key)),
    }
}

/// Makes a page of a value.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    // Nothing that is put on pages can fail to be written: there is no I/O, and no map of unknown length.
    seal(&postcard::to_allocvec(value).unwrap_or_default())
}

/// Reads the value of a page.
///
/// # Errors
/// When it is of another version, or not what was written.
pub fn decode<'a, T: Deserialize<'a>>(key: &str, page: &'a [u8]) -> Result<T, PageError> {
    postcard::from_bytes(unseal(key, page)?).map_err(|_| damaged(key))
}

/// A page that cannot be what was written.
pub fn damaged(key: &str) -> PageError {
    PageError::Damaged {
        key: key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_of_a_page_goes_unnoticed() {
        let page = encode(&("words", 7u32));
        assert_eq!(decode("p", &page), Ok(("words", 7u32)));
        for length in 0..page.len() {
            assert_eq!(
                decode::<(&str, u32)>("p", &page[..length]),
                Err(damaged("p"))
            );
        }
        for at in 1..page.len() {
            let mut page = page.clone();
            page[at] ^= 4;
            assert_eq!(decode::<(&str, u32)>("p", &page), Err(damaged("p")));
        }
        let future = [&[PAGE_VERSION + 1], &page[1..]].concat();
        assert!(matches!(
            decode::<(&str, u32)>("p", &future),
            Err(PageError::Version { .. })
        ));
    }
}
