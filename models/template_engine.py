"""Jinja as templates need it here: sandboxed, strict, and a function of the row alone.

Values are data and never templates: what stands in a question is put in and not read. A template
reads no other file, calls no code and draws nothing at random. What a row does not have is false
in a condition and an error where it is printed, never the word "None" in a paid request. The names
that a template uses are known when it is compiled, so a misspelt one is told with the recipe.

Loaded only where a template is more than the plain question (`templates.py`): Jinja takes longer
to import than most commands take to think.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, meta
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..pipeline.suggest import suggest

_DRAWS_AT_RANDOM: Final = ("random", "lipsum")
"""What Jinja brings along that gives another text each time."""

_SHORTEST_FENCE: Final = 5
_BARS: Final = re.compile("=+")


class NotFilled(Exception):
    """A template could not be filled for one row; the message says why."""


@dataclass(frozen=True)
class Compiled:
    """A template that is known to be one."""

    variables: frozenset[str]
    """Names that it takes from the row."""
    template: JinjaTemplate

    def fill(self, values: Mapping[str, Any]) -> str:
        """The text for one row.

        Args:
            values: by name; None is something that the row does not have.

        Raises:
            NotFilled: something is printed that is not there, or the template itself fails.
        """
        given = {
            name: Absent(hint=f"the row has no {name}", name=name) if value is None else value
            for name, value in values.items()
        }
        try:
            return self.template.render(given)
        except Exception as error:  # the template is the user's: whatever it raises is theirs
            raise NotFilled(str(error) or type(error).__name__) from error


@functools.lru_cache(maxsize=256)
def compile_template(text: str, known: tuple[str, ...]) -> Compiled:
    """Check and compile a template.

    Args:
        known: names that a row can have; the template may use no others.

    Raises:
        ValueError: a syntax error, an unknown name, or nothing of the row is used.
    """
    environment = _environment()
    try:
        tree = environment.parse(text)
        template = environment.from_string(text)
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno} of the template: {error.message}") from error
    if any(True for _ in meta.find_referenced_templates(tree)):
        raise ValueError("a template stands alone: include, import and extends are not known here")
    variables = meta.find_undeclared_variables(tree) - environment.globals.keys()
    _refuse_unknown(variables, known)
    return Compiled(frozenset(variables), template)


def fenced(text: object, label: str = "TEXT") -> str:
    """The text between two marker lines that it cannot contain, so it cannot end itself.

    Each marker has a longer run of `=` than any in the text.
    """
    body = str(text)
    longest = max((len(run) for run in _BARS.findall(body)), default=0)
    bars = "=" * max(_SHORTEST_FENCE, longest + 1)
    return f"{bars} {label} {bars}\n{body}\n{bars} /{label} {bars}"


def _refuse_unknown(variables: Collection[str], known: tuple[str, ...]) -> None:
    if not variables:
        raise ValueError(
            "the template uses nothing of the row, so every row would be asked the same; write "
            "{{ question }} where the question goes"
        )
    for name in sorted(set(variables) - set(known)):
        raise ValueError(f"the template uses {name!r}, which no row has; {suggest(name, known)}")


class Absent(Undefined):
    """What a row lacks: false in a condition, equal to none, an error where it is printed."""

    __slots__ = ()

    __iter__ = __str__ = __len__ = Undefined._fail_with_undefined_error

    def __eq__(self, other: object) -> bool:
        return _is_none(other)

    def __ne__(self, other: object) -> bool:
        return not _is_none(other)

    def __hash__(self) -> int:
        return hash(None)

    def __bool__(self) -> bool:
        return False


class Unknown(StrictUndefined):
    """A key that a mapping lacks: an error wherever it is used but in `is defined`."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        held, name = self._undefined_obj, str(self._undefined_name)
        if isinstance(held, Mapping):
            return f"there is no {name!r}; {suggest(name, held)}"
        return super()._undefined_message


class _Environment(ImmutableSandboxedEnvironment):
    """Where `extra.items` is the row's own column of that name, should it have one."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@functools.cache
def _environment() -> _Environment:
    environment = _Environment(
        undefined=Unknown,
        finalize=_printable,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in _DRAWS_AT_RANDOM:
        environment.filters.pop(name, None)
        environment.globals.pop(name, None)
    environment.tests["none"] = _is_none
    environment.filters["tojson"] = _to_json
    environment.filters["fenced"] = fenced
    return environment


def _is_none(value: object) -> bool:
    return value is None or isinstance(value, Absent)


def _to_json(value: Any, indent: int | None = None) -> str:
    """Jinja's own writes `<` as `\\u003c`, for web pages: no model should read that."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent)


def _printable(value: Any) -> Any:
    """Texts and numbers; the rest would print as Python's idea of it."""
    if isinstance(value, (str, int, float, Undefined)):
        return value
    kind = "null" if value is None else f"a {type(value).__name__}"
    raise TemplateRuntimeError(f"{kind} is printed; print a part of it, or write `| tojson`")
