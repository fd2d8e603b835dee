"""Metrics side by side: of evaluations with their noise, of other steps, and of whole runs.

A difference is beyond noise where it is more than 1.96 standard errors, those of the two taken for
independent: on the wide side where both saw the same problems. A metric without a standard error
has a difference and no judgement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..pipeline.artifact import Artifact
from .compare_data import differences
from .compare_settings import differing_settings
from .tables import HEADLINES

Z: Final = 1.96
"""Standard errors: 95 % of differences that are none lie within."""
SE: Final = "_se"
EVALUATED: Final = "pass@1"


def compare_evaluations(artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """Facts as JSON values; each list has an entry for each evaluation."""
    found = compare_steps(artifacts)
    problems = {str(_config(artifact).get("problems")) for artifact in artifacts}
    return {**found, "same_problems": len(problems) == 1}


def compare_steps(artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """Metrics and the settings that differ; each list has an entry for each step."""
    return {
        "metrics": _side_by_side([numbers(artifact.metrics) for artifact in artifacts]),
        "settings": differing_settings(artifacts),
    }


def compare_runs(runs: Sequence[Mapping[str, Artifact]]) -> dict[str, Any]:
    """Steps of the same name by their headline metrics, in the order in which they finished."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {"steps": {name: _step([run.get(name) for run in runs]) for name in names}}


def _step(artifacts: Sequence[Artifact | None]) -> dict[str, Any]:
    kinds = [None if artifact is None else artifact.kind for artifact in artifacts]
    digests = {None if artifact is None else artifact.digest for artifact in artifacts}
    found = [{} if artifact is None else _headlines(artifact) for artifact in artifacts]
    return {
        "kinds": kinds,
        "equal": len(digests) == 1,
        "metrics": _side_by_side(found),
    }


def _headlines(artifact: Artifact) -> dict[str, float | None]:
    """The metrics that say most of a step, and its rows."""
    found = numbers(artifact.metrics)
    wanted = (EVALUATED, EVALUATED + SE) if EVALUATED in found else ("rows", *HEADLINES)
    return {name: found[name] for name in wanted if name in found}


def numbers(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, float | None]:
    """Metrics that are numbers or unknown, nested ones as `name/part`; counts also as their sum."""
    found: dict[str, float | None] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            parts = numbers(value, f"{prefix}{name}/")
            if value and all(type(part) is int for part in value.values()):
                found[f"{prefix}{name}"] = sum(value.values())
            found |= parts
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            found[f"{prefix}{name}"] = value
    return found


def _side_by_side(found: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys(name for each in found for name in each)
    errors = {name for name in names if name.endswith(SE) and name.removesuffix(SE) in names}
    return {name: _metric(name, found) for name in names if name not in errors}


def _metric(name: str, found: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    values = [each.get(name) for each in found]
    errors = [each.get(name + SE) for each in found]
    moved = differences(values)
    judged = [
        None,
        *(_judged(errors[0], se, d) for se, d in zip(errors[1:], moved[1:], strict=True)),
    ]
    return {
        "values": values,
        "standard_errors": errors,
        "differences": moved,
        "difference_errors": [None, *(_joint(errors[0], se) for se in errors[1:])],
        "beyond_noise": judged,
    }


def _joint(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else math.hypot(one, two)


def _judged(one: float | None, two: float | None, difference: float | None) -> bool | None:
    error = _joint(one, two)
    return None if error is None or difference is None else abs(difference) > Z * error


def _config(artifact: Artifact) -> Mapping[str, Any]:
    config: Mapping[str, Any] = artifact.manifest["identity"].get("config", {})
    return config
