"""I9: a journal is opened, after a crash too, without being read from end to end."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from potstill.models.journal_file import connect

FEW, MANY = 5_000, 50_000

FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
INSERT INTO completions
SELECT printf('%032x', n * 2654435761), 'r/s', 'p' || n, 0, 0, hex(zeroblob(500)), 'stop', 1, 1,
       'm', '{}', NULL, '', NULL FROM numbers
"""

CRASH = """
import os, signal, sys, time
from pathlib import Path
from potstill.models.journal import open_journal
from potstill.models.request import Completion, Request
from potstill.models.sampling import Sampling

with open_journal(Path(sys.argv[1])) as journal, journal.writer("r/s") as writer:
    for number in range(300):
        request = Request(f"late-{number}", "late", number, (), Sampling(), None)
        writer.put(request, Completion(request.key, "text", "stop", 1, 1, "m", "{}"))
    while writer.durable.completions < 300:
        writer.check()
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)
"""

OPEN = """
import sys
from pathlib import Path
from potstill.models.journal import open_journal

def bytes_read():
    return int(Path("/proc/self/io").read_text().split("rchar:")[1].split()[0])

before = bytes_read()
with open_journal(Path(sys.argv[1])) as journal:
    assert journal.has("late-299") and not journal.has("none")
    assert len(journal.read(["0" * 32, "late-0"])) == 2
print(bytes_read() - before)
"""


def bytes_read_at_the_start(file: Path, rows: int) -> int:
    """By opening a journal of so many rows, whose last writer was killed, and finding a few."""
    with closing(connect(file)) as connection:
        connection.execute(FILL, (rows,))
        connection.commit()
    killed = subprocess.run([sys.executable, "-c", CRASH, str(file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert file.with_name(f"{file.name}-wal").stat().st_size > 0
    opened = subprocess.run(
        [sys.executable, "-c", OPEN, str(file)], check=True, capture_output=True, text=True
    )
    return int(opened.stdout)


@pytest.mark.slow
def test_what_a_start_reads_does_not_grow_with_the_journal(tmp_path: Path) -> None:
    """Two points of a line that is flat but for the depth of the trees.

    One more level of an index at a million rows costs some pages more. That start-up stays short
    there is an extrapolation of this, not a measurement.
    """
    few = bytes_read_at_the_start(tmp_path / "few.sqlite", FEW)
    many = bytes_read_at_the_start(tmp_path / "many.sqlite", MANY)
    size = (tmp_path / "many.sqlite").stat().st_size
    assert size > 50_000_000
    assert many < few + 100_000
    assert many < size / 50
    with closing(sqlite3.connect(tmp_path / "many.sqlite")) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM completions").fetchone()
    assert rows == MANY + 300
