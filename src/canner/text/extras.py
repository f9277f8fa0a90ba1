"""What to say where a package of an optional extra is missing."""

from __future__ import annotations


def missing_package(package: str, extra: str) -> ValueError:
    """The error for a package that is not installed; says how to get it (canner is installed from its clone)."""
    return ValueError(
        f"expected the package {package}, got none; in the clone of canner, do: pip install -e '.[{extra}]'"
    )
