"""The work directory's record of paid completions: what is in here is never bought again.

SQLite in WAL mode; `journal_writer.py` commits in groups and syncs each to the disk, and a
completion counts only then: kill -9 at any instant loses no acknowledged row. Rows are never
changed or removed. Beside the completions lie the verdicts of `accept` filters, by what was judged
and by whom (the filter's fingerprint), so that going on judges nothing again.

The run lock keeps a second writer out; readers (`status`, `plan`) may look in at any time.
Failures are not kept: they are asked again by the next run. What the kernel may lose in a power
cut is SQLite's promise, not tested here.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ..pipeline.verdict import Verdict
from .journal_file import check_schema, connect, is_empty
from .journal_writer import COLUMNS, JournalWriter
from .request import Completion, Request

_LOOKUP: Final = 500
"""Keys of one SELECT; SQLite allows 32,766 variables."""


@dataclass(frozen=True, slots=True)
class Bought:
    """All that a step bought, as sums; None where no count was told."""

    completions: int
    prompt_tokens: int
    completion_tokens: int
    squares: float
    """Sum of the squares of the completions' lengths, for an interval."""


class Journal:
    """A journal opened for reading, and for writing inside `writer`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def has(self, key: str) -> bool:
        """Whether a completion is there."""
        query = "SELECT 1 FROM completions WHERE key = ?"
        return self._connection.execute(query, (key,)).fetchone() is not None

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that hold a completion."""
        found: set[str] = set()
        for chunk in _chunks(keys):
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT key FROM completions WHERE key IN ({marks})"
            found.update(row[0] for row in self._connection.execute(query, chunk))
        return found

    def read(self, keys: Iterable[str]) -> dict[str, Completion]:
        """The completions of those keys that hold one."""
        found = {}
        names = ", ".join(COLUMNS)
        for chunk in _chunks(keys):
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT {names} FROM completions WHERE key IN ({marks})"
            for row in self._connection.execute(query, chunk):
                found[row[0]] = Completion(*row)
        return found

    def verdicts(self, about: str, fingerprints: Sequence[str]) -> dict[str, Verdict]:
        """What these filters said of a sample before, by fingerprint.

        Args:
            about: digest of the sample judged (`pipeline.verdicts.sample_digest`).
        """
        marks = ", ".join("?" * len(fingerprints))
        rows = self._connection.execute(
            "SELECT fingerprint, score, reason, evidence FROM verdicts "
            f"WHERE about = ? AND fingerprint IN ({marks})",
            (about, *fingerprints),
        )
        return {row[0]: Verdict(row[1], row[2], json.loads(row[3])) for row in rows}

    def counts(self) -> dict[str, int]:
        """How many completions were bought for each step; the texts are not read for it."""
        query = "SELECT step, count(*) FROM completions GROUP BY step ORDER BY step"
        return dict(self._connection.execute(query))

    def sums_of(self, step: str) -> Bought:
        """What was bought for a step so far, whatever it asks today."""
        row = self._connection.execute(
            "SELECT count(*), coalesce(sum(prompt_tokens), 0), "
            "coalesce(sum(completion_tokens), 0), "
            "coalesce(sum(1.0 * completion_tokens * completion_tokens), 0.0) "
            "FROM completions WHERE step = ?",
            (step,),
        ).fetchone()
        return Bought(*row)

    def bought_instead(self, step: str, request: Request) -> tuple[int, int] | None:
        """Tokens (prompt, completion) of what this step bought in a request's place before."""
        row = self._connection.execute(
            "SELECT coalesce(prompt_tokens, 0), coalesce(completion_tokens, 0) FROM completions "
            "WHERE step = ? AND subject = ? AND tier = ? AND sample_index = ? LIMIT 1",
            (step, request.subject, request.tier, request.index),
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def keys_of(self, step: str, subjects: Iterable[str]) -> set[str]:
        """Keys of what a step bought for these prompts or samples, whatever its settings were."""
        found: set[str] = set()
        for chunk in _chunks(subjects):
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT key FROM completions WHERE step = ? AND subject IN ({marks})"
            found.update(row[0] for row in self._connection.execute(query, (step, *chunk)))
        return found

    @contextlib.contextmanager
    def writer(self, step: str) -> Iterator[JournalWriter]:
        """A writer that has committed everything when the block is left, however it is left."""
        writer = JournalWriter(self.path, step)
        try:
            yield writer
        finally:
            writer.close()


@contextlib.contextmanager
def open_journal(path: Path) -> Iterator[Journal]:
    """The journal at `path`, made if there is none.

    Raises:
        RequestError: the file is no journal, or one of another schema version.
        StepFailed: the disk refuses.
    """
    with contextlib.closing(connect(path)) as connection:
        yield Journal(path, connection)


@contextlib.contextmanager
def read_journal(path: Path) -> Iterator[Journal | None]:
    """The journal at `path` for reading only; None where nothing was bought yet."""
    if not path.exists():
        yield None
        return
    address = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        if is_empty(connection):  # another process is just making it
            yield None
            return
        check_schema(path, connection)
        yield Journal(path, connection)


def _chunks(keys: Iterable[str]) -> Iterator[list[Any]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, _LOOKUP)):
        yield chunk
