"""Names of files that come from a manifest, and a manifest may come from anywhere.

A name with `..`, a leading slash or a control character would lead out of the folder that it
stands in, so no listed file is opened before its name was looked at.
"""

from __future__ import annotations

import re
from typing import Final

_PART: Final = re.compile(r"\w[\w.\-+=@ ]*|[._][\w.\-+=@ ]+")
"""A part of a name: letters, digits and a few signs; no separator, no control character."""

_LONGEST: Final = 255
"""NAME_MAX of Linux."""


def bad_name(name: str) -> str | None:
    """Why a name from a manifest must not be opened; None: it may."""
    parts = name.split("/")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return "leads out of the folder or is no plain relative name"
    if any(len(part.encode("utf-8", "surrogatepass")) > _LONGEST for part in parts):
        return f"has a part of more than {_LONGEST} bytes, which no disk takes"
    if not all(_PART.fullmatch(part) for part in parts):
        return "has characters that potstill puts in no file name"
    return None
