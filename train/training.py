"""What all steps that train have in common: rows in, a trainer, a model folder out.

    run:  student without weights -> prepare rows -> train to a sealed checkpoint -> save

A kind of training is a class with two methods: `prepare` makes the table that is trained on and
accounts for every row that is not, and `open_trainer` makes the trl trainer for it. Everything
else (checkpoints and going on after a kill, progress, several processes, numerics, saving) is the
same for all and lives in `running/` and `students/`.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field, JsonValue

from ..pipeline.references import Model, reference_kind
from ..pipeline.shards import write_text
from ..pipeline.stage import Context, Metrics, Stage
from .running.bench import Bench
from .running.checkpoints import Checkpoints, step_of, trainer_state
from .running.cluster import ALONE, Cluster, find_cluster
from .running.evaluation import PREFIX, best_step
from .running.fit import FACTS
from .running.full_disk import told_in_words
from .running.launch import launch
from .running.numerics import (
    Numerics,
    choose_numerics,
    quiet_environment,
    refuse_missing_libraries,
    use_one_device,
    use_threads,
)
from .running.trackers import prepare_trackers
from .settings import TrainingSettings
from .students.adapters import quantization_config
from .students.card import write_card
from .students.router_load import keep_router_log
from .students.saving import save_student
from .students.student import Student, open_student

LAST_STEPS = 10
"""`loss_last` is the mean over this many steps: one batch says little."""


@dataclass(frozen=True)
class Prepared:
    """What a training trains on, and what is told of it."""

    table: pa.Table
    metrics: Metrics = field(default_factory=dict)


@dataclass(frozen=True)
class Begun:
    """A training before its weights are read."""

    cluster: Cluster
    numerics: Numerics
    student: Student
    prepared: Prepared


class TrainingStage(TrainingSettings, Stage):
    """Base of sft, dpo, grpo and distill."""

    makes: ClassVar[str] = "model"
    expensive: ClassVar[bool] = True

    model: Model
    chat_template_kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    """Passed to the chat template, as in `generate`; e.g. enable_thinking."""

    def open_student(self, context: Context) -> Student:
        """The student without its weights, with the template and tokens that it is given."""
        own = reference_kind(self.template) == "path"
        template = context.path(self.template) if own else None
        return open_student(context.path(self.model), self.model, self, template)

    @abstractmethod
    def prepare(self, context: Context, student: Student) -> Prepared:
        """Make the rows to train on; write `left_out/` and the like into `context.out`.

        Raises:
            RequestError: nothing to train on, or rows that must not be trained on.
        """

    @abstractmethod
    def open_trainer(self, bench: Bench) -> AbstractContextManager[Any]:
        """The trl trainer over `bench.rows`; what it needs beside is closed with the block."""

    def run(self, context: Context) -> Metrics:
        """Prepare, train, save.

        Raises:
            RequestError: rows, a model or settings that cannot be used.
            StepFailed: memory or disk ran out, or the loss became NaN.
            StoppedOnPurpose: stopped at a checkpoint; the same command goes on.
        """
        begun = self.begin(context)
        student, numerics = begun.student, begun.numerics
        checkpoints = launch(self, context, student, numerics, begun.prepared.table, begun.cluster)
        last = checkpoints.all()[-1]
        state = trainer_state(last)
        result = self._result(checkpoints, state)
        with told_in_words(context.out):
            save_student(student, result, context.out, numerics.arithmetic, self.lora)
        outcome = self._outcome(context, checkpoints, state, result)
        told = {**asdict(numerics), "attention": outcome.pop("attention")}
        metrics = {**begun.prepared.metrics, **outcome}
        metrics |= {"student": student.facts, "numerics": told}
        keep_router_log(last, context.out / "log")
        write_card(context.out, context.step, self, student, metrics)
        return metrics

    def begin(self, context: Context) -> Begun:
        """All that comes before the weights are read; a dry run ends here.

        Raises:
            RequestError: rows, a model or settings that cannot be used.
        """
        refuse_missing_libraries()
        quiet_environment()
        prepare_trackers(self.trackers, context)
        cluster, numerics = self._place(context)
        quantization_config(self.lora)  # refused before rows are rendered
        student = self.open_student(context)
        for note in student.changes.notes:
            context.progress.note(note)
        return Begun(cluster, numerics, student, self.prepare(context, student))

    def _outcome(
        self, context: Context, checkpoints: Checkpoints, state: dict[str, Any], result: Path
    ) -> Metrics:
        """The log, and what it comes to."""
        log = _steps(state)
        _write_log(context.out / "log" / "steps.jsonl", log)
        scores = self._scores(context, state, result)
        return {**_losses(log), **scores, **_facts(checkpoints)}

    def _place(self, context: Context) -> tuple[Cluster, Numerics]:
        """The processes to train in, and what they compute on."""
        cluster = find_cluster(self)
        if cluster == ALONE:
            use_one_device()
        threads = use_threads(cluster.threads(context.workers))
        numerics = choose_numerics(self, threads, cluster.processes)
        cluster.refuse_unusable(numerics.device)
        return cluster, numerics

    def _result(self, checkpoints: Checkpoints, state: dict[str, Any]) -> Path:
        """The checkpoint whose weights are kept."""
        best = best_step(state["log_history"]) if self.keep == "best" else None
        return checkpoints.folder / f"checkpoint-{best or state['global_step']}"

    def _scores(self, context: Context, state: dict[str, Any], result: Path) -> Metrics:
        """`log/evaluations.jsonl`, and the scores at the start and of the kept weights."""
        if self.evaluate is None:
            return {}
        looks = [
            {"step": entry["step"], **{name: entry[name] for name in entry if name in names}}
            for entry in state["log_history"]
            if (names := {name for name in entry if name.startswith(PREFIX)})
        ]
        _write_log(context.out / "log" / "evaluations.jsonl", looks)
        kept = next(look for look in looks if look["step"] == step_of(result))
        return {"kept_step": step_of(result), "before": looks[0], "after": kept}


def _facts(checkpoints: Checkpoints) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((checkpoints.folder / FACTS).read_text(encoding="utf-8"))
    return facts


def _steps(state: dict[str, Any]) -> list[dict[str, Any]]:
    """One record for each optimizer step; without clocks, which would differ from run to run."""
    return [
        {"step": entry["step"], **{name: entry[name] for name in sorted(entry) if _is_fact(name)}}
        for entry in state["log_history"]
        if "loss" in entry
    ]


def _is_fact(name: str) -> bool:
    return name != "step" and not name.endswith(("time", "per_second"))


def _losses(log: list[dict[str, Any]]) -> dict[str, Any]:
    last = log[-LAST_STEPS:]
    return {
        "steps": len(log),
        "loss_first": log[0]["loss"],
        "loss_last": sum(step["loss"] for step in last) / len(last),
    }


def _write_log(file: Path, lines: list[dict[str, Any]]) -> None:
    write_text(file, "".join(json.dumps(line) + "\n" for line in lines))
