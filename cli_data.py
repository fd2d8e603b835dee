"""The commands about data: look at it, ask why, compare, publish, verify, clean up.

As in `cli.py` each parses its arguments, calls one function and prints what it returns; everything
is imported inside the command that needs it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from .cli_common import WORK, Json, Set, Step, Wait, Work, Workers

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it only what would be done.")]


def load(
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="A file, a folder, hub:owner/name, or -.")
    ],
    show: Annotated[bool, typer.Option("--show", help="Show what was understood (always).")] = True,
    set_: Set = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows to show.")] = 3,
    json: Json = False,
) -> None:
    """Show what is understood of a file before it is used: its shape, columns and first rows.

    --set FIELD=VALUE gives any field of a load step: --set columns.prompt=question.
    """
    from .stages.load_preview import preview_load
    from .views.show_load import show_load
    from .views.terminal import make_console, print_json

    found = preview_load(source, set_ or [], rows)
    print_json(found.facts()) if json else show_load(make_console(), found)


def inspect(
    what: Step,
    where: Annotated[
        Optional[str],  # noqa: UP045 - typer reads this annotation at run time
        typer.Option("--where", help="An SQL condition on the rows."),
    ] = None,
    sample: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--sample", min=1, help="Show N rows whole."),
    ] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="What was left out.")] = False,
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--by", help="With --rejected: reason, or a column."),
    ] = None,
    id_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--id", help="The row with this id (or prefix)."),
    ] = None,
    columns: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--columns", help="Only these, with commas."),
    ] = None,
    diff: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--diff", metavar="OTHER", help="What differs."),
    ] = None,
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Look into a step's dataset, or any parquet or JSONL file."""
    from .pipeline.locate import find_path
    from .views.diff import diff as compare_rows
    from .views.diff import show_diff
    from .views.inspect import inspect as look
    from .views.inspect import show_inspection
    from .views.terminal import make_console, print_json

    path = find_path(work, what)
    if diff is not None:
        differences = compare_rows(path, find_path(work, diff), where, sample)
        print_json(differences.facts()) if json else show_diff(make_console(), differences)
        return
    found = look(
        path, where=where, sample=sample, rejected=rejected, by=by, id=id_, columns=columns
    )
    print_json(found.facts()) if json else show_inspection(make_console(), found)


def why(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="An id or 6+ of it, your data's, or words.")
    ],
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Tell the whole life of one sample or problem."""
    from .pipeline.locate import all_latest
    from .views.terminal import make_console, print_json
    from .views.why import show_why
    from .views.why import why as explain

    life = explain(all_latest(work), id_)
    print_json(life.facts()) if json else show_why(make_console(), life)


def judge(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Anything that load reads.")],
    with_: Annotated[
        str, typer.Option("--with", metavar="NAMES", help="Filters, with commas.")
    ] = "",
    set_: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", metavar="NAME.FIELD=VALUE", help="A setting of a filter."),
    ] = None,
    check_keys: Annotated[
        bool, typer.Option("--check-keys", help="List the keys that cannot be accepted.")
    ] = False,
    workers: Workers = 0,
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Judge the rows of a file: one verdict per row and filter, in order.

    With --check-keys each key is judged against itself instead (filter math unless --with says
    another), and those not accepted are listed; exit code 1 if there are any.
    """
    from .catalog import CATALOG
    from .stages.check_keys import check_keys as check
    from .stages.judge_file import judge_file
    from .views.terminal import make_console, print_json
    from .views.verdicts import show_keys, show_verdicts

    names = (with_ or ("math" if check_keys else "")).split(",")
    read = check if check_keys else judge_file
    found = read(file, names, CATALOG, workers, work=work, settings=set_ or [])
    if check_keys:
        raise typer.Exit(int(show_keys(make_console(), found, json) > 0))
    if json:
        for verdict in found:
            print_json(verdict, indent=None)
    else:
        show_verdicts(make_console(), found)


def compare(
    what: Annotated[
        list[str], typer.Argument(metavar="A B…", help="Steps, runs or paths, side by side.")
    ],
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Compare mixtures, evaluations, datasets or whole runs, side by side."""
    from .views.compare import compare as compare_all
    from .views.compare import show_comparison
    from .views.terminal import make_console, print_json

    found = compare_all(work, what)
    print_json(found.facts()) if json else show_comparison(make_console(), found)


def publish(
    what: Step,
    to: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository on the hub.")],
    private: Annotated[bool, typer.Option("--private", help="Make a private repository.")] = False,
    allow: Annotated[
        str, typer.Option("--allow", metavar="KINDS", help="Findings of the scan to let pass.")
    ] = "",
    token_env: Annotated[
        str, typer.Option("--token-env", help="Environment variable with the hub's token.")
    ] = "HF_TOKEN",
    yes: Yes = False,
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Upload an export or a model to the hub; without --yes show what would be uploaded.

    Refused where the scan finds secrets or e-mail addresses, unless --allow names their kind.
    """
    from .pipeline.locate import find_path
    from .stages.publishing.publish import publish as upload
    from .views.show_publication import show_publication
    from .views.terminal import make_console, print_json

    kinds = frozenset(filter(None, allow.split(",")))
    found = upload(
        find_path(work, what), to, allow=kinds, private=private, token_env=token_env, really=yes
    )
    print_json(found.facts()) if json else show_publication(make_console(), found)
    raise typer.Exit(int(found.refused))


def verify(
    what: Annotated[
        list[str], typer.Argument(metavar="PATH…", help="Datasets, steps, runs, or work folders.")
    ],
    work: Work = WORK,
    json: Json = False,
) -> None:
    """Check files against their manifest, byte by byte; exit code 1 if anything differs."""
    from .pipeline.verify import verify as check
    from .views.show_verification import ReadingProgress, show_verification
    from .views.terminal import make_console, print_json

    with ReadingProgress(make_console(sys.stderr)) as listen:
        found = check(work, what, listen)
    print_json(found.facts()) if json else show_verification(make_console(), found)
    raise typer.Exit(int(not found.whole))


def gc(
    recipes: Annotated[
        list[Path], typer.Argument(metavar="RECIPE…", help="Recipes whose artifacts are needed.")
    ],
    work: Work = WORK,
    set_: Set = None,
    yes: Yes = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Remove what no given recipe needs any more; without --yes show what would be removed.

    What was paid for (the journal) and recipes that are not named are never touched.
    """
    from .catalog import CATALOG
    from .pipeline.garbage import collect_garbage
    from .views.show_garbage import say_on_stderr, show_garbage
    from .views.terminal import make_console, print_json

    found = collect_garbage(
        recipes, CATALOG, work, set_ or [], really=yes, wait=wait, tell=say_on_stderr
    )
    print_json(found.facts()) if json else show_garbage(make_console(), found)


DATA_COMMANDS = (load, inspect, why, judge, compare, publish, verify, gc)
