r"""Quantities in several units: `2 hours and 30 minutes`, `5 feet 6 inches`, `20元5角`.

All units must measure one thing, each be smaller than the one before, and none be unknown. The
sum is a number in the first unit. Single quantities are plain numbers (`numbers.py`).
"""

from __future__ import annotations

import re
from fractions import Fraction

from .numbers import LONGEST, Number
from .units import Unit, read_unit
from .word_answers import plain_words

_PART = re.compile(
    r"\s?(?:and|,|又|零)?\s?(?P<number>\d{1,9}(?:\.\d{1,9})?)\s?(?P<unit>[A-Za-z]{1,12}|[\u4e00-\u9fff]{1,3})\s?"
)
_AFTER_TIME = {"分": "分钟", "m": "min", "分钟": "分钟"}


def read_quantity(text: str) -> Number | None:
    """The sum of at least two numbers with units of one kind, or None."""
    if len(text) > LONGEST or not text[:1].isdigit():
        return None
    plain = " ".join(plain_words(text).split())
    parts = list(_PART.finditer(plain))
    if len(parts) < 2 or "".join(part.group() for part in parts) != plain:
        return None
    first = read_unit(parts[0]["unit"])
    if first is None or not first.dimension:
        return None
    total, last = Fraction(parts[0]["number"]) * first.size, first
    for part in parts[1:]:
        unit = _following(part["unit"], first)
        if unit is None or unit.dimension != first.dimension or unit.size >= last.size:
            return None
        total, last = total + Fraction(part["number"]) * unit.size, unit
    value = total / first.size
    return Number(value, None, False, first)


def _following(name: str, first: Unit) -> Unit | None:
    """`分` is a minute behind hours and a hundredth behind yuan."""
    return read_unit(_AFTER_TIME.get(name, name) if first.dimension == "time" else name)
