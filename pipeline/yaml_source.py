"""A recipe's text as plain values plus the line each one stands on.

YAML 1.2: `1e-5` is a number and `no` is a word. Duplicate keys, anchors, aliases and tags are
refused: the first hides a slip, the rest can build a bomb or an object out of a text file.
No meaning is given to the values here.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, ScalarEvent

from .errors import RequestError
from .references import Location


@dataclass
class Source:
    """Values with their origin: lines for the recipe file, `--set` for what came from there."""

    path: Path
    values: Any
    lines: dict[Location, int] = field(default_factory=dict)
    overridden: dict[Location, str] = field(default_factory=dict)
    """What `--set` gave, and the name that it had there."""

    def where(self, at: Location) -> str:
        """`recipe.yaml:12` for the nearest thing that has a line, or `--set a.b`."""
        for end in range(len(at), -1, -1):
            if at[:end] in self.overridden:
                return f"--set {self.overridden[at[:end]]}"
            if at[:end] in self.lines:
                return f"{self.path}:{self.lines[at[:end]]}"
        return str(self.path)

    def base(self, at: Location) -> Path:
        """Where relative paths start: the recipe's folder, or the current one for `--set`."""
        if any(at[:end] in self.overridden for end in range(len(at) + 1)):
            return Path.cwd()
        return self.path.resolve().parent


def read_source(path: Path) -> Source:
    """Parse a recipe file.

    Raises:
        RequestError: it is missing, not UTF-8, or not the YAML we accept; with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"recipe {path} cannot be read: {error}") from error
    loaded = _guarded(str(path), lambda: _parse(path, text))
    if not isinstance(loaded, CommentedMap):
        raise RequestError(f"{path} holds no recipe; expected keys potstill, name and steps")
    source = Source(path, None)
    source.values = _plain(loaded, (), source.lines)
    return source


def override(source: Source, assignment: str, within: Location = ()) -> None:
    """Apply one `--set a.b.c=VALUE`; VALUE is YAML.

    Args:
        within: where names begin, for a command whose user knows nothing of what is around it.

    Raises:
        RequestError: it is no assignment, or of nothing that is there.
    """
    key, equals, text = assignment.partition("=")
    named = tuple(key.split("."))
    if not equals or not all(named):
        form = "FIELD=VALUE" if within else "steps.NAME.KIND.FIELD=VALUE"
        raise RequestError(f"--set {assignment!r}: expected {form}")
    value = _guarded(f"--set {key}", lambda: YAML().load(text))
    at = (*within, *named)
    parent = source.values
    for depth, part in enumerate(at[:-1], start=1):
        if isinstance(parent, dict) and part not in parent and _is_field(at[:depth]):
            parent[part] = {}
            source.overridden[at[:depth]] = ".".join(named[: depth - len(within)])
        if not isinstance(parent, dict) or part not in parent:
            known = ", ".join(parent) if isinstance(parent, dict) else "nothing"
            missing = ".".join(map(str, at[len(within) : depth]))
            raise RequestError(f"--set {key}: no {missing!r}; known there: {known}")
        parent[part] = {} if parent[part] is None else parent[part]
        parent = parent[part]
    if not isinstance(parent, dict):
        raise RequestError(f"--set {key}: {'.'.join(named[:-1])!r} has no fields to set")
    parent[at[-1]] = _plain(value, at, {})
    source.overridden[at] = key
    for before in [place for place in source.lines if place[: len(at)] == at]:
        del source.lines[before]


def _is_field(at: Location) -> bool:
    """Whether a place is below steps.NAME.KIND or filters.NAME: their own check knows it."""
    return len(at) > {"steps": 3, "filters": 2}.get(str(at[0]), len(at))


def _parse(path: Path, text: str) -> Any:
    for event in YAML().parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise RequestError(f"{path}:{line}: anchors and aliases are not allowed in a recipe")
        if getattr(event, "tag", None) and not isinstance(event, ScalarEvent):
            raise RequestError(f"{path}:{line}: tags such as {event.tag} are not allowed")
        if isinstance(event, ScalarEvent) and event.ctag is not None and not any(event.implicit):
            raise RequestError(f"{path}:{line}: tags such as {event.tag} are not allowed")
    return YAML().load(text)


def _guarded(what: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        problem = (error.problem or "not YAML").strip()
        raise RequestError(f"{what}{line}: {problem.splitlines()[0]}") from error


def _plain(value: Any, at: Location, lines: dict[Location, int]) -> Any:
    """Plain Python values; fills `lines` (from 1) on the way."""
    if isinstance(value, (CommentedMap, dict)):
        plain = {}
        for key, item in value.items():
            name = str(key)
            if isinstance(value, CommentedMap):
                lines[(*at, name)] = value.lc.key(key)[0] + 1
            plain[name] = _plain(item, (*at, name), lines)
        return plain
    if isinstance(value, (CommentedSeq, list)):
        items = []
        for index, item in enumerate(value):
            if isinstance(value, CommentedSeq):
                lines[(*at, index)] = value.lc.item(index)[0] + 1
            items.append(_plain(item, (*at, index), lines))
        return items
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):  # ruamel's scalars are subclasses that remember their looks
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str(value)
