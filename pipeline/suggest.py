"""Turning a slip of the keyboard into the name that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(wrong: str, known: Iterable[str]) -> str:
    """`did you mean 'math'? Known: format, language, math`, or only what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(names) or 'none'}"
