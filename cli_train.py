"""`potstill train KIND`: one command for each kind of training, its options the fields of the step.

Made when it is asked for, so `potstill --help` stays quick: the fields come from the step's class.
An option that is no field is refused with the closest one (`train/options.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Optional

import typer
from typer.core import TyperCommand

from .cli_common import WORK, Json, Wait, Work, Workers, build_plan
from .pipeline.errors import RequestError
from .pipeline.stage import Stage
from .pipeline.suggest import suggest
from .train import TRAINERS
from .train.options import options_of, sections

Settings = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads this annotation at run time
    typer.Option("--set", metavar="FIELD=VALUE", help="A field by its name in a recipe."),
]
Filters = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--filter", metavar="NAME.FIELD=VALUE", help="A setting of a filter in use."),
]
Rebuild = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--rebuild", metavar="STEP", help="Build this step again: model, or data."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Tell rows, memory, time and disk; train nothing.")
]


class TrainCommand(TyperCommand):
    """A command that lists the fields of a step before its own options."""

    stage: type[Stage]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Called by click for `--help`."""
        for title, rows in sections(options_of(self.stage)).items():
            with formatter.section(title):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)


def train_command(kind: str) -> Any:
    """The command of a kind of training.

    Raises:
        RequestError: there is no such kind.
    """
    if kind not in TRAINERS:
        raise RequestError(f"no kind of training {kind!r}; {suggest(kind, TRAINERS)}")
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    stage = TRAINERS[kind]
    app.command(
        kind,
        cls=TrainCommand,
        help=_help(stage),
        options_metavar="--data D --model M [OPTIONS]",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(_training(kind))
    command: Any = typer.main.get_command(app)
    command.stage = stage
    return command


def _help(stage: type[Stage]) -> str:
    first = (stage.__doc__ or "").strip().split("\n")[0].replace("`", "")
    return (
        f"{first}\n\nData and models are named by recipe/step, a path or hub:owner/name. Lists "
        "take commas, mappings NAME=VALUE, both JSON; a group such as --lora alone has its "
        "defaults."
    )


def _training(kind: str) -> Callable[..., None]:
    def train(
        words: typer.Context,
        set_: Settings = None,
        filters: Filters = None,
        name: Annotated[str, typer.Option("--name", help="Name of the run.")] = f"train-{kind}",
        dry_run: DryRun = False,
        rebuild: Rebuild = None,
        workers: Workers = 0,
        work: Work = WORK,
        wait: Wait = False,
        json: Json = False,
    ) -> None:
        from .catalog import CATALOG
        from .pipeline.plan import make_plan
        from .train.one_step import STEP, training_recipe
        from .train.option_values import settings_of

        settings = settings_of(words.args, options_of(TRAINERS[kind]), set_ or [])
        recipe = training_recipe(kind, name, settings, CATALOG, work, filters or [])
        if dry_run:
            _dry_run(recipe, STEP, work, workers, json)
        else:
            plan = make_plan(recipe, work)
            build_plan(plan, json, rebuild=rebuild or [], workers=workers, wait=wait)

    return train


def _dry_run(recipe: Any, step: str, work: Any, workers: int, json: bool) -> None:
    import sys

    from .train.estimating.dry_run import dry_run
    from .views.live import Live
    from .views.show_estimate import show_estimate
    from .views.terminal import make_console, print_json

    with Live(make_console(sys.stderr)) as live:
        facts = dry_run(recipe, step, work, workers, live)
    print_json(facts) if json else show_estimate(make_console(), facts)
