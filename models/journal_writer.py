"""Writing the journal: one thread, group commits, and a count of what is durable.

Whatever has gathered is committed together, since a commit with `synchronous=FULL` waits for the
disk: 417 a second one by one, 5,900 rows a second in groups of 32 (reference figures). Rows go in
as statements of 1, 2, 4 … 256 rows: `executemany` would give the interpreter's lock away and wait
for it once per row. An error stops the thread; the next `put` raises it, and nothing that was
counted is lost.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..pipeline.errors import StepFailed
from ..pipeline.failpoints import fail_point
from ..pipeline.verdict import Verdict
from .journal_file import connect
from .request import Completion, Request

_COMMIT_ROWS: Final = 1024
"""Most rows of one commit."""
_STATEMENT_ROWS: Final = 256
_QUEUE_ROWS: Final = 8192

COLUMNS: Final = (
    "key",
    "text",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "model",
    "numerics",
    "reasoning",
    "prefill",
    "raw",
)
"""Fields of Completion, in order."""

_COMPLETIONS: Final = ("completions", ("step", "subject", "tier", "sample_index", *COLUMNS))
_VERDICTS: Final = ("verdicts", ("about", "fingerprint", "score", "reason", "evidence"))

_Row: TypeAlias = tuple[bool, tuple[Any, ...]]
"""Whether it is a completion, and its values."""


class JournalWriter:
    """Takes completions and verdicts from any thread, commits them from its own."""

    def __init__(self, path: Path, step: str) -> None:
        self._path = path
        self._step = step
        self._queue: queue.Queue[_Row | None] = queue.Queue(_QUEUE_ROWS)
        self._error: BaseException | None = None
        self._ended = False
        self.on_commit: Callable[[], None] = lambda: None
        """Called from the writing thread after each commit, and when it gives up."""
        self.committed = 0
        """Completions that are durable: only these may be counted or charged."""
        self.prompt_tokens = self.completion_tokens = 0
        """Tokens of those, as far as they were told."""
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, request: Request, done: Completion) -> None:
        """Hand a completion over.

        Raises:
            StepFailed: an earlier commit failed, as on a full disk.
        """
        place = (self._step, request.subject, request.tier, request.index)
        self._put((True, (*place, *(getattr(done, name) for name in COLUMNS))))

    def put_verdicts(self, about: str, verdicts: Mapping[str, Verdict]) -> None:
        """Hand over what filters (by fingerprint) said of a sample.

        Raises:
            StepFailed: as `put`.
        """
        for fingerprint, verdict in verdicts.items():
            row = verdict.to_row(about)
            told = (row["score"], row["reason"], row["evidence"])
            self._put((False, (about, fingerprint, *told)))

    def close(self) -> None:
        """Commit what is queued and end the thread.

        Raises:
            StepFailed: it could not be committed.
        """
        self._queue.put(None)
        self._thread.join()
        self._raise_error()

    def check(self) -> None:
        """Raises StepFailed if a commit failed."""
        self._raise_error()

    def _put(self, row: _Row) -> None:
        self._raise_error()
        self._queue.put(row)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise StepFailed(
                f"the journal {self._path} cannot be written: {self._error}. The "
                f"{self.committed} completions committed in this run are kept. Free disk space "
                "or mend the disk, then run the same command to go on."
            ) from self._error

    def _run(self) -> None:
        """The thread: after an error it only empties the queue, so that `put` never hangs."""
        try:
            with contextlib.closing(connect(self._path)) as connection:
                while batch := self._next_batch():
                    self._commit(connection, batch)
                    self.on_commit()
        except BaseException as error:
            self._error = error
            self.on_commit()
            while not self._ended:
                self._ended = self._queue.get() is None

    def _next_batch(self) -> list[_Row]:
        """Waits for one row, then takes what else is there; empty after `close`."""
        batch: list[_Row] = []
        while not self._ended and len(batch) < _COMMIT_ROWS:
            try:
                row = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if row is None:
                self._ended = True
            else:
                batch.append(row)
        return batch

    def _commit(self, connection: sqlite3.Connection, batch: Sequence[_Row]) -> None:
        completions = [values for is_completion, values in batch if is_completion]
        verdicts = [values for is_completion, values in batch if not is_completion]
        fail_point("journal.commit.before")
        with connection:
            _insert(connection, *_COMPLETIONS, completions)
            fail_point("journal.commit.inside")
            _insert(connection, *_VERDICTS, verdicts)
        fail_point("journal.commit.after")
        at = _COMPLETIONS[1].index
        self.prompt_tokens += sum(row[at("prompt_tokens")] or 0 for row in completions)
        self.completion_tokens += sum(row[at("completion_tokens")] or 0 for row in completions)
        self.committed += len(completions)


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    marks = f"({', '.join('?' * len(columns))})"
    for group in _powers_of_two(rows):
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
            f"{', '.join([marks] * len(group))} ON CONFLICT DO NOTHING",
            [value for row in group for value in row],
        )


def _powers_of_two(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Groups of few different sizes, so that SQLite prepares few statements."""
    start = 0
    while start < len(rows):
        size = min(_STATEMENT_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
        yield rows[start : start + size]
        start += size
