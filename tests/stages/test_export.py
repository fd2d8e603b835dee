"""The export step, opened by the libraries it is meant for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.pairs import PAIR_SCHEMA
from potstill.pipeline.sample import SAMPLE_SCHEMA, Generation, Message, new_sample, with_ids
from potstill.pipeline.shards import shard_files, write_rows
from potstill.recipes.quickstart.vocabulary import QWEN, make_tokenizer, train_bpe
from potstill.stages.export import Export
from potstill.stages.exporting import files
from potstill.stages.load import Load

THOUGHT = "<think>\n1 + 1\u2028= 2\n</think>\n2"
MADE = Generation("t", "r", "key", 1, None, "stop", 3, 4)
FORMATS = ["parquet", "jsonl", "csv"]


@pytest.fixture
def chosen(bench: Workbench) -> Artifact:
    asked = (Message("system", "Be exact."), Message("user", "1+1"))
    return bench.samples(
        "chosen",
        [
            new_sample(asked, completion=THOUGHT, answer="2", language="en", source="sums"),
            problem("二加二", "4", answer="4", task="math", language="zh", generation=MADE),
            problem("hello", "hi | <b>", source="a|b`<script>\n"),
        ],
    )


def many(bench: Workbench, problems: int = 200, each: int = 3) -> Artifact:
    rows = [problem(f"{n}+1", f"{n + 1} ({i})") for n in range(problems) for i in range(each)]
    return bench.samples("chosen", rows)


def export(bench: Workbench, chosen: Artifact, **fields: Any) -> Artifact:
    return bench.run("out", Export(samples="chosen", **fields), inputs={"chosen": chosen})


def opened(artifact: Artifact, tmp_path: Path) -> Any:
    import datasets

    return datasets.load_dataset(str(artifact.path), cache_dir=str(tmp_path / "cache"))


def turns(cell: Any) -> Any:
    """Conversations are JSON in a cell of CSV."""
    return json.loads(cell) if isinstance(cell, str) else cell


@pytest.mark.parametrize("format_", FORMATS)
def test_messages(bench: Workbench, chosen: Artifact, tmp_path: Path, format_: str) -> None:
    dataset = opened(export(bench, chosen, format=format_), tmp_path)
    assert list(dataset) == ["train"]
    rows = dataset["train"].to_list()
    assert turns(rows[0]["messages"]) == [
        {"role": "system", "content": "Be exact."},
        {"role": "user", "content": "1+1"},
        {"role": "assistant", "content": THOUGHT},
    ]
    assert [row["answer"] for row in rows] == ["2", "4", None]
    assert [row["id"] for row in rows] == [sample.id for sample in chosen.samples()]


@pytest.mark.parametrize("format_", FORMATS)
def test_prompt_and_completion(
    bench: Workbench, chosen: Artifact, tmp_path: Path, format_: str
) -> None:
    artifact = export(bench, chosen, columns="prompt_completion", format=format_)
    row = opened(artifact, tmp_path)["train"][1]
    assert turns(row["prompt"]) == [{"role": "user", "content": "二加二"}]
    assert turns(row["completion"]) == [{"role": "assistant", "content": "4"}]


@pytest.mark.parametrize("format_", FORMATS)
def test_sharegpt(bench: Workbench, chosen: Artifact, tmp_path: Path, format_: str) -> None:
    artifact = export(bench, chosen, columns="sharegpt", format=format_)
    row = opened(artifact, tmp_path)["train"][0]
    assert turns(row["conversations"]) == [
        {"from": "system", "value": "Be exact."},
        {"from": "human", "value": "1+1"},
        {"from": "gpt", "value": THOUGHT},
    ]


@pytest.mark.parametrize("columns", ["messages", "prompt_completion", "samples"])
@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_what_is_exported_loads_again(
    bench: Workbench, chosen: Artifact, columns: str, format_: str
) -> None:
    out = export(bench, chosen, columns=columns, format=format_)
    stage = Load(source="./out")
    again = bench.run("again", stage, paths={"./out": out.path})
    for before, after in zip(chosen.samples(), again.samples(), strict=True):
        for field in ("prompt", "completion", "answer", "task", "language"):
            assert getattr(after, field) == getattr(before, field)
        if columns == "samples":
            assert after.id == before.id
            assert after.generation == before.generation


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("columns", ["messages", "sharegpt", "samples"])
def test_types_are_declared_and_not_guessed(
    bench: Workbench, tmp_path: Path, columns: str, format_: str
) -> None:
    """No row has an answer, a language or a generation; their columns are text all the same."""
    problems = bench.samples("chosen", [problem("1+1"), problem("2+2")])
    dataset = opened(export(bench, problems, columns=columns, format=format_), tmp_path)
    features = dataset["train"].features
    assert features["answer"].dtype == "string"
    if columns == "samples" and format_ != "csv":
        assert features["generation"]["seed"].dtype == "int64"
    assert dataset["train"][0]["answer"] is None


@pytest.mark.parametrize(
    ("thinking", "reply", "thought"),
    [("keep", THOUGHT, None), ("drop", "2", None), ("column", "2", "1 + 1\u2028= 2")],
)
def test_thinking(
    bench: Workbench,
    chosen: Artifact,
    tmp_path: Path,
    thinking: str,
    reply: str,
    thought: str | None,
) -> None:
    rows = opened(export(bench, chosen, thinking=thinking), tmp_path)["train"].to_list()
    assert rows[0]["messages"][-1]["content"] == reply
    assert rows[1]["messages"][-1]["content"] == "4"
    assert ("thinking" in rows[0]) == (thinking == "column")
    assert [row.get("thinking") for row in rows] == [thought, None, None]


def test_a_thought_that_never_ends_cannot_be_parted_from_the_answer(bench: Workbench) -> None:
    cut = bench.samples("chosen", [problem("1+1", "<think>let me")])
    assert export(bench, cut).metrics["rows"] == 1
    with pytest.raises(RequestError, match="never closes its thought"):
        export(bench, cut, thinking="drop")


def test_further_columns(bench: Workbench, chosen: Artifact, tmp_path: Path) -> None:
    artifact = export(bench, chosen, also=("teacher", "revision", "extra"))
    rows = opened(artifact, tmp_path)["train"].to_list()
    assert [row["teacher"] for row in rows] == [None, "t", None]
    assert rows[1]["revision"] == "r"
    assert rows[0]["extra"] == "{}"


FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\u00a0=1", "\u200b=1", " =cmd|' /C'!A0"]


@pytest.mark.parametrize("text", FORMULAS)
def test_csv_holds_no_formula(bench: Workbench, tmp_path: Path, text: str) -> None:
    """An answer is a cell of its own; a conversation begins with [ and is none."""
    rows = bench.samples("chosen", [problem("ask", text, answer=text)])
    row = opened(export(bench, rows, format="csv"), tmp_path)["train"][0]
    assert row["answer"] == "'" + text
    assert turns(row["messages"])[-1]["content"] == text


@pytest.mark.parametrize("text", ["a=1", "x-1", '"quoted", and', "two\nlines", "1,5"])
def test_csv_leaves_other_texts_alone(bench: Workbench, tmp_path: Path, text: str) -> None:
    rows = bench.samples("chosen", [problem("ask", "x", answer=text, source=text)])
    row = opened(export(bench, rows, format="csv"), tmp_path)["train"][0]
    assert (row["answer"], row["source"]) == (text, text)


def test_shares_are_cut_by_problem(bench: Workbench, tmp_path: Path) -> None:
    artifact = export(bench, many(bench), test=0.2, validation=0.1, seed=3)
    dataset = opened(artifact, tmp_path)
    sides = {name: set(rows["prompt_id"]) for name, rows in dataset.items()}
    assert list(sides) == ["train", "validation", "test"]
    assert sum(len(side) for side in sides.values()) == 200 == len(set.union(*sides.values()))
    assert sum(map(len, dataset.values())) == 600
    assert 25 <= len(sides["test"]) <= 55
    assert artifact.metrics["splits"]["test"]["problems"] == len(sides["test"])
    assert artifact.metrics["problems_in_two_splits"] == {}


def test_the_cut_depends_on_problem_and_seed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tested(name: str, problems: int, seed: int) -> set[str]:
        bench = Workbench(tmp_path / name)
        artifact = export(bench, many(bench, problems), test=0.3, seed=seed)
        return set(opened(artifact, bench.root)["test"]["prompt_id"])

    few = tested("few", 100, seed=0)
    monkeypatch.setattr(files, "ROWS_PER_SHARD", 70)
    whole = tested("whole", 200, seed=0)
    assert few < whole
    assert whole != tested("other", 200, seed=1)


def test_a_share_that_is_no_problem_is_refused(bench: Workbench, chosen: Artifact) -> None:
    with pytest.raises(RequestError, match=r"test: 1e-06 is not one problem of this dataset"):
        export(bench, chosen, test=1e-6)


def test_splits_of_steps(bench: Workbench, chosen: Artifact, tmp_path: Path) -> None:
    heldout = bench.samples("heldout", [problem("hello", "again"), problem("9+9", "18")])
    stage = Export(splits={"test": "heldout", "train": "chosen"})
    artifact = bench.run("out", stage, inputs={"chosen": chosen, "heldout": heldout})
    dataset = opened(artifact, tmp_path)
    assert {name: len(rows) for name, rows in dataset.items()} == {"train": 3, "test": 2}
    assert artifact.metrics["problems_in_two_splits"] == {"train and test": 1}
    assert "problems in both train and test: 1" in bench.notes
    assert "Problems in both `train and test`: 1." in (artifact.path / "README.md").read_text(
        "utf-8"
    )


def pairs(bench: Workbench) -> Artifact:
    asked = [problem("1+1", "<think>a</think>2", answer="2"), problem("1+1", "<think>b</think>3")]
    rows = [sample.to_row() for sample in with_ids(asked)]
    made = [
        {**row, "pair": 0, "side": side}
        for row, side in zip(rows, ("chosen", "rejected"), strict=True)
    ]
    context = bench.context("chosen")
    write_rows(context.out, made, PAIR_SCHEMA)
    return bench._finish(context, "select", {"rows": 2})


@pytest.mark.parametrize("thinking", ["keep", "drop"])
def test_pairs_become_what_dpo_reads(bench: Workbench, tmp_path: Path, thinking: str) -> None:
    artifact = export(bench, pairs(bench), thinking=thinking)
    rows = opened(artifact, tmp_path)["train"].to_list()
    assert len(rows) == artifact.metrics["rows"] == 1
    thought = {"keep": ("<think>a</think>", "<think>b</think>"), "drop": ("", "")}[thinking]
    assert rows[0]["prompt"] == [{"role": "user", "content": "1+1"}]
    assert rows[0]["chosen"] == [{"role": "assistant", "content": f"{thought[0]}2"}]
    assert rows[0]["rejected"] == [{"role": "assistant", "content": f"{thought[1]}3"}]
    assert rows[0]["id"] != rows[0]["rejected_id"]


def test_pairs_do_not_go_into_other_columns(bench: Workbench) -> None:
    with pytest.raises(RequestError, match="holds preference pairs, which become prompt, chosen"):
        export(bench, pairs(bench), columns="sharegpt")


@pytest.mark.parametrize("columns", ["messages", "prompt_completion", "pairs"])
def test_trl_renders_the_rows(
    bench: Workbench, chosen: Artifact, tmp_path: Path, columns: str
) -> None:
    """As its trainers prepare them, with a chat template."""
    data_utils = pytest.importorskip("trl.data_utils")
    tokenizer = make_tokenizer(train_bpe(["How much is 1 + 1?"] * 2, 300), QWEN)
    source = pairs(bench) if columns == "pairs" else chosen
    fields = {} if columns == "pairs" else {"columns": columns}
    row = opened(export(bench, source, **fields), tmp_path)["train"][0]
    assert data_utils.is_conversational(row)
    rendered = data_utils.maybe_apply_chat_template(row, tokenizer)
    names = {"messages": ["text"], "prompt_completion": ["prompt", "completion"]}
    for name in names.get(columns, ["prompt", "chosen", "rejected"]):
        assert "<|im_end|>" in rendered[name]


def test_an_export_is_not_taken_for_samples(bench: Workbench, chosen: Artifact) -> None:
    artifact = export(bench, chosen)
    assert shard_files(artifact.path) == []
    assert artifact.rows is None
    assert artifact.metrics["rows"] == 3


@pytest.mark.parametrize("format_", FORMATS)
def test_files_are_numbered(
    bench: Workbench,
    chosen: Artifact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format_: str,
) -> None:
    monkeypatch.setattr(files, "ROWS_PER_SHARD", 2)
    artifact = export(bench, chosen, format=format_)
    assert sorted(file.name for file in (artifact.path / "data").iterdir()) == [
        f"train-00000-of-00002.{format_}",
        f"train-00001-of-00002.{format_}",
    ]
    assert artifact.metrics["files"] == 2
    assert len(opened(artifact, tmp_path)["train"]) == 3


@pytest.mark.parametrize("format_", FORMATS)
def test_how_the_source_is_cut_into_shards_does_not_show(
    bench: Workbench, tmp_path: Path, format_: str
) -> None:
    samples = [problem(f"{n}+1", f"{n + 1}" if n % 3 else None) for n in range(50)]
    made = []
    for rows_per_shard in (7, 50):
        context = bench.context("chosen")
        rows = (sample.to_row() for sample in with_ids(samples))
        for file in shard_files(context.out):
            file.unlink()
        write_rows(context.out, rows, SAMPLE_SCHEMA, rows_per_shard)
        source = bench._finish(context, "made_by_hand", {})
        data = export(bench, source, test=0.2, format=format_).path / "data"
        made.append({file.name: file.read_bytes() for file in data.iterdir()})
    assert made[0] == made[1]


def test_a_problem_without_a_completion(bench: Workbench, tmp_path: Path) -> None:
    problems = bench.samples("chosen", [problem("1+1", answer="2")])
    dataset = opened(export(bench, problems), tmp_path)
    assert dataset["train"][0]["messages"] == [{"role": "user", "content": "1+1"}]
    with pytest.raises(RequestError, match="has no completion; columns: prompt_completion needs"):
        export(bench, problems, columns="prompt_completion")


def test_jsonl_is_one_object_per_line(bench: Workbench, chosen: Artifact) -> None:
    artifact = export(bench, chosen, format="jsonl", columns="samples")
    data = (artifact.path / "data/train-00000-of-00001.jsonl").read_bytes()
    assert [json.loads(line)["id"] for line in data.splitlines()] == [
        sample.id for sample in chosen.samples()
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "expected samples, or splits"),
        ({"samples": "a", "splits": {"train": "a"}}, "not both"),
        ({"splits": {"train": "a"}, "test": 0.1}, "cut samples"),
        ({"samples": "a", "test": 0.6, "validation": 0.4}, "leave nothing for train"),
        ({"samples": "a", "columns": "samples", "thinking": "drop"}, "everything as it is"),
        ({"samples": "a", "license": "apache2"}, "did you mean 'apache-2.0'"),
    ],
)
def test_fields_that_do_not_agree(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Export(**fields)
