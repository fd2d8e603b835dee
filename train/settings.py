"""What every training step may say: how long, how fast, on what.

Fields marked `Execution` say how and not what. They may still change the last bits of the weights
(another dtype, another order of sums), so a step records them as `numerics` in its metrics.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..models.prompts import Asking
from ..pipeline.references import Execution, FilterName, Reference, Samples
from ..pipeline.stage import Config
from .students.presets import PRESETS

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Tracker = Literal["tensorboard", "wandb", "trackio"]
Attention = Literal[
    "auto", "eager", "sdpa", "varlen", "flex_attention", "flash_attention_2", "flash_attention_3"
]
NewToken = Annotated[str, Field(pattern=r"^\S{1,64}$")]
TemplateName = Annotated[
    str, Reference("template", ("path", "builtin"), ("auto", "keep", *sorted(PRESETS)))
]


class StudentSettings(Config):
    """What a student is given before it is trained."""

    template: TemplateName = "auto"
    """Its chat template. keep: the one in its folder. auto: that one if it ends its turns, else
    the one of the family that its vocabulary shows. Or a family's name, or a file such as
    ./chat.jinja; control tokens that the vocabulary lacks are then added."""
    add_tokens: tuple[NewToken, ...] = ()
    """Tokens such as <think> that are to be one token each; the embeddings grow where they must.
    They are no special tokens: servers show them."""


class Lora(Config):
    """Train low-rank adapters beside frozen weights (LoRA)."""

    r: Count = 16
    alpha: Positive = 32.0
    dropout: Share = 0.0
    target: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Names of linear layers such as q_proj; all-linear leaves out the output head."""
    rslora: bool = False
    """Scale by alpha / sqrt(r) in place of alpha / r: for large r (arXiv:2312.03732)."""
    dora: bool = False
    """Train the length of each weight column apart from its direction: slower, often better at
    small r (arXiv:2402.09353)."""
    quantize: Literal["4bit"] | None = None
    """4bit: QLoRA, the frozen weights in NF4 (arXiv:2305.14314); needs a GPU and bitsandbytes. The
    adapter is merged into the weights as they were, not into the rounded ones."""
    save: Literal["merged", "adapter"] = "merged"
    """merged: a whole model, and the adapter under adapter/. adapter: the adapter alone, which
    servers load beside the base model; no later step can start from it."""


class Evaluation(Asking):
    """Look at the student while it is trained, with the project's own judges."""

    problems: Samples
    correct: FilterName
    """The filter whose score of 1 is a solved problem."""
    also: tuple[FilterName, ...] = ()
    """Filters whose mean score is reported beside it."""
    every: Count | None = None
    """Optimizer steps between two looks; None: a tenth of the training. The start and the end are
    always looked at."""
    limit: Count | None = 64
    """Only the first so many problems; None: all."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the filters to ask, each once."""
        return tuple(dict.fromkeys((self.correct, *self.also)))


class TrainingSettings(StudentSettings):
    """Base of the steps that train with gradients."""

    epochs: Positive = 3.0
    learning_rate: Positive = 2e-5
    """Peak rate of AdamW. Usual for all weights of 1-7B models: 1e-5 to 5e-5; for LoRA ten times
    as much."""
    batch_size: Count = 32
    """Examples per optimizer step, however they are cut into `micro_batch`es."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_share: Share = 0.05
    """Share of all steps in which the rate rises from zero."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Positive = 1.0
    seed: int = 7
    """Of the order of the data, dropout and new LoRA weights."""
    max_steps: Count | None = None
    """End after so many optimizer steps; None: after `epochs`."""
    lora: Lora | None = None
    """None trains all weights."""
    evaluate: Evaluation | None = None
    """Evaluation while training; None: none."""
    keep: Literal["last", "best"] = "last"
    """Which weights become the result: the last ones, or those that `evaluate` scored best."""

    micro_batch: Annotated[Count | None, Execution()] = None
    """Examples per forward pass; None: the whole batch. Make it smaller when memory runs out."""
    gradient_checkpointing: Annotated[bool, Execution()] = False
    """Compute activations twice instead of keeping them: a third slower, far less memory."""
    dtype: Annotated[Literal["auto", "float32", "bfloat16"], Execution()] = "auto"
    """auto: float32 on the CPU. On a GPU, bfloat16 arithmetic over float32 weights, or over
    bfloat16 weights below LoRA. bfloat16: weights too, half the memory and a worse optimum."""
    device: Annotated[Literal["auto", "cpu", "cuda"], Execution()] = "auto"
    attention: Annotated[Attention, Execution()] = "auto"
    """auto: a kernel for rows of different lengths where there is one (a GPU: FlashAttention, or
    PyTorch's own as varlen), else what transformers chooses."""
    kernels: Annotated[bool, Execution()] = False
    """Replace layers by compiled kernels from the hub (GPU; the library `kernels`). They are
    programs: only for those who trust them."""
    checkpoint_every: Annotated[Count | None, Execution()] = None
    """Optimizer steps between two checkpoints, from which a killed training goes on; None: a
    twentieth of the training."""
    processes: Annotated[Count, Execution()] = 1
    """Processes that train together, one for each GPU (on the CPU: DDP over gloo)."""
    accelerate: Annotated[str | None, Execution()] = None
    """An accelerate config that says how processes work together (FSDP2, DeepSpeed, several
    machines): a file, or the name of a shipped one such as fsdp2-8."""
    trackers: Annotated[tuple[Tracker, ...], Execution()] = ()
    """Where the loss is reported beside the artifact's own log."""

    @model_validator(mode="after")
    def _best_is_measured(self) -> TrainingSettings:
        if self.keep == "best" and self.evaluate is None:
            raise ValueError("keep: best needs evaluate, which says what is best")
        return self

    @model_validator(mode="after")
    def _batch_is_whole_micro_batches(self) -> TrainingSettings:
        if (uneven := self.uneven(self.processes)) is not None:
            raise ValueError(uneven)
        return self

    def uneven(self, processes: int) -> str | None:
        """Why a batch cannot be cut into equal parts for so many processes; None if it can."""
        if self.batch_size % processes:
            return f"batch_size {self.batch_size} is not a multiple of processes {processes}"
        at_once = self.batch_size // processes
        if self.micro_batch is not None and at_once % min(self.micro_batch, at_once):
            return (
                f"batch_size {self.batch_size} over {processes} processes is not a multiple "
                f"of micro_batch {self.micro_batch}"
            )
        return None
