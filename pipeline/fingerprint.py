"""Stable hashes of configs and files: the same meaning gives the same bytes in every process.

What has no stable encoding (a callable, an open file, NaN) is refused rather than hashed by luck.
`explain_difference` says in words why two identities differ.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from operator import itemgetter
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
    lines = []
    for key, was, now in sorted(_differences(old, new), key=itemgetter(0)):
        if was is _MISSING:
            lines.append(f"{key} is new ({_brief(now)})")
        elif now is _MISSING:
            lines.append(f"{key} is gone (was {_brief(was)})")
        else:
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


def _differences(old: Any, new: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ, as deep as both have the same shape; `_MISSING` where one ends."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in old.keys() | new.keys():
            below = f"{at}.{key}" if at else key
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), below)
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        for index, (was, now) in enumerate(zip_longest(old, new, fillvalue=_MISSING)):
            yield from _differences(was, now, f"{at}[{index}]")
    elif old is _MISSING or new is _MISSING or old != new:
        yield at, old, new


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "…"
