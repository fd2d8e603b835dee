"""A sample's life in one line: what it came to, or why it came to nothing.

    in mixture twice, 57 loss tokens each; trained by qwen
    not kept by reasoning: language 0.91 is below 0.95 (mixed_language)

The line is made of events alone. Steps are named as the recipe does, with the recipe before them
where several had to do with it. A problem's line is `why_yield.py`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .terminal import counted
from .why_events import CHANGED, Event

USED: Final = "used"
LEFT_OUT: Final = "left_out"
WAITING: Final = "waiting"


@dataclass(frozen=True)
class Conclusion:
    """One line, and which way it went."""

    text: str
    outcome: str
    """`USED`, `LEFT_OUT`, or `WAITING` where no step has decided yet."""


class Namer:
    """Names of steps, with the recipe where several are told of."""

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        self._several = len({event["step"].partition("/")[0] for event in events}) > 1

    def __call__(self, event: Mapping[str, Any]) -> str:
        step = str(event["step"])
        return step if self._several else step.partition("/")[2]


def of_sample(events: Sequence[Event]) -> Conclusion:
    """What one sample came to."""
    name = Namer(events)
    used = list(_uses(events, name))
    out = [not_taken(event, name) for event in events if event["what"] == "left_out"]
    if used or out:
        return Conclusion("; ".join([*used, *out]), USED if used else LEFT_OUT)
    holds = [event for event in events if event["what"] == "holds"]
    answered = [event for event in holds if event["kind"] == "evaluate"]
    if answered:
        right = answered[0].get("attempt", {}).get("accepted")
        said = {True: "right", False: "not right"}.get(right, "not judged")
        return Conclusion(f"an answer in the evaluation {name(answered[0])}: {said}", USED)
    if holds and holds[0]["kind"] == "policy_samples":
        return Conclusion(f"written while training, kept by {name(holds[0])}", USED)
    verb = "kept by" if len(holds) > 1 else "written by"
    last = name(holds[-1]) if holds else "no step"
    return Conclusion(f"{verb} {last}; no later step has taken it or left it out", WAITING)


def not_taken(event: Event, name: Namer) -> str:
    """`not kept by reasoning: …` of a sample that was left out."""
    verb = {"select": "not kept by", "mix": "not drawn by"}.get(event["kind"], "left out of")
    return f"{verb} {name(event)}: {event['because']}"


def _uses(events: Sequence[Event], name: Namer) -> Iterator[str]:
    """Where it ended, in the order of the graph."""
    for event in events:
        if event["what"] == "holds" and event["kind"] == "mix":
            yield _mixed(event, name)
        elif "side" in event.get("beside", {}):
            yield f"{' and '.join(dict.fromkeys(event['beside']['side']))} in {name(event)}"
        elif event["what"] in CHANGED:
            yield f"{event['what']} by {name(event)}, from there on {event['as']}"
    for what in ("trained", "exported"):
        steps = dict.fromkeys(name(event) for event in events if event["what"] == what)
        if steps:
            yield f"{what} by {', '.join(steps)}"


def _mixed(event: Event, name: Namer) -> str:
    times = {1: "", 2: " twice"}.get(event["copies"], f" {event['copies']} times")
    tokens = event.get("loss_tokens")
    counts = "" if tokens is None else f", {counted(tokens, 'loss token')}"
    each = " each" if counts and times else ""
    return f"in {name(event)}{times}{counts}{each}"
