"""All the real files through `recipes/real_data.yaml`: counts close at every step, to the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from potstill.catalog import CATALOG
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import load_recipe
from potstill.pipeline.runner import Run
from potstill.pipeline.verdicts import read_verdict_sets
from potstill.pipeline.verify import verify

ROOT = Path(__file__).resolve().parents[2]
DATA = (ROOT / "../shared/data").resolve()
FILES = {
    "gsm8k": ("gsm8k_train.jsonl", 7473),
    "gsm8k_test": ("gsm8k_test.jsonl", 1319),
    "cmath": ("cmath.jsonl", 600),
    "aime": ("aime24.jsonl", 30),
    "amc": ("amc23.jsonl", 40),
    "human_eval": ("HumanEval.jsonl.gz", 164),
    "general_en": ("alpaca_en_demo.json", 999),
    "general_zh": ("alpaca_zh_demo.json", 1000),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all((DATA / name).exists() for name, _ in FILES.values()),
        reason=f"the real files are not in {DATA}",
    ),
]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    changes = [f"steps.{step}.load.source={DATA / name}" for step, (name, _) in FILES.items()]
    recipe = load_recipe(ROOT / "recipes/real_data.yaml", CATALOG, changes)
    return Run(make_plan(recipe, tmp_path_factory.mktemp("work")), workers=2).all()


def of_kind(done: dict[str, Artifact], kind: str) -> dict[str, Artifact]:
    found = {name: artifact for name, artifact in done.items() if artifact.kind == kind}
    assert found
    return found


def test_every_line_is_a_row_or_set_aside(done: dict[str, Artifact]) -> None:
    for step, artifact in of_kind(done, "load").items():
        told = artifact.metrics
        assert told["read"] == FILES[step][1]
        assert told["read"] + told["expanded"] == artifact.rows + sum(told["quarantined"].values())
        assert sum(told["languages"].values()) == artifact.rows


def test_every_row_has_every_verdict(done: dict[str, Artifact]) -> None:
    for artifact in of_kind(done, "judge").values():
        (name,) = artifact.manifest["inputs"]
        for found in read_verdict_sets(artifact.path).values():
            assert found.rows == done[name].rows
            assert "worker_crashed" not in found.reasons


def test_every_row_is_selected_or_left_out(done: dict[str, Artifact]) -> None:
    for artifact in of_kind(done, "select").values():
        told = artifact.metrics
        assert told["in"] == artifact.rows + sum(told["left_out"].values())
    assert done["programs"].rows == 164
    assert done["reasoning"].rows == 7472


def test_every_row_is_mixed_or_left_out(done: dict[str, Artifact]) -> None:
    told = done["mixture"].metrics
    assert told["in"] + told["copies"] == done["mixture"].rows + sum(told["left_out"].values())
    assert told["parts"]["competition"]["rows"] == 2 * told["parts"]["competition"]["in"]
    assert told["total"]["samples"] == done["mixture"].rows
    assert 0 < told["total"]["loss_tokens"] < told["total"]["tokens"]
    for groups in told["report"].values():
        for unit in ("samples", "tokens", "loss_tokens"):
            assert sum(group[unit] for group in groups.values()) == told["total"][unit]


def test_the_export_opens_and_is_whole(done: dict[str, Artifact]) -> None:
    datasets = pytest.importorskip("datasets")
    folder = done["dataset"].path
    opened = datasets.load_dataset(str(folder), cache_dir=str(folder.parent / "cache"))
    assert sum(len(split) for split in opened.values()) == done["mixture"].rows
    train, test = ({row["prompt_id"] for row in opened[name]} for name in ("train", "test"))
    assert test
    assert not train & test
    row = opened["train"][0]
    assert row["prompt"][-1]["role"] == "user"
    assert row["completion"][0]["role"] == "assistant"
    card = (folder / "README.md").read_text("utf-8")
    for said in ("mit", "cc-by-nc-4.0", "gsm8k_train.jsonl", "judged_gsm8k", "loss"):
        assert said in card
    assert verify(folder.parent.parent, [str(folder)]).whole
