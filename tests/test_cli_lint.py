"""`potstill lint` and `potstill tokens` as a user meets them: exit codes, JSON, files, steps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from shell import Shell

import potstill.recipes
from potstill.pipeline.artifact import write_manifest
from potstill.pipeline.sample import Message, new_sample, with_ids
from potstill.pipeline.shards import write_samples

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")

STUDENT = Path(potstill.recipes.__file__).parent / "quickstart" / "student-qwen"
GOOD = {"prompt": "3 + 4?", "completion": "<think>\n7\n</think>\nSeven 国."}
BAD = [
    {"prompt": "nothing"},
    {"messages": [{"role": "tool", "content": "x"}, {"role": "assistant", "content": "z"}]},
    {"prompt": "control", "completion": "7<|im_end|>"},
]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name, rows in {"good": [GOOD], "bad": [GOOD, *BAD]}.items():
        lines = "\n".join(map(json.dumps, rows))
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    for pattern in ("*.json", "*.jinja"):
        for file in STUDENT.glob(pattern):
            (tmp_path / "student").mkdir(exist_ok=True)
            shutil.copyfile(file, tmp_path / "student" / file.name)
    return Shell(monkeypatch, capsys)


@pytest.fixture
def finished(tmp_path: Path) -> Callable[[str], Path]:
    """A folder that stands as a finished step in the work directory."""

    def make(step: str) -> Path:
        folder = tmp_path / "work" / "r" / f"{step}-00000000"
        folder.mkdir(parents=True)
        return folder

    return make


def seal(folder: Path, step: str, kind: str) -> None:
    body = {"step": f"r/{step}", "identity": {"kind": kind}, "address": "0", "inputs": {}}
    write_manifest(folder, {**body, "step": step, "rows": None, "metrics": {}}, {})


def test_clean_findings_and_wrong_requests(shell: Shell, tmp_path: Path) -> None:
    assert shell("lint", "good.jsonl", "--model", "student") == 0, shell.err
    assert "clean: 0 errors, 0 warnings" in shell.out
    assert shell("lint", "bad.jsonl", "--model", "student") == 1
    for check in ("no_completion", "unknown_role", "special_token_in_text"):
        assert check in shell.out
    assert "»⟦<|im_end|>⟧«" in shell.out
    (tmp_path / "empty").mkdir()
    wrong = [
        ("lint", "good.jsonl", "--model", "empty"),
        ("lint", "good.jsonl", "--model", "nowhere"),
        ("lint", "good.jsonl", "--model", "good.jsonl"),
        ("lint", "nowhere.jsonl", "--model", "student"),
        ("tokens", "good.jsonl", "--model", "student", "--id", "zzz"),
    ]
    for request in wrong:
        assert shell(*request) == 2, request
        assert shell.out == ""
        assert "Traceback" not in shell.err


def test_a_template_that_ends_no_turn_is_a_finding(shell: Shell, tmp_path: Path) -> None:
    template = tmp_path / "student" / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_end|>", ""))
    assert shell("lint", "good.jsonl", "--model", "student", "--json") == 1
    (finding,) = json.loads(shell.out)["findings"]
    assert (finding["check"], finding["severity"]) == ("no_end_of_turn", "error")
    template.unlink()
    assert shell("lint", "good.jsonl", "--model", "student", "--json") == 1
    assert json.loads(shell.out)["findings"][0]["check"] == "no_template"


def test_facts_of_a_lint(shell: Shell) -> None:
    assert shell("lint", "bad.jsonl", "--model", "student", "--json", "--max-length", "30") == 1
    facts = json.loads(shell.out)
    assert (facts["rows"], facts["rendered"], facts["clean"]) == (4, 1, False)
    kinds = {kind["check"]: kind for kind in facts["findings"]}
    assert kinds["too_long"]["lengths"] == [facts["longest"]]
    assert kinds["too_long"]["rows"] == [kinds["too_long"]["examples"][0]["row"]]
    tokens = kinds["special_token_in_text"]["examples"][0]["excerpts"][0]["tokens"]
    assert tokens[-1]["text"] == "<|im_end|>"
    assert tokens[-1]["special"] is True


def test_a_step_and_a_trained_model(
    shell: Shell, tmp_path: Path, finished: Callable[[str], Path]
) -> None:
    data, model = finished("data"), finished("model")
    sample = new_sample((Message("user", "3 + 4?"),), completion="<think>\n7\n</think>\n7")
    write_samples(data, with_ids([sample]))
    seal(data, "data", "load")
    for file in (tmp_path / "student").iterdir():
        shutil.copyfile(file, model / file.name)
    seal(model, "model", "sft")
    assert shell("lint", "r/data", "--model", "r/model", "--json") == 0, shell.err
    assert json.loads(shell.out)["rows"] == 1
    assert shell("tokens", "r/data", "--model", "r/model", "--json") == 0
    (row,) = json.loads(shell.out)
    assert row["pieces"][-1] == {
        "id": row["pieces"][-1]["id"], "text": "<|im_end|>", "special": True, "loss": True,
    }  # fmt: skip


def test_tokens_of_rows(shell: Shell, tmp_path: Path) -> None:
    assert shell("tokens", "bad.jsonl", "--model", "student") == 0
    assert "loss        <think>│⏎" in shell.out
    assert "⟨BD⟩国" in shell.out
    assert "not trained no_completion" in shell.out
    assert "\x1b" not in shell.out
    assert shell("tokens", "good.jsonl", "--model", "student", "--html", "page.html") == 0
    assert str(tmp_path / "page.html") in shell.out
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_settings_reach_the_template(shell: Shell, tmp_path: Path) -> None:
    template = tmp_path / "student" / "chat_template.jinja"
    closing = "{%- if quiet %}{{- '<think>\\n\\n</think>\\n\\n' }}{% endif -%}"
    template.write_text(template.read_text() + closing)
    assert shell("lint", "good.jsonl", "--model", "student", "--set", "quiet=false") == 0
    assert shell("lint", "good.jsonl", "--model", "student", "--set", "quiet=true") == 1
    assert "think_closed_by_template" in shell.out
    assert shell("tokens", "good.jsonl", "--model", "student", "--set", "quiet=true") == 0
    assert "not trained think_closed_by_template" in shell.out
