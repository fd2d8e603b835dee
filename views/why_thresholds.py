"""What a verdict was used for, and whether it met what that use asked.

A threshold belongs to the use, never to the filter: `accept` of generate, `correct` of evaluate,
`keep`, `pairs` and `pass_rate` of select, the rewards of grpo. Uses are read from the manifests of
the steps that read the verdicts; nothing is judged again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .why_steps import Step

SOLVED: Final = 1.0
"""Score from which `evaluate` counts a sample as solved, and `pass_rate` unless it says another."""


@dataclass(frozen=True)
class Use:
    """One use of one filter's scores."""

    step: Step
    rule: str
    """accept, correct, keep, chosen, rejected, pass_rate or reward."""
    least: float | None = None
    most: float | None = None
    unknown: str | None = None
    """What is done with an unknown score where that can be said: leave_out or keep."""

    def met(self, score: float | None) -> bool | None:
        """Whether a score is within the bounds; None where it is unknown or there are none."""
        if score is None or (self.least is None and self.most is None):
            return None
        return (self.least is None or score >= self.least) and (
            self.most is None or score <= self.most
        )

    def facts(self, score: float | None) -> dict[str, Any]:
        """JSON values; `met` is None where it cannot be said."""
        return {
            "step": self.step.label,
            "rule": self.rule,
            "least": self.least,
            "most": self.most,
            "met": self.met(score),
            "unknown": self.unknown,
        }


def uses_of(published_by: Step, name: str, steps: Sequence[Step]) -> list[Use]:
    """The uses that other steps, or the step itself, make of a filter's verdicts.

    Args:
        name: of the filter, as the recipe calls it.
    """
    return [
        use
        for step in steps
        if published_by in judges_of(step, steps)
        for use in _uses(step).get(name, ())
    ]


def judges_of(step: Step, steps: Sequence[Step]) -> list[Step]:
    """The steps whose verdicts a step goes by, those that count first."""
    if step.kind in ("generate", "evaluate"):
        return [step]
    if step.kind == "grpo":
        return [other for other in steps if other.artifact.path.parent == step.artifact.path]
    if step.kind != "select":
        return []
    names = step.config.get("verdicts", ())
    names = [step.config.get("samples"), *([names] if isinstance(names, str) else names)]
    found = [step.input(name, steps) for name in names]
    return [other for other in found if other is not None]


def accepted(step: Step, verdicts: Mapping[str, Mapping[str, Mapping[str, Any]]],
             sample_id: str) -> bool | None:  # fmt: skip
    """Whether a sample meets `accept` or `correct`; an unknown score meets nothing.

    Args:
        verdicts: of the step's own filters, by filter and sample.

    Returns:
        None where the step has no such threshold.
    """
    uses = [(name, use) for name, found in _uses(step).items() for use in found]
    if not uses:
        return None
    scores = [(verdicts.get(name, {}).get(sample_id, {}).get("score"), use) for name, use in uses]
    return all(use.met(score) is True for score, use in scores)


def _uses(step: Step) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for name, use in _READERS.get(step.kind, lambda _: iter(()))(step):
        found.setdefault(name, []).append(use)
    return found


def _of_generate(step: Step) -> Iterator[tuple[str, Use]]:
    for name, least in step.config.get("accept", {}).items():
        yield name, Use(step, "accept", least)


def _of_evaluate(step: Step) -> Iterator[tuple[str, Use]]:
    if "correct" in step.config:
        yield step.config["correct"], Use(step, "correct", SOLVED)


def _of_select(step: Step) -> Iterator[tuple[str, Use]]:
    keep, unknown = step.config.get("keep", {}), step.config.get("unknown", "leave_out")
    for name, least in keep.items():
        told = unknown.get(name, "leave_out") if isinstance(unknown, Mapping) else unknown
        yield name, Use(step, "keep", least, unknown=told)
    if pairs := step.config.get("pairs"):
        by = pairs["by"]
        if by not in keep:
            least = SOLVED if pairs["chosen"] is None else pairs["chosen"]
            yield by, Use(step, "chosen", least)
        yield by, Use(step, "rejected", most=pairs["rejected"])
    if rate := step.config.get("pass_rate"):
        yield rate["by"], Use(step, "pass_rate", rate["correct"])


def _of_grpo(step: Step) -> Iterator[tuple[str, Use]]:
    for name in step.config.get("rewards", {}):
        yield name, Use(step, "reward")


_READERS: Final = {
    "generate": _of_generate,
    "evaluate": _of_evaluate,
    "select": _of_select,
    "grpo": _of_grpo,
}
