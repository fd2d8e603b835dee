"""Blank out what a text shows rather than says: quotations, code, quoted lines.

A sentence in quotation marks is somebody else's. The result has the same length, so that places
stay places. An answer that stands in quotation marks as a whole is its author's own. Quotations
that are never closed, and those without marks, are left standing.
"""

from __future__ import annotations

import re
from typing import Final

_QUOTED: Final = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]{1,2000}+`"
    r"|^[ ]{0,3}>[^\n]*+$"
    r"|\"[^\"\n]{1,2000}+\"|“[^“”\n]{1,2000}+”|‘[^‘\n]{1,300}?’(?!\w)"
    r"|「[^「」\n]{1,2000}+」|『[^『』\n]{1,2000}+』|《[^《》\n]{1,200}+》|«[^«»\n]{1,2000}+»"
    r"|(?<!\w)'(?:[^'\n]|'(?=\w)){1,300}+'(?!\w)",
    re.DOTALL | re.MULTILINE,
)
_WHOLE: Final = {'"': '"', "“": "”", "「": "」", "『": "』", "'": "'", "‘": "’"}


def own_words(text: str) -> str:
    """`text` with everything blank that is shown or quoted."""
    stripped = text.strip()
    if _WHOLE.get(stripped[:1]) == stripped[-1:] and len(stripped) > 1:
        begin = text.index(stripped)
        end = begin + len(stripped) - 1
        text = f"{text[:begin]} {text[begin + 1 : end]} {text[end + 1 :]}"
    return _QUOTED.sub(lambda quoted: " " * len(quoted.group()), text)
