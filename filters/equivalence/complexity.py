"""Would evaluating this expression take for ever? Told from its text, before anything parses it.

Symbolic algebra evaluates `9^{9^9}` or `100000000!` in one C loop, and one such answer costs as
much as a thousand honest ones. `too_complex` bounds the size of every number an expression could
make: sums and products add up digits, powers and factorials multiply them. The bound is crude and
errs upwards, never by calculating anything large. What slips through (hard integrals, clever
nesting) meets the CPU limit of the worker.
"""

from __future__ import annotations

import math
import re
from itertools import accumulate

LONGEST = 1000
"""Characters. The longest keys of competition sets have about 200."""
DEEPEST = 25
"""Nested brackets: `\\frac` nested 60 deep takes the parser 0.7 s, 5,000 braces for ever."""
MOST_DIGITS = 20_000
"""Decimal digits of any number on the way: 2^{65536} passes, 2^{1e6} does not."""
MOST_TERMS = 4
"""Decimal digits of any number in a sum, product or binomial: 9,999 terms."""

_TWO = math.log10(2)
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<open>\\?\{|[(\[])|(?P<close>\\?\}|[)\]])"
    r"|(?P<power>\^|\*\*)|(?P<below>_)|(?P<factorial>!+)|\\(?:left|right)(?![A-Za-z])"
    r"|(?P<symbol>\\[A-Za-z]+|\w)"
)
_WITH_LIMITS = frozenset({"\\sum", "\\prod", "\\int", "\\lim"})
_COUNTED = re.compile(r"\\(?:[dt]?binom|choose|sum|prod)(?![A-Za-z])")


def too_complex(text: str) -> str | None:
    """Why the expression must not be evaluated (`length`, `nesting`, `magnitude`), or None."""
    if len(text) > LONGEST:
        return "length"
    steps = ((sign in "{[(") - (sign in "}])") for sign in text)
    if max(accumulate(steps), default=0) > DEEPEST:
        return "nesting"
    estimate = _Estimate(text)
    estimate.sequence()
    if estimate.largest > MOST_DIGITS:
        return "magnitude"
    terms = estimate.largest_item if _COUNTED.search(text) else 0.0
    return "magnitude" if terms > MOST_TERMS else None


class _Estimate:
    """Reads an expression and keeps log10 of how large it can be, never below that of 2.

    With every part at least 2, a sum is at most the product of its parts, so sizes simply add.
    """

    def __init__(self, text: str) -> None:
        self._tokens = [(str(found.lastgroup), found.group()) for found in _TOKEN.finditer(text)]
        self._at = 0
        self.largest = 0.0
        """The largest size of anything."""
        self.largest_item = 0.0
        """The largest size of one item: what could be a limit of a sum."""

    def sequence(self, depth: int = 0) -> float:
        """Everything up to the closing bracket (or the end), whatever joins it."""
        total = 0.0
        while self._at < len(self._tokens):
            if self._tokens[self._at][0] == "close":
                self._at += 1
                if depth:
                    break
                continue
            total += self._item(depth)
            self.largest = max(self.largest, total)
        return max(total, _TWO)

    def _item(self, depth: int) -> float:
        """An atom with the factorials, powers and indices that follow it."""
        if depth > 2 * DEEPEST:  # a chain of powers, each the exponent of the one before
            self.largest = math.inf
        has_limits = self._tokens[self._at][1] in _WITH_LIMITS
        size = self._atom(depth)
        while self._at < len(self._tokens) and self.largest < math.inf:
            kind, text = self._tokens[self._at]
            if kind not in ("factorial", "power", "below"):
                break
            self._at += 1
            if kind == "factorial":  # n!! grows more slowly than n!; nobody honest writes n!!!
                size = _value(size) * size if len(text) < 3 else math.inf
            elif self._at == len(self._tokens):
                break
            elif kind == "below":
                self._atom(depth + 1)
            else:
                exponent = self._item(depth + 1)
                size *= 1.0 if has_limits else _value(exponent)
            self.largest = max(self.largest, size)
        self.largest_item = max(self.largest_item, size)
        return size

    def _atom(self, depth: int) -> float:
        kind, text = self._tokens[self._at]
        self._at += 1
        if text == "\\Gamma" and self._at < len(self._tokens):  # a factorial of its argument
            size = self._atom(depth + 1)
            return _value(size) * size
        if kind == "number":
            whole, _, decimals = text.partition(".")
            short = len(whole) < 16
            size = math.log10(max(int(whole or 0), 2)) if short else float(len(whole))
            return max(size, float(len(decimals)))  # one over a small decimal is large
        return self.sequence(depth + 1) if kind == "open" else _TWO


def _value(size: float) -> float:
    """The number whose log10 is `size`, but never too large for a float."""
    return math.pow(10.0, min(size, 12.0))
