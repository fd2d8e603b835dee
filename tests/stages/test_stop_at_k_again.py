"""A run that goes on or was changed: nothing is paid for or judged twice."""

from pathlib import Path
from typing import Any

import pytest
from faulty_server import FaultyServer
from lucky import Lucky, by_problem, given, stage
from workbench import Workbench

from potstill.pipeline.budget import Budget
from potstill.pipeline.errors import StoppedOnPurpose


@pytest.fixture(autouse=True)
def _nothing_judged() -> None:
    Lucky.judged.clear()


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
