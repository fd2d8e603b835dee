"""What `gc` prints: everything that would go and why, and nothing that acts on a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from potstill.pipeline.garbage import Garbage
from potstill.pipeline.unneeded import Item
from potstill.views.show_garbage import show_garbage
from potstill.views.terminal import make_console

NOW = 1_800_000_000.0
WORK = Path("/work")
OLD = Item(
    WORK / "toy" / "first-0123abcd",
    "the recipe's is 89abcdef",
    "artifact",
    5000,
    NOW - 7260,
)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("potstill.views.show_garbage.time.time", lambda: NOW)


def printed(found: Garbage) -> list[str]:
    stream = io.StringIO()
    show_garbage(make_console(stream), found)
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_a_dry_run_says_what_would_go_and_how() -> None:
    mine = Item(WORK / "toy" / "mine\x1b[31m.txt", "not made by potstill")
    kept = Item(WORK / "toy" / "second-0123abcd", "recipe 'user' names it by path")
    assert printed(Garbage(WORK, (OLD,), (kept,), (mine,), 4000, ("a", "b"))) == [
        "path what why size age",
        "toy/first-0123abcd artifact the recipe's is 89abcdef 5.0 kB 2 h 01 m",
        "",
        "kept: toy/second-0123abcd (recipe 'user' names it by path)",
        "left alone: toy/mine\\x1b[31m.txt (not made by potstill)",
        "2 remembered digests of files that are gone",
        "would remove 1 thing, 4.0 kB (1.0 kB more is shared with what stays); add --yes to do it",
    ]


def test_what_was_removed_and_nothing() -> None:
    assert printed(Garbage(WORK, (OLD,), (), (), 5000, removed=True))[-1] == (
        "removed 1 thing, 5.0 kB"
    )
    assert printed(Garbage(WORK, (), (), (), 0)) == ["nothing to remove"]
