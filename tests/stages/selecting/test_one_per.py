"""One of each duplicate group: which one stays, and what the others are told."""

from __future__ import annotations

from typing import Any

import pytest
from scored import SOME, said, select, trace
from workbench import Workbench, aside, problem

from potstill.pipeline.errors import RequestError
from potstill.stages.mix import Mix

AGAIN = [
    trace("q", "long answer", {"group": "g"}),
    trace("q", "short", {"group": "g"}),
    trace("q", "short"),
    trace("q ", "short"),
    trace("r", "short", {"group": "g"}),
]


@pytest.mark.parametrize(
    ("one_per", "per_prompt", "kept", "of"),
    [
        ("exact", None, [0, 1, 3, 4], {2: 1}),
        ("exact", {"shortest": 3}, [0, 1, 3, 4], {2: 1}),
        ("problem_text", None, [0, 4], {1: 0, 2: 0, 3: 0}),
        ("problem_text", {"shortest": 1}, [1, 4], {0: 1, 2: 1, 3: 1}),
        ({"by": "near"}, None, [0, 2, 3], {1: 0, 4: 0}),
        ({"by": "near"}, {"shortest": 9}, [1, 2, 3], {0: 1, 4: 1}),
        ({"by": "near"}, {"longest": 9, "of": "answer"}, [0, 2, 3], {1: 0, 4: 0}),
    ],
)
def test_one_per_group(
    bench: Workbench, one_per: Any, per_prompt: Any, kept: list[int], of: dict[int, int]
) -> None:
    traces = bench.samples("traces", AGAIN)
    chosen = select(bench, traces, one_per=one_per, per_prompt=per_prompt)
    places = {sample.id: n for n, sample in enumerate(traces.samples())}
    assert [places[sample.id] for sample in chosen.samples()] == kept
    left = aside(chosen, "left_out")
    assert {places[row["id"]]: places[row["of"]] for row in left} == of
    assert {row["reason"] for row in left} == {"duplicate"}


def test_others_than_duplicates_name_nobody(bench: Workbench) -> None:
    chosen = select(bench, bench.samples("traces", AGAIN), one_per="exact", per_prompt={"first": 1})
    named = {row["reason"]: row["of"] is not None for row in aside(chosen, "left_out")}
    assert named == {"duplicate": True, "per_prompt": False}


def test_a_filter_that_names_no_duplicates_is_refused(bench: Workbench) -> None:
    traces = bench.samples("traces", SOME)
    with pytest.raises(RequestError, match="'a' judges each sample by itself"):
        select(bench, traces, one_per={"by": "a"})
    assert select(bench, traces, "none", one_per={"by": "near"}).rows == len(SOME)


def test_one_per_takes_a_mixture_apart(bench: Workbench) -> None:
    part = bench.samples("part", [problem("q", "x")])
    other = bench.samples("other", [problem("r", "y")])
    mix = Mix(parts={"part": 1, "other": 3}, size=4, repeat=3)
    mixture = bench.run("mixture", mix, inputs={"part": part, "other": other})
    chosen = select(bench, mixture, one_per="exact")
    assert sorted(map(str, said(chosen))) == ["x", "y"]
    assert chosen.metrics["left_out"] == {"duplicate": 2}
