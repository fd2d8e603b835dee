"""Rows through a real training: packed, flat, split, with earlier turns, longest first."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from potstill.catalog import CATALOG
from potstill.models.chat import IGNORED, load_tokenizer, render_example
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.plan import make_plan
from potstill.pipeline.progress import Event
from potstill.pipeline.recipe import load_recipe
from potstill.pipeline.sample import Message, Sample, new_sample
from potstill.pipeline.stage import Context
from potstill.train.rows import isolation
from potstill.train.sft import Sft

Students = dict[str, Path]
Build = Callable[..., Sft]
Mix = Callable[..., Artifact]
Make = Callable[..., Context]
Batches = list[dict[str, Any]]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Batches:
    """Every micro-batch that the trainer computes a loss of."""
    from trl import SFTTrainer

    seen: Batches = []
    original = SFTTrainer.compute_loss

    def spy(self: Any, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        seen.append({name: _copy(value) for name, value in inputs.items()})
        return original(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(SFTTrainer, "compute_loss", spy)
    return seen


def _copy(value: Any) -> Any:
    return value.clone() if hasattr(value, "clone") else value


def uneven(toy: list[Sample]) -> list[Sample]:
    """A quarter of the rows thinks far longer than the others."""
    return [
        replace(row, completion=f"<think>\n{'1 + ' * (number % 4 or 26)}1\n</think>\n{row.answer}")
        for number, row in enumerate(toy)
    ]


def borders(batch: dict[str, Any]) -> Iterator[slice]:
    """Where the rows of a flat batch stand."""
    edges = batch["cu_seq_lens_q"].tolist()
    return (slice(*pair) for pair in itertools.pairwise(edges))


def curve(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "log" / "steps.jsonl").open()]


def test_flat_rows_teach_what_padded_ones_teach(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, batches: Batches
) -> None:
    import torch
    from safetensors.torch import load_file

    data = mixture(uneven(toy))
    found = {}
    for name, flat in (("padded", False), ("flat", True)):
        events: list[Event] = []
        given = context(data, students["qwen"], name, events)
        batches.clear()
        fields = {"schedule": "constant", "micro_batch": 4, "longest_first": False}
        sft(**fields, padding_free=flat).run(given)
        assert all(("attention_mask" in batch) is not flat for batch in batches)
        told = [event["text"] for event in events if event["event"] == "note"]
        assert [bool(re.match(r"padding is \d\d% of all", text)) for text in told] == [True] * (
            not flat
        )
        found[name] = (curve(given.out), load_file(given.out / "model.safetensors"))
    assert found["flat"][0] == pytest.approx(found["padded"][0], rel=1e-4)
    torch.testing.assert_close(found["flat"][1], found["padded"][1], rtol=1e-2, atol=1e-4)


def test_packed_rows_reach_the_trainer_whole(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, batches: Batches
) -> None:
    rows = uneven(toy)
    given = context(mixture(rows), students["qwen"])
    metrics = sft(packing=True, batch_size=2, micro_batch=1).run(given)

    packs, fill = metrics["packs"], metrics["fill"]
    assert metrics["pack_length"] == 128
    assert metrics["examples"] == len(rows)
    assert packs < len(rows)
    assert fill == pytest.approx(metrics["tokens"] / (packs * 128))
    assert fill > 0.8
    assert metrics["steps"] == -(-packs // 2)

    received = [
        (batch["input_ids"][0, row].tolist(), batch["labels"][0, row].tolist())
        for batch in batches
        for row in borders(batch)
    ]
    tokenizer = load_tokenizer(students["qwen"])
    rendered = [render_example(tokenizer, row.prompt, row.completion) for row in rows]
    assert sorted(received) == sorted((row.token_ids, row.labels) for row in rendered)
    for batch in batches:
        assert batch["input_ids"].shape[1] <= 128
        positions = batch["position_ids"][0]
        assert all(
            positions[row].tolist() == list(range(row.stop - row.start)) for row in borders(batch)
        )


def test_packs_of_the_longest_row_without_a_max_length(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    given = context(mixture(uneven(toy)), students["qwen"])
    metrics = sft(packing=True, max_length=None, max_steps=1).run(given)
    assert metrics["pack_length"] == metrics["longest"]


def test_a_leak_stops_the_training_before_its_first_step(
    sft: Build,
    students: Students,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    monkeypatch: pytest.MonkeyPatch,
    batches: Batches,
) -> None:
    monkeypatch.setattr(isolation, "leak", lambda model: 0.9)
    with pytest.raises(RequestError, match=r"qwen2 with attention sdpa .* by 90.0%"):
        sft(packing=True).run(context(mixture(toy), students["qwen"]))
    assert not batches


def test_the_longest_rows_come_in_the_first_two_steps(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, batches: Batches
) -> None:
    given = context(mixture(uneven(toy)), students["qwen"])
    sft(batch_size=4, micro_batch=2, epochs=2, seed=3).run(given)
    lengths = [[int(mask.sum()) for mask in batch["attention_mask"]] for batch in batches]
    flat = [length for batch in lengths for length in batch]
    first, second = flat[:32], flat[32:]
    assert first[:8] == sorted(flat, reverse=True)[:16:2]  # each row is met in both epochs
    assert sorted(first) == sorted(second)
    assert second[:8] != first[:8]


def test_split_rows_train_every_token_once(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, batches: Batches
) -> None:
    long = [replace(row, completion=f"<think>\n{'1 + ' * 40}1\n</think>\n7") for row in toy[:3]]
    asked = new_sample((Message("user", "1 + " * 60),), completion="<think>\n1\n</think>\n1")
    data = mixture([*long, asked, *toy[3:10]])
    given = context(data, students["qwen"])
    whole = sft(max_length=None).run(context(data, students["qwen"], "whole"))
    batches.clear()
    metrics = sft(max_length=64, over_length="split").run(given)

    assert metrics["left_out"] == {"prompt_too_long": 1}
    pieces = metrics["split"]["pieces"]
    assert metrics["split"]["rows"] == 3
    assert metrics["examples"] == metrics["in"] - 1 - 3 + pieces
    assert metrics["longest"] <= 64
    tokenizer = load_tokenizer(students["qwen"])
    lost = render_example(tokenizer, asked.prompt, asked.completion)
    kept = whole["loss_tokens"] - (len(lost.token_ids) - lost.completion_start)
    assert metrics["loss_tokens"] == kept
    assert sum(int((batch["labels"] != IGNORED).sum()) for batch in batches) == kept


def test_loss_on_all_turns_of_the_assistant(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make, batches: Batches
) -> None:
    talk = [
        replace(
            row,
            prompt=(*row.prompt, Message("assistant", f"It is {row.answer}."), *toy[0].prompt),
            completion=toy[0].completion,
        )
        for row in toy[1:9]
    ]
    given = context(mixture(talk), students["qwen"])
    metrics = sft(loss="assistant").run(given)
    one = sft().run(context(mixture(talk), students["qwen"], "one"))
    tokenizer = load_tokenizer(students["qwen"])
    ids, labels = batches[0]["input_ids"][0], batches[0]["labels"][0]
    said = tokenizer.decode(ids[labels != IGNORED])
    assert re.fullmatch(r"It is \d+\.<\|im_end\|><think>.*<\|im_end\|>", said, re.DOTALL)
    assert metrics["loss_tokens"] > one["loss_tokens"]
    assert metrics["tokens"] == one["tokens"]


def test_a_turn_that_is_not_served_is_left_out(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    silent = (*toy[1].prompt, Message("assistant", ""), *toy[2].prompt)
    data = mixture([replace(toy[2], prompt=silent), *toy[3:11]])
    given = context(data, students["qwen"])
    assert sft(loss="assistant").run(given)["left_out"] == {"turn_not_as_served": 1}
    reasons = pq.read_table(given.out / "left_out")["reason"].to_pylist()
    assert reasons == ["turn_not_as_served"]


def test_one_step_after_another(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    """All data first, then conversation only, from the weights that came out of the first."""
    first = context(mixture(toy), students["qwen"], "first")
    begun = sft(epochs=4).run(first)
    second = context(mixture(toy[:8]), first.out, "second")
    told = sft(epochs=8, learning_rate=1e-3).run(second)
    assert told["loss_first"] < begun["loss_first"] - 1  # it goes on from there
    assert told["loss_last"] < told["loss_first"]
    text = (second.out / "chat_template.jinja").read_text()
    assert text == (students["qwen"] / "chat_template.jinja").read_text()


def test_a_recipe_of_two_trainings(tmp_path: Path, students: Students) -> None:
    file = tmp_path / "stages.yaml"
    file.write_text(
        f"""
