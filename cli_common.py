"""What several commands share: options as typer reads them, building a plan, showing facts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

Recipe = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe file (YAML).")]
Work = Annotated[Path, typer.Option("--work", help="Where artifacts are kept.")]
Set = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads this annotation at run time
    typer.Option("--set", metavar="KEY=VALUE", help="Override: steps.NAME.KIND.FIELD=VALUE."),
]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON; paths are absolute.")]
Limit = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--limit", min=1, help="A smoke run of N problems, kept apart."),
]
Step = Annotated[str, typer.Argument(metavar="STEP-OR-PATH", help="recipe/step, or a path.")]
MaxTokens = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--max-tokens", metavar="N", help="Stop when N tokens have been bought."),
]
MaxRequests = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--max-requests", metavar="N", help="Stop when N answers have been bought."),
]
MaxUsd = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--max-usd", metavar="X", help="Stop when teachers have cost X dollars."),
]
MaxHours = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--max-hours", metavar="H", help="Stop after H hours."),
]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Worker processes; 0: all cores.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another run to end.")]
ModelOption = Annotated[
    str, typer.Option("--model", metavar="M", help="A folder, recipe/step or hub:owner/name.")
]
TemplateSet = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="NAME=VALUE", help="For the chat template: enable_thinking=…"),
]
WORK = Path("work")


def build_plan(plan: Any, json: bool, **options: Any) -> None:
    """Build a plan with live progress, and print what came out."""
    from .pipeline.runner import build
    from .pipeline.status import read_states
    from .views.live import Live
    from .views.outcome import show_outcome
    from .views.terminal import make_console

    with Live(make_console(sys.stderr)) as live:
        build(plan, **options, listen=live)
    show_facts([state.facts() for state in read_states(plan)], json, show_outcome)


def show_facts(
    facts: list[dict[str, Any]],
    json: bool,
    show: Callable[[Any, list[dict[str, Any]]], None],
) -> None:
    from .views.terminal import make_console, print_json

    if json:
        print_json({"steps": {fact["name"]: fact for fact in facts}})
    else:
        show(make_console(), facts)
