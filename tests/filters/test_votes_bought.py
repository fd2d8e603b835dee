"""Votes are paid for like completions: durable, once, within the budget, in each of their uses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faulty_server import RETRYABLE, serving
from model_bench import ModelBench, make_tiny_model
from scripted_teacher import ScriptedTeacher
from voting_server import (
    VotingServer,
    answered,
    judged,
    verdict,
    votes,
)
from workbench import Workbench, problem

from potstill.filters.votes import Votes
from potstill.models import endpoint_teacher
from potstill.models.journal import open_journal
from potstill.models.opening import Opening
from potstill.models.request import Completion, Request
from potstill.models.teacher import LocalTeacher
from potstill.pipeline.budget import Budget
from potstill.pipeline.errors import StoppedOnPurpose
from potstill.pipeline.stopping import StopSignal
from potstill.stages.generate import Generate
from potstill.stages.judge import JudgeSamples

GOOD, BAD, UNSURE = verdict("correct"), verdict("incorrect"), verdict("unsure")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_teacher, "BACKOFF_START_S", 0.001)


@pytest.fixture
def server() -> Iterator[VotingServer]:
    with serving(VotingServer()) as running:
        assert isinstance(running, VotingServer)
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_nothing_is_bought_twice(bench: Workbench, server: VotingServer) -> None:
    """Neither in another order, nor beside new rows, nor with more votes or other words."""
    rows = answered()
    first = judged(votes(server), bench.context("v"), rows)
    assert len(server.attempts) == 12
    assert judged(votes(server), bench.context("w"), rows[::-1]) == first[::-1]
    judged(votes(server), bench.context("v"), answered(5))
    assert len(server.attempts) == 15
    judged(votes(server, votes=4), bench.context("v"), answered(5))
    assert len(server.attempts) == 20
    words = {"good": ["incorrect"], "bad": ["correct"]}
    assert judged(votes(server, words=words), bench.context("v"), rows)[0].score == 0.0
    assert len(server.attempts) == 20
    assert set(server.paid.values()) == {1}


def test_equal_samples_share_their_votes(bench: Workbench, server: VotingServer) -> None:
    found = judged(votes(server), bench.context("v"), answered(1) * 5)
    assert len(server.attempts) == 3
    assert len({verdict.reason for verdict in found}) == 1


def test_the_teacher_is_opened_once_for_all_batches(bench: Workbench, server: VotingServer) -> None:
    with votes(server).open(bench.context("v").judging) as judge:
        assert server.looked == 0
        for row in answered(3):
            judge.judge([row])
    assert server.looked == 1


def test_faults_of_a_server_change_no_verdict(bench: Workbench, server: VotingServer) -> None:
    plain = judged(votes(server), bench.context("v"), answered())
    faulty = VotingServer(plan=lambda number: [RETRYABLE[number % len(RETRYABLE)]])
    with serving(faulty):
        assert judged(votes(faulty), Workbench(bench.root / "2").context("v"), answered()) == plain
    assert set(faulty.paid.values()) == {1}


def test_a_cap_stops_and_the_same_command_goes_on(bench: Workbench, server: VotingServer) -> None:
    judging = votes(server, concurrency=2)
    capped = bench.context("v", budget=Budget(requests=7))
    with judging.open(capped.judging) as judge:
        judge.judge(answered(1))
        with pytest.raises(StoppedOnPurpose, match="--max-requests 7:"):
            judge.judge(answered(4))
    assert len(server.attempts) == 7
    told = [event for event in bench.events if event["event"] == "spent"]
    assert told[-1]["requests"] == 7
    assert {event["event"] for event in bench.events} == {"spent"}
    found = judged(judging, bench.context("v"), answered(4))
    assert [verdict.score for verdict in found] == [1.0] * 4
    assert len(server.attempts) == 12
    assert set(server.paid.values()) == {1}


def test_a_wish_to_stop_brings_home_what_was_asked(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = StopSignal()

    def act(request: Request) -> str | None:
        if len(teacher.asked) >= 5 and not stop.requested:
            stop.request()
        return None

    teacher = ScriptedTeacher(act, capacity=2, answer=lambda r: said(r, GOOD))
    monkeypatch.setattr(Opening, "open", lambda self: teacher.open())
    with serving(VotingServer()) as server:
        assert isinstance(server, VotingServer)
        judging = votes(server)
    with pytest.raises(StoppedOnPurpose, match=r"stopped: [56] requests of this run"):
        judged(judging, bench.context("v", stop=stop), answered())
    assert teacher.drained
    assert len(teacher.asked) < 12
    teacher.act = lambda request: None
    found = judged(judging, bench.context("v"), answered())
    assert [verdict.score for verdict in found] == [1.0] * 4
    assert len(teacher.asked) == len({request.key for request in teacher.asked}) == 12


def said(request: Request, text: str) -> Completion:
    return Completion(request.key, text, "stop", 5, 10, "t", "{}")


def test_votes_are_verdicts_of_a_judge_step(bench: Workbench, server: VotingServer) -> None:
    source = bench.samples("traces", answered())
    server.script = lambda text, number: GOOD if "2 + 1" in text else BAD
    given = {"inputs": {"traces": source}, "filters": {"votes": votes(server)}}
    step = JudgeSamples(samples="traces", filters=("votes",))
    made = bench.run("verdicts", step, **given)
    assert made.verdict_table("votes")["score"].to_pylist() == [0.0, 0.0, 1.0, 0.0]
    again = bench.run("verdicts", step, **given)
    assert again.digest == made.digest
    assert len(server.attempts) == 12


class Both(VotingServer):
    """The same server generates and votes; it generates under another name."""

    def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        if body["model"] == "voter":
            return super().answer(body, name)
        told = super(VotingServer, self).answer(body, name)
        told["choices"][0]["message"]["content"] = f"<think>\n.\n</think>\n{name}"
        return told


def test_votes_decide_what_generation_accepts(bench: Workbench) -> None:
    """Two writers share the journal: the step's, and the voters' in the judge's thread."""

    def script(text: str, number: int) -> str:
        return GOOD if sum(text.encode()) % 2 else BAD

    with serving(Both(script=script, latency_s=0.0)) as server:
        assert isinstance(server, Both)
        judging = votes(server, teacher={"model": "voter"})
        problems = bench.samples("problems", (problem(f"{n} + 1?") for n in range(40)))
        step = Generate.model_validate(
            {
                "prompts": "problems",
                "teacher": {"base_url": server.url, "model": "r1"},
                "until": {"accepted": 2, "samples": 8},
                "accept": {"votes": 1},
            }
        )
        given = {"inputs": {"problems": problems}, "filters": {"votes": judging}}
        made = bench.run("traces", step, **given)
        bought = len(server.attempts)
        scores = made.verdict_table("votes")["score"].to_pylist()
        assert made.metrics["accepted"] == scores.count(1.0) >= 70
        assert scores.count(0.0) > 30
        rows = len(list(made.samples()))
        assert bought >= rows + 3 * rows
        assert set(server.paid.values()) == {1}
        again = bench.run("traces", step, **given)
        assert again.digest == made.digest
        assert len(server.attempts) == bought
    with open_journal(bench.root / "journal.sqlite") as journal:
        of_step, of_votes = (journal.sums_of(f"bench/traces{end}") for end in ("", "/votes"))
    assert of_step.completions + of_votes.completions == bought
    assert of_votes.completions == 3 * of_step.completions


