"""Scores that other steps gave the samples of one step, row-aligned with them.

`select` asks for filters by name; what is found are the verdicts of the same filter, with the same
settings, on the same samples, whichever of the named steps published them. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.shards import read_table, shard_files
from ..pipeline.stage import Context
from ..pipeline.verdicts import VerdictSet, find_verdicts, read_verdict_sets, samples_digest

Scores = Mapping[str, pl.DataFrame]
"""By filter: the columns score (float or null) and reason, in the order of the samples."""


def read_scores(
    names: Iterable[str],
    source: Artifact,
    verdicts: Sequence[str],
    ids: pl.Series,
    context: Context,
) -> Scores:
    """The verdicts of some filters on the samples of `source`.

    Args:
        verdicts: steps whose verdicts count, beside those that the source itself published.
        ids: of the source's samples.

    Raises:
        RequestError: a filter has not judged these samples.
        StepFailed: verdicts do not belong to the samples.
    """
    places = [source, *(context.inputs[name] for name in verdicts)]
    digest = samples_digest(source.path)
    found = {}
    for name in names:
        identity = context.filters[name].identity(context.digest)
        verdict_set = find_verdicts([place.path for place in places], identity, digest)
        if verdict_set is None:
            raise RequestError(_not_judged(name, places, source))
        found[name] = _aligned(verdict_set, source, ids)
    return found


def _aligned(found: VerdictSet, source: Artifact, ids: pl.Series) -> pl.DataFrame:
    frame = pl.DataFrame(read_table(shard_files(found.path), ["id", "score", "reason"]))
    if not frame["id"].equals(ids):
        raise StepFailed(
            f"{found.path} does not hold the verdicts of the {len(ids)} samples of step "
            f"{source.step!r} in their order. Remove its step's folder and run again"
        )
    return frame


def _not_judged(name: str, places: list[Artifact], source: Artifact) -> str:
    lines = []
    for place in places:
        sets = read_verdict_sets(place.path)
        what = ", ".join(sets) or "no verdicts"
        stale = f" (its {name!r} has other settings or judged other samples)" * (name in sets)
        lines.append(f"step {place.step!r} has {what}{stale}")
    return (
        f"select names filter {name!r}, but it has not judged the samples of step {source.step!r}: "
        f"{'; '.join(lines)}. Add {name!r} to the filters of a judge step that 'verdicts' names"
    )
