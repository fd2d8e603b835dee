"""The symbolic check of one answer, run inside a killable worker: math-verify, with its doubts.

`check` parses key and answer and compares them. It knows no limits: time and memory are the
worker's. Three of math-verify's habits are corrected here: it calls numbers equal that are far
apart relative to their size (`2^{-99}` and `2^{-98}` differ by less than it looks at), takes
variables for units (`2ab`, `3t`), and swallows errors, which are raised here.

What it does not do: tell an ordered pair from a set or an open interval (math-verify 0.9.0 reads
`(1,2)` and `{1,2}` as equal), convert units, or know what `1.5 million` is.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from .numbers import read_number
from .units import without_unit

Finding = Literal["equal", "different", "unparseable_key", "unparseable_answer", "no_answer"]

EXACT_TOLERANCE = 1e-12
"""Relative difference of two exact numbers, both evaluated to 30 digits."""
ROUNDED_TOLERANCE = 1e-3
"""The same where one is a decimal: math-verify rounds to 6 places, which says nothing of 1e-7."""


@dataclass(frozen=True, slots=True)
class Question:
    """Is this answer equal to this key?"""

    key: str
    answer: str
    boxed: bool
    """The answer is an expression; else it is text in which one has to be found."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, and the expression read from an unboxed answer."""

    finding: Finding
    extracted: str | None = None


def warm() -> None:
    """Import the checker once per worker and silence its notes about missing timeouts."""
    import math_verify  # noqa: F401

    for name in ("math_verify", "latex2sympy2_extended"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def check(question: Question) -> Check:
    """Compare one answer with its key. Whatever math-verify raises goes up to the pool."""
    keys = _expressions(_parse_boxed(question.key))
    if not keys:
        return Check("unparseable_key")
    answer = _parse_boxed(question.answer) if question.boxed else _parse_text(question.answer)
    if not answer:
        return Check("unparseable_answer" if question.boxed else "no_answer")
    extracted = None if question.boxed else str(answer[-1])
    answers = _expressions(answer)
    if not answers:
        return Check("unparseable_answer", extracted)
    equal = any(_equal(key, one) for key in keys for one in answers)
    return Check("equal" if equal else "different", extracted)


def _parse_boxed(expression: str) -> list[Any]:
    """One expression; a plain number in its one clear form (math-verify reads `2 1/2` as 3/2).

    math-verify's units are off, since it takes the t of `3t` for tonnes.
    """
    number = read_number(expression)
    clear = number.latex if number else without_unit(expression)
    return _parse(rf"\boxed{{{clear}}}", [_latex(units=False)])


def _parse_text(text: str) -> list[Any]:
    """The expression that math-verify finds in text, with units if there is none without."""
    from math_verify import ExprExtractionConfig

    found = _parse(text, [_latex(units=False), ExprExtractionConfig()])
    if _expressions(found):
        return found
    return _parse(text, [_latex(units=True), ExprExtractionConfig()])


def _parse(text: str, extractors: list[Any]) -> list[Any]:
    from math_verify import parse

    return list(parse(text, extractors, parsing_timeout=None, raise_on_error=True))


@lru_cache(maxsize=2)
def _latex(units: bool) -> Any:
    """math-verify's own default in all but `units`."""
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import LatexExtractionConfig

    default = LatexExtractionConfig().normalization_config
    fields = {**vars(default), "units": units}
    return LatexExtractionConfig(normalization_config=NormalizationConfig(**fields))


def _expressions(parsed: list[Any]) -> list[Any]:
    """What was understood; math-verify adds the text itself as a last resort."""
    return [one for one in parsed if not isinstance(one, str)]


def _equal(key: Any, answer: Any) -> bool:
    from math_verify import verify

    claimed = verify(
        key,
        answer,
        allow_set_relation_comp=True,  # x<3 says the same as (-oo,3), whichever is the key
        timeout_seconds=None,
        raise_on_error=True,
    )
    return bool(claimed) and not _far_apart(key, answer)


def _far_apart(key: Any, answer: Any) -> bool:
    """Two numbers whose difference is large beside them, whatever its absolute size."""
    from sympy import Expr, Float, N  # type: ignore[import-untyped]

    numbers = [one for one in (key, answer) if isinstance(one, Expr) and one.is_number]
    if len(numbers) < 2 or any(_is_percent(one) for one in numbers):
        return False  # 50% may be 50 or 1/2: math-verify accepts both
    first, second = (abs(N(one, 30)) for one in numbers)
    if not (first.is_finite and second.is_finite):
        return False
    difference = abs(N(key - answer, 30))
    rounded = any(one.has(Float) for one in numbers)
    tolerance = ROUNDED_TOLERANCE if rounded else EXACT_TOLERANCE
    return bool(difference > tolerance * max(first, second))


def _is_percent(expression: Any) -> bool:
    from sympy import UnevaluatedExpr

    return bool(expression.has(UnevaluatedExpr))
