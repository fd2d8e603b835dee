r"""What an expression claims to be the value: the end of a chain, the part before an approximation.

`3 + 4 = 7` claims 7, `2x = 10 \Rightarrow x = 5` claims `x = 5`, `f(2) = 5` claims 5 and
`\frac{10}{3} \approx 3.33` claims the exact fraction. Equations stay: `x = 5`, `y = 2x + 1`,
`x^2 + y^2 = 25`. Only signs outside of all brackets count. Nothing is evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..equivalence.complexity import LONGEST
from ..equivalence.numbers import same
from ..equivalence.tidy import tidy

_SIGN = re.compile(
    r"(?P<open>\\\{|\\begin(?![A-Za-z])|[({\[（［｛])|(?P<close>\\\}|\\end(?![A-Za-z])|[)}\]）］｝])"
    r"|(?P<arrow>\\(?:[Ll]ong)?(?:left)?[Rr]ightarrow(?![A-Za-z])|[⇒→∴⟹⇔]|(?:==?|--?)>(?!=)"
    r"|\\(?:implies|iff|therefore)(?![A-Za-z]))"
    r"|(?P<near>\\(?:approx|simeq|doteq)(?:eq)?(?![A-Za-z])|[≈≒])"
    r"|(?P<other>\\(?:n?eq|leq?|geq?|lt|gt|equiv|sim|to|in|quad|qquad)(?![A-Za-z])|!=|[<>]=?"
    r"|[≤≥≠≡;；、]|[,，](?!\d{3}(?!\d))|(?<!\d)[,，]|\\(?:text|mbox|mathrm)\s*\{\s*(?:or|and|或|和)\s*\}"
    r"|\b(?:or|and)\b|[或和])"
    r"|(?P<equal>={1,2}|＝)|\\(?:[A-Za-z]+|.)",
    re.DOTALL,
)
_ALIGNED = re.compile(
    r"\\(?:begin|end)\s*\{(?:align(?:ed|at)?|gather(?:ed)?|equation|split|multline)\*?\}"
)
_ROW = re.compile(r"\\\\(?:\[[^\[\]]{0,9}\])?")
_VARIABLE = re.compile(r"\s*(?:[A-Za-z]|\\[a-z]{2,7})(?:_(?:\w|\{\w\})|[₀-₉ₙ]++)?'?\s*")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_FREE_LETTER = re.compile(
    r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])"
    r"|(?<=\d)(?!(?:[cmk]m|kg|m[lg]|kmh|mph|st|nd|rd|th)(?![A-Za-z]))[A-Za-z]"
)
_OPERATION = re.compile(
    r"[-+*/^×·÷−⁰¹²³⁴-⁹⁻⁺ⁿ]|\d[A-Za-z]|\\(?:times|cdot|div|[dt]?frac|sqrt|pm)(?![A-Za-z])"
)
_ASSIGNED = re.compile(r"([A-Za-z])\s*=\s*([^=<>]+)")
_TIMES = re.compile(r"(?<=\d)\s*+[xX]\s*+(?=\d)")
_SUM_OR_PRODUCT = re.compile(r"[\d)}]\s*(?:[-+*×·÷−]|\\(?:times|cdot|div)(?![A-Za-z]))\s*[\d(\\]")


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of an expression between two top-level signs."""

    sign: str
    """Kind of the sign before it; empty for the first."""
    start: int
    text: str
    flat: str
    """The text without what stands in brackets."""


def claimed_value(expression: str) -> str:
    """The part of an expression that is its claim; the whole of it in case of doubt."""
    expression = _in_one_line(expression) if "\\begin" in expression else expression
    parts = _parts(expression)
    arrows = (at for at, part in enumerate(parts) if part.sign == "arrow" and part.text)
    parts = parts[max(arrows, default=0) :]
    if any(part.sign == "other" for part in parts[1:]):
        return expression[parts[0].start :].strip()
    parts = [part for part in parts if part.text]
    near = next((at for at, part in enumerate(parts) if at and part.sign == "near"), len(parts))
    if near < len(parts) and _VARIABLE.fullmatch(parts[near - 1].text):
        return f"{parts[near - 1].text} = {parts[-1].text}"
    if near < len(parts) and _SUM_OR_PRODUCT.search(parts[near - 1].text):
        return parts[-1].text
    return _end_of_chain(parts[:near])


def _in_one_line(expression: str) -> str:
    """Aligned equations as one chain, or as a list where each row tells another variable."""
    inner = _ALIGNED.sub(" ", expression)
    if inner == expression or "\\begin" in inner:  # a matrix has rows of its own
        return expression
    rows = _ROW.split(inner.replace("&", " "))
    variables = {match.group(1) for row in rows if (match := _ASSIGNED.match(row.strip()))}
    return (", " if len(variables) > 1 else r" \Rightarrow ").join(rows)


def _parts(expression: str) -> list[_Part]:
    parts: list[_Part] = []
    sign, start, depth = "", 0, 0
    flat: list[str] = []
    flat_from = 0
    for found in _SIGN.finditer(expression):
        kind = found.lastgroup
        if kind == "open":
            if depth == 0:
                flat.append(expression[flat_from : found.start()])
            depth += 1
        elif kind == "close":
            depth = max(depth - 1, 0)
            flat_from = found.end() if depth == 0 else flat_from
        elif kind is not None and depth == 0:
            flat.append(expression[flat_from : found.start()])
            text = expression[start : found.start()].strip()
            parts.append(_Part(sign, start, text, "".join(flat)))
            sign, start, flat, flat_from = kind, found.end(), [], found.end()
    flat.append(expression[flat_from:] if depth == 0 else "")
    parts.append(_Part(sign, start, expression[start:].strip(), "".join(flat)))
    return parts


def _end_of_chain(members: list[_Part]) -> str:
    if len(members) < 2:
        return members[0].text if members else ""
    first, last = members[0], members[-1]
    whole = f"{first.text} = {last.text}"
    if _VARIABLE.fullmatch(first.text):
        return whole
    if len(members) > 2:
        return last.text
    if _is_arithmetic(first.text):
        return whole if _VARIABLE.fullmatch(last.text) else last.text
    is_name = not _OPERATION.search(first.flat)
    return last.text if is_name and not _has_variable(last.text) else whole


def _is_arithmetic(text: str) -> bool:
    return any(sign.isdigit() for sign in text) and not _has_variable(_TIMES.sub("×", text))


def _has_variable(text: str) -> bool:
    return _FREE_LETTER.search(_COMMAND.sub(" ", text)) is not None


def agree(first: str, second: str) -> bool:
    """Do two answers surely say the same? `x = 5` says the same as 5."""
    if first == second:
        return True
    if max(len(first), len(second)) > LONGEST:
        return False
    one, other = _bare_value(first), _bare_value(second)
    return one == other or same(one, other) is True


def _bare_value(text: str) -> str:
    value = tidy(claimed_value(text))
    assigned = _ASSIGNED.fullmatch(value)
    return assigned.group(2).strip() if assigned else value
