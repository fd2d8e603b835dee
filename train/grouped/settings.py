"""What a recipe may say of groups and their rewards, beside what every training has.

Names that trl has for the same thing are trl's. Two numbers differ from trl on purpose:
`batch_size` counts completions of one optimizer step over all processes and micro-batches, and
`updates_per_generation` counts optimizer steps where trl's `steps_per_generation` counts
micro-batches, so that neither changes with the memory of a machine.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ...pipeline.references import Execution, FilterName
from ...pipeline.stage import Config
from ..settings import Count, Positive, TrainingSettings


class RewardPart(Config):
    """How one filter counts in the reward; a number alone is its weight."""

    weight: Positive = 1.0
    required: bool = True
    """Without its score the whole reward is unknown. false: the known parts take its weight."""
    tasks: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Judges only problems of these tasks, such as general; None: all."""


def _weight_alone(value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {"weight": value} if is_number else value


Rewards = Annotated[
    dict[
        FilterName,
        Annotated[
            RewardPart, BeforeValidator(_weight_alone, json_schema_input_type=float | RewardPart)
        ],
    ],
    Field(min_length=1),
]


class DynamicSampling(Config):
    """Replace groups that teach nothing: all rewards equal, or fewer than two known (DAPO)."""

    max_rounds: Count = 3
    """How often, at most, other problems are asked in the place of such groups. Groups that still
    teach nothing then stay in the batch, with advantages of zero."""


class GroupSettings(TrainingSettings):
    """Base of trainings on groups of completions."""

    epochs: Positive = 1.0
    learning_rate: Positive = 1e-6
    """R1-Zero: 3e-6 for all weights (Nature 645, 633, 2025); with LoRA about ten times as much."""
    batch_size: Count = 64
    """Completions per optimizer step: a multiple of `completions` times `processes`."""

    completions: Annotated[int, Field(ge=2)] = 8
    """Of each problem, whose mean reward is what each of them is compared with (R1-Zero: 16)."""
    max_tokens: Count = 2048
    """Most tokens of a completion."""
    temperature: Positive = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Below 1 what is drawn is no longer what the loss believes; leave it unless you must."""
    updates_per_generation: Count = 1
    """Optimizer steps on the completions of one generation (R1-Zero: 16): more go further from
    the policy that wrote them, and are cheaper."""
    num_iterations: Count = 1
    """How often each completion is trained on."""
    beta: Annotated[float, Field(ge=0)] = 0.001
    """Weight of the KL divergence from the model at the start (R1-Zero: 0.001). 0 saves its memory
    and time, and the KL is then not logged."""
    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo"] = "dapo"
    """How tokens are averaged; dapo: each token of the batch weighs the same."""
    epsilon: Positive = 0.2
    """Clipping of the probability ratio."""
    epsilon_high: Positive | None = None
    """Its upper side, where that is to differ (DAPO: 0.28)."""
    scale_rewards: Literal["group", "batch", "none"] = "group"
    """Divide advantages by the standard deviation of the rewards in their group, in the batch, or
    not at all."""
    mask_truncated_completions: bool = False
    """Keep completions that max_tokens cut out of the loss; they count in their group's mean."""
    over_length: Literal["refuse", "drop"] = "refuse"
    """What to do with prompts that leave no room for max_tokens. They are never cut."""
    dynamic_sampling: DynamicSampling | None = None
    save_samples: Literal["all"] | Annotated[int, Field(ge=0)] = "all"
    """How many completions of each generation are kept with their verdicts in samples/."""

    engine: Annotated[Literal["auto", "vllm", "transformers"], Execution()] = "auto"
    """Writes the completions. auto: vLLM beside the training on each GPU where it is installed."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, lt=1), Execution()] = 0.3
    """Share of a GPU's memory that vLLM takes."""

    @model_validator(mode="after")
    def _batch_is_whole_groups(self) -> GroupSettings:
        together = self.completions * self.processes
        if self.batch_size % together:
            raise ValueError(
                f"batch_size {self.batch_size} counts completions and must be a multiple of "
                f"completions {self.completions} times processes {self.processes}: {together}"
            )
        return self

    @property
    def problems_per_generation(self) -> int:
        """Groups that are written at once, over all processes."""
        return self.batch_size * self.updates_per_generation // self.completions
