"""status, gc and verify as a user meets them, on a small recipe that was run for real."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from shell import Shell

from potstill.cli import app
from potstill.models.journal_file import connect

RECIPE = """\
potstill: 1
name: small
filters: {length: {}}
steps:
  problems: {load: {source: word_problems, rows: 20, seed: 1}}
  fewer: {load: {source: word_problems, rows: ROWS, seed: 2}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the recipe was run with 5 rows, then with 6."""
    folder = tmp_path_factory.mktemp("made")
    for rows in ("5", "6"):
        (folder / "recipe.yaml").write_text(RECIPE.replace("ROWS", rows), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(sys, "argv", ["potstill"])
            from typer.testing import CliRunner

            assert CliRunner().invoke(app, ["run", "recipe.yaml"]).exit_code == 0
    return folder


@pytest.fixture
def shell(
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    folder = shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(folder)
    return Shell(monkeypatch, capsys)


def test_status_tells_sizes_and_what_could_go(shell: Shell) -> None:
    found = shell.json("status", "recipe.yaml")
    assert {name: step["state"] for name, step in found["steps"].items()} == {
        "problems": "complete",
        "fewer": "complete",
    }
    assert found["steps"]["fewer"]["old_artifacts"] == 1
    work = found["work"]
    assert Path(work["path"]).is_absolute()
    assert work["bytes"] > work["recipe_bytes"] > work["reclaimable_bytes"] > 0
    assert work["journal"] is None
    assert work["running"] is None
    assert work["last_finished"]["step"] in found["steps"]
    assert shell("status", "recipe.yaml") == 0
    assert "(1 old artifact of fewer): `potstill gc` shows what would go" in shell.out


def test_status_counts_what_was_paid_for(shell: Shell) -> None:
    row = ("k", "small/problems", "s", 0, 0, "text", "stop", 1, 1, "m", "{}", None, "", None)
    connection = connect(Path("work") / "journal.sqlite")
    with connection:
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO completions VALUES ({marks})", row)
    shutil.copytree("work", "far")  # while it is open, so with its write-ahead log
    connection.close()
    for work in ("work", "far"):
        found = shell.json("status", "recipe.yaml", "--work", work)
        assert found["work"]["journal"]["completions"] == 1
        assert found["steps"]["problems"]["bought"] == 1
        assert found["steps"]["fewer"]["bought"] == 0
        assert shell.json("gc", "recipe.yaml", "--work", work, "--yes")["removed"]
        assert sqlite3.connect(f"{work}/journal.sqlite").execute(
            "SELECT count(*) FROM completions"
        ).fetchone() == (1,)


def test_status_of_a_journal_that_cannot_be_read(shell: Shell) -> None:
    (Path("work") / "journal.sqlite").write_text("not a database at all", encoding="utf-8")
    found = shell.json("status", "recipe.yaml")
    assert found["work"]["journal"]["completions"] is None
    assert found["steps"]["fewer"]["bought"] is None
    assert shell("status", "recipe.yaml") == 0
    assert "journal      cannot be read" in shell.out


def test_status_before_anything_was_run(shell: Shell) -> None:
    found = shell.json("status", "recipe.yaml", "--work", "none")
    assert {step["state"] for step in found["steps"].values()} == {"missing"}
    assert found["work"]["bytes"] == 0
    assert not Path("none").exists()
    assert shell("status", "recipe.yaml", "--work", "none") == 0


def test_gc_shows_first_and_removes_on_demand(shell: Shell) -> None:
    assert shell("gc", "recipe.yaml") == 0
    assert "would remove 1 thing" in shell.out
    assert shell.json("gc", "recipe.yaml")["removed"] is False
    assert shell("gc", "recipe.yaml", "--yes") == 0
    assert "removed 1 thing" in shell.out
    assert shell("gc", "recipe.yaml") == 0
    assert shell.out.strip() == "nothing to remove"
    assert shell("verify", "work") == 0


def test_a_slip_in_gc_removes_nothing(shell: Shell) -> None:
    before = sorted(Path("work").rglob("*"))
    for slip in (
        ("gc", "recipes.yaml", "--yes"),
        ("gc", "recipe.yaml", "--work", "wrok", "--yes"),
        ("gc", "recipe.yaml", "--set", "steps.fewer.load.row=6", "--yes"),
        ("gc", "--yes"),
    ):
        assert shell(*slip) == 2, slip
        assert "Traceback" not in shell.err
    assert sorted(Path("work").rglob("*")) == before


def test_verify_names_the_damaged_file_and_fails(shell: Shell) -> None:
    assert shell("verify", "small/problems", "small/fewer") == 0
    shard = next(Path("work").glob("small/problems-*/part-*.parquet"))
    data = bytearray(shard.read_bytes())
    data[60] ^= 4
    shard.write_bytes(data)
    assert shell("verify", "work") == 1
    assert "part-00000.parquet: has damaged bytes" in shell.out
    assert "differences in 1 of 3 folders" in shell.out
    found = shell.json("verify", "small/problems", codes=(1,))
    assert found["whole"] is False
    assert found["checked"][0]["differences"][0]["kind"] == "changed"
    assert shell("verify", "small/problem") == 2
