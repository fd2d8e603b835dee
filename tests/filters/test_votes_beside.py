"""Votes bought beside a running generation: one budget, one wish to stop, nothing paid twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from faulty_server import serving
from voting_server import VotingServer, verdict
from workbench import Workbench, problem

from potstill.filters.votes import Votes
from potstill.models.meter import Meter
from potstill.pipeline.budget import Budget, Spending, Spent
from potstill.pipeline.errors import StoppedOnPurpose
from potstill.pipeline.stopping import StopSignal
from potstill.stages.generate import Generate


@dataclass
class Both(VotingServer):
    """The same server generates and votes; it generates under another name."""

    asked: Callable[[int], None] = field(default=lambda number: None)

    def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        self.asked(len(self.bodies))
        if body["model"] == "voter":
            return super().answer(body, name)
        told = super(VotingServer, self).answer(body, name)
        told["choices"][0]["message"]["content"] = f"<think>\n.\n</think>\n{name}"
        return told


@pytest.fixture
def server() -> Iterator[Both]:
    def script(text: str, number: int) -> str:
        return verdict("correct" if sum(text.encode()) % 3 == 0 else "incorrect")

    with serving(Both(script=script, latency_s=0.001)) as running:
        assert isinstance(running, Both)
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def generate(bench: Workbench, server: Both, **more: Any) -> Any:
    problems = bench.samples("problems", (problem(f"{n} + 1?") for n in range(30)))
    step = Generate.model_validate(
        {
            "prompts": "problems",
            "teacher": {"base_url": server.url, "model": "r1"},
            "until": {"accepted": 2, "samples": 8},
            "accept": {"votes": 1},
            "concurrency": 4,
        }
    )
    voter = {"base_url": server.url, "model": "voter"}
    votes = Votes.model_validate({"teacher": voter, "votes": 3, "concurrency": 4})
    return bench.run(
        "traces", step, inputs={"problems": problems}, filters={"votes": votes}, **more
    )


def test_generation_and_its_voters_share_one_budget(bench: Workbench, server: Both) -> None:
    with pytest.raises(StoppedOnPurpose, match="--max-requests 60"):
        generate(bench, server, budget=Budget(requests=60))
    assert 60 <= len(server.attempts) <= 60 + 8
    told = [event["requests"] for event in bench.events if event["event"] == "spent"]
    assert max(told) == len(server.attempts)
    generate(bench, server)
    assert set(server.paid.values()) == {1}


def test_a_wish_to_stop_ends_both_in_order(bench: Workbench, server: Both) -> None:
    """The first wish interrupts nobody: what either of them asked comes home."""
    stop = StopSignal()

    def wish(number: int) -> None:
        if number >= 50 and not stop.requested:
            stop.request()

    server.asked = wish
    with pytest.raises(StoppedOnPurpose, match="stopped"):
        generate(bench, server, stop=stop)
    assert 50 <= len(server.attempts) < 50 + 16
    server.asked = lambda number: None
    generate(bench, server)
    assert set(server.paid.values()) == {1}


def test_only_the_main_thread_defers_a_wish() -> None:
    told: list[bool] = []
    stop = StopSignal(told.append)
    stop.requested = True

    def defer() -> None:
        with stop.deferred():
            told.append(stop.requested)

    thread = threading.Thread(target=defer)
    thread.start()
    thread.join()
    assert told == [True]  # it looked, and nobody was told of a deferral


def test_a_buyer_sees_what_the_others_spend() -> None:
    spending = Spending()
    assert spending.beside("generation") == Spent()
    spent = Spent(10, 1)
    spending.add("generation", lambda: spent)
    spending.add("votes", lambda: Spent(5, 2))
    assert (spending.beside("generation"), spending.beside("votes")) == (Spent(5, 2), Spent(10, 1))
    spent = Spent(20, 3)
    assert spending.beside("votes") == Spent(20, 3)
    assert spending.beside("") == Spent(25, 5)


def test_a_meter_counts_what_is_spent_beside() -> None:
    beside = Spent(requests=3)
    meter = Meter(Budget(requests=5), None, 1, 10, lambda: beside)
    assert (meter.cap(), meter.cap(1)) == (None, None)
    assert meter.cap(2) == "--max-requests 5"
    beside = Spent(requests=5)
    assert meter.cap() == "--max-requests 5"
