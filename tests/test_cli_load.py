"""`potstill load FILE --show` as a user meets it: shapes, settings, slips, pipes, hostile text."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from shell import Shell

from potstill.stages.load_preview import HEAD, preview_load

HOSTILE = "\x1b[31m[red]\u202e"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys, "load")


def lines(path: Path, *rows: Any) -> Path:
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    path.write_text(text, "utf-8")
    return path


def test_what_was_understood_is_told(tmp_path: Path, shell: Shell) -> None:
    good = {"question": f"How many? {HOSTILE}", "answer": "so #### 5", "level": 2}
    file = lines(tmp_path / "rows.jsonl", good, "{broken\n", good)
    code, out, _ = shell.told(str(file), "--show")
    assert code == 0
    assert "3 rows, 2 samples" in out
    assert "gsm8k: a question" in out
    assert "level, worked_solution" in out
    assert "rows.jsonl:2 malformed_json {broken" in out
    assert f'load: {{"source": "{file}"}}' in out
    assert "\\x1b[31m[red]\\u202e" in out
    assert "\x1b" not in out


def test_the_facts_as_json(tmp_path: Path, shell: Shell) -> None:
    file = tmp_path / "rows.jsonl.gz"
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "<think>\nt\n</think>\na"}]
    file.write_bytes(gzip.compress(json.dumps({"conversations": turns, "id": 7}).encode()))
    code, out, _ = shell.told(str(file), "--json", "--rows", "1")
    facts = json.loads(out)
    assert code == 0
    assert facts["files"] == [
        {
            "path": str(file),
            "format": "jsonl",
            "compression": "gzip",
            "bytes": file.stat().st_size,
        }
    ]
    assert (facts["shape"], facts["rows"], facts["whole"]) == ("sharegpt", 1, True)
    assert facts["thinking"] == {"<think>": 1}
    assert facts["extra"] == ["id"]
    assert facts["shown"][0]["completion"] == "<think>\nt\n</think>\na"


def test_pairs_are_shown_with_their_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    lines(tmp_path / "pairs.jsonl", {"prompt": "2+2", "chosen": "4", "rejected": "5"})
    monkeypatch.chdir(tmp_path)
    code, out, _ = shell.told("pairs.jsonl", "--json")
    facts = json.loads(out)
    assert (code, facts["shape"], facts["rows"], facts["samples"]) == (0, "preference", 1, 2)
    assert [(row["side"], row["completion"]) for row in facts["shown"]] == [
        ("chosen", "4"),
        ("rejected", "5"),
    ]
    _, out, _ = shell.told("pairs.jsonl")
    assert "side        rejected" in out


def test_settings_are_those_of_the_step(tmp_path: Path) -> None:
    file = lines(tmp_path / "rows.jsonl", {"ask": "two?", "key": 2})
    settings = ["columns.prompt=ask", "columns.answer=key", "task=math", "license=mit"]
    found = preview_load(str(file), settings, 1)
    assert found.columns == {"prompt": "ask", "answer": "key"}
    assert (found.shape, found.tasks, found.license) == (None, {"math": 1}, "mit")
    assert found.recipe == (
        f'load: {{"source": "{file}", "columns": {{"prompt": "ask", "answer": "key"}}, '
        '"task": "math", "license": "mit"}'
    )


def test_only_the_head_of_a_large_file_is_read(tmp_path: Path) -> None:
    text = "x" * 1000
    rows = [{"prompt": f"{number} {text}"} for number in range(20 * HEAD)]
    found = preview_load(str(lines(tmp_path / "rows.jsonl", *rows)), [], 2)
    assert not found.whole
    assert HEAD <= found.rows < len(rows)
    assert len(found.shown) == 2


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(b'{"instruction": "add", "input": "1 1", "output": "2"}\n')

    monkeypatch.setattr(sys, "stdin", Input())
    found = preview_load("-", [], 1)
    assert (found.shape, found.rows) == ("alpaca", 1)
    assert "SAVED_FILE" in found.recipe


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl does not exist"),
        (["word_problems"], "is made, not read"),
        (["rows.jsonl", "--set", "shape=gsm8"], "did you mean 'gsm8k'"),
        (["rows.jsonl", "--set", "colums.prompt=ask"], "--set colums: unknown key 'colums'; did"),
        (["rows.jsonl", "--set", "split_text.colum=ask"], "--set split_text.colum: unknown key"),
        (["rows.jsonl", "--set", "rows=x"], "--set rows: rows is 'x'"),
        (["rows.jsonl", "--set", "rows"], "--set 'rows': expected FIELD=VALUE"),
        (["rows.jsonl", "--set", "columns.prompt=asks"], "there is no column 'asks'"),
    ],
)
def test_a_slip_is_one_clear_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shell: Shell,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "rows.jsonl", {"ask": "two?"})
    code, out, err = shell.told(*arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err
