"""Side by side: mixtures, datasets, evaluations, other steps and whole runs."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text
from workbench import problem

from potstill.pipeline.artifact import write_manifest
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import SAMPLE_SCHEMA, with_ids
from potstill.pipeline.shards import shard_files, write_rows
from potstill.stages.mix import MIXTURE_SCHEMA
from potstill.stages.mixing.report import Report
from potstill.views.compare import Comparison, compare, show_comparison
from potstill.views.compare_scores import numbers

HOSTILE = "\x1b[31m[red]x\u202e"


class Runs:
    """A work directory into which steps are put."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def step(
        self,
        run: str,
        name: str,
        kind: str,
        metrics: Mapping[str, Any],
        config: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
    ) -> str:
        folder = self.work / run / f"{name}-00000001"
        folder.mkdir(parents=True, exist_ok=True)
        identity = {"kind": kind, "version": 1, "config": config or {}, "inputs": inputs or {}}
        rows = metrics.get("rows") if shard_files(folder) else None
        body = {"step": name, "address": "00000001", "identity": identity, "inputs": {}}
        write_manifest(folder, {**body, "rows": rows, "metrics": metrics}, {})
        return f"{run}/{name}"

    def dataset(self, run: str, name: str, questions: range, **metrics: Any) -> str:
        samples = [
            problem(f"q{n}", "a", language="zh" if n % 3 == 0 else None, source=HOSTILE)
            for n in questions
        ]
        rows = [sample.to_row() for sample in with_ids(samples)]
        write_rows(self.work / run / f"{name}-00000001", rows, SAMPLE_SCHEMA)
        return self.step(run, name, "load", {"rows": len(rows), **metrics})

    def mixture(
        self, run: str, name: str, questions: range, twice: int = 0, counted: bool = True,
        seed: int = 1,
    ) -> str:  # fmt: skip
        """Some of the questions stand in it a second time; each has 10 tokens, 4 with loss."""
        samples = list(with_ids(problem(f"q{n}", "a", source=f"s{n % 2}") for n in questions))
        rows = [{**sample.to_row(), "copy": 0} for sample in samples]
        rows += [{**row, "copy": 1} for row in rows[:twice]]
        folder = self.work / run / f"{name}-00000001"
        write_rows(folder, rows, MIXTURE_SCHEMA)
        report = Report(counted)
        tokens = pl.DataFrame({"tokens": [10] * len(rows), "loss_tokens": [4] * len(rows)})
        report.add(pq.read_table(shard_files(folder)[0]), tokens)
        metrics = {"rows": len(rows), "total": report.total(), "report": report.facts()}
        metrics |= {"length_in": "tokens" if counted else "characters", "left_out": {"ratio": 2}}
        config = {"parts": {"step:0a": {"weight": 1.0}}, "seed": seed, "size": None}
        return self.step(run, name, "mix", metrics, config, {"problems": "0a"})

    def evaluation(self, run: str, name: str, score: float | None, problems: str = "p") -> str:
        metrics = {"pass@1": score, "pass@1_se": 0.02, "n_samples": 80, "rate/format": 1.0}
        return self.step(run, name, "evaluate", metrics, {"problems": problems})


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "work")


def drawn(found: Comparison, width: int | None = None) -> str:
    """As a pipe gets it, or a terminal of so many columns."""
    out = io.StringIO()
    console = Console(file=out, width=width or 10_000, force_terminal=width is not None,
                      color_system="standard" if width else None, highlight=False)  # fmt: skip
    show_comparison(console, found)
    return out.getvalue()


def test_mixtures_are_compared_in_all_three_units(runs: Runs) -> None:
    one = runs.mixture("r", "one", range(10), twice=5)
    two = runs.mixture("r", "two", range(4, 16), seed=2)
    found = compare(runs.work, [one, two])
    facts = json.loads(json.dumps(found.facts()))
    assert facts["what"] == "mixture"
    assert facts["total"] == {"samples": [15, 12], "tokens": [150, 120], "loss_tokens": [60, 48]}
    assert facts["rows"] == {
        "different": [10, 12],
        "copies": [5, 0],
        "in_all": 6,
        "only_there": [4, 6],
    }
    assert facts["groups"]["source"]["s0"]["loss_tokens"] == {
        "counts": [32, 24],
        "shares": [32 / 60, 0.5],
        "differences": [None, 0.5 - 32 / 60],
    }
    assert facts["settings"] == {"seed": [1, 2]}
    text = drawn(found)
    assert "loss tokens" in text
    assert "-3.3" in text
    assert "█" not in text
    assert "█" in drawn(found, 140)


def test_tokens_that_one_did_not_count_are_unknown(runs: Runs) -> None:
    one = runs.mixture("r", "one", range(4))
    two = runs.mixture("r", "two", range(4), counted=False)
    found = compare(runs.work, [one, two])
    assert found.found["total"]["tokens"] == [40, None]
    assert found.found["groups"]["source"]["s0"]["tokens"]["differences"] == [None, None]
    assert "length" not in found.found["groups"]  # tokens there, characters here
    assert "–" in drawn(found)


