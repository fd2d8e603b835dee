"""What `why` is asked for: a prefix, an id of the data, words, or nothing that there is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lives import Lives, asked, drawn

from potstill.pipeline.artifact import open_artifact, write_manifest
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Sample
from potstill.pipeline.shards import write_samples
from potstill.stages.select import Select
from potstill.views.why import Life, why

Find = Callable[[str], Life]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    lives = Lives(tmp_path)
    bad = [{"file": "a.jsonl", "line": 7, "reason": "not_json", "text": "{'broken quotes'}"}]
    rows: list[Sample] = [
        asked("How many apples  has\nAnna?", extra='{"task_id":"HumanEval/0","level":"hard one"}'),
        asked("How many pears has Anna?", extra='{"id":60,"level":"hard one"}'),
        asked("小明有多少个苹果？", extra='{"id":"60.5"}'),
    ]
    lives.hold("problems", "load", rows, quarantine=bad)
    lives.step("again", Select(samples="problems", length={"prompt": {"most": 999}}), "problems")
    return lambda text: why(lives.artifacts, text)


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("HumanEval/0", "How many apples"),
        ("60", "How many pears"),
        ("60.5", "小明"),
        ("many APPLES has Anna", "How many apples"),
        ("小明有多少个", "小明"),
        ("  many pears ", "How many pears"),
    ],
)
def test_found_by_its_own_id_or_its_words(find: Find, text: str, begins: str) -> None:
    life = find(text)
    assert life.what == "problem"
    assert life.row["prompt"][-1]["content"].startswith(begins)


@given(text=st.text(min_size=1, max_size=12))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_finds_something_or_is_a_request_to_mend(find: Find, text: str) -> None:
    with contextlib.suppress(RequestError):
        find(text)


def test_a_row_that_never_became_a_sample(find: Find) -> None:
    life = find("broken quotes")
    assert (life.what, life.id) == ("row", "a.jsonl 7")
    assert life.conclusion == "never became a sample: not json"
    assert "{'broken quotes'}" in drawn(life)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc", "'abc' has 3 characters; expected at least 6"),
        ("hard one", r"no prompt holds these words, .*\(tale/problems, tale/again\).*inspect"),
        ("how many", r"2 problems or rows have 'how many'; .*\n  problem .*: How many apples"),
        ("(?x) [", "no id"),
    ],
)
def test_what_cannot_be_found_is_a_request_to_mend(find: Find, text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        find(text)
    with pytest.raises(RequestError):
        why([], text)


def test_a_prefix_of_several_lists_them(tmp_path: Path) -> None:
    twins = several(tmp_path, [f"twins-{number:02}" for number in range(12)])
    with pytest.raises(RequestError, match=r"12 ids begin with 'twins-'") as caught:
        why(twins, "twins-")
    lines = str(caught.value).splitlines()
    assert lines[1] == "  sample twins-00 in run/twins"
    assert lines[-1] == "  and 2 more"
    assert why(twins, "twins-03").id == "twins-03"


def test_a_whole_id_wins_over_longer_ones(tmp_path: Path) -> None:
    assert why(several(tmp_path, ["row-10", "row-100"]), "row-10").id == "row-10"


def several(tmp_path: Path, ids: Sequence[str]) -> list[Any]:
    """One step whose samples have these ids."""
    path = tmp_path / "run" / "twins-00000001"
    row = asked("q", completion="c")
    write_samples(path, [replace(row, id=name) for name in ids])
    body = {"step": "twins", "address": "00000001", "identity": {"kind": "load"}, "inputs": {}}
    write_manifest(path, {**body, "rows": len(ids), "metrics": {}}, {})
    artifact = open_artifact(path)
    assert artifact is not None
    return [artifact]
