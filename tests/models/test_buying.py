"""The loop between what is wanted and what is paid for, with a teacher that follows a script."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from buying_runs import order, order_of, problem, run
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_teacher import Rule, ScriptedTeacher

from potstill.models.buying import Buying
from potstill.models.failures import Failures
from potstill.models.journal import open_journal
from potstill.models.request import Completion, Failure, Request
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import Sample


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_everything_wanted_is_bought(path: Path) -> None:
    found, teacher = run(order(["b", "a", "c"]), path)
    assert [row[:2] for row in found] == [(q, i) for q in "bac" for i in (0, 1)]
    assert all(text for _, _, text in found)
    assert len(teacher.asked) == 6


@given(first=st.lists(st.sampled_from("abcdef")), more=st.lists(st.sampled_from("abcdefgh")))
@settings(max_examples=25, deadline=None)
def test_nothing_is_bought_twice(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], more: list[str]
) -> None:
    """Reordered, repeated and added rows, and a larger n, pay only for what is new."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    _, before = run(order(first, samples=1), path)
    assert len(before.asked) == len(set(first))
    found, after = run(order(more, samples=2), path)
    assert len(found) == 2 * len(more)
    wanted = {(question, index) for question in more for index in (0, 1)}
    assert len(after.asked) == len(wanted - {(question, 0) for question in first})


def test_the_teacher_is_not_opened_for_what_is_known(path: Path) -> None:
    run(order("ab"), path)
    found, teacher = run(order("ba"), path)
    assert (teacher.opened, len(found)) == (0, 4)


def test_rows_with_equal_messages_share_a_completion_and_keep_their_own_key(path: Path) -> None:
    twins = [problem("3 + 4?", "7"), problem("3 + 4?", "seven")]
    wanted = order_of(twins, samples=1)
    _, teacher = run(wanted, path)
    assert len(teacher.asked) == 1
    with open_journal(path) as journal:
        attempts = [attempt for each in wanted.attempts() for attempt in each]
        done = journal.read([attempts[0].request.key])[attempts[0].request.key]
        made = [wanted.sample(attempt, done) for attempt in attempts]
    assert [sample.answer for sample in made] == ["7", "seven"]
    assert made[0].generation == made[1].generation


def test_an_interrupt_keeps_what_was_bought(path: Path) -> None:
    def stop_at_the_fourth(request: Request) -> str | None:
        nonlocal answered
        answered += 1
        if answered == 4:
            raise KeyboardInterrupt
        return None

    answered = 0
    teacher = ScriptedTeacher(stop_at_the_fourth, capacity=1)
    with pytest.raises(KeyboardInterrupt):
        run(order("abc"), path, teacher)
    found, second = run(order("abc"), path)
    assert len(teacher.asked) + len(second.asked) == 7  # the interrupted one was asked again
    assert all(text is not None for _, _, text in found)


def fail_for(*questions: str) -> Callable[[Request], str | None]:
    return lambda request: "bad_request" if request.messages[-1].content in questions else None


def test_failed_rows_are_asked_again_by_the_next_run(path: Path) -> None:
    found, _ = run(order("abc"), path, ScriptedTeacher(fail_for("b")), max_failed=0.5)
    assert [question for question, _, text in found if text is None] == ["b", "b"]
    found, teacher = run(order("abc"), path)
    assert {request.messages[-1].content for request in teacher.asked} == {"b"}
    assert all(text is not None for _, _, text in found)


def test_too_many_failures_stop_the_step_early(path: Path) -> None:
    teacher = ScriptedTeacher(lambda request: "timeout", capacity=1)
    with pytest.raises(StepFailed, match=r"3 requests failed for good \(timeout: 3\)") as caught:
        run(order("abcdefghij"), path, teacher, max_failed=0.1)
    assert "max_failed 0.1 of 20" in str(caught.value)
    assert "scripted for" in str(caught.value)
    assert len(teacher.asked) == 3


def test_a_teacher_that_answers_nothing_is_given_up_early(path: Path) -> None:
    teacher = ScriptedTeacher(lambda request: "not_found", capacity=1)
    with pytest.raises(StepFailed, match=r"20 requests .* and none was answered"):
        run(order(map(str, range(100))), path, teacher, max_failed=1.0)
    assert len(teacher.asked) == 20