def test_datasets_are_compared_by_rows_columns_and_reasons(runs: Runs, tmp_path: Path) -> None:
    one = runs.dataset("r", "one", range(9), quarantined={"no_prompt": 2})
    two = runs.dataset("s", "two", range(6, 12), left_out={"math_wrong": 1})
    found = compare(runs.work, [one, two]).found
    assert found["rows"]["in_all"] == 3
    assert found["groups"]["language"]["zh"]["samples"]["counts"] == [3, 2]
    assert found["groups"]["language"]["unknown"]["samples"]["counts"] == [6, 4]
    assert found["left_out"] == {
        "left_out/math_wrong": [None, 1],
        "quarantined/no_prompt": [2, None],
    }
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"question": "a", "source": "web"}\n' * 3)
    beside = compare(runs.work, [one, str(lines)])
    assert beside.what == "dataset"
    assert beside.found["rows"] is None  # the file has no ids: unknown, not 0
    assert beside.found["columns"]["question"] == [None, "String"]
    assert beside.found["total"]["samples"] == [9, 3]


def test_a_mixture_beside_a_dataset_is_one(runs: Runs) -> None:
    names = [runs.mixture("r", "one", range(4)), runs.dataset("r", "two", range(4))]
    found = compare(runs.work, names)
    assert found.what == "dataset"
    assert found.found["columns"] == {"copy": ["Int64", None]}


@pytest.mark.parametrize(
    ("scores", "beyond"), [((0.5, 0.6), True), ((0.5, 0.55), False), ((0.5, None), None)]
)
def test_evaluations_tell_noise_from_difference(
    runs: Runs, scores: tuple[float, float | None], beyond: bool | None
) -> None:
    names = [runs.evaluation("r", f"e{n}", score) for n, score in enumerate(scores)]
    found = compare(runs.work, names)
    metric = found.found["metrics"]["pass@1"]
    assert metric["beyond_noise"] == [None, beyond]
    assert found.found["metrics"]["rate/format"]["beyond_noise"] == [None, None]
    assert "pass@1_se" not in found.found["metrics"]
    assert ("beyond noise" in drawn(found)) is bool(beyond)
    assert ("problems are not the same" in drawn(found)) is False


def test_other_problems_are_pointed_out(runs: Runs) -> None:
    names = [runs.evaluation("r", f"e{n}", 0.5, problems=str(n)) for n in range(2)]
    assert "the problems are not the same" in drawn(compare(runs.work, names))


def test_more_than_two_get_a_column_each(runs: Runs) -> None:
    names = [runs.evaluation("r", f"e{n}", n / 4) for n in range(4)]
    found = compare(runs.work, names)
    assert found.found["metrics"]["pass@1"]["differences"] == [None, 0.25, 0.5, 0.75]
    head = next(
        line for line in drawn(found).splitlines() if line.split() == ["e0", "e1", "e2", "e3"]
    )
    assert "difference" not in head


def test_runs_are_compared_step_by_step(runs: Runs) -> None:
    runs.evaluation("one", "after", 0.5)
    runs.evaluation("two", "after", 0.7)
    runs.dataset("one", "problems", range(3))
    runs.dataset("two", "problems", range(3))
    runs.step("two", "extra", "sft", {"steps": 7})
    for names in (["one", "two"], [str(runs.work / "one"), "two"]):
        found = compare(runs.work, names)
        steps = found.found["steps"]
        assert found.what == "run"
        assert steps["problems"]["equal"]
        assert steps["after"]["metrics"]["pass@1"]["beyond_noise"] == [None, True]
        assert steps["extra"]["kinds"] == [None, "sft"]
        assert "the same in every byte" in drawn(found)


def test_other_steps_are_compared_by_their_metrics(runs: Runs) -> None:
    names = [
        runs.step(
            "r", f"m{n}", "sft", {"steps": n, "left_out": {"cut_off": n, "x": 1}}, {"epochs": n}
        )
        for n in (1, 2)
    ]
    found = compare(runs.work, names).found
    assert found["metrics"]["left_out"]["values"] == [2, 3]
    assert found["metrics"]["left_out/cut_off"]["values"] == [1, 2]
    assert found["settings"] == {"epochs": [1, 2]}


def test_two_of_different_kinds_are_refused_by_name(runs: Runs) -> None:
    names = [runs.evaluation("r", "e", 0.5), runs.dataset("r", "d", range(2))]
    with pytest.raises(RequestError, match="r/e is an evaluation, r/d is a dataset: these cannot"):
        compare(runs.work, names)
    with pytest.raises(RequestError, match="r is a run, r/d is a dataset"):
        compare(runs.work, ["r", names[1]])


def test_a_typing_slip_and_a_lonely_name_are_told(runs: Runs) -> None:
    name = runs.evaluation("r", "score", 0.5)
    with pytest.raises(RequestError, match=r"'r/scroe' is neither .*r/score"):
        compare(runs.work, [name, "r/scroe"])
    with pytest.raises(RequestError, match="two names or more, not 1"):
        compare(runs.work, [name])


