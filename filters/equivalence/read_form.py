r"""Read a tidied answer into its form (`forms.py`), or None if it is not clear what it is.

From the outside in: words and times; lists and alternatives; relations (`relations.py`); chains of
equals signs; brackets; at the end one value with its unit. `\pm` becomes both values: in a set of
its member, elsewhere of the whole. What follows a list as a condition (`k \in \mathbb{Z}`) only
says which variables are free.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .forms import (
    CLOSED,
    LIST,
    OPEN,
    SET,
    Chain,
    Equation,
    Form,
    Items,
    Matrix,
    Ratio,
    Region,
    Scalar,
    Words,
)
from .formula import Symbol, Unclear, symbols
from .formula_reader import read_expression
from .numbers import read_number
from .quantities import read_quantity
from .regions import EVERYTHING
from .relations import holds_relation, join_relations, read_relation
from .splitting import AND, OR, brackets, join_thousands, mark_connectives, pieces
from .spoken_numbers import spoken_number
from .units import is_unit, read_unit
from .word_answers import (
    CLOSED_ANSWERS,
    LONGEST_ANSWER,
    are_words,
    excepted,
    in_one_spelling,
    is_words,
    plain_words,
    read_clock,
    read_remainder,
    says_all_numbers,
    says_nothing_solves,
)

_ABOUT = re.compile(
    r"(?:approximately|approx\.?|about|around|exactly|roughly|only|\\approx|\\sim|大约|约为|约|共|恰好)"
    r"\s*(?=[-\d\\$(])",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(f"[,;，；{AND}{OR}]|\\\\\\\\(?!\\[)|\n")
_EQUALS = re.compile(r"(?<![<>!:=])=(?![<>=])|\\(?:approx|simeq|equiv)(?![A-Za-z])|≈|:=")
_ARROW = re.compile(
    r"\\(?:Right|Longright|right)arrow(?![a-z])|\\(?:implies|therefore)(?![a-z])|[⇒→∴]"
)
_COLON = re.compile(r":(?!=)|\\text\s*\{\s*to\s*\}|(?<=\d) to (?=\d)|(?<=\d)比(?=\d)")
_DERIVATIVE = re.compile(r"\\frac\s*\{d[^{}]*\}\s*\{d[^{}]*\}")
_TRANSPOSED = re.compile(r"(?<=[)\]])\^\{?\s?(?:T|\\top|\\intercal)\s?\}?$")
_CASES = re.compile(
    r"\\begin\s*\{(?P<name>cases|aligned|align\*?|gathered|split)\}(?P<body>.*)\\end\s*\{(?P=name)\}",
    re.DOTALL,
)
_MATRIX = re.compile(
    r"\(?\s*[\[(]?\s*\\begin\s*\{(?P<name>[pb]matrix|[bpv]?array|matrix|smallmatrix)\}"
    r"(?:\s*\{[lcr| ]*\})?(?P<body>.*?)\\end\s*\{(?P=name)\}\s*[\])]?\s*\)?"
    r"(?P<turned>\^(?:T|\{T\}|\\top))?",
    re.DOTALL,
)
_ROW_END = re.compile(r"\\\\(?:\s*\[[^\]]*\])?")
_FREE = (
    r"(?:where |for |其中)?\s*(?P<name>[a-z])\s*(?:\\in\s*(?:\\math(?:bb|bf)\s*\{?[ZNRQ]\}?|[ZNRQ])"
    r"(?:\^\{?[+*]\}?)?| (?:is )?(?:an |any )+(?:integer|real number)|为整数)"
)
_CONDITION = re.compile(_FREE)
_BRACKETED_CONDITION = re.compile(rf"[,;]?\s*\(\s*{_FREE}\s*\)$")
_UNIT_BEHIND = re.compile(
    r"(?P<text>\s*(?:\\(?:text|mathrm|mbox|textrm)\s*\{[^{}\d\\]*\}|(?<=[\d})\]\s])"
    r"(?:km|cm|mm|dm|kg|mg|ml|ft|mph|degrees|radians|units|square units|cubic units)|元|个|米|厘米"
    r"|平方厘米|平方米|立方厘米|立方米|平方单位|度)\s*(?:/\s*\\text\{[a-z ]*\})?"
    r"(?:\s*\^\s*(?:\d|\{\d\}))?)\Z"
)
_INDEXED = re.compile(r"(?P<base>[A-Za-z]|\\\\?[a-z]+)_\{?\d+\}?")
_DOTS = re.compile(r"\\(?:[lc]?dots|ddots|vdots)|\.\.\.")
_DEPTH = 12


@lru_cache(maxsize=8192)
def read_form(text: str, depth: int = 0) -> Form | None:
    """The form of a tidied text; None if it has no reading that is clear."""
    text = text.strip()
    if not text or depth > _DEPTH:
        return None
    if condition := _BRACKETED_CONDITION.search(text):
        return read_form(_renamed(text[: condition.start()], condition["name"]), depth + 1)
    if cases := _CASES.fullmatch(text):
        return read_form(cases["body"].replace("&", " "), depth + 1)
    if about := _ABOUT.match(text):
        return read_form(text[about.end() :], depth + 1)
    number = read_number(text) or read_quantity(text)
    if number is not None:
        return Scalar(text, number.value, number, number.unit)
    text = join_thousands(text)
    return _spoken(text) or _several(text, depth) or _single(text, depth)


def _spoken(text: str) -> Form | None:
    """What is said in words or as a time of day."""
    if says_nothing_solves(text) or text in (r"\emptyset", r"\{\}", r"\{ \}", r"\phi"):
        return Region(None, ())
    if says_all_numbers(text) or text in (r"\mathbb{R}", r"\mathbb R", r"\R"):
        return Region(None, (EVERYTHING,))
    if (points := excepted(text)) is not None:
        return read_relation(rf"\mathbb{{R}} \setminus \{{{points}\}}", read_form)
    if (number := spoken_number(plain_words(text))) is not None:
        return Scalar(text, number)
    if (remainder := read_remainder(text)) is not None:
        return Words(remainder)
    if (words := in_one_spelling(text)) in CLOSED_ANSWERS:
        return Words(words)
    if _DOTS.fullmatch(text):
        return Words("...")
    clock = read_clock(text)
    if clock is not None and (clock.half or ":" not in text):
        return clock  # 12:30 alone may be a ratio
    return Words(in_one_spelling(text)) if are_words(text) else None


def _several(text: str, depth: int) -> Form | None:
    """A list, alternatives, or inequalities joined by words; None if it is one thing."""
    marked = mark_connectives(text)
    parts = [part for part in pieces(marked, _SEPARATORS) if part.text]
    free = [_CONDITION.fullmatch(part.text) for part in parts]
    kept = [part for part, condition in zip(parts, free, strict=True) if condition is None]
    if kept and len(kept) < len(parts):
        text = ",".join(part.text for part in kept)
        for name in (condition["name"] for condition in free if condition):
            text = _renamed(text, name)
        return read_form(text, depth + 1)
    if len(parts) < 2:
        return None
    if any(holds_relation(part.text) for part in parts):
        return join_relations(parts, lambda inner: read_form(inner, depth + 1))
    forms = [read_form(part.text, depth + 1) for part in parts]
    if any(form is None for form in forms):
        return Words(in_one_spelling(text)) if is_words(text) and len(text) < 60 else None
    return _collected([one for form in forms if form is not None for one in _flat(form)], text)


def _flat(form: Form) -> tuple[Form, ...]:
    """`\\pm 1, \\pm 2` are four answers."""
    return form.items if isinstance(form, Items) and form.brackets == LIST else (form,)


def _collected(forms: list[Form], text: str) -> Form:
    """`x = 1, 2` and `x_1 = 1, x_2 = 2` are one name with a list; the rest is a list."""
    first = forms[0]
    later = [form for form in forms[1:] if isinstance(form, Equation)]
    if isinstance(first, Equation) and not later:
        values = (*_flat(first.rights[-1]), *forms[1:])
        return Equation(first.name, first.left, (Items(LIST, values),))
    if isinstance(first, Equation) and len(later) == len(forms) - 1:
        names = {_base_name(form.name) for form in (first, *later)}
        if len(names) == 1:
            values = tuple(form.rights[-1] for form in (first, *later))
            return Equation(names.pop(), Symbol(first.name), (Items("", values),))
    return Items("", tuple(forms), text)


def _renamed(text: str, name: str) -> str:
    """A variable that runs over all integers has no name that matters."""
    return re.sub(rf"(?<![A-Za-z\\]){name}(?![A-Za-z])", "k", text)


def _base_name(name: str) -> str:
    found = _INDEXED.fullmatch(name)
    return found["base"] if found else name


def _single(text: str, depth: int) -> Form | None:
    """One thing: a matrix, a relation, a chain, something in brackets, words, a value."""
    if matrix := _MATRIX.fullmatch(text):
        return _matrix(matrix["body"], bool(matrix["turned"]), depth)
    if turned := _TRANSPOSED.search(text):
        return read_form(text[: turned.start()], depth + 1)  # of a tuple: the same vector
    if len(steps := pieces(text, _ARROW)) > 1:
        return read_form(steps[-1].text, depth + 1)
    if (relation := read_relation(text, lambda inner: read_form(inner, depth + 1))) is not None:
        return relation
    if len(sides := pieces(text, _EQUALS)) > 1:
        return _chain([side.text for side in sides], depth)
    around = brackets(text)
    in_set = around is not None and around[0] == SET  # each member has its own signs
    if not in_set and (r"\pm" in text or r"\mp" in text):
        return _both_signs(text, depth)
    if around is not None and (form := _bracketed(*around, depth)) is not None:
        return form
    if len(parts := pieces(text, _COLON)) > 1:
        return _ratio(text, [part.text for part in parts], depth)
    return _value(text) or _words(text)


def _matrix(body: str, turned: bool, depth: int) -> Form | None:
    rows = []
    for row in _ROW_END.split(body.replace(r"\hline", "").strip()):
        if row.strip():
            rows.append(tuple(read_form(entry, depth + 1) for entry in row.split("&")))
    if not rows or len({len(row) for row in rows}) > 1:
        return None
    known = tuple(tuple(entry for entry in row if entry is not None) for row in rows)
    if tuple(map(len, known)) != tuple(map(len, rows)):
        return None
    return Matrix(tuple(zip(*known, strict=True)) if turned else known)


def _chain(sides: list[str], depth: int) -> Form | None:
    """`x = …`, `(x, y) = (1, 2)`, or constants said to be equal."""
    forms = [read_form(side, depth + 1) for side in sides[1:]]
    rights = tuple(form for form in forms if form is not None)
    if not sides[0] or len(rights) < len(forms):
        return None
    try:
        left = read_expression(sides[0])
    except Unclear:
        return _named_points(sides[0], rights[-1], depth) or Equation(sides[0], None, rights)
    if _DERIVATIVE.fullmatch(sides[0]):
        return Equation(sides[0], None, rights)
    if not symbols(left) and isinstance(rights[-1], Scalar) and isinstance(rights[-1].tree, Symbol):
        return _chain([rights[-1].text, sides[0]], depth)
    if not symbols(left):
        first = read_form(sides[0], depth + 1)
        return None if first is None else Chain((first, *rights))
    return Equation(left.name if isinstance(left, Symbol) else sides[0], left, rights)


def _named_points(left: str, right: Form, depth: int) -> Form | None:
    """`(p, q) = (3, 2)` says p = 3 and q = 2."""
    names = read_form(left, depth + 1)
    if not isinstance(names, Items) or not isinstance(right, Items):
        return None
    trees = [name.tree for name in names.items if isinstance(name, Scalar)]
    symbolic = [tree for tree in trees if isinstance(tree, Symbol)]
    if len(symbolic) != len(names.items) or len(symbolic) != len(right.items):
        return None
    pairs = zip(symbolic, right.items, strict=True)
    return Items("", tuple(Equation(name.name, name, (value,)) for name, value in pairs))


def _both_signs(text: str, depth: int) -> Form | None:
    plus = read_form(text.replace(r"\pm", "+").replace(r"\mp", "-"), depth + 1)
    minus = read_form(text.replace(r"\pm", "-").replace(r"\mp", "+"), depth + 1)
    return None if plus is None or minus is None else Items("", (plus, minus))


def _bracketed(kind: str, inner: str, depth: int) -> Form | None:
    """What is in brackets; round ones around a single thing say nothing."""
    found = _several(join_thousands(inner, bracketed=True), depth + 1)
    if isinstance(found, Items) and not found.brackets:
        return Items(kind, found.items, found.text)
    if found is not None or kind not in (SET, OPEN, CLOSED):
        return found if kind in (SET, OPEN) else None
    single = read_form(inner, depth + 1)
    if single is None or kind == OPEN:
        return single
    return Items(
        kind, single.items if isinstance(single, Items) and single.brackets == LIST else (single,)
    )


def _ratio(text: str, parts: list[str], depth: int) -> Form | None:
    if (clock := read_clock(text)) is not None and len(parts) == 2 and parts[1].startswith("0"):
        return clock
    forms = [read_form(part, depth + 1) for part in parts]
    if Words("...") in forms:
        return Words(in_one_spelling(text.replace(" ", "")))
    known = tuple(form for form in forms if isinstance(form, Scalar))
    return Ratio(known) if len(known) == len(forms) else _words(text)


def _value(text: str) -> Form | None:
    """A formula, perhaps with a unit behind it or a currency sign in front."""
    bare, unit = text, None
    behind = _UNIT_BEHIND.search(text)
    if behind and behind.start() and is_unit(" " + behind["text"].strip()):
        bare, unit = text[: behind.start()].strip(), read_unit(behind["text"])
    elif text[0] in "$¥€£":
        bare, unit = text[1:].strip(), read_unit(text[0])
    try:
        return Scalar(text, read_expression(bare), read_number(bare), unit)
    except Unclear:
        return None


def _words(text: str) -> Form | None:
    if not is_words(text) or len(text) > LONGEST_ANSWER:
        return None
    return Words(in_one_spelling(text))
