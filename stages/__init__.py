"""Steps on data. `STAGES` is the explicit table from name to class.

A stage is a frozen pydantic model with a `kind`, fields that the recipe may set, and `run`; see
`pipeline/stage.py`. Stages never import one another's classes or anything of `train` and `views`.
"""

from ..pipeline.stage import Stage
from .evaluate import Evaluate
from .export import Export
from .generate import Generate
from .judge import JudgeSamples
from .label import LabelByMajority
from .load import Load
from .mix import Mix
from .reuse import Reuse
from .select import Select

STAGES: dict[str, type[Stage]] = {
    "load": Load,
    "reuse": Reuse,
    "generate": Generate,
    "judge": JudgeSamples,
    "label": LabelByMajority,
    "select": Select,
    "mix": Mix,
    "evaluate": Evaluate,
    "export": Export,
}

__all__ = [
    "STAGES",
    "Evaluate",
    "Export",
    "Generate",
    "JudgeSamples",
    "LabelByMajority",
    "Load",
    "Mix",
    "Reuse",
    "Select",
]
