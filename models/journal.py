"""The work directory's record of paid completions: what is in here is never bought again.

SQLite in WAL mode with synchronous=FULL. One thread writes, committing whatever has gathered
(group commit), and a completion counts only after its commit: kill -9 at any instant loses no
acknowledged row. Rows are never changed or removed. Reading is a function of keys.

The run lock keeps a second writer out; readers (`status`, `inspect`) may look in at any time.
Failures are not kept: they are asked again by the next run. What the kernel may lose in a power
cut is SQLite's promise, not tested here.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import StepFailed
from .journal_file import check_schema, connect, is_empty
from .request import Completion, Request

_COMMIT_ROWS: Final = 256
"""Most rows of one commit; 32 already give 5,900 commits a second (reference figures)."""
_QUEUE_ROWS: Final = 4096
_LOOKUP: Final = 500
"""Keys of one SELECT; SQLite allows 32,766 variables."""

_COLUMNS: Final = (
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


class Journal:
    """A journal opened for reading, and for writing inside `writer`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that hold a completion."""
        found: set[str] = set()
        for chunk in _chunks(keys):
            found.update(row[0] for row in self._select("key", chunk))
        return found

    def read(self, keys: Iterable[str]) -> dict[str, Completion]:
        """The completions of those keys that hold one."""
        found = {}
        for chunk in _chunks(keys):
            for row in self._select(", ".join(_COLUMNS), chunk):
                found[row[0]] = Completion(*row)
        return found

    def bought_for(self, step: str) -> dict[tuple[str, int], int]:
        """Completion tokens bought by a step, by prompt id and sample index."""
        rows = self._connection.execute(
            "SELECT prompt_id, sample_index, max(coalesce(completion_tokens, 0)) "
            "FROM completions WHERE step = ? GROUP BY prompt_id, sample_index",
            (step,),
        )
        return {(prompt_id, index): tokens for prompt_id, index, tokens in rows}

    @contextlib.contextmanager
    def writer(self, step: str) -> Iterator[JournalWriter]:
        """A writer that has committed everything when the block is left, however it is left."""
        writer = JournalWriter(self.path, step)
        try:
            yield writer
        finally:
            writer.close()

    def _select(self, columns: str, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        marks = ", ".join("?" * len(keys))
        query = f"SELECT {columns} FROM completions WHERE key IN ({marks})"
        return iter(self._connection.execute(query, keys))


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


class JournalWriter:
    """Takes completions from one thread, commits them from another."""

    def __init__(self, path: Path, step: str) -> None:
        self._path = path
        self._step = step
        self._queue: queue.Queue[tuple[Request, Completion] | None] = queue.Queue(_QUEUE_ROWS)
        self._error: BaseException | None = None
        self._ended = False
        self.committed = 0
        """Completions that are durable: only these may be counted or charged."""
        self.tokens = 0
        """Completion tokens of those."""
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, request: Request, completion: Completion) -> None:
        """Hand a completion over.

        Raises:
            StepFailed: an earlier commit failed, as on a full disk.
        """
        self._raise_error()
        self._queue.put((request, completion))

    def close(self) -> None:
        """Commit what is queued and end the thread.

        Raises:
            StepFailed: it could not be committed.
        """
        self._queue.put(None)
        self._thread.join()
        self._raise_error()

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
        except BaseException as error:
            self._error = error
            while not self._ended:
                self._ended = self._queue.get() is None

    def _next_batch(self) -> list[tuple[Request, Completion]]:
        """Waits for one row, then takes what else is there; empty after `close`."""
        first = self._queue.get()
        if first is None:
            self._ended = True
            return []
        batch = [first]
        while len(batch) < _COMMIT_ROWS:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._queue.put(None)  # seen again by the next call, which then ends the thread
                break
            batch.append(more)
        return batch

    def _commit(
        self, connection: sqlite3.Connection, batch: list[tuple[Request, Completion]]
    ) -> None:
        names = ("step", "prompt_id", "sample_index", *_COLUMNS)
        marks = ", ".join("?" * len(names))
        rows = [
            (self._step, asked.prompt_id, asked.index, *(getattr(done, name) for name in _COLUMNS))
            for asked, done in batch
        ]
        with connection:
            connection.executemany(
                f"INSERT INTO completions ({', '.join(names)}) VALUES ({marks}) "
                "ON CONFLICT (key) DO NOTHING",
                rows,
            )
        self.tokens += sum(done.completion_tokens or 0 for _, done in batch)
        self.committed += len(batch)


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, _LOOKUP)):
        yield chunk
