"""`potstill why` as a user meets it: ids, words, slips of the keyboard, a pipe, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lives import Lives, answered, asked
from shell import Shell

from potstill.stages.judge import JudgeSamples
from potstill.stages.select import Select

HOSTILE = "\x1b[31m[red]\u202e"


@pytest.fixture
def lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lives:
    """A finished run in `./work`."""
    monkeypatch.chdir(tmp_path)
    lives = Lives(tmp_path / "work")
    lives.hold("problems", "load", [asked(f"How many? {HOSTILE}"), asked("How many pears?")])
    traces = [answered(f"How many? {HOSTILE}", "fine"), answered("How many pears?", "math=0:wrong")]
    lives.hold("traces", "generate", traces, ["problems"])
    lives.step("verdicts", JudgeSamples(samples="traces", filters=("math",)), "traces")
    select = Select(samples="traces", verdicts="verdicts", keep={"math": 1})
    lives.step("reasoning", select, "traces", "verdicts")
    return lives


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys, "why")


def test_a_sample_into_a_pipe(lives: Lives, shell: Shell) -> None:
    sample = next(lives.made["reasoning"].samples())
    code, out, _ = shell.told(sample.id[:6])
    assert code == 0
    assert "kept by reasoning; no later step has taken it or left it out" in out
    assert "\\x1b[31m[red]\\u202e" in out
    assert "\x1b" not in out


def test_json_says_all(lives: Lives, shell: Shell) -> None:
    code, out, _ = shell.told("many pears", "--json")
    facts = json.loads(out)
    assert (code, facts["what"], facts["outcome"]) == (0, "problem", "left_out")
    assert facts["conclusion"] == "yielded nothing: 1 attempt, 1 wrong (math)"
    assert facts["samples"][1]["events"][-1]["because"] == "math 0.00 is below 1 (wrong)"
    assert all(Path(each["path"]).is_absolute() for each in facts["origins"] + facts["asked"])


@pytest.mark.parametrize(
    ("text", "said"),
    [("how many", "2 problems or rows have"), ("nothing like it", "no id"), ("ab", "at least 6")],
)
def test_what_is_not_one_thing_is_a_wrong_request(
    lives: Lives,
    shell: Shell,
    text: str,
    said: str,
) -> None:
    code, out, err = shell.told(text)
    assert (code, out) == (2, "")
    assert said in err
    assert "\x1b" not in err
