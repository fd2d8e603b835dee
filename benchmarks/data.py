"""What is claimed about data, measured in one run: potstill against `datasets` doing the same.

    .venv/bin/python benchmarks/data.py                        # 1,000,000 rows of about 1 kB
    .venv/bin/python benchmarks/data.py load mix --rows 100000 --json

    load      JSONL to samples: ids, languages, other columns kept
    select    judge by two filters, join the verdicts, keep what passes
    mix       two parts 3 : 1, shuffled, with copy numbers
    export    samples to rows of messages

Every arm is a process of its own and ends with zstd parquet on disk; the arms of one part take
turns. Rows/s counts the rows read and the seconds without imports. Memory is the most that the
process and its workers held at one moment: `peak` all resident pages, `own` without pages of
mapped files, which the kernel may take back.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import data_arms
import data_rows

HERE = Path(__file__).resolve().parent
PARTS = ("load", "select", "mix", "export")
ARMS = ("potstill", "datasets")
LOOK_EVERY = 0.05
"""Seconds between two looks at the memory."""
AIM = "the aim is at least 3 times the rows/s and at most half of the memory"


@dataclass
class Measured:
    """One arm of one part."""

    part: str
    arm: str
    rows: int
    seconds: float
    peak_mib: float
    own_mib: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return {**vars(self), "rows_per_s": round(self.rate)}


def measure(part: str, arm: str, folder: Path, rows: int) -> Measured:
    """Run an arm in a process of its own and watch its memory."""
    import psutil

    cache = folder / "cache"
    environment = {**os.environ, "HF_DATASETS_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, str(HERE / "data_arms.py"), arm, part, str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    watched = psutil.Process(child.pid)
    peak = own = 0
    while child.poll() is None:
        resident, shared = held(watched)
        peak, own = max(peak, resident), max(own, resident - shared)
        time.sleep(LOOK_EVERY)
    if child.returncode:
        raise SystemExit(f"{arm} {part} failed; its message is above")
    told = json.loads((child.stdout.read() if child.stdout else "").splitlines()[-1])
    for made in [cache, *folder.glob(f"{arm}-*")]:
        shutil.rmtree(made, ignore_errors=True)
    return Measured(part, arm, rows, told["seconds"], peak / 2**20, own / 2**20)


def held(process: Any) -> tuple[int, int]:
    """Bytes resident, and those of them that are mapped files, of a process and its children."""
    import psutil

    resident = shared = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            memory = each.memory_info()
            resident, shared = resident + memory.rss, shared + memory.shared
    except psutil.NoSuchProcess:  # it ended while it was looked at
        return 0, 0
    return resident, shared


def prepare(folder: Path, rows: int) -> None:
    """Rows as JSONL, as one artifact, and as two parts for the mixture."""
    from potstill.stages.load import Load

    sizes = {"rows": rows, "reasoning": rows * 7 // 10, "general": rows - rows * 7 // 10}
    for seed, (name, size) in enumerate(sizes.items(), start=7):
        source = folder / f"{name}.jsonl"
        data_rows.write_jsonl(source, size, seed)
        out = "samples" if name == "rows" else name
        made = data_arms.context(folder, out, {}, paths={str(source): source})
        config = {"source": str(source), "columns": data_arms.MEANING, "task": "math"}
        data_arms.finish(made, "load", Load.model_validate(config).run(made))
        if name != "rows":
            source.unlink()


def show(found: list[Measured]) -> None:
    """A line for each arm, and how the two compare."""
    print(f"{'part':8}{'arm':10}{'rows/s':>10}{'seconds':>9}{'peak MiB':>10}{'own MiB':>9}")
    for part in dict.fromkeys(each.part for each in found):
        arms = {each.arm: each for each in found if each.part == part}
        for each in arms.values():
            print(
                f"{part:8}{each.arm:10}{each.rate:>10,.0f}{each.seconds:>9.1f}"
                f"{each.peak_mib:>10,.0f}{each.own_mib:>9,.0f}"
            )
        if len(arms) == len(ARMS):
            ours, theirs = arms["potstill"], arms["datasets"]
            print(
                f"{'':8}{ours.rate / theirs.rate:.2f} times the rows/s, "
                f"{ours.peak_mib / theirs.peak_mib:.2f} of the peak, "
                f"{ours.own_mib / theirs.own_mib:.2f} of the memory of its own"
            )
    print(AIM)


def main() -> int:
    """Run the parts asked for, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="Where to work; a temporary one if not given.")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if unknown := [part for part in asked.parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; expected {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        prepare(Path(folder), asked.rows)
        found = [
            measure(part, arm, Path(folder), asked.rows)
            for part in asked.parts or PARTS
            for arm in ARMS
        ]
    if asked.json:
        print(json.dumps([each.facts() for each in found], indent=1))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
