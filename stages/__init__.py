"""Steps on data. `STAGES` is the explicit table from name to class.

A stage is a frozen pydantic model with a `kind`, fields that the recipe may set, and `run`; see
`pipeline/stage.py`. Stages never import one another's classes or anything of `train` and `views`.
"""

from ..pipeline.catalog import Kinds
from ..pipeline.stage import Stage

STAGES: Kinds[Stage] = Kinds(
    __name__,
    {
        "load": "load:Load",
        "reuse": "reuse:Reuse",
        "generate": "generate:Generate",
        "judge": "judge:JudgeSamples",
        "label": "label:LabelByMajority",
        "select": "select:Select",
        "mix": "mix:Mix",
        "evaluate": "evaluate:Evaluate",
        "export": "export:Export",
    },
)
