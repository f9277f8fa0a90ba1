"""Files that are written whole or not at all, and may be read by whom the umask says."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from canner.data import bundle
from canner.text.files import write_atomically, write_lines
from canner.text.vocabulary import Vocabulary


@pytest.fixture
def umask() -> Iterator[int]:
    mask = 0o027
    before = os.umask(mask)
    yield mask
    os.umask(before)


def test_the_umask_says_who_reads_a_file_whatever_writes_it(tmp_path: Path, umask: int) -> None:
    write_lines(tmp_path / "lines", ["a"])
    Vocabulary(["a"]).save(tmp_path / "words.json")
    bundle.save_json(tmp_path / "config.json", {})
    bundle.save_tensors(tmp_path / "model.safetensors", {"a": torch.ones(1)})
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("lines", "words.json", "config.json", "model.safetensors"), 0o666 & ~umask)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError(), KeyboardInterrupt()]
)
def test_what_fails_leaves_the_file_of_before_and_nothing_beside_it(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def write(temporary: Path) -> None:
        temporary.write_text("half")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, write)
    assert (path.read_text(), os.listdir(tmp_path)) == ("before", ["file"])


def test_errors_name_the_file_that_was_to_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for save in (lambda path: write_lines(path, ["a"]), Vocabulary(["a"]).save):
        with pytest.raises(OSError, match="No such file") as absent:
            save(tmp_path / "none" / "file")
        assert absent.value.filename == str(tmp_path / "none" / "file")

    def full(*_: object) -> None:
        raise SafetensorError("No space left")

    monkeypatch.setattr(bundle, "save_file", full)
    with pytest.raises(OSError, match=r"model.safetensors: could not be written .* is the disk full\?"):
        bundle.save_tensors(tmp_path / "model.safetensors", {})
    assert not os.listdir(tmp_path)
