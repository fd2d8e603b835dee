"""A recipe: named filters and named steps, checked as far as one can without running anything.

    potstill: 1
    name: quickstart
    filters: {format: {}, loops: {kind: repetition, max_ngram_share: 0.2}}
    steps:
      problems: {load: {source: word_problems, rows: 1500}}
      verdicts: {judge: {samples: problems, filters: [format, loops]}}

Every mistake is told with its line, the known names and the closest match. The edges between
steps are found by `plan.py`; this module only knows that a step has one kind and its fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from .catalog import Catalog
from .errors import RequestError
from .filter import Filter
from .references import Location, Marked, UsesFilter, walk
from .stage import Stage
from .suggest import suggest
from .yaml_source import Source, override, read_source

M = TypeVar("M", bound=BaseModel)

FORMAT = 1
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_KEYS = ("potstill", "name", "filters", "steps")


@dataclass(frozen=True)
class Recipe:
    """A checked recipe; `source` remembers where everything stands, for later messages."""

    name: str
    filters: Mapping[str, Filter]
    steps: Mapping[str, Stage]
    source: Source
    places: Mapping[str, Location]
    """Where the settings of each filter stand: under the top `filters:` or in a step."""

    def marks(self, step: str) -> list[Marked]:
        """Every marked value of a step and of the filters it uses, each with its place in the file.

        Raises:
            RequestError: it uses a filter that is not there.
        """
        stage = self.steps[step]
        at: Location = ("steps", step, stage.kind)
        found = [replace(marked, at=(*at, *marked.at)) for marked in walk(stage)]
        used = [marked for marked in found if isinstance(marked.mark, UsesFilter)]
        for name in dict.fromkeys(self._known_filter(marked) for marked in used):
            inside = walk(self.filters[name])
            found += [replace(marked, at=(*self.places[name], *marked.at)) for marked in inside]
        return found

    def _known_filter(self, marked: Marked) -> str:
        name: str = marked.value
        if name not in self.filters:
            raise RequestError(
                f"{self.source.where(marked.at)}: no filter {name!r} under "
                f"'filters:'; {suggest(name, self.filters)}"
            )
        return name


def load_recipe(path: Path, catalog: Catalog, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe file.

    Args:
        overrides: `--set` assignments such as `steps.problems.load.rows=10`.

    Raises:
        RequestError: anything in the file is not understood.
    """
    source = read_source(path)
    for assignment in overrides:
        override(source, assignment)
    return check_recipe(source, catalog)


def recipe_of(values: dict[str, Any], catalog: Catalog, label: str = "recipe") -> Recipe:
    """A recipe built in Python from the same keys as a file; paths start at the current folder."""
    return check_recipe(Source(Path(label), values), catalog)


def check_recipe(source: Source, catalog: Catalog) -> Recipe:
    """Check values that were read or built; see `load_recipe` for the errors."""
    _check_top(source)
    filters = _Filters(source, catalog)
    for name, config in _mapping(source, ("filters",), optional=True).items():
        filters.add(("filters", name), name, config)
    steps = {}
    for name in _mapping(source, ("steps",)):
        steps[name] = _step(source, name, catalog, filters)
    return Recipe(source.values["name"], filters.by_name, steps, source, filters.places)


def _check_top(source: Source) -> None:
    values = source.values
    for key in values:
        if key not in _KEYS:
            raise RequestError(
                f"{source.where((key,))}: unknown key {key!r}; {suggest(key, _KEYS)}"
            )
    if values.get("potstill") != FORMAT:
        raise RequestError(
            f"{source.where(('potstill',))}: 'potstill: {FORMAT}' must name the recipe format; "
            f"got {values.get('potstill')!r}"
        )
    _check_name(source, ("name",), values.get("name"))


def _check_name(source: Source, at: Location, name: Any) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise RequestError(
            f"{source.where(at)}: {name!r} cannot be a name; expected letters, digits, '_' and "
            "'-', beginning with a letter (it becomes a folder)"
        )


def _mapping(source: Source, at: Location, *, optional: bool = False) -> dict[str, Any]:
    value: Any = source.values
    for part in at:
        value = value.get(part) if isinstance(value, dict) else None
    if value is None and optional:
        return {}
    if not isinstance(value, dict) or not (value or optional):
        raise RequestError(
            f"{source.where(at)}: {'.'.join(map(str, at))} must map names to settings"
        )
    return value


