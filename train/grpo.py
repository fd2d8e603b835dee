"""Reinforcement learning on the project's own filters: group relative policy optimization (GRPO).

    rl: {grpo: {data: problems, model: sft, rewards: {math: 1, format: 0.2, language: 0.5}}}

For each problem the student writes several completions; each is pushed towards or away from by how
its reward compares with the mean of its group. Rewards are the filters of the recipe with weights
(`rewards.py`), trl's `GRPOTrainer` trains, and `grouped/` holds what is done otherwise: unknown is
left out and not zero, groups that teach nothing are counted and may be replaced, every completion
is kept with its verdicts. On a GPU vLLM writes the completions beside the training, elsewhere
`transformers` does.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, ClassVar

from ..models.local_model import LocalModel
from ..pipeline.errors import RequestError
from ..pipeline.references import Samples
from ..pipeline.shards import write_rows
from ..pipeline.stage import Context, Metrics
from .grouped.arguments import ends_of, group_arguments
from .grouped.problems import Problems, read_problems, refuse_no_room
from .grouped.rollouts import Drawing
from .grouped.saved_samples import SampleKeeper, publish_samples
from .grouped.settings import GroupSettings, Rewards
from .grouped.summary import summary
from .rewards import Part, Reward, open_reward, sample_filters
from .rows.examples import LEFT_OUT_SCHEMA
from .rows.linting import RowLint
from .running.bench import Bench
from .running.launch import FOLDER
from .students.student import Student
from .training import Prepared, TrainingStage

_KEPT = "samples"
"""Folder of the completions: below the checkpoints while training, then of the artifact."""


class Grpo(GroupSettings, TrainingStage):
    """Train `model` on the rewards of what it writes to the problems of `data`."""

    kind: ClassVar[str] = "grpo"
    version: ClassVar[int] = 1

    data: Samples
    """Problems: prompt, and answer, task and language as the filters need them. Completions are
    ignored, and each problem counts once."""
    rewards: Rewards
    """Filters by name, with their weights: {math: 1, format: 0.2}."""

    def run(self, context: Context) -> Metrics:
        """Train as every kind does, then publish what the policy wrote.

        Raises:
            As `TrainingStage.run`.
        """
        metrics = super().run(context)
        lines = (context.out / "log" / "steps.jsonl").read_text(encoding="utf-8").splitlines()
        step = context.step.rpartition("/")[2]
        samples = publish_samples(
            context.state / FOLDER / _KEPT,
            context.out / _KEPT,
            f"{step}/{_KEPT}",
            context.out.name.rpartition("-")[2],
            {name: context.filters[name].identity(context.digest) for name in self.rewards},
        )
        return {**metrics, **summary([json.loads(line) for line in lines]), "samples": samples}

    def prepare(self, context: Context, student: Student) -> Prepared:
        """Render every problem.

        Raises:
            RequestError: no room for completions, problems without a reward, or none at all.
        """
        _refuse_new_tokens(student)
        sample_filters(self._parts(context))  # before weights are read
        lint = RowLint(student, self.chat_template_kwargs)
        room = student.positions - self.max_tokens
        problems = read_problems(
            context.samples(self.data),
            student.tokenizer,
            room,
            self.chat_template_kwargs,
            context.progress,
        )
        if self.over_length == "refuse":
            refuse_no_room(problems, self.max_tokens, student.positions)
        self._refuse_useless(problems, context)
        write_rows(context.out / "left_out", problems.left_out, LEFT_OUT_SCHEMA)
        linted = lint.conclude(context.progress, context.samples(self.data).step)
        return Prepared(problems.table, {**problems.metrics, **linted})

    @contextlib.contextmanager
    def open_trainer(self, bench: Bench) -> Iterator[Any]:
        """trl's GRPOTrainer over groups that are drawn and judged here."""
        from trl import GRPOConfig, GRPOTrainer

        from .grouped.trainer import GroupTraining, forget_later

        class Trainer(GroupTraining, GRPOTrainer):  # type: ignore[misc]  # trl has no types here
            """trl's, with our groups."""

        most = None if self.save_samples == "all" else self.save_samples
        keeper = SampleKeeper(bench.checkpoints / _KEPT, most)
        bench.model.generation_config.eos_token_id = sorted(ends_of(bench.student))
        with open_reward(self._parts(bench.context), bench.context.judging) as reward:
            trainer = Trainer(
                self._drawing(bench, reward),
                keeper,
                model=bench.model,
                reward_funcs=reward,
                args=GRPOConfig(**bench.arguments(**group_arguments(self, bench))),
                train_dataset=bench.dataset(),
                processing_class=bench.student.tokenizer,
                peft_config=bench.peft_config,
            )
            self._refuse_pieces(trainer)
            trainer.add_callback(forget_later(trainer, keeper))
            yield trainer

    def _refuse_pieces(self, trainer: Any) -> None:
        """Processes that hold pieces of a model must generate equally often."""
        pieces = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
        if self.dynamic_sampling and pieces and not trainer.use_vllm:
            raise RequestError(
                "dynamic_sampling asks more often in some processes than in others, which FSDP "
                "and DeepSpeed allow only where vLLM writes. Set engine: vllm, or leave it out."
            )

    def _parts(self, context: Context) -> dict[str, Part]:
        return {
            name: Part(
                context.filters[name],
                part.weight,
                part.required,
                None if part.tasks is None else frozenset(part.tasks),
            )
            for name, part in self.rewards.items()
        }

    def _drawing(self, bench: Bench, reward: Reward) -> Drawing:
        student = bench.student
        model = LocalModel(
            student.name,
            student.tokenizer,
            student.positions,
            ends_of(student),
            self.chat_template_kwargs,
            student.vocabulary,
        )
        rounds = self.dynamic_sampling.max_rounds if self.dynamic_sampling else 0
        return Drawing(reward, model, self.completions, bench.dataset(), rounds, self.seed)

    def _refuse_useless(self, problems: Problems, context: Context) -> None:
        """Problems that no part of the reward judges, or none at all."""
        parts = self._parts(context).values()
        alone = {
            task: count
            for task, count in sorted(problems.tasks.items())
            if not any(part.judges(task) for part in parts)
        }
        if alone:
            told = ", ".join(f"{count} of task {task!r}" for task, count in alone.items())
            raise RequestError(
                f"no part of rewards judges {told}. Give a part these tasks (a reward_model for "
                "general ones), or leave them out of the data."
            )
        if not problems.table.num_rows:
            raise RequestError(
                f"no row of {self.data!r} can be asked: {problems.rows} rows, left out: "
                f"{problems.metrics['left_out']}. Expected at least one problem."
            )


def _refuse_new_tokens(student: Student) -> None:
    """A token that was never trained is never written, and the reference model lacks it."""
    if student.changes.added:
        raise RequestError(
            f"{student.name} would be given the new tokens {', '.join(student.changes.added)}, "
            "and reinforcement learning cannot begin with tokens that the model never met. Train "
            "it with sft first (add_tokens there), and take that step as the model here."
        )
