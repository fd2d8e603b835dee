"""Distillation: a student learns a teacher's whole next-token distributions, not only its words.

    same_data   on the rows of `data`, exactly as sft would train them, so that the two compare
    on_policy   on what the student itself writes when it is asked the problems of `data`

Both need a teacher with the student's vocabulary, beside the student on the same device. With
another vocabulary, train on the teacher's completions instead: generate, then sft.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal

import pyarrow.compute as pc
from pydantic import Field, model_validator

from ..pipeline.errors import RequestError
from ..pipeline.pairs import refuse_pairs
from ..pipeline.references import Execution, Model, Samples
from ..pipeline.shards import write_rows
from ..pipeline.stage import Context
from .distilling.on_policy import on_policy_trainer, prompt_rows
from .distilling.same_data import same_data_trainer
from .distilling.teacher import load_teacher, open_teacher, prompts_agree
from .engine import choose_engine
from .grouped.problems import read_problems, refuse_no_room
from .rows.examples import LEFT_OUT_SCHEMA
from .rows.linting import RowLint
from .rows.rendering import Loss, OverLength
from .running.bench import Bench
from .settings import Count, Positive
from .sft import Sft
from .students.student import Student
from .training import Prepared, TrainingStage

Mode = Literal["same_data", "on_policy"]
_ONLY: Final[dict[Mode, tuple[str, ...]]] = {
    "same_data": ("max_length", "loss", "longest_first"),
    "on_policy": ("max_tokens", "top_p", "engine", "gpu_memory_utilization"),
}
"""Fields that mean something in one mode only."""


class Distill(TrainingStage):
    """Teach `model` the distributions of `teacher`."""

    kind: ClassVar[str] = "distill"
    version: ClassVar[int] = 1

    data: Samples
    """same_data: rows with completions. on_policy: problems; completions are ignored."""
    teacher: Model
    """A model with the student's vocabulary, which is held beside it."""
    mode: Mode = "same_data"
    beta: Annotated[float, Field(ge=0, le=1)] | None = None
    """0: forward KL, the student covers all that the teacher might say. 1: reverse KL, it keeps to
    what the teacher would surely say. Between: Jensen-Shannon. None: 0 for same_data, 1 for
    on_policy."""
    temperature: Positive = 1.0
    """Of both distributions in the loss; on_policy also draws with it. Above 1 the less likely
    tokens weigh more. The loss is not multiplied by its square, as some papers do."""

    max_length: Annotated[int, Field(ge=2)] | None = None
    """same_data: most tokens of an example, prompt included. None: as many as the model's positions
    allow."""
    over_length: OverLength = "refuse"
    """What to do with longer rows, as in sft; on_policy: with prompts that leave no room for
    max_tokens. They are never cut."""
    loss: Loss = "completion"
    """same_data: assistant: loss also on the assistant's earlier turns in a prompt."""
    longest_first: bool = True
    """same_data: the longest rows in the first two optimizer steps, so that memory runs out there
    or never."""

    max_tokens: Count = 512
    """on_policy: most tokens of a completion."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """on_policy: draw from the likeliest tokens that make up this share."""
    engine: Annotated[Literal["auto", "vllm", "transformers"], Execution()] = "auto"
    """on_policy: writes the completions. auto: vLLM beside the training on each GPU where it is
    installed."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, lt=1), Execution()] = 0.3
    """on_policy: share of a GPU's memory that vLLM takes."""

    @model_validator(mode="after")
    def _fields_fit_the_mode(self) -> Distill:
        for mode, names in _ONLY.items():
            fields = type(self).model_fields
            strange = [name for name in names if getattr(self, name) != fields[name].default]
            if strange and mode != self.mode:
                raise ValueError(f"{', '.join(strange)}: only with mode: {mode}")
        if self.mode == "on_policy" and self.over_length == "split":
            raise ValueError("over_length split cuts completions, and on_policy has none; use drop")
        return self

    @property
    def divergence(self) -> float:
        """`beta`, resolved."""
        default = 0.0 if self.mode == "same_data" else 1.0
        return default if self.beta is None else self.beta

    def prepare(self, context: Context, student: Student) -> Prepared:
        """Render the rows as sft does, or the problems as they are served.

        Raises:
            RequestError: a teacher that does not fit, rows that are too long, or none.
        """
        data = context.samples(self.data)
        refuse_pairs(data, "distill.data")
        teacher = open_teacher(context, self.teacher, student)
        agree = prompts_agree(data.samples(), student, teacher, self.chat_template_kwargs)
        if not agree:
            context.progress.note(
                f"the chat template of the teacher {teacher.name} makes other tokens of the same "
                f"prompts than that of {student.name}; it is asked about the student's tokens, "
                "which it may never have seen in this form"
            )
        make = self._sft.prepare if self.mode == "same_data" else self._prepare_problems
        prepared = make(context, student)
        told = {"embeddings": teacher.vocabulary, "prompts_agree": agree}
        return replace(prepared, metrics={**prepared.metrics, "teacher": told})

    @contextlib.contextmanager
    def open_trainer(self, bench: Bench) -> Iterator[Any]:
        """trl's GKDTrainer or DistillationTrainer over tokens."""
        teacher = load_teacher(bench, self.teacher)
        common = {"beta": self.divergence, "temperature": self.temperature}
        if self.mode == "same_data":
            yield same_data_trainer(bench, teacher, longest_first=self.longest_first, **common)
        else:
            yield on_policy_trainer(bench, teacher, **common, **self._generation(bench))

    @property
    def _sft(self) -> Sft:
        """The sft step that trains on the same rows: it prepares them for both."""
        shared = Sft.model_fields.keys() & Distill.model_fields.keys()
        return Sft(**{name: getattr(self, name) for name in shared})

    def _prepare_problems(self, context: Context, student: Student) -> Prepared:
        room = student.positions - self.max_tokens
        data = context.samples(self.data)
        problems = read_problems(
            data, student.tokenizer, room, self.chat_template_kwargs, context.progress
        )
        write_rows(context.out / "left_out", problems.left_out, LEFT_OUT_SCHEMA)
        if self.over_length == "refuse":
            refuse_no_room(problems, self.max_tokens, student.positions)
        if not problems.table.num_rows:
            raise RequestError(
                f"no problem of {self.data!r} can be asked: {problems.rows} rows, left out: "
                f"{problems.metrics['left_out']}. Expected at least one prompt."
            )
        linted = RowLint(student, self.chat_template_kwargs).conclude(context.progress, data.step)
        return Prepared(prompt_rows(problems.table), {**problems.metrics, **linted})

    def _generation(self, bench: Bench) -> dict[str, Any]:
        """Fields of trl's config that say how the student writes."""
        common = {"max_completion_length": self.max_tokens, "top_p": self.top_p}
        if choose_engine(self.engine, bench.numerics.device) == "transformers":
            return common
        longest = pc.max(pc.list_value_length(bench.rows["prompt"])).as_py()
        return {
            **common,
            "use_vllm": True,
            "vllm_gpu_memory_utilization": self.gpu_memory_utilization,
            "vllm_max_model_length": longest + self.max_tokens,
            # vLLM knows the ends of the model's folder only, which a base model has wrong.
            "generation_kwargs": {"stop_token_ids": [bench.student.end_of_turn]},
        }
