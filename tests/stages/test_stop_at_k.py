"""Stopping at enough: what is bought, written and counted, and what is never paid twice."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from faulty_server import FaultyServer, serving
from lucky import PROBLEMS, Lucky, by_problem, given, stage
from pydantic import ValidationError
from workbench import Workbench, aside

from potstill.models.quota import pass_rate, prefix_length
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Sample
from potstill.pipeline.verdict import Verdict
from potstill.stages.judge import JudgeSamples


@pytest.fixture(autouse=True)
def _nothing_judged() -> None:
    Lucky.judged.clear()


def test_the_dataset_is_the_shortest_prefix_with_enough(
    bench: Workbench, server: FaultyServer
) -> None:
    settings = given(bench)
    everything = bench.run("fixed", stage(server, until=None, samples=6), **settings)
    outcomes = by_problem(everything)
    bought = len(server.attempts)
    made = bench.run("traces", stage(server), **settings)
    assert len(server.attempts) == bought  # the journal knew them all
    expected = {name: row[: prefix_length(row, 2)] for name, row in outcomes.items()}
    assert by_problem(made) == expected
    assert any(sum(row) < 2 for row in expected.values())
    assert any(len(row) == 2 for row in expected.values())
    surplus = sum(map(len, outcomes.values())) - sum(map(len, expected.values()))
    assert made.metrics["surplus"]["completions"] == surplus


def test_exactly_the_prefix_is_paid(bench: Workbench, server: FaultyServer) -> None:
    made = bench.run("traces", stage(server), **given(bench))
    assert len(server.attempts) == made.rows == made.metrics["attempts"]
    assert made.metrics["surplus"] == {"completions": 0, "tokens": 0}
    assert server.most_at_once > 1


def test_what_is_said_of_it(bench: Workbench, server: FaultyServer) -> None:
    made = bench.run("traces", stage(server), **given(bench))
    rows = by_problem(made)
    accepted = sum(map(sum, rows.values()))
    rates = [pass_rate(sum(row), len(row), 2) for row in rows.values()]
    metrics = made.metrics
    assert metrics["accepted"] == accepted
    assert metrics["samples_per_accepted"] == made.rows / accepted
    assert metrics["tokens_per_accepted"] == 7 * made.rows / accepted
    assert metrics["pass_rate"] == pytest.approx(sum(map(float, rates)) / PROBLEMS)  # type: ignore[arg-type]
    assert metrics["pass_rate"] < metrics["accepted_share"]  # stopping at a success flatters
    assert metrics["solved"] == sum(sum(row) == 2 for row in rows.values())
    assert metrics["solved"] + metrics["unsolved"] == PROBLEMS
    assert metrics["fixed_n"]["samples"] == 6 * PROBLEMS
    assert metrics["fixed_n"]["completion_tokens"] == 7 * 6 * PROBLEMS
    assert metrics["fixed_n"]["times_as_many_tokens"] == pytest.approx(6 * PROBLEMS / made.rows)


def test_concurrency_and_the_order_of_arrival_change_no_byte(
    tmp_path: Path, server: FaultyServer
) -> None:
    digests = set()
    for at_once in (1, 3, 64):
        bench = Workbench(tmp_path / str(at_once))
        made = bench.run("traces", stage(server, concurrency=at_once), **given(bench))
        digests.add((made.digest, str(made.metrics)))
    assert len(digests) == 1


def test_judge_takes_the_verdicts_over(bench: Workbench, server: FaultyServer) -> None:
    settings = given(bench)
    made = bench.run("traces", stage(server), **settings)
    judged = len(Lucky.judged)
    assert judged == made.rows
    step = JudgeSamples(samples="traces", filters=("lucky",))
    verdicts = bench.run("verdicts", step, inputs={"traces": made}, filters=settings["filters"])
    assert len(Lucky.judged) == judged
    assert verdicts.verdict_table("lucky") == made.verdict_table("lucky")


def test_counts_close_with_failures(bench: Workbench) -> None:
    plan = {3: ["400"], 7: ["422"]}
    with serving(FaultyServer(plan=lambda n: plan.get(n, []))) as server:
        step = stage(server, max_failed=0.5, concurrency=1)
        made = bench.run("traces", step, **given(bench))
    failed = aside(made, "failed")
    assert len(failed) == 2
    assert made.metrics["attempts"] == made.metrics["rows"] + 2
    assert made.metrics["failed"] == {"bad_request": 1, "unprocessable": 1}


def test_a_slow_judge_does_not_hold_the_teacher_up(bench: Workbench, server: FaultyServer) -> None:
    """The judge waits until every problem was asked twice, which needs nobody to wait for it."""

    class Patient(Lucky):
        def judge_one(self, sample: Sample) -> Verdict:
            until = time.monotonic() + 60
            while len(server.attempts) < 2 * PROBLEMS:
                assert time.monotonic() < until, "nothing more is asked while the judge works"
                time.sleep(0.01)
            return super().judge_one(sample)

    settings = given(bench)
    settings["filters"] = {"lucky": Patient()}
    made = bench.run("traces", stage(server), **settings)
    assert made.rows == len(server.attempts)


def test_a_cut_completion_is_kept_marked_and_not_bought_again(bench: Workbench) -> None:
    with serving(FaultyServer(plan=lambda n: ["length"])) as server:
        settings = given(bench, 3)
        step = stage(server, until=None, samples=1)
        made = bench.run("traces", step, **settings)
        assert made.metrics["finish_reasons"] == {"length": 3}
        again = bench.run("again", step, **settings)
        assert len(server.attempts) == 3
    assert again.digest == made.digest
    assert {s.generation.finish_reason for s in made.samples() if s.generation} == {"length"}


def test_two_thresholds_must_both_be_met(bench: Workbench, server: FaultyServer) -> None:
    settings = given(bench)
    settings["filters"]["other"] = Lucky(share=0.5)
    made = bench.run("traces", stage(server, accept={"lucky": 1, "other": 1}), **settings)
    both = [
        lucky == 1 and other == 1
        for lucky, other in zip(
            made.verdict_table("lucky").column("score").to_pylist(),
            made.verdict_table("other").column("score").to_pylist(),
            strict=True,
        )
    ]
    assert made.metrics["accepted"] == sum(both)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"samples": 4}, "samples or until"),
        ({"accept": {}}, "until needs accept"),
        ({"until": None, "escalate": [{"samples": 1}]}, "escalate needs until"),
        ({"sampling": {"temperature": 0.0}}, "temperature 0"),
        ({"until": {"accepted": 7, "samples": 6}}, "can never be met"),
        ({"escalate": [{"samples": 1, "sampling": {"temprature": 1}}]}, "temprature"),
    ],
)
def test_fields_that_do_not_fit_are_refused(
    server: FaultyServer, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        stage(server, **change)


def test_an_escalation_that_changes_nothing_is_refused(
    bench: Workbench, server: FaultyServer
) -> None:
    with pytest.raises(RequestError, match="just as an earlier one did"):
        bench.run("traces", stage(server, escalate=[{"samples": 2}]), **given(bench))
    assert server.attempts == []


def test_a_filter_that_breaks_stops_the_step_and_keeps_what_was_bought(
    bench: Workbench, server: FaultyServer
) -> None:
    class Broken(Lucky):
        def judge_one(self, sample: Sample) -> Verdict:
            raise ZeroDivisionError("a bug in the filter")

    settings = given(bench)
    working = settings["filters"]
    settings["filters"] = {"lucky": Broken()}
    with pytest.raises(ZeroDivisionError):
        bench.run("traces", stage(server), **settings)
    settings["filters"] = working
    bench.run("traces", stage(server), **settings)
    assert max(server.paid.values()) == 1


def test_refined_rows_keep_the_original(bench: Workbench, server: FaultyServer) -> None:
    settings = given(bench, 3)
    traces = bench.run("traces", stage(server, until=None, samples=2, accept={}), **settings)
    step = stage(
        server, prompts="traces", until=None, accept={}, prompt="rewrite", refine=True, samples=1
    )
    made = bench.run("rewritten", step, inputs={"traces": traces})
    assert made.rows == 6
    pairs = zip(traces.samples(), made.samples(), strict=True)
    for (before, after), body in zip(pairs, server.bodies[-6:], strict=False):
        assert after.prompt == before.prompt
        assert after.completion != before.completion
        original = {"id": before.id, "completion": before.completion}
        assert json.loads(after.extra) == {"original": original}
        assert len(body["messages"]) == 1
    assert len({sample.id for sample in made.samples()}) == 6
    grown = bench.run("more", stage(server, until=None, samples=3, accept={}), **settings)
    context = bench.context("rewritten", inputs={"traces": grown})
    assert step.rebuild_bill(context) is None  # further rows only add
    assert step.forecast(context).requests == 3  # type: ignore[union-attr]


def test_forecast_and_preview(bench: Workbench, server: FaultyServer) -> None:
    settings = given(bench)
    price = {"input": 1.0, "output": 10.0}
    teacher = {"base_url": server.url, "model": "r1", "price": price}
    step = stage(server, until=None, samples=4, accept={}, teacher=teacher, prompt="solve")
    context = bench.context("traces", **settings)
    before = step.forecast(context)
    assert before is not None
    assert (before.requests, before.have, before.tokens) == (48, 0, None)
    assert before.tokens_high == 48 * 50
    fewer = step.model_copy(update={"samples": 2})
    bench.run("traces", fewer, **settings)
    after = step.forecast(context)
    assert after is not None
    assert (after.requests, after.have, after.tokens) == (24, 24, 24 * 7)
    assert after.usd == pytest.approx((24 * 11 * 1.0 + 24 * 7 * 10.0) / 1e6)
    preview = step.preview(context)
    assert preview is not None
    assert "step by step" in preview.facts()["messages"][0]["content"]
    assert preview.facts()["messages"] == server.bodies[0]["messages"]
