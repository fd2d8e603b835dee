"""Folders of models, in and out: whole, servable, and nothing of this machine in them."""

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from potstill.models.chat import end_of_turn_id, load_tokenizer
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.sft import Sft

Students = dict[str, Path]
Build = Callable[..., Sft]
Mix = Callable[..., Artifact]
Make = Callable[..., Context]


def test_lora_merged_equals_adapter(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    given = context(mixture(toy), students["qwen"])
    metrics = sft(lora={"r": 4, "alpha": 8}, epochs=3, learning_rate=2e-2).run(given)
    assert metrics["loss_last"] < metrics["loss_first"]
    assert 0 < metrics["trained_parameters"] < metrics["parameters"] / 2

    tokens = torch.arange(5, 60)[None]
    with torch.no_grad():
        base = AutoModelForCausalLM.from_pretrained(students["qwen"])
        before = base(tokens).logits
        adapted = PeftModel.from_pretrained(base, given.out / "adapter")(tokens).logits
        merged = AutoModelForCausalLM.from_pretrained(given.out)(tokens).logits
    torch.testing.assert_close(merged, adapted, rtol=1e-4, atol=1e-4)
    assert (merged - before).abs().max() > 0.1

    config = json.loads((given.out / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "student"
    assert config["target_modules"] == sorted(config["target_modules"])
    assert "q_proj" in config["target_modules"]
    files = {file.name for file in (given.out / "adapter").iterdir()}
    assert files == {"adapter_config.json", "adapter_model.safetensors"}


def test_the_students_files_are_kept(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, tmp_path: Path
) -> None:
    """Tokenizer files byte by byte; sampling defaults kept though transformers refuses to save
    such a file; the end of turn is what generation stops at."""
    student = tmp_path / "copy"
    shutil.copytree(students["qwen"], student)
    (student / "generation_config.json").write_text('{"temperature": 0.6, "eos_token_id": 5}')
    (student / "LICENSE").write_text("free")
    given = context(mixture(toy[:8]), student)
    sft().run(given)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "LICENSE"):
        assert (given.out / name).read_bytes() == (student / name).read_bytes()
    end = end_of_turn_id(load_tokenizer(student))
    config = json.loads((given.out / "generation_config.json").read_text())
    assert config == {"temperature": 0.6, "eos_token_id": [end, 5]}
    assert json.loads((given.out / "config.json").read_text())["use_cache"] is True


def test_students_that_cannot_be_used(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    def broken(name: str) -> Path:
        return Path(shutil.copytree(students["qwen"], tmp_path / f"student-{name}"))

    data = mixture(toy[:8])
    no_weights = broken("no_weights")
    (no_weights / "model.safetensors").rename(no_weights / "pytorch_model.bin")
    with pytest.raises(RequestError, match="weights as a pickle"):
        sft().run(context(data, no_weights, "a"))

    partial = broken("partial")
    tensors = load_file(partial / "model.safetensors")
    del tensors["model.layers.0.mlp.up_proj.weight"]
    save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RequestError, match=r"1 tensors, among them model.layers.0.mlp.up_proj"):
        sft().run(context(data, partial, "b"))

    cut = broken("cut")
    weights = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(RequestError, match="cannot be loaded as a model"):
        sft().run(context(data, cut, "c"))


def test_an_adapter_alone(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    """Adapter, tokenizer and template, nothing of the base; the same adapter as beside a merged
    model; no later step can start from it."""
    data = mixture(toy)
    merged, alone = (context(data, students["qwen"], name) for name in ("merged", "alone"))
    sft(lora={"r": 4}).run(merged)
    sft(lora={"r": 4, "save": "adapter"}).run(alone)
    names = {file.name for file in alone.out.iterdir() if file.is_file()}
    assert names == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        assert (alone.out / name).read_bytes() == (merged.out / "adapter" / name).read_bytes()
    with pytest.raises(RequestError, match=r"a LoRA adapter \(of 'student'\).*save: merged"):
        sft().run(context(data, alone.out, "next"))


@pytest.mark.parametrize("lora", [None, {}])
def test_bfloat16(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, lora: Any
) -> None:
    """The arithmetic of a GPU, on the CPU: trains, and is saved in the dtype it was trained in."""
    from safetensors.torch import load_file

    given = context(mixture(toy), students["qwen"])
    stage = sft(dtype="bfloat16", epochs=4, learning_rate=6e-3, lora=lora)
    metrics = stage.run(given)
    assert metrics["loss_last"] < metrics["loss_first"]
    assert metrics["numerics"]["arithmetic"] == metrics["numerics"]["weights"] == "bfloat16"
    tensors = load_file(given.out / "model.safetensors")
    assert {str(tensor.dtype) for tensor in tensors.values()} == {"torch.bfloat16"}
    assert json.loads((given.out / "config.json").read_text())["dtype"] == "bfloat16"


@pytest.mark.gpu
def test_qlora(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    """The base is rounded while it is trained and whole again when it is saved."""
    import torch
    from safetensors.torch import load_file

    if not torch.cuda.is_available() or find_spec("bitsandbytes") is None:
        pytest.skip("no GPU or no bitsandbytes here")
    given = context(mixture(toy), students["qwen"])
    metrics = sft(lora={"quantize": "4bit"}, epochs=4, learning_rate=2e-2).run(given)
    assert metrics["loss_last"] < metrics["loss_first"]
    before = load_file(students["qwen"] / "model.safetensors")
    after = load_file(given.out / "model.safetensors")
    assert before.keys() == after.keys()
    assert {str(tensor.dtype) for tensor in after.values()} == {"torch.bfloat16"}
    norm = "model.norm.weight"  # no adapter is on it
    assert torch.equal(after[norm], before[norm].to(torch.bfloat16))


def test_qlora_without_a_gpu(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(RequestError, match=r"4bit needs .*a GPU that torch sees.*quantize"):
        sft(lora={"quantize": "4bit"}).run(context(mixture(toy[:8]), students["qwen"]))
