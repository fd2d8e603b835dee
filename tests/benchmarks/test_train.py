"""The benchmark of training: its arithmetic, its rows, and the whole of it with a tiny shape."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl", reason="the train extra is not installed")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import training_work

    return training_work


def test_the_shape_is_that_of_qwen(work: Any) -> None:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    with torch.device("meta"):
        model = Qwen2ForCausalLM(Qwen2Config(**work.SHAPES["qwen2.5-1.5b"].config))
    assert model.num_parameters() == 1_543_714_304  # as its model card says: 1.54 billion


@pytest.mark.parametrize("tied", [True, False])
def test_flops_are_those_that_torch_counts(work: Any, tied: bool) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(**{**work.SHAPES["tiny"].config, "tie_word_embeddings": tied})
    model = Qwen2ForCausalLM._from_config(config, attn_implementation="eager")
    length = 128
    ids = torch.arange(length)[None]
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    told = work.training_flops(config, model.num_parameters(), [length])
    # torch counts both halves of the square that the causal mask cuts in two.
    square = config.num_hidden_layers * config.hidden_size * length**2
    assert counter.get_total_flops() - 12 * square == pytest.approx(told - 6 * square, rel=0.01)


def test_rows_are_as_uneven_as_reasoning(work: Any) -> None:
    rows = work.made_rows(8000, 8192, 512)
    lengths = np.asarray(rows["input_ids"].combine_chunks().value_lengths())
    assert lengths.mean() == pytest.approx(6700 / 4, rel=0.05)
    assert lengths.max() == 8192
    shares = [lengths.sum() / (lengths.reshape(-1, n).max(1) * n).sum() for n in (2, 4, 8)]
    assert shares == pytest.approx([0.70, 0.52, 0.40], abs=0.02)


@pytest.mark.parametrize(
    ("device", "peak"),
    [("NVIDIA H100 80GB HBM3", 989e12), ("NVIDIA H100 PCIe", 756e12), ("NVIDIA T4", None)],
)
def test_peak_of_a_device(work: Any, device: str, peak: float | None) -> None:
    assert work.peak_flops(device) == peak


@pytest.mark.slow
def test_a_tiny_run() -> None:
    command = [sys.executable, str(BENCHMARKS / "train.py"), "--shape", "tiny", "--json"]
    size = ["--steps", "4", "--batch", "8", "--micro-batch", "4", "--device", "cpu"]
    variants = ["plain_trl", "potstill_packed"]
    done = subprocess.run([*command, *size, *variants], check=True, capture_output=True, text=True)
    environment, *rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert environment["device"] == "cpu"
    found = {row["variant"]: row for row in rows}
    assert list(found) == variants
    for name, row in found.items():
        assert row["useful_tokens_per_s"] == pytest.approx(
            row["tokens_per_s"] * (1 - row["padding"])
        )
        assert (row["padding"] > 0) is (name == "plain_trl")
        assert row["mfu"] is None  # nobody told the peak of this device
        assert row["times_plain"] > 0
