"""Do two forms say the same? True and False where that is sure, None where it is not.

What the two sides are decides which rule holds: lists without brackets have no order, tuples have
one; an interval is the inequality that says it; a name before a value (`x = 5`) is compared only
with another name; brackets of different kinds differ (`(1,2)` is no set and no closed interval).
Numbers are left to `numbers.py`, formulas to `values.py`, equations to `equations.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from .equations import is_solved_by, same_equation, same_inequality
from .forms import (
    CLOSED,
    HALF_OPEN,
    LIST,
    OPEN,
    SET,
    Chain,
    Clock,
    Equation,
    Form,
    Inequality,
    Items,
    Matrix,
    Ratio,
    Region,
    Scalar,
    Words,
)
from .formula import Call, Expression, Symbol, is_linear_in_one, symbols
from .regions import equal
from .relations import as_region
from .scalars import same_scalar
from .values import real_value, same_value

_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_MOST_ITEMS = 60
"""Of an unordered list; every item is compared with every other."""
_CLOSE = Fraction(1, 100)
"""Members of a chain further apart than this are not the same value."""


def same_form(key: Form, answer: Form) -> bool | None:
    """Is the answer what the key says?"""
    for kind, compare in _RULES:
        if isinstance(key, kind):
            return compare(key, answer)
        if isinstance(answer, kind):
            return compare(answer, key)
    return None


def _equation(first: Equation, second: Form) -> bool | None:
    if isinstance(second, Equation):
        return _equations(first, second)
    if isinstance(second, Items) and any(isinstance(item, Equation) for item in second.items):
        return False if len(second.items) > 1 else same_form(first, second.items[0])
    if isinstance(second, Region):
        region = as_region(first)
        return None if region is None else _region(region, second)
    if first.left is not None and len(first.rights) == 1 and _is_to_be_solved(first.left):
        return False
    if not _is_named(first) and not _is_constant(first.rights[-1]):
        return None if isinstance(second, Words | Scalar) else False
    return _any_claim(first.rights, second)


def _equations(first: Equation, second: Equation) -> bool | None:
    """Two names with values, or two equations between expressions."""
    if _plain_name(first.name) == _plain_name(second.name):
        found = _any_claim(first.rights, second.rights[-1])
        return found or _any_claim(second.rights, first.rights[-1])
    both = same_equation(_sides(first), _sides(second))
    if both is not None:
        return both
    simple = isinstance(first.left, Symbol) and isinstance(second.left, Symbol)
    if simple and not ({first.name, second.name} & {"y", "z"}):
        return False
    if _is_named(first) and _is_named(second):
        return _any_claim(first.rights, second.rights[-1])
    return None


def _sides(equation: Equation) -> tuple[Expression, Expression] | None:
    right = equation.rights[-1]
    if equation.left is None or not isinstance(right, Scalar):
        return None
    return equation.left, right.tree


def _is_named(equation: Equation) -> bool:
    """Is the left side a name (`x`, `f(2)`, `Area`) that does not occur on the right?"""
    if equation.left is None:
        return True
    right = equation.rights[-1]
    inner = symbols(right.tree) if isinstance(right, Scalar) else frozenset()
    return isinstance(equation.left, Symbol) and equation.left.name not in inner


def _is_to_be_solved(left: Expression) -> bool:
    """`2x = 10` asks for x; `x = 10`, `x^2 + y^2 = 10` and `\\sin x = 1` are told what they are."""
    return isinstance(left, Call) and is_linear_in_one(left)


def _is_constant(form: Form) -> bool:
    """`x + y = 5` claims five; `2x - y + 1 = 0` claims nothing but itself."""
    return isinstance(form, Scalar) and not symbols(form.tree) and form.tree != 0


def _plain_name(name: str) -> str:
    return re.sub(r"[\s{}\\]", "", name)


def _chain(first: Chain, second: Form) -> bool | None:
    if isinstance(second, Chain):
        found = [_any_claim(first.members, member) for member in second.members]
        return True if True in found else None if None in found else False
    return _any_claim(first.members, second)


def _any_claim(members: Sequence[Form], other: Form) -> bool | None:
    """Does the last member, or an earlier one that it follows from, equal the other?"""
    last = members[-1]
    found = same_form(last, other)
    if found is not False:
        return found
    earlier = [one for one in members[:-1] if _close(one, last)]
    return any(same_form(one, other) for one in earlier)


def _close(one: Form, two: Form) -> bool:
    values = [real_value(each.tree) for each in (one, two) if isinstance(each, Scalar)]
    if len(values) < 2 or values[0] is None or values[1] is None:
        return False
    return abs(values[0] - values[1]) <= _CLOSE * max(abs(values[0]), abs(values[1]))


def _words(first: Words, second: Form) -> bool | None:
    return isinstance(second, Words) and first.text == second.text


def _clock(first: Clock, second: Form) -> bool | None:
    if isinstance(second, Clock):
        if bool(first.half) == bool(second.half):
            return first.minutes == second.minutes
        return first.minutes % 720 == second.minutes % 720
    if isinstance(second, Ratio) and len(second.parts) == 2:
        values = [part.number for part in second.parts if isinstance(part, Scalar)]
        if values[0] is None or values[1] is None:
            return False
        minutes = 60 * values[0].value + values[1].value
        return minutes == first.minutes or (minutes % 720 == first.minutes % 720 and minutes < 720)
    return False


def _ratio(first: Ratio, second: Form) -> bool | None:
    ones = [part.tree for part in first.parts if isinstance(part, Scalar)]
    if isinstance(second, Ratio):
        twos = [part.tree for part in second.parts if isinstance(part, Scalar)]
        if len(ones) != len(twos):
            return False
        pairs = zip(ones[1:], twos[1:], strict=True)
        crossed = [
            same_value(Call("mul", (ones[0], two)), Call("mul", (twos[0], one)))
            for one, two in pairs
        ]
        return _all(crossed)
    if isinstance(second, Scalar) and len(ones) == 2:
        return same_value(Call("div", (ones[0], ones[1])), second.tree)
    return False


def _region(first: Region, second: Form) -> bool | None:
    region = as_region(second)
    if region is None:
        return None if isinstance(second, Items) and second.items else False
    names = {name for name in (first.variable, region.variable) if name}
    return len(names) < 2 and equal(first.intervals, region.intervals)


def _inequality(first: Inequality, second: Form) -> bool | None:
    if isinstance(second, Inequality):
        return same_inequality(first.conditions, second.conditions)
    region = as_region(second)
    if region is None:
        return None if isinstance(second, Items) else False
    return is_solved_by(first.conditions, region.variable, region.intervals)


def _matrix(first: Matrix, second: Form) -> bool | None:
    rows = first.rows
    if isinstance(second, Matrix):
        shapes = (len(rows), len(rows[0])), (len(second.rows), len(second.rows[0]))
        if shapes[0] != shapes[1]:
            return False
        return _all([_ordered(one, two) for one, two in zip(rows, second.rows, strict=True)])
    if isinstance(second, Items) and second.brackets != SET:
        if len(rows) == 1 or len(rows[0]) == 1:
            return _ordered([entry for row in rows for entry in row], second.items)
        inner = [row.items for row in second.items if isinstance(row, Items)]
        if len(inner) != len(rows) or len(second.items) != len(rows):
            return False
        return _all([_ordered(one, two) for one, two in zip(rows, inner, strict=True)])
    if len(rows) == len(rows[0]) == 1:
        return same_form(rows[0][0], second)
    return False


def _items(first: Items, second: Form) -> bool | None:
    if not isinstance(second, Items):
        if len(first.items) == 1:
            return same_form(first.items[0], second)
        if not first.brackets and all(same_form(item, second) for item in first.items):
            return True  # one value in several spellings
        return _decimal_comma(first, second)
    systems = [one for one in (first, second) if isinstance(one.items[0], Equation)]
    if systems:
        return _system(first, second)
    kinds = {first.brackets, second.brackets}
    if kinds <= {LIST, SET}:
        return _unordered(first.items, second.items, unique=SET in kinds)
    if SET in kinds:
        return len(first.items) == len(second.items) == 1 and same_form(
            first.items[0], second.items[0]
        )
    pair = len(first.items) == 2 and kinds <= {OPEN, CLOSED, *HALF_OPEN} and len(kinds) > 1
    if pair or (kinds & set(HALF_OPEN) and len(kinds) > 1):
        return False
    return _ordered(first.items, second.items)


def _decimal_comma(first: Items, second: Form) -> bool | None:
    """`1,22` beside 1.22 is a decimal, as most of Europe writes it."""
    number = second.number if isinstance(second, Scalar) else None
    if first.brackets or number is None or number.value.denominator == 1:
        return False
    if not _DECIMAL_COMMA.fullmatch(first.text):
        return False
    return Fraction(first.text.replace(",", ".")) == number.value


def _system(first: Items, second: Items) -> bool | None:
    """`x = 1, y = 2` in any order; beside a plain tuple, in the order of the names."""
    if all(isinstance(item, Equation) for item in (*first.items, *second.items)):
        return _unordered(first.items, second.items, unique=False)
    named, plain = (first, second) if isinstance(first.items[0], Equation) else (second, first)
    equations = [item for item in named.items if isinstance(item, Equation)]
    if len(equations) < len(named.items) or plain.brackets == SET:
        return False
    if any(each.left is not None and _is_to_be_solved(each.left) for each in equations):
        return False
    ordered = sorted(equations, key=lambda equation: equation.name)
    return _ordered([equation.rights[-1] for equation in ordered], plain.items)


def _ordered(first: Sequence[Form], second: Sequence[Form]) -> bool | None:
    if len(first) != len(second):
        return False
    return _all([same_form(one, two) for one, two in zip(first, second, strict=True)])


def _unordered(first: Sequence[Form], second: Sequence[Form], unique: bool) -> bool | None:
    """The same things in any order, each as often, or for sets once."""
    if max(len(first), len(second)) > _MOST_ITEMS:
        return _ordered(first, second)
    left = list(second)
    unsure = False
    for one in first:
        found = [same_form(one, two) for two in (second if unique else left)]
        if True not in found:
            unsure = unsure or None in found
            if not unsure:
                return False
            continue
        if not unique:
            del left[found.index(True)]
    if unsure:
        return None
    if unique:
        back = [any(same_form(one, two) for one in first) for two in second]
        return all(back)
    return not left


def _all(found: Sequence[bool | None]) -> bool | None:
    if False in found:
        return False
    return None if None in found else True


def _scalar(first: Scalar, second: Form) -> bool | None:
    return same_scalar(first, second) if isinstance(second, Scalar) else None


_RULES: tuple[tuple[type, Callable[[Any, Form], bool | None]], ...] = (
    (Words, _words),
    (Equation, _equation),
    (Chain, _chain),
    (Clock, _clock),
    (Ratio, _ratio),
    (Inequality, _inequality),
    (Region, _region),
    (Matrix, _matrix),
    (Items, _items),
    (Scalar, _scalar),
)
