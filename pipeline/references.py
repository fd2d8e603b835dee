"""Fields of a recipe that name something else, and how the plan finds them.

A stage marks such a field in its annotation, and nothing else says what the edges are:

    samples: Samples                 # another step that makes samples
    verdicts: Verdicts               # another step that makes verdicts
    model: Model                     # a step that makes a model, a folder or hub:owner/name
    source: Source                   # a file, a hub id or a built-in name
    keep: dict[FilterName, float]    # names from the recipe's `filters:`
    workers: Annotated[int, Execution()]   # how, not what: never identity

A bare word is a step or a built-in; `./`, `../` or `/` begins a path, `hub:` a hub id.
`walk` finds the marked values at any depth, in steps and in filters. It resolves nothing:
`plan.py` does.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


@dataclass(frozen=True)
class Reference:
    """Marks a string that names a step, a path, a hub id or a built-in."""

    produces: str
    """What a step named here must make: samples, verdicts, model or evaluation."""
    accepts: tuple[str, ...] = ("step",)
    builtins: tuple[str, ...] = ()


@dataclass(frozen=True)
class UsesFilter:
    """Marks a name from the recipe's `filters:`."""


@dataclass(frozen=True)
class Execution:
    """Marks a field that says how and not what: it is not part of the identity."""


Samples = Annotated[str, Reference("samples")]
Verdicts = Annotated[str, Reference("verdicts")]
Model = Annotated[str, Reference("model", ("step", "path", "hub"))]
FilterName = Annotated[str, UsesFilter()]

Location = tuple[str | int, ...]


def reference_kind(value: str) -> str:
    """`path`, `hub` or `word` (a step or a built-in), by how the value begins."""
    if value.startswith(("./", "../", "/")):
        return "path"
    return "hub" if value.startswith("hub:") else "word"


@dataclass(frozen=True)
class Marked:
    """A marked value found in a config: where it stands, its mark and the value."""

    at: Location
    mark: Any
    value: Any
    is_key: bool = False
    """It is a key of a mapping, as in `parts: {reasoning: 3}`; what belongs to it is at `at`."""


def walk(model: BaseModel, at: Location = ()) -> Iterator[Marked]:
    """Every marked value in a config, at any depth; references of None are passed over."""
    for name, field in type(model).model_fields.items():
        annotation: Any = field.annotation
        for mark in field.metadata:
            annotation = Annotated[annotation, mark]
        yield from _walk_value(annotation, getattr(model, name), (*at, name))


def identity_config(model: BaseModel, content: Callable[[str], str]) -> dict[str, Any]:
    """The settings as JSON values, without what says only *how*, and with content for references.

    Args:
        content: what stands in the place of a reference in the identity.
    """
    config: dict[str, Any] = model.model_dump(mode="json")
    # Keys last: what stands below them is found under their old names.
    for marked in sorted(walk(model), key=lambda marked: marked.is_key):
        *parents, last = marked.at
        holder: Any = config
        for part in parents:
            holder = holder[part]
        if isinstance(marked.mark, Execution):
            del holder[last]
        elif isinstance(marked.mark, Reference):
            name = content(marked.value)
            if marked.is_key:
                holder[name] = holder.pop(last)
            else:
                holder[last] = name
    return config


def _walk_value(annotation: Any, value: Any, at: Location) -> Iterator[Marked]:
    origin = get_origin(annotation)
    if value is None and origin is not Annotated:
        return
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        for mark in marks:
            # Set or not, what says only how must not show in the identity.
            if isinstance(mark, Execution) or (
                value is not None and isinstance(mark, (Reference, UsesFilter))
            ):
                yield Marked(at, mark, value)
        yield from _walk_value(inner, value, at)
    elif isinstance(value, BaseModel):
        yield from walk(value, at)
    elif origin in (Union, types.UnionType):
        yield from _walk_value(_fitting_arm(annotation, value), value, at)
    elif isinstance(value, Mapping):
        key_type, value_type = get_args(annotation) or (Any, Any)
        for key, item in value.items():
            for marked in _walk_value(key_type, key, (*at, key)):
                yield replace(marked, is_key=True)
            yield from _walk_value(value_type, item, (*at, key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        item_type = (get_args(annotation) or (Any,))[0]
        for index, item in enumerate(value):
            yield from _walk_value(item_type, item, (*at, index))


def _fitting_arm(annotation: Any, value: Any) -> Any:
    """The arm of a union that a validated value came from, by its container type."""

    def bare(arm: Any) -> Any:
        while get_origin(arm) is Annotated:
            arm = get_args(arm)[0]
        return get_origin(arm) or arm

    for arm in get_args(annotation):
        kind = bare(arm)
        if isinstance(kind, type) and isinstance(value, kind):
            return arm
    return Any
