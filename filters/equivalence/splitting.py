r"""Cut an answer at the signs that stand outside of all brackets, in one pass.

`1, (2, 3) or \{4, 5\}` has three parts. Half-open intervals make `(1, 2]` a pair of brackets, so
all kinds count alike. `1,234` is one number and `(1,234)` a pair: between brackets a comma without
a space separates, unless other commas there have one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

AND, OR = "\ue000", "\ue001"
"""What the words for it become; private characters that no text is left with."""

_WORD_SIGNS = re.compile(
    r",?\s*(?:\\(?:text|mathrm|mbox|textrm)\s*\{\s*,?\s*(?P<in_text>and|or|和|或|或者|且|及)\s*\}"
    r"|(?<![A-Za-z\\])(?P<plain>and|or)(?![A-Za-z])|\\(?P<sign>lor|land|vee|wedge)(?![A-Za-z])"
    r"|(?P<han>或者|或|以及|和|且|与))\s*,?"
)
_OR_WORDS = frozenset({"or", "或", "或者", "lor", "vee"})
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+)(?![\d]|,\d)")
_TOKEN = re.compile(
    r"(?P<open>\\\{|\\langle(?![a-z])|\\begin\{|\\left(?![a-z])|[(\[{])"
    r"|(?P<close>\\\}|\\rangle(?![a-z])|\\end\{[a-z*]*\}|[)\]}])|\\(?:[A-Za-z]+|.)|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text between two separators, and the separator behind it (empty behind the last)."""

    text: str
    separator: str


def mark_connectives(text: str) -> str:
    """Words and signs for *and* and *or* as one character each."""
    text = text.replace(AND, " ").replace(OR, " ")
    return _WORD_SIGNS.sub(
        lambda found: OR if found[found.lastgroup or 0] in _OR_WORDS else AND, text
    )


def join_thousands(text: str, bracketed: bool = False) -> str:
    """`1,234` without its comma, where it is a thousands separator; brackets inside stay."""
    if "," not in text or (bracketed and not re.search(r",\s|;", text)):
        return text
    outside = _outside_brackets(text)
    return _THOUSANDS.sub(
        lambda found: found[1].replace(",", "") if outside[found.start()] else found[1], text
    )


def _outside_brackets(text: str) -> list[bool]:
    """Of every character, whether it stands outside of all brackets."""
    outside: list[bool] = []
    depth = 0
    for token in _TOKEN.finditer(text):
        depth = max(depth + bool(token["open"]) - bool(token["close"]), 0)
        outside += [depth == 0] * (token.end() - token.start())
    return outside


def pieces(text: str, separators: re.Pattern[str]) -> list[Piece]:
    """The parts of a text between separators outside of all brackets; parts are stripped."""
    found: list[Piece] = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth = max(depth - 1, 0)
        elif not depth and token.start() >= start:
            separator = separators.match(text, token.start())
            if separator and separator.end() > separator.start():
                found.append(Piece(text[start : token.start()].strip(), separator.group().strip()))
                start = separator.end()
    return [*found, Piece(text[start:].strip(), "")]


def brackets(text: str) -> tuple[str, str] | None:
    """The pair of brackets around all of a text (`(]`, `{}`, `<>`), and what is between them."""
    first, last, inner = _ends(text)
    if not first or not last:
        return None
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += bool(token["open"]) - bool(token["close"])
        if depth <= 0:
            return (first + last, inner) if token.end() == len(text) and depth == 0 else None
    return None


def _ends(text: str) -> tuple[str, str, str]:
    """The first and the last bracket, as one character each, and the text between."""
    for opening, closing, pair in ((r"\{", r"\}", "{}"), (r"\langle", r"\rangle", "<>")):
        if text.startswith(opening) and text.endswith(closing):
            return pair[0], pair[1], text[len(opening) : -len(closing)].strip()
    if len(text) > 1 and text[0] in "([{" and text[-1] in ")]}" and text[-2] != "\\":
        return text[0], text[-1], text[1:-1].strip()
    return "", "", text
