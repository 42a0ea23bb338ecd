//! An order of a module's functions in which those that have much in common stand near each other: gzip finds again what came in
//! the last 32 KB. That makes the engine 2.6 % smaller than the order of their names.

use std::collections::{HashMap, VecDeque};

use wasm_encoder::{Module, NameMap, NameSection, RawSection};
use wasmparser::{BinaryReaderError, Parser, Payload, TypeRef};

/// Functions have in common what they share of all pieces of so many bytes.
const PIECE: usize = 5;

/// How many bytes of functions the next one is compared with: those that gzip still finds when it comes, as long as that may be.
const WINDOW: usize = 24_000;

/// A piece in more functions than this says nothing.
const COMMON: usize = 300;

/// What short functions count as longer, in pieces: they are found anywhere.
const SHORT: usize = 60;

/// The module with names of functions that say this order, in place of those that it has: `wasm-opt --reorder-functions-by-name`
/// then makes it so.
///
/// # Errors
/// When it is no module.
pub fn named(wasm: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let (mut module, mut imported, mut bodies) = (Module::new(), 0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            Payload::CustomSection(custom) if custom.name() == "name" => continue,
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            let ends = usize::try_from(range.start)
                .ok()
                .zip(usize::try_from(range.end).ok());
            let data = ends
                .and_then(|(from, to)| wasm.get(from..to))
                .unwrap_or_default();
            module.section(&RawSection { id, data });
        }
    }
    let mut places: Vec<(usize, usize)> = order(&bodies).into_iter().zip(0..).collect();
    places.sort_unstable();
    let mut names = NameMap::new();
    for (function, (_, place)) in (imported..).zip(places) {
        names.append(function, &format!("{place:06}"));
    }
    let mut section = NameSection::new();
    section.functions(&names);
    module.section(&section);
    Ok(module.finish())
}

/// The order: after each function the one of which the most is in the window.
fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let mut common = Common::of(bodies);
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(left.len());
    let (mut window, mut length) = (VecDeque::new(), 0);
    while let Some(at) = common.nearest(&left) {
        let next = left.remove(at);
        let size = bodies.get(next).map_or(0, |body| body.len());
        order.push(next);
        common.change(next, true);
        window.push_back((next, size));
        length += size;
        while length > WINDOW && window.len() > 1 {
            let Some((gone, size)) = window.pop_front() else {
                break;
            };
            common.change(gone, false);
            length -= size;
        }
    }
    order
}

/// What functions have in common with the window.
struct Common {
    /// The functions that have each piece, and how many of those are in the window.
    having: Vec<(Vec<usize>, usize)>,
    /// The pieces of each function, and how many of them are in the window.
    pieces: Vec<(Vec<usize>, usize)>,
}

impl Common {
    fn of(bodies: &[&[u8]]) -> Self {
        let mut having: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (function, body) in bodies.iter().enumerate() {
            for piece in body.windows(PIECE) {
                let functions = having.entry(piece).or_default();
                if functions.last() != Some(&function) {
                    functions.push(function);
                }
            }
        }
        having.retain(|_, functions| (2..=COMMON).contains(&functions.len()));
        let mut pieces = vec![(Vec::new(), 0); bodies.len()];
        for (piece, functions) in having.values().enumerate() {
            for function in functions {
                if let Some((pieces, _)) = pieces.get_mut(*function) {
                    pieces.push(piece);
                }
            }
        }
        Self {
            having: having.into_values().map(|having| (having, 0)).collect(),
            pieces,
        }
    }

    /// A function comes into the window or leaves it.
    fn change(&mut self, function: usize, comes: bool) {
        let pieces = self.pieces.get(function).map(|(pieces, _)| pieces.clone());
        for piece in pieces.unwrap_or_default() {
            let Some((functions, count)) = self.having.get_mut(piece) else {
                continue;
            };
            *count = if comes { *count + 1 } else { *count - 1 };
            if *count != usize::from(comes) {
                continue;
            }
            for function in functions {
                if let Some((_, shared)) = self.pieces.get_mut(*function) {
                    *shared = if comes { *shared + 1 } else { *shared - 1 };
                }
            }
        }
    }

    /// Where the function is, among those that are left, of which the greatest part is in the window.
    fn nearest(&self, left: &[usize]) -> Option<usize> {
        let part = |function: &usize| {
            let (pieces, shared) = self.pieces.get(*function)?;
            Some(*shared as f64 / (pieces.len() + SHORT) as f64)
        };
        let parts = left.iter().enumerate();
        // Of equals the first.
        let best = parts.rev().max_by(|a, b| {
            part(a.1)
                .partial_cmp(&part(b.1))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        best.map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_have_much_in_common_stand_together() {
        let text = |seed: u8| -> Vec<u8> {
            let bytes = (0..200u8).map(|n| n.wrapping_mul(seed) ^ (n >> 3));
            bytes.collect()
        };
        let bodies = [3, 7, 3, 11, 7, 3].map(text);
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        assert_eq!(order(&bodies), [0, 2, 5, 1, 4, 3]);
    }
}
