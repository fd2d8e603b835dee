"""What was asked about a problem: its attempts in generate and evaluate steps, failed ones too.

A step's dataset ends where enough samples were accepted; completions beyond lie in the journal
only, and are counted there. Which evaluations asked a model about a problem that it was trained on
is told as a leak.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..models.journal import read_journal
from ..pipeline.fingerprint import digest_of
from ..pipeline.statcache import MODEL_FILES
from .why_events import ASKING, TRAINING, attempt
from .why_problem import Problem
from .why_steps import Step

JOURNAL = "journal.sqlite"


def askings(problem: Problem) -> list[dict[str, Any]]:
    """One entry for each generate or evaluate step that asked about the problem."""
    return [_asking(step, problem) for step in problem.steps if _asked(step, problem)]


def leaks(problem: Problem) -> list[dict[str, Any]]:
    """Evaluations of a model on this problem that was trained on it before."""
    trained = [step for step in problem.steps if _trained_on(step, problem)]
    return [
        {"evaluation": evaluation.label, "training": training.label}
        for evaluation in problem.steps
        if evaluation.kind == "evaluate" and problem.held.get(evaluation)
        for training in trained
        if _made_of(evaluation, training, problem.steps)
    ]


def _asked(step: Step, problem: Problem) -> bool:
    return step.kind in ASKING and bool(problem.held.get(step) or problem.aside[step]["failed"])


def _asking(step: Step, problem: Problem) -> dict[str, Any]:
    ids = [row["id"] for row in problem.rows(step)]
    attempts = [{"id": one, **(attempt(step, one, problem) or {})} for one in ids]
    failed = problem.aside[step]["failed"]
    attempts += [{"id": None, "failed": row["reason"], **row} for row in failed]
    attempts.sort(key=lambda each: each.get("index") or 0)
    for each in attempts:
        each["tier"] = _tier(step.config, each.get("index") or 0)
    accepted = [each["accepted"] for each in attempts if each.get("accepted") is not None]
    return {
        **step.where(),
        "attempts": attempts,
        "most": sum(_tiers(step.config)) or None,
        "until": (step.config.get("until") or {}).get("accepted"),
        "accepted": sum(accepted) if accepted else None,
        "finish_reasons": dict(Counter(e["finish_reason"] for e in attempts if e["id"])),
        "failed": dict(Counter(row["reason"] for row in failed)),
        "in_journal_only": _in_journal_only(step, ids, problem),
    }


def _tiers(config: Mapping[str, Any]) -> list[int]:
    """Samples of each way of asking: the step's own, then those of `escalate`."""
    if not config:
        return []
    own = (config.get("until") or {}).get("samples") or config["samples"]
    return [own, *(tier["samples"] for tier in config.get("escalate", ()))]


def _tier(config: Mapping[str, Any], index: int) -> int:
    """Which way of asking a sample belongs to, from 0."""
    end = 0
    for number, samples in enumerate(_tiers(config)):
        end += samples
        if index < end:
            return number
    return 0


def _in_journal_only(step: Step, ids: Sequence[str], problem: Problem) -> int | None:
    """Completions of this problem that were bought for the step and are not in its dataset: beyond
    the stop, or of earlier settings. None where there is no journal."""
    in_dataset = {made["key"] for one in ids if (made := problem.samples[one].generation)}
    # A rewritten completion is bought under the id of the row that it came from.
    subjects = [problem.prompt_id, *problem.samples]
    with read_journal(step.run.parent / JOURNAL) as journal:
        if journal is None:
            return None
        return len(journal.keys_of(step.label, subjects) - in_dataset)


def _trained_on(step: Step, problem: Problem) -> bool:
    data = step.input(step.config.get("data"), problem.steps) if step.kind in TRAINING else None
    held = {row["id"] for row in problem.rows(data)}
    return bool(held - {row.get("id") for row in problem.aside[step]["left_out"]})


def _made_of(evaluation: Step, training: Step, steps: Sequence[Step]) -> bool:
    """Whether the evaluated model comes from a training: by the graph, or as a folder's content."""
    model = evaluation.config.get("model")
    if model == f"content:{_model_digest(training)}":
        return True
    waiting = [evaluation.input(model, steps)]
    while waiting:
        step = waiting.pop()
        if step is training:
            return True
        if step is not None:
            waiting.append(step.input(step.config.get("model"), steps))
    return False


def _model_digest(training: Step) -> str:
    """As `DigestCache.digest_path` gives it for the folder, from its manifest."""
    files = training.artifact.manifest["files"]
    return digest_of(
        {
            name: entry["sha256"]
            for name, entry in files.items()
            if name in MODEL_FILES or ("/" not in name and name.endswith(".safetensors"))
        }
    )
