"""What trl's `GRPOConfig` is told beside what every training is told.

Sizes are counted as trl counts them: its batches are micro-batches of one process, and
`steps_per_generation` is a number of micro-batches.
"""

from __future__ import annotations

from typing import Any

from ..engine import choose_engine
from ..running.bench import Bench
from ..students.student import Student
from .settings import GroupSettings


def group_arguments(settings: GroupSettings, bench: Bench) -> dict[str, Any]:
    """Keyword arguments of `GRPOConfig` that no other config has.

    Raises:
        RequestError: as `choose_engine`.
    """
    accumulation = bench.arguments()["gradient_accumulation_steps"]
    return {
        "num_generations": settings.completions,
        "max_completion_length": settings.max_tokens,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "steps_per_generation": accumulation * settings.updates_per_generation,
        "num_iterations": settings.num_iterations,
        "beta": settings.beta,
        "loss_type": settings.loss_type,
        "epsilon": settings.epsilon,
        "epsilon_high": settings.epsilon_high,
        "scale_rewards": settings.scale_rewards,
        "mask_truncated_completions": settings.mask_truncated_completions,
        **_engine_arguments(settings, bench),
    }


def _engine_arguments(settings: GroupSettings, bench: Bench) -> dict[str, Any]:
    if choose_engine(settings.engine, bench.numerics.device) == "transformers":
        return {"use_vllm": False}
    import pyarrow.compute as pc

    longest = pc.max(pc.list_value_length(bench.rows["prompt_ids"])).as_py()
    return {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": settings.gpu_memory_utilization,
        "vllm_max_model_length": longest + settings.max_tokens,
        # vLLM knows the ends of the model's folder only, which a base model has wrong.
        "generation_kwargs": {"stop_token_ids": sorted(ends_of(bench.student))},
    }


def ends_of(student: Student) -> frozenset[int]:
    """Tokens that end a completion, as in evaluation while training."""
    ends = (student.end_of_turn, student.tokenizer.eos_token_id)
    return frozenset(token for token in ends if token is not None)
