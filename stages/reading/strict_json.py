"""One JSON object from hostile bytes: what Python's parser lets through in silence is refused.

Python keeps the last of two equal keys, accepts NaN and lone surrogates, and raises anything from
ValueError to RecursionError on numbers and nesting that are too large (reference table:
reliability.md, section 4). Here each has a reason and none has another way out.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from .rows import BadRow

MAX_DEPTH = 64
"""Nesting that no dataset needs; beyond it readers with other stack depths would fail later."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_object(data: bytes) -> dict[str, Any]:
    """The object that `data` spells.

    Raises:
        BadRow: invalid_utf8, malformed_json, duplicate_key, nan_value (infinite ones too),
            number_too_long, too_deep, lone_surrogate or not_an_object.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRow("invalid_utf8") from error
    value = _decode(text)
    if not isinstance(value, dict):
        raise BadRow("not_an_object")
    _check_depth(value)
    if _SURROGATE.search(text):
        _check_surrogates(value)
    return value


def _decode(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadRow("malformed_json") from error
    except RecursionError as error:
        raise BadRow("too_deep") from error
    except ValueError as error:  # the only other one: int() refuses more than 4,300 digits
        raise BadRow("number_too_long") from error


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return
    raise BadRow("too_deep")


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRow("lone_surrogate") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRow("duplicate_key")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise BadRow("nan_value")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):  # 1e999
        raise BadRow("nan_value")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite
)
