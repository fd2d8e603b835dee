"""Rows drawn token by token: the mask is told without colours, and no text of a row acts."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from potstill.models.token_rows import TokenRow
from potstill.models.token_text import Piece
from potstill.views.show_tokens import show_tokens
from potstill.views.terminal import make_console
from potstill.views.tokens_page import write_page

HOSTILE = "\x1b]0;owned\x07[red]x[/red]\u202e<script>alert(1)</script>"


def row(*texts: str, loss_from: int, special: tuple[int, ...] = ()) -> TokenRow:
    pieces = tuple(Piece(at, text, at in special) for at, text in enumerate(texts))
    labels = tuple(-100 if at < loss_from else at for at in range(len(texts)))
    return TokenRow("id0001", pieces, labels)


def shown(*rows: TokenRow) -> str:
    stream = io.StringIO()
    show_tokens(make_console(stream), rows)
    return stream.getvalue()


@pytest.fixture
def example() -> TokenRow:
    return row(
        "<|im_start|>", "user\n", "3 ", "+\t", "<|im_end|>", "<think>", "\n", "7", "<|im_end|>",
        loss_from=5, special=(0, 4, 8),
    )  # fmt: skip


def test_the_mask_is_told_in_words(example: TokenRow) -> None:
    assert shown(example).split("\n")[2:] == [
        "id0001  9 tokens, 4 with loss",
        "prompt      ⟦<|im_start|>⟧│user⏎",
        "prompt      3␣│+⇥│⟦<|im_end|>⟧",
        "loss        <think>│⏎",
        "loss        7",
        "end         ⟦<|im_end|>⟧",
        "",
    ]


def test_the_legend_explains_every_mark(example: TokenRow) -> None:
    legend = shown(example).split("\n")[0]
    for mark in ("prompt", "loss", "end", "⟦", "│", "␣", "⏎", "⇥", "⟨"):
        assert mark in legend


def test_colours_on_a_terminal(example: TokenRow) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system="standard", width=80)
    show_tokens(console, [example])
    assert "\x1b[32m7" in stream.getvalue()  # green: under the loss


def test_hostile_text_does_nothing(tmp_path: Path) -> None:
    hostile = row("user", HOSTILE, "7", loss_from=2)
    text = shown(hostile, TokenRow(HOSTILE, refused=HOSTILE))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b]0;owned\\x07[red]x[/red]\\u202e" in text
    page = tmp_path / "page.html"
    assert write_page(page, [hostile, TokenRow(HOSTILE, refused=HOSTILE)]) == 2
    written = page.read_text(encoding="utf-8")
    for active in ("<script", "\x1b", "\u202e", "\x07"):
        assert active not in written
    assert written.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


class Page(HTMLParser):
    """Tags that are open, and tokens with their classes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tokens: list[tuple[str, str]] = []
        self.outside: list[str] = []
        self._kind = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.outside += [value for name, value in attrs if name in ("src", "href") and value]
        if tag not in ("meta", "!doctype"):
            self.open.append(tag)
        self._kind = str(named.get("class")) if tag == "span" and "title" in named else ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._kind = ""

    def handle_data(self, data: str) -> None:
        if self._kind:
            self.tokens.append((self._kind, data))


def test_the_page(example: TokenRow, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write_page(file, [example])
    page = Page()
    page.feed(file.read_text(encoding="utf-8"))
    assert page.open == []
    assert page.outside == []
    assert page.tokens == [
        ("prompt special", "⟦<|im_start|>⟧"),
        ("prompt", "user⏎"),
        ("prompt", "3␣"),
        ("prompt", "+⇥"),
        ("prompt special", "⟦<|im_end|>⟧"),
        ("loss", "<think>"),
        ("loss", "⏎"),
        ("loss", "7"),
        ("end special", "⟦<|im_end|>⟧"),
    ]
    text = file.read_text(encoding="utf-8")
    assert "9 tokens, 4 with loss" in text
    assert "prefers-color-scheme: dark" in text
    assert "default-src 'none'" in text
