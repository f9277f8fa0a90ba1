"""Experiments as TOML: reading, `--set a.b=c`, writing in full."""

from __future__ import annotations

import contextlib
import copy
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel

FREE_KEYS = ("types", "paper", "grid", "change", "domain_limits")
"""Settings whose keys are names of the user's own: they are set as a whole."""


def read_toml(path: Path) -> dict[str, Any]:
    """Raises: ValueError if the file is missing or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"expected a configuration file, got no file {path}; `canner recipe` prints one to start from"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected TOML in {path}, got a syntax error: {error}") from None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        ValueError: if the file is missing or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, got {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def parse_assignment(text: str) -> tuple[str, Any]:
    """`a.b=c` as a dotted key and a value; the value is TOML where it is valid TOML, else text.

    Raises:
        ValueError: if there is no `=` or no key.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ValueError(f"expected key=value, got {text!r}; for example --set training.max_epochs=20")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def override(values: Mapping[str, Any], assignments: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `values` with dotted keys set; a table sets its keys, and leaves the others (`dotted_keys`).

    Raises:
        ValueError: if a dotted key goes through something that is not a table.
    """
    result = copy.deepcopy(dict(values))
    for dotted, value in dotted_keys(assignments).items():
        table = result
        *parents, last = dotted.split(".")
        for parent in parents:
            inner = table.get(parent)
            if inner is None:
                inner = table[parent] = {}
            if not isinstance(inner, dict):
                raise ValueError(f"expected a table at {parent!r} of {dotted!r}, got {inner!r}")
            table = inner
        table[last] = value
    return result


def dotted_keys(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Tables within tables as dotted keys, so that `{"a": {"b": 1}}` and `{"a.b": 1}` are the same; lists stay.

    Tables of `FREE_KEYS` stay whole; an empty one of others names nothing.
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and key.rpartition(".")[2] not in FREE_KEYS:
            flat |= dotted_keys(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat


def to_toml(config: BaseModel) -> str:
    """The full configuration, every default written out (a key without a value is left out)."""
    return tomli_w.dumps(without_nothing(config.model_dump(mode="json")))


def is_written(config: BaseModel, values: Mapping[str, Any]) -> bool:
    """Whether values, read from TOML, which leaves out what is None, are the full configuration."""
    return values == tomllib.loads(to_toml(config)) or is_read_as(config, values)


def is_read_as(config: BaseModel, values: Mapping[str, Any]) -> bool:
    """Whether values are read as the configuration.

    A setting that they do not know has the default of its table, which is how things were before it came.
    """
    with contextlib.suppress(ValueError, TypeError):  # a setting that is no more
        return type(config)(**values) == config
    return False


def without_nothing(values: Any) -> Any:
    """The same tables and lists without the keys that hold None, which TOML cannot say."""
    if isinstance(values, dict):
        return {key: without_nothing(value) for key, value in values.items() if value is not None}
    if isinstance(values, list):
        return [without_nothing(value) for value in values]
    return values


def assignments_of(texts: Sequence[str]) -> dict[str, Any]:
    """Several `a.b=c`, later ones winning."""
    return dict(parse_assignment(text) for text in texts)
