"""Bundles: a folder with `config.json`, weights and vocabularies, each file whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import Module

from canner.text.config import Config
from canner.text.files import write_atomically

C = TypeVar("C", bound=Config)
T = TypeVar("T")
_REMEDY = "install a newer canner, or copy the bundle again"

FORMAT = 3
"""The newest format of bundles that this version reads, and the one that it writes."""


def read_bundle_config(folder: str | Path, kind: str) -> dict[str, Any]:
    """The `config.json` of a bundle.

    Args:
        folder: the bundle.
        kind: what it must be: tagger, translator, aligner, gloss, charlm, vectors, transformer.

    Raises:
        ValueError: if there is no bundle, or it is of another kind or of a newer format.
    """
    config = _read_config(folder)
    found = config.get("kind")
    if found != kind:
        raise ValueError(f"{folder}: expected a bundle of kind {kind!r}, got {found!r}")
    if not isinstance(config.get("format"), int) or config["format"] > FORMAT:
        raise ValueError(
            f"{folder}: expected format {FORMAT} or older, got {config.get('format')!r}; "
            "the bundle was made by a newer canner: install that version"
        )
    return config


def bundle_kind(folder: str | Path) -> str | None:
    """The kind of a bundle, as in `read_bundle_config`; None: the folder is a checkpoint of `transformers`, say.

    Raises:
        ValueError: if there is no bundle.
    """
    return _read_config(folder).get("kind")


def _read_config(folder: str | Path) -> dict[str, Any]:
    path = Path(folder) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{folder}: expected a bundle, found no config.json; check the path") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, got {error}; the file is damaged: copy it again") from None
    if not isinstance(config, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(config).__name__}; is it a bundle?")
    return config


def config_of(kind: type[C], values: Any, path: Path) -> C:
    """A configuration from part of a bundle's `config.json`.

    Args:
        kind: of configuration.
        values: as read.
        path: of the file, for the message.

    Raises:
        ValueError: if the values are no such configuration; names the file and the first key that is wrong.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected the keys of {kind.__name__}, got {values!r:.60}; {_REMEDY}")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise ValueError(
            f"{path}: expected a valid {kind.__name__}, got {f'{key}: ' if key else ''}{reason}; {_REMEDY}"
        ) from None


def reference_to(path: str | Path, folder: str | Path) -> str:
    """How a bundle in `folder` writes down where another is: relative, so that both can move together (decision 0010).

    Links on the way are kept. If `folder` is reached through one, so that the way back leads elsewhere, it is the
    way from where the folder really is.
    """
    direct = os.path.relpath(path, folder)
    if _real(os.path.join(_real(folder), direct)) != _real(path):
        direct = os.path.relpath(path, _real(folder))
    return Path(direct).as_posix()


def referred_to(reference: str, folder: str | Path) -> Path:
    """Where a path that a bundle in `folder` wrote down leads, as seen from here.

    As the path to `folder` says; if nothing is there and `folder` is a link, from where the folder really is.
    """
    direct = Path(os.path.normpath(Path(folder) / reference))
    real = Path(os.path.normpath(os.path.join(_real(folder), reference)))
    return real if not _is_something(direct) and _is_something(real) else direct


def _real(path: str | Path) -> str:
    """Where a path really is; ".." goes up from where it is written, not from where a link leads."""
    return os.path.realpath(os.path.normpath(path))


def _is_something(path: Path) -> bool:
    """Whether a bundle or a file is there."""
    return path.is_file() or (path / "config.json").is_file()


def read_bundle_file(path: Path, load: Callable[[Path], T]) -> T:
    """What `load` makes of a file of a bundle.

    Raises:
        ValueError: if there is no such file, it is no JSON, or what `load` says; names the file.
    """
    if not path.exists():
        raise ValueError(f"{path}: expected this file in the bundle, found none; copy the bundle again")
    try:
        return load(path)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, got {error}; the file is damaged: copy it again") from None
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path}: {error}") from None


def save_text(path: Path, text: str) -> None:
    """Writes UTF-8 text, whole or not at all; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def save_json(path: Path, value: Any) -> None:
    """Writes JSON, whole or not at all; makes the folder."""
    save_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Writes tensors as safetensors, whole or not at all; makes the folder. Those that share memory are written each.

    Raises:
        OSError: the disk is full.
    """
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_atomically(path, lambda temporary: save_file(own, temporary, metadata))
    except SafetensorError as error:  # how safetensors reports a disk that is full
        raise OSError(f"{path}: could not be written ({error}); is the disk full?") from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Reads tensors.

    Raises:
        ValueError: the file is missing, truncated or not safetensors.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise ValueError(f"{path}: expected weights, found no such file; is the folder a bundle?") from None
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path}: expected whole safetensors, got {error}; the file is damaged: copy it again"
        ) from None


def fill_weights(model: Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Gives a model its weights.

    Args:
        model: fresh.
        weights: by name.
        path: of the file that they come from, for messages.

    Raises:
        ValueError: they are those of another model.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: expected the weights of the model in config.json, got others ({reason}); the files are of "
            "different bundles"
        ) from None
