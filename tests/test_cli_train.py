"""`potstill train …` as a user types it: help, slips, a dry run, a training, a training of that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from shell import Shell

from potstill.train import TRAINERS

STUDENT = Path(__file__).resolve().parent.parent / "recipes" / "quickstart" / "student-qwen"
ROWS = [
    {"prompt": f"{n} + 1 = ?", "completion": f"<think>\n{n + 1}\n</think>\n\\boxed{{{n + 1}}}"}
    for n in range(24)
]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.chdir(tmp_path)
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "rows.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "student").symlink_to(STUDENT)
    return Shell(monkeypatch, capsys, "train")


def test_the_help_lists_every_field(shell: Shell) -> None:
    assert shell("--help") == 0
    assert all(f"\n  {kind} " in shell.out for kind in TRAINERS)
    for kind, stage in TRAINERS.items():
        assert shell(kind, "--help") == 0
        for name in stage.model_fields:
            assert f"\n  --{name.replace('_', '-')} " in shell.out
        assert "--lora.r integer >=1" in shell.out
        assert "Compute activations twice" in shell.out
        assert "--dry-run" in shell.out


def test_the_list_of_commands_loads_no_training() -> None:
    code = (
        "import sys; sys.argv = ['potstill', '--help']\n"
        "from potstill.cli import app\n"
        "app(standalone_mode=False)\n"
        "sys.exit('potstill.train' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


GIVEN = ["--data", "rows.jsonl", "--model", "student"]
SLIPS = [
    # words, what is said
    (["sftt", *GIVEN], "no kind of training 'sftt'; did you mean 'sft'?"),
    (["sft", *GIVEN, "--epoch", "3"], "no option --epoch; did you mean '--epochs'?"),
    (["sft", *GIVEN, "--set", "epohcs=1"], "did you mean 'epochs'?"),
    (["sft", *GIVEN, "--epochs", "many"], "--epochs: epochs is 'many'"),
    (["sft", *GIVEN, "--epochs", "2", "3"], "unexpected '3'"),
    (["sft", "--data", "rows.jsonl"], "--model: model is missing"),
    (["sft", "--data", "none.jsonl", "--model", "student"], "'none.jsonl' is neither a path nor"),
    (["sft", "--data", "rows.jsonl", "--model", "none"], "'none' is neither a path nor"),
    (["sft", "--data", "rows.jsonl", "--model", "./none"], "none does not exist"),
    (["sft", "--data", "rows.jsonl", "--model", "."], "is not a model folder"),
    (["distill", *GIVEN], "--teacher: teacher is missing"),
    (["grpo", *GIVEN, "--rewards", "maths=1"], "--rewards.maths: unknown filter 'maths'"),
    (["sft", *GIVEN, "--filter", "math.x=1"], "no field names 'math'"),
    (["sft", *GIVEN, "--name", "a/b"], "'a/b' cannot be a name"),
]


@pytest.mark.parametrize(("words", "message"), SLIPS, ids=[message for _, message in SLIPS])
def test_slips_are_wrong_requests(
    shell: Shell, tmp_path: Path, words: list[str], message: str
) -> None:
    assert shell(*words) == 2
    assert message in shell.err
    assert "Traceback" not in shell.err
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_a_training_and_what_was_told_of_it_before(shell: Shell, tmp_path: Path) -> None:
    words = ["sft", *GIVEN, "--batch-size", "8", "--epochs", "2", "--workers", "1"]
    told = shell.json(*words, "--dry-run")
    assert not (tmp_path / "work").exists()

    step = shell.json(*words)["steps"]["model"]
    assert told["steps"] == step["metrics"]["steps"] == 6
    for name, value in told["data"].items():
        assert step["metrics"][name] == value
    assert told["parameters"] == {
        "total": step["metrics"]["parameters"],
        "trained": step["metrics"]["trained_parameters"],
    }
    weights = (Path(step["path"]) / "model.safetensors").stat().st_size
    assert weights == pytest.approx(told["disk"]["result"], rel=0.01)
    assert told["memory"]["highest"] < told["memory"]["available"]
    assert 0 < told["time"]["low"] <= told["time"]["seconds"] <= told["time"]["high"]

    # Another request under the same name would throw that training away.
    assert shell(*words, "--seed", "8") == 2
    assert "--rebuild model" in shell.err

    # Steps are data and models of other trainings.
    named = ["--data", "train-sft/data", "--model", "train-sft/model", "--name", "second"]
    found = shell.json(
        "sft", *named, "--lora.r", "2", "--max-steps", "1", "--workers", "1", "--wait"
    )
    assert found["steps"]["data"]["kind"] == "reuse"
    assert (Path(found["steps"]["model"]["path"]) / "adapter").is_dir()


@pytest.mark.slow
def test_data_is_refused_as_the_training_would(shell: Shell, tmp_path: Path) -> None:
    assert shell("sft", *GIVEN, "--max-length", "9", "--dry-run", "--workers", "1") == 2
    assert "24 of 24 rows (100.0%) are longer than max_length 9" in shell.err
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(shell: Shell, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "potstill.cli", "train", "sft", *GIVEN, "--dry-run"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "dry_run" in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 75, said
    assert list(scratch.glob("potstill-*")) == []
    assert not (tmp_path / "work").exists()
