"""Steps on models. `TRAINERS` is the explicit table from name to class."""

from __future__ import annotations

from ..pipeline.stage import Stage
from .sft import Sft

TRAINERS: dict[str, type[Stage]] = {"sft": Sft}