potstill: 1
name: stages
steps:
  everything: {{load: {{source: word_problems, rows: 8, seed: 7, languages: [en]}}}}
  talk: {{load: {{source: word_problems, rows: 4, seed: 8, languages: [en]}}}}
  reasons: {{sft: {{data: everything, model: {students["qwen"]}, epochs: 2}}}}
  talks: {{sft: {{data: talk, model: reasons, epochs: 1, learning_rate: 1e-5}}}}
"""
    )
    plan = make_plan(load_recipe(file, CATALOG), tmp_path / "work")
    assert set(plan.node("talks").inputs) == {"talk", "reasons"}
    # More of the first training is another start for the second.
    longer = load_recipe(file, CATALOG, ["steps.reasons.sft.epochs=3"])
    assert make_plan(longer, tmp_path / "work").node("talks").address != plan.node("talks").address


@pytest.mark.parametrize(
    "fields",
    [
        {"dtype": "bfloat16"},
        {"dtype": "bfloat16", "packing": True},
        {"lora": {"r": 8}, "packing": True},
        {"gradient_checkpointing": True, "selective_checkpointing": True},
        {"attention": "eager", "padding_free": True},
    ],
)
def test_ways_to_compute_the_same(
    sft: Build,
    students: Students,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    fields: dict[str, Any],
) -> None:
    data = mixture(toy)
    plain = sft().run(context(data, students["llama"], "plain"))
    other = sft(**fields).run(context(data, students["llama"]))
    if "packing" not in fields:  # packs are other batches
        assert other["loss_first"] == pytest.approx(plain["loss_first"], rel=2e-2)
    assert other["loss_last"] < other["loss_first"]
    assert other["numerics"]["attention"] == fields.get("attention", "sdpa")


def test_offloading_needs_a_gpu(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    with pytest.raises(RequestError, match="runs on the CPU"):
        sft(offload_activations=True, device="cpu").run(context(mixture(toy), students["qwen"]))
