"""Tokens that a base lacks are given, trained, saved and found again, with all weights and LoRA."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from potstill.models.chat import encode, load_tokenizer
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.settings import TrainingSettings
from potstill.train.sft import Sft
from potstill.train.students.loading import load_weights
from potstill.train.students.student import open_student

MakeBase = Callable[..., Path]
Build = Callable[..., Sft]
Mix = Callable[..., Artifact]
Make = Callable[..., Context]

TAGS = ("<think>", "</think>")
GIVEN: dict[str, Any] = {"add_tokens": TAGS, "learning_rate": 2e-2, "epochs": 2}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("lora", [None, {"r": 4}])
def test_trained_and_saved_in_agreement(
    base: MakeBase,
    sft: Build,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    tied: bool,
    lora: dict[str, Any] | None,
) -> None:
    """The base has no template either: it is given its family's, tokens and padding included."""
    from transformers import AutoModelForCausalLM

    folder = base(tied=tied)
    given = context(mixture(toy), folder)
    metrics = sft(lora=lora, **GIVEN).run(given)
    assert metrics["loss_last"] < metrics["loss_first"]

    tokenizer = load_tokenizer(given.out)
    rows = metrics["student"]["embeddings"]
    config, generation = (
        json.loads((given.out / name).read_text())
        for name in ("config.json", "generation_config.json")
    )
    end, old_end = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    assert (config["vocab_size"], tokenizer.eos_token_id) == (rows, end)
    assert generation["eos_token_id"] == config["eos_token_id"] == [end, old_end]
    assert generation["pad_token_id"] == config["pad_token_id"] == tokenizer.pad_token_id
    tags = [encode(tokenizer, tag) for tag in TAGS]
    assert [len(ids) for ids in tags] == [1, 1]
    assert metrics["student"]["new_tokens"] == list(TAGS)
    text = "".join(file.read_text() for file in given.out.glob("*.json"))
    assert str(folder) not in text

    before = load_weights(
        open_student(folder, "./student", TrainingSettings(add_tokens=TAGS)), "float32"
    )
    after = AutoModelForCausalLM.from_pretrained(given.out)
    for each in ("get_input_embeddings", "get_output_embeddings"):
        old, new = getattr(before, each)().weight, getattr(after, each)().weight
        assert len(new) == rows
        moved = set((new - old).abs().amax(dim=1).nonzero().flatten().tolist())
        assert {tags[0][0], tags[1][0]} <= moved
        if lora:  # nothing but them and the control tokens of the template that was given
            assert moved <= {*tags[0], *tags[1], end, *encode(tokenizer, "<|im_start|>")}


@pytest.mark.parametrize("tied", [True, False])
def test_an_adapter_with_new_tokens_equals_the_merged_model(
    base: MakeBase, sft: Build, toy: list[Sample], mixture: Mix, context: Make, tied: bool
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = base(tied=tied)
    given = context(mixture(toy), folder)
    sft(lora={"r": 4}, **GIVEN).run(given)
    student = open_student(folder, "./student", TrainingSettings(add_tokens=TAGS))
    tokens = torch.arange(5, student.vocabulary)[None, :200]
    with torch.no_grad():
        grown = load_weights(student, "float32")
        adapted = PeftModel.from_pretrained(grown, given.out / "adapter")(tokens).logits
        merged = AutoModelForCausalLM.from_pretrained(given.out)(tokens).logits
    torch.testing.assert_close(merged, adapted, rtol=1e-4, atol=1e-4)


class Killed(Exception):
    """Stands for a power cut between two steps."""


@pytest.mark.parametrize("lora", [None, {"r": 4}])
def test_goes_on_from_a_checkpoint(
    base: MakeBase,
    sft: Build,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    lora: dict[str, Any] | None,
) -> None:
    """With a grown vocabulary: the same weights as without a break."""

    def die(event: Event) -> None:
        if event.get("facts", {}).get("phase") == "train" and event["done"] == 5:
            raise Killed

    data, folder = mixture(toy), base()
    stage = sft(lora=lora, checkpoint_every=2, **GIVEN)
    whole, broken = (context(data, folder, name) for name in ("whole", "broken"))
    stage.run(whole)
    with pytest.raises(Killed):
        stage.run(replace(broken, progress=Progress(die)))
    shutil.rmtree(broken.out)
    broken.out.mkdir()
    stage.run(broken)
    names = ["model.safetensors", "tokenizer.json", "log/steps.jsonl"]
    for name in [*names, "adapter/adapter_model.safetensors"] if lora else names:
        assert (whole.out / name).read_bytes() == (broken.out / name).read_bytes(), name


def test_an_adapter_alone_cannot_carry_them(
    base: MakeBase, sft: Build, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    stage = sft(add_tokens=TAGS, lora={"save": "adapter"})
    with pytest.raises(RequestError, match=r"embeddings of .*<think>, </think>.*save: merged"):
        stage.run(context(mixture(toy[:8]), base()))
