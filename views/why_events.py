"""What each finished step did with each sample of a problem, in the order of the graph.

An event is one line of a life: a step holds the sample (written, kept, mixed), published a verdict
on it, left it out, or trained on it. Events are JSON values with the numbers in them; what follows
from them together is `why_conclusion.py`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .why_problem import Problem
from .why_rank import chosen_because
from .why_reasons import because, parts_of_mixture, pass_rate, tokens_of
from .why_steps import ROW, Step
from .why_thresholds import accepted, uses_of

TRAINING: Final = ("sft", "dpo", "grpo", "distill")
ASKING: Final = ("generate", "evaluate")
CHANGED: Final = ("labelled", "rewritten")
"""Events after which a sample goes on under another id, which the event names (`as`)."""

Event = dict[str, Any]


def events_of(problem: Problem) -> dict[str, list[Event]]:
    """By sample, its events."""
    told: dict[str, list[Event]] = {sample_id: [] for sample_id in problem.samples}
    published: dict[tuple[str, str], str] = {}
    for step in problem.steps:
        _add_holds(told, step, problem)
        _add_changes(told, step, problem)
        _add_verdicts(told, step, problem, published)
        _add_left_out(told, step, problem)
        _add_training(told, step, problem)
        _add_export(told, step, problem)
    return told


def origins(problem: Problem) -> list[Event]:
    """Where the problem came in: each load or reuse step that holds it, with the row."""
    found = []
    for step, rows in problem.held.items():
        if step.kind in ("load", "reuse"):
            metrics = step.artifact.metrics
            facts = {
                "row": rows[0][ROW],
                "rows": step.artifact.rows,
                "origin": metrics.get("origin"),
                "shape": metrics.get("shape"),
                "license": metrics.get("license"),
                "source": problem.row["source"] or None,
            }
            found.append({**step.where(), "what": "came_in", **facts})
    return found


def _add_holds(told: Mapping[str, list[Event]], step: Step, problem: Problem) -> None:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in problem.rows(step):
        rows.setdefault(row["id"], []).append(row)
    for sample_id, own in rows.items():
        facts = {name: value for name, value in _facts(step, sample_id, problem) if value}
        told[sample_id].append({**step.where(), "what": "holds", "copies": len(own),
                                **_columns(own), **facts})  # fmt: skip


def _add_changes(told: Mapping[str, list[Event]], step: Step, problem: Problem) -> None:
    """A key, or another completion, makes another sample of it: both say so."""
    for sample_id, before in problem.changed_by(step).items():
        what = "labelled" if step.kind == "label" else "rewritten"
        told[before].append({**step.where(), "what": what, "as": sample_id})
        told[sample_id][-1]["from"] = before


def _add_left_out(told: Mapping[str, list[Event]], step: Step, problem: Problem) -> None:
    for row in problem.aside[step]["left_out"]:
        if row.get("id") in told:
            said = {"what": "left_out", **row, "because": because(step, row, problem)}
            told[row["id"]].append({**step.where(), **said})
        if row.get("of") in told:
            said = {"what": "stands_for", "id": row["id"], "reason": row["reason"]}
            told[row["of"]].append({**step.where(), **said})


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The place of the first of the rows, and what steps wrote beside them."""
    beside = {
        name: [row[name] for row in rows] for name in rows[0] if name not in (ROW, "id", "copy")
    }
    return {"row": rows[0][ROW], **({"beside": beside} if beside else {})}


def _facts(step: Step, sample_id: str, problem: Problem) -> Iterator[tuple[str, Any]]:
    """What a step of its kind has to say of a sample that it holds."""
    if step.kind in ASKING:
        yield "attempt", attempt(step, sample_id, problem)
    elif step.kind == "select":
        yield "because", chosen_because(step, sample_id, problem)
        if step.config.get("pass_rate"):
            right, judged = pass_rate(step, problem)
            yield "pass_rate", {"right": right, "judged": judged}
    elif step.kind == "mix":
        yield "parts", parts_of_mixture(step, sample_id, problem)
        counted = problem.tokens(step).get(sample_id, {})
        yield "tokens", counted.get("tokens")
        yield "loss_tokens", counted.get("loss_tokens")


def attempt(step: Step, sample_id: str, problem: Problem) -> dict[str, Any] | None:
    """Which sample of its problem it is, how it ended, and whether it was accepted (None: no
    threshold was asked)."""
    made = problem.samples[sample_id].generation
    if made is None:
        return None
    return {
        "index": made["index"],
        "finish_reason": made["finish_reason"],
        "tokens": made["completion_tokens"],
        "accepted": accepted(step, problem.verdicts(step), sample_id),
    }


def _add_verdicts(
    told: Mapping[str, list[Event]],
    step: Step,
    problem: Problem,
    published: dict[tuple[str, str], str],
) -> None:
    """`published`: the step that first published a set, by what judged which samples."""
    for name, by_id in problem.verdicts(step).items():
        about = step.sets[name].about
        first = published.setdefault((about["fingerprint"], about["samples"]), step.label)
        same = {"same_as": first} if first != step.label else {}
        uses = uses_of(step, name, problem.steps)
        for sample_id, verdict in by_id.items():
            asked = {} if same else {"uses": [use.facts(verdict["score"]) for use in uses]}
            said = {"what": "verdict", "filter": name, **verdict, **same, **asked}
            told[sample_id].append({**step.where(), **said})


def _add_training(told: Mapping[str, list[Event]], step: Step, problem: Problem) -> None:
    if step.kind not in TRAINING:
        return
    data = step.input(step.config.get("data"), problem.steps)
    left = [row.get("id") for row in problem.aside[step]["left_out"]]
    metrics = step.artifact.metrics
    for sample_id in dict.fromkeys(row["id"] for row in problem.rows(data)):
        copies = problem.holds(data, sample_id) - left.count(sample_id)
        if copies:
            facts = {
                "copies": copies,
                "epochs": step.config.get("epochs"),
                "max_steps": step.config.get("max_steps"),
                "steps": metrics.get("steps"),
                "max_length": step.config.get("max_length"),
            }
            counted = tokens_of(step, problem).get(sample_id, {})
            counts = {name: counted.get(name) for name in ("tokens", "loss_tokens")}
            told[sample_id].append({**step.where(), "what": "trained", **facts, **counts})


def _add_export(told: Mapping[str, list[Event]], step: Step, problem: Problem) -> None:
    """Which split a row went to is known where a step was named for it; shares are cut by lot."""
    if step.kind != "export":
        return
    splits = step.config.get("splits") or {"": step.config.get("samples")}
    for split, name in splits.items():
        data = step.input(name, problem.steps)
        for sample_id in dict.fromkeys(row["id"] for row in problem.rows(data)):
            copies = problem.holds(data, sample_id)
            said = {"what": "exported", "split": split or None, "copies": copies}
            told[sample_id].append({**step.where(), **said})
