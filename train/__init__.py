"""Steps on models. `TRAINERS` is the explicit table from name to class."""

from __future__ import annotations

from ..pipeline.stage import Stage
from .distill import Distill
from .dpo import Dpo
from .grpo import Grpo
from .sft import Sft

TRAINERS: dict[str, type[Stage]] = {"sft": Sft, "dpo": Dpo, "grpo": Grpo, "distill": Distill}
