"""Rows in = rows out + rejected by reason, at every step, on the real files.

The stages are run as `recipes/gsm8k.yaml` configures them; the last test runs that recipe itself,
engine and trainer included, on a few problems.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench, aside

from potstill.catalog import CATALOG
from potstill.filters.code import Code
from potstill.filters.programs.checks import UnreadableKey
from potstill.filters.programs.keys import read_key
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import Recipe, load_recipe
from potstill.pipeline.runner import Run
from potstill.pipeline.shards import read_table, shard_files
from potstill.stages.judge import JudgeSamples
from potstill.stages.load import Load
from potstill.stages.mix import Mix
from potstill.stages.select import Select

ROOT = Path(__file__).resolve().parents[2]
DATA = (ROOT / "../shared/data").resolve()
FILES = {
    "solutions": "gsm8k_train.jsonl",
    "heldout": "gsm8k_train.jsonl",
    "general_en": "alpaca_en_demo.json",
    "general_zh": "alpaca_zh_demo.json",
}

pytestmark = pytest.mark.skipif(
    not all((DATA / name).exists() for name in FILES.values()),
    reason=f"the real files are not in {DATA}",
)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    changes = [f"steps.{step}.load.source={DATA / name}" for step, name in FILES.items()]
    changes += ["steps.after_student.evaluate.engine=transformers"]  # it starts at once
    return load_recipe(ROOT / "recipes/gsm8k.yaml", CATALOG, changes)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def load(bench: Workbench, recipe: Recipe, step: str, **changes: Any) -> Artifact:
    stage = recipe.steps[step]
    assert isinstance(stage, Load)
    stage = stage.model_copy(update=changes)
    return bench.run(step, stage, paths={stage.source: DATA / FILES[step]})


def test_all_of_gsm8k_is_loaded(bench: Workbench, recipe: Recipe) -> None:
    artifact = load(bench, recipe, "solutions", rows=None)
    metrics = artifact.metrics
    assert metrics["read"] == 7473 == metrics["rows"] + sum(metrics["quarantined"].values())
    assert metrics["rows"] == metrics["with_answer"] == metrics["with_completion"] == 7473
    first = next(artifact.samples())
    assert first.answer == "72"
    assert first.completion == (
        "<think>\nNatalia sold 48/2 = <<48/2=24>>24 clips in May.\n"
        "Natalia sold 48+24 = <<48+24=72>>72 clips altogether in April and May.\n"
        "</think>\nThe answer is \\boxed{72}."
    )
    assert len({sample.id for sample in artifact.samples()}) == 7473


def test_general_data_is_understood_unasked(bench: Workbench, recipe: Recipe) -> None:
    for step, rows in (("general_en", 999), ("general_zh", 1000)):
        artifact = load(bench, recipe, step)
        metrics = artifact.metrics
        assert metrics["read"] == rows == metrics["rows"] + sum(metrics["quarantined"].values())
        assert metrics["with_completion"] == metrics["rows"]
        raw = json.loads((DATA / FILES[step]).read_text(encoding="utf-8"))
        joined = [f"{row['instruction']}\n{row['input']}".rstrip() for row in raw]
        assert [sample.question for sample in artifact.samples()] == joined
        assert [sample.completion for sample in artifact.samples()] == [r["output"] for r in raw]


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("amc23.jsonl", 40, {"prompt": "question", "answer": "answer"}),
        ("aime24.jsonl", 30, {"prompt": "question", "answer": "answer"}),
        ("cmath.jsonl", 600, {"prompt": "question", "answer": "answer"}),
    ],
)
def test_the_other_real_files(
    bench: Workbench, name: str, rows: int, columns: dict[str, str]
) -> None:
    artifact = bench.run("problems", Load(source="./file"), paths={"./file": DATA / name})
    assert artifact.metrics["read"] == artifact.rows == rows
    assert artifact.metrics["columns"] == columns
    data = (DATA / name).read_bytes()
    data = gzip.decompress(data) if name.endswith(".gz") else data
    raw = [json.loads(line) for line in data.split(b"\n") if line.strip()]
    for sample, row in zip(artifact.samples(), raw, strict=True):
        used = set(columns.values())
        assert json.loads(sample.extra) == {k: v for k, v in row.items() if k not in used}
        assert sample.answer == (str(row["answer"]) if "answer" in columns else None)


def test_human_eval_becomes_keys_that_its_own_solutions_pass(bench: Workbench) -> None:
    path = DATA / "HumanEval.jsonl.gz"
    columns = {"prompt": "prompt", "completion": "```python\n$prompt$canonical_solution\n```"}
    stage = Load(source="./file", shape="humaneval", columns={**columns, "answer": "test"})
    artifact = bench.run("problems", stage, paths={"./file": path})
    assert (artifact.rows, artifact.metrics["shape"]) == (164, "humaneval")
    assert {sample.task for sample in artifact.samples()} == {"code"}
    code = Code()
    for sample in artifact.samples():
        assert sample.answer is not None
        assert not isinstance(read_key(sample.answer), UnreadableKey)
    with code.open(JudgeContext()) as judge:
        verdicts = judge.judge(list(artifact.samples())[:8])
    assert {verdict.reason for verdict in verdicts} == {"pass"}


def test_damaged_real_lines_are_set_aside_and_counted(bench: Workbench, recipe: Recipe) -> None:
    lines = (DATA / "gsm8k_train.jsonl").read_bytes().split(b"\n")[:100]
    lines[3] = lines[3][:-20]
    lines[10] = lines[10].replace(b"####", b"###")
    lines[20] = b"\xff" + lines[20]
    lines[30] = json.dumps({"question": "no answer at all"}).encode()
    lines[40] = b""
    path = bench.root / "damaged.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    stage = recipe.steps["solutions"]
    assert isinstance(stage, Load)
    artifact = bench.run("solutions", stage, paths={stage.source: path})
    assert artifact.metrics["read"] == 99
    assert artifact.rows == 95
    assert [(row["line"], row["reason"]) for row in aside(artifact, "quarantine")] == [
        (4, "malformed_json"),
        (11, "no_separator"),
        (21, "invalid_utf8"),
        (31, "missing:answer"),
    ]


def test_counts_close_from_load_to_mixture(bench: Workbench, recipe: Recipe) -> None:
    solutions = load(bench, recipe, "solutions", rows=150)
    judging, choosing = recipe.steps["checked"], recipe.steps["reasoning"]
    assert isinstance(judging, JudgeSamples)
    assert isinstance(choosing, Select)
    checked = bench.run(
        "checked",
        judging,
        inputs={"solutions": solutions},
        filters=recipe.filters,
        workers=2,
    )
    ids = [sample.id for sample in solutions.samples()]
    for name in judging.filters:
        assert checked.verdict_table(name).column("id").to_pylist() == ids
        assert sum(checked.metrics["filters"][name]["reasons"].values()) == 150
        assert checked.metrics["filters"][name]["unjudged"] == 0
    assert checked.metrics["filters"]["math"]["mean"] == 1.0

    inputs = {"solutions": solutions, "checked": checked}
    reasoning = bench.run("reasoning", choosing, inputs=inputs, filters=recipe.filters)
    left_out = Counter(row["reason"] for row in aside(reasoning, "left_out"))
    assert reasoning.metrics["left_out"] == left_out
    assert (reasoning.rows or 0) + left_out.total() == 150
    assert (reasoning.rows or 0) >= 100

    parts = {
        "reasoning": reasoning,
        "general_en": load(bench, recipe, "general_en"),
        "general_zh": load(bench, recipe, "general_zh"),
    }
    mixing = recipe.steps["mixture"]
    assert isinstance(mixing, Mix)
    mixture = bench.run("mixture", mixing, inputs=parts)
    metrics = mixture.metrics
    rows_in = sum(part.rows or 0 for part in parts.values())
    assert rows_in == (mixture.rows or 0) - metrics["copies"] + metrics["left_out"]["ratio"]
    assert metrics["copies"] == 0
    shares = Counter(sample.source for sample in mixture.samples())
    general = shares["general_en"] + shares["general_zh"]
    assert abs(shares["solutions"] - 3 * general) <= 4
    assert shares["solutions"] == reasoning.rows


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_recipe_runs_and_its_counts_close(tmp_path: Path, recipe: Recipe) -> None:
    # One worker: its start takes longer than 16 rows; two are tried above.
    run = Run(make_plan(recipe, tmp_path / "work", limit=16), workers=1)
    done = {**run.all(to="after_student"), **run.all(to="verdicts"), **run.all(to="for_others")}
    metrics = {name: artifact.metrics for name, artifact in done.items()}
    for name in FILES:
        assert metrics[name]["read"] == 16 == _rows(done[name]) + _count(done[name], "quarantine")
    chosen = metrics["reasoning"]
    assert chosen["in"] == 16 == chosen["rows"] + _count(done["reasoning"], "left_out")
    mixed = metrics["mixture"]
    assert mixed["in"] == mixed["rows"] + _count(done["mixture"], "left_out")
    assert metrics["for_others"]["rows"] == mixed["rows"]
    left_out = _count(done["student"], "left_out")
    assert metrics["student"]["in"] == mixed["rows"]
    assert metrics["student"]["examples"] + left_out == mixed["rows"]
    for name, samples in (("traces", 4), ("after_student", 1)):
        failed = _count(done[name], "failed")
        assert 16 * samples == _rows(done[name]) + failed
    for name in recipe.filters:
        reasons = metrics["verdicts"]["filters"][name]["reasons"]
        assert sum(reasons.values()) == _rows(done["traces"])
    assert metrics["after_student"]["n_problems"] == 16


def _rows(artifact: Artifact) -> int:
    return sum(read_table(file).num_rows for file in shard_files(artifact.path))


def _count(artifact: Artifact, folder: str) -> int:
    return sum(read_table(file).num_rows for file in shard_files(artifact.path / folder))
