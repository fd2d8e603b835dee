"""The commands: each parses its arguments, calls one function and prints what it returns.

No logic and no heavy imports here: everything is imported inside the command that needs it, so
`potstill --help` answers at once. Exit codes: 0 done, 1 the work failed, 2 the request was wrong,
75 stopped on purpose (the same command goes on).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

app = typer.Typer(
    help="Distil a reasoning teacher into a small reasoning student, step by step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
train_app = typer.Typer(help="One training step without writing a recipe.", no_args_is_help=True)
app.add_typer(train_app, name="train")

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
Workers = Annotated[int, typer.Option("--workers", min=0, help="Worker processes; 0: all cores.")]
WORK = Path("work")
