"""Stopping at enough: what is bought, written and counted, and what is never paid twice."""

import json
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from faulty_server import FaultyServer, serving
from pydantic import ValidationError
from toys import InProcess
from workbench import Workbench, aside, problem

from potstill.models.quota import pass_rate, prefix_length
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.budget import Budget
from potstill.pipeline.errors import RequestError, StoppedOnPurpose
from potstill.pipeline.sample import Sample
from potstill.pipeline.verdict import Verdict
from potstill.stages.generate import Generate
from potstill.stages.judge import JudgeSamples

PROBLEMS = 12


class Lucky(InProcess):
    """Accepts about `share` of all completions, by their content; counts how many it judged."""

    kind: ClassVar[str] = "lucky"
    reasons: ClassVar[frozenset[str]] = frozenset({"lucky", "unlucky"})
    judged: ClassVar[list[str]] = []

    share: float = 0.4

    def judge_one(self, sample: Sample) -> Verdict:
        self.judged.append(sample.completion or "")
        good = zlib.crc32((sample.completion or "").encode()) % 1000 < 1000 * self.share
        return Verdict(float(good), "lucky" if good else "unlucky", {"length": 7})


@pytest.fixture(autouse=True)
def _nothing_judged() -> None:
    Lucky.judged.clear()


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with serving(FaultyServer()) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def stage(server: FaultyServer, **more: Any) -> Generate:
    given = {
        "prompts": "problems",
        "teacher": {"engine": "openai", "base_url": server.url, "model": "r1"},
        "until": {"accepted": 2, "samples": 6},
        "accept": {"lucky": 1},
        "sampling": {"max_tokens": 50},
        "concurrency": 8,
        **more,
    }
    return Generate.model_validate({name: each for name, each in given.items() if each is not None})


def given(bench: Workbench, number: int = PROBLEMS, share: float = 0.4) -> dict[str, Any]:
    made = (problem(f"{n} + 1?", answer=str(n + 1), language="en") for n in range(number))
    inputs = {"problems": bench.samples("problems", made)}
    return {"inputs": inputs, "filters": {"lucky": Lucky(share=share)}}


def by_problem(made: Artifact) -> dict[str, list[bool]]:
    """Whether each sample of each problem is accepted, in the order of its index."""
    scores = made.verdict_table("lucky").column("score").to_pylist()
    found: dict[str, list[bool]] = {}
    for sample, score in zip(made.samples(), scores, strict=True):
        assert sample.generation is not None
        accepted = found.setdefault(sample.question, [])
        assert sample.generation.index == len(accepted)
        accepted.append(score == 1)
    return found


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


def test_a_run_that_stopped_at_a_cap_goes_on_exactly(tmp_path: Path, server: FaultyServer) -> None:
    whole_bench, bench = Workbench(tmp_path / "whole"), Workbench(tmp_path / "capped")
    whole = whole_bench.run("traces", stage(server), **given(whole_bench))
    server.attempts.clear()
    settings = given(bench)
    capped = {"budget": Budget(requests=5), **settings}
    for _ in range((whole.rows or 0) // 5):
        with pytest.raises(StoppedOnPurpose, match="--max-requests 5"):
            bench.run("traces", stage(server), **capped)
    made = bench.run("traces", stage(server), **capped)
    assert made.digest == whole.digest
    assert made.metrics == whole.metrics
    assert len(server.attempts) == made.rows
    assert set(server.paid.values()) == {1}


def test_verdicts_are_not_judged_again_when_it_goes_on(
    bench: Workbench, server: FaultyServer
) -> None:
    settings = given(bench)
    step = stage(server, concurrency=1)
    with pytest.raises(StoppedOnPurpose):
        bench.run("traces", step, budget=Budget(requests=10), **settings)
    before = len(Lucky.judged)
    assert before >= 5  # the last ones may not have been judged at the stop
    made = bench.run("traces", stage(server), **settings)
    assert len(Lucky.judged) == made.rows


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"until": {"accepted": 3, "samples": 6}}, True),
        ({"until": {"accepted": 2, "samples": 9}}, True),
        ({"until": {"accepted": 1, "samples": 6}}, False),
        ({"concurrency": 1}, False),
    ],
)
def test_a_changed_quota_buys_only_what_is_new(
    bench: Workbench, server: FaultyServer, change: dict[str, Any], more: bool
) -> None:
    settings = given(bench)
    bench.run("traces", stage(server), **settings)
    before = len(server.attempts)
    assert stage(server, **change).rebuild_bill(bench.context("traces", **settings)) is None
    made = bench.run("again", stage(server, **change), **settings)
    assert set(server.paid.values()) == {1}
    assert (len(server.attempts) > before) is more
    for row in by_problem(made).values():
        quota = change.get("until", {"accepted": 2})["accepted"]
        assert sum(row) <= quota


