"""Verdicts on disk: `verdicts/<filter>/part-*.parquet`, row-aligned with the samples judged.

Beside each set lies `about.json`: which filter (fingerprint) judged which samples (digest). So a
step can take over a set that another step already made, and a changed filter re-judges only its
own. Where the sets are looked for is the caller's business.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from .fingerprint import digest_file, digest_of
from .sample import Sample
from .shards import RowWriter, shard_files, write_text
from .verdict import VERDICT_SCHEMA, Verdict

ABOUT = "about.json"


def samples_digest(folder: Path) -> str:
    """What the samples of an artifact *are*: a hash of its sample shards alone."""
    return digest_of({file.name: digest_file(file) for file in shard_files(folder)})


def sample_digest(sample: Sample) -> str:
    """What one sample *is* to a judge: a hash of all its columns but the id."""
    row = {**sample.to_row(), "id": ""}
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def fingerprint(identity: Mapping[str, Any]) -> str:
    """Hash of all that decides a filter's verdicts (`Filter.identity`)."""
    return digest_of(identity)


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


class VerdictWriter:
    """Writes one filter's verdicts below an artifact; `about.json` last.

    Args:
        artifact: directory of the step that publishes the verdicts.
        name: the filter's name in the recipe.
        identity: of the filter, its references resolved.
        of_samples: `samples_digest` of the samples judged.
    """

    def __init__(
        self, artifact: Path, name: str, identity: Mapping[str, Any], of_samples: str
    ) -> None:
        self._folder = artifact / "verdicts" / name
        self._identity = identity
        self._of_samples = of_samples
        self._rows = RowWriter(self._folder, VERDICT_SCHEMA)
        self._reasons: Counter[str] = Counter()

    def put(self, sample_id: str, verdict: Verdict) -> None:
        self._reasons[verdict.reason] += 1
        self._rows.put(verdict.to_row(sample_id))

    def put_table(self, verdicts: pa.Table) -> None:
        """Add rows of VERDICT_SCHEMA."""
        for count in verdicts["reason"].value_counts().to_pylist():
            self._reasons[count["values"]] += count["counts"]
        self._rows.put_table(verdicts)

    def close(self) -> VerdictSet:
        """The finished set."""
        self._rows.close()
        about = {
            "filter": dict(self._identity),
            "fingerprint": fingerprint(self._identity),
            "samples": self._of_samples,
            "rows": self._rows.total,
            "reasons": dict(sorted(self._reasons.items())),
        }
        text = json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True)
        write_text(self._folder / ABOUT, text)
        return VerdictSet(self._folder, about)


def write_verdicts(
    artifact: Path,
    name: str,
    identity: Mapping[str, Any],
    of_samples: str,
    tables: Iterable[pa.Table],
) -> VerdictSet:
    """Write tables of VERDICT_SCHEMA with a `VerdictWriter`."""
    writer = VerdictWriter(artifact, name, identity, of_samples)
    for table in tables:
        writer.put_table(table)
    return writer.close()


def read_verdict_sets(artifact: Path) -> dict[str, VerdictSet]:
    """The complete sets below an artifact's directory, by name."""
    sets = {}
    for about in sorted((artifact / "verdicts").glob(f"*/{ABOUT}")):
        sets[about.parent.name] = VerdictSet(about.parent, json.loads(about.read_text("utf-8")))
    return sets


def find_verdicts(
    artifacts: Iterable[Path], identity: Mapping[str, Any], of_samples: str
) -> VerdictSet | None:
    """A set by the same filter on the same samples among finished artifacts, if there is one."""
    wanted = (fingerprint(identity), of_samples)
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
