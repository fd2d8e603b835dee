"""Text that acts is shown, pipes get no control code, and numbers read the way people say them."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from potstill.views.terminal import (
    bar,
    count,
    counted,
    duration,
    make_console,
    number,
    one_line,
    percent,
    print_json,
    print_table,
    safe,
    sanitise,
    size,
    to_json,
    value_text,
)

ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def acting(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in ACTING and c not in "\n\t"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 中文 é \u00a0\u3000 🍶\ttab\nline", "plain 中文 é \u00a0\u3000 🍶\ttab\nline"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\rb\x08c\x7f", "a\\x0db\\x08c\\x7f"),
        ("\x9b2J\x85", "\\x9b2J\\x85"),
        ("\u202eabc\u2066\u200f", "\\u202eabc\\u2066\\u200f"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("[red]x[/red] :smile: \\boxed{1}", "[red]x[/red] :smile: \\boxed{1}"),
    ],
)
def test_what_acts_is_shown(text: str, shown: str) -> None:
    assert sanitise(text) == shown


@given(ANY_TEXT)
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = sanitise(text)
    assert acting(shown) == []
    assert sanitise(shown) == shown
    shown.encode("utf-8")
    line = one_line(text)
    assert acting(line) == []
    assert not {"\n", "\t"} & set(line)


@given(st.recursive(ANY_TEXT, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_hides_nothing_and_loses_nothing(value: object) -> None:
    text = to_json(value)
    assert acting(text) == []
    assert "\n" not in text
    assert json.loads(text) == value


def test_json_of_what_json_lacks() -> None:
    value = {"nan": float("nan"), "inf": [float("-inf")], "bytes": b"x", "none": None}
    parsed = json.loads(to_json(value))
    assert parsed == {"nan": "nan", "inf": ["-inf"], "bytes": "b'x'", "none": None}


def test_print_json_is_one_value_and_a_newline() -> None:
    stream = io.StringIO()
    print_json({"b": 1, "a": "中"}, stream, indent=None)
    assert stream.getvalue() == '{"b": 1, "a": "中"}\n'


def test_one_line_says_that_it_was_cut() -> None:
    assert one_line("abc\n  def") == "abc ⏎ def"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"


def test_a_pipe_gets_all_text_and_no_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    stream = io.StringIO()
    console = make_console(stream)
    long = "很长 " * 400
    console.print(safe(long, "bold red"))
    table = Table(box=None)
    table.add_column("[bold]title[/bold]")
    table.add_column("other")
    table.add_row("[red]x[/red]", safe(long))
    print_table(console, table)
    text = stream.getvalue()
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0] == long
    assert lines[1].split() == ["[bold]title[/bold]", "other"]
    assert lines[2].split(maxsplit=1) == ["[red]x[/red]", long.rstrip()]
    assert all(line == line.rstrip() for line in lines[1:])


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_on_a_terminal_alone(
    environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()
    make_console(stream).print(safe("x", "red"))
    assert ("\x1b[31m" in stream.getvalue()) is coloured


def test_a_stream_that_cannot_encode_shows_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    make_console(stream).print(safe("é 中 …"))
    stream.flush()
    assert raw.getvalue() == b"\xe9 \\u4e2d \\u2026\n"


def test_a_table_on_a_narrow_terminal_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    table = Table(box=None)
    table.add_column("a", no_wrap=True)
    table.add_column("b", overflow="fold", min_width=8)
    table.add_row("x" * 30, "one two three four")
    print_table(make_console(stream), table)
    text = stream.getvalue()
    assert "x" * 30 in text
    assert "…" not in text
    assert {"one", "two", "three", "four"} <= set(text.split())


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (count(1234567), "1,234,567"),
        (count(None), "–"),
        (counted(1, "row"), "1 row"),
        (counted(0, "row"), "0 rows"),
        (counted(1234, "row"), "1,234 rows"),
        (size(0), "0 B"),
        (size(999), "999 B"),
        (size(12_345_678), "12.3 MB"),
        (size(999_999), "1.0 MB"),
        (size(5 * 10**15), "5000.0 TB"),
        (size(None), "–"),
        (duration(0.04), "0.0 s"),
        (duration(9.96), "10 s"),
        (duration(59.7), "1 m 00 s"),
        (duration(65), "1 m 05 s"),
        (duration(3599.6), "1 h 00 m"),
        (duration(7380), "2 h 03 m"),
        (duration(86_400 * 3 + 3600 * 4), "3 d 04 h"),
        (duration(None), "–"),
        (duration(float("inf")), "–"),
        (number(1500.0), "1,500"),
        (number(1234.56), "1,234.6"),
        (number(0.7352), "0.735"),
        (number(1.2e-5), "1.2e-05"),
        (percent(0.745), "74.5 %"),
        (percent(0.0), "0.0 %"),
        (percent(None), "–"),
        (value_text(None), "unknown"),
        (value_text(True), "yes"),
        (value_text(0.0), "0"),
        (value_text(float("nan")), "nan"),
        (value_text({"a": "\x1b"}), '{"a": "\\u001b"}'),
        (value_text("a\nb"), "a ⏎ b"),
    ],
)
def test_numbers_for_people(shown: str, expected: str) -> None:
    assert shown == expected


@given(st.floats(-1, 2))
def test_a_bar_is_as_long_as_its_share(fraction: float) -> None:
    drawn = bar(fraction, 10)
    assert abs(len(drawn) - min(max(fraction, 0), 1) * 10) <= 1
    assert len(drawn) <= 10