@pytest.mark.parametrize("width", [None, 40, 60, 100, 200])
def test_what_texts_contain_stays_text(runs: Runs, width: int | None) -> None:
    names = [runs.dataset("r", "one", range(3)), runs.dataset("s", "one", range(4))]
    text = drawn(compare(runs.work, names), width)
    assert "\x1b[31m[red]" not in text
    assert "\u202e" not in text
    assert "[red]x" in text


def test_what_does_not_fit_side_by_side_stands_one_below_the_other(runs: Runs) -> None:
    names = [runs.mixture(f"recipe{n}", "mixture", range(n, 10), seed=n) for n in (1, 2, 3)]
    names += [runs.mixture("other", "mixture", range(3))]
    for shown in (names, names[:2], ["recipe1", "recipe2"]):
        found = compare(runs.work, shown)
        for width in (50, 80, 120):
            lines = drawn(found, width).replace(str(runs.work.absolute()), "").splitlines()
            plain = [Text.from_ansi(line).plain.rstrip() for line in lines]
            assert max(map(len, plain)) <= width
            assert sum("recipe2" in line for line in plain) >= 2
    narrow = Text.from_ansi(drawn(compare(runs.work, names), 50)).plain
    told = r"\ns0 · loss tokens\n  recipe1 +16   44.4 %\n  recipe2 +16   50.0 %\n"
    assert re.search(told, narrow)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["r/one", "r/two"], ["one", "two"]),
        (["r/one", "s/one"], ["r", "s"]),
        (["r/one", "s/one", "s/two"], ["r/one", "s/one", "s/two"]),
        (["a/r/one", "one"], ["a/r/one", "one"]),
        (["r/one", "r/one"], ["1 r/one", "2 r/one"]),
    ],
)
def test_columns_are_headed_by_what_differs_in_the_names(
    names: list[str], labels: list[str]
) -> None:
    found = {"metrics": {}}
    text = drawn(Comparison("sft", names, ["p"] * len(names), found))
    assert [line.split("  ")[0] for line in text.splitlines()[: len(names)]] == labels


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_numbers_are_numbers(metrics: dict[str, Any]) -> None:
    found = numbers(metrics)
    assert all(value is None or type(value) in (int, float) for value in found.values())
    plain = {name for name, value in metrics.items() if type(value) in (int, float)}
    assert plain <= found.keys()


def test_a_group_that_one_dataset_does_not_have_is_unknown_there(runs: Runs) -> None:
    mixture = runs.mixture("r", "one", range(4))
    found = compare(runs.work, [mixture, runs.dataset("r", "two", range(4))])
    for value in found.found["groups"]["length"].values():
        assert value["samples"]["counts"][1] is None
        assert value["samples"]["differences"] == [None, None]
    assert "by length" in drawn(found)


def test_rare_values_that_a_report_tells_together_are_unknown_by_name(runs: Runs) -> None:
    many = {f"s{n:03d}": {"samples": 2, "tokens": None, "loss_tokens": None} for n in range(100)}
    many["7 others"] = {"samples": 9, "tokens": None, "loss_tokens": None}
    few = {"s000": {"samples": 5, "tokens": None, "loss_tokens": None}, "s104": many["s000"]}
    for name, values in (("many", many), ("few", few)):
        mixture = runs.mixture("r", name, range(2), counted=False)
        folder = runs.work / "r" / f"{name}-00000001"
        metrics = json.loads((folder / "manifest.json").read_text())["metrics"]
        metrics["report"]["source"] = values
        assert runs.step("r", name, "mix", metrics) == mixture
    found = compare(runs.work, ["r/many", "r/few"])
    by_source = found.found["groups"]["source"]
    counts = {value: told["samples"]["counts"] for value, told in by_source.items()}
    assert counts["s000"] == [2, 5]
    assert counts["s001"] == [2, 0]  # all of few's are told
    assert counts["s104"] == [None, 2]  # may be one of the 7 others
    assert counts["7 others"] == [9, None]
    assert "7 others" in drawn(found)


def test_sources_are_ordered_whatever_they_are_called(runs: Runs, tmp_path: Path) -> None:
    lines = tmp_path / "odd.jsonl"
    odd = ["²-x", "٣", "9" * 5000, "unknown", ""]
    lines.write_text("".join(json.dumps({"source": source}) + "\n" for source in odd))
    found = compare(runs.work, [runs.dataset("r", "one", range(2)), str(lines)])
    assert [*found.found["groups"]["source"]][-1] == "unknown"
    assert found.found["groups"]["source"]["unknown"]["samples"]["counts"] == [0, 2]


def test_any_number_can_be_compared(runs: Runs) -> None:
    names = [runs.dataset("r", f"d{n}", range(n, n + 3)) for n in range(70)]
    rows = compare(runs.work, names).found["rows"]
    assert rows["only_there"] == [1, *[0] * 68, 1]
    assert rows["in_all"] == 0
    assert compare(runs.work, [names[0]] * 40).found["rows"]["in_all"] == 3
