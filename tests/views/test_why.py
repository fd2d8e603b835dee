"""The life of a sample or problem: every step that touched it, in order, with the reason."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from potstill.pipeline.errors import RequestError
from potstill.views.terminal import make_console, sanitise, to_json
from potstill.views.why import show_why, why

HOSTILE = "\x1b]0;owned\x07\x1b[31m[red]x[/red]\u202e\u2028\x9b2J\u200b"  # as in conftest.py
ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028]")


def drawn(life: Any) -> str:
    stream = io.StringIO()
    show_why(make_console(stream), life)
    assert not ACTING.search(stream.getvalue())
    return stream.getvalue()


def brief(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    said = ("step", "what", "filter", "score", "reason", "copies", "same_as")
    return [tuple(event[key] for key in said if key in event) for event in events]


def test_a_sample_that_was_kept(small_run: Any) -> None:
    sample = small_run.traces[0]
    life = why(small_run.artifacts, sample.id[:10])
    assert (life.what, life.id) == ("sample", sample.id)
    assert life.row["completion"] == sample.completion
    assert brief(life.events) == [
        ("quickstart/traces", "holds", 1),
        ("quickstart/traces", "verdict", "math", 1.0, "correct"),
        ("quickstart/verdicts", "verdict", "loops", None, "unclear"),
        ("quickstart/verdicts", "verdict", "math", 1.0, "correct", "quickstart/traces"),
        ("quickstart/reasoning", "holds", 1),
        ("quickstart/mixture", "holds", 2),
    ]
    assert life.events[1]["evidence"] == {"extracted": HOSTILE}
    assert all(event["path"].startswith("/") for event in life.events)
    text = drawn(life)
    assert sanitise(HOSTILE) in text
    assert "kept, 2 copies" in text
    assert "math taken over from quickstart/traces" in text
    assert "loops –    unclear" in text


def test_a_sample_that_was_left_out(small_run: Any) -> None:
    life = why(small_run.artifacts, small_run.traces[1].id)
    assert brief(life.events)[-1] == ("quickstart/reasoning", "left_out", "math")
    assert "left out: math" in drawn(life)


def test_a_problem_with_all_its_samples(small_run: Any) -> None:
    problem = small_run.problems[0]
    life = why(small_run.artifacts, problem.prompt_id[:9])
    assert (life.what, life.id) == ("problem", problem.prompt_id)
    assert [event["reason"] for event in life.events] == ["http_500"]
    mine = [sample.id for sample in small_run.traces if sample.prompt_id == problem.prompt_id]
    assert [sample["id"] for sample in life.samples] == [problem.id, *mine]
    wrong = life.samples[2]
    assert wrong["verdicts"] == {
        "loops": {"score": 0.5, "reason": "ok"},
        "math": {"score": 0.0, "reason": "wrong"},
    }
    assert wrong["completed"] is True
    assert life.samples[0]["completed"] is False
    text = drawn(life)
    assert "problem in  quickstart/problems" in text
    assert "left out of reasoning: math" in text
    assert "in reasoning · in mixture ×2" in text
    assert "failed: http_500" in text


def test_facts_are_json_and_stable(small_run: Any) -> None:
    for prefix in (small_run.traces[0].id, small_run.problems[1].prompt_id):
        first, second = (to_json(why(small_run.artifacts, prefix).facts()) for _ in range(2))
        assert first == second
        assert json.loads(first)["id"] == prefix


def test_what_cannot_be_found_is_a_request_to_mend(small_run: Any) -> None:
    with pytest.raises(RequestError, match="'abc' has 3 characters; expected at least 6"):
        why(small_run.artifacts, "abc")
    with pytest.raises(RequestError, match=r"quickstart/traces.*potstill inspect") as caught:
        why(small_run.artifacts, "abcdefghij")
    assert "qwen" not in str(caught.value)
    with pytest.raises(RequestError, match=r"\(none\)"):
        why([], "abcdefghij")


def test_a_prefix_of_several_lists_them(small_run: Any, tmp_path: Any) -> None:
    from dataclasses import replace

    from potstill.pipeline.artifact import open_artifact, write_manifest
    from potstill.pipeline.shards import write_samples

    many = [replace(small_run.problems[0], id=f"twins-{number:02}") for number in range(12)]
    path = tmp_path / "run" / "twins-00000001"
    write_samples(path, many)
    body = {"step": "twins", "address": "00000001", "identity": {"kind": "load"}, "inputs": {}}
    write_manifest(path, {**body, "rows": 12, "metrics": {}}, {})
    artifact = open_artifact(path)
    assert artifact is not None
    with pytest.raises(RequestError, match=r"12 ids begin with 'twins-'") as caught:
        why([artifact], "twins-")
    lines = str(caught.value).splitlines()
    assert lines[1] == "  sample twins-00 in run/twins"
    assert lines[-1] == "  and 2 more"
    assert why([artifact], "twins-03").id == "twins-03"


def test_a_whole_id_wins_over_longer_ones(small_run: Any, tmp_path: Any) -> None:
    from dataclasses import replace

    from potstill.pipeline.artifact import open_artifact, write_manifest
    from potstill.pipeline.shards import write_samples

    path = tmp_path / "run" / "twins-00000001"
    write_samples(path, [replace(small_run.problems[0], id=name) for name in ("row-10", "row-100")])
    body = {"step": "twins", "address": "00000001", "identity": {"kind": "load"}, "inputs": {}}
    write_manifest(path, {**body, "rows": 2, "metrics": {}}, {})
    artifact = open_artifact(path)
    assert artifact is not None
    assert why([artifact], "row-10").id == "row-10"
