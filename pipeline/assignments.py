"""`NAME=VALUE` pairs of a command line as values; VALUE is YAML, as in `--set` of a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .yaml_source import Source, override


def assigned(assignments: Iterable[str] | None) -> dict[str, Any]:
    """The values by name, nested ones (`a.b=1`) below names that were given before.

    Raises:
        RequestError: a pair without a name, or a value that is no YAML.
    """
    values: dict[str, Any] = {}
    source = Source(Path(), values)
    for assignment in assignments or ():
        override(source, assignment)
    return values
