"""A training step without a recipe: what a command line names becomes steps and filters."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.catalog import CATALOG
from potstill.pipeline.artifact import Artifact, write_manifest
from potstill.pipeline.errors import RequestError
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import Recipe
from potstill.pipeline.runner import build
from potstill.pipeline.sample import Sample
from potstill.train.one_step import training_recipe

EVALUATE = {"problems": "./rows.jsonl", "correct": "math", "also": ["format"]}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, students: dict[str, Path]) -> Path:
    """A folder with rows, a model, and a finished mixture `r/mixture` in its work directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"prompt": "1+1?", "completion": "2", "answer": "2"}\n')
    os.symlink(students["qwen"], tmp_path / "student")
    return tmp_path


def recipe(kind: str = "sft", filters: tuple[str, ...] = (), **settings: Any) -> Recipe:
    given = {"data": "rows.jsonl", "model": "student", **settings}
    return training_recipe(kind, "mine", given, CATALOG, Path("work"), filters)


def test_files_are_loaded_and_finished_steps_reused(
    here: Path, mixture: Callable[..., Artifact], toy: list[Sample]
) -> None:
    made = mixture(toy[:4], copies=[0, 1, 2, 3])
    folder = here / "work" / "r" / "mixture-00000000"
    folder.parent.mkdir(parents=True)
    made.path.rename(folder)
    write_manifest(folder, {**made.manifest, "step": "mixture"}, {})
    for name in ("r/mixture", str(folder), "./work/r/mixture-00000000"):
        found = recipe(data=name, model="./student")
        assert found.steps["model"].model_dump()["data"] == "data"
        assert found.steps["data"].kind == "reuse"
    assert recipe().steps["data"].model_dump()["source"] == str(here / "rows.jsonl")
    assert recipe(data="hub:a/b").steps["data"].model_dump()["source"] == "hub:a/b"

    plan = make_plan(found, here / "work")
    data = build(plan, to="data", workers=1)["data"]
    assert data.table().column("copy").to_pylist() == [0, 1, 2, 3]


def test_every_field_that_names_something_finds_it(here: Path) -> None:
    found = recipe(evaluate={**EVALUATE, "few_shot": {"from": "rows.jsonl", "k": 1}})
    assert sorted(found.steps) == [
        "data",
        "evaluate_few_shot_source",
        "evaluate_problems",
        "model",
    ]
    assert {name: each.kind for name, each in found.filters.items()} == {
        "format": "format",
        "math": "math",
    }
    node = make_plan(found, here / "work").node("model")
    assert set(node.inputs) == {"data", "evaluate_problems", "evaluate_few_shot_source"}
    assert list(node.externals) == [str(here / "student")]
    teacher = recipe("distill", teacher="student").steps["model"].model_dump()["teacher"]
    assert teacher == str(here / "student")


def test_rewards_name_filters_of_their_kind(here: Path) -> None:
    settings = ("math.cpu_seconds=9", "mine.kind=length", "mine.max_answer=200")
    given = {"rewards": {"math": 1, "mine": {"weight": 0.2, "required": False}}}
    found = recipe("grpo", settings, **given)
    assert found.filters["math"].model_dump()["cpu_seconds"] == 9
    assert found.filters["mine"].kind == "length"
    assert found.filters["mine"].model_dump()["max_answer"] == 200


def test_the_same_request_has_the_same_address(here: Path) -> None:
    first = make_plan(recipe(), here / "work").node("model").address
    assert make_plan(recipe(model="./student"), here / "work").node("model").address == first
    assert make_plan(recipe(micro_batch=4), here / "work").node("model").address == first
    assert make_plan(recipe(seed=8), here / "work").node("model").address != first


@pytest.mark.parametrize(
    ("settings", "filters", "message"),
    [
        ({"data": "row.jsonl"}, (), r"'row\.jsonl' is neither a path nor a finished step"),
        ({"model": "studend"}, (), "'studend' is neither a path nor a finished step"),
        ({"model": "./studend"}, (), r"--model: .*studend does not exist; did you mean .*student"),
        ({"model": "./rows.jsonl"}, (), "--model: .*is not a model folder"),
        ({"epochs": "many"}, (), "--epochs: epochs is 'many'; input should be a valid number"),
        ({"epochs": -1}, (), "--epochs: epochs is -1; input should be greater than 0"),
        ({"lora": {"r": "x"}}, (), r"--lora\.r: lora\.r is 'x'; input should be a valid integer"),
        ({"lora": {"rank": 8}}, (), r"--lora\.rank: unknown key 'rank'; did you mean"),
        ({"keep": "best"}, (), "train sft: .*keep: best needs evaluate"),
        ({"evaluate": {"correct": "math"}}, (), r"--evaluate\.problems: .* is missing"),
        (
            {"evaluate": {**EVALUATE, "correct": "maths"}},
            (),
            r"--evaluate\.correct: unknown filter 'maths'; did you mean 'math'",
        ),
        ({"evaluate": EVALUATE}, ("lenght.x=1",), "no field names 'lenght'; .*Known: format, math"),
        ({"evaluate": EVALUATE}, ("math.x=1",), r"--filter math\.x: unknown key 'x'"),
        ({"evaluate": {**EVALUATE, "problems": "nine"}}, (), "'nine' is neither"),
    ],
)
def test_slips_name_their_option(
    here: Path, settings: dict[str, Any], filters: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        make_plan(recipe(filters=filters, **settings), here / "work")
