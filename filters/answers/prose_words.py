"""Prose beside the expressions in it: how much of it there is, and a text without its marks."""

from __future__ import annotations

from .prose_tokens import TOKEN, TRANSPARENT, shown


def words_in(text: str, start: int, end: int) -> int:
    """How many words of prose there are: not in math, in braces, or for units and functions."""
    words = depth = 0
    for match in TOKEN.finditer(text, start, end):
        kind, sign = match.lastgroup, match.group()
        if sign[-1] in "{}" and kind in ("open", "close", "bold"):
            depth = max(0, depth + (1 if sign[-1] == "{" else -1))
        words += kind == "word" and not depth
    return words


def without_marks(text: str) -> str:
    """A text without the delimiters of math, emphasis and quotes in it."""
    pieces, at = [], 0
    for match in TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind in TRANSPARENT or kind == "math":
            inner = shown(kind, match.group()) if kind == "math" else ""
            pieces += [text[at : match.start()], inner]
            at = match.end()
    return "".join([*pieces, text[at:]]).strip(" \t\n.。,，;；")
