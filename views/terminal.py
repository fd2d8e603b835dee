"""What every view shares: safe text, a console that knows when it is piped, and human numbers.

Text from models, datasets and files is hostile: it may move the cursor, set the window title,
reverse what is read or spell rich's markup. `sanitise` turns every character that acts instead of
being seen into a visible escape, and the console made here reads no markup at all. Into a pipe or
a file go plain characters only, at any width, so nothing is cut or wrapped and no control code
enters a log; FORCE_COLOR does not change that.

Not here: what is shown. `status`, `inspect`, `why` and the rest have files of their own.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

UNLIMITED_WIDTH = 1 << 30
"""Columns of a "terminal" that is a file: wide enough that no line is ever wrapped or cut."""

_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that act: controls, formats (bidi, zero width), surrogates, separators."""


class _Escapes(dict[int, str]):
    """A table for `str.translate`, filled as characters are met."""

    def __init__(self, harmless: str, json_form: bool) -> None:
        super().__init__({ord(character): character for character in harmless})
        self._json_form = json_form

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character) in _ACTING:
            character = self._escape(code)
        self[code] = character
        return character

    def _escape(self, code: int) -> str:
        if self._json_form:
            return json.dumps(chr(code))[1:-1] if code > 0x7F else f"\\u{code:04x}"
        if code <= 0xFF:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


_VISIBLE = _Escapes("\n\t", json_form=False)
_JSON_VISIBLE = _Escapes("\n", json_form=True)


def sanitise(text: str) -> str:
    """The text with everything that acts on a terminal shown as `\\x1b` or `\\u202e`.

    Newline and tab stay. Letters, marks, emoji and wide spaces of any script stay.
    """
    return text if text.isprintable() else text.translate(_VISIBLE)


def one_line(text: str, limit: int | None = None) -> str:
    """`sanitise`, line ends shown as ⏎; cut to `limit` characters with a `…` that says so."""
    flat = " ⏎ ".join(part.strip() for part in sanitise(text).replace("\t", " ").split("\n"))
    return flat if limit is None or len(flat) <= limit else flat[: limit - 1] + "…"


def safe(text: str, style: str = "") -> Text:
    """Sanitised text for a rich console: markup in it is never read."""
    return Text(sanitise(text), style)


class _Console(Console):
    """Rich ends the process with exit code 1 where a reader of its pipe goes away (`| head`)."""

    def on_broken_pipe(self) -> None:
        """Let the command line decide: it is no failure (exits.py)."""
        raise BrokenPipeError


def make_console(stream: TextIO | None = None) -> Console:
    """A console on `stream` (stdout when None): colours on a terminal, plain text elsewhere.

    NO_COLOR and TERM=dumb are respected. A stream that cannot encode a character (a Latin-1
    locale) shows its escape instead of failing.
    """
    stream = sys.stdout if stream is None else stream
    if isinstance(stream, io.TextIOWrapper):
        with contextlib.suppress(ValueError):  # detached or closed: writing will say so
            stream.reconfigure(errors="backslashreplace")
    terminal = stream.isatty()
    return _Console(
        file=stream,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        width=None if terminal else UNLIMITED_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
    )


def width_of(console: Console, table: Table) -> int:
    """Columns of a terminal that a table needs; those that may wrap count by their `min_width`."""
    may_wrap = [column for column in table.columns if not column.no_wrap]
    for column in may_wrap:
        column.max_width = column.min_width
    unlimited = console.options.update(width=UNLIMITED_WIDTH)
    needed = Measurement.get(console, unlimited, table).maximum
    for column in may_wrap:
        column.max_width = None
    return needed


def print_table(console: Console, table: Table, pictures: bool = False) -> None:
    """Print a table with nothing cut and no spaces at the ends of lines.

    Columns that may wrap give way down to their `min_width`; a terminal narrower than that breaks
    the lines itself.

    Args:
        pictures: the last column holds bars, and is left out where they do not fit.
    """
    if pictures and width_of(console, table) > console.width:
        table.columns.pop()
    options = console.options.update(width=max(console.width, width_of(console, table)))
    for line in console.render_lines(table, options, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line))
        text.rstrip()
        console.print(text, soft_wrap=True)


def is_interactive(console: Console) -> bool:
    """Whether lines may be drawn over: a terminal that can move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON that loses nothing and acts on no terminal: what `sanitise` hides is `\\uXXXX` here.

    Keys keep their order. NaN and infinities, which JSON lacks, become strings; dates and bytes
    their text.
    """
    text = json.dumps(
        _finite(value), ensure_ascii=False, allow_nan=False, indent=indent, default=str
    )
    return text if text.isprintable() else text.translate(_JSON_VISIBLE)


def print_json(value: Any, stream: TextIO | None = None, indent: int | None = 2) -> None:
    """Write one JSON value and a newline; `indent` None gives one line (JSONL)."""
    (sys.stdout if stream is None else stream).write(to_json(value, indent) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_finite(item) for item in value]
    return value


def count(number: int | None) -> str:
    """`1,234`; `–` where there is no number."""
    return "–" if number is None else f"{number:,}"


def counted(number: int, noun: str) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def number(value: float) -> str:
    """Three digits that matter for small values, one decimal from 100 on: `0.0132`, `1,234.5`."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1e15:  # more digits than a float knows
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def percent(fraction: float | None) -> str:
    """`74.5 %`; `–` where unknown, which is never 0."""
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def size(num_bytes: int | None) -> str:
    """`812 B`, `12.3 MB`: powers of 1000."""
    if num_bytes is None:
        return "–"
    amount, unit = float(num_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.95:  # 999.95 would print as 1000.0
            break
        amount, unit = amount / 1000, larger
    return f"{num_bytes} B" if unit == "B" else f"{amount:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """`4.2 s`, `42 s`, `1 m 05 s`, `2 h 03 m`, `3 d 04 h`; `–` where unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} m {rest:02d} s"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h" if days else f"{hours} h {minutes:02d} m"


def bar(fraction: float, width: int = 10) -> str:
    """A bar of at most `width` cells in eighths of a cell, without padding."""
    full, rest = divmod(round(min(max(fraction, 0.0), 1.0) * width * 8), 8)
    return "█" * full + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")


def value_text(value: Any) -> str:
    """A metric or fact as one short line; None is `unknown`, never 0."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number(value) if math.isfinite(value) else str(value)
    return one_line(value if isinstance(value, str) else to_json(value), 200)
