"""`why`: the whole life of one sample or problem over all finished artifacts; facts only.

A sample's id is kept unchanged by select and mix, so its life is where that id occurs, in the
order of the graph: the step that wrote it, each verdict with the thresholds it met, where it was
left out and for what reason, how often each mixture holds it and who trained on it. The life of a
problem is that of all its samples, of its failed requests and of its evaluations. Finding what is
meant is `why_search.py`'s business, gathering `why_problem.py`'s, drawing `show_why.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..pipeline.artifact import Artifact
from .rows import readable
from .show_why import show_why
from .why_attempts import askings, leaks
from .why_conclusion import LEFT_OUT, Conclusion, of_sample
from .why_events import Event, events_of, origins
from .why_problem import Problem, gather
from .why_search import Found, find
from .why_steps import Step, in_order
from .why_yield import of_problem

__all__ = ["Life", "show_why", "why"]


@dataclass
class Life:
    """What happened to a sample or problem."""

    what: str
    """`sample`, `problem`, or `row` for one of the data that never became a sample."""
    id: str
    """Of a row: its file and line."""
    prompt_id: str
    conclusion: str
    """In one line, what it came to."""
    outcome: str
    """`used`, `left_out`, or `waiting` where no step has decided yet."""
    row: dict[str, Any]
    """The sample whole; for a problem one of its rows, whose prompt all share."""
    origins: list[Event] = field(default_factory=list)
    """Where the problem came in: steps with `row` (from 1), `rows`, `origin`, `shape`, `source`."""
    events: list[Event] = field(default_factory=list)
    """Of a sample, in the order of the graph. Each has `step` (recipe/step), `kind`, `path` and
    `what`: `holds` (with `copies`, `row` and what the step says of it), `verdict` (`filter`,
    `score`, `reason`, `evidence`, its `uses` with the thresholds, and `same_as` where another step
    published it before), `left_out` (`reason`, and `because` with the numbers), `stands_for` (a
    duplicate that was left out in its favour), `trained`. Of a problem: failed requests."""
    samples: list[dict[str, Any]] = field(default_factory=list)
    """Of a problem: each sample's `id`, `completed` (it has a completion), `generation`,
    `verdicts` by filter (score and reason), `conclusion` and `events`, as above."""
    not_told: int = 0
    """Samples of the problem beyond the first thousand."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Each generate and evaluate step that asked: `attempts`, `accepted`, `failed` by reason,
    `in_journal_only` (completions bought and not in its dataset)."""
    leaks: list[dict[str, Any]] = field(default_factory=list)
    """`evaluation` of a model on this problem that the `training` learned from."""
    equal: list[str] = field(default_factory=list)
    """Of a sample: others of its problem, from the same step, with the same completion."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        return dict(vars(self))


def why(artifacts: Sequence[Artifact], text: str) -> Life:
    """Find the one sample, problem or row that is meant and tell its life.

    Args:
        artifacts: the current artifacts of a work directory.
        text: at least six characters of a sample's id or of a prompt_id, an id that the data
            brought, or words of a prompt.

    Raises:
        RequestError: nothing is meant, or several things are.
        StepFailed: a file is damaged.
    """
    with readable(*(artifact.path.parent for artifact in artifacts)):
        return _life(in_order(artifacts), text)


def _life(steps: Sequence[Step], text: str) -> Life:
    found = find(steps, text)
    if found.what == "row":
        return _life_of_row(found)
    problem = gather(steps, found.prompt_id, found.id if found.what == "sample" else None)
    if found.what == "sample" and problem.samples[found.id].completed:
        return _life_of_sample(problem, found.id)
    return _life_of_problem(problem)


def _life_of_sample(problem: Problem, sample_id: str) -> Life:
    own = events_of(problem)[sample_id]
    end = of_sample(own)
    this = problem.samples[sample_id]
    alike = [one for one in problem.made if problem.samples[one].text == this.text]
    equal = [
        one for one in alike if one != sample_id and problem.samples[one].made_by is this.made_by
    ]
    return Life(
        "sample",
        sample_id,
        problem.prompt_id,
        end.text,
        end.outcome,
        problem.row,
        origins(problem),
        own,
        asked=askings(problem),
        leaks=leaks(problem),
        equal=equal,
    )


def _life_of_problem(problem: Problem) -> Life:
    told, asked = events_of(problem), askings(problem)
    end = of_problem(problem, told, asked)
    samples = [_sample_facts(problem, one, told[one]) for one in problem.samples]
    return Life(
        "problem",
        problem.prompt_id,
        problem.prompt_id,
        end.text,
        end.outcome,
        problem.row,
        origins(problem),
        _own_events(problem),
        samples,
        problem.not_told,
        asked,
        leaks(problem),
    )


def _life_of_row(found: Found) -> Life:
    reason = str(found.row["reason"])
    event = {**found.step.where(), "what": "quarantine", **found.row}
    end = Conclusion(f"never became a sample: {reason.replace('_', ' ')}", LEFT_OUT)
    return Life("row", found.id, "", end.text, end.outcome, found.row, events=[event])


def _own_events(problem: Problem) -> list[Event]:
    """Failed requests and the like: rows that name the problem and no sample."""
    return [
        {**step.where(), "what": folder, **row}
        for step, folders in problem.aside.items()
        for folder, rows in folders.items()
        for row in rows
        if not row.get("id")
    ]


def _sample_facts(problem: Problem, sample_id: str, events: Sequence[Event]) -> dict[str, Any]:
    sample = problem.samples[sample_id]
    return {
        "id": sample_id,
        "completed": sample.completed,
        "generation": sample.generation,
        "verdicts": _summary(events),
        "conclusion": of_sample(events).text,
        "events": list(events),
    }


def _summary(events: Sequence[Event]) -> Mapping[str, Mapping[str, Any]]:
    """The last verdict of each filter."""
    return {
        event["filter"]: {"score": event["score"], "reason": event["reason"]}
        for event in events
        if event["what"] == "verdict"
    }
