"""Order and addresses: what changes an address, what does not, and what cannot be planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import CATALOG

from potstill.pipeline.errors import RequestError
from potstill.pipeline.plan import Plan, make_plan
from potstill.pipeline.recipe import recipe_of

STEPS: dict[str, Any] = {
    "last": {"copy": {"samples": "middle"}},
    "middle": {"copy": {"samples": "first", "keep": {"short": 1}}},
    "first": {"numbers": {"rows": 2}},
}


def plan_of(steps: dict[str, Any], filters: dict[str, Any] | None = None) -> Plan:
    values = {"potstill": 1, "name": "toy", "filters": filters or {"short": {}}, "steps": steps}
    return make_plan(recipe_of(values, CATALOG), Path("work"))


def addresses(plan: Plan) -> dict[str, str]:
    return {node.name: node.address for node in plan.nodes}


def changed(before: Plan, after: Plan) -> set[str]:
    old, new = addresses(before), addresses(after)
    return {name for name in old if old[name] != new.get(name)}


def test_steps_run_after_what_they_need() -> None:
    assert [node.name for node in plan_of(STEPS).nodes] == ["first", "middle", "last"]


@given(st.permutations(list(STEPS)))
def test_the_order_in_the_file_changes_no_address(order: list[str]) -> None:
    assert changed(plan_of(STEPS), plan_of({name: STEPS[name] for name in order})) == set()


@pytest.mark.parametrize(
    ("steps", "filters", "expected"),
    [
        ({"first": {"numbers": {"rows": 3}}}, None, {"first", "middle", "last"}),
        ({"first": {"numbers": {"rows": 2, "workers": 9}}}, None, set()),
        ({"middle": {"copy": {"samples": "first"}}}, None, {"middle", "last"}),
        ({}, {"short": {"most": 6}}, {"middle", "last"}),
        ({}, {"short": {}, "other": {"kind": "short"}}, set()),
    ],
)
def test_what_changes_an_address(
    steps: dict[str, Any], filters: dict[str, Any] | None, expected: set[str]
) -> None:
    assert changed(plan_of(STEPS), plan_of({**STEPS, **steps}, filters)) == expected


def test_a_file_is_known_by_content_not_path(tmp_path: Path) -> None:
    one, two, other = tmp_path / "one", tmp_path / "two", tmp_path / "other"
    for file, text in ((one, "a b"), (two, "a b"), (other, "a c")):
        file.write_text(text, encoding="utf-8")
    plans = [plan_of({"n": {"numbers": {"source": str(file)}}}) for file in (one, two, other)]
    assert changed(plans[0], plans[1]) == set()
    assert changed(plans[0], plans[2]) == {"n"}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            {"a": {"copy": {"samples": "b"}}, "b": {"copy": {"samples": "a"}}},
            "the steps need each other: a → b → a",
        ),
        ({"a": {"copy": {"samples": "a"}}}, "the steps need each other: a → a"),
        (
            {**STEPS, "m": {"teach": {"data": "first"}}, "c": {"copy": {"samples": "m"}}},
            "step 'm' makes model; samples of step 'c' needs samples",
        ),
        ({"a": {"numbers": {"source": "hub:x/y"}}}, "'hub:x/y' is a hub; expected"),
        ({"a": {"numbers": {"source": "coutning"}}}, "did you mean 'counting'?"),
    ],
)
def test_what_cannot_be_planned(steps: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError) as caught:
        plan_of(steps)
    assert message in str(caught.value)


def test_a_folder_without_config_is_no_model(tmp_path: Path) -> None:
    steps = {**STEPS, "m": {"teach": {"data": "first", "model": str(tmp_path)}}}
    with pytest.raises(RequestError, match=r"is not a model folder: it has no config\.json"):
        plan_of(steps)


def test_needed_for_a_step() -> None:
    steps = {**STEPS, "aside": {"copy": {"samples": "first"}}}
    assert [node.name for node in plan_of(steps).needed_for("middle")] == ["first", "middle"]
