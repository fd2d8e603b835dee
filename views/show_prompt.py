"""Drawing what a teacher would be sent: the messages, and the exact text with special tokens.

Line ends of the exact text are marked, since a missing one after `<think>` changes what a model
does; control tokens stand out. Everything from models and data sets is made harmless first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from ..models.preview import Preview
from .show_rows import show_labelled
from .terminal import one_line, safe, sanitise, value_text

LINE_END = "⏎"


def show_previews(console: Console, previews: Sequence[Preview]) -> None:
    """Each preview on a console, with nothing cut."""
    for number, preview in enumerate(previews):
        if number:
            console.print()
        _show(console, preview)


def facts(previews: Sequence[Preview]) -> list[dict[str, Any]]:
    """The previews as JSON values."""
    return [preview.facts() for preview in previews]


def _show(console: Console, preview: Preview) -> None:
    head = safe(one_line(preview.step), "bold")
    head.append(f"  asks {one_line(preview.teacher)} about {one_line(preview.subject)}", "dim")
    console.print(head, soft_wrap=True)
    for turn in preview.messages:
        show_labelled(console, turn.role, turn.content)
    sampling = {**preview.sampling, "seed": preview.seed}
    told = " · ".join(f"{name} {value_text(value)}" for name, value in sampling.items())
    show_labelled(console, "sampling", told, "dim")
    for warning in preview.warnings:
        show_labelled(console, "warning", warning, "yellow")
    if preview.rendered is None:
        show_labelled(console, "exact text", f"not known: {preview.why_not}", "dim")
        return
    show_labelled(console, "exact text", exact_text(preview.rendered, preview.control))


def exact_text(rendered: str, control: Sequence[str]) -> Text:
    """The text that a model reads: line ends marked, control tokens in another colour."""
    text = Text(sanitise(rendered).replace("\n", f"{LINE_END}\n"))
    text.highlight_regex(re.escape(LINE_END), "dim")
    for token in control:
        text.highlight_regex(re.escape(sanitise(token)), "magenta")
    return text
