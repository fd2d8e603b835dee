"""The command line as a user meets it: one-screen errors, exit codes, JSON, no tracebacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Shell

from potstill.pipeline.sample import Message, new_sample, with_ids
from potstill.pipeline.shards import write_samples

RECIPE = """\
potstill: 1
name: small
filters: {math: {}, format: {}}
steps:
  problems: {load: {source: ./problems.jsonl}}
  verdicts: {judge: {samples: problems, filters: [format, math]}}
  right: {select: {samples: problems, verdicts: verdicts, keep: {math: 1}}}
"""

ROWS = [
    {"prompt": "1+1?", "completion": "<think>one and one</think>\\boxed{2}", "answer": "2"},
    {"prompt": "1+2?", "completion": "<think>one and two</think>\\boxed{4}", "answer": "3"},
    {"prompt": "1+3?", "completion": "<think>one and three</think>\\boxed{4}"},
]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps(row) for row in ROWS]
    (tmp_path / "problems.jsonl").write_text("\n".join([*lines, "{broken"]), encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return Shell(monkeypatch, capsys)


def test_a_run_is_built_shown_and_not_built_again(shell: Shell, tmp_path: Path) -> None:
    assert shell.json("plan", "recipe.yaml")["steps"]["right"]["state"] == "missing"
    assert shell("run", "recipe.yaml") == 0, shell.err
    steps = shell.json("status", "recipe.yaml")["steps"]
    assert {name: step["state"] for name, step in steps.items()} == {
        "problems": "complete",
        "verdicts": "complete",
        "right": "complete",
    }
    assert steps["problems"]["rows"] == 3
    assert steps["problems"]["metrics"]["quarantined"] == {"malformed_json": 1}
    assert steps["right"]["rows"] == 1
    assert list(Path(steps["right"]["path"]).glob("part-*.parquet"))
    assert Path(steps["right"]["path"]).is_absolute()
    assert shell("run", "recipe.yaml") == 0
    assert "nothing to do" in shell.err.lower() or "3 cached" in shell.err


def test_rows_are_looked_at_and_explained(shell: Shell) -> None:
    shell("run", "recipe.yaml")
    found = shell.json("inspect", "small/right", "--sample", "1")
    (row,) = found["samples"]
    identity = row["row"]["id"]
    life = shell.json("why", identity[:8])
    assert identity in json.dumps(life)
    assert shell("inspect", "small/problems", "--rejected") == 0
    assert "malformed_json" in shell.out


def test_judge_gives_a_line_for_each_row_and_filter_in_order(shell: Shell) -> None:
    assert shell("judge", "problems.jsonl", "--with", "format,math", "--json") == 0, shell.err
    lines = [json.loads(line) for line in shell.out.strip().split("\n")]
    told = [(line["filter"], line["score"], line["reason"]) for line in lines]
    assert told == [
        ("format", 1.0, "ok"),
        ("math", 1.0, "correct"),
        ("format", 1.0, "ok"),
        ("math", 0.0, "wrong"),
        ("format", 1.0, "ok"),
        ("math", None, "no_key"),
        ("format", None, "quarantined:malformed_json"),
        ("math", None, "quarantined:malformed_json"),
    ]
    assert set(lines[0]) == {"id", "filter", "score", "reason", "evidence"}


def test_judge_needs_no_prompt_and_keeps_ids(shell: Shell, tmp_path: Path) -> None:
    row = {"id": "mine", "completion": "<think>a</think>\\boxed{2}", "answer": "2"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert shell("judge", "rows.jsonl", "--with", "math", "--json") == 0, shell.err
    assert json.loads(shell.out)["id"] == "mine"


def test_settings_of_a_filter_are_given_by_name(shell: Shell) -> None:
    limits = ["--set", "length.max_answer=3", "--set", "length.unit=words"]
    assert shell("judge", "problems.jsonl", "--with", "length", *limits, "--json") == 0, shell.err
    lines = [json.loads(line) for line in shell.out.strip().split("\n")]
    assert {line["evidence"]["unit"] for line in lines[:3]} == {"words"}
    wrong = ["--set", "length.max_anser=3"]
    assert shell("judge", "problems.jsonl", "--with", "length", *wrong) == 2
    assert "did you mean 'max_answer'?" in shell.err


def test_keys_that_cannot_be_accepted_are_listed(shell: Shell, tmp_path: Path) -> None:
    keys = ["5", "\\frac{1}{2}", None, "\\sqrt{", "9^{9^9}"]  # the last is equal to itself
    rows = [{"question": "2+3?", "answer": key} for key in keys]
    (tmp_path / "keys.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert shell("judge", "--check-keys", "keys.jsonl", "--json") == 1, shell.err
    lines = [json.loads(line) for line in shell.out.strip().split("\n")]
    assert [line["key"] for line in lines] == [None, "\\sqrt{"]
    assert [line["score"] for line in lines] == [None, None]
    assert shell("judge", "--check-keys", "keys.jsonl", "--with", "math") == 1
    assert "5 keys checked, 2 not accepted" in shell.out
    (tmp_path / "keys.jsonl").write_text('{"answer": "5"}\n{"answer": "A"}', encoding="utf-8")
    assert shell("judge", "--check-keys", "keys.jsonl", "--with", "choice") == 1
    (tmp_path / "keys.jsonl").write_text('{"answer": "5"}\n{"answer": "x^2"}', encoding="utf-8")
    assert shell("judge", "--check-keys", "keys.jsonl") == 0, shell.err


def cut_parquet(folder: Path) -> None:
    write_samples(folder / "whole", with_ids([new_sample((Message("user", "q"),))]))
    whole = (folder / "whole" / "part-00000.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])


MISTAKES = [
    (["plan", "none.yaml"], 2, "recipe none.yaml cannot be read"),
    (["plan", "recipe.yaml", "--set", "steps.right.select.kep=1"], 2, "did you mean 'keep'?"),
    (["plan", "recipe.yaml", "--set", "steps.problems.load.source=./non.jsonl"], 2, "not exist"),
    (["plan", "recipe.yaml", "--set", "steps.right.select.samples=right"], 2, "right → right"),
    (["run", "recipe.yaml", "--set", "steps.problems.load.source=./cut.parquet"], 2, "cut.parquet"),
    (["run", "recipe.yaml", "--work", "problems.jsonl/work"], 2, "Choose another with --work"),
    (["run", "recipe.yaml", "--only", "right"], 2, "its input 'problems' is not complete"),
    (["run", "recipe.yaml", "--to", "rihgt"], 2, "did you mean 'right'?"),
    (["judge", "none.jsonl", "--with", "math"], 2, "does not exist"),
    (["judge", "problems.jsonl", "--with", "maths"], 2, "did you mean 'math'?"),
    (["judge", "problems.jsonl"], 2, "no filter is named; say --with"),
    (["judge", "problems.jsonl", "--check-keys", "--with", "length"], 2, "compares with no key"),
    (["judge", "problems.jsonl", "--with", "length", "--set", "lenght.unit=words"], 2, "--set"),
    (["inspect", "small/nothing"], 2, "neither a path nor a finished step"),
    (["why", "0000000"], 2, ""),
    (["run"], 2, "Missing argument"),
    (["rnu"], 2, "No such command"),
    (["run", "recipe.yaml", "--limit", "0"], 2, "--limit"),
    (["run", "recipe.yaml", "--max-usd", "0"], 2, "--max-usd 0: expected a number above 0"),
    (["run", "recipe.yaml", "--max-hours", "nan"], 2, "--max-hours nan: expected a number"),
    (["run", "recipe.yaml", "--max-tokens", "-5"], 2, "--max-tokens -5: expected a number"),
    (["run", "recipe.yaml", "--max-requests", "many"], 2, "--max-requests"),
    (["plan", "recipe.yaml", "--show-prompt"], 2, "no step of recipe 'small' asks a model"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES)
def test_mistakes_are_one_screen_and_have_their_exit_code(
    shell: Shell, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    cut_parquet(tmp_path)
    assert shell(*arguments) == code
    assert message in shell.err
    assert "Traceback" not in shell.err
    assert len(shell.err.strip().split("\n")) <= 12


def test_a_bug_keeps_its_traceback_for_debug(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("potstill.pipeline.recipe.load_recipe", broken)
    assert shell("plan", "recipe.yaml") == 1
    assert "internal error: ZeroDivisionError: a bug" in shell.err
    with pytest.raises(ZeroDivisionError):
        shell("--debug", "plan", "recipe.yaml")


def test_files_of_another_user_are_no_bug(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "work/toy/manifest.json\x1b[31m")

    monkeypatch.setattr("potstill.pipeline.recipe.load_recipe", closed)
    assert shell("plan", "recipe.yaml") == 1
    assert "manifest.json" in shell.err
    assert "Permission denied. Mend its permissions" in shell.err
    assert "bug" not in shell.err
    assert "\x1b" not in shell.err


def test_a_starter_is_written_once_and_can_be_planned(shell: Shell, tmp_path: Path) -> None:
    assert shell("init", "mine") == 0
    assert shell("plan", "mine/recipe.yaml") == 0, shell.err
    assert shell("init", "mine") == 2
    assert "exists already" in shell.err


def test_the_schema_and_the_version_are_printed(shell: Shell) -> None:
    assert shell("schema") == 0
    assert json.loads(shell.out)["title"] == "potstill recipe"
    assert shell("--version") == 0
    assert shell.out.strip() == "0.1.0"


def test_a_training_step_needs_no_recipe(shell: Shell, tmp_path: Path) -> None:
    """The request is checked here; the training itself is tests/train/test_sft.py."""
    shell("run", "recipe.yaml")
    assert shell("train", "sft", "--data", "small/right", "--model", "none") == 2
    assert "'none' is neither a path nor a finished step" in shell.err
    model = Path(__file__).resolve().parent.parent / "recipes" / "quickstart" / "student-qwen"
    wrong = ["--set", "epohcs=1"]
    assert shell("train", "sft", "--data", "small/right", "--model", str(model), *wrong) == 2
    assert "did you mean 'epochs'?" in shell.err
