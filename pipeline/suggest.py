"""Turning a slip of the keyboard into the name that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

MAX_LISTED: Final = 40
"""Names that a message lists; a table may have thousands."""


def suggest(wrong: str, known: Iterable[str]) -> str:
    """`did you mean 'math'? Known: format, language, math`, or only what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {listed(names)}"


def listed(names: Iterable[str]) -> str:
    """Names with commas, `none` where there are none; of very many the first."""
    known = list(names)
    more = f" and {len(known) - MAX_LISTED:,} more" if len(known) > MAX_LISTED else ""
    return f"{', '.join(known[:MAX_LISTED])}{more}" or "none"
