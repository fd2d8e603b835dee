"""The journal's file: how it is opened and known to be a journal of this schema.

A file that is something else, or of another schema version, is refused with what to do; a disk
that refuses is a failed step. Nothing is ever migrated or overwritten here.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.failpoints import fail_point

SCHEMA_VERSION: Final = 2
_APPLICATION: Final = 0x504F5453
"""SQLite's application_id, "POTS": tells a journal from any other database."""

_REMEDY: Final = "To begin a new journal, choose another --work folder: what is in it was paid for."

_CREATE: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE completions (
    key TEXT PRIMARY KEY,
    step TEXT NOT NULL,
    subject TEXT NOT NULL,
    tier INTEGER NOT NULL,
    sample_index INTEGER NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    model TEXT NOT NULL,
    numerics TEXT NOT NULL,
    reasoning TEXT,
    prefill TEXT NOT NULL,
    raw TEXT
);
CREATE INDEX bought_for ON completions (step, subject, tier, sample_index);
CREATE TABLE verdicts (
    about TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    score REAL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (about, fingerprint)
) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A read-write connection to a journal that is there afterwards.

    Raises:
        RequestError: the file is no journal, or one of another schema version.
        StepFailed: the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fail_point("journal.open")
        connection = sqlite3.connect(path, timeout=30.0)
        try:
            if is_empty(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_CREATE)
            check_schema(path, connection)
            connection.execute("PRAGMA synchronous = NORMAL")  # the writer syncs, see there
        except BaseException:
            connection.close()
            raise
    except (sqlite3.OperationalError, OSError) as error:
        raise StepFailed(
            f"the journal {path} cannot be opened for writing: {error}. Check the disk's space "
            "and the folder's permissions, then run the same command again."
        ) from error
    return connection


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing was made in the file yet."""
    try:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False  # no database at all: `check_schema` says so
    return bool(tables == 0)


def check_schema(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse what is not a journal of this schema.

    Raises:
        RequestError: as said.
    """
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise RequestError(f"{path} is no journal: {error}. {_REMEDY}") from error
    if application != _APPLICATION:
        raise RequestError(f"{path} is a database of another program. {_REMEDY}")
    if version != SCHEMA_VERSION:
        raise RequestError(
            f"the journal {path} has schema {version}; this potstill reads schema "
            f"{SCHEMA_VERSION}. Use the potstill that wrote it. {_REMEDY}"
        )
