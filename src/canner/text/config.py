"""The base of every configuration: frozen, validated, and precise about what is wrong."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class Config(BaseModel):
    """A frozen, validated configuration; unknown keys are errors that name the nearest known key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for key in values:
                if key not in cls.model_fields:
                    near = difflib.get_close_matches(str(key), cls.model_fields, n=1, cutoff=0.4)
                    hint = f"; did you mean {near[0]!r}?" if near else ""
                    known = ", ".join(cls.model_fields)
                    raise ValueError(f"unknown key {key!r} in {cls.__name__}{hint} (known keys: {known})")
        return values


def one_line(error: ValidationError) -> str:
    """What pydantic found wrong, in one line: where, and what was expected."""
    parts = []
    for found in error.errors():
        where = ".".join(str(part) for part in found["loc"])
        message = found["msg"].removeprefix("Value error, ")
        given = "" if found["type"] == "value_error" else f", got {found['input']!r:.80}"
        parts.append(f"{where}: {message}{given}" if where else f"{message}{given}")
    return "; ".join(parts)
