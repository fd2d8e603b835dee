"""What the policy wrote, with verdicts: kept while training, an artifact of its own afterwards.

    state/<step>/checkpoints/samples/00000012-000.parquet   while training, one file a generation
    <step>-<hash>/samples/part-*.parquet                    when it is done: rows of samples
    <step>-<hash>/samples/verdicts/<filter>/part-*.parquet  row-aligned, as every verdict

A file is whole or not there, and goes when the training goes back behind it, so a kill neither
loses nor doubles a row. Memory holds one generation. `inspect` and `why` open the result, which
has a manifest of its own; beside the columns of every sample it has those of `OWN_COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ...pipeline.artifact import write_manifest
from ...pipeline.sample import SAMPLE_SCHEMA, Sample, with_ids
from ...pipeline.shards import RowWriter, read_table, shard_files, write_table
from ...pipeline.verdict import VERDICT_SCHEMA, Verdict
from ...pipeline.verdicts import VerdictWriter, samples_digest
from .rollouts import Batch, Rollout

OWN_COLUMNS: Final = (
    pa.field("step", pa.int64()),  # the optimizer step it was written for, from 0
    pa.field("reward", pa.float64()),  # None: unknown
    pa.field("advantage", pa.float64()),  # None: not trained on
)
SAVED_SCHEMA: Final = pa.schema([*SAMPLE_SCHEMA, *OWN_COLUMNS])
_VERDICT: Final = pa.struct([pa.field("filter", pa.string()), *VERDICT_SCHEMA])
_KEPT_SCHEMA: Final = SAVED_SCHEMA.append(pa.field("verdicts", pa.list_(_VERDICT)))

NOT_ASKED: Final = Verdict(None, "not_asked")
"""In the place of a filter that judges other tasks only, so that verdicts stay row-aligned."""


class SampleKeeper:
    """Writes the completions of each generation below a training's state."""

    def __init__(self, folder: Path, most: int | None) -> None:
        """`most`: completions kept of a generation; None: all."""
        self.folder = folder
        self._most = most

    def begin(self, step: int) -> None:
        """Forget what was written for this step and later ones: it is written again."""
        for file in self.folder.glob("*.parquet"):
            if int(file.name.partition("-")[0]) >= step:
                file.unlink()

    def keep(
        self, step: int, share: tuple[int, int], batch: Batch, advantages: Sequence[float]
    ) -> None:
        """One file: what was trained on, then what was replaced.

        Args:
            share: number of this process, and of all.
            advantages: of the batch's completions, in order.
        """
        process, processes = share
        pairs: list[tuple[Rollout, float | None]] = [
            (rollout, None if rollout.judged.reward is None else advantage)
            for rollout, advantage in zip(batch.rollouts, advantages, strict=True)
        ]
        pairs += [(rollout, None) for group in batch.replaced for rollout in group.rollouts]
        if self._most is not None:
            pairs = pairs[: self._most // processes + (process < self._most % processes)]
        if pairs:
            rows = [_kept_row(step, rollout, advantage) for rollout, advantage in pairs]
            table = pa.Table.from_pylist(rows, schema=_KEPT_SCHEMA)
            write_table(self.folder / f"{step:08d}-{process:03d}.parquet", table)


def publish_samples(
    kept: Path, out: Path, step: str, address: str, identities: Mapping[str, Mapping[str, Any]]
) -> int:
    """Turn what was kept into an artifact; returns its number of rows. None: nothing is written.

    Args:
        step: its name, as `inspect` shows it.
        identities: of each filter of the reward (`Filter.identity`).
    """
    files = sorted(kept.glob("*.parquet"))
    if not files:
        return 0
    samples = RowWriter(out, SAVED_SCHEMA)
    for sample, row in zip(with_ids(map(Sample.from_row, _rows(files))), _rows(files), strict=True):
        samples.put({**sample.to_row(), **{field.name: row[field.name] for field in OWN_COLUMNS}})
    samples.close()
    _publish_verdicts(files, out, identities)
    body = {
        "potstill": 1,
        "step": step,
        "address": address,
        "identity": {"kind": "policy_samples", "inputs": {}},
        "inputs": {},
        "rows": samples.total,
        "metrics": {"generations": len({file.name.partition("-")[0] for file in files})},
        "versions": {},
    }
    write_manifest(out, body, {})
    return samples.total


def _publish_verdicts(
    files: Sequence[Path], out: Path, identities: Mapping[str, Mapping[str, Any]]
) -> None:
    digest = samples_digest(out)
    writers = {
        name: VerdictWriter(out, name, identity, digest) for name, identity in identities.items()
    }
    ids = (id_ for file in shard_files(out) for id_ in read_table(file, ["id"])["id"].to_pylist())
    for sample_id, row in zip(ids, _rows(files), strict=True):
        said = {each["filter"]: Verdict.from_row(each) for each in row["verdicts"]}
        for name, writer in writers.items():
            writer.put(sample_id, said.get(name, NOT_ASKED))
    for writer in writers.values():
        writer.close()


def _rows(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from read_table(file).to_pylist()


def _kept_row(step: int, rollout: Rollout, advantage: float | None) -> dict[str, Any]:
    verdicts = rollout.judged.verdicts.items()
    return {
        **rollout.sample.to_row(),
        "step": step,
        "reward": rollout.judged.reward,
        "advantage": advantage,
        "verdicts": [{"filter": name, **verdict.to_row("")} for name, verdict in verdicts],
    }
