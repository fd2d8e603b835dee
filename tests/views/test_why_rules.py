"""`why` and the rules of select: the numbers behind each reason, beside the real step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lives import Lives, answered, drawn, event, id_of, select, two_problems

from potstill.stages.judge import JudgeSamples
from potstill.stages.select import Select
from potstill.views.why import why


@pytest.fixture
def tale(tmp_path: Path) -> Lives:
    return two_problems(tmp_path)


def test_a_verdict_names_the_thresholds_that_it_met_or_missed(tale: Lives) -> None:
    select(tale, keep={"math": 1, "language": 0.95}, unknown={"math": "keep"})
    life = why(tale.artifacts, id_of(tale, "language=0.91:half"))
    assert life.conclusion == "not kept by reasoning: language 0.91 is below 0.95 (half)"
    uses = event(life, "verdict", filter="math", step="tale/traces")["uses"]
    assert [(u["step"], u["rule"], u["least"], u["met"]) for u in uses] == [
        ("tale/traces", "accept", 1.0, True),
        ("tale/reasoning", "keep", 1.0, True),
    ]
    text = drawn(life)
    assert "math 1.00 good  ≥ 1 (traces, reasoning)" in text
    assert 'language 0.91 half  < 0.95 (reasoning)  {"word": "language=0.91:half"}' in text
    assert "sample 2: stop, 7 tokens, accepted" in text
    unknown = why(tale.artifacts, id_of(tale, "math=?:silent"))
    assert event(unknown, "verdict", filter="math", step="tale/traces")["uses"][1] == {
        "step": "tale/reasoning",
        "rule": "keep",
        "least": 1.0,
        "most": None,
        "met": None,
        "unknown": "keep",
    }
    assert "unknown is kept (reasoning)" in drawn(unknown)


RULES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keep", {"keep": {"math": 1}}, "bb math=0:wrong", "math 0.00 is below 1 (wrong)"),
    ("unknown", {"keep": {"math": 1}}, "math=?:silent", "math could not say (silent)"),
    (
        "shortest",
        {"keep": {"math": 1}, "per_prompt": {"shortest": 2}},
        "a" * 30,
        "shortest 2: 4th of 4, 30 characters",
    ),
    ("first", {"per_prompt": {"first": 2}}, "ccc", "first 2: 4th of 6"),
    ("random", {"per_prompt": {"random": 5, "seed": 3}}, None, "random 5 of 6"),
    (
        "length",
        {"length": {"completion": {"most": 20}}},
        "a" * 30,
        "its completion has 30 characters, at most 20 are asked",
    ),
    (
        "words",
        {"length": {"answer": {"least": 2}, "unit": "words"}},
        "ccc",
        "its answer has 1 words, at least 2 are asked",
    ),
    (
        "too hard",
        {"pass_rate": {"by": "math", "least": 0.5}},
        "math=0:wrong",
        "0 of 1 samples of its problem are right: 0.00 is below 0.5 (too_hard)",
    ),
    (
        "too easy",
        {"pass_rate": {"by": "math", "most": 0.5}},
        "ccc",
        "4 of 6 samples of its problem are right: 0.67 is above 0.5 (too_easy)",
    ),
    (
        "pairs",
        {"pairs": {"by": "math"}},
        "math=0:wrong",
        "a wrong one, but no right one of its problem to pair it with",
    ),
]


@pytest.mark.parametrize(("rules", "completion", "because"), [case[1:] for case in RULES],
                         ids=[case[0] for case in RULES])  # fmt: skip
def test_why_select_left_it_out(
    tale: Lives, rules: dict[str, Any], completion: str | None, because: str
) -> None:
    select(tale, **rules)
    ids = [id_of(tale, completion)] if completion else [s.id for s in tale.made["traces"].samples()]
    lives = [why(tale.artifacts, each) for each in ids]
    told = [e["because"] for life in lives for e in life.events if e["what"] == "left_out"]
    assert told == [because]


def test_a_score_just_below_its_threshold_is_told_with_enough_digits(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.hold("traces", "generate", [answered("q", "math=0.9496:half"), answered("q", "fine", 1)])
    lives.step("verdicts", JudgeSamples(samples="traces", filters=("math",)), "traces")
    select(lives, keep={"math": 0.95})
    life = why(lives.artifacts, id_of(lives, "math=0.9496:half"))
    assert life.conclusion == "not kept by reasoning: math 0.9496 is below 0.95 (half)"
    assert "0.9496 < 0.95 (reasoning)" in drawn(life)


def test_what_went_on_names_its_place(tale: Lives) -> None:
    band = {"by": "math", "least": 0.5}
    select(tale, keep={"math": 1}, per_prompt={"shortest": 2}, pass_rate=band)
    kept = why(tale.artifacts, id_of(tale, "ccc"))
    assert event(kept, "holds", kind="select")["because"] == "shortest 2: 1st of 4, 3 characters"
    assert event(kept, "holds", kind="select")["pass_rate"] == {"right": 4, "judged": 6}
    assert (kept.outcome, kept.conclusion) == (
        "waiting",
        "kept by reasoning; no later step has taken it or left it out",
    )


def test_duplicates_name_each_other(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.hold("traces", "generate", [answered("q", "same", 0), answered("q", "same", 1)])
    stage = Select(samples="traces", one_per="exact")
    lives.step("reasoning", stage, "traces")
    first, second = (sample.id for sample in lives.made["traces"].samples())
    assert (
        why(lives.artifacts, second).conclusion == f"not kept by reasoning: a duplicate of {first}"
    )
    kept = why(lives.artifacts, first)
    assert event(kept, "stands_for")["id"] == second
    assert kept.equal == [second]
    assert f"the same completion as {second}" in drawn(kept)
