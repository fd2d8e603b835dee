"""Verdicts on disk: `verdicts/<filter>/part-*.parquet`, row-aligned with the samples judged.

Beside each set lies `about.json`: which filter (fingerprint) judged which samples (digest). So a
step can take over a set that another step already made, and a changed filter re-judges only its
own. Where the sets are looked for is the caller's business.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .filter import Filter
from .fingerprint import digest_file, digest_of
from .shards import shard_files, write_rows, write_text
from .verdict import VERDICT_SCHEMA, Verdict

ABOUT = "about.json"


def samples_digest(folder: Path) -> str:
    """What the samples of an artifact *are*: a hash of its sample shards alone."""
    return digest_of({file.name: digest_file(file) for file in shard_files(folder)})


def fingerprint(judging: Filter) -> str:
    """Hash of all that decides a filter's verdicts."""
    return digest_of(judging.identity())


@dataclass(frozen=True)
class VerdictSet:
    """One filter's verdicts on one set of samples."""

    path: Path
    about: dict[str, Any]

    @property
    def rows(self) -> int:
        return int(self.about["rows"])

    @property
    def reasons(self) -> dict[str, int]:
        """How often each reason was given."""
        return dict(self.about["reasons"])


def write_verdicts(
    artifact: Path, name: str, judging: Filter, of_samples: str, rows: Iterable[tuple[str, Verdict]]
) -> VerdictSet:
    """Write (sample id, verdict) pairs below `artifact`, `about.json` last.

    Args:
        artifact: directory of the step that publishes the verdicts.
        name: the filter's name in the recipe.
        of_samples: `samples_digest` of the samples judged.
    """
    folder = artifact / "verdicts" / name
    counts: Counter[str] = Counter()

    def as_rows() -> Iterable[dict[str, Any]]:
        for sample_id, verdict in rows:
            counts[verdict.reason] += 1
            yield verdict.to_row(sample_id)

    total = write_rows(folder, as_rows(), VERDICT_SCHEMA)
    about = {
        "filter": judging.identity(),
        "fingerprint": fingerprint(judging),
        "samples": of_samples,
        "rows": total,
        "reasons": dict(sorted(counts.items())),
    }
    write_text(folder / ABOUT, json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True))
    return VerdictSet(folder, about)


def read_verdict_sets(artifact: Path) -> dict[str, VerdictSet]:
    """The complete sets below an artifact's directory, by name."""
    sets = {}
    for about in sorted((artifact / "verdicts").glob(f"*/{ABOUT}")):
        sets[about.parent.name] = VerdictSet(about.parent, json.loads(about.read_text("utf-8")))
    return sets


def find_verdicts(artifacts: Iterable[Path], judging: Filter, of_samples: str) -> VerdictSet | None:
    """A set by the same filter on the same samples among finished artifacts, if there is one."""
    wanted = (fingerprint(judging), of_samples)
    for artifact in artifacts:
        for found in read_verdict_sets(artifact).values():
            if (found.about["fingerprint"], found.about["samples"]) == wanted:
                return found
    return None


def take_over(found: VerdictSet, artifact: Path, name: str) -> VerdictSet:
    """Publish an existing set below another artifact: hard links, or copies across disks."""
    target = artifact / "verdicts" / name
    target.mkdir(parents=True, exist_ok=True)
    for file in [*shard_files(found.path), found.path / ABOUT]:
        destination = target / file.name
        destination.unlink(missing_ok=True)
        try:
            os.link(file, destination)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(file, destination)
    return VerdictSet(target, found.about)
