"""The base of every configuration: frozen, validated, and precise about a key it does not know."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


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
