"""What must hold after every kill and after the last run; I1 to I9 are named as they are asserted.

A `Campaign` is one work directory that is killed again and again. Between two runs it looks at the
journal, at the published files and at the server's ledger, each by itself: what a run said of its
own work is compared with them and never believed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
from crash_bench import TOKENS, Site
from crash_runs import Ended, Warm

UNTIMED = ("timing.json",)
OF_THE_WORK = {".lock", ".writable", ".digests.json", "journal.sqlite"}


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def files_of(site: Site) -> dict[str, str]:
    """sha256 of everything that was published, less clocks and logs."""
    root = site.work / "crash"
    return {
        str(file.relative_to(root)): sha256(file)
        for file in sorted(root.rglob("*"))
        if file.is_file() and file.name not in UNTIMED and file.parent.name != "logs"
    }


def journal_of(site: Site) -> dict[str, str]:
    """The server's name of each request in the journal, by key.

    A log that a killed run left is only read: to mend the journal with it is the next run's work.
    """
    file = site.work / "journal.sqlite"
    if not file.exists():
        return {}
    has_log = file.with_name("journal.sqlite-wal").exists()
    address = f"{file.as_uri()}?mode={'ro' if has_log else 'rw'}"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            return {}
        rows = connection.execute("SELECT key, raw FROM completions")
        return {key: json.loads(raw)["id"] for key, raw in rows}


class Campaign:
    """One work directory, the runs in it, and what is known of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.kills = 0
        """Runs that did not end well; each may have lost what was in flight."""
        self.told = 0
        """Requests told as paid, over all runs."""
        self.durable: dict[str, str] = {}
        self._looked_at = 0

    def after(self, ended: Ended) -> Ended:
        """Look at everything; returns what it was given."""
        self.kills += ended.code != 0
        self.told += ended.requests
        now = journal_of(self.site)
        self._acknowledged_is_kept(ended, now)
        self._nothing_durable_is_asked_again()
        self.durable = now
        self._at_most_what_was_in_flight_is_paid_twice()
        self._published_is_whole()
        return ended

    def _acknowledged_is_kept(self, ended: Ended, now: dict[str, str]) -> None:
        lost = self.durable.items() - now.items()
        assert not lost, f"I1: rows of the journal are gone: {lost}"
        told = len(self.durable) + ended.tokens // TOKENS
        assert len(now) >= told, f"I1: {told} rows were told as durable, {len(now)} are there"

    def _nothing_durable_is_asked_again(self) -> None:
        lines = self.site.server.attempts[self._looked_at :]
        self._looked_at += len(lines)
        again = {name for name, _ in lines} & set(self.durable.values())
        assert not again, f"I3: was durable and is asked again: {again}"

    def _at_most_what_was_in_flight_is_paid_twice(self) -> None:
        paid = self.site.server.paid
        lost = sum(paid.values()) - len(self.durable)
        most = self.kills * self.site.concurrency
        assert lost <= most, f"I2: {lost} answers were paid and lost, in {self.kills} failed runs"

    def _published_is_whole(self) -> None:
        for shard in self.site.work.rglob("part-*.parquet"):
            pq.read_table(shard, page_checksum_verification=True)
        for manifest in self.site.work.rglob("manifest.json"):
            for name, entry in json.loads(manifest.read_text(encoding="utf-8"))["files"].items():
                file = manifest.parent / name
                assert file.is_file(), f"I5: {file} is in the manifest and not there"
                assert sha256(file) == entry["sha256"], f"I5: {file} is not as the manifest says"

    def is_as_if_nothing_had_happened(self, calm: dict[str, str], costs: bool = True) -> None:
        """After the last run, which ended well.

        Args:
            calm: the files of an uninterrupted run.
            costs: whether it was listened to what runs tell of their costs.
        """
        made = files_of(self.site)
        different = {name for name in made.keys() | calm.keys() if made.get(name) != calm.get(name)}
        assert not different, f"I4: other bytes than those of the uninterrupted run: {different}"
        self._rows_are_those_of_the_journal()
        if costs:
            self._the_cost_told_is_the_servers()
        self._nothing_else_is_left()

    def _rows_are_those_of_the_journal(self) -> None:
        table = pq.read_table(self.site.artifact("traces") / "part-00000.parquet")
        rows = Counter(made["key"] for made in table.column("generation").to_pylist())
        assert rows == Counter(self.durable.keys()), "I1: not each durable row once in the dataset"

    def _the_cost_told_is_the_servers(self) -> None:
        server = self.site.server
        paid = sum(server.paid.values()) + server.discarded
        # What is told is on the disk: while that is waited for, what is written frees its place.
        most = 2 * self.kills * self.site.concurrency
        assert 0 <= paid - self.told <= most, f"I8: {self.told} were told as paid, {paid} are"

    def _nothing_else_is_left(self) -> None:
        left = {file.name for file in self.site.work.iterdir() if file.is_file()} - OF_THE_WORK
        assert not left, f"I6: left in the work directory: {left}"
        assert not list(self.site.work.rglob("*.tmp")), "I6: a temporary file is left"
        descriptor = os.open(self.site.work / ".lock", os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # I6: raises if it is held
        os.close(descriptor)


def runs_as_a_no_op(site: Site, warm: Warm) -> None:
    """I7: a run of what is complete asks nothing and writes nothing."""
    before, asked = _stamps(site), len(site.server.attempts)
    ended = warm.run(site)
    assert ended.code == 0, ended.text
    assert len(site.server.attempts) == asked, "I7: a complete run asks again"
    changed = {name for name, _ in _stamps(site).items() ^ before.items()}
    assert not changed, f"I7: a complete run writes {changed}"


def _stamps(site: Site) -> dict[str, tuple[int, int, int]]:
    """Of all files but the probe of whether one may write, and remembered digests of files."""
    return {
        str(file): (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        for file in site.work.rglob("*")
        if file.is_file() and file.name not in (".writable", ".digests.json")
        if (stat := file.stat())
    }
