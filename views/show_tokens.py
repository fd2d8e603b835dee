"""Drawing rows token by token: what the student sees, and which tokens it is trained on.

Each line of the row's text is a line, with its part in front: `prompt` without loss, `loss`, and
`end` for the end of turn. On a terminal colours tell the same again; into a pipe go the words
alone, so nothing is lost without colours. The page for a browser is `tokens_page.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ..models.token_rows import TokenRow
from .show_rows import show_labelled
from .terminal import counted, one_line, safe
from .token_marks import BETWEEN, PARTS, ends_line, part_of, token_text
from .tokens_page import write_page

STYLES = {"prompt": "dim", "loss": "green", "end": "bold green"}


def show_tokens(console: Console, rows: Iterable[TokenRow], page: Path | None = None) -> None:
    """Print the rows; or write them as one HTML page and say where it is."""
    if page is not None:
        shown = write_page(page, rows)
        console.print(safe(f"{counted(shown, 'row')} in {one_line(str(page.absolute()))}"))
        return
    found = list(rows)  # before anything is printed: the request may be wrong
    _show_legend(console)
    for row in found:
        console.print()
        _show(console, row)


def _show_legend(console: Console) -> None:
    legend = Text()
    for part, meaning in PARTS.items():
        legend.append(part, STYLES[part]).append(f" {meaning} · ")
    legend.append("⟦control token⟧", "reverse").append(f" · {BETWEEN} between tokens · ")
    legend.append("␣ space ⏎ newline ⇥ tab ⟨E59B⟩ bytes of a part of a character")
    console.print(legend, soft_wrap=True)


def _show(console: Console, row: TokenRow) -> None:
    head = safe(one_line(row.id), "bold")
    if row.refused is not None:
        console.print(head, soft_wrap=True)
        show_labelled(console, "not trained", one_line(row.refused), "yellow")
        return
    told = f"  {counted(len(row.pieces), 'token')}, {row.loss_tokens:,} with loss"
    console.print(head.append(told, "dim"), soft_wrap=True)
    for part, line in _lines(row):
        show_labelled(console, part, line)


def _lines(row: TokenRow) -> Iterator[tuple[str, Text]]:
    """Tokens up to the next line end or change of the mask, with their part."""
    line, part = Text(), ""
    for position, piece in enumerate(row.pieces):
        now = part_of(row, position)
        if line and (now != part or ends_line(row.pieces[position - 1])):
            yield part, line
            line = Text()
        part = now
        if line:
            line.append(BETWEEN, "bright_black")
        line.append(token_text(piece), f"{STYLES[part]} reverse" if piece.special else STYLES[part])
    if line:
        yield part, line
