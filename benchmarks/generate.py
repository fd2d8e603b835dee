"""Everything that is claimed about generation, measured in one run, as ratios where it can be one.

    .venv/bin/python benchmarks/generate.py [PART …] [--json]

    engine    tokens/s of the vLLM teacher against raw LLM.generate, same prompts and arguments
    client    requests/s of one core against an instant server; openai client and aiohttp beside it
    latency   wall time at 200 ms latency and 64 in flight against the ideal
    faults    the same with 20 % of all answers faulty
    stopping  tokens per accepted trace against the optimum and against a fixed n
    memory    peak memory at a million problems, extrapolated from two sizes

Machines are noisy: cells of one part are interleaved, and the best of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import generate_client
import generate_faults
import generate_memory
import generate_stopping

ROUNDS = 3
REQUESTS = {"potstill": 8000, "openai": 1000, "aiohttp": 8000}

Rows = list[dict[str, Any]]


def engine() -> Rows:
    """The aim is a ratio of at least 0.95."""
    command = [sys.executable, str(Path(__file__).with_name("engine_rate.py")), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [{"part": "engine", **json.loads(output.splitlines()[-1])}]  # vLLM logs to stdout too


def client() -> Rows:
    """The aim is 2,500 requests/s with the journal, and five times the openai client without."""
    rows = []
    for in_flight in (64, 1024):
        rates: dict[str, float] = {}
        for _ in range(ROUNDS):
            for name in generate_client.CLIENTS:
                requests = REQUESTS[name]
                rate = requests / generate_client.cell(name, in_flight, requests)
                rates[name] = max(rates.get(name, 0.0), rate)
        rows.append(
            {
                "part": "client",
                "in_flight": in_flight,
                **{f"{name}_per_s": round(rate) for name, rate in rates.items()},
                "times_openai": rates["potstill"] / rates["openai"],
                "share_of_aiohttp": rates["potstill"] / rates["aiohttp"],
            }
        )
    return rows


def latency() -> Rows:
    """The aim is at most 1.05 times the ideal."""
    requests, in_flight, seconds = 8000, 64, 0.2
    wall = generate_client.cell("potstill", in_flight, requests, seconds)
    ideal = requests * seconds / in_flight
    return [{"part": "latency", "wall_s": wall, "ideal_s": ideal, "times_ideal": wall / ideal}]


def faults() -> Rows:
    """The aim is every row in at most twice the ideal; the best peer needs 16 times."""
    return [{"part": "faults", **generate_faults.measure()}]


def stopping() -> Rows:
    """The aims: 1.10 times the optimum; at p = 0.55 a fixed n costs 1.5 times as many tokens."""
    return [{"part": "stopping", **each.facts()} for each in generate_stopping.measure_all()]


def memory() -> Rows:
    """The aim is less than 1,024 MiB at a million problems."""
    return [{"part": "memory", **generate_memory.at_a_million()}]


PARTS: dict[str, Callable[[], Rows]] = {
    "engine": engine,
    "client": client,
    "latency": latency,
    "faults": faults,
    "stopping": stopping,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What generation costs and saves.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name in options.parts or PARTS:
        for row in PARTS[name]():
            if options.json:
                print(json.dumps(row), flush=True)
            else:
                shown = (
                    f"{k} {v:,.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()
                )
                print(" · ".join(shown), flush=True)


if __name__ == "__main__":
    main()
