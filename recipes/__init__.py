"""Runnable recipes, smallest first, and the starter that `potstill init` writes."""

from __future__ import annotations

import os
from pathlib import Path

from ..pipeline.errors import RequestError
from ..pipeline.shards import write_text

HERE = Path(__file__).resolve().parent
NAME = "recipe.yaml"


def write_starter(folder: Path) -> str:
    """Write `recipe.yaml` into a folder; returns what to tell the user.

    Raises:
        RequestError: there is one already; nothing is overwritten.
    """
    target = folder / NAME
    if target.exists():
        raise RequestError(f"{target} exists already; choose another folder: potstill init FOLDER")
    text = (HERE / "starter.yaml").read_text(encoding="utf-8")
    models = os.path.relpath(HERE / "quickstart", folder.resolve())
    if not models.startswith(".."):
        models = f"./{models}"
    try:
        write_text(target, text.replace("QUICKSTART", models))
    except OSError as error:
        raise RequestError(f"{target} cannot be written: {error.strerror}") from error
    return f"wrote {target}\nnext: potstill plan {target}, then: potstill run {target}"
