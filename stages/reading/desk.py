"""What `load` does with each block: samples are written, bad rows set aside, all is counted.

Counts close: rows read + rows that one row became beside the first = samples + quarantined. A
source that declares one id twice is refused, and so is one with more bad rows than the user puts
up with; both say which rows. What is written does not depend on how rows are cut into blocks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...pipeline.errors import RequestError, StepFailed
from ...pipeline.pairs import PAIR_SCHEMA
from ...pipeline.progress import Progress
from ...pipeline.sample import SAMPLE_SCHEMA
from ...pipeline.sample_ids import SampleIds
from ...pipeline.shards import TableWriter
from ..aside import Aside
from .ahead import ahead
from .blocks import Block, Understood
from .declared_ids import SHOWN, DeclaredIds
from .preference import with_sides
from .readers import Meter
from .rows import QUARANTINE_SCHEMA, Quarantined
from .samples import Reading, with_columns_of_ids


@dataclass(frozen=True)
class Limits:
    """What the user puts up with."""

    max_bad: float | None
    """A number of rows, or a share of those read if below 1; None for any."""
    unique_ids: bool
    skip: int = 0
    """Rows passed over, for messages."""


class Desk:
    """Takes what a source became."""

    def __init__(
        self, out: Path, progress: Progress, meter: Meter, limits: Limits, of_pairs: bool = False
    ) -> None:
        self._of_pairs = of_pairs
        self._samples = TableWriter(out, PAIR_SCHEMA if of_pairs else SAMPLE_SCHEMA)
        self._aside = Aside(out / "quarantine", QUARANTINE_SCHEMA)
        self._progress = progress
        self._meter = meter
        self._limits = limits
        self._ids = SampleIds()
        self._declared = DeclaredIds()
        self._first_bad: list[str] = []
        self._used = 0
        self._tally = Counter(with_answer=0, with_completion=0)
        self._languages: Counter[str] = Counter()
        self._forms: Counter[str] = Counter()

    def take_all(self, reading: Reading) -> dict[str, Any]:
        """Write everything; returns the counts.

        Raises:
            RequestError: one id stands for two rows.
            StepFailed: no row could be used, or too many could not.
        """
        for block, found in ahead(reading):
            self._take(block, found)
            self._tell()
        self._aside.close()
        self._samples.close()
        self._check_ids(reading.where)
        self._check_rows(reading.where)
        self._progress.update(self._read, self._read, quarantined=self._aside.total)
        return {
            "read": self._read,
            "rows": self._samples.total,
            "expanded": self._samples.total - self._used,
            "quarantined": self._aside.reasons,
            "languages": dict(sorted(self._languages.items())),
            "thinking": dict(sorted(self._forms.items())),
            **self._tally,
        }

    @property
    def _read(self) -> int:
        return self._used + self._aside.total

    def _take(self, block: Block, found: Understood) -> None:
        if self._limits.unique_ids:
            self._declared.add(block)
        for row in found.bad:
            self._set_aside(block.file, row)
        self._used += found.used
        self._forms.update(found.forms)
        samples = found.samples
        self._tally["with_answer"] += samples["answer"].count()
        self._tally["with_completion"] += samples["completion"].count()
        for language, rows in samples["language"].value_counts().iter_rows():
            self._languages[language or "unknown"] += rows
        table = with_columns_of_ids(self._ids, samples)
        self._samples.put(with_sides(table, self._samples.total) if self._of_pairs else table)

    def _set_aside(self, file: str, row: Quarantined) -> None:
        self._aside.put(file=file, line=row.number, reason=row.reason, text=row.text)
        if len(self._first_bad) < SHOWN:
            self._first_bad.append(f"{file}:{row.number} ({row.reason})")
        most = self._limits.max_bad
        if isinstance(most, int) and self._aside.total > most:
            self._refuse_bad(f"more than {most} rows could not be used")

    def _tell(self) -> None:
        share = self._meter.share
        total = round(self._read / share) if 0 < share < 1 else None
        self._progress.update(self._read, total, quarantined=self._aside.total)

    def _check_ids(self, where: str) -> None:
        if self._declared.twice:
            shown = "\n  ".join(map(str, self._declared.twice))
            raise RequestError(
                f"{where} declares one id for several rows; the first:\n  {shown}\n"
                "If that is meant (an id of a group, not of a row), say duplicate_ids: keep; ids "
                "of samples are made of their content either way."
            )

    def _check_rows(self, where: str) -> None:
        rows, bad = self._samples.total, self._aside.total
        if self._read == 0:
            skipped = f" after the first {self._limits.skip}" if self._limits.skip else ""
            raise StepFailed(f"{where} holds no rows{skipped}; expected at least one")
        if not bad:
            return
        reasons = ", ".join(f"{reason} {count}" for reason, count in self._aside.reasons.items())
        counts = f"{bad} of {self._read} rows"
        first = f"the first is {self._first_bad[0]}"
        if rows == 0:
            raise StepFailed(
                f"no row of {where} could be used. {counts} were set aside: {reasons}; {first}. "
                f"They are in {self._aside.folder}"
            )
        most = self._limits.max_bad
        if isinstance(most, float) and bad > most * self._read:
            self._refuse_bad(f"{counts} could not be used, more than {most:.2%}")
        self._progress.note(f"{counts} quarantined: {reasons}; {first}")

    def _refuse_bad(self, what: str) -> None:
        raise StepFailed(
            f"{what} (max_bad: {self._limits.max_bad}). The first: {', '.join(self._first_bad)}. "
            f"Mend them, or raise max_bad; what was set aside so far is in {self._aside.folder}"
        )
