"""Scores that other steps gave the samples of one step, row-aligned with them.

`select` asks for filters by name; what is found are the verdicts of the same filter, with the same
settings, on the same samples, whichever of the named steps published them. One set is read at a
time, shard by shard: 12 bytes a row stay. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from ...pipeline.artifact import Artifact
from ...pipeline.errors import RequestError, StepFailed
from ...pipeline.lineage import digest_of_samples
from ...pipeline.shards import read_table, shard_files
from ...pipeline.stage import Context
from ...pipeline.verdicts import VerdictSet, find_verdicts, read_verdict_sets
from ..mixing.lots import ids_as_numbers


class Scores:
    """The verdicts of some filters on the samples of a step.

    Args:
        verdicts: steps whose verdicts count, beside those that the source itself published.

    Raises:
        RequestError: a filter has not judged these samples.
    """

    def __init__(
        self, names: Iterable[str], source: Artifact, verdicts: Sequence[str], context: Context
    ) -> None:
        self._source = source
        places = [source, *(context.inputs[name] for name in verdicts)]
        self._found = {name: _find(name, places, context) for name in names}

    def read(self, name: str, ids: pl.Series) -> pl.DataFrame:
        """score (null: unknown) and reason (`<filter>_<reason>`), in the order of the samples.

        Args:
            ids: of all samples, as numbers.

        Raises:
            StepFailed: the verdicts are not those of these samples in their order.
        """
        reason = pl.format(f"{name}_{{}}", "reason").cast(pl.Categorical)
        return self._aligned(name, ids, {"score": pl.col("score"), "reason": reason}).drop("id")

    def duplicates(self, name: str, ids: pl.Series) -> pl.DataFrame:
        """id and of (numbers) of the samples that a filter calls a duplicate of another one.

        Raises:
            StepFailed: what stands in the evidence is no id.
        """
        named = pl.col("evidence").str.json_path_match("$.duplicate_of")
        found = self._aligned(name, ids, {"of": named}, only=pl.col("of").is_not_null())
        strange = found.filter(~pl.col("of").str.contains("^[0-9a-f]{16}$"))["of"]
        if len(strange):
            raise StepFailed(
                f"filter {name!r} says duplicate_of {strange[0]!r}; expected the id of a sample"
            )
        return found.select("id", of=ids_as_numbers(found["of"])).unique(maintain_order=True)

    def _aligned(
        self,
        name: str,
        ids: pl.Series,
        asked: Mapping[str, pl.Expr],
        only: pl.Expr | None = None,
    ) -> pl.DataFrame:
        """id and what is asked, of the rows that `only` holds for."""
        found = self._found[name]
        frames, seen = [], 0
        for frame in _frames(found, asked):
            if not frame["id"].equals(ids.slice(seen, len(frame))):
                break
            seen += len(frame)
            frames.append(frame if only is None else frame.filter(only))
        if seen != len(ids):
            raise StepFailed(
                f"{found.path} does not hold the verdicts of the {len(ids)} samples of step "
                f"{self._source.step!r} in their order. Remove its step's folder and run again"
            )
        return pl.concat(frames, rechunk=True)


def _frames(found: VerdictSet, asked: Mapping[str, pl.Expr]) -> Iterator[pl.DataFrame]:
    columns = {"id"}.union(*(each.meta.root_names() for each in asked.values()))
    for file in shard_files(found.path):
        frame = pl.DataFrame(read_table(file, sorted(columns)))
        yield frame.select(ids_as_numbers(frame["id"]).alias("id"), **asked)


def _find(name: str, places: Sequence[Artifact], context: Context) -> VerdictSet:
    identity = context.filters[name].identity(context.digest)
    digest = digest_of_samples(places[0])
    found = find_verdicts([place.path for place in places], identity, digest or "")
    if found is None:
        raise RequestError(_not_judged(name, places))
    return found


def _not_judged(name: str, places: Sequence[Artifact]) -> str:
    lines = []
    for place in places:
        sets = read_verdict_sets(place.path)
        what = ", ".join(sets) or "no verdicts"
        stale = f" (its {name!r} has other settings or judged other samples)" * (name in sets)
        lines.append(f"step {place.step!r} has {what}{stale}")
    return (
        f"select names filter {name!r}, but it has not judged the samples of step "
        f"{places[0].step!r}: {'; '.join(lines)}. Add {name!r} to the filters of a judge step "
        "that 'verdicts' names"
    )
