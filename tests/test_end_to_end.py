"""The chain up to a student, with the real engine and the real trainer; killed, resumed, compared.

The runner alone is killed with -9 while vLLM generates and while trl trains. Nothing of the run may
be alive seconds later, and the same command must finish it. A second work directory that is given
only the journal must then come to the same bytes: everything after the journal is a function.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALL = (
    "steps.problems.load.rows=40",
    "steps.qwen.sft.epochs=8",
)
BYTES_OF = ("traces", "reasoning", "mixture", "qwen")
RUN = ("run", "--to", "qwen")


def command(work: Path, *more: str) -> list[str]:
    options = [option for value in SMALL for option in ("--set", value)]
    recipe = str(ROOT / "recipes" / "quickstart.yaml")
    return [sys.executable, "-m", "potstill.cli", *more, recipe, "--work", str(work), *options]


def wait_for(condition: Callable[[], Any], seconds: float) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def group_of(work: Path, step: str) -> int | None:
    try:
        running = json.loads((work / "running.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return running["group"] if running["step"] == f"quickstart/{step}" else None


def alive_in(group: int) -> list[str]:
    """Processes of a group that still run, zombies not counted."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def bought(work: Path) -> int:
    journal = work / "journal.sqlite"
    if not journal.exists():
        return 0
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as connection:
        try:
            return int(connection.execute("select count(*) from completions").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def kill_in(work: Path, step: str, moment: Callable[[], Any]) -> None:
    """Start the run, kill the runner alone at a moment of a step, see that nothing is left."""
    with (work.parent / "out.log").open("ab") as log:
        runner = subprocess.Popen(command(work, *RUN), stdout=log, stderr=log)
    try:
        group = wait_for(lambda: group_of(work, step), 120)
        wait_for(moment, 120)
    finally:
        runner.kill()
        runner.wait()
    wait_for(lambda: not alive_in(group), 10)


def digests(work: Path) -> dict[str, str]:
    return {
        f"{file.parent.name}/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest()
        for step in BYTES_OF
        for file in sorted(work.glob(f"quickstart/{step}-*/*"))
        if file.is_file() and file.name != "timing.json"
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_in_generation_and_training_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    work = tmp_path / "work"
    told = tmp_path / "out.log"
    kill_in(work, "traces", lambda: bought(work) > 10)
    kept = bought(work)
    kill_in(work, "qwen", lambda: "phase train" in told.read_text("utf-8"))
    assert bought(work) >= kept
    done = subprocess.run(command(work, *RUN), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "model qwen" in done.stdout

    calm = tmp_path / "calm"
    calm.mkdir()
    for file in work.glob("journal.sqlite*"):
        shutil.copy(file, calm / file.name)
    subprocess.run(command(calm, *RUN), capture_output=True, check=True)
    assert digests(calm) == digests(work)
    assert len(digests(work)) > len(BYTES_OF)

    again = subprocess.run(command(work, *RUN), capture_output=True, text=True, check=True)
    assert "nothing to do" in again.stderr.lower()
    status = subprocess.run(command(work, "status", "--json"), capture_output=True, check=True)
    steps = json.loads(status.stdout)["steps"]
    assert {steps[step]["state"] for step in BYTES_OF} == {"complete"}
    assert steps["llama"]["state"] == "missing"
