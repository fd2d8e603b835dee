"""The rules of select together: what each leaves out, in which order, and counts that close."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scored import FILTERS, SOME, in_shards, judge, reasons, recut, said, select, trace
from workbench import Workbench, aside, problem

from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.sample import Generation, Sample
from potstill.pipeline.shards import ROWS_PER_SHARD, shard_files
from potstill.stages.select import Select


def counted(prompt_tokens: int | None, completion_tokens: int | None) -> Generation:
    """How a completion was made, with a teacher's counts."""
    return Generation("t", "", "k", 0, None, "stop", prompt_tokens, completion_tokens)


RULES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing too long": ({"length": {"completion": {"most": 8}}}, ["e1 right", "m1 wrong", "h1",
                                                                   "h2 half", "d1"]),
    "a thought": ({"length": {"thought": {"least": 1}}}, ["m2 <think>long</think>",
                                                          "<think>thought</think>m3"]),
    "both ends belong to a range": (
        {"length": {"completion": {"least": 7, "most": 8}}},
        ["e1 right", "m1 wrong", "h2 half"],
    ),
    "words": ({"length": {"answer": {"most": 2}, "unit": "words"}},
              ["m2 <think>long</think>", "<think>thought</think>m3", "h1", "d1"]),
    "a band": (
        {"pass_rate": {"by": "a", "least": 0.1, "most": 0.9}},
        ["m1 wrong", "m2 <think>long</think>", "<think>thought</think>m3"],
    ),
    "the band's ends belong to it": (
        {"pass_rate": {"by": "a", "least": 1}},
        ["e1 right", "e2 right too"],
    ),
    "half is right": (
        {"pass_rate": {"by": "a", "least": 0.5, "most": 0.5, "correct": 0.5}},
        ["h1", "h2 half"],
    ),
    "unknown rates may stay": ({"pass_rate": {"by": "a", "most": 0.1, "unknown": "keep"}},
                               ["h1", "h2 half", "d1"]),
    "rates need samples": (
        {"pass_rate": {"by": "a", "most": 1, "samples": 3}},
        ["m1 wrong", "m2 <think>long</think>", "<think>thought</think>m3"],
    ),
    "the rate is of all samples, also those that keep leaves out": (
        {"keep": {"a": 1}, "pass_rate": {"by": "a", "most": 0.9}},
        ["m2 <think>long</think>", "<think>thought</think>m3"],
    ),
    "the longest": ({"per_prompt": {"longest": 1}}, ["e2 right too", "<think>thought</think>m3",
                                                     "h2 half", "d1"]),
    "the longest answer": (
        {"per_prompt": {"longest": 1, "of": "answer"}, "keep": {"a": 1}},
        ["e2 right too", "<think>thought</think>m3"],
    ),
    "most diverse": (
        {"keep": {"a": 1}, "unknown": "keep", "per_prompt": {"diverse": 1}},
        ["e1 right", "m2 <think>long</think>", "d1"],
    ),
    "shortest first": ({"keep": {"a": 0.5}, "order": "shortest"},
                       ["h2 half", "e1 right", "e2 right too", "m2 <think>long</think>",
                        "<think>thought</think>m3"]),
    "longest first": ({"keep": {"a": 0.5}, "order": "longest"},
                      ["<think>thought</think>m3", "m2 <think>long</think>", "e2 right too",
                       "e1 right", "h2 half"]),
    "easiest first": (
        {"pass_rate": {"by": "a"}, "order": "easiest", "per_prompt": {"first": 1}},
        ["e1 right", "m1 wrong", "h1", "d1"],
    ),
    "hardest first, unknown last": (
        {"pass_rate": {"by": "a"}, "order": {"by": "hardest"}, "per_prompt": {"first": 1}},
        ["h1", "m1 wrong", "e1 right", "d1"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), RULES.values(), ids=RULES.keys())
def test_rules(bench: Workbench, fields: dict[str, Any], expected: list[str]) -> None:
    chosen = select(bench, bench.samples("traces", SOME), **fields)
    assert said(chosen) == expected
    assert set(reasons(chosen, SOME)) == {sample.completion for sample in SOME} - set(expected)


def test_reasons_of_lengths_and_rates(bench: Workbench) -> None:
    traces = bench.samples("traces", SOME)
    fields = {"length": {"completion": {"least": 3, "most": 20}}}
    band = {"by": "a", "least": 0.1, "most": 0.9}
    chosen = select(bench, traces, **fields, pass_rate=band)
    assert reasons(chosen, SOME) == {
        "e1 right": "too_easy",
        "e2 right too": "too_easy",
        "m2 <think>long</think>": "completion_too_long",
        "<think>thought</think>m3": "completion_too_long",
        "h1": "completion_too_short",
        "h2 half": "too_hard",
        "d1": "completion_too_short",
    }
    assert chosen.metrics["pass_rate"]["problems"] == 4
    assert chosen.metrics["pass_rate"]["unknown"] == 1
    assert chosen.metrics["pass_rate"]["rates"] == {"0": 1, "0.6-0.7": 1, "1": 1}
    unknown = select(bench, traces, "unknown", pass_rate={"by": "a", "most": 0.9})
    assert reasons(unknown, SOME)["d1"] == "pass_rate_unknown"


