"""The life of a sample or problem: every step that touched it, in order.

The run of conftest.py has manifests without configs, as an older or foreign one may.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lives import drawn
from screens import HOSTILE

from potstill.views.terminal import sanitise, to_json
from potstill.views.why import why


def brief(events: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    said = ("step", "what", "filter", "score", "reason", "copies", "same_as")
    return [tuple(event[key] for key in said if key in event) for event in events]


def test_a_sample_that_was_kept(small_run: Any) -> None:
    sample = small_run.traces[0]
    life = why(small_run.artifacts, sample.id[:10])
    assert (life.what, life.id, life.prompt_id) == ("sample", sample.id, sample.prompt_id)
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
    assert (life.outcome, life.conclusion) == ("used", "in mixture twice")
    assert life.equal == [each.id for each in small_run.traces[1:3]]
    text = drawn(life)
    assert sanitise(HOSTILE) in text
    assert "mixed in, 2 copies" in text
    assert "math taken over from quickstart/traces" in text
    assert "loops –    unclear" in text


def test_a_sample_that_was_left_out(small_run: Any) -> None:
    life = why(small_run.artifacts, small_run.traces[1].id)
    assert brief(life.events)[-1] == ("quickstart/reasoning", "left_out", "math")
    assert life.conclusion == "not kept by reasoning: math"
    assert "left out: math" in drawn(life)


def test_a_problem_with_all_its_samples(small_run: Any) -> None:
    problem = small_run.problems[0]
    life = why(small_run.artifacts, problem.prompt_id[:9])
    assert (life.what, life.id) == ("problem", problem.prompt_id)
    assert life.conclusion == "yielded 2 of 3 samples in mixture"
    assert [event["reason"] for event in life.events] == ["http_500"]
    mine = [sample.id for sample in small_run.traces if sample.prompt_id == problem.prompt_id]
    assert [sample["id"] for sample in life.samples] == [problem.id, *mine]
    wrong = life.samples[2]
    assert wrong["verdicts"] == {
        "loops": {"score": 0.5, "reason": "ok"},
        "math": {"score": 0.0, "reason": "wrong"},
    }
    assert [each["completed"] for each in life.samples] == [False, True, True, True]
    assert life.origins[0]["row"] == 1
    text = drawn(life)
    assert "load: row 1 of 6" in text
    assert "loops 0.50 ok · math 0.00 wrong  not in reasoning: math" in text
    assert "in mixture ×2" in text
    assert "failed: http_500" in text


def test_the_id_of_a_row_without_a_completion_means_its_problem(small_run: Any) -> None:
    problem = small_run.problems[2]
    life = why(small_run.artifacts, problem.id)
    assert (life.what, life.id) == ("problem", problem.prompt_id)


def test_facts_are_json_and_stable(small_run: Any) -> None:
    for prefix in (small_run.traces[0].id, small_run.problems[1].prompt_id):
        first, second = (to_json(why(small_run.artifacts, prefix).facts()) for _ in range(2))
        assert first == second
        assert json.loads(first)["id"] == prefix


def test_the_order_in_which_files_lie_does_not_matter(small_run: Any) -> None:
    sample = small_run.traces[0].id
    shuffled = why(small_run.artifacts[::-1], sample)
    assert shuffled.facts() == why(small_run.artifacts, sample).facts()
