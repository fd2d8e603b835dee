r"""The last word, where no exact form decides: math-verify, with its doubts.

It is only asked about what the reader of `formula.py` refuses (integrals, sums, functions, nested
text) or what values alone cannot settle, and only what `complexity.py` let through. Three of its
habits are corrected: it calls numbers equal that are far apart relative to their size (`2^{-99}`
and `2^{-98}` differ by less than it looks at), takes variables for units (`2ab`, `3t`), and
swallows errors, of which `Trouble` says whose they are.

It knows no limits: time and memory are the worker's.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

EXACT_TOLERANCE = 1e-12
"""Relative difference of two exact numbers, both evaluated to 30 digits."""
ROUNDED_TOLERANCE = 1e-6
"""The same where one is a decimal: math-verify rounds to 6 places, which says nothing of 1e-7."""


class Trouble(Exception):
    """A side that cannot be parsed, or whose comparison fails.

    Args:
        side: `key` or `answer`.
        detail: what went wrong, in one word.
        too_complex: it did not fit, as opposed to being unreadable.
    """

    def __init__(self, side: str, detail: str, too_complex: bool = False) -> None:
        super().__init__(side, detail)
        self.side, self.detail, self.too_complex = side, detail, too_complex


def warm() -> None:
    """Import the checker once per worker and silence its notes about missing timeouts."""
    import math_verify  # noqa: F401

    for name in ("math_verify", "latex2sympy2_extended"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    _extractors()


def symbolically_equal(*, key: str, answer: str) -> bool:
    """Are two tidied expressions equal for math-verify?

    Raises:
        Trouble: one of them cannot be parsed or compared.
        MemoryError: it took more memory than the worker has.
    """
    parsed_key, parsed_answer = parsed(key, "key"), parsed(answer, "answer")
    try:
        return _equal(parsed_key, parsed_answer)
    except MemoryError:
        raise
    except Exception as error:  # of sympy, on input that nobody foresaw
        raise Trouble(_culprit(parsed_key), *_named(error)) from error


def parsed(text: str, side: str) -> Any:
    """A sympy object.

    Raises:
        Trouble: math-verify finds no expression in the text.
    """
    try:
        found = _parse(text)
    except MemoryError:
        raise
    except Exception as error:  # the grammar's own errors, and Python's recursion limit
        raise Trouble(side, *_named(error)) from error
    if not found:
        raise Trouble(side, "no expression")
    return found[0]


@lru_cache(maxsize=2048)
def _parse(text: str) -> list[Any]:
    """What was understood; math-verify adds the text itself as a last resort."""
    from math_verify import parse

    boxed = rf"\boxed{{{text}}}"
    found = parse(boxed, _extractors(), parsing_timeout=None, raise_on_error=True)
    return [one for one in found if not isinstance(one, str)]


@lru_cache(maxsize=1)
def _extractors() -> list[Any]:
    """math-verify's own default in all but the units: it takes the t of `3t` for tonnes."""
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import LatexExtractionConfig

    default = LatexExtractionConfig().normalization_config
    fields = {**vars(default), "units": False}
    return [LatexExtractionConfig(normalization_config=NormalizationConfig(**fields))]


def _culprit(key: Any) -> str:
    """Whose fault a failed comparison is: the key's if it cannot be compared with itself."""
    try:
        _equal(key, key)
    except MemoryError:
        raise
    except Exception:  # whatever it was, it takes no answer to cause it
        return "key"
    return "answer"


def _named(error: Exception) -> tuple[str, bool]:
    return type(error).__name__, isinstance(error, RecursionError)


def _equal(key: Any, answer: Any) -> bool:
    from math_verify import verify

    claimed = verify(
        key,
        answer,
        allow_set_relation_comp=True,  # x<3 says the same as (-oo,3), whichever is the key
        timeout_seconds=None,
        raise_on_error=True,
    )
    return bool(claimed) and _same_kind(key, answer) and not _far_apart(key, answer)


def _same_kind(key: Any, answer: Any) -> bool:
    """A tuple is no set and no interval, whatever is in them."""
    from sympy import FiniteSet, Interval, Tuple  # type: ignore[import-untyped]

    kinds = [
        next((kind for kind in (Tuple, Interval, FiniteSet) if isinstance(one, kind)), None)
        for one in (key, answer)
    ]
    return None in kinds or kinds[0] is kinds[1]


def _far_apart(key: Any, answer: Any) -> bool:
    """Two numbers whose difference is large beside them, whatever its absolute size."""
    from sympy import Expr, Float, N, UnevaluatedExpr

    numbers = [one for one in (key, answer) if isinstance(one, Expr) and one.is_number]
    if len(numbers) < 2 or any(one.has(UnevaluatedExpr) for one in numbers):
        return False  # 50% may be 50 or 1/2: math-verify accepts both
    first, second = (abs(N(one, 30)) for one in numbers)
    if not (first.is_finite and second.is_finite):
        return False
    difference = abs(N(key - answer, 30))
    rounded = any(one.has(Float) for one in numbers)
    tolerance = ROUNDED_TOLERANCE if rounded else EXACT_TOLERANCE
    return bool(difference > tolerance * max(first, second))