def test_a_stricter_threshold_judges_again_and_buys_more(
    bench: Workbench, server: FaultyServer
) -> None:
    settings = given(bench, share=0.6)
    bench.run("traces", stage(server), **settings)
    before = len(server.attempts)
    settings["filters"] = {"lucky": Lucky(share=0.3)}
    made = bench.run("stricter", stage(server), **settings)
    assert len(server.attempts) > before
    assert set(server.paid.values()) == {1}
    assert made.metrics["accepted"] == sum(map(sum, by_problem(made).values()))


def test_escalation_asks_only_for_the_unsolved(bench: Workbench, server: FaultyServer) -> None:
    settings = given(bench, share=0.2)
    first = bench.run("first", stage(server), **settings)
    unsolved = {name for name, row in by_problem(first).items() if sum(row) < 2}
    assert unsolved
    before = len(server.attempts)
    escalate = [
        {"samples": 4, "sampling": {"temperature": 1.0, "max_tokens": 100}},
        {"samples": 4, "teacher": {"engine": "openai", "base_url": server.url, "model": "big"}},
    ]
    made = bench.run("escalated", stage(server, escalate=escalate), **settings)
    bodies = server.bodies[before:]
    assert {body["messages"][0]["content"] for body in bodies} == unsolved
    assert {(body["temperature"], body["max_tokens"], body["model"]) for body in bodies} == {
        (1.0, 100, "r1"),
        (0.6, 50, "big"),
    }
    for name, row in by_problem(made).items():
        assert len(row) <= 14
        assert sum(row) <= 2
        if name not in unsolved:
            assert len(row) <= 6
    teachers = {s.generation.teacher for s in made.samples() if s.generation}
    assert teachers == {"r1", "big"}
    assert made.metrics["pass_rate"] == pytest.approx(first.metrics["pass_rate"])  # of tier 0
    again = bench.run("again", stage(server, escalate=escalate), **settings)
    assert again.digest == made.digest
    assert set(server.paid.values()) == {1}


def test_more_samples_before_an_escalation_re_buy_nothing(
    bench: Workbench, server: FaultyServer
) -> None:
    settings = given(bench, share=0.2)
    escalate = [{"samples": 3, "sampling": {"temperature": 1.0}}]
    bench.run("traces", stage(server, escalate=escalate), **settings)
    more = stage(server, escalate=escalate, until={"accepted": 2, "samples": 8})
    assert more.rebuild_bill(bench.context("traces", **settings)) is None
    bench.run("more", more, **settings)
    assert set(server.paid.values()) == {1}


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


def test_what_changed_prompts_would_cost_is_told(bench: Workbench, server: FaultyServer) -> None:
    settings = given(bench)
    price = {"input": 0.0, "output": 1000.0}
    teacher = {"base_url": server.url, "model": "r1", "price": price}
    made = bench.run("traces", stage(server, teacher=teacher), **settings)
    changed = stage(server, teacher=teacher, prompt="solve")
    bill = changed.rebuild_bill(bench.context("traces", **settings))
    tokens = 7 * (made.rows or 0)
    assert f"{made.rows} of the {made.rows} completions" in str(bill)
    assert f"({tokens} tokens, ${tokens / 1000:,.2f})" in str(bill)
