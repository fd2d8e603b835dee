"""Which parts of a text are code, tables or aligned math, so that filters can look past them.

Both functions return a text of the same length with those parts blanked, so spans found in it are
spans of the original. Only what is closed is blanked: a model that runs in circles inside a fence
or an environment never closes it, and stays visible. Line breaks are kept.

Everything is linear on hostile text: fences are found line by line, patterns are possessive.
"""

from __future__ import annotations

import re

from ...models.thinking import Span

_INLINE_CODE = re.compile(r"```[^`]*+```|``(?:[^`\n]|`(?!`))++``|`[^`\n]++`")
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})([^\n]*)")
_ENVIRONMENT = re.compile(
    r"\\begin\{((?:[bpvBV]?matrix|smallmatrix|array|tabular|align|aligned|alignat|gather|gathered"
    r"|cases|split|eqnarray|multline|verbatim|lstlisting|tikzpicture)\*?)\}"
    r"(?:[^\\]|\\(?!begin|end))*+\\end\{\1\}"
)
_TABLE = re.compile(r"(?m)(?:^[ \t]*+\|[^\n]*\|[ \t]*+(?:\n|\Z)){2,}+")
_NOT_A_BREAK = re.compile(r"[^\n]")


def without_code(text: str) -> str:
    """`text` with fenced blocks and code spans blanked."""
    pieces, at = [], 0
    for start, end in _fenced(text) if "```" in text or "~~~" in text else ():
        pieces += [text[at:start], _blank(text[start:end])]
        at = end
    text = "".join([*pieces, text[at:]])
    return _blanked(_INLINE_CODE, text) if "`" in text else text


def without_layout(text: str) -> str:
    """`text` with code, tables and the environments of aligned math blanked."""
    text = without_code(text)
    if "\\begin{" in text:
        text = _blanked(_ENVIRONMENT, text)
    return _blanked(_TABLE, text) if "|" in text else text


def _fenced(text: str) -> list[Span]:
    """Closed fenced blocks, by the rules of CommonMark but at any indentation."""
    found: list[Span] = []
    begin, mark, at = 0, "", 0
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if fence is not None:
            ticks, info = fence.groups()
            if not mark and "`" not in info:
                begin, mark = at, ticks
            elif mark and ticks.startswith(mark) and not info.strip():
                found.append((begin, at + len(line)))
                mark = ""
        at += len(line) + 1
    return found


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: _blank(match.group()), text)


def _blank(text: str) -> str:
    return _NOT_A_BREAK.sub(" ", text)
