"""Find the JSON text in an answer and parse it strictly.

The JSON is the last fenced block marked `json`, else the last fenced block without a mark, else the
whole answer; JSON amid prose is not looked for, since what reads such answers would not either.
Strict means RFC 8259 and what its readers agree on: no comments, no NaN, no key twice in an object,
no number out of range, no nesting beyond a limit.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from ...models.thinking import Span

_FENCE: Final = re.compile(
    r"^[ ]{0,3}(?P<marks>`{3,}|~{3,})[ \t]*+(?P<language>[\w+-]*+)[ \t]*+\n?"
    r"(?P<body>.*?)(?:^[ ]{0,3}(?P=marks)[`~]*+[ \t]*+$|\Z)",
    re.DOTALL | re.MULTILINE,
)
"""A block that is never closed runs to the end of the text, as in CommonMark."""
_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_OPENS: Final = re.compile(r'[\[{"]|-?\d|(?:true|false|null)\b')


class NotJson(Exception):
    """Why a text is no JSON: one of the reasons of the filter, in words, and where it fails."""

    def __init__(self, reason: str, detail: str, at: int | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.at = reason, detail, at


@dataclass(frozen=True, slots=True)
class JsonText:
    """Where the JSON of an answer stands; `marked` if a fence says that it is JSON."""

    span: Span
    marked: bool


def find_json(text: str) -> JsonText:
    """The place of the JSON in an answer, without the white space around it."""
    fences = [fence for fence in _FENCE.finditer(text) if fence["language"].lower() in ("json", "")]
    marked = [fence for fence in fences if fence["language"]]
    chosen = (marked or fences)[-1:]
    start, end = chosen[0].span("body") if chosen else (0, len(text))
    body = text[start:end].rstrip().rstrip("`~" if chosen else "").rstrip()
    begin = start + len(body) - len(body.lstrip())
    return JsonText((begin, start + len(body)), bool(chosen))


def parse_json(text: str, max_depth: int) -> Any:
    """The value of a JSON text.

    Raises:
        NotJson: it is none, by the strict rules above.
    """
    if _depth(text) > max_depth:
        raise NotJson("too_complex", f"nested more than {max_depth} deep")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        reason = "invalid_json" if _OPENS.match(text) else "no_json"
        raise NotJson(reason, error.msg, error.pos) from error


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in _BRACKET.finditer(text):
        if sign.group() in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign.group() in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise NotJson("duplicate_key", f"{twice[:80]!r} stands twice in one object")
    return found


def _constant(name: str) -> Any:
    raise NotJson("invalid_json", f"{name} is no JSON")


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:  # Python refuses beyond 4,300 digits: the time is quadratic
        raise NotJson("too_complex", f"a number of {len(digits)} digits") from error


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise NotJson("invalid_json", f"{digits[:40]} is out of range")
    return value
