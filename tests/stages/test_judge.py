"""The judge step with filters of the tests' own: alignment, counts, taking over, contracts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from pydantic import ValidationError
from toys import InProcess
from workbench import Workbench, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import StepFailed
from potstill.pipeline.filter import CorpusFilter, JudgeContext, SampleFilter
from potstill.pipeline.sample import Sample
from potstill.pipeline.verdict import Verdict
from potstill.stages import judge as judge_module
from potstill.stages.judge import JudgeSamples


class Sum(InProcess):
    """The completion against the key."""

    kind: ClassVar[str] = "sum"
    reasons: ClassVar[frozenset[str]] = frozenset({"right", "wrong", "no_key"})
    ledger: str = ""

    def judge_one(self, sample: Sample) -> Verdict:
        if self.ledger:
            with Path(self.ledger).open("a", encoding="utf-8") as file:
                file.write(f"{sample.id}\n")
        if sample.answer is None:
            return Verdict(None, "no_key")
        right = sample.completion == sample.answer
        return Verdict(float(right), "right" if right else "wrong", {"said": sample.completion})


class Short(InProcess):
    """Shorter completions are better."""

    kind: ClassVar[str] = "short"
    reasons: ClassVar[frozenset[str]] = frozenset({"measured"})

    def judge_one(self, sample: Sample) -> Verdict:
        return Verdict(1 / (1 + len(sample.completion or "")), "measured")


class Twice(CorpusFilter):
    """Whether a completion was seen before in the dataset."""

    kind: ClassVar[str] = "twice"
    reasons: ClassVar[frozenset[str]] = frozenset({"new", "seen"})
    loses: bool = False

    def judge_all(self, samples: pl.LazyFrame, context: JudgeContext) -> pl.LazyFrame:
        new = pl.col("completion").is_first_distinct()
        frame = samples.select(
            "id",
            score=new.cast(pl.Float64),
            reason=pl.when(new).then(pl.lit("new")).otherwise(pl.lit("seen")),
            evidence=pl.lit("{}"),
        )
        return frame.head(1) if self.loses else frame


class Broken(SampleFilter):
    """Breaks the contract in the way it is told."""

    kind: ClassVar[str] = "broken"
    reasons: ClassVar[frozenset[str]] = frozenset({"fine"})
    how: str

    @contextmanager
    def open(self, context: JudgeContext) -> Iterator[Any]:
        yield self

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]:
        if self.how == "too few":
            return [Verdict(1.0, "fine")] * (len(samples) - 1)
        return [Verdict(1.0, "splendid")] * len(samples)


@pytest.fixture
def traces(bench: Workbench) -> Artifact:
    said = [("1+1", "2", "2"), ("1+1", "3", "2"), ("2+2", "4", None), ("3+3", "3", "6")]
    return bench.samples("traces", (problem(q, c, answer=a) for q, c, a in said))


def judge(bench: Workbench, traces: Artifact, name: str = "verdicts", **filters: Any) -> Artifact:
    siblings = filters.pop("siblings", ())
    return bench.run(
        name,
        JudgeSamples(samples="traces", filters=tuple(filters)),
        inputs={"traces": traces},
        filters=filters,
        siblings=siblings,
    )


def test_one_verdict_per_row_and_filter(bench: Workbench, traces: Artifact) -> None:
    artifact = judge(bench, traces, sum=Sum(), short=Short(), twice=Twice())
    ids = [sample.id for sample in traces.samples()]
    for name in ("sum", "short", "twice"):
        assert artifact.verdict_table(name).column("id").to_pylist() == ids
    rows = artifact.verdict_table("sum").to_pylist()
    assert [row["score"] for row in rows] == [1.0, 0.0, None, 0.0]
    assert json.loads(rows[1]["evidence"]) == {"said": "3"}
    assert artifact.rows is None


def test_metrics_tell_unknown_from_wrong(bench: Workbench, traces: Artifact) -> None:
    metrics = judge(bench, traces, sum=Sum(), twice=Twice()).metrics
    assert metrics["rows"] == 4
    assert metrics["filters"]["sum"] == {
        "mean": pytest.approx(1 / 3),
        "unjudged": 1,
        "reasons": {"no_key": 1, "right": 1, "wrong": 2},
    }
    assert metrics["filters"]["twice"]["reasons"] == {"new": 3, "seen": 1}


def test_nothing_judged_has_no_mean(bench: Workbench) -> None:
    traces = bench.samples("traces", [problem("1+1", "2")])
    report = judge(bench, traces, sum=Sum()).metrics["filters"]["sum"]
    assert (report["mean"], report["unjudged"]) == (None, 1)


def test_a_set_made_before_is_taken_over(bench: Workbench, traces: Artifact) -> None:
    ledger = bench.root / "ledger"
    counting = Sum(ledger=str(ledger))
    first = judge(bench, traces, sum=counting)
    second = judge(
        bench, traces, "again", other_name=counting, short=Short(), siblings=(first.path,)
    )
    assert [note.split()[:2] for note in bench.notes] == [["other_name:", "4"]]
    assert len(ledger.read_text().split()) == 4
    assert second.verdict_table("other_name").equals(first.verdict_table("sum"))
    linked = second.path / "verdicts/other_name/part-00000.parquet"
    assert linked.samefile(first.path / "verdicts/sum/part-00000.parquet")


def test_a_changed_filter_or_sample_is_judged_again(bench: Workbench, traces: Artifact) -> None:
    first = judge(bench, traces, sum=Sum())
    changed = Sum(ledger=str(bench.root / "ledger"))
    again = judge(bench, traces, "again", sum=changed, siblings=(first.path,))
    assert again.metrics["filters"]["sum"]["reasons"]
    assert bench.notes == []
    other = bench.samples("others", [problem("1+1", "2", answer="2")])
    assert judge(bench, other, "third", sum=Sum(), siblings=(first.path,)).metrics["rows"] == 1


def test_all_batches_are_judged(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_module, "BATCH", 3)
    traces = bench.samples("traces", (problem(str(n), str(n), answer="1") for n in range(8)))
    artifact = judge(bench, traces, sum=Sum(), short=Short())
    assert artifact.metrics["filters"]["sum"]["reasons"] == {"right": 1, "wrong": 7}
    done = [event["done"] for event in bench.events if event["event"] == "progress"]
    assert done == [3, 6, 8, 11, 14, 16]


CONTRACTS = {
    "too few": (Broken(how="too few"), "'x' gave 3 verdicts on 4 samples"),
    "a reason of its own": (Broken(how="reason"), "'splendid' .* expected one of its list: fine"),
    "rows lost": (Twice(loses=True), "answered with 1 rows that are not the 4 samples"),
}


@pytest.mark.parametrize(("judging", "message"), CONTRACTS.values(), ids=CONTRACTS.keys())
def test_a_filter_is_held_to_its_contract(
    bench: Workbench, traces: Artifact, judging: Any, message: str
) -> None:
    with pytest.raises(StepFailed, match=message):
        judge(bench, traces, x=judging)


def test_filters_are_named_once() -> None:
    with pytest.raises(ValidationError, match="sum is named more than once"):
        JudgeSamples(samples="traces", filters=("sum", "sum"))
    with pytest.raises(ValidationError, match=re.escape("at least 1 item")):
        JudgeSamples(samples="traces", filters=())
