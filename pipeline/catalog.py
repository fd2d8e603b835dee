"""The tables a recipe draws on: which kinds of step and filter there are.

The tables are explicit, passed in by whoever builds a run, so this package knows no concrete stage
or filter. A user's own filter is named by import path (`my_module:MyFilter`) or by a
`potstill.filters` entry point. There is no registration by decorator.

A class is imported when its kind is asked for: all of them take 1.4 s of processor time, and every
command and every step's process would pay that for the two or three kinds it uses.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Generic, TypeVar

from .errors import RequestError
from .filter import Filter
from .stage import Stage
from .suggest import suggest

ENTRY_POINTS = "potstill.filters"

Class = TypeVar("Class")


class Kinds(Mapping[str, type[Class]], Generic[Class]):
    """Classes by the names of their kinds.

    Args:
        package: where the modules are.
        places: `module:Class` below it, by kind.
    """

    def __init__(self, package: str, places: Mapping[str, str]) -> None:
        self._places = {kind: f"{package}.{place}" for kind, place in places.items()}

    def __getitem__(self, kind: str) -> type[Class]:
        module, _, name = self._places[kind].partition(":")
        found: type[Class] = getattr(importlib.import_module(module), name)
        return found

    def __contains__(self, kind: object) -> bool:
        return kind in self._places  # Mapping's own way would import it

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __or__(self, other: Kinds[Class]) -> Kinds[Class]:
        """Both tables in one."""
        made: Kinds[Class] = Kinds("", {})
        made._places = self._places | other._places
        return made


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