class _Filters:
    """The filters of a recipe by name, wherever it defines them."""

    def __init__(self, source: Source, catalog: Catalog) -> None:
        self._source = source
        self._catalog = catalog
        self.by_name: dict[str, Filter] = {}
        self.places: dict[str, Location] = {}

    def add(self, at: Location, name: str, config: Any) -> None:
        """Define one; two of the same name must be the same."""
        made = self._made(at, name, config)
        if self.by_name.setdefault(name, made) != made:
            raise RequestError(
                f"{self._source.where(at)}: filter {name!r} is already defined with "
                "other settings; give one of the two another name"
            )
        self.places.setdefault(name, at)

    def _made(self, at: Location, name: str, config: Any) -> Filter:
        source = self._source
        _check_name(source, at, name)
        if config is not None and not isinstance(config, dict):
            raise RequestError(f"{source.where(at)}: filter {name!r} must have settings like {{}}")
        settings = dict(config or {})
        kind = settings.pop("kind", name)
        try:
            model = self._catalog.filter(kind)
        except RequestError as error:
            raise RequestError(f"{source.where(at)}: {error}") from error
        return _validated(source, at, model, settings, f"filter {name!r}")


def _step(source: Source, name: str, catalog: Catalog, filters: _Filters) -> Stage:
    at: Location = ("steps", name)
    _check_name(source, at, name)
    body = _mapping(source, at)
    if len(body) != 1:
        raise RequestError(
            f"{source.where(at)}: step {name!r} must have one key, its kind; got {', '.join(body)}"
        )
    (kind, config), *_ = body.items()
    try:
        model = catalog.stage(kind)
    except RequestError as error:
        raise RequestError(f"{source.where((*at, kind))}: {error}") from error
    if config is not None and not isinstance(config, dict):
        raise RequestError(f"{source.where((*at, kind))}: step {name!r} must have settings")
    settings = dict(config or {})
    _hoist_inline_filters((*at, kind), settings, filters)
    return _validated(source, (*at, kind), model, settings, f"step {name!r} ({kind})")


def _hoist_inline_filters(at: Location, settings: dict[str, Any], filters: _Filters) -> None:
    """`filters: {format: {}}` in a step defines them in place, as if under the top `filters:`."""
    inline = settings.get("filters")
    if not isinstance(inline, dict):
        return
    for name, config in inline.items():
        filters.add((*at, "filters", name), name, config)
    settings["filters"] = list(inline)


def _validated(
    source: Source, at: Location, model: type[M], settings: dict[str, Any], what: str
) -> M:
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        lines = [_explain(source, at, model, problem) for problem in error.errors()[:5]]
        raise RequestError("\n".join(f"{line} (in {what})" for line in lines)) from error


def _explain(source: Source, at: Location, model: type[BaseModel], problem: Any) -> str:
    location = tuple(problem["loc"])
    where = source.where((*at, *location))
    field = ".".join(map(str, location)) or "settings"
    if problem["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        return f"{where}: unknown key {location[-1]!r}; {suggest(str(location[-1]), known)}"
    if problem["type"] == "missing":
        return f"{where}: {field} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"{where}: {field} is {problem['input']!r:.80}; {message}"


def _known_keys(model: Any, location: Location) -> list[str]:
    """Field names of the (nested) models at `location`; keys and indices are passed over."""
    here = [model]
    for part in location:
        every = [arm for each in here for arm in _arms(each)]
        tagged = [arm for arm in every if _tag(arm) == part]
        owners = [arm for arm in every if part in getattr(arm, "model_fields", {})]
        here = tagged or [arm.model_fields[part].annotation for arm in owners] or here
    fields = [getattr(arm, "model_fields", {}) for each in here for arm in _arms(each)]
    return sorted({field.alias or name for each in fields for name, field in each.items()})


def _arms(annotation: Any) -> Iterator[Any]:
    """A type and all that it is made of: `Annotated[A | B, …] | None` holds A and B."""
    yield annotation
    annotated = hasattr(annotation, "__metadata__")
    for part in [annotation.__origin__] if annotated else get_args(annotation):
        yield from _arms(part)


def _tag(annotation: Any) -> str | None:
    marks = getattr(annotation, "__metadata__", ())
    return next((mark.tag for mark in marks if hasattr(mark, "tag")), None)
