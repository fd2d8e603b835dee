r"""Answers in words: yes and no, names, number words, times of day, "no solution".

Words are compared in one spelling: lower case, without articles and punctuation, and with a few
that say the same in English and Chinese (`是`, `yes`, `true`). What reads as words is never handed
to a symbolic algebra, which would take `east` for a product of four variables.
"""

from __future__ import annotations

import re
import unicodedata

from .forms import Clock
from .formula_tokens import FUNCTIONS

LONGEST_ANSWER = 120
"""Characters; longer texts are explanations, which nobody can compare."""
LONGEST_HAN = 40
"""Han characters, likewise."""

_SAME = {"yes": "yes true 是 是的 对 对的 正确 correct 可以 能 成立"}
_SAME |= {"no": "no false 否 不 不是 不对 错 错误 incorrect 不可以 不能 不成立"}
_SAME |= {"infinite": "infinite infinitely infinitelymany unbounded 无穷 无限 无数 无穷多 无数个"}
CLOSED_ANSWERS = frozenset(_SAME)
"""The spellings of yes, no and without end: words however short."""
_MEANING = {word: meaning for meaning, words in _SAME.items() for word in words.split()}
_NOTHING_SOLVES = """
    no solution|no solutions|no real solution|no real solutions|no solution exists|none|empty set
    no such number exists|does not exist|dne|no real roots|无解|空集|无实数解|不存在
"""
_ALL_NUMBERS = """
    all real numbers|all reals|any real number|every real number|all real x|all real values
    the set of real numbers|the real numbers|real numbers|全体实数|实数集|一切实数|任意实数
"""
_nothing_solves = frozenset(re.split(r"\s*[|\n]\s*", _NOTHING_SOLVES.strip()))
_all_numbers = frozenset(re.split(r"\s*[|\n]\s*", _ALL_NUMBERS.strip()))
_TEXT = re.compile(r"\\(?:text(?:bf|it|rm|normal)?|math(?:rm|bf|it|sf)|mbox)\s*\{([^{}]*)\}")
_LONG_WORD = re.compile(r"(?<![A-Za-z\\{])[A-Za-z]{4,}")
_HAN = re.compile("[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]")
_FOREIGN_WORD = re.compile(r"[^\W\d_A-Za-z]{2,}")
_FILLING = re.compile(
    r"\b(?:the|an|a|is|are|it|on|at|in|by|to|of)\b|的|了|[\s\"'`.,;:!?。，；：！？()_-]+"
)
_MATH = re.compile(r"[=<>^_]|\\(?:frac|sqrt|le|ge|in|cup|pi|infty)(?![A-Za-z])")
_REMAINDER = re.compile(
    r"(\d{1,12}) ?(?:[Rr]|(?:with )?(?:a )?remainder(?: of)?|余|(?:\\ldots ?){1,2}|\.{6}) ?"
    r"(\d{1,12})"
)
_EXCEPT = re.compile(
    r"(?:the )?(?:set of )?(?:all )?real numbers? (?:except|other than|not equal to)(?: for)? "
    r"(.{1,40})"
)
_CLOCK = re.compile(
    r"(?P<day>上午|早上|下午|晚上)? ?(?P<hour>[01]?\d|2[0-4])"
    r"(?: ?[:点时] ?(?P<minute>[0-5]\d)分?)? ?(?P<half>[ap]\.? ?m\b\.?)?",
    re.IGNORECASE,
)
_AFTERNOON = ("下午", "晚上")
_SEVERAL_WORDS = re.compile(r"[A-Za-z]+(?: [A-Za-z]+)+")


def plain_words(text: str) -> str:
    """A text without LaTeX's text commands."""
    return _TEXT.sub(r" \1 ", text).strip()


def in_one_spelling(text: str) -> str:
    """Words as they are compared."""
    plain = plain_words(text).replace("\\ ", " ").replace("$", "")
    folded = unicodedata.normalize("NFKC", plain).casefold().strip()
    bare = _FILLING.sub(" ", f" {folded} ").split()
    joined = "".join(bare)
    return _MEANING.get(joined, joined) or folded


def is_words(text: str) -> bool:
    """Is this a text, and no mathematics?"""
    if in_one_spelling(text) in CLOSED_ANSWERS:
        return True
    if _MATH.search(text):
        return False
    inner = "".join(_TEXT.findall(text))
    outside = _TEXT.sub(" ", text)
    found = _LONG_WORD.search(outside) or _HAN.search(text) or _FOREIGN_WORD.search(outside)
    return bool(found or re.search("[A-Za-z]", inner))


def are_words(text: str) -> bool:
    """Several words, not all of them short, none a function or a connective: `red one`."""
    runs = text.split(" ")
    known = any(run in FUNCTIONS or run in ("and", "or") for run in runs)
    return bool(_SEVERAL_WORDS.fullmatch(text)) and max(map(len, runs)) > 2 and not known


def is_prose(text: str) -> bool:
    """Is this a sentence, whatever formulas are in it?"""
    return is_words(text) or len(_LONG_WORD.findall(_TEXT.sub(r" \1 ", text))) >= 3


def is_explanation(text: str) -> bool:
    """Is this more than a few words? Only identical ones could be equal, which says nothing."""
    plain = plain_words(text)
    return len(_LONG_WORD.findall(plain)) > 8 or len(_HAN.findall(plain)) > LONGEST_HAN


def says_nothing_solves(text: str) -> bool:
    """`no solution`, the empty set."""
    return _spoken(text) in _nothing_solves


def says_all_numbers(text: str) -> bool:
    """`all real numbers`."""
    return _spoken(text) in _all_numbers


def excepted(text: str) -> str | None:
    """What is left out of `all real numbers except 0`."""
    found = _EXCEPT.fullmatch(_spoken(text))
    return found[1] if found else None


def read_clock(text: str) -> Clock | None:
    """`3:30 PM`, `15:30`, `3 pm`, `下午3点30分`."""
    found = _CLOCK.fullmatch(" ".join(plain_words(text).split()))
    if found is None or not (found["minute"] or found["half"]):
        return None
    half = (found["half"] or "")[:1].lower()
    if found["day"]:
        half = "p" if found["day"] in _AFTERNOON else "a"
    hour = int(found["hour"])
    if half and hour > 12:
        return None
    if half:
        hour = hour % 12 + 12 * (half == "p")
    return Clock(60 * hour + int(found["minute"] or 0), half)


def read_remainder(text: str) -> str | None:
    """`7 R 3`, `7余3`, `7……3` in one spelling."""
    found = _REMAINDER.fullmatch(" ".join(plain_words(text).split()))
    return f"{found[1]} remainder {found[2]}" if found else None


def _spoken(text: str) -> str:
    return " ".join(plain_words(text).casefold().rstrip(".").split())
