"""`potstill inspect` as a user meets it: a file, a step, a slip of the keyboard, a pipe, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from shell import Shell

POTSTILL = [sys.executable, "-c", "from potstill.cli import main; main()"]
ROWS = [{"id": f"row-{n:04d}", "n": n, "text": "深度 \x1b[31m" * 20} for n in range(2000)]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return tmp_path / "rows.jsonl"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys, "inspect")


def test_first_screen(file: Path, shell: Shell) -> None:
    code, out, _ = shell.told("rows.jsonl")
    assert code == 0
    assert "2,000 rows" in out
    assert "id String · n Int64 · text String" in out
    assert "\x1b" not in out


def test_json_has_absolute_paths(file: Path, shell: Shell) -> None:
    asked = ("rows.jsonl", "--where", "n < 3", "--sample", "2", "--columns", "n", "--json")
    code, out, _ = shell.told(*asked)
    facts = json.loads(out)
    assert (code, facts["path"], facts["matched"]) == (0, str(file), 3)
    assert [list(sample["row"]) for sample in facts["samples"]] == [["n"], ["n"]]


def test_diff_of_two_files(file: Path, shell: Shell) -> None:
    changed = [{**row, "n": -1} if row["n"] == 7 else row for row in ROWS[:-1]]
    Path("other.jsonl").write_text("\n".join(map(json.dumps, changed)), encoding="utf-8")
    code, out, _ = shell.told("rows.jsonl", "--diff", "other.jsonl", "--json")
    facts = json.loads(out)
    assert (code, facts["equal"], facts["changed"], facts["only_here"]) == (0, 1998, 1, 1)
    code, out, _ = shell.told("rows.jsonl", "--diff", "other.jsonl")
    assert (code, "changed  id row-0007" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rows.jsnl",), "neither a path nor a finished step"),
        (("rows.jsonl", "--columns", "txt"), "did you mean 'text'"),
        (("rows.jsonl", "--where", "m = 1"), "Columns: id, n, text"),
        (("rows.jsonl", "--id", "nothing"), "no id or prompt_id of these rows"),
        (("rows.jsonl", "--by", "reason"), "add --rejected"),
        (("rows.jsonl", "--diff", "nowhere"), "neither a path nor a finished step"),
    ],
)
def test_slips_are_explained(
    file: Path,
    shell: Shell,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    code, out, err = shell.told(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_failure(file: Path) -> None:
    command = [*POTSTILL, "inspect", "rows.jsonl", "--sample", "2000"]
    environment = {**os.environ, "FORCE_COLOR": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline().startswith(b"/")
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0
