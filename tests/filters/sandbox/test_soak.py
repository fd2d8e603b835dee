"""A thousand programs, most of them quick, through one judge: right verdicts, and nothing is left.

Honest, wrong, hostile and looping programs come in an order of no pattern. Processes, descriptors,
memory, temporary files and control groups are counted before and after.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attack_programs import OUTPUT_KB, Program, programs
from attack_stage import set_stage
from census import Census, adopted_orphans, alive, control_groups, resident_mb, within

from potstill.filters.code import Code
from potstill.filters.sandbox.execution import Execution, Script
from potstill.filters.sandbox.settings import Settings
from potstill.filters.sandbox.warm import WarmSandbox
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.verdict import Verdict

PROGRAMS = 1000
SLOW = 12
"""Programs that use up a limit of time."""
BATCH = 200
WORKER_GROWTH_MB = 48


@pytest.fixture(autouse=True, scope="module")
def orphans() -> Iterator[None]:
    with adopted_orphans():
        yield


def chosen() -> list[Program]:
    """The same thousand every time: mostly honest, some hostile, a few that use up their time."""
    chance = random.Random(1)
    usable = [
        each
        for each in programs()
        if each.head.get("machine", os.uname().machine) == os.uname().machine
        and not each.head.keys() & {"packages", "patient"}
        and not {"timeout", "memory"} & each.reasons
    ]
    honest = [each for each in usable if not each.is_attack]
    hostile = [each for each in usable if each.is_attack]
    slow = [each for each in programs() if each.reasons == {"timeout"} and "loop" in each.name]
    found = chance.choices(slow, k=SLOW) + chance.choices(hostile, k=PROGRAMS // 3)
    found += chance.choices(honest, k=PROGRAMS - len(found))
    chance.shuffle(found)
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_thousand_programs_leave_nothing(
    bubblewrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = chosen()
    judge_filter = Code(cpu_seconds=1, wall_seconds=3.0, output_kb=OUTPUT_KB)
    with set_stage() as stage:
        others, before = alive(), Census.take(tmp_path)
        found, workers, sizes = [], set(), []
        with judge_filter.open(JudgeContext(workers=2)) as judge:
            for start in range(0, PROGRAMS, BATCH):
                part = rows[start : start + BATCH]
                numbered = [each.sample(stage, extra=f'{{"n":{start}}}') for each in part]
                found += judge.judge(numbered)
                present = alive() - others
                workers |= present
                sizes.append(max(resident_mb(each) for each in present))
                assert len(present) <= 2 * 5, present
        assert within(2.0, lambda: alive() <= others), alive() - others
        assert before.left_by(Census.take(tmp_path)) == []
        with WarmSandbox(Settings()) as next_one:  # sweeps up: a pool kills its workers
            next_one.execute(Execution("pass", Script()))
        assert control_groups(workers) == []
        assert stage.heard() == []
        assert stage.is_untouched()
    assert sizes[-1] - sizes[0] <= WORKER_GROWTH_MB, sizes
    _are_right(rows, found)


def _are_right(rows: list[Program], found: list[Verdict]) -> None:
    unexpected = Counter(
        f"{program.name}: {verdict.reason} {json.dumps(dict(verdict.evidence))[:200]}"
        for program, verdict in zip(rows, found, strict=True)
        if verdict.reason not in program.reasons
    )
    assert not unexpected
    by_program: dict[str, set[str]] = {}
    for program, verdict in zip(rows, found, strict=True):
        by_program.setdefault(program.name, set()).add(verdict.reason)
    assert not {name: reasons for name, reasons in by_program.items() if len(reasons) > 1}
