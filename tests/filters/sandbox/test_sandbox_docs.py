"""docs/sandbox.md: its keys accept its programs, and its tables are those of the filter."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from potstill.filters.code import Code
from potstill.filters.sandbox.backends import ACCEPTANCE
from potstill.filters.sandbox.settings import Settings
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Sample, new_sample

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sandbox.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```\n\n```python\n(.*?)```", PAGE, re.DOTALL)


def sample(key: str, program: str) -> Sample:
    completion = f"<think>as the page says</think>\nHere it is.\n```python\n{program}```\n"
    return new_sample((), completion=completion, answer=key)


def test_the_examples_pass_and_others_do_not(bubblewrap: str) -> None:
    assert [json.loads(key)["kind"] for key, _ in EXAMPLES] == ["calls", "stdio", "asserts"]
    right = [sample(key, program) for key, program in EXAMPLES]
    wrong = [sample(key, program.replace("+ x", "* x")) for key, program in EXAMPLES[2:]]
    wrong += [sample(key, program.replace("sum", "min")) for key, program in EXAMPLES[:2]]
    with Code().open(JudgeContext()) as judge:
        passed, failed = judge.judge(right), judge.judge(wrong)
    assert [verdict.reason for verdict in passed] == ["pass"] * 3
    assert {verdict.evidence["checked"] for verdict in passed} == {"outside"}
    assert [verdict.reason for verdict in failed] == ["wrong"] * 3


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, its head left out."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (found,) = [part for part in section if part.startswith(heading)]
    lines = [line for line in found.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_reason_is_listed() -> None:
    listed = {name: row[1] for row in rows("Verdicts") for name in re.findall(r"`(\w+)`", row[0])}
    assert set(listed) == set(Code.reasons)
    assert {name for name, score in listed.items() if score == "unknown"} == {
        *("no_completion", "no_key", "unreadable_key", "runner_missing", "sandbox_error")
    }


def test_every_setting_is_listed_with_its_default() -> None:
    listed: dict[str, Any] = {}
    for names, default, _ in rows("Settings"):
        for name in re.findall(r"`(\w+)`", names):
            listed[name] = default.strip("`")
    assert set(listed) == set(Code.model_fields)
    for name, field in Code.model_fields.items():
        if field.default not in (None, ()):
            assert str(field.default).removesuffix(".0") == listed[name], name
        else:
            assert listed[name] in ("none", "this one"), name
    assert set(Settings.__dataclass_fields__) <= set(listed)


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_recipes_are_understood(text: str) -> None:
    settings = Code(**YAML(typ="safe").load(text)["filters"]["code"]).settings()
    assert settings.backend == "remote" or settings.unsafe_no_isolation == ACCEPTANCE
