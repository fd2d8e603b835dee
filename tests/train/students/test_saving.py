"""Folders of models, in and out: whole, servable, and nothing of this machine in them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
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
    with pytest.raises(RequestError, match="cannot be loaded as a model"):
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


@pytest.mark.slow
@pytest.mark.skipif(find_spec("vllm") is None, reason="vllm is not installed")
def test_vllm_serves_a_student_of_a_student(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    """Full training, then LoRA on top of its folder: vLLM loads the merged result, says what was
    learnt last and stops at the end of turn by itself."""
    first = context(mixture(toy), students["llama"], "first")
    sft(epochs=40, learning_rate=6e-3, warmup_share=0.1).run(first)
    final = [replace(row, completion=f"{row.completion} Sure.") for row in toy]
    second = context(mixture(final), first.out, "second")
    metrics = sft(epochs=15, learning_rate=6e-3, lora={}).run(second)
    assert metrics["loss_last"] < 0.1

    environment = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(second.out), toy[3].question],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer == {"text": final[3].completion, "why": "stop"}


SERVE = """
import json, sys
from vllm import LLM, SamplingParams
llm = LLM(sys.argv[1], dtype="float32", enforce_eager=True, enable_chunked_prefill=False,
          max_num_batched_tokens=512, max_model_len=256)
turns = [{"role": "user", "content": sys.argv[2]}]
params = SamplingParams(temperature=0, max_tokens=100)
made = llm.chat(turns, params)[0].outputs[0]
print()
print(json.dumps({"text": made.text, "why": made.finish_reason}))
"""


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
