"""The card of a model: facts, no paths, nothing that a stranger's text could turn into markup."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from potstill.train.sft import Sft
from potstill.train.students.card import read_front_matter, write_card
from potstill.train.students.student import open_student

METRICS: dict[str, Any] = {
    "in": 40,
    "examples": 32,
    "tokens": 1286,
    "loss_tokens": 536,
    "steps": 12,
    "loss_first": 5.8,
    "loss_last": 0.02,
    "numerics": {"device": "cpu", "arithmetic": "float32"},
    "before": {"step": 0, "eval_pass@1": 0.1, "eval_rate/math": 0.1},
    "after": {"step": 12, "eval_pass@1": 0.6, "eval_rate/math": 0.6},
}
HOSTILE = "`</code><script>|x|\n\n# own\u202e heading"

Write = Callable[..., str]


@pytest.fixture
def card(students: dict[str, Path], tmp_path: Path) -> Write:
    """Writes a card for a copy of the student whose own card is given."""

    def make(
        own: str | None = None,
        reference: str = "./student",
        adapter: bool = False,
        **fields: Any,
    ) -> str:
        folder, out = tmp_path / "student", tmp_path / "out"
        shutil.copytree(students["qwen"], folder)
        out.mkdir()
        if own is not None:
            (folder / "README.md").write_text(own, encoding="utf-8")
        if not adapter:
            (out / "config.json").write_text("{}")
        stage = Sft(data="mixture", model=f"{tmp_path}/student", **fields)
        write_card(out, "recipe/step", stage, open_student(folder, reference), METRICS)
        text = (out / "README.md").read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        return text

    return make


def front(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(text.split("---\n")[1])
    return loaded


def test_facts_of_a_model(card: Write) -> None:
    text = card()
    assert front(text) == {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["potstill", "sft"],
    }
    for line in (
        "# `recipe/step`",
        "| loss_tokens | `536` |",
        "| loss_last | `0.02` |",
        "| end_of_turn | `<\\|im_end\\|>` |",
        "| eval_pass@1 | `0.1` | `0.6` |",
        "| arithmetic | `float32` |",
        '  "model": "student",',
        "vllm serve ./THIS_FOLDER",
    ):
        assert line in text.splitlines(), line


BASES = [
    # reference, the base's own card, what is carried
    ("hub:Qwen/Qwen2.5-1.5B@abc", None, {"base_model": "Qwen/Qwen2.5-1.5B"}),
    (
        "./student",
        "---\nlicense: apache-2.0\nbase_model: Qwen/Qwen2.5-1.5B\nlicense_name: [a, 3]\n---\n# Hi",
        {"license": "apache-2.0", "base_model": "Qwen/Qwen2.5-1.5B"},
    ),
    (
        "hub:a/b",
        "---\nlicense: other\nbase_model: c/d\n---\n",
        {"license": "other", "base_model": "a/b"},
    ),
    ("./student", "---\nlicense: 'a: b\n  - c'\n---\n", {"license": "a: b - c"}),
]


@pytest.mark.parametrize(("reference", "own", "carried"), BASES)
@pytest.mark.parametrize("adapter", [False, True])
def test_base_and_licence(
    card: Write, reference: str, own: str | None, carried: dict[str, str], adapter: bool
) -> None:
    text = card(own, reference, adapter)
    found = front(text)
    names = ("license", "license_name", "base_model")
    assert {name: found[name] for name in names if name in found} == carried
    relation = "adapter" if adapter else "finetune"
    assert found.get("base_model_relation") == (relation if "base_model" in carried else None)
    assert found["library_name"] == ("peft" if adapter else "transformers")
    assert ("--enable-lora" in text) is adapter


SAY_NOTHING = [
    "",
    "# No front matter",
    "---\nnever closed",
    "---\n- a\n- list\n---\n",
    "---\n[[[[\n---\n",
    "---\n" + "[" * 5000 + "\n---\n",
    "---\na: !!python/object:os.system x\n---\n",
]


@pytest.mark.parametrize("text", SAY_NOTHING, ids=range(len(SAY_NOTHING)))
def test_front_matter_that_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    assert read_front_matter(tmp_path / "README.md") == {}


def test_hostile_names_stay_text(card: Write) -> None:
    text = card(
        f'---\nlicense: "{"x: y #"}"\n---\n',
        reference=f"./{HOSTILE.replace('/', '')}",
        chat_template_kwargs={"name": HOSTILE},
    )
    assert front(text)["license"] == "x: y #"
    body = text.split("---\n", 2)[2]
    assert "\n# own" not in body
    assert "\u202e" not in body
    assert body.count("```") == 4  # settings and serving, opened and closed
    assert "\\u0060</code>" in body
