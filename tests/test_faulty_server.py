"""The fault server itself: faults by chance, its ledger, and its life as a process."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import asking
from endpoints import ask, questions
from faulty_server import FaultyServer
from server_faults import PERMANENT, RETRYABLE, TYPICAL, fault_by_chance, is_free, typical


def test_faults_are_a_function_of_seed_request_and_attempt() -> None:
    rates = typical(0.2)
    drawn = [fault_by_chance(rates, 7, f"r{n}", 0) for n in range(5000)]
    assert drawn == [fault_by_chance(rates, 7, f"r{n}", 0) for n in range(5000)]
    assert drawn != [fault_by_chance(rates, 8, f"r{n}", 0) for n in range(5000)]
    assert drawn != [fault_by_chance(rates, 7, f"r{n}", 1) for n in range(5000)]
    counted = Counter(drawn)
    assert counted.keys() == {*TYPICAL, "answered"}
    assert 0.76 < counted["answered"] / 5000 < 0.84
    assert 0.07 < counted["429_retry_after"] / 5000 < 0.13


def test_which_faults_cost_something() -> None:
    assert not is_free("reset")
    assert not is_free("html_200")
    assert is_free("503_html")
    assert len({*RETRYABLE, *PERMANENT}) == len(RETRYABLE) + len(PERMANENT)


def test_it_runs_as_a_process_with_a_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "calls.jsonl"
    arguments = ["--seed", "1", "--fault-rate", "0.3", "--ledger", str(ledger)]
    process = subprocess.Popen(
        [sys.executable, "-m", "faulty_server", "--retry-after", "0.01", *arguments],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        asking.completions(ask(FaultyServer(url=url), questions(30)).values())
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
    calls = [json.loads(line) for line in ledger.read_text().splitlines()]
    paid = Counter(call["request"] for call in calls if call["what"] == "answered")
    assert len(calls) > 30
    assert len(paid) == 30
    assert set(paid.values()) == {1}
