"""The tables a recipe draws on: which kinds of step and filter there are.

The tables are explicit dictionaries, passed in by whoever builds a run, so this package knows no
concrete stage or filter. A user's own filter is named by import path (`my_module:MyFilter`) or by
a `potstill.filters` entry point. There is no registration by decorator.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from .errors import RequestError
from .filter import Filter
from .stage import Stage
from .suggest import suggest

ENTRY_POINTS = "potstill.filters"


@dataclass(frozen=True)
class Catalog:
    """Kinds of step and filter by name."""

    stages: Mapping[str, type[Stage]]
    filters: Mapping[str, type[Filter]]

    def stage(self, kind: str) -> type[Stage]:
        """The class of a kind of step, or RequestError with the closest match."""
        if kind not in self.stages:
            raise RequestError(f"unknown kind of step {kind!r}; {suggest(kind, self.stages)}")
        return self.stages[kind]

    def filter(self, kind: str) -> type[Filter]:
        """The class of a kind of filter: shipped, `module:Class`, or an entry point."""
        if kind in self.filters:
            return self.filters[kind]
        if ":" in kind:
            return _import_filter(kind)
        for entry in metadata.entry_points(group=ENTRY_POINTS, name=kind):
            return _checked(entry.load(), kind)
        raise RequestError(f"unknown filter {kind!r}; {suggest(kind, self.filters)}")


def _import_filter(kind: str) -> type[Filter]:
    module_name, _, class_name = kind.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise RequestError(
            f"filter {kind!r} cannot be imported: {error}. Expected module:Class, "
            "with the module on the Python path."
        ) from error
    return _checked(found, kind)


def _checked(found: object, kind: str) -> type[Filter]:
    if not (inspect.isclass(found) and issubclass(found, Filter)):
        raise RequestError(f"{kind!r} is {found!r}; expected a subclass of potstill's Filter")
    return found
