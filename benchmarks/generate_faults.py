"""Every row in spite of 20 % faults: wall time against the ideal, and what was paid for nothing.

The fault server of the tests (429 with Retry-After 1, 500, HTML with status 200, resets, empty
choices; seeded) answers after 200 ms; 64 requests are in flight. The ideal is a server without
faults and a client without overhead.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import one_step

SERVER = Path(__file__).parents[1] / "tests" / "faulty_server.py"
IN_FLIGHT, LATENCY_S = 64, 0.2


@contextlib.contextmanager
def faulty(rate: float, ledger: Path) -> Iterator[str]:
    """The server's address, in a process of its own."""
    command = [sys.executable, str(SERVER), "--fault-rate", str(rate), "--latency", str(LATENCY_S)]
    process = subprocess.Popen(
        [*command, "--ledger", str(ledger)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def measure(requests: int = 8000, rate: float = 0.2) -> dict[str, Any]:
    """Rows that came, wall time over the ideal, and paid answers beyond the rows."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        problems = one_step.artifact_of(work / "problems", one_step.made_problems(requests))
        with faulty(rate, work / "ledger.jsonl") as url:
            config = {
                "teacher": {"engine": "openai", "base_url": url, "model": "instant"},
                "sampling": {"max_tokens": 50},
                "concurrency": IN_FLIGHT,
            }
            began = time.perf_counter()
            metrics = one_step.run_step(config, problems, work)
            wall = time.perf_counter() - began
        lines = (work / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    answers = Counter(json.loads(line)["what"] for line in lines)
    ideal = requests * LATENCY_S / IN_FLIGHT
    return {
        "wanted": requests,
        "rows": metrics["rows"],
        "wall_s": wall,
        "times_ideal": wall / ideal,
        "attempts": sum(answers.values()),
        "paid_again": answers["answered"] - requests,
    }


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
