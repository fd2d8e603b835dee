"""What was left out, counted by reason and by the columns of the rows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from screens import HOSTILE, drawn

from potstill.pipeline.errors import RequestError
from potstill.views.inspect import inspect
from potstill.views.terminal import sanitise


def test_rejected_rows_show_their_text(small_run: Any) -> None:
    left_out = inspect(small_run["reasoning"].path, rejected=True)
    entry = left_out.rejected["left_out"]
    assert (entry["rows"], entry["reasons"]) == (6, {"math": 6})
    assert len(entry["examples"]["math"]) == 3
    wrong = {s.id: s for s in small_run.traces if s.generation.index == 1}
    for example in entry["examples"]["math"]:
        assert example["sample"]["completion"] == wrong[example["id"]].completion
    assert "The answer is" in drawn(left_out)
    bad = inspect(small_run["problems"].path, rejected=True)
    assert bad.rejected["quarantine"]["examples"]["no_json"][0]["text"] == HOSTILE
    assert sanitise(HOSTILE) in drawn(bad)


@pytest.mark.parametrize(
    ("by", "counts"),
    [
        ("language", {"en": 3, "zh": 3}),
        ("generation.index", {"1": 6}),
        ("math_reason", {"wrong": 6}),
        ("reason", None),
    ],
)
def test_rejected_by_a_column(small_run: Any, by: str, counts: dict[str, int] | None) -> None:
    found = inspect(small_run["reasoning"].path, rejected=True, by=by, sample=1)
    left_out = found.rejected["left_out"]
    expected = counts and {by: {value: {"math": n} for value, n in counts.items()}}
    assert left_out.get("by") == expected
    assert len(left_out["examples"]["math"]) == 1
    drawn(found)


def test_rejected_where(small_run: Any) -> None:
    path = small_run["reasoning"].path
    assert re.search(r"en +3 +math 3\n", drawn(inspect(path, rejected=True, by="language")))
    found = inspect(path, rejected=True, where="language = 'zh' and loops_score = 0.5")
    assert found.rejected["left_out"]["rows"] == 3


def test_failed_requests_have_the_columns_of_their_problem(small_run: Any) -> None:
    found = inspect(small_run["traces"].path, rejected=True, by="language").rejected["failed"]
    assert found["by"] == {"language": {"en": {"http_500": 1}}}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ({"by": "language"}, "--by language counts what was left out: add --rejected"),
        ({"rejected": True, "by": "langauge"}, r"no such column .* did you mean 'language'"),
        ({"rejected": True, "id": "abcdef"}, "--rejected goes with"),
        ({"rejected": True, "where": "tusk = 1"}, r"--where 'tusk = 1'.*Columns: id, reason"),
    ],
)
def test_wrong_requests_about_what_was_rejected(
    small_run: Any, ask: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        inspect(small_run["reasoning"].path, **ask)
