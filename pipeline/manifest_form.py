"""Reading a manifest that anyone may have written: its form is checked before it is believed.

The manifests of our own runs are read by `artifact.py`; this is for those that were downloaded or
copied. What the manifest says is compared with the files elsewhere (`verify.py`).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from .fingerprint import digest_of

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES: Final = 64_000_000
"""More than any manifest has: 300,000 listed files."""


def read_manifest(file: Path) -> dict[str, Any]:
    """A manifest with a step, an address, an identity, inputs, and files with bytes and sha256.

    Raises:
        ValueError: it is not that, or cannot be opened; the message says what is wrong.
    """
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ValueError(f"it has {file.stat().st_size:,} bytes, more than {_MAX_BYTES:,}")
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except OSError as error:
        raise ValueError(str(error.strerror)) from error
    if not isinstance(manifest, dict):
        raise ValueError("it is no JSON object")
    for key, kind in (("step", str), ("address", str), ("identity", dict), ("files", dict)):
        if not isinstance(manifest.get(key), kind):
            raise ValueError(f"it has no {key!r}, or one of another type")
    if not _maps_texts(manifest.get("inputs")):
        raise ValueError("it has no 'inputs', or one of another type")
    if not isinstance(manifest["identity"].get("kind"), str):
        raise ValueError("its identity has no 'kind'")
    if not _maps_texts(manifest["identity"].get("inputs", {})):
        raise ValueError("the 'inputs' of its identity are of another type")
    for name, entry in manifest["files"].items():
        _check_entry(name, entry)
    _check_hashable(manifest)
    return manifest


def _check_hashable(manifest: dict[str, Any]) -> None:
    """JSON may hold NaN and halves of surrogate pairs, of which no digest can be taken."""
    names = [manifest["step"], manifest["address"], *manifest["files"]]
    try:
        digest_of([names, manifest["identity"], manifest["inputs"]])
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"no digest can be taken of it: {error}") from error


def _check_entry(name: str, entry: Any) -> None:
    if (
        not isinstance(entry, dict)
        or type(entry.get("bytes")) is not int
        or entry["bytes"] < 0
        or not isinstance(entry.get("sha256"), str)
        or _SHA256.fullmatch(entry["sha256"]) is None
    ):
        raise ValueError(f"its entry for {name[:200]!r} has no bytes or no sha256")


def _maps_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
