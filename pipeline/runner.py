"""Running a plan: what is missing is built, step by step, and nothing else is touched.

    for node in plan.in_order():
        if the artifact at its address is whole and made from these inputs: use it
        else: refuse a surprise, build it, manifest last

The runner knows artifacts, not meanings; a step's process does the work (`process.py`).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .artifact import MANIFEST, Artifact, open_artifact
from .budget import Budget, Spent
from .disk import disk_failure
from .errors import RequestError, StepFailed, StoppedOnPurpose
from .interrupts import Interrupts
from .lock import announce, run_lock
from .peek import context_for, journal_of, label_of
from .plan import Node, Plan
from .process import StepTask, run_in_process
from .progress import Event
from .publish import publish
from .stage import STATE, Stage
from .statcache import DigestCache
from .status import previous_artifacts, why_missing


@dataclass
class Run:
    """One `potstill run`: a plan, what may be rebuilt, and who listens."""

    plan: Plan
    rebuild: frozenset[str] = frozenset()
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    listen: Callable[[Event], None] = lambda event: None
    budget: Budget = field(default_factory=Budget)
    """Caps of this run, over all its steps."""
    wait: bool = False
    """Wait for another run in the work directory instead of leaving."""
    done: dict[str, Artifact] = field(default_factory=dict)
    spent: dict[str, Spent] = field(default_factory=dict)
    """By step, as it last told."""
    interrupts: Interrupts = field(init=False)

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
        self.interrupts = Interrupts()
        try:
            with run_lock(self.plan.work, self._tell_waiting if self.wait else None):
                self._refuse_surprises(nodes)
                self.listen({"event": "plan", "steps": [node.name for node in nodes]})
                for node in nodes:
                    self.done[node.name] = self._finished_or_built(node)
                self.cache.save()
        except OSError as error:
            failure = disk_failure(error, error.filename or self.plan.work)
            if failure is None:
                raise
            raise failure from error
        self.listen({"event": "run_done", "seconds": time.monotonic() - started})
        return self.done

    def _tell_waiting(self, text: str) -> None:
        self.listen({"event": "note", "step": "", "text": text})

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
        self._stop_if_wished(node)
        return self._build(node)

    def _stop_if_wished(self, node: Node) -> None:
        """A wish that came too late for the last step, or time that is up, ends the run here."""
        why = f"by {self.interrupts.last}" if self.interrupts.count else ""
        if self.budget.seconds_left == 0:
            why = "by --max-hours"
        if why:
            raise StoppedOnPurpose(
                f"stopped {why} before step {node.name!r}; run the same command to go on"
            )

    def _build(self, node: Node) -> Artifact:
        target = self.plan.run_dir / node.folder
        task = self._task(node, target)
        self._refuse_bill(node)
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
        with self.interrupts.one_deferred():  # hashing a trained model takes a while
            publish(node, target, task.inputs, metrics, seconds, self.cache)
        shutil.rmtree(target.parent / STATE / target.name, ignore_errors=True)
        artifact = open_artifact(target, self.cache)
        if artifact is None:
            raise StepFailed(f"{target} was published and is gone; is another program removing it?")
        facts = {"rows": artifact.rows, "metrics": metrics, "seconds": seconds}
        event = {"event": "step_done", "step": node.name, "kind": node.stage.kind}
        self.listen({**event, **facts, "path": str(target)})
        return artifact

    def _run_task(self, node: Node, task: StepTask) -> dict[str, Any]:
        try:
            return run_in_process(
                task,
                on_event=lambda event: self._pass_on(node, event),
                on_start=lambda group: announce(self.plan.work, task.step, group),
                interrupts=self.interrupts,
            )
        except StepFailed as error:
            self.listen({"event": "step_failed", "step": node.name, "message": str(error)})
            raise

    def _pass_on(self, node: Node, event: Event) -> None:
        if event["event"] == "spent":
            self.spent[node.name] = Spent(event["tokens"], event["requests"], event["usd"])
        self.listen({**event, "step": node.name})

    def _refuse_bill(self, node: Node) -> None:
        if node.name in self.rebuild or type(node.stage).rebuild_bill is Stage.rebuild_bill:
            return
        bill = node.stage.rebuild_bill(context_for(self.plan, node, self._inputs(node)))
        if bill is not None:
            why = "; ".join(why_missing(self.plan, node, []))
            raise RequestError(
                f"step {node.name!r} changed ({why}). {bill} "
                f"Add --rebuild {node.name} if that is meant."
            )

    def _task(self, node: Node, target: Path) -> StepTask:
        finished = [file.parent for file in sorted(self.plan.run_dir.glob(f"*/{MANIFEST}"))]
        return StepTask(
            step=label_of(self.plan, node),
            stage=node.stage,
            out=target,
            inputs=self._inputs(node),
            filters=node.filters,
            externals=node.externals,
            journal=journal_of(self.plan),
            log=self.plan.run_dir / "logs" / f"{node.name}.log",
            workers=self.workers,
            limit=self.plan.limit,
            siblings=tuple(path for path in finished if path != target),
            budget=self.budget.less(Spent.total(self.spent.values())),
        )


def build(
    plan: Plan,
    *,
    to: str = "",
    only: str = "",
    rebuild: Sequence[str] = (),
    workers: int = 0,
    wait: bool = False,
    budget: Budget | None = None,
    listen: Callable[[Event], None] = lambda event: None,
) -> dict[str, Artifact]:
    """Build a plan, or the part that `to` or `only` names; `workers` 0 means all cores.

    Args:
        wait: for another run in the work directory, instead of leaving at once.
        budget: caps of this run.
    """
    run = Run(
        plan, frozenset(rebuild), workers or os.cpu_count() or 1, listen, budget or Budget(), wait
    )
    if only and to:
        raise RequestError("--only and --to exclude each other; --to builds what a step needs")
    return run.only(only) if only else run.all(to or None)
