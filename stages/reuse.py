"""The `reuse` step: the dataset of a step that was finished elsewhere, exactly as it is.

    mixture: {reuse: {source: ../work/quickstart/mixture-1a2b3c4d}}

`load` reads any file and gives its columns a meaning; an artifact needs no reading, and columns
beside those of a sample (`copy` of mix, `pair` and `side` of select) would be lost by it. The
shards are hard links where the file system allows it, so nothing is stored twice. Rows only: what
lies below the artifact (verdicts, left_out) stays there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, ClassVar

import pyarrow.parquet as pq

from ..pipeline.artifact import open_artifact
from ..pipeline.errors import RequestError
from ..pipeline.references import Reference
from ..pipeline.shards import atomic_path, shard_files
from ..pipeline.stage import Context, Metrics, Stage


class Reuse(Stage):
    """Takes over the rows of a finished step."""

    kind: ClassVar[str] = "reuse"

    source: Annotated[str, Reference("samples", ("path",))]
    """The folder of the finished step: the one that holds its manifest.json."""

    def run(self, context: Context) -> Metrics:
        """Link the shards, checked against the manifest.

        Raises:
            RequestError: no finished step is there, or one that holds no rows.
            StepFailed: a shard is damaged.
        """
        folder = context.path(self.source)
        artifact = open_artifact(folder)
        if artifact is None:
            raise RequestError(
                f"{folder} is no finished step: it has no manifest.json. Expected a folder such as "
                "work/RECIPE/STEP-1a2b3c4d; a file is read by a load step."
            )
        shards = shard_files(folder)
        if artifact.rows is None or not shards:
            raise RequestError(
                f"{folder} ({artifact.kind}) holds no samples. Expected a step that makes rows."
            )
        for shard in shards:
            _take_over(shard, context.out / shard.name)
        return {"rows": artifact.rows, "columns": pq.read_schema(shards[0]).names}


def _take_over(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
