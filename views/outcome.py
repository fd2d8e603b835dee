"""What a user wants to see when `run` ends: what came out and how to look at it.

Takes the same facts as `status --json` prints; shows the evaluations side by side and names the
commands that look further. Nothing is read from disk here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from .tables import show_results
from .terminal import one_line

MODELS = frozenset({"sft", "dpo", "grpo", "distill"})
EVALUATION = "evaluate"


def show_outcome(console: Console, facts: Sequence[Mapping[str, Any]]) -> None:
    """The results table, where the models lie, and what to do next."""
    done = [fact for fact in facts if fact["state"] == "complete"]
    evaluations = {fact["name"]: fact["metrics"] for fact in done if fact["kind"] == EVALUATION}
    if evaluations:
        console.print()
        show_results(console, evaluations)
    models = [fact for fact in done if fact["kind"] in MODELS]
    if models:
        console.print()
        for fact in models:
            console.print(f"model {one_line(fact['name'])}: {one_line(fact['path'])}")
    with_rows = [fact for fact in done if fact["kind"] not in MODELS]
    if with_rows:
        console.print()
        run_dir = one_line(Path(with_rows[-1]["path"]).parent.name)
        step = one_line(with_rows[-1]["name"])
        console.print(f"look further: potstill inspect {run_dir}/{step} --sample 3")