def test_all_failed_is_a_failed_step_whatever_is_allowed(path: Path) -> None:
    with pytest.raises(StepFailed, match="that is all of them"):
        run(order("ab"), path, ScriptedTeacher(lambda request: "timeout"), max_failed=1.0)


def test_no_more_is_in_flight_or_unwritten_than_fits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What kill -9 can lose: requests at the teacher and answers that are not written yet."""
    most = 0
    put = Buying._keep

    def keep(self: Buying, done: Completion) -> None:
        nonlocal most
        put(self, done)
        most = max(most, len(self._flying) + len(self._fresh))

    monkeypatch.setattr(Buying, "_keep", keep)
    run(order(map(str, range(200))), path, ScriptedTeacher(capacity=5))
    assert most <= 5


def test_progress_counts_what_is_durable(path: Path) -> None:
    run(order("ab"), path)
    events: list[Event] = []
    failing = ScriptedTeacher(fail_for("d"))
    run(order("abcd"), path, failing, max_failed=0.5, progress=Progress(events.append))
    told = [event for event in events if event["event"] == "progress"]
    assert (told[0]["done"], told[0]["total"]) == (0, 8)
    last = told[-1]
    assert (last["done"], last["total"]) == (8, 8)
    assert last["facts"]["tokens"] == 20
    assert last["facts"]["failed"] == 2
    spent = [event for event in events if event["event"] == "spent"]
    assert (spent[-1]["tokens"], spent[-1]["requests"]) == (2 * 15, 2)


def good_from(index: dict[str, int]) -> Callable[[Sample], bool]:
    """Samples of a question are good from this index on."""

    def is_good(sample: Sample) -> bool:
        assert sample.generation is not None
        return sample.generation.index >= index[sample.question]

    return is_good


def test_sampling_stops_when_there_is_enough(path: Path) -> None:
    rule = Rule(good_from({"a": 0, "b": 2, "c": 9}))
    found, teacher = run(order("abc", quota=2, samples=4), path, acceptance=rule)
    bought = {(question, index) for question, index, text in found if text}
    assert bought == {("a", 0), ("a", 1), *((each, i) for each in "bc" for i in range(4))}
    assert len(teacher.asked) == 10
    # More accepted samples wanted: only what is new is asked.
    _, more = run(order("abc", quota=3, samples=6), path, acceptance=rule)
    asked = sorted((request.messages[0].content, request.index) for request in more.asked)
    assert asked == [("a", 2), ("b", 4), ("c", 4), ("c", 5)]


def test_a_failed_attempt_counts_and_the_next_is_asked(path: Path) -> None:
    rule = Rule(good_from({"a": 0}))
    failing = ScriptedTeacher(lambda request: "bad_request" if request.index == 0 else None)
    found, teacher = run(order("a", quota=1, samples=3), path, failing, acceptance=rule,
                         max_failed=0.5)  # fmt: skip
    assert [text is None for _, _, text in found] == [True, False, True]
    assert [request.index for request in teacher.asked] == [0, 1]


def test_an_escalation_that_asks_the_same_is_refused() -> None:
    wanted = order("a")
    with pytest.raises(RequestError, match="just as an earlier one did"):
        replace(wanted, tiers=(wanted.tiers[0], wanted.tiers[0]))


def test_what_an_endpoints_template_wrote_is_put_back() -> None:
    plain = order("a")
    wanted = replace(plain, tiers=(replace(plain.tiers[0], prefill="<think>\n"),))
    attempt = next(next(wanted.attempts()))
    done = Completion(attempt.request.key, "3\n</think>\n7", "stop", 1, 1, "t", "{}")
    sample = wanted.sample(attempt, done)
    assert sample.completion == "<think>\n3\n</think>\n7"
    assert sample.generation is not None
    assert sample.generation.prefilled_think
    assert plain.sample(attempt, done).completion == "3\n</think>\n7"


def test_a_failure_is_told_in_full(path: Path) -> None:
    failures = Failures(0.5)
    wanted = order("ab")
    run(wanted, path, ScriptedTeacher(fail_for("a")), failures=failures)
    first = next(next(wanted.attempts())).request
    assert len(failures) == 2
    assert failures[first.key] == Failure(first.key, "bad_request", f"scripted for {first.subject}")
