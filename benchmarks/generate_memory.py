"""Peak memory of the `generate` step by number of problems, against an instant server.

Each size runs in a process of its own, whose peak resident set is read from the kernel. The slope
between the sizes gives the peak at a million problems; `--whole` runs the million (ten minutes).

    python benchmarks/generate_memory.py PROBLEMS      # one size, as JSON
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import instant_server
import one_step

MILLION = 1_000_000


def peak_mib(problems: int) -> float:
    """Peak resident memory of a process that runs the step, in MiB."""
    command = [sys.executable, __file__, str(problems)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(json.loads(output)["peak_mib"])


def at_a_million(sizes: tuple[int, int] = (20_000, 100_000)) -> dict[str, float]:
    """Peaks of two sizes, and the line through them at a million."""
    small, large = (peak_mib(size) for size in sizes)
    slope = (large - small) / (sizes[1] - sizes[0])
    return {
        f"mib_at_{sizes[0]}": small,
        f"mib_at_{sizes[1]}": large,
        "mib_at_1000000_extrapolated": large + slope * (MILLION - sizes[1]),
    }


def main() -> None:
    problems = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, instant_server.running() as url:
        work = Path(folder)
        config = {
            "teacher": {"engine": "openai", "base_url": url, "model": "instant"},
            "sampling": {"max_tokens": 50},
        }
        made = one_step.artifact_of(work / "problems", one_step.made_problems(problems))
        metrics = one_step.run_step(config, made, work)
    assert metrics["rows"] == problems
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"problems": problems, "peak_mib": peak}))


if __name__ == "__main__":
    main()
