"""What a recipe may hand to vLLM, and what it becomes on a command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from potstill.models.engine_args import (
    OWNED,
    as_flags,
    complete,
    refuse_data_parallel,
    refuse_latent_attention,
)
from potstill.pipeline.errors import RequestError

KNOWN = ["dtype", "max_num_seqs", "max_num_batched_tokens", "enable_chunked_prefill", *OWNED]


def test_on_the_cpu_what_works_there_is_added_and_may_be_overridden() -> None:
    made = complete({"max_num_seqs": 8, "dtype": "bfloat16"}, KNOWN, 100, on_cpu=True)
    assert made == {
        "dtype": "bfloat16",
        "enforce_eager": True,
        "enable_chunked_prefill": False,
        "max_num_seqs": 8,
    }
    assert complete({"max_num_seqs": 8}, KNOWN, 100, on_cpu=False) == {"max_num_seqs": 8}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_num_seq": 8}, "did you mean 'max_num_seqs'"),
        ({"_api_process_count": 2}, "no engine argument"),
        ({"max_model_len": 8}, "use the field `context`"),
        ({"seed": 8}, "sampling.seed"),
        ({"trust_remote_code": True}, "never run"),
        ({"hf_overrides": {"rope_theta": 1}}, "only its content"),
        ({"enable_chunked_prefill": True}, "seeded request"),
        ({"max_num_batched_tokens": 99}, "must fit into one step"),
    ],
)
def test_what_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        complete(given, [*KNOWN, "_api_process_count"], 100, on_cpu=True)


def test_chunks_are_a_matter_of_the_cpu() -> None:
    given = {"enable_chunked_prefill": True, "max_num_batched_tokens": 99}
    assert complete(given, KNOWN, 100, on_cpu=False) == given


def test_one_process_holds_one_engine() -> None:
    refuse_data_parallel({})
    refuse_data_parallel({"data_parallel_size": 1})
    with pytest.raises(RequestError, match="vllm-serve"):
        refuse_data_parallel({"data_parallel_size": 2})


def test_arguments_become_flags() -> None:
    given = {
        "enforce_eager": True,
        "enable_prefix_caching": False,
        "max_num_seqs": 8,
        "dtype": "float32",
        "quantization": None,
        "cudagraph_capture_sizes": [1, 2],
        "compilation_config": {"mode": 0},
    }
    assert as_flags(given) == [
        "--enforce-eager",
        "--no-enable-prefix-caching",
        "--max-num-seqs=8",
        "--dtype=float32",
        "--cudagraph-capture-sizes",
        "1",
        "2",
        '--compilation-config={"mode": 0}',
    ]


def test_what_the_cpu_engine_computes_wrongly_is_refused(tmp_path: Path) -> None:
    """DeepSeek's attention, whose rotary kernel is wrong there; nothing else, and not on GPUs."""
    config = {"model_type": "deepseek_v3", "kv_lora_rank": 512}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError, match=r"deepseek_v3.*Set engine: transformers"):
        refuse_latent_attention(tmp_path, on_cpu=True)
    refuse_latent_attention(tmp_path, on_cpu=False)
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    refuse_latent_attention(tmp_path, on_cpu=True)
