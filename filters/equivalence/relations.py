r"""Read inequalities, memberships and unions as regions of the number line.

`x < 3`, `-1 < x \le 2`, `x \in (-\infty, 3)`, `(-\infty,1) \cup (3,\infty)`, `x \ne 2`,
`\{x \mid x > 0\}` and `x < 1 \text{ or } x > 3` become `Region`s; an inequality in which no
variable stands alone becomes an `Inequality`. A comma between inequalities means *and*, unless
nothing would be left, then *or*. What stands on the sides is read by the function handed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from .forms import (
    CLOSED,
    HALF_OPEN,
    LIST,
    OPEN,
    SET,
    Equation,
    Form,
    Inequality,
    Items,
    Region,
    Scalar,
)
from .formula import Call, Expression, Symbol, Unclear, symbols
from .formula_reader import read_expression
from .regions import EVERYTHING, Interval, intersection, single, union, without
from .splitting import OR, Piece, brackets, pieces
from .values import real_value

Read: TypeAlias = Callable[[str], Form | None]

_SIGNS = re.compile(r"\\(?:le|ge|ne)(?![A-Za-z])|<=|>=|!=|<>|<|>")
_SIGN_NAMES = {r"\le": "<=", r"\ge": ">=", r"\ne": "!=", "<>": "!="}
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
_IN = re.compile(r"\\in(?![A-Za-z])")
_CUP = re.compile(r"\\(?:cup|bigcup)(?![A-Za-z])|∪")
_CAP = re.compile(r"\\cap(?![A-Za-z])")
_LESS = re.compile(r"\\(?:setminus|backslash)(?![A-Za-z])|\\ (?=\\\{)")
_REALS_LESS = re.compile(r"(\\mathbb\s?\{?R\}?)\s*-\s*(?=\\?\{)")
_BUILDER = re.compile(
    r"(?P<name>[A-Za-z])(?:\s*\\in\s*\\math(?:bb|bf)\s*\{?R\}?)?\s*(?:\\mid|\\vert|\||:)(?P<rest>.*)",
    re.DOTALL,
)
_RELATION = re.compile(_SIGNS.pattern + "|" + _IN.pattern)


def holds_relation(text: str) -> bool:
    """Is there a sign of an inequality or membership outside of brackets?"""
    return len(pieces(text, _RELATION)) > 1


def read_relation(text: str, read: Read) -> Form | None:
    """The region or inequality that a text is; None if it is something else."""
    if len(sides := pieces(text, _IN)) == 2:
        return _membership(sides[0].text, read(sides[1].text))
    if len(sides := pieces(text, _CUP)) > 1:
        return _united([read(side.text) for side in sides])
    if len(sides := pieces(text, _CAP)) == 2:
        one, two = (as_region(read(side.text)) for side in sides)
        return one and two and Region(None, intersection(one.intervals, two.intervals))
    if len(sides := pieces(_REALS_LESS.sub(r"\1\\setminus ", text), _LESS)) == 2:
        return _less(as_region(read(sides[0].text)), read(sides[1].text))
    if (builder := _builder(text)) is not None:
        region = as_region(read(builder["rest"]))
        return region and Region(builder["name"], region.intervals)
    return _inequality(pieces(text, _SIGNS))


def join_relations(parts: Sequence[Piece], read: Read) -> Form | None:
    """Inequalities with *and*, *or* or commas between."""
    forms = [read(part.text) for part in parts]
    regions = [as_region(form) for form in forms]
    names = {region.variable for region in regions if region is not None}
    if None in regions or len(names - {None}) > 1:
        known = tuple(form for form in forms if form is not None)
        return Items(LIST, known) if len(known) == len(forms) else None
    found = regions[0].intervals if regions[0] else ()
    for part, region in zip(parts, regions[1:], strict=False):
        other = region.intervals if region else ()
        both = intersection(found, other)
        found = union((*found, *other)) if part.separator == OR or not both else both
    return Region(next(iter(names - {None}), None), found)


def as_region(form: Form | None) -> Region | None:
    """A form as a set of real numbers, if it can be one: intervals, finite sets, solutions."""
    if isinstance(form, Region):
        return form
    if isinstance(form, Items):
        return _items_as_region(form)
    if isinstance(form, Equation) and isinstance(form.left, Symbol):
        inner = form.rights[-1]
        region = as_region(inner if isinstance(inner, Items) else Items(SET, (inner,)))
        return region and Region(form.name, region.intervals)
    return None


def _items_as_region(form: Items) -> Region | None:
    if form.brackets in (SET, LIST):
        points = [_bound(item) for item in form.items]
        if any(not isinstance(point, Fraction) for point in points):
            return None
        return Region(None, union(single(one) for one in points if isinstance(one, Fraction)))
    if form.brackets not in (OPEN, CLOSED, *HALF_OPEN) or len(form.items) != 2:
        return None
    low, high = (_bound(item) for item in form.items)
    return _between(low, high, form.brackets)


def _between(low: Fraction | str | None, high: Fraction | str | None, kind: str) -> Region | None:
    if low is None or high is None or low == "+" or high == "-":
        return None
    bottom = low if isinstance(low, Fraction) else None
    top = high if isinstance(high, Fraction) else None
    if bottom is not None and top is not None and bottom > top:
        return None
    low_open, high_open = bottom is None or kind[0] == "(", top is None or kind[1] == ")"
    return Region(None, union([Interval(bottom, top, low_open, high_open)]))


def _bound(form: Form) -> Fraction | str | None:
    """A number, `+` or `-` for the infinities, None for anything else."""
    if not isinstance(form, Scalar):
        return None
    return _constant(form.tree)


def _constant(tree: Expression) -> Fraction | str | None:
    if tree == Call("infty"):
        return "+"
    if tree == Call("neg", (Call("infty"),)):
        return "-"
    return None if symbols(tree) else real_value(tree)


def _membership(name: str, form: Form | None) -> Form | None:
    if not re.fullmatch(r"\\?[A-Za-z]+(?:_\{?\w\}?)?", name) or form is None:
        return None
    if isinstance(form, Items) and form.brackets == SET:
        return Equation(name, Symbol(name), (Items(LIST, form.items),))
    region = as_region(form)
    return region and Region(name, region.intervals)


def _united(forms: list[Form | None]) -> Form | None:
    if all(isinstance(form, Items) and form.brackets == SET for form in forms):
        return Items(
            SET, tuple(one for form in forms if isinstance(form, Items) for one in form.items)
        )
    regions = [as_region(form) for form in forms]
    if None in regions:
        return None
    names = {region.variable for region in regions if region}
    name = names.pop() if len(names) == 1 else None
    return Region(name, union(part for region in regions if region for part in region.intervals))


def _less(whole: Region | None, removed: Form | None) -> Form | None:
    if whole is None or not isinstance(removed, Items) or removed.brackets != SET:
        return None
    points = [_bound(item) for item in removed.items]
    if any(not isinstance(point, Fraction) for point in points):
        return None
    return Region(
        None, without(whole.intervals, [one for one in points if isinstance(one, Fraction)])
    )


def _builder(text: str) -> re.Match[str] | None:
    around = brackets(text)
    return _BUILDER.fullmatch(around[1]) if around and around[0] == SET else None


def _inequality(sides: list[Piece]) -> Form | None:
    """`a < b`, `a < x < b`."""
    if not 2 <= len(sides) <= 3 or not all(side.text for side in sides):
        return None
    signs = [_SIGN_NAMES.get(side.separator, side.separator) for side in sides[:-1]]
    if signs == ["!="] and "\\pm" in sides[1].text:
        return _not_these(sides[0].text, sides[1].text)
    try:
        trees = [read_expression(side.text) for side in sides]
    except Unclear:
        return None
    if len(trees) == 3:
        return _double(trees, signs)
    left, right = trees
    found = _half_line(left, signs[0], right) or _half_line(right, _FLIPPED[signs[0]], left)
    if found is not None:
        return found
    return Inequality((_condition(left, signs[0], right),))


def _condition(left: Expression, sign: str, right: Expression) -> tuple[Expression, str]:
    """As a difference that is greater than zero."""
    if sign[0] == "<":
        left, sign, right = right, _FLIPPED[sign], left
    return Call("add", (left, Call("neg", (right,)))), sign


def _double(trees: list[Expression], signs: list[str]) -> Form | None:
    """`-1 < x <= 2`, in either direction."""
    low, middle, high = trees
    if signs[0][0] != signs[1][0]:
        return None
    if not isinstance(middle, Symbol):
        return Inequality((_condition(low, signs[0], middle), _condition(middle, signs[1], high)))
    first = _half_line(middle, _FLIPPED[signs[0]], low)
    second = _half_line(middle, signs[1], high)
    if first is None or second is None:
        return None
    return Region(middle.name, intersection(first.intervals, second.intervals))


def _half_line(left: Expression, sign: str, right: Expression) -> Region | None:
    """A variable compared with a constant."""
    bound = None if symbols(right) else _constant(right)
    if not isinstance(left, Symbol) or bound is None:
        return None
    if not isinstance(bound, Fraction):  # x < infinity excludes nothing
        return Region(left.name, (EVERYTHING,)) if (bound == "+") == (sign[0] == "<") else None
    if sign == "!=":
        return Region(left.name, without((EVERYTHING,), [bound]))
    is_open = "=" not in sign
    if sign[0] == "<":
        return Region(left.name, (Interval(None, bound, True, is_open),))
    return Region(left.name, (Interval(bound, None, is_open, True),))


def _not_these(name: str, text: str) -> Form | None:
    """`x \\ne \\pm 2`."""
    try:
        left = read_expression(name)
        bounds = [_constant(read_expression(text.replace("\\pm", sign))) for sign in "+-"]
    except Unclear:
        return None
    points = [bound for bound in bounds if isinstance(bound, Fraction)]
    if not isinstance(left, Symbol) or len(points) < 2:
        return None
    return Region(left.name, without((EVERYTHING,), points))
