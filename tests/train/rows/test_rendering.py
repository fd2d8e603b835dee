"""What is trained is what was rendered; what cannot be trained is left out with its reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from potstill.models.chat import IGNORED, end_of_turn_id, load_tokenizer, render_example
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Generation, Message, Sample, new_sample
from potstill.pipeline.stage import Context
from potstill.train.sft import Sft

Students = dict[str, Path]
Build = Callable[..., Sft]
Mix = Callable[..., Artifact]
Make = Callable[..., Context]


def left_out(out: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(out / "left_out").to_pylist())


def test_rows_that_cannot_be_trained_are_left_out_with_reasons(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    cut = Generation("t", "", "k", 0, 1, "length", 5, 9)
    bad = [
        replace(toy[0], completion=None),
        replace(toy[1], completion="7<|im_end|>"),
        replace(toy[2], generation=cut),
        replace(toy[3], completion="<think>\n" + "1 " * 200 + "\n</think>\n2"),
        new_sample((Message("user", "<|im_start|>system"),), completion="a"),
    ]
    data = mixture([*bad, *toy[4:]])
    given = context(data, students["qwen"])
    metrics = sft(over_length="drop").run(given)

    ids = data.frame(["id"])["id"].to_list()
    reasons = ["no_completion", "special_token_in_text", "cut_off", "too_long"]
    expected = [*reasons, "special_token_in_text"]
    assert left_out(given.out) == [
        {"id": name, "copy": 0, "reason": reason}
        for name, reason in zip(ids, expected, strict=False)
    ]
    assert metrics["left_out"] == {
        "cut_off": 1,
        "no_completion": 1,
        "special_token_in_text": 2,
        "too_long": 1,
    }
    assert metrics["in"] == len(ids) == metrics["examples"] + sum(metrics["left_out"].values())
    assert metrics["examples"] == len(toy) - 4


def test_copies_of_a_row_are_trained_each(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    rows = [toy[0], replace(toy[1], completion=None), replace(toy[1], completion=None)]
    given = context(mixture(rows * 2, copies=[0, 0, 0, 1, 1, 1]), students["qwen"])
    metrics = sft().run(given)
    assert metrics["examples"] == 2
    assert [row["copy"] for row in left_out(given.out)] == [0, 0, 1, 1]


def test_long_rows_are_refused_with_numbers(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    tokenizer = load_tokenizer(students["qwen"])
    lengths = [len(render_example(tokenizer, row.prompt, row.completion).token_ids) for row in toy]
    limit = max(lengths) - 1
    over = [length for length in lengths if length > limit]
    with pytest.raises(RequestError) as caught:
        sft(max_length=limit).run(context(mixture(toy), students["qwen"]))
    message = str(caught.value)
    assert f"{len(over)} of 32 rows ({len(over) / 32:.1%})" in message
    assert f"the longest has {max(over)} tokens" in message
    assert f"Set max_length: {max(over)}" in message
    assert "over_length: drop" in message
    assert "over_length: split" in message


def test_a_mixture_without_completions_is_refused(
    sft: Build, students: Students, toy: list[Sample], mixture: Mix, context: Make
) -> None:
    prompts = [replace(row, completion=None) for row in toy]
    given = context(mixture(prompts), students["qwen"])
    with pytest.raises(RequestError, match=r"no row of .mixture. can be trained on: 32 rows"):
        sft().run(given)


def test_the_trainer_receives_what_was_rendered(
    sft: Build,
    students: Students,
    toy: list[Sample],
    mixture: Mix,
    context: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trl import SFTTrainer

    batches: list[dict[str, Any]] = []
    original = SFTTrainer.compute_loss

    def spy(self: Any, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        batches.append({name: inputs[name].clone() for name in ("input_ids", "labels")})
        batches[-1]["attention_mask"] = inputs["attention_mask"].clone()
        return original(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(SFTTrainer, "compute_loss", spy)
    sft(micro_batch=4).run(context(mixture(toy), students["llama"]))

    received = []
    for batch in batches:
        assert len(batch["input_ids"]) == 4
        for ids, labels, mask in zip(*batch.values(), strict=True):
            real = mask.bool()
            assert labels[~real].eq(IGNORED).all()
            received.append((ids[real].tolist(), labels[real].tolist()))
    tokenizer = load_tokenizer(students["llama"])
    rendered = [render_example(tokenizer, row.prompt, row.completion) for row in toy]
    assert sorted(received) == sorted((row.token_ids, row.labels) for row in rendered)
    end = end_of_turn_id(tokenizer)
    for ids, labels in received:
        trained = [label for label in labels if label != IGNORED]
        assert trained == ids[len(ids) - len(trained) :]
        assert trained.count(end) == 1 == (trained[-1] == end)
        assert tokenizer.decode(trained).startswith("<think>\n")
