"""Rows of every kind in one pass: each is told, none hides another, little is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from potstill.models.chat import render_example
from potstill.models.lint import lint_rows
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import Generation, Message, Sample


@dataclass
class SetAside:
    """A row as reading a file sets it aside."""

    number: int
    reason: str
    text: str


def test_rows_that_cannot_be_rendered(chatml: Any, single: list[Sample]) -> None:
    (right,) = single
    bad = {
        "no_completion": replace(right, id="a", completion=None),
        "special_token_in_text": replace(right, id="b", completion="7<|im_end|>"),
        "not_unicode": replace(right, id="c", completion="half \ud83d"),
        "unknown_role": replace(right, id="d", prompt=(Message("tool", "x"),)),
    }
    aside = [
        SetAside(7, "unknown_role", "{}"),
        SetAside(8, "lone_surrogate", "{}"),
        SetAside(9, "malformed_json", "no json\x1b[31m"),
    ]
    report = lint_rows(chatml, [*bad.values(), right, *aside, right])
    assert (report.rows, report.rendered, report.clean) == (9, 2, False)
    told = {kind.check: kind.rows for kind in report.errors}
    assert told == {
        "no_completion": ["a"],
        "special_token_in_text": ["b"],
        "not_unicode": ["c", "row 8"],
        "unknown_role": ["d", "row 7"],
        "unreadable_row": ["row 9"],
    }
    (kind,) = (kind for kind in report.errors if kind.check == "special_token_in_text")
    (shown,) = kind.examples[0].excerpts
    assert shown.pieces[shown.at - shown.start].text == "<|im_end|>"


def test_every_long_row_is_listed_and_the_first_are_shown(
    chatml: Any, single: list[Sample]
) -> None:
    (right,) = single
    length = len(render_example(chatml, right.prompt, right.completion).token_ids)
    longer = [replace(right, id=f"long{n}", completion="7" * (length + n)) for n in range(5)]
    report = lint_rows(chatml, [right, *longer], max_length=length, show=2)
    (kind,) = report.errors
    assert kind.check == "too_long"
    assert kind.rows == [row.id for row in longer]
    assert kind.lengths == sorted(kind.lengths)
    assert min(kind.lengths) > length
    assert len(kind.examples) == 2
    assert report.longest == kind.lengths[-1]
    facts = report.facts()
    assert facts["errors"] == 1
    assert facts["findings"][0]["lengths"] == kind.lengths
    assert lint_rows(chatml, [right, *longer]).clean


def test_a_cut_that_leaves_no_loss(chatml: Any, single: list[Sample]) -> None:
    report = lint_rows(chatml, single, max_length=5)
    assert "no token under the loss would be left" in report.errors[0].examples[0].message


def test_a_completion_that_a_limit_cut(chatml: Any, single: list[Sample]) -> None:
    made = Generation("t", "r", "k", 0, None, "length", None, None)
    report = lint_rows(chatml, [replace(single[0], generation=made)])
    assert [kind.check for kind in report.of("warning")] == ["cut_off"]


def test_no_rows(chatml: Any) -> None:
    assert [kind.check for kind in lint_rows(chatml, []).errors] == ["no_rows"]


def test_progress_of_many_rows(chatml: Any, single: list[Sample]) -> None:
    events: list[Event] = []
    report = lint_rows(chatml, single * 500, progress=Progress(events.append))
    assert report.rendered == 500
    assert [event["done"] for event in events] == [200, 400]
