"""Packed rows: nothing is lost, and each is computed as if it were alone."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from potstill.pipeline.errors import RequestError
from potstill.train.rows.examples import EXAMPLE_SCHEMA
from potstill.train.rows.isolation import LEAK, leak, refuse_leaks
from potstill.train.rows.packing import pack, packing_metrics

pytest.importorskip("trl", reason="the train extra is not installed")

Model = Callable[..., Any]
Rows = list[dict[str, list[int]]]
ISOLATING = ("Qwen2", "Llama", "Qwen3", "Mistral", "DeepseekV3")


def packed_rows(rows: Rows, length: int) -> list[dict[str, Any]]:
    packs: list[dict[str, Any]] = pack(
        pa.Table.from_pylist(rows, schema=EXAMPLE_SCHEMA), length
    ).to_pylist()
    return packs


def unpacked(packs: list[dict[str, Any]]) -> Rows:
    found = []
    for each in packs:
        at = 0
        for length in each["seq_lengths"]:
            columns = ("input_ids", "labels")
            found.append({name: each[name][at : at + length] for name in columns})
            at += length
        assert at == len(each["input_ids"])
    return found


def collated(rows: list[dict[str, Any]], *, flat: bool) -> dict[str, Any]:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    batch: dict[str, Any] = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=flat)(rows)
    # As trl does: with a cache, transformers does not look for borders at all.
    return {**batch, "use_cache": False}


@pytest.mark.parametrize("length", [40, 64, 163, 1000])
def test_nothing_is_cut_or_lost(rows: Rows, length: int) -> None:
    packs = packed_rows(rows, length)
    assert all(len(each["input_ids"]) == len(each["labels"]) <= length for each in packs)
    assert sorted(map(str, unpacked(packs))) == sorted(map(str, rows))
    tokens = sum(len(row["input_ids"]) for row in rows)
    told = packing_metrics(pa.Table.from_pylist(packs), length)
    expected = {40: 5, 64: 3, 163: 1, 1000: 1}[length]
    assert told == {
        "packs": expected,
        "pack_length": length,
        "fill": pytest.approx(tokens / (expected * length)),
    }


def test_packs_of_many_batches(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("potstill.train.rows.packing.ROWS_AT_ONCE", 2)
    packs = packed_rows(rows * 3, 64)
    assert sorted(map(str, unpacked(packs))) == sorted(map(str, rows * 3))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", ISOLATING)
def test_logits_of_a_packed_row_are_those_of_the_row_alone(
    model: Model, rows: Rows, family: str, attention: str
) -> None:
    import torch

    net = model(family, attention)
    packs = packed_rows(rows, 64)
    largest_mixed = 0.0
    for each in packs:
        batch = collated([each], flat=True)
        del batch["labels"]
        with torch.no_grad():
            packed = net(**batch).logits[0]
            mixed = net(input_ids=batch["input_ids"]).logits[0]  # the control: no borders
        at = 0
        for length in each["seq_lengths"]:
            place = slice(at, at + length)
            with torch.no_grad():
                alone = net(input_ids=batch["input_ids"][:, place]).logits[0]
            torch.testing.assert_close(packed[place], alone, rtol=0, atol=2e-5)
            if at:
                largest_mixed = max(largest_mixed, float((mixed[place] - alone).abs().max()))
            at += length
    assert largest_mixed > 1  # so the tolerance above says something


@pytest.mark.parametrize("family", ["Qwen2", "DeepseekV3"])
def test_loss_and_gradients_are_those_of_padded_rows(model: Model, rows: Rows, family: str) -> None:
    """Of the same rows, and per token: what a step learns from them does not change."""
    import torch

    found = {}
    for name, given, flat in (
        ("padded", rows, False),
        ("padding_free", rows, True),
        ("packed", packed_rows(rows, 64), True),
    ):
        net = model(family)
        count = sum(len(row["labels"]) - row["labels"].count(-100) for row in rows)
        loss = net(**collated(given, flat=flat), num_items_in_batch=count).loss
        loss.backward()
        found[name] = (loss.detach(), [p.grad for p in net.parameters() if p.grad is not None])
    torch.testing.assert_close(found["padding_free"], found["padded"], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found["packed"], found["padded"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", ISOLATING)
def test_the_check_before_training_finds_no_leak(
    model: Model, family: str, attention: str, dtype: str
) -> None:
    net = model(family, attention, dtype)
    assert leak(net) < LEAK[dtype] / 10
    refuse_leaks(net, dtype)
    assert not net.training


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_check_before_training_finds_a_leak(model: Model, dtype: str) -> None:
    """A state space model hands its state on from row to row unless a kernel is told not to."""
    net = model("Mamba2", "eager", dtype).train()
    with pytest.raises(RequestError, match=r"see each other: mamba2 .*packing: false"):
        refuse_leaks(net, dtype)
    assert net.training