def test_tokens_are_the_teachers_own_count(bench: Workbench) -> None:
    samples = [
        problem("q", "long text", generation=counted(9, 3)),
        problem("q", "t", generation=counted(9, 30)),
        problem("q", "uncounted", generation=counted(9, None)),
        problem("q", "nobody's"),
    ]
    traces = bench.samples("traces", samples)
    fields = {"length": {"completion": {"most": 3}, "unit": "tokens"}}
    chosen = select(bench, traces, **fields)
    assert reasons(chosen, samples) == {
        "t": "completion_too_long",
        "uncounted": "completion_length_unknown",
        "nobody's": "completion_length_unknown",
    }
    fields["length"]["unknown"] = "keep"
    assert said(select(bench, traces, "kept", **fields)) == ["long text", "uncounted", "nobody's"]
    shortest = {"shortest": 2, "unit": "tokens"}
    assert said(select(bench, traces, "two", per_prompt=shortest)) == ["long text", "t"]
    longest = {"longest": 3, "unit": "tokens"}
    assert said(select(bench, traces, "three", per_prompt=longest))[:2] == ["long text", "t"]


def test_what_each_threshold_met(bench: Workbench) -> None:
    traces = [trace("q", f"{n}", {"a": a, "b": b}) for n, (a, b) in enumerate(
        [(1.0, 0.0), (0.35, 0.95), (0.0, None), (None, 0.3)])]  # fmt: skip
    chosen = select(bench, bench.samples("traces", traces), keep={"a": 0.3, "b": 0})
    told = chosen.metrics["filters"]
    assert told["b"]["scores"] == {"0": 1, "0.3-0.4": 1, "0.9-1.0": 1}
    facts = {name: value for name, value in told["a"].items() if name != "scores"}
    assert facts == {"least": 0.3, "at_least": 2, "below": 1, "unknown": 1, "highest": 1.0}


def test_thresholds_that_nothing_meets_are_told(bench: Workbench) -> None:
    traces = bench.samples("traces", [trace("q", "x", {"a": 0.5}), trace("q", "y", {"a": 0.2})])
    match = r"none of the 2 .*no sample scores 0\.9 on 'a' \(the highest score is 0\.5\)"
    with pytest.raises(StepFailed, match=match):
        select(bench, traces, keep={"a": 0.9})
    with pytest.raises(StepFailed, match="'b' \\(all scores are unknown\\)"):
        select(bench, traces, "other", keep={"b": 0})


