"""One answer against one key: exact forms first, then the guard, then a symbolic algebra.

1. Equal tidied texts are equal.
2. What would be too large to evaluate is refused by its text (`complexity.py`).
3. Forms decide where they are sure (`read_form.py`, `equality.py`), in microseconds.
4. The rest goes to math-verify (`symbolic.py`).

A key must be readable even for an equal text to count: `\\frac{1}{` is no key. Key and answer are
named at every step, so that they cannot be mixed up. Time and memory are limited by the worker in
which this runs; a side that fails by itself is named in the finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .complexity import LONGEST, too_complex
from .equality import same_form
from .forms import Form, Words
from .read_form import read_form
from .symbolic import Trouble, parsed, symbolically_equal
from .tidy import tidy
from .word_answers import is_explanation, is_prose, plain_words

_LETTER: Final = re.compile(
    r"(?:(?:option|choice|answer|选项|选)\s?)?[(\[]?\s?(?P<letter>[A-J])\s?(?:[)\]]|[.:,](?!\d)|$).*",
    re.IGNORECASE | re.DOTALL,
)
_VALUE_OF_OPTION: Final = re.compile(
    r"\\?(?:(?:text|math)(?:bf|rm)?\s?\{\s?)?(?:[(\[][A-J][)\]]|[A-J][).:])(?:\s?\}\s*|[.:]?\s+)"
    r"(?P<value>\S.*)",
    re.DOTALL,
)
_LONE_LETTER: Final = re.compile(r"[(\[]?([A-J])[)\]]?[.:]?")
_SPACES: Final = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
"""But those between two digits: `1 2` is not 12."""
_LETTERS: Final = re.compile(r"[A-J](?:\s?[,;、&]?\s?[A-J])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Is this answer equal to this key? Both as they are written."""

    key: str
    answer: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason of the math filter, and how it was come by."""

    reason: str
    method: str
    detail: str | None = None


def fault_of_key(key: str) -> Finding | None:
    """Why nothing could be equal to a key, as far as its text tells."""
    if len(key) > LONGEST:
        return Finding("too_complex_key", "guard", "length")
    if _unbalanced(key):
        return Finding("unparseable_key", "exact", "braces")
    return Finding("unparseable_key", "exact", "prose") if is_explanation(key) else None


@lru_cache(maxsize=16_384)
def check(question: Question) -> Finding:
    """Compare one answer with its key, of which `fault_of_key` says nothing."""
    if len(question.answer) > LONGEST:
        same = question.key == question.answer
        return Finding("too_complex" if not same else "correct", "guard", "length")
    key, answer = tidy(question.key), tidy(question.answer)
    if _unbalanced(answer):
        return Finding("unparseable_answer", "exact", "braces")
    if (chosen := _same_choice(key, answer)) is not None:
        return _decided(chosen)
    key, answer = _without_letter(key, answer), _without_letter(answer, key)
    if _same_letters(key, answer):
        return _decided(True)
    if why := too_complex(key):
        return _decided(True) if key == answer else Finding("too_complex_key", "guard", why)
    key_form = read_form(key)
    if key_form is not None and key == answer:
        return _decided(True)
    if why := too_complex(answer):
        return Finding("too_complex", "guard", why)
    return _by_form(key, answer, key_form, read_form(answer))


def _by_form(key: str, answer: str, key_form: Form | None, answer_form: Form | None) -> Finding:
    if key_form is None and is_prose(key):
        return Finding("unparseable_key", "exact", "prose")
    found = None
    if key_form is not None and answer_form is not None:
        found = same_form(key_form, answer_form)
    elif isinstance(key_form, Words) or isinstance(answer_form, Words) or is_prose(answer):
        found = False  # words are no mathematics, so the side that is none differs from it
    if found is None and _same_text(key, answer):
        found = True  # `AB \\parallel CD` has no form, but here is the same again
    return _symbolically(key, answer) if found is None else _decided(found)


def _symbolically(key: str, answer: str) -> Finding:
    try:
        if key.count("'") != answer.count("'"):  # math-verify drops primes
            parsed(key, "key")
            return _decided(False)
        equal = symbolically_equal(key=key, answer=answer)
    except Trouble as trouble:
        kind = "too_complex" if trouble.too_complex else f"unparseable_{trouble.side}"
        if trouble.too_complex and trouble.side == "key":
            kind = "too_complex_key"
        return Finding(kind, "math-verify", trouble.detail)
    return Finding("correct" if equal else "wrong", "math-verify")


def _same_letters(key: str, answer: str) -> bool:
    """One word in two cases; `AB` and `ab` may be two things."""
    word = key.isalpha() and len(key) > 2 and key.casefold() == answer.casefold()
    return word and (key.istitle() or answer.istitle() or len(key) > 3)


def _same_text(key: str, answer: str) -> bool:
    """The same signs in the same order, of which something is said."""
    one, two = (_SPACES.sub("", text) for text in (key, answer))
    return one == two and any(sign.isalnum() for sign in one)


def _unbalanced(text: str) -> bool:
    """Are there braces without their partner? math-verify would close them somewhere."""
    bare = text.replace(r"\{", "").replace(r"\}", "")
    return bare.count("{") != bare.count("}")


def _decided(equal: bool) -> Finding:
    return Finding("correct" if equal else "wrong", "exact")


def _same_choice(key: str, answer: str) -> bool | None:
    """Do both name options, one of them nothing else? `B` and `(B) 12 cm` are the same choice."""
    first, second = _options(key), _options(answer)
    if first is None and second is None:
        return None
    first, second = first or _option_with_text(key), second or _option_with_text(answer)
    return None if first is None or second is None else first == second


def _without_letter(text: str, other: str) -> str:
    """The value behind the letter of a choice (`(E) 144`), where the other side has no letter."""
    behind = _VALUE_OF_OPTION.fullmatch(text)
    return text if behind is None or _VALUE_OF_OPTION.fullmatch(other) else behind["value"].strip()


def _options(text: str) -> frozenset[str] | None:
    """The letters of an answer that is nothing but letters: `(B)`, `A, C`."""
    text = plain_words(text)
    if lone := _LONE_LETTER.fullmatch(text):
        return frozenset(lone[1])
    letters = re.findall("[A-J]", text) if _LETTERS.fullmatch(text) else []
    return frozenset(letters) if letters and len(letters) == len(set(letters)) else None


def _option_with_text(text: str) -> frozenset[str] | None:
    """The letter before the text of an option: `B) 12 cm`."""
    found = _LETTER.fullmatch(plain_words(text))
    return frozenset(found["letter"].upper()) if found else None
