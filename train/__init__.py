"""Steps on models. `TRAINERS` is the explicit table from name to class."""

from __future__ import annotations

from ..pipeline.catalog import Kinds
from ..pipeline.stage import Stage

TRAINERS: Kinds[Stage] = Kinds(
    __name__,
    {"sft": "sft:Sft", "dpo": "dpo:Dpo", "grpo": "grpo:Grpo", "distill": "distill:Distill"},
)
