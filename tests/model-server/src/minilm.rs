//! all-MiniLM-L6-v2 on the CPU: a BERT encoder of six layers, mean pooled, unit length.
//!
//! Texts of a batch stand one after another in one matrix, without padding: the linear layers see
//! all tokens at once, and attention runs over each text's own rows.

use std::ops::Range;
use std::path::Path;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis, s};
use safetensors::SafeTensors;

use crate::Error;

mod words;

use words::WordPieces;

/// The name that clients see.
pub const NAME: &str = "all-MiniLM-L6-v2";

const HEADS: usize = 12;
const LAYERS: usize = 6;
/// Tokens of a text that are read, with the two marks around them.
const MAX_TOKENS: usize = 256;
/// Tokens that one thread works on at a time: enough for the matrix product, small enough for its cache.
const BATCH_TOKENS: usize = 512;

/// The encoder and its vocabulary.
pub struct MiniLm {
    words: WordPieces,
    tokens: Array2<f32>,
    positions: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    output_norm: Norm,
    up: Linear,
    down: Linear,
    down_norm: Norm,
}

/// `x · weight + bias`.
struct Linear {
    weight: Array2<f32>,
    bias: Array1<f32>,
}

/// Layer normalisation.
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
}

impl MiniLm {
    /// Reads `model.safetensors` and `vocab.txt` in `folder`.
    ///
    /// # Errors
    /// [`Error::Weights`] when a file is missing or is not this model.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Weights {
            path: folder.to_owned(),
            reason,
        };
        let vocabulary = std::fs::read_to_string(folder.join("vocab.txt"))
            .map_err(|e| wrong(format!("vocab.txt: {e}")))?;
        let bytes = std::fs::read(folder.join("model.safetensors"))
            .map_err(|e| wrong(format!("model.safetensors: {e}")))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| wrong(e.to_string()))?;
        Self::assemble(&Tensors(&file), &vocabulary).map_err(wrong)
    }

    fn assemble(tensors: &Tensors<'_>, vocabulary: &str) -> Result<Self, String> {
        let kinds = tensors.matrix("embeddings.token_type_embeddings.weight")?;
        // Every token is of the first kind, so its vector joins the positions'.
        let positions = tensors.matrix("embeddings.position_embeddings.weight")? + kinds.row(0);
        Ok(Self {
            words: WordPieces::new(vocabulary)?,
            tokens: tensors.matrix("embeddings.word_embeddings.weight")?,
            positions,
            norm: tensors.norm("embeddings.LayerNorm")?,
            layers: (0..LAYERS)
                .map(|number| Layer::read(tensors, &format!("encoder.layer.{number}")))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The vectors of texts, each of 384 numbers and unit length.
    pub fn embed(&self, texts: &[String]) -> Vec<Vec<f32>> {
        let tokens: Vec<Vec<usize>> = texts
            .iter()
            .map(|text| self.words.tokens(text, MAX_TOKENS))
            .collect();
        let mut batches: Vec<&[Vec<usize>]> = Vec::new();
        let mut rest = tokens.as_slice();
        while !rest.is_empty() {
            let mut sum = 0;
            let fitting = rest.iter().take_while(|text| {
                sum += text.len();
                sum <= BATCH_TOKENS
            });
            let (batch, after) = rest.split_at(fitting.count().max(1));
            batches.push(batch);
            rest = after;
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = batches.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let workers: Vec<_> = batches
                .chunks(share)
                .map(|mine| {
                    scope.spawn(move || {
                        mine.iter()
                            .flat_map(|batch| self.encode(batch))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_default())
                .collect()
        })
    }

    fn encode(&self, texts: &[Vec<usize>]) -> Vec<Vec<f32>> {
        let mut spans: Vec<Range<usize>> = Vec::with_capacity(texts.len());
        let mut end = 0;
        for text in texts {
            spans.push(end..end + text.len());
            end += text.len();
        }
        let ids: Vec<usize> = texts.concat();
        let places: Vec<usize> = texts.iter().flat_map(|text| 0..text.len()).collect();
        let mut x = self.tokens.select(Axis(0), &ids) + self.positions.select(Axis(0), &places);
        self.norm.apply(&mut x);
        for layer in &self.layers {
            x = layer.apply(x, &spans);
        }
        spans
            .iter()
            .map(|span| pooled(x.slice(s![span.clone(), ..])))
            .collect()
    }
}

impl Layer {
    fn read(tensors: &Tensors<'_>, name: &str) -> Result<Self, String> {
        let linear = |part: &str| tensors.linear(&format!("{name}.{part}"));
        let norm = |part: &str| tensors.norm(&format!("{name}.{part}.LayerNorm"));
        Ok(Self {
            query: linear("attention.self.query")?,
            key: linear("attention.self.key")?,
            value: linear("attention.self.value")?,
            output: linear("attention.output.dense")?,
            output_norm: norm("attention.output")?,
            up: linear("intermediate.dense")?,
            down: linear("output.dense")?,
            down_norm: norm("output")?,
        })
    }

    fn apply(&self, x: Array2<f32>, spans: &[Range<usize>]) -> Array2<f32> {
        let mut x = self.output.apply(&self.attention(&x, spans)) + x;
        self.output_norm.apply(&mut x);
        let mut wide = self.up.apply(&x);
        wide.mapv_inplace(gelu);
        let mut out = self.down.apply(&wide) + x;
        self.down_norm.apply(&mut out);
        out
    }

    /// Scaled dot-product attention of each text over itself, head by head.
    fn attention(&self, x: &Array2<f32>, spans: &[Range<usize>]) -> Array2<f32> {
        let (query, key, value) = (self.query.apply(x), self.key.apply(x), self.value.apply(x));
        let width = x.ncols() / HEADS;
        let scale = 1.0 / (width as f32).sqrt();
        let mut mixed = Array2::zeros(x.raw_dim());
        for span in spans {
            for head in 0..HEADS {
                let part = s![span.clone(), head * width..(head + 1) * width];
                let mut weights = query.slice(part).dot(&key.slice(part).t()) * scale;
                weights.rows_mut().into_iter().for_each(softmax);
                mixed
                    .slice_mut(part)
                    .assign(&weights.dot(&value.slice(part)));
            }
        }
        mixed
    }
}

impl Linear {
    fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        x.dot(&self.weight) + &self.bias
    }
}

impl Norm {
    fn apply(&self, x: &mut Array2<f32>) {
        for mut row in x.rows_mut() {
            let size = row.len() as f32;
            let mean = row.sum() / size;
            row -= mean;
            let deviation = (row.dot(&row) / size + 1e-12).sqrt();
            row /= deviation;
            row *= &self.weight;
            row += &self.bias;
        }
    }
}

fn softmax(mut row: ArrayViewMut1<'_, f32>) {
    let top = row.fold(f32::NEG_INFINITY, |top, &value| top.max(value));
    row.mapv_inplace(|value| (value - top).exp());
    let sum = row.sum();
    row /= sum;
}

/// The exact form, by the error function: what the model was trained with.
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The mean of the rows, at unit length.
fn pooled(rows: ArrayView2<'_, f32>) -> Vec<f32> {
    let mut mean = rows.sum_axis(Axis(0));
    let length = mean.dot(&mean).sqrt().max(f32::MIN_POSITIVE);
    mean /= length;
    mean.to_vec()
}

/// The weights by name.
struct Tensors<'a>(&'a SafeTensors<'a>);

impl Tensors<'_> {
    fn numbers(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        let tensor = self.0.tensor(name).map_err(|e| e.to_string())?;
        if tensor.dtype() != safetensors::Dtype::F32 {
            return Err(format!("{name} is not f32"));
        }
        let (words, _) = tensor.data().as_chunks::<4>();
        Ok((
            tensor.shape().to_vec(),
            words.iter().map(|word| f32::from_le_bytes(*word)).collect(),
        ))
    }

    fn matrix(&self, name: &str) -> Result<Array2<f32>, String> {
        let (shape, numbers) = self.numbers(name)?;
        let [rows, columns] = shape.as_slice() else {
            return Err(format!("{name} is not a matrix"));
        };
        Array2::from_shape_vec((*rows, *columns), numbers).map_err(|e| format!("{name}: {e}"))
    }

    fn vector(&self, name: &str) -> Result<Array1<f32>, String> {
        Ok(self.numbers(name)?.1.into())
    }

    fn linear(&self, name: &str) -> Result<Linear, String> {
        Ok(Linear {
            weight: self.matrix(&format!("{name}.weight"))?.reversed_axes(),
            bias: self.vector(&format!("{name}.bias"))?,
        })
    }

    fn norm(&self, name: &str) -> Result<Norm, String> {
        Ok(Norm {
            weight: self.vector(&format!("{name}.weight"))?,
            bias: self.vector(&format!("{name}.bias"))?,
        })
    }
}