RATES = {"by": "a", "least": 0.1}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "band upside down": ({"pass_rate": {"by": "a", "least": 0.9, "most": 0.1}}, "least is 0.9 and"),
    "no band": ({"pass_rate": {"by": "a"}}, "neither least nor most, and nothing else uses it"),
    "unknown without a band": (
        {"pass_rate": {"by": "a", "unknown": "keep"}, "order": "easiest"},
        "belongs to a band",
    ),
    "no difficulty": ({"balance": {"by": "difficulty"}}, "balance by difficulty is a matter of"),
    "nothing is easy": ({"order": "easiest"}, "order: easiest is a matter of pass rates"),
    "no such difficulty": (
        {"pass_rate": RATES, "balance": {"by": "difficulty", "weights": {"simple": 1}}},
        "names simple; difficulty is one of easy, medium, hard",
    ),
    "no such column": ({"balance": {"by": "lang"}}, "expected one of task, language"),
    "no name in extra": ({"balance": {"by": "extra."}}, "or extra.NAME"),
    "a negative weight": ({"balance": {"by": "task", "weights": {"x": -1}}}, "greater than 0"),
    "no weight": ({"balance": {"by": "task", "weights": {}}}, "at least 1 item"),
    "lengths upside down": ({"length": {"answer": {"least": 2, "most": 1}}}, "nothing is that"),
    "no limit": ({"length": {"answer": {}}}, "must say least, most or both"),
    "no part": ({"length": {"unit": "words"}}, "must name a part"),
    "tokens of a thought": (
        {"length": {"thought": {"most": 9}, "unit": "tokens"}},
        "counts the tokens of prompt and completion, not of thought",
    ),
    "tokens of an answer": (
        {"per_prompt": {"shortest": 1, "of": "answer", "unit": "tokens"}},
        "not of its answer",
    ),
    "a unit of words": ({"per_prompt": {"diverse": 1, "unit": "tokens"}}, "unit belongs to"),
    "a part of the first": ({"per_prompt": {"first": 1, "of": "answer"}}, "of belongs to"),
    "two of one": (
        {"one_per": "problem_text", "per_prompt": {"first": 2}},
        "first: 2 could never keep 2",
    ),
    "no such group": ({"one_per": "exacts"}, "'exact' or 'problem_text'"),
    "no such order": ({"order": "backwards"}, "'data', 'shortest'"),
    "a seed of nothing random": ({"order": {"by": "longest", "seed": 1}}, "seed belongs to order"),
    "pairs in an order": ({"pairs": {"by": "a"}, "order": "shortest"}, "combined with order"),
    "pairs and others": (
        {"pairs": {"by": "a"}, "one_per": "exact", "balance": {"by": "task"}},
        "pairs cannot be combined with one_per, balance",
    ),
    "nothing at all": ({"order": "data"}, "must say what to keep"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_requests_get_one_clear_error(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        Select(samples="traces", **fields)
    assert caught.value.error_count() == 1


def test_an_order_alone_is_enough_and_only_reorders(bench: Workbench) -> None:
    traces = bench.samples("traces", SOME)
    chosen = select(bench, traces, order={"by": "random", "seed": 1})
    assert sorted(map(str, said(chosen))) == sorted(map(str, said(traces)))
    assert said(chosen) != said(traces)
    assert aside(chosen, "left_out") == []


def test_pairs_keep_to_lengths_and_rates(bench: Workbench) -> None:
    fields = {"length": {"completion": {"most": 20}}, "pairs": {"by": "a"}}
    traces = bench.samples("traces", [*SOME, trace("middle", "m4 right", {"a": 1.0})])
    pairs = select(bench, traces, **fields, pass_rate={"by": "a", "least": 0.1, "most": 0.9})
    assert said(pairs) == ["m4 right", "m1 wrong"]
    assert list(pairs.metrics["funnel"]) == ["0 in", "1 length", "2 pass_rate", "3 pairs"]
    assert pairs.metrics["used"] + sum(pairs.metrics["left_out"].values()) == len(SOME) + 1


def test_shards_that_are_written_are_whole(bench: Workbench) -> None:
    samples = [problem(f"q{n}", "x") for n in range(ROWS_PER_SHARD + 5)]
    traces = in_shards(bench, "traces", samples, 700)
    stage = Select(samples="traces", per_prompt={"first": 1})
    chosen = bench.run("chosen", stage, inputs={"traces": traces})
    assert len(shard_files(chosen.path)) == 2
    assert [sample.question for sample in chosen.samples()] == [f"q{n}" for n in range(10_005)]


_score = st.sampled_from([None, 0.0, 0.5, 1.0])
_sample = st.builds(
    lambda question, completion, a, b, group, language: trace(
        question, completion, {"a": a, "b": b, "group": group}, language=language
    ),
    st.sampled_from(["p", "P", "q", "r", "s"]),
    st.sampled_from(["x", "yy", "yy ", "<think>z</think>zz", "中文", "", None]),
    _score,
    _score,
    st.sampled_from([None, "g", "h"]),
    st.sampled_from(["en", "zh", None]),
)
_RULES: dict[str, st.SearchStrategy[Any]] = {
    "keep": st.sampled_from([{"a": 0.5}, {"a": 0, "b": 0.5}]),
    "unknown": st.just("keep"),
    "length": st.sampled_from([{"completion": {"least": 1}}, {"answer": {"most": 3}}]),
    "pass_rate": st.sampled_from([{"by": "a", "least": 0.3}, {"by": "b", "most": 0.7}]),
    "one_per": st.sampled_from(["exact", {"by": "near"}]),
    "per_prompt": st.sampled_from(
        [{"shortest": 1}, {"longest": 2, "of": "answer"}, {"random": 1}, {"diverse": 2}]
    ),
    "balance": st.sampled_from(
        [{"by": "language", "others": "leave_out"}, {"by": "length", "others": "keep", "most": 3}]
    ),
    "order": st.sampled_from(["longest", {"by": "random", "seed": 2}]),
}
_fields = st.fixed_dictionaries({}, optional=_RULES).filter(
    lambda fields: fields.keys() - {"unknown"}
)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_sample, min_size=1, max_size=14), _fields, st.integers(1, 5), st.integers(1, 5))
def test_counts_close_however_rows_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    samples: list[Sample],
    fields: dict[str, Any],
    rows: int,
    verdict_rows: int,
) -> None:
    bench = Workbench(tmp_path_factory.mktemp("rules"))
    traces = bench.samples("traces", samples)
    try:
        chosen = select(bench, traces, **fields)
    except (StepFailed, RequestError) as error:
        if "none of the" in str(error) or "nothing to balance" in str(error):
            return
        raise
    kept = Counter(sample.id for sample in chosen.samples())
    left = Counter(row["id"] for row in aside(chosen, "left_out"))
    assert kept + left == Counter(sample.id for sample in traces.samples())
    stood = [told["rows"] for told in chosen.metrics["funnel"].values()]
    assert stood == sorted(stood, reverse=True)
    assert stood[0] == len(samples)
    assert stood[-1] == chosen.rows == kept.total()
    assert sum(chosen.metrics["left_out"].values()) == left.total()

    cut = in_shards(bench, "cut", samples, rows)
    verdicts = judge(bench, cut, "cut_verdicts")
    recut(verdicts, verdict_rows)
    stage = Select(samples="traces", verdicts="verdicts", **fields)
    inputs = {"traces": cut, "verdicts": verdicts}
    other = bench.run("other", stage, inputs=inputs, filters=FILTERS)
    assert other.digest == chosen.digest
    assert json.dumps(other.metrics) == json.dumps(chosen.metrics)
