r"""Find the expressions in prose: `$x=5$`, `\frac{1}{2}`, `3 + 4 = 7`, `$18`, `2 1/2`, `5 km`.

A run of tokens that belong together is an expression if there is a value in it: a number, math, a
command, or variables joined by an operator. Words end a run, except in braces; measuring units and
words that scale a number (`million`, `万`) belong to it, so that a part of a quantity is never
taken for the whole. Nothing is evaluated, and nothing is chosen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ...models.thinking import Span
from .prose_tokens import TOKEN, TRANSPARENT, shown

_OPERANDS = frozenset({"number", "math", "command", "function", "variable", "open"})
_NEVER_FIRST = frozenset({"word", "marker", "comma", "scale", "space", "close", "power"})
_OPERATORS = frozenset({"operator", "relation", "space"})
_LEADING, _TRAILING = frozenset("-+−–±√|"), frozenset("!′%|")
_LAYOUT = re.compile(r"\\(?:text\w*|mbox|mathrm|quad|qquad|left|right|begin|end|item|hline)\Z")
_EQUAL = frozenset({"=", "==", "＝", "≈"})
_RELATION = re.compile(r"[=≈＝]|\\approx")
_VERB = re.compile(r"(?:\b(?:is|are|be|was|to|equals)|[是为得])\s*\Z")
_NAME = re.compile(
    r"\s*(?:\\(?:triangle|angle|overline|overrightarrow|odot|mathrm|mathbb|text)\s*\{?)?\s*"
    r"[A-Za-z\s\u3400-\u9fff]{1,20}\}?(?:_\{?\w{1,3}\}?)?'?(?:\([a-z]\))?\s*"
)


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression in prose."""

    span: Span
    text: str
    """As written, without the math delimiters and emphasis around its parts."""
    bold: bool = False
    related: bool = False
    """Begins with or contains a relation: `= 42`, `3 + 4 = 7`."""
    weak: bool = False
    """A name (`$x$`, `$f(x)$`) or an ordinal: no value unless there is no other."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    start: int
    end: int
    text: str
    bold: bool


def expressions(text: str, start: int, end: int) -> list[Expression]:
    """The expressions in `text[start:end]`, in order."""
    found = []
    for run in _runs(text, start, end):
        for part in _balanced(run):
            if (expression := _expression(text, part)) is not None:
                found.append(expression)
    return found


def _runs(text: str, start: int, end: int) -> Iterator[list[_Token]]:
    """Tokens that may belong together, and no words but in braces."""
    run: list[_Token] = []
    brackets: list[str] = []
    bold, last_end = False, start
    for match in TOKEN.finditer(text, start, end):
        kind = str(match.lastgroup)
        token = _Token(kind, *match.span(), shown(kind, match.group()), bold)
        gap, last_end = text[last_end : token.start], token.end
        if kind in TRANSPARENT:
            bold = not bold if kind == "bold" else bold
            if gap.strip():
                yield run
                run, brackets = [], []
            continue
        if not _goes_on(run, brackets, token, gap):
            yield run
            run, brackets = [], []
        if kind in _NEVER_FIRST and not run:
            bold = bold and kind != "close"
            continue
        if kind == "open":
            brackets.append(token.text[-1])
        elif kind == "close" and brackets:
            brackets.pop()
        run.append(token)
    yield run


def _goes_on(run: list[_Token], brackets: list[str], token: _Token, gap: str) -> bool:
    """Does the token belong to the run before it?"""
    if not run or gap.strip() or (gap.count("\n") > 1) or token.kind in ("marker", "ordinal"):
        return False
    before, kind = run[-1].kind, token.kind
    if brackets and (kind != "word" or brackets[-1] == "{"):
        return True
    if kind in _OPERATORS:
        return True
    if kind == "power":
        return not gap
    if kind == "scale":
        return before in ("number", "math", "close", "scale", "command")
    if kind in _OPERANDS:
        return (
            before in _OPERATORS
            or before in ("command", "function")
            or not gap
            or (kind == "command" and before in ("number", "close", "variable"))
            or (kind == "number" and before == "scale")
            or (kind == "function" and before == "number")
        )
    return False


def _balanced(run: list[_Token]) -> Iterator[list[_Token]]:
    """The run cut at brackets without a partner and at words that stand in no braces."""
    opened: list[int] = []
    cuts: set[int] = set()
    for at, token in enumerate(run):
        if token.kind == "open":
            opened.append(at)
        elif token.kind == "close":
            if opened:
                opened.pop()
            else:
                cuts.add(at)
    cuts.update(opened)
    if cuts:
        cuts.update(at for at, token in enumerate(run) if token.kind == "word")
    part: list[_Token] = []
    for at, token in enumerate(run):
        if at in cuts:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _expression(text: str, tokens: list[_Token]) -> Expression | None:
    """The expression that the tokens are, without loose signs at its ends."""
    tokens = _trimmed(text, tokens)
    related = bool(tokens) and tokens[0].text in _EQUAL
    tokens = tokens[1:] if related else tokens
    if not tokens or not _has_value(tokens):
        return None
    start, end = tokens[0].start, tokens[-1].end
    pieces = [tokens[0].text]
    for before, token in pairwise(tokens):
        gap = text[before.end : token.start]
        apart = gap[:1].isspace() or gap[-1:].isspace()
        unit = token.kind == "scale" and token.text[0].isascii() and token.text[0].isalpha()
        pieces.append(" " if apart or unit else "")
        pieces.append(token.text)
    text_shown = "".join(pieces)
    if not text_shown.strip():
        return None
    related = related or _RELATION.search(text_shown) is not None
    lone = len(tokens) == 1 and tokens[0].kind
    weak = (lone == "math" and _NAME.fullmatch(text_shown) is not None) or lone == "ordinal"
    bold = all(token.bold for token in tokens)
    return Expression((start, end), text_shown, bold, related, weak or _qualifies(text, end))


def _trimmed(text: str, tokens: list[_Token]) -> list[_Token]:
    first, last = 0, len(tokens)
    while last > first and tokens[last - 1].kind in ("relation", "operator", "space", "comma"):
        glued = last > 1 and tokens[last - 2].end == tokens[last - 1].start
        if tokens[last - 1].text in _TRAILING and glued:
            break
        last -= 1
    while first < last and tokens[first].kind in ("operator", "space", "comma"):
        if tokens[first].text in _LEADING and _is_sign(text, tokens[first : first + 2]):
            break
        first += 1
    return _unwrapped_unit(tokens[first:last])


def _unwrapped_unit(tokens: list[_Token]) -> list[_Token]:
    """`300（米）` is 300 metres."""
    if [token.kind for token in tokens[-3:]] == ["open", "scale", "close"]:
        return [*tokens[:-3], tokens[-2]]
    return tokens


def _is_sign(text: str, tokens: list[_Token]) -> bool:
    """`-5` is negative, `COVID-5` and `the total - 5` are not, and `is - 5` is."""
    sign, following = tokens[0], tokens[1:]
    before = text[max(0, sign.start - 8) : sign.start]
    if before[-1:].isalnum() or not following:
        return False
    return following[0].start == sign.end or _VERB.search(before) is not None


def _has_value(tokens: list[_Token]) -> bool:
    kinds = {token.kind for token in tokens}
    if kinds & {"number", "math", "ordinal"}:
        return True
    if any(token.kind == "command" and not _LAYOUT.match(token.text) for token in tokens):
        return True
    return "variable" in kinds and bool(kinds & {"operator", "relation", "power"})


def _qualifies(text: str, end: int) -> bool:
    """`2-digit`, `3-year-old`: the number says which, not how many."""
    return text[end : end + 1] == "-" and text[end + 1 : end + 2].isalpha()
