"""What is on disk for each step of a plan, and why a step would run.

Reads manifests and decides nothing: `runner.py` builds, `views` print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .artifact import MANIFEST, Artifact, open_artifact
from .clocks import clocks_of, oldest_first
from .errors import StepFailed
from .fingerprint import explain_difference
from .lock import running_step
from .manifest_form import read_manifest
from .plan import Node, Plan
from .stage import STATE
from .statcache import DIGESTS, DigestCache
from .trash import bytes_in


@dataclass(frozen=True)
class StepState:
    """One step of a plan as it stands: complete, missing, stale, damaged or running."""

    node: Node
    state: str
    path: Path
    artifact: Artifact | None = None
    why: tuple[str, ...] = field(default=())
    """Why it will run; empty for a complete step."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `status --json`; sizes are of the files as they lie there."""
        clocks = clocks_of(self.path)
        return {
            "name": self.node.name,
            "kind": self.node.stage.kind,
            "state": self.state,
            "address": self.node.address,
            "rows": self.artifact.rows if self.artifact else None,
            "metrics": self.artifact.metrics if self.artifact else {},
            "path": str(self.path),
            "size_bytes": bytes_in(self.path) if self.path.is_dir() else None,
            "verdicts_bytes": sum(map(bytes_in, self.path.glob("verdicts"))),
            "state_bytes": sum(map(bytes_in, self.path.parent.glob(f"{STATE}/{self.path.name}"))),
            "seconds": clocks.seconds,
            "finished": clocks.finished,
            "why": list(self.why),
        }


def read_states(plan: Plan) -> list[StepState]:
    """The state of every step, in order."""
    cache = DigestCache(plan.work / DIGESTS)
    running = running_step(plan.work)
    states: dict[str, StepState] = {}
    for node in plan.nodes:
        is_running = running == f"{plan.run_dir.name}/{node.name}"
        states[node.name] = _state(plan, node, states, cache, is_running)
    if plan.work.is_dir():
        cache.save()
    return list(states.values())


def _state(
    plan: Plan,
    node: Node,
    before: Mapping[str, StepState],
    cache: DigestCache,
    is_running: bool,
) -> StepState:
    path = plan.run_dir / node.folder
    if is_running:
        return StepState(node, "running", path)
    try:
        artifact = open_artifact(path, cache)
    except StepFailed as error:
        return StepState(node, "damaged", path, None, (str(error),))
    waiting = [name for name in node.inputs if before[name].state != "complete"]
    if artifact is None:
        return StepState(node, "missing", path, None, why_missing(plan, node, waiting))
    inputs = {name: found for name in node.inputs if (found := before[name].artifact)}
    if waiting or artifact.is_stale(inputs):
        changed = ", ".join(waiting) or "an input was rebuilt with other content"
        return StepState(node, "stale", path, artifact, (f"made from other inputs: {changed}",))
    return StepState(node, "complete", path, artifact)


def why_missing(plan: Plan, node: Node, waiting: list[str]) -> tuple[str, ...]:
    """What differs from the newest artifact of the same step; or that there was none."""
    previous = previous_artifacts(plan, node)
    if not previous:
        return ("not built yet",)
    try:
        old = read_manifest(previous[-1] / MANIFEST)["identity"]
    except ValueError:  # nobody's input any more, so it stops nothing; `verify` tells of it
        return ("what changed is unknown: the manifest of the artifact before cannot be read",)
    changes = explain_difference(old, dict(node.identity))
    lines = [change for change in changes if not change.startswith("inputs.")]
    lines += [f"input {change.split('.')[1].split(' ')[0]} changed" for change in changes
              if change.startswith("inputs.")]  # fmt: skip
    return tuple(lines or [f"waits for {', '.join(waiting)}"])


def previous_artifacts(plan: Plan, node: Node) -> list[Path]:
    """Finished artifacts of the same step under other addresses, oldest first."""
    pattern = f"{node.name}-{'[0-9a-f]' * len(node.address)}/{MANIFEST}"
    found = [file for file in plan.run_dir.glob(pattern) if file.parent.name != node.folder]
    return [file.parent for file in oldest_first(found)]
