"""What was paid for stays: round trips, kill -9, full disks, foreign files."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.models.journal import Bought, Journal, open_journal, read_journal
from potstill.models.journal_file import SCHEMA_VERSION
from potstill.models.request import Completion, Request
from potstill.models.sampling import Sampling
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.sample import Message
from potstill.pipeline.verdict import Json, Verdict

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def request(key: str, subject: str = "p", index: int = 0, tier: int = 0) -> Request:
    return Request(key, subject, index, (Message("user", "?"),), Sampling(), 1, tier)


def known(journal: Journal, keys: Iterable[str]) -> set[str]:
    return {key for key in keys if journal.has(key)}


def test_keys_of_what_was_bought_for_some(tmp_path: Path) -> None:
    with open_journal(tmp_path / "j.sqlite") as journal:
        for step in ("r/a", "r/b"):
            with journal.writer(step) as writer:
                for n in range(1200):
                    key = f"{step}{n}"
                    writer.put(request(key, subject=f"p{n}"), completion(key))
        subjects = [f"p{n}" for n in range(1, 1100)]
        assert journal.keys_of("r/a", subjects) == {f"r/a{n}" for n in range(1, 1100)}
        assert journal.keys_of("r/a", ["none"]) == journal.keys_of("r/c", subjects) == set()


def completion(key: str, text: str = "7", tokens: int | None = 3) -> Completion:
    return Completion(key, text, "stop", 5, tokens, "m", "{}")


@given(
    text=TEXT,
    reasoning=st.none() | TEXT,
    prefill=TEXT,
    raw=st.none() | TEXT,
    tokens=st.none() | st.integers(0, 2**40),
)
@settings(max_examples=30, deadline=None)
def test_what_goes_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory,
    text: str,
    reasoning: str | None,
    prefill: str,
    raw: str | None,
    tokens: int | None,
) -> None:
    whole = Completion("k", text, "length", None, tokens, "m", "{}", reasoning, prefill, raw)
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    with open_journal(path) as journal:
        with journal.writer("r/s") as writer:
            writer.put(request("k"), whole)
        assert journal.read(["k", "other"]) == {"k": whole}


def test_reading_is_a_function_of_keys(tmp_path: Path) -> None:
    keys = [f"key{number}" for number in range(1201)]  # more than one SELECT
    with open_journal(tmp_path / "deep" / "journal.sqlite") as journal:
        with journal.writer("r/s") as writer:
            for key in keys:
                writer.put(request(key), completion(key))
        assert writer.durable == (1201, 5 * 1201, 3 * 1201)
        wanted = [*keys[::2], "unknown"]
        assert known(journal, wanted) == set(keys[::2])
        assert set(journal.read(wanted)) == set(keys[::2])


def test_the_first_answer_stays(tmp_path: Path) -> None:
    with open_journal(tmp_path / "journal.sqlite") as journal:
        for text in ("first", "second"):
            with journal.writer("r/s") as writer:
                writer.put(request("k"), completion("k", text))
        assert journal.read(["k"])["k"].text == "first"


def test_what_was_bought_for_a_step(tmp_path: Path) -> None:
    with open_journal(tmp_path / "journal.sqlite") as journal:
        with journal.writer("r/traces") as writer:
            writer.put(request("a", "p", 0), completion("a", tokens=10))
            writer.put(request("b", "p", 1), completion("b", tokens=None))
            writer.put(request("c", "p", 0, tier=1), completion("c", tokens=4))
        with journal.writer("other/traces") as writer:
            writer.put(request("d", "p", 2), completion("d"))
        assert journal.sums_of("r/traces") == Bought(3, 15, 14, 116.0)
        assert journal.sums_of("r/nothing") == Bought(0, 0, 0, 0.0)
        places = [request("?", "p", 0), request("?", "p", 1), request("?", "p", 0, 1)]
        found = [journal.bought_instead("r/traces", place) for place in places]
        assert found == [(5, 10), (5, 0), (5, 4)]
        assert journal.bought_instead("r/traces", request("?", "p", 2)) is None
        assert journal.bought_instead("r/traces", request("?", "q", 0)) is None


@given(
    score=st.none() | st.floats(0, 1),
    evidence=st.dictionaries(TEXT, st.none() | st.integers(-9, 9) | TEXT | st.lists(TEXT)),
)
@settings(max_examples=30, deadline=None)
def test_verdicts_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, score: float | None, evidence: dict[str, Json]
) -> None:
    verdict = Verdict(score, "because", evidence)
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    with open_journal(path) as journal:
        with journal.writer("r/s") as writer:
            first = {"print": verdict, "other": Verdict(1.0, "good")}
            writer.put_verdicts([("sample", first)])
            writer.put_verdicts([("sample", {"other": Verdict(0.0, "changed")})])  # the first stays
        found = journal.verdicts("sample", ["print", "other", "unknown"])
        assert found == {"print": verdict, "other": Verdict(1.0, "good")}
        assert found["print"].to_row("x") == verdict.to_row("x")
        assert journal.verdicts("another", ["print"]) == {}
    assert writer.durable.completions == 0  # verdicts are not purchases


@pytest.mark.slow
def test_every_byte_prefix_of_the_tail_opens(tmp_path: Path) -> None:
    """A torn write-ahead log loses at most its last commit, wherever it is torn."""
    source, torn = tmp_path / "journal.sqlite", tmp_path / "torn.sqlite"
    with open_journal(source) as journal, journal.writer("r/s") as writer:
        for number in range(4):
            writer.put(request(str(number)), completion(str(number), "x" * 300))
            while writer.durable.completions <= number:
                time.sleep(0.001)
        database, log = source.read_bytes(), Path(f"{source}-wal").read_bytes()
    assert len(log) > 3 * 4096
    most = 0
    for length in range(len(log) - 4120 - 24, len(log) + 1):
        torn.write_bytes(database)
        Path(f"{torn}-wal").write_bytes(log[:length])
        Path(f"{torn}-shm").unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(torn)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # thousands of openings
            keys = [row[0] for row in connection.execute("SELECT key FROM completions")]
        assert keys == [str(number) for number in range(len(keys))]
        assert len(keys) >= most, "a longer log holds fewer rows"
        most = max(most, len(keys))
    assert most == 4


def test_everything_is_committed_however_the_block_is_left(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with open_journal(path) as journal:
        with pytest.raises(KeyboardInterrupt):
            interrupt_after(1000, journal)
        assert len(known(journal, map(str, range(1000)))) == 1000


def interrupt_after(rows: int, journal: Journal) -> None:
    with journal.writer("r/s") as writer:
        for number in range(rows):
            writer.put(request(str(number)), completion(str(number)))
        raise KeyboardInterrupt


def test_others_may_look_in_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with read_journal(path) as nothing:
        assert nothing is None
    with open_journal(path) as journal, journal.writer("r/s") as writer:
        writer.put(request("a"), completion("a"))
        while writer.durable.completions < 1:
            time.sleep(0.01)
        with read_journal(path) as reader:
            assert reader is not None
            assert reader.has("a")
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader._connection.execute("DELETE FROM completions")


WRITER = """
import os, sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[2]).parent))
from test_journal import completion, request
from potstill.models.journal import open_journal

