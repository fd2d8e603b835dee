"""One training step without writing a recipe: the same recipe, built from a command line.

`potstill train sft --data D --model M` is a recipe with one training step and the steps that bring
its data. A finished step is reused as it is, anything else is loaded; a filter that a field names
has the settings of `--filter`. From there on it is a run like any other: artifacts, manifest, lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..pipeline.artifact import MANIFEST
from ..pipeline.catalog import Catalog
from ..pipeline.errors import RequestError
from ..pipeline.locate import find_path
from ..pipeline.recipe import Recipe, check_recipe
from ..pipeline.references import Location, Marked, Reference, UsesFilter, reference_kind, walk
from ..pipeline.suggest import suggest
from ..pipeline.yaml_source import Source, override

STEP: Final = "model"
"""Name of the step that trains."""
DRY_RUN: Final = "dry_run"
"""Kind of the step that stands in its place when it is only looked at (estimating/dry_run.py)."""


def training_recipe(
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    catalog: Catalog,
    work: Path,
    filters: Iterable[str] = (),
) -> Recipe:
    """A recipe with one training step.

    Args:
        kind: of the training step, such as `sft`.
        settings: its fields. Datasets are `recipe/step`, a path or a hub id; models too.
        work: where `recipe/step` is looked up.
        filters: `NAME.FIELD=VALUE`; a filter without one has its defaults.

    Raises:
        RequestError: a field, a value or a filter is not understood, or something is not there.
    """
    steps: dict[str, Any] = {STEP: {kind: dict(settings)}}
    values = {"potstill": 1, "name": name, "filters": {}, "steps": steps}
    source = _CommandLine(Path(f"train {kind}"), values)
    stage = check_recipe(source, catalog).steps[STEP]
    marks = list(walk(stage))
    values["filters"] = _filters(source, marks, filters)
    # As the step calls its fields: a reference is then found where it is marked, alias or not.
    steps[STEP][kind] = stage.model_dump(mode="json", exclude_unset=True)
    for marked in marks:
        if isinstance(marked.mark, Reference) and "step" in marked.mark.accepts:
            _resolve(marked, source, steps[STEP][kind], work)
    return check_recipe(source, catalog)


def _filters(
    command: _CommandLine, marks: Sequence[Marked], assignments: Iterable[str]
) -> dict[str, Any]:
    """The filters that fields name, each of the kind of its name unless it is given another."""
    used = {marked.value: marked.at for marked in marks if isinstance(marked.mark, UsesFilter)}
    command.flags |= {("filters", name): _flag(at) for name, at in used.items()}
    source = Source(Path(), {"filters": {name: {"kind": name} for name in sorted(used)}})
    for assignment in assignments:
        name = assignment.partition(".")[0]
        if name not in used:
            raise RequestError(
                f"--filter {assignment}: no field names {name!r}; {suggest(name, used)}"
            )
        override(source, assignment, within=("filters",))
    filters: dict[str, Any] = source.values["filters"]
    return filters


def _resolve(marked: Marked, source: _CommandLine, settings: dict[str, Any], work: Path) -> None:
    """Let a field that names a dataset name the step that brings it; a model, its folder."""
    value = marked.value
    if reference_kind(value) == "word":
        value = str(find_path(work, value))
    if marked.mark.produces == "samples":
        step = "_".join(map(str, marked.at))
        source.values["steps"][step] = _bring(value)
        source.flags["steps", step] = _flag(marked.at)
        value = step
    *parents, last = marked.at
    holder: Any = settings
    for part in parents:
        holder = holder[part]
    holder[last] = value


def _bring(source: str) -> dict[str, Any]:
    finished = reference_kind(source) == "path" and (Path(source) / MANIFEST).exists()
    return {"reuse" if finished else "load": {"source": source}}


def _flag(at: Location) -> str:
    return f"--{'.'.join(map(str, at)).replace('_', '-')}"


@dataclass
class _CommandLine(Source):
    """A recipe that no file holds: messages name the option, paths start at the current folder."""

    flags: dict[Location, str] = field(default_factory=dict)
    """The options that brought a filter, or a step beside the one that trains."""

    def where(self, at: Location) -> str:
        """`--lora.r` for a field of the training step, `--filter math.timeout` for a filter's."""
        if at[:1] == ("filters",) and len(at) > 2:
            return f"--filter {'.'.join(map(str, at[1:]))}"
        if at[:2] == ("steps", STEP) and len(at) > 3:
            return _flag(at[4:] if at[2] == DRY_RUN else at[3:])
        return self.flags.get(at[:2], str(self.path))

    def base(self, at: Location) -> Path:
        """Where relative paths start."""
        return Path.cwd()
