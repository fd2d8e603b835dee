"""Blank out what a text shows rather than says: quotations, code, quoted lines, examples.

A sentence in quotation marks is somebody else's, and so is one behind `例如：`. The result has the
same length, so that places stay places. An answer that stands in quotation marks as a whole is its
author's own, unless somebody else's text was asked for (a translation, a new wording). Quotations
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
_EXAMPLE: Final = re.compile(
    r"(?:例如|比如|譬如|例句|\bfor\s(?:example|instance)|\be\.g\.)[:：][^。！？!?\n]*+",
    re.IGNORECASE,
)
_FOREIGN_TEXT: Final = re.compile(
    r"\btranslat(?:e|ion)\b|\b(?:rephrase|paraphrase|reword|rewrite|proofread)\b"
    r"|\bhow\s(?:do|would|can)\s(?:you|i|we)\ssay\b|翻译|译[成为]|(?:英文|英语|中文|法语|日语)怎么说|改写|润色",
    re.IGNORECASE,
)
_WHOLE: Final = {'"': '"', "“": "”", "「": "」", "『": "』", "'": "'", "‘": "’"}


def asks_for_a_text(prompt: str) -> bool:
    """Is what is asked for somebody else's words: a translation, a new wording?"""
    return _FOREIGN_TEXT.search(prompt) is not None


def own_words(text: str, *, whole_is_own: bool = True) -> str:
    """`text` with everything blank that is shown or quoted.

    Args:
        whole_is_own: a quotation that is all of the text is what its author says.
    """
    stripped = text.strip()
    if whole_is_own and _WHOLE.get(stripped[:1]) == stripped[-1:] and len(stripped) > 1:
        begin = text.index(stripped)
        end = begin + len(stripped) - 1
        text = f"{text[:begin]} {text[begin + 1 : end]} {text[end + 1 :]}"
    for shown in (_QUOTED, _EXAMPLE):
        text = shown.sub(lambda found: " " * len(found.group()), text)
    return text