with open_journal(Path(sys.argv[1])) as journal:
    first = int(sys.argv[3])
    with journal.writer("r/s") as writer:
        told = 0
        for number in range(first, first + 100_000):
            key = f"{number:06d}"
            writer.put(request(key), completion(key, key * 500))
            while told < writer.durable.completions:
                os.write(1, f"{first + told:06d} ".encode())  # unbuffered: told is told
                told += 1
"""


@pytest.mark.slow
def test_kill_9_loses_no_acknowledged_row(tmp_path: Path) -> None:
    """Six kills at different instants, all into one journal."""
    path, first = tmp_path / "journal.sqlite", 0
    acknowledged: list[str] = []
    for number in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), __file__, str(first)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        ledger = process.stdout.read(7)  # the first row is in: from here on any instant will do
        time.sleep(0.02 * number)
        os.kill(process.pid, signal.SIGKILL)
        ledger += process.stdout.read()
        process.wait()
        acknowledged += [word for word in ledger.decode().split(" ") if len(word) == 6]
        first = int(acknowledged[-1]) + 1_000  # in flight rows are another run's business
    assert len(acknowledged) > 6
    with open_journal(path) as journal:
        found = journal.read(acknowledged)
        assert set(found) == set(acknowledged)
        assert all(done.text == key * 500 for key, done in found.items())
        (whole,) = journal._connection.execute("PRAGMA integrity_check").fetchone()
        assert whole == "ok"


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[2]).parent))
from test_journal import completion, request
from potstill.models.journal import open_journal
from potstill.pipeline.errors import StepFailed

with open_journal(Path(sys.argv[1])) as journal:
    try:
        with journal.writer("r/s") as writer:
            writer.put(request("early"), completion("early"))
            while not writer.durable.completions:
                pass
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
            for number in range(100_000):
                writer.put(request(str(number)), completion(str(number), "x" * 1000))
    except StepFailed as error:
        print(writer.durable.completions, error)
"""


def test_a_disk_that_refuses_stops_the_step_and_keeps_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    command = [sys.executable, "-c", FULL_DISK, str(path), __file__]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    count, _, message = output.partition(" ")
    assert "cannot be written" in message
    assert "run the same command to go on" in message
    with open_journal(path) as journal:
        (rows,) = journal._connection.execute("SELECT count(*) FROM completions").fetchone()
        assert rows == int(count) >= 1
        with journal.writer("r/s") as writer:
            writer.put(request("later"), completion("later"))
        assert known(journal, ["early", "later"]) == {"early", "later"}


def a_database(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"not a database at all" * 100), "is no journal"),
        (lambda path: a_database(path, "CREATE TABLE t (a)"), "of another program"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, make, words: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "journal.sqlite"
    make(path)
    before = path.read_bytes()
    for opening in (open_journal, read_journal):
        with pytest.raises(RequestError, match=words), opening(path):
            pass
    assert path.read_bytes() == before


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with open_journal(path):
        pass
    a_database(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with (
        pytest.raises(RequestError, match=f"schema {SCHEMA_VERSION + 1}.*--work"),
        open_journal(path),
    ):
        pass


def test_a_place_that_cannot_be_written_is_a_failed_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StepFailed, match="cannot be opened for writing"),
        open_journal(tmp_path / "file" / "journal.sqlite"),
    ):
        pass
