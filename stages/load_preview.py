"""`potstill load FILE --show`: what a `load` step would make of a file, before it is used.

The same reading as in a run, of the first rows only, so a file of a million rows is shown at once;
counts are those of the rows that were read. Nothing is written, and nothing is judged.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..pipeline.catalog import Catalog
from ..pipeline.errors import RequestError
from ..pipeline.external import resolve_external
from ..pipeline.hub_files import HubFiles
from ..pipeline.recipe import check_recipe
from ..pipeline.references import Reference, reference_kind
from ..pipeline.sample import Sample
from ..pipeline.sample_batches import samples_of
from ..pipeline.sample_ids import SampleIds
from ..pipeline.statcache import DigestCache
from ..pipeline.yaml_source import Source, override
from .load import BUILTINS, Load
from .reading.blocks import Block, Understood
from .reading.columns import Meaning
from .reading.files import DataFile
from .reading.preference import SIDES
from .reading.readers import limited, read_blocks
from .reading.samples import Reading, with_columns_of_ids
from .reading.shapes import Shape
from .reading.sources import DataSource
from .reading.stdin import STDIN, local_copy

HEAD: Final = 1000
"""Rows that are read at least, if there are as many."""
MOST_BAD: Final = 5
_HUB: Final = Reference("samples", ("hub",))


@dataclass
class LoadPreview:
    """What was understood. Counts are of the rows read."""

    source: str
    files: list[dict[str, Any]]
    """`path` (absolute), `format`, `compression`, `bytes`; of hub data those that were fetched."""
    recipe: str
    """The step that loads it like this."""
    license: str | None
    rows: int = 0
    """Rows of the source that were read."""
    whole: bool = False
    """Whether these are all."""
    samples: int = 0
    shape: str | None = None
    about: str | None = None
    other_shapes: list[str] = field(default_factory=list)
    """That the rows have too, and that are less specific."""
    columns: dict[str, str] = field(default_factory=dict)
    """By field of a sample: the column, or the text made of columns."""
    split: dict[str, Any] | None = None
    """`column`, `at` and `into` of a column that is cut in two first."""
    extra: list[str] = field(default_factory=list)
    """Columns that stand for nothing and are kept in `extra`."""
    thinking: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    bad: list[dict[str, Any]] = field(default_factory=list)
    """The first bad rows: `file`, `line`, `reason`, `text`."""
    shown: list[dict[str, Any]] = field(default_factory=list)
    """The first samples, whole; of pairs with their `side`."""

    def facts(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        return dict(vars(self))


def preview_load(source: str, settings: Sequence[str], rows: int) -> LoadPreview:
    """Read the head of a source as a `load` step with these settings would.

    Args:
        source: a file, a folder, `hub:owner/name[@rev]`, or `-` for standard input.
        settings: `FIELD=VALUE`, the fields of a load step.
        rows: samples to show.

    Raises:
        RequestError: the source or a setting is wrong.
    """
    if source in BUILTINS:
        raise RequestError(f"{source} is made, not read: it has nothing to be understood")
    with ExitStack() as stack:
        is_hub = reference_kind(source) == "hub"
        path = Path() if is_hub else stack.enter_context(local_copy(Path(source)))
        # A step cannot read standard input: its settings are checked on the copy.
        stage = _stage(source if is_hub else str(path.absolute()), settings)
        if is_hub:
            commit = resolve_external(source, _HUB, Path(), DigestCache(None)).digest
            opened, name = stage.opened(HubFiles(source, commit)), source
        else:
            opened, name = stage.opened(path), path.name.split(".")[0]
        found = LoadPreview(
            source, [], _recipe_line(source, settings), stage.license or opened.licence()
        )
        return _preview(found, opened, stage, stage.meaning(name), rows)


def _preview(
    found: LoadPreview, source: DataSource, stage: Load, means: Meaning, rows: int
) -> LoadPreview:
    stop = None if stage.rows is None else stage.skip + stage.rows
    reading = Reading(limited(read_blocks(source), stage.skip, stop), means, found.source)
    _take(found, reading, rows)
    found.files = [_file(file) for file in source.here()]
    shape = reading.means.shape
    found.shape, found.about = (shape.name, shape.about) if shape else (None, None)
    found.other_shapes = _others(reading.shapes, shape)
    if split := reading.means.split:
        found.split = {"column": split.column, "at": split.at, "into": list(split.into)}
    found.columns = reading.columns
    return found


def _file(file: DataFile) -> dict[str, Any]:
    return {
        "path": str(file.path.absolute()),
        "format": file.format,
        "compression": file.compression,
        "bytes": file.bytes,
    }


def _others(shapes: Sequence[Shape], taken: Shape | None) -> list[str]:
    """What the rows could be too, without those that only need less."""
    return [
        other.name
        for other in shapes
        if other != taken and not any(other.needs < shape.needs for shape in shapes)
    ]


def _take(found: LoadPreview, reading: Reading, rows: int) -> None:
    """Read blocks until there are rows enough, and count."""
    ids, forms = SampleIds(), Counter[str]()
    languages, tasks, reasons = Counter[str](), Counter[str](), Counter[str]()
    extra: dict[str, None] = {}
    found.whole = True
    for block, made in reading:
        if found.rows >= HEAD:
            found.whole = False
            break
        found.rows += made.used + len(made.bad)
        found.samples += made.samples.height
        forms.update(made.forms)
        for counter, column in ((languages, "language"), (tasks, "task")):
            counter.update(value or "unknown" for value in made.samples[column])
        reasons.update(bad.reason for bad in made.bad)
        _note_bad(found, block, made)
        for sample in itertools.islice(_samples(ids, made), HEAD):
            extra.update(dict.fromkeys(json.loads(sample.extra)))
            if len(found.shown) < rows:
                side = {"side": SIDES[len(found.shown) % 2]} if reading.means.of_pairs else {}
                found.shown.append(sample.to_row() | side)
    found.thinking, found.quarantined = _ranked(forms), _ranked(reasons)
    found.languages, found.tasks = _ranked(languages), _ranked(tasks)
    found.extra = sorted(extra)


def _note_bad(found: LoadPreview, block: Block, made: Understood) -> None:
    for bad in made.bad[: MOST_BAD - len(found.bad)]:
        row = {"file": block.file, "line": bad.number, "reason": bad.reason, "text": bad.text}
        found.bad.append(row)


def _samples(ids: SampleIds, made: Understood) -> Iterable[Sample]:
    batches = with_columns_of_ids(ids, made.samples).combine_chunks().to_batches()
    return itertools.chain.from_iterable(map(samples_of, batches))


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _stage(source: str, settings: Sequence[str]) -> Load:
    """The step as a recipe would have it."""
    stage = check_recipe(_recipe(source, settings), Catalog({"load": Load}, {})).steps["rows"]
    if not isinstance(stage, Load):
        raise TypeError(f"{stage!r} is no load step")
    return stage


def _recipe(source: str, settings: Sequence[str]) -> Source:
    values = {"potstill": 1, "name": "load", "steps": {"rows": {"load": {"source": source}}}}
    recipe = Source(Path("load"), values)
    for assignment in settings:
        override(recipe, assignment, within=("steps", "rows", "load"))
    return recipe


def _recipe_line(source: str, settings: Sequence[str]) -> str:
    """The step with these settings, as YAML that can be pasted."""
    if source == STDIN:
        given = "./SAVED_FILE"
    elif reference_kind(source) == "word":
        given = f"./{source}"
    else:
        given = source
    load = _recipe(given, settings).values["steps"]["rows"]["load"]
    return f"load: {json.dumps(load, ensure_ascii=False)}"
