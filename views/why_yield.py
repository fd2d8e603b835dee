"""What a problem yielded in one line, or why it yielded nothing.

    yielded 2 of 8 samples in mixture
    yielded nothing: 8 attempts, 5 wrong (math), 3 cut by the token limit
    never asked: it is in problems, which no finished step has read

What counts is the end of each recipe: its mixtures, else its selected datasets, else what was
trained on or exported as it was. Answers in evaluations are no yield.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .terminal import counted
from .why_conclusion import LEFT_OUT, USED, WAITING, Conclusion, Namer, not_taken
from .why_events import CHANGED, TRAINING, Event
from .why_problem import Problem
from .why_steps import Step

_NOT_YIELD: Final = ("evaluate", "policy_samples")
"""Kinds of step whose samples are not made to learn from."""
_ENDS: Final = (("mix",), ("select",), (*TRAINING, "export"))
"""Kinds of step in which a recipe ends; the first that it has count."""
_ARRIVED: Final = ("holds", "trained", "exported")
_SHORT: Final = {"ratio": "not drawn", "per_prompt": "beyond per_prompt"}
"""Reasons that need other words in a list."""

Told = Mapping[str, Sequence[Event]]
"""Events by sample."""
Asked = Sequence[Mapping[str, Any]]
"""Entries of `why_attempts.askings`."""


def of_problem(problem: Problem, events: Told, asked: Asked) -> Conclusion:
    """What a problem yielded; of one with too many samples, what the first of them came to."""
    end = _of_told(problem, events, asked)
    if not problem.not_told:
        return end
    more = counted(problem.not_told, "sample")
    return Conclusion(f"{end.text}; {more} more are not told", end.outcome)


def _of_told(problem: Problem, events: Told, asked: Asked) -> Conclusion:
    name = Namer(event for own in events.values() for event in own)
    ours = _samples_to_learn_from(problem, events)
    yields = dict(_yields(problem, ours, events))
    told = [
        f"{number} of {counted(len(ours), 'sample')} in {name(step.where())}"
        for step, number in yields.items()
        if number
    ]
    said = [f"yielded {'; '.join(told)}"] if told else []
    asking = _asked_while_training(ours, events, name)
    said += [f"asked while training {', '.join(asking)}"] if asking else []
    failed = sum(sum(one["failed"].values()) for one in asked if one["kind"] == "generate")
    if said:
        return Conclusion("; ".join(said), USED)
    if not ours and not failed:
        return _never_asked(problem, events, asked, name)
    if ours and not yields:
        text = f"{counted(len(ours), 'sample')}; no step has chosen among them yet"
        return Conclusion(text, WAITING)
    noun = "attempt" if any(one["kind"] == "generate" for one in asked) else "sample"
    attempts = counted(len(ours) + failed, noun)
    reasons = _reasons(problem, ours, events, asked)
    return Conclusion(", ".join([f"yielded nothing: {attempts}", *reasons]), LEFT_OUT)


def _samples_to_learn_from(problem: Problem, events: Told) -> list[str]:
    """Without answers in evaluations, and without those that go on under another id."""
    return [
        one
        for one in problem.made
        if problem.samples[one].made_by.kind not in _NOT_YIELD
        and not any(event["what"] in CHANGED for event in events[one])
    ]


def _asked_while_training(ours: Sequence[str], events: Told, name: Namer) -> list[str]:
    """Trainings that took the problem without a completion."""
    others = [event for one in events if one not in set(ours) for event in events[one]]
    return list(dict.fromkeys(name(event) for event in others if event["what"] == "trained"))


def _yields(problem: Problem, ours: Sequence[str], events: Told) -> Iterator[tuple[Step, int]]:
    """The ends of each recipe that had to do with these samples, and how many arrived there."""
    arrived = Counter(
        label
        for one in ours
        for label in {event["step"] for event in events[one] if event["what"] in _ARRIVED}
    )
    for run in dict.fromkeys(step.run for step in problem.steps):
        for kinds in _ENDS:
            own = [step for step in problem.steps if step.run == run and step.kind in kinds]
            concerned = [step for step in own if arrived[step.label] or problem.left_out(step)]
            yield from ((step, arrived[step.label]) for step in concerned)
            if concerned:
                break


def _never_asked(
    problem: Problem,
    events: Told,
    asked: Asked,
    name: Namer,
) -> Conclusion:
    out = [event for own in events.values() for event in own if event["what"] == "left_out"]
    if out:
        return Conclusion(f"never asked: {not_taken(out[0], name)}", LEFT_OUT)
    if asked:
        told = [
            f"{one['accepted']} of {len(one['attempts'])} right in {name(one)}" for one in asked
        ]
        return Conclusion(f"asked only to evaluate: {', '.join(told)}", USED)
    holding = ", ".join(name(step.where()) for step in problem.held)
    return Conclusion(f"never asked: it is in {holding}, which no finished step has read", WAITING)


def _reasons(
    problem: Problem,
    ours: Sequence[str],
    events: Told,
    asked: Asked,
) -> list[str]:
    """How often each reason: a sample counts for the first step that left it out."""
    counts: Counter[str] = Counter()
    for one in ours:
        made = problem.samples[one].generation
        out = [event for event in events[one] if event["what"] == "left_out"]
        if made is not None and made["finish_reason"] == "length":
            counts["cut by the token limit"] += 1
        elif out:
            counts[_short(out[0], events[one])] += 1
    for asking in (one for one in asked if one["kind"] == "generate"):
        for reason, number in asking["failed"].items():
            counts[f"failed ({reason})"] += number
    return [f"{number} {reason}" for reason, number in counts.most_common()]


def _short(left_out: Event, events: Sequence[Event]) -> str:
    """`wrong (math)` for a filter's reason, else the reason in words."""
    for event in events:
        if event["what"] == "verdict":
            reason = "unknown" if event["score"] is None else event["reason"]
            if left_out["reason"] == f"{event['filter']}_{reason}":
                return f"{reason.replace('_', ' ')} ({event['filter']})"
    reason = str(left_out["reason"])
    return _SHORT.get(reason, reason.replace("_", " "))
