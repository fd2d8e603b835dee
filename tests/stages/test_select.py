"""The select step: thresholds, unknowns, how many of one problem, and counts that close."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scored import Says, said, select, trace
from workbench import Workbench, aside, problem

from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.references import UsesFilter, walk
from potstill.pipeline.shards import read_table, shard_files, write_table
from potstill.stages.judge import JudgeSamples
from potstill.stages.mix import Mix
from potstill.stages.select import Select

A, B = Says(field="a"), Says(field="b")


TRACES = [
    trace("q1", "long answer", {"a": 1.0, "b": 0.9}),
    trace("q1", "short", {"a": 1.0, "b": 1.0}),
    trace("q1", "no", {"a": 0.0, "b": 0.0}),
    trace("q2", "middling", {"a": 1.0, "b": 0.7}),
    trace("q2", "unknown", {"b": 1.0}),
    trace("q2", "tie 1", {"a": 1.0, "b": 1.0}),
    trace("q2", "tie 2", {"a": 1.0, "b": 1.0}),
]


def test_thresholds_are_at_least(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    chosen = select(bench, traces, keep={"a": 1, "b": 0.9})
    assert said(chosen) == ["long answer", "short", "tie 1", "tie 2"]
    told = ("in", "rows", "left_out", "prompts_in", "prompts")
    assert {name: chosen.metrics[name] for name in told} == {
        "in": 7,
        "rows": 4,
        "left_out": {"a_bad": 1, "a_unknown": 1, "b_good": 1},
        "prompts_in": 2,
        "prompts": 2,
    }
    ids = {sample.id: sample.completion for sample in traces.samples()}
    left_out = [(ids[row["id"]], row["reason"]) for row in aside(chosen, "left_out")]
    assert left_out == [("no", "a_bad"), ("middling", "b_good"), ("unknown", "a_unknown")]


def test_samples_go_on_unchanged(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    chosen = select(bench, traces, keep={"b": 0})
    assert chosen.table().equals(traces.table())
    assert aside(chosen, "left_out") == []


@pytest.mark.parametrize("unknown", ["keep", {"a": "keep"}])
def test_unknown_may_be_kept(bench: Workbench, unknown: Any) -> None:
    chosen = select(bench, bench.samples("traces", TRACES), keep={"a": 1, "b": 1}, unknown=unknown)
    assert "unknown" in said(chosen)


def test_unknown_is_left_out_by_another_filters_keep(bench: Workbench) -> None:
    chosen = select(
        bench, bench.samples("traces", TRACES), keep={"a": 1, "b": 1}, unknown={"b": "keep"}
    )
    assert chosen.metrics["left_out"]["a_unknown"] == 1


PER_PROMPT: dict[str, tuple[dict[str, int], list[str]]] = {
    "shortest": ({"shortest": 1}, ["short", "tie 1"]),
    "two shortest": ({"shortest": 2}, ["long answer", "short", "tie 1", "tie 2"]),
    "first": ({"first": 1}, ["long answer", "middling"]),
}


@pytest.mark.parametrize(("how", "expected"), PER_PROMPT.values(), ids=PER_PROMPT.keys())
def test_per_prompt(bench: Workbench, how: dict[str, int], expected: list[str]) -> None:
    traces = bench.samples("traces", TRACES)
    chosen = select(bench, traces, keep={"a": 1}, per_prompt=how)
    assert said(chosen) == expected
    counts = chosen.metrics["left_out"]
    assert counts == {"a_bad": 1, "a_unknown": 1, "per_prompt": 5 - len(expected)}


def test_the_shortest_is_measured_in_characters_not_bytes(bench: Workbench) -> None:
    traces = bench.samples("traces", [problem("q", "abcd"), problem("q", "中文字")])
    chosen = bench.run(
        "chosen",
        Select(samples="traces", per_prompt={"shortest": 1}),
        inputs={"traces": traces},
    )
    assert said(chosen) == ["中文字"]


def test_random_is_drawn_by_seed_and_not_by_order(bench: Workbench) -> None:
    made = [problem("q", f"answer {n}") for n in range(20)]
    drawn = {}
    for seed in range(3):
        for name, order in (("forward", made), ("backward", made[::-1])):
            chosen = bench.run(
                f"chosen_{name}_{seed}",
                Select(samples="traces", per_prompt={"random": 3, "seed": seed}),
                inputs={"traces": bench.samples(f"traces_{name}_{seed}", order)},
            )
            drawn[name, seed] = frozenset(said(chosen))
    assert all(drawn["forward", seed] == drawn["backward", seed] for seed in range(3))
    assert len(set(drawn.values())) == 3
    assert {len(completions) for completions in drawn.values()} == {3}


def test_the_order_of_keep_does_not_show(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    one = select(bench, traces, "one", keep={"a": 1, "b": 1})
    two = select(bench, traces, "two", keep={"b": 1, "a": 1})
    assert one.digest == two.digest


def test_verdicts_that_the_samples_bring_are_found(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    judged = bench.run(
        "judged",
        JudgeSamples(samples="traces", filters=("a",)),
        inputs={"traces": traces},
        filters={"a": A},
    )
    (traces.path / "verdicts").symlink_to(judged.path / "verdicts")
    chosen = bench.run(
        "chosen",
        Select(samples="traces", keep={"a": 1}),
        inputs={"traces": traces},
        filters={"a": A},
    )
    assert chosen.rows == 5


def test_verdicts_that_are_not_there_are_named(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    verdicts = bench.run(
        "verdicts",
        JudgeSamples(samples="traces", filters=("a",)),
        inputs={"traces": traces},
        filters={"a": A},
    )
    inputs = {"traces": traces, "verdicts": verdicts}
    stage = Select(samples="traces", verdicts="verdicts", keep={"b": 1})
    with pytest.raises(RequestError, match="step 'verdicts' has a\\. Add 'b' to the filters"):
        bench.run("chosen", stage, inputs=inputs, filters={"b": B})
    other = Says(field="other")
    stage = Select(samples="traces", verdicts="verdicts", keep={"a": 1})
    with pytest.raises(RequestError, match="'a' has other settings or judged other samples"):
        bench.run("chosen", stage, inputs=inputs, filters={"a": other})


def test_verdicts_in_another_order_are_refused(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES)
    verdicts = bench.run(
        "verdicts",
        JudgeSamples(samples="traces", filters=("a",)),
        inputs={"traces": traces},
        filters={"a": A},
    )
    (shard,) = shard_files(verdicts.path / "verdicts/a")
    table: pa.Table = read_table(shard)
    write_table(shard, table.take(list(reversed(range(table.num_rows)))))
    with pytest.raises(StepFailed, match="does not hold the verdicts of the 7 samples"):
        bench.run(
            "chosen",
            Select(samples="traces", verdicts="verdicts", keep={"a": 1}),
            inputs={"traces": traces, "verdicts": verdicts},
            filters={"a": A},
        )


def test_nothing_kept_fails_with_the_reasons(bench: Workbench) -> None:
    traces = bench.samples("traces", TRACES[2:5])
    with pytest.raises(StepFailed, match=r"none of the 3 .* a_bad 1, a_unknown 1, b_good 1"):
        select(bench, traces, keep={"a": 1, "b": 1})


def test_copies_of_a_mixture_are_kept_apart(bench: Workbench) -> None:
    part = bench.samples("part", [problem("q", "x")])
    mixture = bench.run(
        "mixture",
        Mix(parts={"part": 1, "other": 3}, size=4, repeat=3),
        inputs={"part": part, "other": bench.samples("other", [problem("r", "y")])},
    )
    chosen = bench.run(
        "chosen", Select(samples="mixture", per_prompt={"first": 2}), inputs={"mixture": mixture}
    )
    assert "copy" in chosen.table().column_names
    assert chosen.metrics["left_out"] == {"per_prompt": 1}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "says nothing": ({}, "must say what to keep"),
    "threshold above 1": ({"keep": {"a": 1.5}}, "less than or equal to 1"),
    "unknown of another filter": (
        {"keep": {"a": 1}, "unknown": {"b": "keep"}},
        "unknown names b, which keep does not",
    ),
    "two ways": (
        {"per_prompt": {"first": 1, "shortest": 1}},
        "must say one of shortest, longest, first, random, diverse",
    ),
    "seed of nothing random": ({"per_prompt": {"first": 1, "seed": 1}}, "seed belongs to"),
    "none of a problem": ({"per_prompt": {"first": 0}}, "greater than or equal to 1"),
}


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_requests(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Select(samples="traces", **fields)


def test_the_plan_finds_the_filters() -> None:
    stage = Select(samples="s", verdicts=("v", "w"), keep={"a": 1}, unknown={"a": "keep"})
    marked = [(m.at, m.value) for m in walk(stage) if isinstance(m.mark, UsesFilter)]
    assert marked == [(("keep", "a"), "a"), (("unknown", "a"), "a")]


_score = st.sampled_from([None, 0.0, 0.4, 0.8, 1.0])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("pqr"), _score, _score), min_size=1, max_size=12),
    st.sampled_from([None, {"shortest": 1}, {"first": 2}, {"random": 1, "seed": 3}]),
    st.sampled_from(["leave_out", "keep"]),
)
def test_counts_close_and_scores_decide(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, float | None, float | None]],
    per_prompt: dict[str, int] | None,
    unknown: str,
) -> None:
    bench = Workbench(tmp_path_factory.mktemp("select"))
    made = []
    for number, (question, a, b) in enumerate(rows):
        scores = {name: score for name, score in (("a", a), ("b", b)) if score is not None}
        made.append(trace(question, str(number), scores))
    traces = bench.samples("traces", made)

    def passes(score: float | None) -> bool:
        return unknown == "keep" if score is None else score >= 0.8

    good = Counter(row[0] for row in rows if passes(row[1]) and passes(row[2]))
    fields: dict[str, Any] = {"keep": {"a": 0.8, "b": 0.8}, "unknown": unknown}
    if not good:
        with pytest.raises(StepFailed):
            select(bench, traces, per_prompt=per_prompt, **fields)
        return
    chosen = select(bench, traces, per_prompt=per_prompt, **fields)
    most = max((v for k, v in (per_prompt or {}).items() if k != "seed"), default=len(rows))
    assert chosen.rows == sum(min(count, most) for count in good.values())
    assert sum(chosen.metrics["left_out"].values()) + chosen.rows == len(rows)
    kept = {sample.id for sample in chosen.samples()}
    assert kept.isdisjoint(row["id"] for row in aside(chosen, "left_out"))
