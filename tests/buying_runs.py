"""Runs of the sampling loop over a journal, with a teacher that follows a script."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripted_teacher import Rule, ScriptedTeacher

from potstill.models.buying import Buying
from potstill.models.failures import Failures
from potstill.models.journal import open_journal
from potstill.models.meter import Meter
from potstill.models.order import Order, Tier
from potstill.models.prompts import Asking
from potstill.models.questions import Questions
from potstill.models.request import Keys, TeacherIdentity
from potstill.pipeline.budget import Budget
from potstill.pipeline.sample import Message, Sample, new_sample

TEACHER = TeacherIdentity("t", "v1", {"digest": "v1"})


def problem(question: str, answer: str = "1") -> Sample:
    return new_sample((Message("user", question),), answer=answer)


def order_of(problems: list[Sample], quota: int | None = None, **asking: Any) -> Order:
    told = Asking.model_validate({"samples": 2, **asking})
    keys = Keys(TEACHER, told.sampling, told.by_task, told.chat_template_kwargs)
    tier = Tier(TEACHER, keys, told.samples)
    return Order(
        lambda: ((each, {}) for each in problems), len(problems), Questions(told), (tier,), quota
    )


def order(questions: Iterable[str], quota: int | None = None, **asking: Any) -> Order:
    return order_of([problem(question) for question in questions], quota, **asking)


Row = tuple[str, int, str | None]


def run(
    wanted: Order,
    path: Path,
    teacher: ScriptedTeacher | None = None,
    **more: Any,
) -> tuple[list[Row], ScriptedTeacher]:
    """Every row that the journal holds afterwards: question, index and text."""
    teacher = teacher or ScriptedTeacher()
    budget = more.pop("budget", Budget())
    price = more.pop("price", None)
    meter = Meter(budget, price, wanted.num_rows, most_tokens=100)
    settings = {
        "acceptance": Rule(),
        "failures": Failures(more.pop("max_failed", 0.05)),
        **more,
    }
    with open_journal(path) as journal:
        Buying(wanted, 0, journal, "r/traces", meter=meter, **settings).run(teacher.open)
    return rows(wanted, path), teacher


def rows(wanted: Order, path: Path) -> list[Row]:
    with open_journal(path) as journal:
        found = []
        for attempts in wanted.attempts():
            for attempt in attempts:
                done = journal.read([attempt.request.key]).get(attempt.request.key)
                found.append((attempt.problem.question, attempt.index, done and done.text))
    return found
