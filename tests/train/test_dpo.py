"""Preference training by trl on tiny real models: exactly our tokens, and the margin rises."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from workbench import Workbench

from potstill.models.chat import load_tokenizer, render_example
from potstill.pipeline.artifact import Artifact, open_artifact, write_manifest
from potstill.pipeline.errors import RequestError, StoppedOnPurpose
from potstill.pipeline.pairs import PAIR_SCHEMA
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import Generation, Sample, with_ids
from potstill.pipeline.shards import read_table, shard_files, write_rows
from potstill.pipeline.stage import Context
from potstill.stages.load import Load
from potstill.train import TRAINERS
from potstill.train.dpo import Dpo
from potstill.train.pairs import render_pairs
from potstill.train.rows.linting import RowLint
from potstill.train.running.bench import Bench
from potstill.train.running.numerics import choose_numerics
from potstill.train.students.student import open_student

Pair = tuple[Sample, Sample]
Write = Callable[..., Artifact]
Make = Callable[..., Context]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write pairs as a finished artifact."""

    def make(pairs: Sequence[Pair], schema: Any = PAIR_SCHEMA) -> Artifact:
        folder = tmp_path / "pairs"
        samples = list(with_ids(sample for pair in pairs for sample in pair))
        rows = [
            {**sample.to_row(), "pair": place // 2, "side": ("chosen", "rejected")[place % 2]}
            for place, sample in enumerate(samples)
        ]
        count = write_rows(folder, rows, schema)
        body = {"step": "pairs", "identity": {"kind": "select"}, "address": "0", "inputs": {}}
        write_manifest(folder, {**body, "rows": count, "metrics": {}}, {})
        artifact = open_artifact(folder)
        assert artifact is not None
        return artifact

    return make


@pytest.fixture(scope="module")
def pairs(toy: list[Sample]) -> list[Pair]:
    """The right sum, and one that is wrong by one."""
    return [(sample, wrong(sample)) for sample in toy[:16]]


def wrong(sample: Sample) -> Sample:
    bad = str(int(str(sample.answer)) + 1)
    return replace(sample, completion=f"<think>\n{bad}\n</think>\nIt is \\boxed{{{bad}}}, I think.")


def cut(sample: Sample, reason: str = "length") -> Sample:
    made = Generation("t", "", str(sample.completion), 0, None, reason, None, None)
    return replace(sample, generation=made)


def dpo(**fields: Any) -> Dpo:
    quick = {"batch_size": 8, "learning_rate": 1e-3, "epochs": 4, "max_length": 128}
    return Dpo(**{"data": "mixture", "model": "./student", **quick, **fields})


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log" / "steps.jsonl").open()]


@pytest.mark.parametrize("fields", [{}, {"lora": {"r": 8}, "learning_rate": 1e-2}])
def test_the_chosen_side_becomes_likelier_than_the_rejected_one(
    students: dict[str, Path],
    pairs: list[Pair],
    write: Write,
    context: Make,
    fields: dict[str, Any],
) -> None:
    given = context(write(pairs), students["qwen"])
    metrics = dpo(**fields).run(given)
    log = log_of(given.out)
    # The student starts as its own reference: both log-ratios are 0, and the loss is ln 2.
    assert log[0]["loss"] == pytest.approx(0.6931, abs=1e-4)
    assert log[0]["rewards/margins"] == pytest.approx(0, abs=1e-5)
    assert log[-1]["rewards/margins"] > 0.5
    assert log[-1]["rewards/accuracies"] == 1
    assert metrics["loss_last"] < metrics["loss_first"]
    gap = [line["logps/chosen"] - line["logps/rejected"] for line in log]
    assert gap[-1] > gap[0] + 5
    assert (metrics["in"], metrics["examples"], metrics["left_out"]) == (32, 16, {})
    assert (given.out / "model.safetensors").exists()


def test_pairs_of_a_file_train_as_pairs_of_select_do(
    students: dict[str, Path], pairs: list[Pair], write: Write, context: Make, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = (
        {
            "prompt": [{"role": turn.role, "content": turn.content} for turn in good.prompt],
            "chosen": good.completion,
            "rejected": bad.completion,
        }
        for good, bad in pairs
    )
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    stage = Load(source="./pairs.jsonl")
    loaded = Workbench(tmp_path).run("loaded", stage, paths={"./pairs.jsonl": file})
    logs = []
    for name, data in (("select", write(pairs)), ("file", loaded)):
        given = context(data, students["qwen"], name)
        metrics = dpo(epochs=1).run(given)
        assert (metrics["in"], metrics["examples"], metrics["left_out"]) == (32, 16, {})
        logs.append([line["loss"] for line in log_of(given.out)])
    assert logs[0] == logs[1]


@pytest.mark.parametrize("family", ["qwen", "llama"])
def test_batches_hold_exactly_the_rendered_tokens(
    students: dict[str, Path], pairs: list[Pair], write: Write, context: Make, family: str
) -> None:
    given = context(write(pairs[:4]), students[family])
    stage = dpo(batch_size=4)
    student = open_student(students[family], "./student")
    rows = stage.prepare(given, student).table
    bench = Bench(
        stage, given, student, choose_numerics(stage, 1, 1), rows, given.out / "checkpoints", True
    )
    tokenizer = load_tokenizer(students[family])
    expected = {
        tuple(example.token_ids): example.completion_start
        for pair in pairs[:4]
        for sample in pair
        for example in [render_example(tokenizer, sample.prompt, sample.completion)]
    }
    with stage.open_trainer(bench) as trainer:
        batch = next(iter(trainer.get_train_dataloader()))
    assert len(batch["input_ids"]) == len(expected) == 8
    for ids, attended, masked in zip(
        batch["input_ids"], batch["attention_mask"], batch["completion_mask"], strict=True
    ):
        length = int(attended.sum())
        start = expected[tuple(ids[:length].tolist())]
        assert attended.tolist() == [1] * length + [0] * (len(ids) - length)
        assert masked.tolist() == [0] * start + [1] * (length - start) + [0] * (len(ids) - length)
    chosen = [
        tuple(ids[: int(a.sum())].tolist())
        for ids, a in zip(batch["input_ids"][:4], batch["attention_mask"][:4], strict=True)
    ]
    assert all("The answer is" in tokenizer.decode(ids) for ids in chosen)


class StopAt(list[Event]):
    """Wishes to stop after an optimizer step."""

    context: Context

    def append(self, event: Event) -> None:
        if event.get("facts", {}).get("phase") == "train" and event["done"] == 3:
            self.context.stop.requested = True


@pytest.mark.parametrize("fields", [{}, {"lora": {"r": 4}, "precompute_ref_log_probs": True}])
def test_a_stopped_training_goes_on_with_the_same_reference(
    students: dict[str, Path],
    pairs: list[Pair],
    write: Write,
    context: Make,
    fields: dict[str, Any],
) -> None:
    data = write(pairs)
    whole = context(data, students["qwen"], "whole")
    dpo(**fields).run(whole)

    stopping = StopAt()
    stopped = context(data, students["qwen"], "stopped", stopping)
    stopping.context = stopped
    with pytest.raises(StoppedOnPurpose, match="stopped after step 4 of 8"):
        dpo(**fields).run(stopped)
    dpo(**fields).run(replace(stopped, stop=type(stopped.stop)(), progress=whole.progress))
    assert log_of(whole.out) == log_of(stopped.out)
    weights = [(given.out / "model.safetensors").read_bytes() for given in (whole, stopped)]
    assert weights[0] == weights[1]


LOSSES = [
    {"loss_type": "sigmoid_norm", "beta": 2.0},
    {"loss_type": "ipo"},
    {"loss_type": "robust", "label_smoothing": 0.1},
    {"loss_type": "exo_pair", "label_smoothing": 1e-3},
    {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.2]},
    {"loss_type": "apo_zero", "ld_alpha": 0.5},
    {"loss_type": "nca_pair", "use_weighting": True},
    {"precompute_ref_log_probs": True},
]


@pytest.mark.parametrize("fields", LOSSES, ids=lambda fields: json.dumps(fields))
def test_losses_of_trl(
    students: dict[str, Path],
    pairs: list[Pair],
    write: Write,
    context: Make,
    fields: dict[str, Any],
) -> None:
    given = context(write(pairs[:4]), students["qwen"])
    dpo(batch_size=4, epochs=6, **fields).run(given)
    log = log_of(given.out)
    assert log[-1]["loss"] < log[0]["loss"]
    assert log[-1]["rewards/margins"] > 0


def test_a_reference_asked_beforehand_is_the_same_one(
    students: dict[str, Path], pairs: list[Pair], write: Write, context: Make
) -> None:
    data, losses = write(pairs), {}
    for ahead in (False, True):
        given = context(data, students["llama"], f"ahead_{ahead}")
        dpo(precompute_ref_log_probs=ahead).run(given)
        losses[ahead] = [line["loss"] for line in log_of(given.out)]
    assert losses[True] == pytest.approx(losses[False], rel=1e-4)


def test_pairs_that_cannot_be_learnt_from_are_left_out_and_counted(
    students: dict[str, Path], pairs: list[Pair], write: Write, context: Make
) -> None:
    (good, bad), *others = pairs[:6]
    given = context(
        write(
            [
                (good, bad),
                (cut(others[0][0]), others[0][1]),
                (others[1][0], others[1][0]),
                (others[2][0], replace(others[2][1], completion="")),
                (others[3][0], replace(others[3][1], completion="so<|im_end|>no")),
                (others[4][0], replace(others[4][1], completion="<think>" + "no " * 200)),
            ]
        ),
        students["qwen"],
    )
    student = open_student(students["qwen"], "./student")
    metrics = dpo(over_length="drop").prepare(given, student).metrics
    reasons = {
        "cut_off": 2,
        "no_completion": 2,
        "same_completion": 2,
        "special_token_in_text": 2,
        "too_long": 2,
    }
    assert (metrics["in"], metrics["examples"], metrics["left_out"]) == (12, 1, reasons)
    left_out = read_table(shard_files(given.out / "left_out")).to_pylist()
    assert [(row["pair"], row["side"]) for row in left_out] == [
        (pair, side) for pair in range(1, 6) for side in ("chosen", "rejected")
    ]
    with pytest.raises(RequestError, match=r"1 of 6 pairs have a side of more than max_length 128"):
        dpo().prepare(given, student)


def test_a_rejected_completion_that_was_cut_ends_no_turn(
    students: dict[str, Path], pairs: list[Pair], write: Write
) -> None:
    (good, bad) = pairs[0]
    data = write([(good, cut(bad, "stop")), (good, cut(bad))])
    tokenizer = load_tokenizer(students["qwen"])
    lint = RowLint(open_student(students["qwen"], "./student"), {})
    made = render_pairs(data, tokenizer, 128, {}, lint, Progress())
    whole, short = made.table.to_pylist()
    assert whole["rejected_ids"] == [*short["rejected_ids"], tokenizer.eos_token_id]
    assert whole["chosen_ids"] == short["chosen_ids"]
    assert tokenizer.decode(short["rejected_ids"]) == bad.completion


def test_data_without_pairs_is_refused(
    students: dict[str, Path], toy: list[Sample], mixture: Write, context: Make
) -> None:
    with pytest.raises(RequestError, match=r"dpo\.data: .* holds no preference pairs.*pairs: \{by"):
        dpo().run(context(mixture(toy), students["qwen"]))


@pytest.mark.parametrize("swap", [slice(1, None), slice(None, None, -1)])
def test_rows_that_are_no_pairs_are_refused(
    students: dict[str, Path], pairs: list[Pair], write: Write, context: Make, swap: slice
) -> None:
    data = write(pairs[:2])
    (shard,) = shard_files(data.path)
    rows = read_table(shard).to_pylist()[swap]
    write_rows(data.path, rows, PAIR_SCHEMA)
    with pytest.raises(RequestError, match="rows 0 and 1 of step 'pairs' are no pair"):
        dpo().run(context(data, students["qwen"]))


REFUSED = [
    ({"lora": {"dropout": 0.1}}, "lora.dropout must be 0"),
    ({"loss_type": "sft"}, "compares nothing"),
    ({"loss_type": "simpo"}, "Input should be 'sigmoid'"),
    ({"loss_type": "aot"}, "Input should be 'sigmoid'"),
    ({"loss_type": ["sigmoid", "sigmoid"]}, "expected different losses"),
    ({"loss_type": []}, "expected different losses"),
    ({"loss_type": ["sigmoid", "sft"], "loss_weights": [1]}, "1 weights for 2 loss types"),
    ({"label_smoothing": 0.1}, "belongs to the losses robust and exo_pair"),
    ({"loss_type": "exo_pair"}, "needs label_smoothing"),
    ({"ld_alpha": 1.5}, "less than or equal to 1"),
    ({"over_length": "split"}, "'refuse' or 'drop'"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_fields_that_do_not_fit(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        dpo(**fields)


def test_dpo_is_a_kind_of_step() -> None:
    assert TRAINERS["dpo"] is Dpo
    assert (Dpo.kind, Dpo.makes, Dpo.expensive) == ("dpo", "model", True)
