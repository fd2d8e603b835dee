"""The commands: each parses its arguments, calls one function and prints what it returns.

No logic and no heavy imports here: everything is imported inside the command that needs it, so
`potstill --help` answers at once. Exit codes: 0 done, 1 the work failed, 2 the request was wrong,
75 stopped on purpose (the same command goes on).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .cli_common import (
    WORK,
    Json,
    Limit,
    MaxHours,
    MaxRequests,
    MaxTokens,
    MaxUsd,
    ModelOption,
    Recipe,
    Set,
    Step,
    TemplateSet,
    Wait,
    Work,
    Workers,
    build_plan,
    show_facts,
)
from .cli_data import DATA_COMMANDS

app = typer.Typer(
    help="Distil a reasoning teacher into a small reasoning student, step by step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Distil a reasoning teacher into a small reasoning student, step by step."""
    if version:
        from . import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command()
def run(
    recipe: Recipe,
    to: Annotated[str, typer.Option("--to", help="Stop after this step.")] = "",
    only: Annotated[str, typer.Option("--only", help="Build this step alone.")] = "",
    rebuild: Annotated[list[str], typer.Option("--rebuild", help="Build this step again.")] = [],  # noqa: B006
    limit: Limit = None,
    work: Work = WORK,
    set_: Set = None,
    workers: Workers = 0,
    max_tokens: MaxTokens = None,
    max_requests: MaxRequests = None,
    max_usd: MaxUsd = None,
    max_hours: MaxHours = None,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Build what is missing, with live progress; what is there already is left alone.

    Ctrl-C finishes what is in flight, a second one stops at once; the same command goes on. So it
    does after a cap of this run (--max-…) was reached.
    """
    from .pipeline.budget import Budget

    budget = Budget.of(max_tokens, max_requests, max_usd, max_hours)
    plan = _plan(recipe, set_, work, limit)
    steps = {"to": to, "only": only, "rebuild": rebuild}
    build_plan(plan, json, **steps, workers=workers, wait=wait, budget=budget)


@app.command()
def plan(
    recipe: Recipe,
    limit: Limit = None,
    work: Work = WORK,
    set_: Set = None,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Show exactly what teachers would be sent.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the graph: what is cached, what will run and why, and what it would buy."""
    from .pipeline.peek import plan_facts
    from .views.tables import show_plan

    plan = _plan(recipe, set_, work, limit)
    if show_prompt:
        _show_prompts(plan, recipe, json)
    else:
        show_facts(plan_facts(plan), json, show_plan)


@app.command()
def status(
    recipe: Recipe,
    limit: Limit = None,
    work: Work = WORK,
    set_: Set = None,
    json: Json = False,
) -> None:
    """Show steps, states, rows, metrics, sizes, where everything is, and what could be removed."""
    from .views.status import print_status, read_status
    from .views.terminal import make_console, print_json

    found = read_status(_plan(recipe, set_, work, limit))
    print_json(found.facts()) if json else print_status(make_console(), found)


for command in DATA_COMMANDS:
    app.command()(command)


@app.command()
def lint(
    what: Step,
    model: ModelOption,
    max_length: Annotated[int, typer.Option("--max-length", min=0, help="0: the model's.")] = 0,
    show: Annotated[int, typer.Option("--show", min=0, help="Examples of each finding.")] = 3,
    set_: TemplateSet = None,
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Check what a student would see of these rows, with the tokens that prove each finding.

    Exit code 0 clean, 1 findings (errors or warnings; notes are facts), 2 wrong request.
    """
    from .models.lint.command import lint_file
    from .pipeline.assignments import assigned
    from .pipeline.locate import find_path
    from .pipeline.locate_model import find_model
    from .stages.reading.samples import read_samples
    from .views.show_lint import LintProgress, show_lint
    from .views.terminal import make_console, print_json

    folder, rows = find_model(work, model), read_samples(find_path(work, what))
    with LintProgress(make_console(sys.stderr)) as listen:
        report = lint_file(folder, rows, assigned(set_), max_length or None, show, listen)
    print_json(report.facts()) if json else show_lint(make_console(), report)
    raise typer.Exit(int(not report.clean))


@app.command()
def tokens(
    what: Step,
    model: ModelOption,
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows.")] = 3,
    id_: Annotated[str, typer.Option("--id", help="Rows with this id (or prefix).")] = "",
    html: Annotated[str, typer.Option("--html", metavar="FILE", help="Write a page.")] = "",
    set_: TemplateSet = None,
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Show rows token by token, as the student would see them, with what is trained."""
    from .models.chat import load_tokenizer
    from .models.token_rows import token_rows
    from .pipeline.assignments import assigned
    from .pipeline.locate import find_path
    from .pipeline.locate_model import find_model
    from .stages.reading.samples import read_samples
    from .views.show_tokens import show_tokens
    from .views.terminal import make_console, print_json

    tokenizer = load_tokenizer(find_model(work, model))
    samples = read_samples(find_path(work, what))
    found = token_rows(tokenizer, samples, assigned(set_), limit=rows, id=id_ or None)
    if json:
        print_json([row.facts() for row in found])
    else:
        show_tokens(make_console(), found, Path(html) if html else None)


@app.command()
def doctor(work: Work = WORK, json: Json = False) -> None:
    """Check versions, GPU, engines and sandbox: what works here and what to install."""
    from .views.doctor import doctor as examine
    from .views.doctor import show_checks
    from .views.terminal import make_console, print_json

    checks = examine(work)
    print_json([check.facts() for check in checks]) if json else show_checks(make_console(), checks)
    raise typer.Exit(int(any(check.state == "broken" for check in checks)))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to put the recipe.")] = Path("."),
) -> None:
    """Write a starter recipe that runs as it is."""
    from .recipes import write_starter

    typer.echo(write_starter(folder))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a recipe, for editors."""
    from .catalog import CATALOG
    from .pipeline.schema import recipe_schema
    from .views.terminal import print_json

    print_json(recipe_schema(CATALOG))


class TrainCommands(TyperGroup):
    """`train KIND`: a command for each kind of training, made when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the kinds."""
        from .train import TRAINERS

        return list(TRAINERS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a kind, or an error that names the closest one."""
        from .cli_train import train_command

        return train_command(cmd_name)


app.add_typer(
    typer.Typer(cls=TrainCommands, no_args_is_help=True, rich_markup_mode=None),
    name="train",
    help="One training step without writing a recipe.",
)


def _plan(recipe: Path, overrides: list[str] | None, work: Path, limit: int | None) -> Any:
    from .catalog import CATALOG
    from .pipeline.plan import make_plan
    from .pipeline.recipe import load_recipe

    return make_plan(load_recipe(recipe, CATALOG, overrides or []), work, limit)


def _show_prompts(plan: Any, recipe: Path, json: bool) -> None:
    from .pipeline.peek import previews
    from .views.show_forecast import show_waiting
    from .views.show_prompt import show_previews
    from .views.terminal import make_console, print_json

    found: Any = previews(plan)
    if json:
        print_json(found.facts())
    else:
        console = make_console()
        show_previews(console, list(found.shown.values()))
        show_waiting(console, found.waiting, recipe)


def main() -> None:
    """The console script."""
    from .views.exits import leave

    leave(app)


if __name__ == "__main__":
    main()
