"""One training step without writing a recipe: the same recipe, built in Python.

`potstill train sft --data D --model M` loads D and trains M on it, with artifacts, manifest and
lock like any run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..pipeline.catalog import Catalog
from ..pipeline.recipe import Recipe, check_recipe
from ..pipeline.yaml_source import Source, override


def training_recipe(
    kind: str, name: str, data: Path, model: str, overrides: Sequence[str], catalog: Catalog
) -> Recipe:
    """A recipe of two steps, `data` and `model`.

    Args:
        kind: the training step, such as `sft`.
        data: a file or an artifact's folder.
        model: a model folder or `hub:owner/name`.
        overrides: `FIELD=VALUE` for fields of the training step.
    """
    if not model.startswith(("hub:", "./", "../", "/")):
        model = f"./{model}"
    values: dict[str, Any] = {
        "potstill": 1,
        "name": name,
        "steps": {
            "data": {"load": {"source": str(data)}},
            "model": {kind: {"data": "data", "model": model}},
        },
    }
    source = Source(Path(f"train {kind}"), values)
    for assignment in overrides:
        override(source, f"steps.model.{kind}.{assignment}")
    source.overridden.add(("steps",))  # all of it came from the command line: paths start here
    return check_recipe(source, catalog)
