"""Blank out what stands in quotation marks: words that are talked about, not said.

A quotation lies in one line, has at most `LONGEST` characters, and its marks belong together; an
apostrophe and the sign of inches are no marks, and what is never closed is no quotation. A text
cannot be hidden in them: quotations are blanked one after the other only while they are no longer
than what stands outside of all quotations, white space and masked math not counted.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from .masking import blanked

LONGEST: Final = 200
"""Characters between the marks. Longer ones are dialogue or a lost mark."""

_MARKS: Final = [
    ("“", "”"),
    ("«", "»"),
    ("‹", "›"),
    ("「", "」"),
    ("『", "』"),
    ("《", "》"),
    ("〈", "〉"),
]
_INSIDE: Final = {  # for each opening mark what follows it
    **{opens: rf"[^{opens}{closes}\n]{{1,{LONGEST}}}+{closes}" for opens, closes in _MARKS},
    "„": rf"[^„“”\n]{{1,{LONGEST}}}+[“”]",
    '"': rf'(?<![A-Za-z0-9]")(?=[^\s"])[^"\n]{{1,{LONGEST}}}+(?<!\s)"(?![A-Za-z0-9])',
    "‘": r"(?<!\w‘)(?=[^\s‘’])[^‘\n]{1,80}?(?<!\s)’(?!\w)",
    "'": r"(?<![A-Za-z0-9]')(?=[^\s'])[^'\n]{1,80}+(?<!\s)'(?![A-Za-z0-9])",
}


@cache
def _quotation(marks: str) -> re.Pattern[str]:
    """A quotation that opens with one of `marks`: few marks at the beginning are found fast."""
    inside = "|".join(f"(?<={mark}){_INSIDE[mark]}" for mark in marks)
    return re.compile(f"[{marks}](?:{inside})")


def without_quotations(text: str) -> str:
    """`text` with its quotations blanked, as far as they are the smaller part of it."""
    marks = "".join(mark for mark in _INSIDE if mark in text)
    spans = [found.span() for found in _quotation(marks).finditer(text)] if marks else []
    if not spans:
        return text
    room = _length(blanked(text, spans))
    kept = []
    for start, end in spans:
        room -= _length(text[start + 1 : end - 1])
        if room >= 0:
            kept.append((start, end))
    return blanked(text, kept)


def _length(text: str) -> int:
    """In bytes, by which Latin and Chinese words are about as long as each other."""
    return len(text.encode("utf-8", "surrogatepass")) - text.count(" ") - text.count("\n")
