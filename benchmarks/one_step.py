"""Runs a `generate` step as the runner would, but in this process: only the step is measured."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from potstill.pipeline.artifact import Artifact, open_artifact, write_manifest
from potstill.pipeline.filter import Filter
from potstill.pipeline.sample import Message, Sample, new_sample, with_ids
from potstill.pipeline.shards import write_samples
from potstill.pipeline.stage import Context, Metrics
from potstill.stages.generate import Generate


def made_problems(number: int) -> Iterable[Sample]:
    """Short questions, all different."""
    for each in range(number):
        turns = (Message("user", f"What is {each} + {each % 97}? Answer with a number."),)
        yield new_sample(turns, answer=str(each + each % 97), language="en", task="math")


def artifact_of(folder: Path, samples: Iterable[Sample]) -> Artifact:
    """A finished artifact that holds these samples."""
    folder.mkdir(parents=True)
    rows = write_samples(folder, with_ids(samples))
    body = {"step": "problems", "identity": {"kind": "load"}, "address": "0" * 8, "rows": rows}
    write_manifest(folder, {**body, "metrics": {}, "inputs": {}}, {})
    artifact = open_artifact(folder)
    assert artifact is not None
    return artifact


def run_step(
    config: Mapping[str, Any],
    problems: Artifact,
    work: Path,
    filters: Mapping[str, Filter] | None = None,
) -> Metrics:
    """Run the step into a new folder; the journal is `work/journal.sqlite`."""
    out = Path(tempfile.mkdtemp(dir=work, prefix="traces-"))
    context = Context(
        step="bench/traces",
        out=out,
        inputs={"problems": problems},
        filters=filters or {},
        paths={str(config["teacher"]["model"]): Path(config["teacher"]["model"])},
        digests={str(config["teacher"]["model"]): "0" * 64},
        journal=work / "journal.sqlite",
    )
    return Generate.model_validate({"prompts": "problems", **config}).run(context)
