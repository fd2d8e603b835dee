"""The `export` step: a folder that `datasets.load_dataset(folder)` opens and trl trains on.

    export: {samples: mixture}                                   # a column of messages
    export: {samples: mixture, columns: prompt_completion}       # what trl masks the prompt of
    export: {samples: mixture, columns: samples, format: jsonl}  # everything potstill knows

Shards go to `data/`, and a dataset card with the counts stands beside them as README.md. Text is
written as it is: no template is rendered here. Publishing is not this step's business.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.references import Samples
from ..pipeline.sample import SAMPLE_SCHEMA, Sample
from ..pipeline.shards import ROWS_PER_SHARD, atomic_path, write_table, write_text
from ..pipeline.stage import Context, Metrics, Stage
from .card import dataset_card

_MESSAGES = SAMPLE_SCHEMA.field("prompt").type
_BESIDE = [(name, pa.string()) for name in ("id", "answer", "task", "language", "source")]
_SCHEMAS = {
    "messages": pa.schema([("messages", _MESSAGES), *_BESIDE]),
    "prompt_completion": pa.schema(
        [("prompt", _MESSAGES), ("completion", _MESSAGES), *_BESIDE],
    ),
    "samples": SAMPLE_SCHEMA,
}


class Export(Stage):
    """Writes samples for other tools."""

    kind: ClassVar[str] = "export"
    makes: ClassVar[str] = "export"

    samples: Samples
    format: Literal["parquet", "jsonl"] = "parquet"
    columns: Literal["messages", "prompt_completion", "samples"] = "messages"

    def run(self, context: Context) -> Metrics:
        """Write `data/train-*` and README.md.

        Raises:
            RequestError: a sample has no completion where `prompt_completion` needs one.
        """
        source = context.samples(self.samples)
        shards = max(1, math.ceil((source.rows or 0) / ROWS_PER_SHARD))
        counts: dict[str, Counter[str]] = {"source": Counter(), "language": Counter()}
        rows, done = self._rows(source, counts), 0
        for index in range(shards):
            batch = list(itertools.islice(rows, ROWS_PER_SHARD))
            name = f"train-{index:05d}-of-{shards:05d}.{self.format}"
            self._write(context.out / "data" / name, batch)
            done += len(batch)
            context.progress.update(done, source.rows)
        write_text(context.out / "README.md", dataset_card(source, self.format, done, counts))
        return {"rows": done, "files": shards, "columns": _SCHEMAS[self.columns].names}

    def _rows(self, source: Artifact, counts: dict[str, Counter[str]]) -> Iterator[dict[str, Any]]:
        for sample in source.samples():
            counts["source"][sample.source] += 1
            counts["language"][sample.language or "not said"] += 1
            yield self._row(sample)

    def _row(self, sample: Sample) -> dict[str, Any]:
        row = sample.to_row()
        if self.columns == "samples":
            return row
        reply = [{"role": "assistant", "content": sample.completion}]
        beside = {name: row[name] for name, _ in _BESIDE}
        if self.columns == "messages":
            has_reply = sample.completion is not None
            return {"messages": [*row["prompt"], *(reply if has_reply else [])], **beside}
        if sample.completion is None:
            raise RequestError(
                f"sample {sample.id} has no completion; columns: prompt_completion needs one of "
                "every sample. Use columns: messages, or export samples that have one"
            )
        return {"prompt": list(row["prompt"]), "completion": reply, **beside}

    def _write(self, target: Path, batch: list[dict[str, Any]]) -> None:
        if self.format == "parquet":
            write_table(target, pa.Table.from_pylist(batch, schema=_SCHEMAS[self.columns]))
            return
        with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in batch)
