"""Everything that is claimed about judging, measured in one run, as ratios where it can be one.

    .venv/bin/python benchmarks/judge.py [PART …]

    math      rows/s against plain math-verify on the same rows, with one and two workers
    language  CPU time and errors against pycld2 asked about every sentence
    hangs     adversarial answers and keys: how many hang, and what one costs
    steps     rows/s of a `judge` step with all text filters, and its peak memory at two sizes

Machines are noisy: arms of one part take turns, and caches are cleared between them.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "filters"))

TEXT_FILTERS = ("format", "language", "length", "math", "refusal", "repetition")
SIZES = (4_000, 16_000)


def script(name: str) -> None:
    """Run another benchmark with its output."""
    subprocess.run([sys.executable, str(HERE / name)], check=True)


def hangs() -> None:
    """The aim is none, and a median of at most 50 ms."""
    from adversarial_answers import ADVERSARIAL

    from potstill.filters.math import MathAnswer
    from potstill.pipeline.filter import JudgeContext
    from potstill.pipeline.sample import new_sample

    seconds: list[float] = []
    scores: list[float | None] = []
    with MathAnswer().open(JudgeContext()) as judge:
        judge.judge([new_sample((), completion="\\boxed{x+y}", answer="\\pi")])
        for answer in ADVERSARIAL.values():
            sample = new_sample((), completion=f"<think>a</think>\\boxed{{{answer}}}", answer="10")
            began = time.perf_counter()
            scores += [verdict.score for verdict in judge.judge([sample])]
            seconds.append(time.perf_counter() - began)
    limit = MathAnswer().cpu_seconds
    print(
        f"{len(seconds)} adversarial answers: median {statistics.median(seconds) * 1e3:.1f} ms, "
        f"slowest {max(seconds):.1f} s (the limit is {limit:g} s of CPU, twice), "
        f"{sum(score != 0.0 for score in scores)} not judged wrong"
    )


def steps() -> None:
    """Real steps on real files; writing the samples and judging them are processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            for part in ("--write", "--judge"):
                command = [sys.executable, __file__, part, f"{folder}/{size}", "--size", str(size)]
                subprocess.run(command, check=True)


def write(source: Path, size: int) -> None:
    """`size` samples of 8,000 characters as a finished artifact."""
    from math_problems import rows

    from potstill.pipeline.artifact import write_manifest
    from potstill.pipeline.sample import with_ids
    from potstill.pipeline.shards import write_samples

    samples = rows()
    repeated = (samples[number % len(samples)] for number in range(size))
    count = write_samples(source, with_ids(repeated))
    body = {"step": "rows", "identity": {"kind": "load"}, "address": "0", "inputs": {}}
    write_manifest(source, {**body, "rows": count, "metrics": {}}, {})


def judge(source: Path, size: int) -> None:
    """All text filters on these samples, and the peak memory of this process."""
    from potstill.filters import FILTERS
    from potstill.pipeline.artifact import open_artifact
    from potstill.pipeline.stage import Context
    from potstill.stages.judge import JudgeSamples

    artifact = open_artifact(source)
    if artifact is None:
        raise SystemExit("the samples were not written")
    context = Context(
        step="benchmark/verdicts",
        out=source.with_name(f"{source.name}-verdicts"),
        inputs={"rows": artifact},
        filters={name: FILTERS[name]() for name in TEXT_FILTERS},
        paths={},
        digests={},
        journal=source.with_name("journal.sqlite"),
        workers=2,
    )
    began = time.perf_counter()
    JudgeSamples(samples="rows", filters=TEXT_FILTERS).run(context)
    seconds = time.perf_counter() - began
    print(
        f"judge step, {size:,} samples x {len(TEXT_FILTERS)} filters, 2 workers: "
        f"{size * len(TEXT_FILTERS) / seconds:,.0f} verdicts/s, peak memory "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB beside the workers"
    )


def main() -> int:
    """Run the parts asked for, or all."""
    parts = {
        "math": lambda: script("judge_math.py"),
        "language": lambda: script("judge_language.py"),
        "hangs": hangs,
        "steps": steps,
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--judge", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := [part for part in asked.parts if part not in parts]:
        parser.error(f"no part {unknown[0]!r}; expected {', '.join(parts)}")
    if asked.write or asked.judge:
        write(asked.write, asked.size) if asked.write else judge(asked.judge, asked.size)
        return 0
    for part in asked.parts or parts:
        print(f"== {part}", flush=True)
        parts[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
