"""Row filters in worker processes: order, accidents that cost one row, and whose fault they are."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from toys import Accident
from workbench import verdict_table

from potstill.pipeline import row_judge as module
from potstill.pipeline.errors import StepFailed
from potstill.pipeline.filter import WORKER_CRASHED, JudgeContext, Limits
from potstill.pipeline.row_judge import RowJudge
from potstill.pipeline.sample import SAMPLE_SCHEMA, Sample, new_sample
from potstill.pipeline.slices import Slice
from potstill.pipeline.workers import WorkerPool


def rows(*completions: str | None) -> list[Sample]:
    return [
        new_sample((), completion=text, extra=f'{{"row":{row}}}')
        for row, text in enumerate(completions)
    ]


def verdicts(samples: list[Sample], workers: int = 2, **config: object) -> list[tuple]:
    with Accident(**config).open(JudgeContext(workers=workers)) as judge:
        return [(each.score, each.reason, dict(each.evidence)) for each in judge.judge(samples)]


def test_verdicts_come_in_order_and_the_number_of_workers_changes_none() -> None:
    samples = rows(*(str(number % 7) for number in range(200)))
    expected = [(1.0, "fine", {"length": 1})] * 200
    assert verdicts(samples, workers=1) == verdicts(samples, workers=3) == expected


@pytest.mark.parametrize(
    ("what", "detail"),
    [
        ("raise", "ZeroDivisionError"),
        ("exit", "SystemExit"),
        ("hang", "more than 0.5 s of CPU time"),
        ("hang in C", "more than 0.5 s of CPU time"),
        ("kill", "killed by SIGKILL"),
        ("fill the memory", "more than 256 MiB of memory"),
    ],
)
def test_an_accident_costs_its_own_row(what: str, detail: str) -> None:
    samples = rows("a", "b", what, "c", "d")
    found = verdicts(samples)
    assert found[2] == (None, WORKER_CRASHED, {"detail": detail})
    assert [each[0] for each in found] == [1.0, 1.0, None, 1.0, 1.0]


ACCIDENTS = ("raise", "exit", "hang", "kill", "fill the memory", "fine")


@pytest.mark.parametrize("cheap_seconds", [0.0, float("inf")], ids=["in rows", "in slices"])
def test_tables_are_judged_as_rows_are(
    cheap_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In slices too an accident costs its own row: the slice is judged again row by row."""
    monkeypatch.setattr(module, "CHEAP_SECONDS", cheap_seconds)
    samples = rows("fine", "a", *["b"] * 300, *ACCIDENTS, *["c" * n for n in range(300)])
    rounds = jobs_handed_out(monkeypatch)
    with Accident().open(JudgeContext(workers=2)) as judge:
        tables = list(judge.judge_tables(batches(samples, 200)))
    made = pa.concat_tables(tables)
    assert made["reason"].to_pylist().count(WORKER_CRASHED) == len(ACCIDENTS) - 1
    expected = [Accident().judge_one(each) for each in samples[:302]]
    assert made.slice(0, 302).equals(verdict_table(zip(ids(samples)[:302], expected, strict=True)))
    assert made["id"].to_pylist() == ids(samples)
    assert any(Slice in kinds for kinds in rounds) == (cheap_seconds > 0)
    assert rounds[0] == {Sample}, "the first rows tell what a row costs"


def test_a_slice_without_a_verdict_says_what_a_row_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHEAP_SECONDS", float("inf"))
    said = batches(rows(*["fine"] * 10, "a string"), 8)
    with (
        Accident().open(JudgeContext()) as judge,
        pytest.raises(StepFailed, match=r"Accident.judge_one returned 'a string'"),
    ):
        list(judge.judge_tables(said))


def batches(samples: list[Sample], size: int) -> list[pa.RecordBatch]:
    named = [replace(sample, id=ids(samples)[row]) for row, sample in enumerate(samples)]
    table = pa.Table.from_pylist([each.to_row() for each in named], schema=SAMPLE_SCHEMA)
    return table.to_batches(max_chunksize=size)


def ids(samples: list[Sample]) -> list[str]:
    return [str(row) for row in range(len(samples))]


def jobs_handed_out(monkeypatch: pytest.MonkeyPatch) -> list[set[type]]:
    """The kinds of jobs of every round of the pool, from now on."""
    found: list[set[type]] = []
    original = WorkerPool.map

    def watched(self: WorkerPool, jobs: list) -> object:
        found.append(set(map(type, jobs)))
        return original(self, jobs)

    monkeypatch.setattr(WorkerPool, "map", watched)
    return found


def test_a_filter_says_whose_fault_it_was_by_its_control() -> None:
    found = verdicts(rows("hang", "raise", "fine"), blames=True)
    assert [each[1] for each in found] == ["the_completion", "the_filter", "fine"]


def test_what_a_filter_needs_of_the_run_travels_to_the_workers() -> None:
    found = verdicts(rows("say"), said="prepared and warm")
    assert found == [(1.0, "fine", {"said": "prepared and warm"})]


def test_a_verdict_that_is_none_is_a_mistake_of_the_filter_and_said() -> None:
    with pytest.raises(StepFailed, match=r"Accident.judge_one returned 'a string'"):
        verdicts(rows("a string"))


def test_a_filter_that_raises_on_everything_is_broken_and_ends_the_step() -> None:
    with pytest.raises(StepFailed, match=r"raised on all of its first 30 samples.*ZeroDivision"):
        verdicts(rows(*["raise"] * 30))
    assert len(verdicts(rows(*["raise"] * 19))) == 19, "too few to say so"
    assert len(verdicts(rows("fine", *["raise"] * 40))) == 41, "it can judge"


def test_limits_can_be_set() -> None:
    assert Accident().limits() == Limits(cpu_seconds=0.5, memory_mb=256)


def test_equal_controls_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = RowJudge._controls

    def watched(self: RowJudge, failed: dict[int, Sample]) -> object:
        pool = self._pool.map
        self._pool.map = lambda jobs: asked.append(len(jobs)) or pool(jobs)
        return original(self, failed)

    monkeypatch.setattr(RowJudge, "_controls", watched)
    same = rows("hang")[0]
    assert [each[1] for each in verdicts([same] * 3, blames=True)] == ["the_completion"] * 3
    assert asked == [1]
