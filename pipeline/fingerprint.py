"""Stable hashes of configs and files: the same meaning gives the same bytes in every process.

What has no stable encoding (a callable, an open file, NaN) is refused rather than hashed by luck.
`explain_difference` says in words why two identities differ.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ADDRESS_LENGTH = 8
_CHUNK = 1 << 20
_MISSING = object()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces.

    Raises:
        TypeError: a value has no stable encoding.
    """
    _refuse_unstable(value, "config")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(value: Any) -> str:
    """sha256 of the canonical JSON, as hex."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


def digest_file(path: Path) -> str:
    """sha256 of a file's bytes, as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def explain_difference(old: Any, new: Any) -> list[str]:
    """Lines such as `filters.math.version 1 → 2`, one for each value that differs."""
    before, after = dict(_flatten(old)), dict(_flatten(new))
    lines = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, _MISSING), after.get(key, _MISSING)
        if was is _MISSING:
            lines.append(f"{key} is new ({_brief(now)})")
        elif now is _MISSING:
            lines.append(f"{key} is gone (was {_brief(was)})")
        elif was != now:
            lines.append(f"{key} {_brief(was)} → {_brief(now)}")
    return lines


def _refuse_unstable(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{where}: key {key!r} is a {type(key).__name__}, not a string")
            _refuse_unstable(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_unstable(item, f"{where}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{where}: {value} has no JSON form; use a finite number")
    elif value is not None and not isinstance(value, (str, int, float, bool)):
        raise TypeError(f"{where}: a {type(value).__name__} has no stable encoding")


def _flatten(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flatten(item, f"{at}.{key}" if at else key)
    elif isinstance(value, (list, tuple)) and value:
        for index, item in enumerate(value):
            yield from _flatten(item, f"{at}[{index}]")
    else:
        yield at, value


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "…"
