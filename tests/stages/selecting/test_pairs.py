"""Preference pairs: who is chosen and rejected, who stands alone, and counts that close."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scored import Says
from workbench import Workbench, aside, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.pairs import PAIR_SCHEMA, holds_pairs, refuse_pairs, require_pairs
from potstill.pipeline.references import UsesFilter, walk
from potstill.pipeline.sample import SAMPLE_SCHEMA, Generation, Sample, with_ids
from potstill.pipeline.shards import shard_files, write_rows
from potstill.stages.judge import JudgeSamples
from potstill.stages.mix import Mix
from potstill.stages.select import Select
from potstill.views.inspect import inspect
from potstill.views.why import why

FILTERS = {"math": Says(field="math"), "format": Says(field="format")}


def trace(
    question: str,
    completion: str | None,
    math: float | None,
    format: float = 1.0,
    cut: bool = False,
) -> Sample:
    scores = {"math": math, "format": format}
    made = Generation(
        teacher="t",
        revision="",
        key=f"{question}{completion}",
        index=0,
        seed=None,
        finish_reason="length" if cut else "stop",
        prompt_tokens=None,
        completion_tokens=None,
    )
    return problem(question, completion, extra=json.dumps(scores), generation=made)


def pair_up(
    bench: Workbench,
    samples: list[Sample] | Artifact,
    name: str = "pairs",
    keep: dict[str, float] | None = None,
    unknown: Any = "leave_out",
    **fields: Any,
) -> Artifact:
    traces = bench.samples(f"{name}_traces", samples) if isinstance(samples, list) else samples
    verdicts = bench.run(
        f"{name}_verdicts",
        JudgeSamples(samples="traces", filters=("math", "format")),
        inputs={"traces": traces},
        filters=FILTERS,
    )
    pairs = {"by": "math", **fields}
    stage = Select(
        samples="traces", verdicts="verdicts", keep=keep or {}, pairs=pairs, unknown=unknown
    )
    inputs = {"traces": traces, "verdicts": verdicts}
    return bench.run(name, stage, inputs=inputs, filters=FILTERS)


def told(pairs: Artifact) -> list[tuple[str, str]]:
    """(chosen, rejected) completions, and that the rows are what a reader of pairs expects."""
    table = pairs.table()
    assert table.schema.equals(PAIR_SCHEMA)
    rows = table.to_pylist()
    assert [row["pair"] for row in rows] == [n // 2 for n in range(len(rows))]
    assert [row["side"] for row in rows] == ["chosen", "rejected"] * (len(rows) // 2)
    assert all(a["prompt_id"] == b["prompt_id"] for a, b in zip(rows[::2], rows[1::2], strict=True))
    return [(a["completion"], b["completion"]) for a, b in zip(rows[::2], rows[1::2], strict=True)]


def reasons(pairs: Artifact, traces: list[Sample]) -> dict[str, str]:
    """Why each completion stands in no pair."""
    assert pairs.metrics["used"] + sum(pairs.metrics["left_out"].values()) == len(traces)
    ids = {sample.id: sample.completion for sample in with_ids(traces)}
    return {str(ids[row["id"]]): row["reason"] for row in aside(pairs, "left_out")}


TRACES = [
    trace("q1", "long and right", 1.0),
    trace("q1", "wrong a", 0.0),
    trace("q1", "right", 1.0),
    trace("q2", "only right", 1.0),
    trace("q1", "wrong", 0.0),
    trace("q3", "only wrong", 0.0),
    trace("q1", "unknown", None),
    trace("q1", "half", 0.5),
    trace("q1", "right in no format", 1.0, format=0.0),
    trace("q1", "wrong in no format", 0.0, format=0.0),
    trace("q1", "cut", 0.0, cut=True),
    trace("q1", "right and cut", 1.0, cut=True),
    trace("q1", "", 0.0),
    trace("q4", "judged both ways", 0.0),
    trace("q4", "judged both ways", 1.0),
]
LEFT_OUT = {
    "only right": "no_wrong_sample",
    "only wrong": "no_right_sample",
    "unknown": "math_unknown",
    "half": "math_good",
    "right in no format": "format_bad",
    "cut": "cut_off",
    "right and cut": "cut_off",
    "": "no_completion",
}

WAYS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "one pair": ({}, [("long and right", "wrong a")]),
    "shortest": ({"choose": "shortest"}, [("right", "wrong")]),
    "until every sample is used": (
        {"per_prompt": 9},
        [
            ("long and right", "wrong a"),
            ("right", "wrong"),
            ("long and right", "wrong in no format"),
        ],
    ),
    "a cut one too": (
        {"per_prompt": 9, "cut": "keep", "choose": "shortest"},
        [
            ("right", "cut"),
            ("long and right", "wrong"),
            ("right", "wrong a"),
            ("long and right", "wrong in no format"),
        ],
    ),
    "half is wrong too": (
        {"per_prompt": 9, "rejected": 0.5},
        [
            ("long and right", "wrong a"),
            ("right", "wrong"),
            ("long and right", "half"),
            ("right", "wrong in no format"),
        ],
    ),
    "half is right too": (
        {"per_prompt": 2, "chosen": 0.5, "choose": "shortest"},
        [("half", "wrong"), ("right", "wrong a")],
    ),
}


@pytest.mark.parametrize(("fields", "expected"), WAYS.values(), ids=WAYS.keys())
def test_pairs(bench: Workbench, fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    pairs = pair_up(bench, TRACES, keep={"format": 1}, **fields)
    assert told(pairs) == expected
    assert pairs.metrics["pairs"] == len(expected)
    assert pairs.metrics["rows"] == 2 * len(expected)
    for side, completions in zip(("chosen", "rejected"), zip(*expected, strict=True), strict=True):
        mean = sum(map(len, completions)) / len(completions)
        assert pairs.metrics["mean_length"][side] == pytest.approx(mean)

    used = {completion for pair in expected for completion in pair}
    left_out = reasons(pairs, TRACES)
    assert left_out.keys() | used == {str(sample.completion) for sample in TRACES}
    for completion, reason in left_out.items():
        if completion == "judged both ways":
            assert reason in ("no_wrong_sample", "also_right")
        elif completion in LEFT_OUT and not (completion == "cut" and "cut" in fields):
            assert reason == LEFT_OUT[completion]
        else:
            assert reason == "pairs_full"


def test_the_threshold_of_the_chosen_may_stand_in_keep(bench: Workbench) -> None:
    pairs = pair_up(bench, TRACES, keep={"math": 0.5, "format": 1}, choose="shortest")
    assert told(pairs) == [("half", "wrong")]


def test_unknown_is_on_neither_side_even_where_it_is_kept(bench: Workbench) -> None:
    traces = [trace("q", "right", 1.0), trace("q", "?", None), trace("q", "wrong", 0.0)]
    pairs = pair_up(bench, traces, keep={"math": 1}, unknown="keep", per_prompt=9)
    assert told(pairs) == [("right", "wrong")]
    assert reasons(pairs, traces) == {"?": "math_unknown"}


def test_by_lot_is_drawn_by_seed_and_not_by_order(bench: Workbench) -> None:
    made = [trace("q", f"right {n}", 1.0) for n in range(9)]
    made += [trace("q", f"wrong {n}", 0.0) for n in range(9)]
    drawn = {
        (name, seed): told(
            pair_up(bench, order, f"{name}{seed}", choose="random", seed=seed, per_prompt=3)
        )
        for seed in range(3)
        for name, order in (("forward", made), ("backward", made[::-1]))
    }
    assert all(drawn["forward", seed] == drawn["backward", seed] for seed in range(3))
    assert len({tuple(pairs) for pairs in drawn.values()}) == 3


def test_pairs_do_not_depend_on_how_samples_are_cut_into_shards(bench: Workbench) -> None:
    traces = [trace(f"q{n}", f"{n} {k}", float(k % 2)) for k in range(4) for n in range(25)]
    whole = pair_up(bench, traces, "whole", per_prompt=2)
    given = bench.context("cut_traces")
    write_rows(given.out, (sample.to_row() for sample in with_ids(traces)), SAMPLE_SCHEMA, 7)
    cut = bench._finish(given, "made_by_hand", {})
    assert len(shard_files(cut.path)) == 15
    other = pair_up(bench, cut, "cut", per_prompt=2)
    assert told(whole) == told(other)
    assert len(told(whole)) == 50
    assert whole.digest == other.digest


def test_a_copy_of_a_mixture_makes_no_second_pair(bench: Workbench) -> None:
    right = bench.samples("right", [trace("q", "right", 1.0)])
    wrong = bench.samples("wrong", [trace("q", "wrong", 0.0)])
    mix = Mix(parts={"right": 2, "wrong": 1}, size=3, repeat=2)
    mixture = bench.run("mixture", mix, inputs={"right": right, "wrong": wrong})
    pairs = pair_up(bench, mixture, per_prompt=9)
    assert told(pairs) == [("right", "wrong")]
    assert pairs.metrics["left_out"] == {"repeated": 1}


def test_views_open_pairs(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    pairs = pair_up(bench, traces, keep={"format": 1}, per_prompt=9)
    found = inspect(pairs.path, where="side = 'rejected' and pair = 1")
    assert found.columns["side"] == "String"
    assert found.samples is not None
    assert [each["row"]["completion"] for each in found.samples] == ["wrong"]
    reused = next(s.id for s in traces.samples() if s.completion == "long and right")
    life = why([traces, pairs], reused[:8])
    assert [event["copies"] for event in life.events if event["what"] == "holds"] == [1, 2]


def test_pairs_and_samples_are_not_taken_for_one_another(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    pairs = pair_up(bench, traces)
    assert holds_pairs(pairs)
    assert not holds_pairs(traces)
    require_pairs(pairs, "dpo.data")
    refuse_pairs(traces, "sft.data")
    with pytest.raises(RequestError, match=r"dpo\.data: step 'traces' holds no .* pairs: \{by"):
        require_pairs(traces, "dpo.data")
    with pytest.raises(RequestError, match=r"sft\.data: step 'pairs' holds preference pairs"):
        refuse_pairs(pairs, "sft.data")
    with pytest.raises(RequestError, match=r"select\.samples: .* holds preference pairs"):
        bench.run(
            "again", Select(samples="pairs", per_prompt={"first": 1}), inputs={"pairs": pairs}
        )


def test_no_pairs_fail_with_the_reasons(bench: Workbench) -> None:
    with pytest.raises(StepFailed, match=r"none of the 2 .* no_right_sample 1, no_wrong_sample 1"):
        pair_up(bench, [TRACES[3], TRACES[5]])


def test_a_filter_that_only_pairs_names_must_have_judged(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    stage = Select(samples="traces", pairs={"by": "math"})
    with pytest.raises(RequestError, match=r"has not judged .* Add 'math' to the filters"):
        bench.run("pairs", stage, inputs={"traces": traces}, filters=FILTERS)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "equal scores": ({"pairs": {"by": "math", "chosen": 0.5, "rejected": 0.5}}, "equal scores"),
    "equal scores by keep": (
        {"keep": {"math": 0.2}, "pairs": {"by": "math", "rejected": 0.3}},
        "chosen sample may score 0.2 and a rejected one 0.3",
    ),
    "said twice": (
        {"keep": {"math": 1}, "pairs": {"by": "math", "chosen": 1}},
        "say it once",
    ),
    "two numbers of a problem": (
        {"pairs": {"by": "math"}, "per_prompt": {"first": 1}},
        "say pairs.per_prompt",
    ),
    "by nothing": ({"pairs": {}}, "Field required"),
    "no pairs": ({"pairs": {"by": "math", "per_prompt": 0}}, "greater than or equal to 1"),
}


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_requests(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Select(samples="traces", **fields)


def test_the_plan_finds_the_filter() -> None:
    stage = Select(samples="s", keep={"format": 1}, pairs={"by": "math"})
    marked = [(m.at, m.value) for m in walk(stage) if isinstance(m.mark, UsesFilter)]
    assert marked == [(("keep", "format"), "format"), (("pairs", "by"), "math")]


_score = st.sampled_from([None, 0.0, 0.4, 0.8, 1.0])


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("pq"), _score, st.booleans()), min_size=1, max_size=12),
    st.sampled_from(["first", "shortest", "random"]),
    st.integers(1, 4),
)
def test_counts_close_and_scores_decide(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, float | None, bool]],
    choose: str,
    per_prompt: int,
) -> None:
    bench = Workbench(tmp_path_factory.mktemp("pairs"))
    made = [trace(q, f"{n:02}", score, cut=cut) for n, (q, score, cut) in enumerate(rows)]
    usable = [(q, score) for q, score, cut in rows if score is not None and not cut]
    right = Counter(q for q, score in usable if score >= 0.8)
    wrong = Counter(q for q, score in usable if score <= 0.4)
    expected = {q: min(per_prompt, max(right[q], wrong[q])) for q in "pq" if right[q] and wrong[q]}
    fields = {"choose": choose, "per_prompt": per_prompt, "chosen": 0.8, "rejected": 0.4}
    if not expected:
        with pytest.raises(StepFailed):
            pair_up(bench, made, **fields)
        return
    pairs = pair_up(bench, made, **fields)
    found = told(pairs)
    assert len(found) == len(set(found)) == sum(expected.values())
    scores = {f"{n:02}": score for n, (_, score, _) in enumerate(rows)}
    assert all(scores[a] >= 0.8 and scores[b] <= 0.4 for a, b in found)  # type: ignore[operator]
    assert len(reasons(pairs, made)) + pairs.metrics["used"] == len(made)
