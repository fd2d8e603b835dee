"""Looking at steps that have not run: what they would buy, what they would ask, what they lack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toys_that_stop import CATALOG

from potstill.pipeline.errors import RequestError
from potstill.pipeline.peek import peek, plan_facts, previews
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run

STEPS: dict[str, Any] = {
    "first": {"numbers": {"rows": 3}},
    "bought": {"buy": {"samples": "first"}},
    "again": {"buy": {"samples": "bought"}},
}


def plan_of(work: Path, steps: dict[str, Any] = STEPS) -> Plan:
    return make_plan(recipe_of({"potstill": 1, "name": "toy", "steps": steps}, CATALOG), work)


def told(plan: Plan) -> dict[str, tuple[Any, str | None]]:
    return {
        facts["name"]: (facts["forecast"] and facts["forecast"]["tokens"], facts["outlook"])
        for facts in plan_facts(plan)
    }


def test_forecasts_come_when_the_inputs_are_there(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert told(plan) == {
        "first": (None, None),
        "bought": (None, "can be forecast once first is there"),
        "again": (None, "can be forecast once bought is there"),
    }
    assert peek(plan, plan.node("bought")) is None
    Run(plan).all(to="first")
    assert told(plan)["bought"] == (30, None)
    context = peek(plan, plan.node("bought"))
    assert context is not None
    assert (context.step, context.samples("first").rows) == ("toy/bought", 3)
    assert not context.out.exists(), "looking builds nothing"
    Run(plan).all(to="bought")
    assert told(plan) == {"first": (None, None), "bought": (None, None), "again": (30, None)}


def test_a_forecast_that_fails_is_told_and_the_plan_stands(tmp_path: Path) -> None:
    steps = {"first": {"numbers": {}}, "bought": {"buy": {"samples": "first", "bad": True}}}
    plan = plan_of(tmp_path, steps)
    Run(plan).all(to="first")
    assert told(plan)["bought"] == (None, "cannot be forecast: no price")


def test_previews_of_finished_and_unfinished_steps(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    Run(plan).all(to="bought")
    assert previews(plan).facts() == {
        "prompts": {"bought": {"step": "toy/bought"}, "again": {"step": "toy/again"}},
        "waiting": {},
    }
    fresh = plan_of(tmp_path / "fresh")
    assert previews(fresh).facts()["waiting"] == {"bought": ["first"], "again": ["bought"]}


def test_a_recipe_without_a_step_that_asks(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no step of recipe 'toy' asks a model"):
        previews(plan_of(tmp_path, {"first": {"numbers": {}}}))
