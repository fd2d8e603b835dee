"""Every mistake in a recipe is told with its line, what is known and the closest match."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, Tag
from toys import CATALOG, Copy, Short

from potstill.pipeline.errors import RequestError
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import _known_keys, load_recipe, recipe_of

GOOD = """\
potstill: 1
name: toy
filters:
  short: {}
  tiny: {kind: short, most: 1}
steps:
  numbers: {numbers: {rows: 4}}
  copy: {copy: {samples: numbers, keep: {tiny: 1}}}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_recipe_becomes_typed_objects(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, GOOD), CATALOG)
    assert recipe.steps["copy"] == Copy(samples="numbers", keep={"tiny": 1})
    assert recipe.filters["tiny"] == Short(most=1)


def test_the_same_recipe_can_be_built_in_python() -> None:
    steps = {"numbers": {"numbers": {"rows": 4}}}
    recipe = recipe_of({"potstill": 1, "name": "toy", "steps": steps}, CATALOG)
    assert list(recipe.steps) == ["numbers"]


MISTAKES = [
    ("potstill: 1", "potstill: 2", ":1: ", "'potstill: 1' must name the recipe format"),
    ("name: toy", "name: ../toy", ":2: ", "cannot be a name"),
    ("filters:", "filter:", ":3: ", "unknown key 'filter'; did you mean 'filters'?"),
    ("  short: {}", "  shrt: {}", ":4: ", "unknown filter 'shrt'; did you mean 'short'?"),
    ("most: 1", "mots: 1", ":5: ", "unknown key 'mots'; did you mean 'most'? Known: most"),
    ("most: 1", "most: one", ":5: ", "most is 'one'; input should be a valid integer"),
    ("{numbers: {rows: 4}}", "{numbres: {}}", ":7: ", "did you mean 'numbers'?"),
    ("{rows: 4}", "{rosw: 4}", ":7: ", "unknown key 'rosw'; did you mean 'rows'?"),
    ("{rows: 4}", "{rows: 1.5}", ":7: ", "rows is 1.5; input should be a valid integer"),
    ("{rows: 4}", "[4]", ":7: ", "step 'numbers' must have settings"),
    ("samples: numbers, ", "", ":8: ", "samples is missing"),
    ("samples: numbers", "samples: nubmers", ":8: ", "did you mean 'numbers'?"),
    (
        "keep: {tiny",
        "keep: {tyni",
        ":8: ",
        "no filter 'tyni' under 'filters:'; did you mean 'tiny'",
    ),
    ("name: toy", "name: toy\nname: toy", ":3: ", "duplicate key"),
    ("name: toy", "name: &x toy", ":2: ", "anchors and aliases are not allowed"),
    ("name: toy", "name: !!python/name:os.system toy", ":2: ", "tags such as"),
    ("name: toy", "name: [", "", "expected"),
    ("rows: 4", "source: ./none.txt", ":7: ", "none.txt does not exist"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), MISTAKES)
def test_mistakes_are_explained(
    tmp_path: Path, old: str, new: str, line: str, message: str
) -> None:
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(RequestError) as caught:
        make_plan(load_recipe(path, CATALOG), tmp_path / "work")
    assert line in str(caught.value)
    assert message in str(caught.value)


def test_a_step_with_two_kinds_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("{numbers: {rows: 4}}", "{numbers: {rows: 4}, copy: {}}")
    with pytest.raises(RequestError, match="must have one key, its kind; got numbers, copy"):
        load_recipe(write(tmp_path, text), CATALOG)


def test_yaml_is_1_2(tmp_path: Path) -> None:
    text = GOOD + "  teach: {teach: {data: copy, rate: 1e-5}}\n"
    recipe = load_recipe(write(tmp_path, text), CATALOG)
    assert recipe.steps["teach"].model_dump()["rate"] == 1e-5


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("steps.numbers.numbers.rows", "expected steps.NAME.KIND.FIELD=VALUE"),
        ("steps.nubmers.numbers.rows=1", "no 'steps.nubmers'; known there: numbers, copy"),
        ("steps.numbers.nubmers.rows=1", "no 'steps.numbers.nubmers'; known there: numbers"),
        ("filters.math.rows=1", "no 'filters.math'; known there: short, tiny"),
        ("steps.numbers.numbers.rows=x", "--set steps.numbers.numbers.rows: rows is 'x'"),
        ("steps.numbers.numbers.rsow=1", "unknown key 'rsow'; did you mean 'rows'?"),
        ("steps.numbers.numbers.more.rows=1", "--set steps.numbers.numbers.more: unknown key"),
        ("steps.numbers.numbers={rows: x}", "--set steps.numbers.numbers: rows is 'x'"),
    ],
)
def test_wrong_overrides_are_explained(tmp_path: Path, assignment: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        load_recipe(write(tmp_path, GOOD), CATALOG, [assignment])
    assert message in str(caught.value)


def test_an_overridden_path_starts_at_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "words.txt").write_text("a b", encoding="utf-8")
    monkeypatch.chdir(here)
    recipe = load_recipe(
        write(tmp_path, GOOD), CATALOG, ["steps.numbers.numbers.source=./words.txt"]
    )
    node = make_plan(recipe, tmp_path / "work").node("numbers")
    assert node.externals["./words.txt"].path == (here / "words.txt").resolve()


class Leaf(BaseModel):
    colour: str = ""


class Left(BaseModel):
    side: Literal["left"]
    leaves: dict[str, Leaf] = {}


class Right(BaseModel):
    side: Literal["right"]
    thorns: list[Leaf] = []


class Tree(BaseModel):
    branch: Annotated[Left | Right, Field(discriminator="side")] | None = None
    tagged: Annotated[Annotated[Left, Tag("l")] | Annotated[Right, Tag("r")], Field()] | None = None


@pytest.mark.parametrize(
    ("location", "known"),
    [
        ((), ["branch", "tagged"]),
        (("branch",), ["leaves", "side", "thorns"]),
        (("branch", "left"), ["leaves", "side", "thorns"]),
        (("branch", "left", "leaves", "oak"), ["colour"]),
        (("branch", "right", "thorns", 0), ["colour"]),
        (("tagged", "r"), ["side", "thorns"]),
        (("tagged", "l", "leaves", "oak"), ["colour"]),
    ],
)
def test_the_keys_that_are_known_there(location: tuple[str | int, ...], known: list[str]) -> None:
    assert _known_keys(Tree, location) == known
