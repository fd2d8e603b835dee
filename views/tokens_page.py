"""The same rows as one HTML file: no script, nothing fetched, light and dark as the reader has it.

Every text of a model or data set is made harmless (`sanitise`) and escaped. Hovering over a token
tells its position and id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from ..models.token_rows import TokenRow
from ..pipeline.shards import write_text
from .terminal import counted, sanitise
from .token_marks import PARTS, ends_line, part_of, token_text

_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>potstill tokens</title>
<style>
:root { color-scheme: light dark;
  --page: #fff; --text: #1c1e21; --quiet: #62676d; --line: #d9dce0;
  --prompt: #eceef0; --loss: #c9efd3; --end: #f6d98a; --special: #7a3fb5; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14161a; --text: #e6e8ea; --quiet: #9aa0a8; --line: #34383e;
  --prompt: #262a30; --loss: #1d4a2d; --end: #6b5310; --special: #cfa6ff; } }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.3rem; }
h2 { margin: 2rem 0 .3rem; font: bold 1rem ui-monospace, monospace; overflow-wrap: anywhere; }
p { margin: .3rem 0; color: var(--quiet); }
pre { margin: .5rem 0; padding: .8rem; border: 1px solid var(--line); border-radius: 6px;
  font: 14px/2 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
span { padding: .15em .1em; margin-right: 2px; border-radius: 3px; }
.prompt { background: var(--prompt); color: var(--quiet); }
.loss { background: var(--loss); }
.end { background: var(--end); font-weight: bold; }
.special { color: var(--special); outline: 1px solid currentColor; }
.refused { color: #b3261e; }
@media (prefers-color-scheme: dark) { .refused { color: #ff8a80; } }
</style>
</head>
<body>
<h1>What the student sees</h1>
"""


def write_page(file: Path, rows: Iterable[TokenRow]) -> int:
    """Write the page; returns the number of rows on it."""
    sections = list(map(_section, rows))
    write_text(file, "".join([_HEAD, _legend(), *sections, "</body>\n</html>\n"]))
    return len(sections)


def _legend() -> str:
    parts = " ".join(f'<span class="{name}">{name}</span> {PARTS[name]} ·' for name in PARTS)
    return (
        f'<p>{parts} <span class="prompt special">⟦control token⟧</span> · ␣ space ⏎ newline '
        "⇥ tab ⟨E59B⟩ bytes of a part of a character</p>\n"
    )


def _section(row: TokenRow) -> str:
    head = f"<h2>{escape(sanitise(row.id))}</h2>\n"
    if row.refused is not None:
        return f'{head}<p class="refused">not trained: {escape(sanitise(row.refused))}</p>\n'
    told = f"{counted(len(row.pieces), 'token')}, {row.loss_tokens:,} with loss"
    return f"{head}<p>{told}</p>\n<pre>{''.join(_tokens(row))}</pre>\n"


def _tokens(row: TokenRow) -> Iterator[str]:
    for position, piece in enumerate(row.pieces):
        kinds = part_of(row, position) + (" special" if piece.special else "")
        title = f"position {position}, id {piece.id}"
        yield f'<span class="{kinds}" title="{title}">{escape(token_text(piece))}</span>'
        if ends_line(piece):
            yield "\n"
