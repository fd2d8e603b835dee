"""What is a `generate` step, and what is only how it is run: the address tells."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from potstill.catalog import CATALOG
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import load_recipe
from potstill.pipeline.references import Execution, walk
from potstill.stages.generate import Generate

TEACHER: dict[str, Any] = {"engine": "openai", "base_url": "http://a.example/v1", "model": "r1"}
STEP: dict[str, Any] = {
    "prompts": "problems",
    "teacher": TEACHER,
    "until": {"accepted": 2, "samples": 8},
    "accept": {"math": 1},
}


def address(folder: Path, step: dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "p.jsonl").write_text('{"prompt": "1 + 1?", "answer": "2"}\n', "utf-8")
    recipe = {
        "potstill": 1,
        "name": "r",
        "filters": {"math": {}, "format": {}},
        "steps": {"problems": {"load": {"source": "./p.jsonl"}}, "traces": {"generate": step}},
    }
    with (folder / "recipe.yaml").open("w") as file:
        YAML().dump(recipe, file)
    plan = make_plan(load_recipe(folder / "recipe.yaml", CATALOG), folder / "work")
    return plan.node("traces").address


HOW = [
    {"concurrency": 7},
    {"max_failed": 0.5},
    {"teacher": {**TEACHER, "base_url": "http://b.example/v1"}},
    {"teacher": {"engine": "openai", "model": "r1", "endpoints": ["http://c.example/v1"]}},
    {"teacher": {**TEACHER, "price": {"input": 1, "output": 2}}},
    {"teacher": {**TEACHER, "api_key_env": "KEY"}},
    {"teacher": {**TEACHER, "attempts": 3}},
    {"teacher": {**TEACHER, "timeout_s": 3}},
    {"teacher": {**TEACHER, "requests_per_minute": 3}},
    {"teacher": {**TEACHER, "tokens_per_minute": 3}},
]
WHAT = [
    {"until": {"accepted": 3, "samples": 8}},
    {"until": {"accepted": 2, "samples": 9}},
    {"accept": {"math": 0.5}},
    {"accept": {"math": 1, "format": 1}},
    {"escalate": [{"samples": 1, "sampling": {"temperature": 1.0}}]},
    {"sampling": {"top_k": 5}},
    {"by_task": {"math": {"max_tokens": 5}}},
    {"prompt": "solve"},
    {"system": "Be brief."},
    {"few_shot": [{"question": "1?", "answer": "1"}]},
    {"chat_template_kwargs": {"enable_thinking": True}},
    {"teacher": {**TEACHER, "model": "r2"}},
    {"teacher": {**TEACHER, "revision": "v2"}},
    {"teacher": {**TEACHER, "prefills_think": True}},
]


@pytest.mark.parametrize("change", HOW, ids=str)
def test_how_is_not_identity(tmp_path: Path, change: dict[str, Any]) -> None:
    assert address(tmp_path, {**STEP, **change}) == address(tmp_path, STEP)


@pytest.mark.parametrize("change", WHAT, ids=str)
def test_what_is_identity(tmp_path: Path, change: dict[str, Any]) -> None:
    assert address(tmp_path, {**STEP, **change}) != address(tmp_path, STEP)


def test_every_field_that_says_how_is_in_the_table() -> None:
    told = {name for change in HOW for name in (*change, *change.get("teacher", {}))}
    marked = {
        str(marked.at[-1])
        for marked in walk(Generate.model_validate(STEP))
        if isinstance(marked.mark, Execution)
    }
    assert marked <= told, "an Execution field that no case sets"
