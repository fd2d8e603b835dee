"""Direct preference optimisation: a student learns to prefer the better completion of each pair.

The pairs come from `select` (verified right against verified wrong). trl's `DPOTrainer` gets them
as tokens: it would otherwise render them with the chat template itself, which drops the thinking
of many models, and cut them at 1,024 tokens. The reference, from which the student is not to move
far, is the student as it starts: below LoRA the same weights without the adapter, else a copy.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from ..pipeline.errors import RequestError
from ..pipeline.pairs import require_pairs
from ..pipeline.references import Execution, Samples
from ..pipeline.stage import Context, Metrics
from .pairs import PairRows, refuse_too_long, render_pairs, write_left_out
from .rows.linting import RowLint
from .running.bench import Bench
from .settings import Count, Positive
from .students.student import Student
from .training import Prepared, TrainingStage

LossType = Literal[
    "sigmoid",
    "sigmoid_norm",
    "ipo",
    "hinge",
    "robust",
    "exo_pair",
    "nca_pair",
    "bco_pair",
    "sppo_hard",
    "apo_zero",
    "apo_down",
    "sft",
]
"""By trl's names. Left out of what trl 1.16 has: aot and aot_unpaired, which sort the pairs of a
micro batch, so that `micro_batch` would change what is learnt; discopop, found by search."""
_SMOOTHED: Final = {"robust", "exo_pair"}


class Dpo(TrainingStage):
    """Teach `model` to prefer the chosen completions of `data`."""

    kind: ClassVar[str] = "dpo"
    version: ClassVar[int] = 1

    data: Samples
    """A select step with pairs."""
    epochs: Positive = 1.0
    """Preferences are learnt, and overlearnt, fast."""
    learning_rate: Positive = 1e-6
    """Peak rate of AdamW. Usual: 5e-7 to 5e-6 for all weights, ten times as much for LoRA; at the
    rates of sft the student unlearns to write."""
    batch_size: Count = 32
    """Pairs per optimizer step, however they are cut into `micro_batch`es."""
    beta: Positive = 0.1
    """How strongly the student is held to the reference: 0.01 to 0.5 for sums of log-probabilities;
    with `sigmoid_norm`, which takes means, 1 to 10. For ipo it is the paper's τ."""
    loss_type: LossType | tuple[LossType, ...] = "sigmoid"
    """trl's name of the loss, or several to add up. sigmoid: DPO. sigmoid_norm and ipo divide by
    the length, so that long completions do not decide alone. [sigmoid, sft] also keeps the chosen
    ones likely (RPO); its sft is a mean over the tokens of a micro batch."""
    loss_weights: tuple[Positive, ...] | None = None
    """One for each of several loss types; None: 1 each."""
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """robust: the share of pairs whose sides may be the wrong way round. exo_pair: its ε, such as
    1e-3."""
    ld_alpha: Annotated[float, Field(ge=0, le=1)] | None = None
    """Weight of the tokens beyond the length of the shorter side (LD-DPO). None: 1."""
    use_weighting: bool = False
    """Weigh pairs by how likely the student itself would write them (WPO): for pairs of a teacher's
    completions."""
    max_length: Annotated[int, Field(ge=2)] | None = None
    """Most tokens of a side, prompt included. None: as many as the model's positions allow."""
    over_length: Literal["refuse", "drop"] = "refuse"
    """What to do with pairs of which a side is longer. They are never cut."""
    precompute_ref_log_probs: Annotated[bool, Execution()] = False
    """Ask the reference about all pairs before training, so that it need not stay in memory."""

    @model_validator(mode="after")
    def _loss_is_whole(self) -> Dpo:
        types = self.loss_types
        if not types or len(set(types)) < len(types):
            raise ValueError(f"loss_type: expected different losses, not {list(types)}")
        if set(types) == {"sft"}:
            raise ValueError(
                "loss_type sft alone compares nothing; use an sft step, or add sigmoid"
            )
        if self.loss_weights is not None and len(self.loss_weights) != len(types):
            raise ValueError(
                f"loss_weights has {len(self.loss_weights)} weights for {len(types)} loss types"
            )
        if self.label_smoothing and not _SMOOTHED & set(types):
            raise ValueError("label_smoothing belongs to the losses robust and exo_pair")
        if "exo_pair" in types and not self.label_smoothing:
            raise ValueError("loss_type exo_pair needs label_smoothing above 0, such as 1e-3")
        return self

    @model_validator(mode="after")
    def _no_dropout(self) -> Dpo:
        if self.lora is not None and self.lora.dropout:
            raise ValueError(
                "lora.dropout must be 0 for dpo: it compares log-probabilities of the student and "
                "the reference, and trl switches all dropout off for that"
            )
        return self

    @property
    def loss_types(self) -> tuple[str, ...]:
        """The losses that are added up."""
        return (self.loss_type,) if isinstance(self.loss_type, str) else self.loss_type

    def prepare(self, context: Context, student: Student) -> Prepared:
        """Render both sides of every pair.

        Raises:
            RequestError: data without pairs, pairs longer than max_length, or none to train on.
        """
        data = context.samples(self.data)
        require_pairs(data, "dpo.data")
        made, linted = self._rows(context, student)
        write_left_out(context.out, made)
        if not made.table.num_rows:
            raise RequestError(
                f"no pair of {self.data!r} can be trained on: {made.rows // 2} pairs, rows left "
                f"out: {made.metrics['left_out']}. Expected at least one pair."
            )
        return Prepared(made.table, {**made.metrics, **linted})

    @contextlib.contextmanager
    def open_trainer(self, bench: Bench) -> Iterator[Any]:
        """trl's DPOTrainer over token rows."""
        from trl import DPOConfig

        own = {
            "beta": self.beta,
            "loss_type": list(self.loss_types),
            "loss_weights": None if self.loss_weights is None else list(self.loss_weights),
            "label_smoothing": self.label_smoothing,
            "ld_alpha": self.ld_alpha,
            "use_weighting": self.use_weighting,
            "precompute_ref_log_probs": self.precompute_ref_log_probs,
            "max_length": None,
        }
        yield _trainer_class()(
            model=bench.model,
            ref_model=self._reference(bench),
            args=DPOConfig(**bench.arguments(**own)),
            train_dataset=bench.dataset(),
            processing_class=bench.student.tokenizer,
            peft_config=bench.peft_config,
        )

    def _rows(self, context: Context, student: Student) -> tuple[PairRows, Metrics]:
        positions = student.positions
        max_length = self.max_length or positions
        if max_length > positions:
            raise RequestError(
                f"max_length {max_length} is more than the {positions} positions of {self.model}. "
                f"Set max_length: {positions} or less."
            )
        data = context.samples(self.data)
        lint = RowLint(student, self.chat_template_kwargs)
        made = render_pairs(
            data,
            student.tokenizer,
            max_length,
            self.chat_template_kwargs,
            lint,
            context.progress,
        )
        if self.over_length == "refuse":
            refuse_too_long(made, max_length, positions)
        return made, lint.conclude(context.progress, data.step)

    def _reference(self, bench: Bench) -> Any:
        """A copy of the start; None where trl asks the student's own start: without its adapter, or
        before the first step."""
        if self.lora is not None or self.precompute_ref_log_probs:
            return None
        return copy.deepcopy(bench.model)


def _trainer_class() -> Any:
    from trl import DPOTrainer

    class TokenRowsDPOTrainer(DPOTrainer):  # type: ignore[misc]  # trl has no types here
        """trl's trainer for rows that are tokens already."""

        def _prepare_dataset(self, dataset: Any, *args: Any) -> Any:
            return dataset

    return TokenRowsDPOTrainer
