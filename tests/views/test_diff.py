"""Differences: every row of both sides is in exactly one count, and changed texts are shown."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import screens
from hypothesis import given, settings
from hypothesis import strategies as st
from screens import HOSTILE

from potstill.pipeline.errors import RequestError
from potstill.views.diff import Differences, diff, show_diff
from potstill.views.terminal import to_json


def drawn(found: Differences) -> str:
    return screens.drawn(found, show_diff)


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


ROW = st.fixed_dictionaries(
    {"id": st.sampled_from("abc"), "t": st.sampled_from(["x", "y", None]), "n": st.integers(0, 1)}
)


def _by_occurrence(rows: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    seen: Counter[str] = Counter()
    found = {}
    for row in rows:
        found[row["id"], seen[row["id"]]] = row
        seen[row["id"]] += 1
    return found


@settings(max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=8), st.lists(ROW, min_size=1, max_size=8))
def test_counts_close(
    tmp_path_factory: pytest.TempPathFactory, ours: list[Any], theirs: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    marker = {"id": "z", "t": "text", "n": 5}  # fixes the types of the columns
    ours, theirs = [*ours, marker], [*theirs, marker]
    found = diff(write(folder / "a.jsonl", ours), write(folder / "b.jsonl", theirs), sample=99)
    assert found.equal + found.changed + found.only_here == len(ours)
    assert found.equal + found.changed + found.only_there == len(theirs)
    here, there = Counter(row["id"] for row in ours), Counter(row["id"] for row in theirs)
    assert found.equal + found.changed == (here & there).total()
    nth = [_by_occurrence(side) for side in (ours, theirs)]
    both = nth[0].keys() & nth[1].keys()
    assert found.changed == sum(nth[0][key] != nth[1][key] for key in both)
    for name in ("t", "n"):
        differs = sum(nth[0][key][name] != nth[1][key][name] for key in both)
        assert found.changed_columns.get(name, 0) == differs
    assert len(found.examples["changed"]) == found.changed
    for row in found.examples["changed"]:
        for sides in row["columns"].values():
            assert sides["here"] != sides["there"]
    drawn(found)


def test_rows_without_ids_are_compared_by_their_content(tmp_path: Path) -> None:
    here = write(tmp_path / "a.jsonl", [{"t": "x"}, {"t": "x"}, {"t": "y"}])
    there = write(tmp_path / "b.jsonl", [{"t": "y"}, {"t": "x"}, {"t": "z"}])
    found = diff(here, there)
    assert (found.key, found.equal, found.changed) == ([], 2, 0)
    assert found.examples["only_here"] == [{"t": "x"}]
    assert found.examples["only_there"] == [{"t": "z"}]
    assert "by their whole content" in drawn(found)


def test_schemas(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["a"], "n": [1], "m": [1], "s": [[1]]}).write_parquet(
        tmp_path / "a.parquet"
    )
    pl.DataFrame({"id": ["a"], "n": [1], "m": ["1"], "o": [1]}).write_parquet(
        tmp_path / "b.parquet"
    )
    found = diff(tmp_path / "a.parquet", tmp_path / "b.parquet")
    assert found.columns == {
        "only_here": {"s": "[Int64]"}, "only_there": {"o": "Int64"},
        "other_type": {"m": ["Int64", "String"]},
    }  # fmt: skip
    assert found.equal == 1
    assert "other type  m Int64, there String" in drawn(found)
    pl.DataFrame({"other": [1]}).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(RequestError, match="no column of the same name and type; columns: id"):
        diff(tmp_path / "a.parquet", tmp_path / "c.parquet")


def test_steps(small_run: Any) -> None:
    selected, traces = small_run["reasoning"].path, small_run["traces"].path
    found = diff(traces, selected)
    assert (found.rows, found.equal) == ({"here": 18, "there": 12}, 12)
    assert (found.changed, found.only_here, found.only_there) == (0, 6, 0)
    assert len(found.examples["only_here"]) == 3
    assert to_json(found.facts()) == to_json(diff(traces, selected).facts())
    mixed = diff(small_run["mixture"].path, small_run["mixture"].path)
    assert (mixed.key, mixed.equal) == (["id", "copy"], 24)
    assert drawn(found)


def test_where_holds_on_both_sides(small_run: Any) -> None:
    selected, traces = small_run["reasoning"].path, small_run["traces"].path
    found = diff(traces, selected, where="math_score = 1 and language = 'zh'")
    assert (found.rows, found.equal) == ({"here": 6, "there": 6}, 6)
    with pytest.raises(RequestError, match=r"--where 'tusk = 1'.*Columns: id, prompt_id"):
        diff(traces, selected, where="tusk = 1")


def test_verdicts_of_two_judgings(small_run: Any) -> None:
    judged = small_run["verdicts"].path
    found = diff(judged, judged)
    assert (found.key, found.equal) == (["id"], 18)
    with pytest.raises(RequestError, match="holds no rows to look at"):
        diff(judged, small_run["qwen"].path)


def test_what_changed_is_marked(tmp_path: Path) -> None:
    long = "word " * 100
    here = write(tmp_path / "a.jsonl", [{"id": "a", "t": long + "is so", "p": HOSTILE}])
    there = write(tmp_path / "b.jsonl", [{"id": "a", "t": long + "is not", "p": HOSTILE + "!"}])
    text = drawn(diff(here, there))
    assert "is [-so-]{+not+}" in text
    assert "characters the same …" in text
    assert "t 1" in text
    assert "{+!+}" in text
