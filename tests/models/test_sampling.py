"""The loop between what is wanted and what is paid for, with a teacher that follows a script."""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.models.journal import open_journal
from potstill.models.prompts import Asking
from potstill.models.request import Completion, Failure, Request, TeacherIdentity
from potstill.models.sampling import Order, Watch, answered, bill, buy
from potstill.pipeline.errors import StepFailed
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import Message, Sample, new_sample

TEACHER = TeacherIdentity("t", "v1", {"digest": "v1"})


class Script:
    """Answers from what is asked; `act` may fail a request or raise."""

    def __init__(self, act: Callable[[Request], str | None] = lambda request: None) -> None:
        self.act = act
        self.opened = 0
        self.asked: list[Request] = []

    @contextmanager
    def open(self) -> Iterator["Script"]:
        self.opened += 1
        yield self

    def sample(self, requests: Iterable[Request]) -> Iterator[Completion | Failure]:
        waiting = list(requests)
        random.Random(len(self.asked)).shuffle(waiting)
        for request in waiting:
            reason = self.act(request)
            self.asked.append(request)
            if reason is not None:
                yield Failure(request.key, reason, f"scripted for {request.prompt_id}")
            else:
                yield scripted(request)


def scripted(request: Request) -> Completion:
    text = f"<think>\n{request.index}\n</think>\n{request.messages[-1].content}"
    return Completion(request.key, text, "stop", 5, 10, "t", "{}")


def problem(question: str, answer: str = "1") -> Sample:
    return new_sample((Message("user", question),), answer=answer)


def order(questions: Iterable[str], samples: int = 2, **asking: Any) -> Order:
    problems = [problem(question) for question in questions]
    given_asking = Asking.model_validate({"samples": samples, **asking})
    return Order(lambda: problems, given_asking, TEACHER)


def run(
    wanted: Order,
    path: Path,
    script: Script | None = None,
    max_failed: float = 0.05,
    watch: Watch | None = None,
) -> tuple[list[tuple[str, int, str | None]], Script]:
    script = script or Script()
    with open_journal(path) as journal:
        buy(wanted, journal, "r/traces", script.open, watch or Watch(), max_failed)
        rows = [
            (attempt.problem.question, attempt.request.index, done and done.text)
            for attempt, done in answered(wanted, journal)
        ]
    return rows, script


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_rows_come_in_the_order_of_problems_and_indices(path: Path) -> None:
    rows, script = run(order(["b", "a", "c"]), path)
    assert [row[:2] for row in rows] == [(q, i) for q in "bac" for i in (0, 1)]
    assert len(script.asked) == 6


