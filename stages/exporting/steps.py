"""The steps that an export was made of, in order, and what their manifests and verdicts say.

Only what is on disk: a step that was removed is passed over, and the card says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...pipeline.artifact import Artifact
from ...pipeline.lineage import upstream
from ...pipeline.verdicts import read_verdict_sets


@dataclass(frozen=True)
class Steps:
    """What came before an export."""

    all: tuple[Artifact, ...]
    """Each after what it was made from."""
    missing: tuple[str, ...]
    """`step-address` of those that are no longer there."""

    def of_kind(self, *kinds: str) -> list[Artifact]:
        return [artifact for artifact in self.all if artifact.kind in kinds]


@dataclass(frozen=True)
class Verdicts:
    """What one filter said in one step."""

    step: str
    name: str
    filter: Mapping[str, Any]
    """kind, version, config and depends."""
    rows: int
    reasons: Mapping[str, int]


def steps_before(sources: Iterable[Artifact]) -> Steps:
    """All steps that these were made of, and they themselves."""
    found: dict[str, Artifact] = {}
    for source in sources:
        for artifact in (source, *upstream(source)):
            found[_key(artifact.step, artifact.address)] = artifact
    ordered: dict[str, Artifact] = {}
    for key in sorted(found):
        _visit(key, found, ordered)
    named = {key for artifact in found.values() for key in _inputs(artifact)}
    return Steps(tuple(ordered.values()), tuple(sorted(named - found.keys())))


def inputs_of(artifact: Artifact) -> dict[str, str]:
    """Addresses of what a step was made from, by step."""
    return dict(sorted(artifact.manifest["identity"].get("inputs", {}).items()))


def config_of(artifact: Artifact) -> dict[str, Any]:
    """The settings that are identity."""
    return dict(artifact.manifest["identity"].get("config", {}))


def filters_of(artifact: Artifact) -> dict[str, Any]:
    """Identities of the filters that a step names."""
    return dict(artifact.manifest["identity"].get("filters", {}))


def verdicts_of(steps: Steps) -> Iterator[Verdicts]:
    """What filters said in the steps that judge, step by step."""
    for artifact in steps.all:
        for name, found in read_verdict_sets(artifact.path).items():
            about = found.about
            yield Verdicts(artifact.step, name, about["filter"], found.rows, found.reasons)


def _visit(key: str, found: Mapping[str, Artifact], ordered: dict[str, Artifact]) -> None:
    if key in ordered:
        return
    for needed in _inputs(found[key]):
        if needed in found:
            _visit(needed, found, ordered)
    ordered[key] = found[key]


def _inputs(artifact: Artifact) -> list[str]:
    return [_key(step, address) for step, address in inputs_of(artifact).items()]


def _key(step: str, address: str) -> str:
    return f"{step}-{address}"
