"""Runs one step by hand, as the runner would: a context, the step, a manifest, an artifact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from potstill.pipeline.artifact import Artifact, open_artifact, write_manifest
from potstill.pipeline.filter import Filter
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import Message, Sample, new_sample, with_ids
from potstill.pipeline.shards import read_table, shard_files, write_samples
from potstill.pipeline.slices import columns_of
from potstill.pipeline.stage import Context, Metrics, Stage
from potstill.pipeline.verdict import Verdict


def problem(question: str, completion: str | None = None, **fields: Any) -> Sample:
    """A sample with one user turn and no id yet."""
    return new_sample((Message("user", question),), completion=completion, **fields)


def verdict_table(said: Iterable[tuple[str, Verdict]]) -> pa.Table:
    """(id of a sample, verdict on it) as a table of VERDICT_SCHEMA."""
    pairs = list(said)
    ids = pa.array([sample_id for sample_id, _ in pairs], pa.string())
    return columns_of(verdict for _, verdict in pairs).table(ids)


class Workbench:
    """A run directory whose steps are run one by one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[Event] = []

    @property
    def notes(self) -> list[str]:
        return [event["text"] for event in self.events if event["event"] == "note"]

    def context(
        self,
        name: str,
        inputs: Mapping[str, Artifact] | None = None,
        filters: Mapping[str, Filter] | None = None,
        paths: Mapping[str, Path] | None = None,
        **more: Any,
    ) -> Context:
        out = self.root / f"{name}-00000000"
        out.mkdir(parents=True, exist_ok=True)
        return Context(
            step=f"bench/{name}",
            out=out,
            inputs=inputs or {},
            filters=filters or {},
            paths=paths or {},
            digests={},
            journal=self.root / "journal.sqlite",
            progress=Progress(self.events.append),
            **more,
        )

    def run(self, name: str, stage: Stage, **given: Any) -> Artifact:
        """Run a step to a finished artifact; `given` is what `context` takes."""
        context = self.context(name, **given)
        return self._finish(context, stage.kind, stage.run(context))

    def samples(self, name: str, samples: Iterable[Sample]) -> Artifact:
        """A finished artifact that holds these samples."""
        context = self.context(name)
        rows = write_samples(context.out, with_ids(samples))
        return self._finish(context, "made_by_hand", {"rows": rows})

    def _finish(self, context: Context, kind: str, metrics: Metrics) -> Artifact:
        shards = shard_files(context.out)
        body = {
            "step": context.step.rpartition("/")[2],
            "identity": {"kind": kind},
            "address": "00000000",
            "rows": sum(pq.read_metadata(shard).num_rows for shard in shards) if shards else None,
            "metrics": metrics,
            "inputs": {name: artifact.digest for name, artifact in context.inputs.items()},
        }
        write_manifest(context.out, body, {})
        artifact = open_artifact(context.out)
        if artifact is None:
            raise AssertionError("a manifest was written")
        return artifact


def aside(artifact: Artifact, folder: str) -> list[dict[str, Any]]:
    """The rows of `quarantine/` or `left_out/`."""
    table: pa.Table = read_table(shard_files(artifact.path / folder))
    return list(table.to_pylist())
