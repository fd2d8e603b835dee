"""Real training by trl of tiny real models: it learns, stops, repeats itself and says so."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.external import External
from potstill.pipeline.process import StepTask, run_in_process
from potstill.pipeline.progress import Event
from potstill.pipeline.references import Execution, walk
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train import TRAINERS
from potstill.train.running import numerics
from potstill.train.sft import Sft

Students = dict[str, Path]
Build = Callable[..., Sft]
Mix = Callable[..., Artifact]
Make = Callable[..., Context]
Ask = Callable[[Path, list[Sample]], list[str]]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen", "llama"])
def test_memorises_and_stops(
    sft: Build,
    students: Students,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    answers: Ask,
    family: str,
) -> None:
    events: list[Event] = []
    given = context(mixture(toy), students[family], events=events)
    stage = sft(epochs=40, learning_rate=6e-3, warmup_share=0.1)
    metrics = stage.run(given)

    assert metrics["loss_first"] > 4  # random weights: log(320) or worse
    assert metrics["loss_last"] < 0.05
    assert metrics["steps"] == 40 * 32 / 8
    end = {"qwen": "<|im_end|>", "llama": "<|eot_id|>"}[family]
    told = answers(given.out, toy[:8])
    assert told == [f"{sample.completion}{end}" for sample in toy[:8]]  # thinks, answers, stops

    curve = [json.loads(line) for line in (given.out / "log" / "steps.jsonl").open()]
    assert [line["step"] for line in curve] == list(range(1, 161))
    assert curve[0]["loss"] == metrics["loss_first"]
    seen = [event for event in events if event.get("facts", {}).get("phase") == "train"]
    assert [(event["done"], event["total"]) for event in seen] == [(n, 160) for n in range(1, 161)]
    # No other file: no half-written checkpoint, no scratch, nothing that names this machine.
    names = {str(file.relative_to(given.out)) for file in given.out.rglob("*") if file.is_file()}
    assert names == {
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "left_out/part-00000.parquet",
        "log/steps.jsonl",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    for name in ("README.md", "config.json", "generation_config.json", "tokenizer_config.json"):
        assert str(students[family]) not in (given.out / name).read_text()


REFUSED = [
    # fields, what the message says
    ({"max_length": 1000}, "more than the 256 positions"),
    ({"lora": {"target": ["q_proj", "wq"]}}, "no linear layer wq .*q_proj"),
    ({"lora": {"target": ["lm_head"]}}, "no linear layer lm_head"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_refused_requests(
    sft: Build,
    students: Students,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    fields: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(RequestError, match=message):
        sft(**fields).run(context(mixture(toy[:8]), students["qwen"]))


def test_a_core_install_says_what_to_install(
    sft: Build,
    students: Students,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(numerics, "find_spec", lambda name: None if name == "trl" else name)
    with pytest.raises(RequestError, match=r"training needs trl, not .* 'potstill\[train\]'"):
        sft().run(context(mixture(toy), students["qwen"]))


def test_divergence_is_an_error_and_not_an_average(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    given = context(mixture(toy), students["qwen"])
    with pytest.raises(StepFailed, match=r"loss became (nan|inf) at step \d+ of 8.*learning_rate"):
        sft(epochs=2, learning_rate=1e30, warmup_share=0, max_grad_norm=1e30).run(given)


def test_same_seed_same_bytes(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    data = mixture(toy)
    for name in ("first", "second", "other"):
        given = context(data, students["qwen"], name)
        sft(seed=2 if name == "other" else 1).run(given)
    root = given.out.parent
    weights = {
        name: (root / name / "model.safetensors").read_bytes()
        for name in ("first", "second", "other")
    }
    assert weights["first"] == weights["second"] != weights["other"]


def test_micro_batches_change_no_result(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    import torch
    from safetensors.torch import load_file

    data = mixture(toy)
    whole, cut = context(data, students["qwen"], "whole"), context(data, students["qwen"], "cut")
    one = sft(schedule="constant").run(whole)
    other = sft(schedule="constant", micro_batch=2, gradient_checkpointing=True).run(cut)
    assert one["loss_last"] == pytest.approx(other["loss_last"], rel=1e-4)
    a, b = (load_file(given.out / "model.safetensors") for given in (whole, cut))
    torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-4)


def test_a_gpu_that_is_not_there(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(RequestError, match="torch sees no GPU"):
        sft(device="cuda").run(context(mixture(toy), students["qwen"]))


@pytest.mark.gpu
@pytest.mark.parametrize("lora", [None, {}])
def test_on_a_gpu(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, lora: Any
) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    given = context(mixture(toy), students["qwen"])
    metrics = sft(epochs=4, learning_rate=6e-3, lora=lora).run(given)
    assert metrics["loss_last"] < metrics["loss_first"]
    assert metrics["numerics"]["device"] == "cuda"
    assert metrics["numerics"]["arithmetic"] == "bfloat16"


def test_in_a_process_of_its_own(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, tmp_path: Path
) -> None:
    """As the runner starts it: stage and task are pickled, events and metrics come back, the same
    weights come out of two processes, and what transformers prints stays in the log. (Not compared
    with this process: an engine that ran here before keeps its own number of threads.)"""
    data = mixture(toy)
    weights, found = [], []
    for name in ("one", "two"):
        there = context(data, students["qwen"], name)
        task = StepTask(
            step="r/student",
            stage=sft(),
            out=there.out,
            inputs=there.inputs,
            filters={},
            externals={"./student": External("./student", "0", students["qwen"])},
            journal=there.journal,
            log=tmp_path / "student.log",
            workers=1,
            limit=None,
            siblings=(),
        )
        events: list[Event] = []
        found.append(run_in_process(task, events.append, lambda group: None))
        assert [event["facts"]["phase"] for event in events] == ["render"] + ["train"] * 4
        weights.append((there.out / "model.safetensors").read_bytes())
    assert found[0] == found[1]
    assert found[0]["numerics"]["threads"] == 1
    assert json.loads(json.dumps(found[0])) == found[0]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"epochs": 0},
        {"epochs": float("inf")},
        {"learning_rate": float("nan")},
        {"learning_rate": -1},
        {"warmup_share": 1},
        {"batch_size": 8, "micro_batch": 3},
        {"max_length": 1},
        {"over_length": "cut"},
        {"lora": {"rank": 8}},
        {"selective_checkpointing": True},
        {"padding_free": "maybe"},
    ],
)
def test_fields_out_of_range(sft: Build, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        sft(**fields)


def test_what_is_not_identity(
    sft: Build,
) -> None:
    stage = sft(micro_batch=4)
    how = {mark.at[-1] for mark in walk(stage) if isinstance(mark.mark, Execution)}
    assert how == {
        "micro_batch",
        "gradient_checkpointing",
        "dtype",
        "device",
        "attention",
        "kernels",
        "padding_free",
        "selective_checkpointing",
        "offload_activations",
        "checkpoint_every",
        "processes",
        "accelerate",
        "trackers",
    }
    assert (TRAINERS["sft"].kind, Sft.makes, Sft.expensive) == ("sft", "model", True)


def test_importing_the_trainers_is_light() -> None:
    code = (
        "import sys, potstill.train;"
        "heavy = {'torch', 'trl', 'transformers', 'datasets', 'peft', 'vllm'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
