"""What each of the quickstart's models is made of: shapes, schedules and what they learn from.

The teacher is stopped at 80 %: its arithmetic would reach 100 % in 4,500 steps, and real teachers
err. A student starts with bare sums, as a base model knows its arithmetic before it is asked
stories; its story phase is stopped when it just begins to solve them, so that fine-tuning has
something to raise and can do it in a hundred seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from potstill.recipes.quickstart import training, vocabulary


@dataclass(frozen=True, slots=True)
class Plan:
    """What one model is made of, what it learns from, and for how long."""

    name: str
    family: vocabulary.Family
    shape: dict[str, int]
    schedule: training.Schedule
    temperature: float
    faulty: bool = False
    general_share: float = 0.0
    drill_share: float = 0.0
    drill_steps: int = 0  # of nothing but drills, before the stories
    stop_at: float | None = None  # pass rate on the probe at which training ends
    probe_from: int = 0  # the first step at which to look
    seed: int = 1


PLANS: Final = {
    plan.name: plan
    for plan in (
        Plan(
            "teacher",
            vocabulary.QWEN,
            {"hidden": 128, "inner": 384, "layers": 4, "heads": 4, "kv_heads": 2},
            training.Schedule(steps=4500),
            temperature=0.8,
            stop_at=0.8,
            probe_from=1000,
            faulty=True,
            general_share=0.04,
            drill_share=0.3,
        ),
        Plan(
            "student-qwen",
            vocabulary.QWEN,
            {"hidden": 128, "inner": 384, "layers": 3, "heads": 4, "kv_heads": 2},
            training.Schedule(steps=3000, peak=1e-3, warmup=20, floor=1.0),
            temperature=0.7,
            drill_steps=1200,
            drill_share=0.2,
            stop_at=0.12,
            seed=2,
        ),
        Plan(
            "student-llama",
            vocabulary.LLAMA,
            {"hidden": 128, "inner": 384, "layers": 3, "heads": 4, "kv_heads": 2},
            training.Schedule(steps=3000, peak=1e-3, warmup=20, floor=1.0),
            temperature=0.7,
            drill_steps=1200,
            drill_share=0.2,
            stop_at=0.12,
            seed=3,
        ),
    )
}
