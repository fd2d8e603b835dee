"""What a verdict shows of a program's output: a little, printable, and the same on every run.

Addresses of objects are taken out. Times and other accidents that a program prints are its own.
"""

from __future__ import annotations

import re
from typing import Final

from ..answers.answer_text import SHOWN

_LOOKED_AT: Final = 4 * SHOWN
"""Characters that are cleaned before the cut, so that no part of an address is left over."""
_ADDRESS: Final = re.compile(r"\b0x[0-9a-f]{7,16}\b")
"""Where an object lies in memory, as `repr` tells it: another place on every run."""


def beginning(text: str) -> str:
    """The first characters of a text."""
    clean = _clean(text[:_LOOKED_AT])
    return clean if len(clean) <= SHOWN else clean[: SHOWN - 1] + "…"


def ending(written: bytes) -> str:
    """The last characters of what a process wrote: below its traceback stands the message."""
    return _clean(written[-_LOOKED_AT:].decode("utf-8", "replace")).strip()[-SHOWN:]


def _clean(text: str) -> str:
    text = _ADDRESS.sub("0x…", text)
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
