"""Both READMEs know every command and filter, and the recipes they show can be planned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from potstill.catalog import CATALOG
from potstill.cli import app
from potstill.pipeline.errors import RequestError
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import load_recipe
from potstill.stages.reading.shapes import SHAPES

ROOT = Path(__file__).resolve().parent.parent
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_command_and_filter_is_named(readme: Path) -> None:
    text = readme.read_text("utf-8")
    commands = [info.name or info.callback.__name__ for info in app.registered_commands]
    missing = [name for name in [*commands, *CATALOG.filters] if f"`{name}" not in text]
    assert missing == []
    assert len(text.split("\n")) <= 200


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_recipes_can_be_planned(recipe: Path, tmp_path: Path) -> None:
    copy = tmp_path / recipe.name
    models = ROOT / "recipes" / "quickstart"
    text = recipe.read_text("utf-8").replace("QUICKSTART", str(models))
    text = text.replace("./quickstart", str(models))
    copy.write_text(text, "utf-8")
    for name in re.findall(r"source: \./(\S+?\.jsonl?(?:\.gz)?)", text):
        (tmp_path / name).touch()
    assert make_plan(load_recipe(copy, CATALOG), tmp_path / "work").nodes


def test_the_recipe_of_the_readme_is_understood(tmp_path: Path) -> None:
    """All but the hub id, which a test cannot resolve."""
    for readme in READMES:
        (text,) = re.findall(r"```yaml\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)
        (tmp_path / "problems.jsonl").write_text('{"question": "1+1?", "answer": "2"}', "utf-8")
        path = tmp_path / "recipe.yaml"
        path.write_text(text, "utf-8")
        with pytest.raises(RequestError, match="the hub did not resolve it"):
            make_plan(load_recipe(path, CATALOG), tmp_path / "work")


def test_the_filter_of_the_readme_works() -> None:
    for readme in READMES:
        (code,) = re.findall(r"```python\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)
        space: dict[str, object] = {"__name__": "readme"}
        exec(code, space)
        made = space["Hedging"]()  # type: ignore[operator]
        from potstill.pipeline.sample import Message, new_sample

        sample = new_sample((Message("user", "q"),), completion="maybe, maybe")
        assert made.judge_one(sample).score == pytest.approx(1 / 3)
        body = code[code.index("class ") :].strip().split("\n")
        assert len(body) <= 15


def test_the_document_on_loading_knows_every_shape_and_reason() -> None:
    text = (ROOT / "docs" / "loading.md").read_text("utf-8")
    missing = [shape.name for shape in SHAPES if f"`{shape.name}`" not in text]
    code = "".join(file.read_text("utf-8") for file in (ROOT / "stages/reading").glob("*.py"))
    reasons = set(re.findall(r'BadRow\(f?"([a-z_0-9]+)[":]', code)) - {"missing", "wrong_type"}
    assert reasons
    assert missing + sorted(reason for reason in reasons if f"`{reason}`" not in text) == []
