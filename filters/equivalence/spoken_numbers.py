"""Numbers in words: `seven`, `twenty-five`, `one hundred twenty`, `一百二十`, `五分之三`.

English up to the millions, Chinese up to 亿, and Chinese fractions. A counted thing may follow
(`five dollars`). What it does not know is no number: `half a dozen`, `两三`.
"""

from __future__ import annotations

import re
from fractions import Fraction

from .units import read_unit

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
_ONES += "fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: value for value, word in enumerate(_ONES.split())}
_SMALL |= {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}
_LARGE = {"thousand": 10**3, "million": 10**6}
_HAN_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_STEPS = {"十": 10, "百": 100, "千": 1000}
_HAN_LARGE = {"万": 10**4, "亿": 10**8}
_HAN_NUMBER = re.compile("[零一二三四五六七八九十百千万亿两]{1,15}")
_HAN_FRACTION = re.compile("([零一二三四五六七八九十百两]{1,7}|\\d{1,9})分之(.{1,9})")
_MOST_WORDS = 12


def spoken_number(text: str) -> Fraction | None:
    """The number that a text says in words, or None."""
    if fraction := _HAN_FRACTION.fullmatch(text):
        below, above = _han_or_digits(fraction[1]), _han_or_digits(fraction[2])
        return Fraction(above, below) if below and above is not None else None
    if _HAN_NUMBER.fullmatch(text):
        return _as_fraction(_han(text))
    words = [word for word in re.split(r"[\s-]+", text.casefold()) if word]
    if not 0 < len(words) <= _MOST_WORDS or words[0] not in _SMALL:
        return None
    end = next((at for at, word in enumerate(words) if not _is_number_word(word)), len(words))
    if end < len(words) and read_unit(" ".join(words[end:])) is None:
        return None
    return _as_fraction(_english(words[:end]))


def _as_fraction(value: int | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def _is_number_word(word: str) -> bool:
    return word in _SMALL or word in _LARGE or word in ("hundred", "and")


def _english(words: list[str]) -> int | None:
    """Groups of hundreds; within one, each word must fit into what the one before left open."""
    total, group, room = 0, 0, 100
    for word in words:
        if word == "hundred":
            if not 0 < group < 10:
                return None
            group, room = group * 100, 100
        elif word in _LARGE:
            total, group, room = total + group * _LARGE[word], 0, 100
        elif word != "and":
            if _SMALL[word] >= room:
                return None
            group, room = group + _SMALL[word], 10 if _SMALL[word] >= 20 else 0
    return total + group


def _han(text: str) -> int | None:
    total = group = 0
    digit: int | None = None
    for sign in text:
        if sign in _HAN_DIGITS:
            if digit:  # 二五 are two numbers
                return None
            digit = _HAN_DIGITS[sign]
        elif sign in _HAN_STEPS:
            group, digit = group + (1 if digit is None else digit) * _HAN_STEPS[sign], None
        else:
            total, group, digit = (total + group + (digit or 0)) * _HAN_LARGE[sign], 0, None
    return total + group + (digit or 0)


def _han_or_digits(text: str) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    return _han(text) if _HAN_NUMBER.fullmatch(text) else None
