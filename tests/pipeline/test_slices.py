"""Slices of tables: cut to size, packed without their neighbours, judged as their rows are."""

from __future__ import annotations

import pyarrow as pa
import pytest
from toys import Accident

from potstill.pipeline.sample import SAMPLE_SCHEMA, Generation, Message, Sample, new_sample
from potstill.pipeline.slices import SliceVerdicts, columns_of, judge_job, packed, slices_of
from potstill.pipeline.verdict import VERDICT_SCHEMA, Verdict

MADE = Generation("t", "r", "k", 0, 7, "stop", 3, None)


def batch_of(*completions: str | None) -> pa.RecordBatch:
    rows = [
        new_sample(
            (Message("system", "be brief"), Message("user", f"q{row}")),
            completion=text,
            generation=MADE if row % 2 else None,
        )
        for row, text in enumerate(completions)
    ]
    return pa.RecordBatch.from_pylist([row.to_row() for row in rows], schema=SAMPLE_SCHEMA)


def test_long_rows_make_short_slices() -> None:
    assert [part.num_rows for part in slices_of(batch_of(*["a"] * 600))] == [250, 250, 100]
    long = batch_of(*["a" * 200_000] * 5)
    assert [part.num_rows for part in slices_of(long)] == [2, 2, 1]
    assert [part.num_rows for part in slices_of(batch_of("a" * (1 << 20)))] == [1]
    assert list(slices_of(batch_of())) == []


def test_a_packed_slice_does_not_carry_the_rest_of_its_batch() -> None:
    batch = batch_of(*["a" * 1000] * 100)
    assert len(packed(batch.slice(50, 2)).data) < 10_000


def test_a_slice_is_judged_as_its_rows_are() -> None:
    class Echo:
        def judge_one(self, sample: Sample) -> Verdict:
            said = {"生": [sample.prompt[0].role, sample.question], "at": repr(sample.generation)}
            return Verdict(None if sample.completion is None else 0.5, "said", said)

    batch = batch_of("a", None, "深", "d", None)
    for start in range(5):
        job = packed(batch.slice(start, 3))
        found = judge_job(Echo(), job)  # type: ignore[arg-type]
        assert isinstance(found, SliceVerdicts)
        samples = map(Sample.from_row, batch.slice(start, 3).to_pylist())
        rows = [judge_job(Echo(), sample).to_row("x") for sample in samples]  # type: ignore[arg-type, union-attr]
        table = found.table(pa.array(["x"] * len(rows)))
        assert table.schema == VERDICT_SCHEMA
        assert table.to_pylist() == rows


def test_columns_are_those_of_rows() -> None:
    verdicts = [Verdict(None, "a"), Verdict(0.0, "b", {"z": 1, "a": "\ud800"}), Verdict(1.0, "a")]
    rows = [verdict.to_row(str(row)) for row, verdict in enumerate(verdicts)]
    assert columns_of(verdicts).table(pa.array(["0", "1", "2"])).to_pylist() == rows
    assert columns_of([]).table(pa.array([], pa.string())).num_rows == 0


def test_what_is_no_verdict_fails_the_slice() -> None:
    with pytest.raises(TypeError, match="'a string' is no verdict"):
        judge_job(Accident(), packed(batch_of("fine", "a string")))
