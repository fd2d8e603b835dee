"""What `verify` prints: what is whole in a line, all that differs, and what to do."""

from __future__ import annotations

import io
from pathlib import Path

from potstill.pipeline.listed_files import Difference
from potstill.pipeline.verify import Checked, Verification
from potstill.views.show_verification import ReadingProgress, show_verification
from potstill.views.terminal import make_console

WHOLE = Checked(Path("/w/a-0123abcd"), "a", "0" * 64, 2, 1500, (), "", ("first",))


def printed(found: Verification) -> list[str]:
    stream = io.StringIO()
    show_verification(make_console(stream), found)
    return stream.getvalue().splitlines()


def test_what_is_whole() -> None:
    assert printed(Verification((WHOLE,), (Path("/w/b-0123abcd"),))) == [
        "✓ /w/a-0123abcd  2 files, 1.5 kB, digest 0000000000000000",
        "  not beside it, so not compared: first",
        "· /w/b-0123abcd  not finished",
        "whole: 2 files, 1.5 kB",
    ]


def test_what_differs_is_shown_and_acts_on_nothing() -> None:
    hostile = Difference("../\x1b[31mevil\n", "name", "leads out of the folder: not read")
    found = Checked(Path("/w/c"), None, None, 0, 0, (hostile,), "Copy it again.")
    assert printed(Verification((WHOLE, found)))[2:] == [
        "✗ /w/c  0 files, 0 B",
        "  ../\\x1b[31mevil ⏎ : leads out of the folder: not read",
        "  Copy it again.",
        "differences in 1 of 2 folders: 2 files, 1.5 kB",
    ]


def test_no_bar_is_drawn_into_a_file() -> None:
    stream = io.StringIO()
    with ReadingProgress(make_console(stream)) as listen:
        listen(1, 2)
    assert stream.getvalue() == ""
