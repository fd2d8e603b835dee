"""Asking a teacher as the generation loop does, for tests of teachers: fill, poll, collect."""

from __future__ import annotations

from collections.abc import Iterable

from potstill.models.request import Completion, Keys, Outcome, Request, Teacher, TeacherIdentity
from potstill.models.sampling import Sampling
from potstill.pipeline.sample import Message


def requests(
    number: int,
    sampling: Sampling,
    text: str = "3 + {}?",
    samples: int = 1,
    first: int = 0,
    identity: str = "tiny",
) -> list[Request]:
    """Requests about `number` problems; `{}` in the text is the problem's number."""
    keys = Keys(TeacherIdentity(identity, "", {"test": identity}), sampling, {}, {})
    return [
        request
        for place in range(first, first + number)
        for request in keys.requests(
            f"p{place}", "math", (Message("user", text.format(place)),), samples
        )
    ]


def ask(teacher: Teacher, asked: Iterable[Request], polls: int = 1000) -> list[Outcome]:
    """All outcomes; every request must have exactly one."""
    waiting, outcomes = list(asked), list[Outcome]()
    expected = sorted(request.key for request in waiting)
    for _ in range(polls):
        while waiting and teacher.room > 0:
            teacher.submit(waiting.pop(0))
        outcomes += teacher.poll(1.0)
        if not waiting and len(outcomes) >= len(expected):
            break
    assert sorted(outcome.key for outcome in outcomes) == expected
    return outcomes


def completions(outcomes: Iterable[Outcome]) -> dict[str, Completion]:
    """By key; a test that expects only completions fails at the first other outcome."""
    found = {}
    for outcome in outcomes:
        assert isinstance(outcome, Completion), outcome
        found[outcome.key] = outcome
    return found
