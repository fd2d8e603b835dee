"""What may stand behind a number in an answer without changing it.

Units are recognised to be left out, never to be converted. In plain letters only what cannot be
taken for variables is a unit: known abbreviations, or words apart from the number (`18 dollars`,
but not `2ab`, `3t` or `5 m`). Words that change a number (`million`, `percent`, `半`) are none.
"""

from __future__ import annotations

import re

_SHORT_UNITS = "km cm mm dm kg mg ml cl ft lb lbs oz mph kmh hr hrs min sec"
_CHANGING_WORDS = """
    and or to times plus minus over mod modulo base not about squared cubed percent pct
    hundred hundreds thousand thousands million millions billion billions trillion trillions
    dozen dozens pair pairs score half halves third thirds quarter quarters fourth fourths
    fifth fifths tenth tenths hundredth hundredths infinity inf pi tau phi theta alpha beta
    sqrt log ln exp sin cos tan factorial degrees radians rad
"""
_CHANGING_HAN = frozenset("十百千万亿兆半成折分之点又和或至到对负几多约加减乘除")
_HAN_UNITS_WITH_THEM = re.compile("千[米克瓦卡]|分[米钟]|分$|点钟?$")

_short_units = frozenset(_SHORT_UNITS.split())
_changing_words = frozenset(_CHANGING_WORDS.split())
_LETTERS = re.compile(r"[A-Za-z]+")
_HAN = re.compile("[\u4e00-\u9fff]")
_BEHIND = re.compile(
    r"(?:(?P<text>\s*\\(?:text|mathrm|mbox)\s*\{[^{}\d\\]*\})"
    r"|(?<=[\d})\]\s])(?:" + "|".join(_SHORT_UNITS.split()) + "))"
    r"(?:\s*\^\s*(?:\d|\{\d\}))?\s*\Z"
)


def is_unit(text: str) -> bool:
    """Is what stands right behind a number (spaces included) a unit, or nothing at all?"""
    words = _LETTERS.findall(re.sub(r"\\(?:text|mathrm|mbox)", "", text))
    if any(word.lower() in _changing_words for word in words):
        return False
    if words and "\\" not in text:
        apart = text[0].isspace() and len(words[0]) >= 3
        return apart or words[0] in _short_units
    han = "".join(_HAN.findall(text))
    return not _CHANGING_HAN.intersection(_HAN_UNITS_WITH_THEM.sub("", han, count=1))


def without_unit(expression: str) -> str:
    r"""A tidied expression without the unit behind it: `2\sqrt{3}\text{ cm}^2` → `2\sqrt{3}`."""
    match = _BEHIND.search(expression)
    if match is None or not match.start() or not is_unit(match["text"] or ""):
        return expression
    return expression[: match.start()].rstrip()