@pytest.mark.slow
def test_a_model_on_this_machine_may_vote(tmp_path: Path) -> None:
    """A tiny one that writes gibberish: no vote, but bought and durable like any other."""
    bench = ModelBench(tmp_path)
    folder = make_tiny_model(tmp_path / "voter")
    judging = Votes.model_validate(
        {
            "teacher": {"model": str(folder), "engine": "transformers"},
            "votes": 2,
            "prompt": "{{ completion }}?",
            "sampling": {"max_tokens": 4},
        }
    )
    context = bench.context("v", paths={str(folder): folder})
    row = problem("3 + 4?", "7<|im_end|>")  # a control token would be refused
    (found,) = judged(judging, context, [row])
    assert (found.score, found.reason, found.evidence["failed"]) == (None, "not_enough_votes", 0)
    with open_journal(context.journal) as journal:
        assert journal.sums_of("bench/v/votes").completions == 2
    assert judged(judging, context, [row]) == [found]
    identity = judging.identity(context.digest)
    assert identity["config"]["teacher"]["model"] == context.digest(str(folder))


def test_beside_another_engine_vllm_is_a_server(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the judge's thread of a generating step; alone it runs inside the step."""
    opened: list[str] = []
    teacher = ScriptedTeacher(answer=lambda request: said(request, GOOD))

    def note_and_open(self: Opening) -> Any:
        assert isinstance(self.config, LocalTeacher)
        opened.append(self.config.engine)
        return teacher.open()

    monkeypatch.setattr(Opening, "open", note_and_open)
    monkeypatch.setattr(Opening, "check", lambda self: None)
    judging = Votes.model_validate({"teacher": {"model": "./voter"}, "votes": 1})
    context = replace(bench.context("v"), digests={"./voter": "digest"})
    judged(judging, context, answered(1))
    thread = threading.Thread(target=judged, args=(judging, context, answered(2)))
    thread.start()
    thread.join()
    assert opened == ["vllm", "vllm-serve"]
