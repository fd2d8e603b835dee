"""The value of an expression to fifty digits, real or complex, with mpmath.

What has no value that all agree on raises `NoValue`: poles, overflows, `(-8)^{1/3}`. The calculator
has a precision of its own and leaves mpmath's global one alone.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from .exact_values import NoValue, Point, exact_value
from .formula import Expression, Symbol

DIGITS, MANY_DIGITS = 50, 200


@lru_cache(maxsize=8)
def _context(digits: int) -> Any:
    """A calculator of its own, so that nobody else's precision changes."""
    from mpmath import MPContext  # type: ignore[import-untyped]

    context = MPContext()
    context.dps = digits
    return context


class Approximately:
    """Evaluates expressions at one point to a number of digits."""

    def __init__(self, where: Point, log_base: str, digits: int = DIGITS) -> None:
        self._where: dict[str, Any] = dict(where)
        self._log_base = log_base
        self._mp = _context(digits)
        self.ten = self._mp.mpf(10)

    def value(self, expression: Expression) -> Any:
        """An mpf or mpc.

        Raises:
            NoValue: a pole, an overflow, or an operation without a value that all agree on.
        """
        try:
            found = self._value(expression)
        except (ZeroDivisionError, OverflowError, ValueError) as error:
            raise NoValue(str(error)) from error
        if not self._mp.isfinite(found):
            raise NoValue("infinite")
        return found

    def value_at(self, expression: Expression, name: str, value: Any) -> Any:
        """The value where one variable has a value of this calculator's own kind."""
        self._where[name] = value
        return self.value(expression)

    def number(self, value: Fraction) -> Any:
        """A fraction as a number of this calculator's own kind."""
        return self._mp.mpf(value.numerator) / value.denominator

    def root(self, value: Fraction) -> Any:
        """A square root, complex of a negative number."""
        return self._mp.sqrt(self.number(value))

    def _value(self, expression: Expression) -> Any:
        mp = self._mp
        if isinstance(expression, Fraction):
            return self.number(expression)
        if isinstance(expression, Symbol):
            value = self._where[expression.name]
            return self.number(value) if isinstance(value, Fraction) else value
        if expression.name == "pow":
            return self._power(*expression.args)
        args = [self._value(each) for each in expression.args]
        own = getattr(self, f"_{expression.name}", None)
        if own is not None:
            return own(*args)
        name = _MPMATH.get(expression.name)
        if name is None:
            raise NoValue(expression.name)
        found = getattr(mp, name)
        return found(*args) if args else +found

    def _power(self, base: Expression, exponent: Expression) -> Any:
        """The principal power; a fractional one of a negative number has no agreed value."""
        below = self._value(base)
        try:
            above = exact_value(exponent)
        except (ArithmeticError, KeyError):
            return below ** self._value(exponent)
        if above.denominator > 1 and not below.imag and below.real < 0 and above.denominator % 2:
            raise NoValue("a fractional power of a negative number")
        return below ** self._value(above)

    def _add(self, *terms: Any) -> Any:
        return self._mp.fsum(terms)

    def _mul(self, one: Any, two: Any) -> Any:
        return one * two

    def _div(self, above: Any, below: Any) -> Any:
        return above / below

    def _neg(self, one: Any) -> Any:
        return -one

    def _i(self) -> Any:
        return self._mp.mpc(0, 1)

    def _root(self, base: Any, degree: Any) -> Any:
        """Real for odd roots of negative numbers, as everywhere outside of complex analysis."""
        if not base.imag and base.real < 0 and degree % 2 == 1:
            return -((-base) ** (1 / degree))
        return base ** (1 / degree)

    def _degree(self, one: Any) -> Any:
        return one * self._mp.pi / 180

    def _lg(self, one: Any) -> Any:
        return self._mp.ln(one) / self._mp.ln(10)

    def _log(self, one: Any, base: Any = None) -> Any:
        if base is None:
            base = self.ten if self._log_base == "10" else self._mp.e
        return self._mp.ln(one) / self._mp.ln(base)


_MPMATH = {name: name for name in ("sqrt", "sin", "cos", "tan", "cot", "sec", "csc", "ln", "exp")}
_MPMATH |= {name: name for name in ("sinh", "cosh", "tanh", "coth", "pi", "e", "factorial")}
_MPMATH |= {name: name for name in ("binomial", "floor")} | {"ceiling": "ceil", "abs": "fabs"}
_MPMATH |= {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot"}
