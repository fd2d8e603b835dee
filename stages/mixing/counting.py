"""Tokens of all samples of a part, counted once: `counts/<part>/part-*.parquet`.

Row-aligned with the part's shards: id, tokens, loss_tokens and, where there are none, the reason.
Counting a million long samples takes many minutes, so each shard's counts are durable before the
next, a killed step goes on where it was, and another mixture of this recipe with the same student
takes them over (`about.json` says what was counted for whom). Whole shards go to the workers,
which read them themselves: texts are not sent between processes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ...models.token_counts import TokenCounter
from ...pipeline.artifact import Artifact
from ...pipeline.errors import RequestError, StepFailed
from ...pipeline.fingerprint import digest_of
from ...pipeline.lineage import digest_of_samples
from ...pipeline.outcome import Done, Outcome, Raised
from ...pipeline.sample_batches import samples_of
from ...pipeline.shards import read_table, shard_files, write_table, write_text
from ...pipeline.stage import Context
from ...pipeline.workers import WorkerPool

FOLDER: Final = "counts"
ABOUT: Final = "about.json"
VERSION: Final = 1
"""To be raised when the same sample is counted in another way."""
COUNTS_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("tokens", pa.int64()),
        ("loss_tokens", pa.int64()),
        ("reason", pa.string()),
    ]
)
BATCH: Final = 500
"""Samples decoded at a time: a shard of long traces is hundreds of megabytes as Python objects."""


@dataclass(frozen=True)
class ShardCounter:
    """Counts one shard into one file; runs in a worker."""

    counter: TokenCounter

    def count(self, job: tuple[Path, Path]) -> int:
        """Read the first file, write the second; returns the number of rows."""
        shard, target = job
        rows = []
        for batch in read_table(shard).to_batches(max_chunksize=BATCH):
            for sample in samples_of(batch):
                found = self.counter.count(sample)
                rows.append((sample.id, found.tokens, found.loss_tokens, found.reason))
        columns = list(map(list, zip(*rows, strict=True))) or [[] for _ in COUNTS_SCHEMA]
        write_table(target, pa.table(columns, schema=COUNTS_SCHEMA))
        return len(rows)


def count_parts(
    parts: Mapping[str, Artifact], counter: TokenCounter, student: str, context: Context
) -> dict[str, list[Path]]:
    """The files of counts of each part, row-aligned with its shards, below `context.out`.

    Args:
        student: content digest of the student.

    Raises:
        RequestError: the student has no tokenizer or no usable chat template.
        StepFailed: a worker failed.
    """
    jobs: list[tuple[Path, Path]] = []
    for part in parts.values():
        about = _about(part, counter, student)
        waiting = context.state / FOLDER / digest_of(about)
        _take_over(about, waiting, context.siblings)
        files = [(shard, waiting / shard.name) for shard in shard_files(part.path)]
        jobs += [(shard, target) for shard, target in files if not target.exists()]
    _count(jobs, sum(part.rows or 0 for part in parts.values()), counter, context)
    return {name: _publish(name, _about(parts[name], counter, student), context) for name in parts}


def _about(part: Artifact, counter: TokenCounter, student: str) -> dict[str, Any]:
    """What counts are a function of."""
    return {
        "version": VERSION,
        "student": student,
        "template_kwargs": dict(counter.template_kwargs),
        "loss": counter.loss,
        "samples": digest_of_samples(part),
    }


def _take_over(about: Mapping[str, Any], waiting: Path, finished: Sequence[Path]) -> None:
    """Copy the counts of the same samples for the same student from a finished step."""
    if waiting.exists():
        return
    for artifact in finished:
        for file in sorted(artifact.glob(f"{FOLDER}/*/{ABOUT}")):
            if json.loads(file.read_text(encoding="utf-8")) == about:
                shutil.copytree(file.parent, waiting)
                return


def _count(
    jobs: Sequence[tuple[Path, Path]], total: int, counter: TokenCounter, context: Context
) -> None:
    if not jobs:
        return
    waiting = sum(_rows(shard) for shard, _ in jobs)
    done = total - waiting  # of an earlier start, or taken over
    with WorkerPool(ShardCounter(counter).count, count=max(context.workers, 1)) as pool:
        for (shard, _), outcome in zip(jobs, pool.map(jobs), strict=True):
            done += _rows_counted(outcome, shard)
            context.progress.update(done, total, phase="count tokens")


def _rows(shard: Path) -> int:
    return int(pq.read_metadata(shard).num_rows)


def _rows_counted(outcome: Outcome[int], shard: Path) -> int:
    if isinstance(outcome, Done):
        return outcome.value
    if isinstance(outcome, Raised) and outcome.type == RequestError.__name__:
        raise RequestError(outcome.message)
    raise StepFailed(f"the tokens of {shard} could not be counted: {outcome}")


def _publish(name: str, about: Mapping[str, Any], context: Context) -> list[Path]:
    """Copy finished counts from the step's state into the artifact."""
    folder = context.out / FOLDER / name
    folder.mkdir(parents=True)
    for file in shard_files(context.state / FOLDER / digest_of(about)):
        shutil.copyfile(file, folder / file.name)
    write_text(folder / ABOUT, json.dumps(about, indent=1, sort_keys=True) + "\n")
    return shard_files(folder)