@given(first=st.lists(st.sampled_from("abcdef")), more=st.lists(st.sampled_from("abcdefgh")))
@settings(max_examples=25, deadline=None)
def test_nothing_is_bought_twice(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], more: list[str]
) -> None:
    """Reordered, repeated and added rows, and a larger n, pay only for what is new."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    _, before = run(order(first, samples=1), path)
    assert len(before.asked) == len(set(first))
    rows, after = run(order(more, samples=2), path)
    assert len(rows) == 2 * len(more)
    wanted = {(question, index) for question in more for index in (0, 1)}
    assert len(after.asked) == len(wanted - {(question, 0) for question in first})


def test_the_teacher_is_not_opened_for_what_is_known(path: Path) -> None:
    run(order("ab"), path)
    rows, script = run(order("ba"), path)
    assert (script.opened, len(rows)) == (0, 4)


def test_rows_with_equal_messages_share_a_completion_and_keep_their_own_key(path: Path) -> None:
    twins = [problem("3 + 4?", "7"), problem("3 + 4?", "seven")]
    wanted = Order(lambda: twins, Asking(), TEACHER)
    rows, script = run(wanted, path)
    assert len(script.asked) == 1
    assert len(rows) == 2
    with open_journal(path) as journal:
        made = [wanted.sample(a, done) for a, done in answered(wanted, journal) if done]
    assert [sample.answer for sample in made] == ["7", "seven"]
    assert made[0].generation == made[1].generation


def test_an_interrupt_keeps_what_was_bought(path: Path) -> None:
    def stop_at_the_fourth(request: Request) -> str | None:
        if len(script.asked) == 3:
            raise KeyboardInterrupt
        return None

    script = Script(stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run(order("abc"), path, script)
    rows, second = run(order("abc"), path)
    assert len(script.asked) + len(second.asked) == 6
    assert not {r.key for r in script.asked} & {r.key for r in second.asked}
    assert all(text is not None for _, _, text in rows)


def fail_for(*questions: str) -> Callable[[Request], str | None]:
    return lambda request: "bad_request" if request.messages[-1].content in questions else None


def test_failed_rows_are_asked_again_by_the_next_run(path: Path) -> None:
    rows, _ = run(order("abc"), path, Script(fail_for("b")), max_failed=0.5)
    assert [question for question, _, text in rows if text is None] == ["b", "b"]
    rows, script = run(order("abc"), path)
    assert {request.messages[-1].content for request in script.asked} == {"b"}
    assert all(text is not None for _, _, text in rows)


def test_too_many_failures_stop_the_step_early(path: Path) -> None:
    script = Script(lambda request: "timeout")
    with pytest.raises(StepFailed, match=r"3 requests failed for good \(timeout: 3\)") as caught:
        run(order("abcdefghij"), path, script, max_failed=0.1)
    assert "max_failed 0.1 of 20" in str(caught.value)
    assert "scripted for" in str(caught.value)
    assert len(script.asked) == 3


def test_all_failed_is_a_failed_step_whatever_is_allowed(path: Path) -> None:
    with pytest.raises(StepFailed, match="that is all of them"):
        run(order("ab"), path, Script(lambda request: "timeout"), max_failed=1.0)


def test_a_teacher_that_forgets_a_request_is_found_out(path: Path) -> None:
    class Forgetful(Script):
        def sample(self, requests: Iterable[Request]) -> Iterator[Completion | Failure]:
            yield from map(scripted, list(requests)[1:])

    with pytest.raises(StepFailed, match="left 1 requests without an outcome"):
        run(order("ab"), path, Forgetful())


def test_progress_counts_what_is_durable(path: Path) -> None:
    run(order("ab"), path)
    events: list[Event] = []
    watch = Watch(Progress(events.append), facts=lambda: {"accepted": 0.5})
    run(order("abcd"), path, Script(fail_for("d")), max_failed=0.5, watch=watch)
    assert {event["event"] for event in events} == {"progress"}
    assert (events[0]["done"], events[0]["total"]) == (4, 8)
    last = events[-1]
    assert (last["done"], last["total"]) == (8, 8)
    assert last["facts"]["tokens"] == 20
    assert last["facts"]["failed"] == 2
    assert last["facts"]["accepted"] == 0.5


def test_whoever_watches_sees_each_attempt_that_a_purchase_answers(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    watch = Watch(on_completion=lambda a, done: seen.append((a.position, a.request.index)))
    run(order("aba"), path, watch=watch)
    assert sorted(seen) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]


@pytest.mark.parametrize(
    ("later", "again"),
    [
        ({}, None),
        ({"samples": 1}, None),
        ({"samples": 5}, None),
        ({"questions": "cba"}, None),
        ({"questions": "abcdef"}, None),
        ({"questions": "xyz"}, None),
        ({"sampling": {"temperature": 0.1}}, "6 of the 6 completions bought for it (60 tokens)"),
        ({"system": "Be brief."}, "6 of the 6"),
        ({"questions": "ab", "prompt": "solve"}, "4 of the 6 completions bought for it (40 t"),
        ({"samples": 1, "prompt": "solve"}, "3 of the 6"),
    ],
)
def test_the_bill_names_what_would_be_bought_again(
    path: Path, later: dict[str, Any], again: str | None
) -> None:
    run(order("abc"), path)
    wanted = order(**{"questions": "abc", **later})
    with open_journal(path) as journal:
        told = bill(wanted, journal, "r/traces")
        assert bill(wanted, journal, "another/step") is None
    assert told is None if again is None else again in str(told)


def test_going_back_to_what_was_bought_costs_nothing(path: Path) -> None:
    run(order("abc"), path)
    run(order("abc", prompt="solve"), path)
    with open_journal(path) as journal:
        assert bill(order("abc"), journal, "r/traces") is None
        assert bill(order("abc", prompt="solve"), journal, "r/traces") is None


def test_what_an_endpoints_template_wrote_is_put_back() -> None:
    wanted = order("a")
    attempt = next(wanted.attempts())
    done = Completion(attempt.request.key, "3\n</think>\n7", "stop", 1, 1, "t", "{}")
    sample = wanted.sample(attempt, done, prefill="<think>\n")
    assert sample.completion == "<think>\n3\n</think>\n7"
    assert sample.generation is not None
    assert sample.generation.prefilled_think
    assert wanted.sample(attempt, done).completion == "3\n</think>\n7"
