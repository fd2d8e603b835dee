"""Labels by majority: what becomes a key, what is left out and why, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from equal_numbers import Equal
from workbench import Workbench, aside, problem

from potstill.filters import FILTERS
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.filter import Filter
from potstill.pipeline.sample import Generation, Sample, with_ids
from potstill.stages import label as label_module
from potstill.stages.label import LabelByMajority


def answered(question: str, text: str | None, **fields: Any) -> Sample:
    """A sample that thinks and boxes its answer."""
    completion = None if text is None else f"<think>\nHm.\n</think>\nIt is \\boxed{{{text}}}."
    return problem(question, completion, **fields)


def drawn(question: str, *answers: str | None, **fields: Any) -> list[Sample]:
    return [answered(question, text, **fields) for text in answers]


def run(bench: Workbench, rows: list[Sample], by: type[Filter] = Equal, **more: Any) -> Artifact:
    source = bench.samples("traces", rows)
    step = LabelByMajority.model_validate({"samples": "traces", "by": "same", **more})
    return bench.run("labelled", step, inputs={"traces": source}, filters={"same": by()})


def keys(artifact: Artifact) -> list[tuple[str, str | None]]:
    return [(sample.question, sample.answer) for sample in artifact.samples()]


def test_what_most_samples_answer_becomes_the_key(bench: Workbench) -> None:
    rows = drawn("half?", "\\frac{1}{2}", "0.5", "2", "\\frac{1}{2}", "2", "\\frac12", "3", "2")
    made = run(bench, rows, by=FILTERS["math"])
    assert keys(made) == [("half?", "\\frac{1}{2}")] * 8
    told = {json.dumps(json.loads(sample.extra), sort_keys=True) for sample in made.samples()}
    assert told == {'{"label": {"by": "majority", "of": 8, "share": 0.5, "votes": 4}}'}
    assert [s.completion for s in made.samples()] == [s.completion for s in rows]
    assert made.metrics == {
        "in": 8,
        "rows": 8,
        "left_out": {},
        "problems": {"without_key": 1, "labelled": 1, "unlabelled": {}, "mean_share": 0.5},
    }


def test_rows_with_a_key_pass_as_they_are(bench: Workbench) -> None:
    rows = [*drawn("a?", "1", "2", answer="7"), *drawn("b?", "3", "3", "3"), problem("c?", "x")]
    rows[-1] = problem("c?", "x", answer="9")
    made = run(bench, rows)
    assert keys(made) == [("a?", "7")] * 2 + [("b?", "3")] * 3 + [("c?", "9")]
    before = {sample.question: sample for sample in with_ids(rows)}
    assert [s for s in made.samples() if s.question == "c?"] == [before["c?"]]


def test_a_key_of_white_space_is_none(bench: Workbench) -> None:
    assert keys(run(bench, drawn("a?", "1", "1", "1", answer="  "))) == [("a?", "1")] * 3


REASONS = [
    (["1", "2", "3"], "too_few_votes"),
    (["1", "1", "2", "2"], "too_few_votes"),
    (["1"] * 3 + ["2"] * 3, "tied_answers"),
    (["1"] * 3 + ["2", "4", "5", "6"], "no_majority"),
    ([None, None, None], "no_answers"),
    ([None, "1", "1"], "too_few_votes"),
]


@pytest.mark.parametrize(("answers", "reason"), REASONS)
def test_without_a_majority_a_problem_is_left_out(
    bench: Workbench, answers: list[str | None], reason: str
) -> None:
    rows = [*drawn("a?", *answers), *drawn("b?", "5", "5", "5")]
    made = run(bench, rows)
    assert keys(made) == [("b?", "5")] * 3
    left_out = aside(made, "left_out")
    assert {row["reason"] for row in left_out} == {reason}
    ids = [sample.id for sample in with_ids(rows) if sample.question == "a?"]
    assert [row["id"] for row in left_out] == ids
    metrics = made.metrics
    assert metrics["in"] == metrics["rows"] + sum(metrics["left_out"].values()) == len(rows)
    assert metrics["problems"]["unlabelled"] == {reason: 1}


def test_or_kept_without_a_key(bench: Workbench) -> None:
    rows = [*drawn("a?", "1", "2", "3"), *drawn("b?", "5", "5", "5")]
    made = run(bench, rows, unlabelled="keep")
    assert keys(made) == [("a?", None)] * 3 + [("b?", "5")] * 3
    assert aside(made, "left_out") == []


def test_what_is_cut_off_or_left_open_has_no_vote(bench: Workbench) -> None:
    made = Generation("t", "", "k", 0, None, "length", 1, 1)
    rows = [
        *drawn("a?", "1", "1", "1"),
        *(answered("a?", "2", generation=made) for _ in range(5)),
        *(problem("a?", "<think>\nIt is \\boxed{2}.") for _ in range(5)),
        *(problem("a?", "\\boxed{2} or \\boxed{3}") for _ in range(5)),
    ]
    labelled = run(bench, rows, by=FILTERS["math"], min_share=0.1)
    assert {sample.answer for sample in labelled.samples()} == {"1"}
    (extra,) = {sample.extra for sample in labelled.samples()}
    assert json.loads(extra)["label"] == {"by": "majority", "votes": 3, "of": 18, "share": 3 / 18}


def test_the_order_of_rows_and_the_size_of_batches_change_no_label(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the samples of a problem do not stand together."""
    rows = [answered(f"{n % 7}?", str(n % 3 and n % 7)) for n in range(84)]
    rows.append(problem("0?"))
    plain = run(bench, rows)
    assert [sample.question for sample in plain.samples()] == [s.question for s in rows]
    monkeypatch.setattr(label_module, "BATCH", 1)
    assert run(bench, rows).digest == plain.digest
    turned = run(bench, rows[::-1])
    assert set(keys(turned)) == set(keys(plain)) == {(f"{n}?", str(n)) for n in range(7)}


def test_other_columns_stay_and_one_in_the_way_is_refused(bench: Workbench) -> None:
    made = run(bench, drawn("a?", "1", "1", "1", extra='{"level":5}'))
    assert json.loads(next(made.samples()).extra)["level"] == 5
    with pytest.raises(RequestError, match="a column 'label' of its own"):
        run(bench, drawn("a?", "1", "1", "1", extra='{"label":"hard"}'))


def test_labelled_rows_can_be_labelled_again(bench: Workbench) -> None:
    first = run(bench, drawn("a?", "1", "1", "1"))
    again = run(bench, list(first.samples()))
    assert again.digest == first.digest
    assert again.metrics["problems"]["without_key"] == 0


def test_nothing_left_is_a_failure(bench: Workbench) -> None:
    with pytest.raises(StepFailed, match=r"none of the 2 samples .*too_few_votes"):
        run(bench, drawn("a?", "1", "2"))


def test_the_filter_must_compare_with_a_key(bench: Workbench) -> None:
    with pytest.raises(RequestError, match=r"'same' \(format\), which compares with no key"):
        run(bench, drawn("a?", "1"), by=FILTERS["format"])
