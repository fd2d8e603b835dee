"""What a view draws, as text that has been looked at for control characters."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from rich.console import Console

from potstill.views.inspect import show_inspection
from potstill.views.terminal import make_console

HOSTILE = "\x1b]0;owned\x07\x1b[31m[red]x[/red]\u202e\u2028\x9b2J\u200b"
"""Text that would act on a terminal that showed it as it is."""
_ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028]")


def drawn(found: Any, show: Callable[[Console, Any], None] = show_inspection) -> str:
    """An inspection, or what another view shows, as a pipe would get it."""
    stream = io.StringIO()
    show(make_console(stream), found)
    assert not _ACTING.search(stream.getvalue())
    return stream.getvalue()
