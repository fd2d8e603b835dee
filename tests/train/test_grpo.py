"""The grpo step: what a recipe may say, what is refused, how its counts close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from pydantic import ValidationError

from potstill.filters.format import Format
from potstill.filters.math import MathAnswer
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.filter import CorpusFilter
from potstill.pipeline.references import Execution, UsesFilter, identity_config, walk
from potstill.pipeline.sample import Message, Sample, new_sample
from potstill.pipeline.shards import read_table, shard_files
from potstill.pipeline.stage import Context
from potstill.train import TRAINERS, engine
from potstill.train.grouped import arguments
from potstill.train.grpo import Grpo
from potstill.train.sft import Sft
from potstill.train.students.student import open_student

QUICK = {"data": "mixture", "model": "./student", "max_tokens": 64}


def stage(**fields: Any) -> Grpo:
    return Grpo.model_validate({**QUICK, "rewards": {"math": 1}, **fields})


@pytest.fixture
def asked(
    students: dict[str, Path],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
) -> Callable[..., Context]:
    def make(samples: Sequence[Sample], **filters: Any) -> Context:
        made = context(mixture(samples), students["qwen"])
        return replace(made, filters=filters or {"math": MathAnswer()})

    return make


def prepared(given: Context, step: Grpo) -> Any:
    return step.prepare(given, open_student(given.path("./student"), "./student"))


def sums(count: int, **fields: Any) -> list[Sample]:
    return [
        new_sample((Message("user", f"{a} + 2 = ?"),), answer="3", **fields) for a in range(count)
    ]


def test_it_is_a_step_with_filters_as_rewards() -> None:
    step = stage(rewards={"math": 1, "format": 0.2, "judge": {"weight": 0.5, "tasks": ["general"]}})
    assert (TRAINERS["grpo"], Grpo.makes, Grpo.expensive) == (Grpo, "model", True)
    names = [mark.value for mark in walk(step) if isinstance(mark.mark, UsesFilter)]
    assert names == ["math", "format", "judge"]
    assert identity_config(step, str)["rewards"] == {
        "math": {"weight": 1.0, "required": True, "tasks": None},
        "format": {"weight": 0.2, "required": True, "tasks": None},
        "judge": {"weight": 0.5, "required": True, "tasks": ["general"]},
    }


def test_only_the_engine_is_more_execution_than_sft_has() -> None:
    def how(step: Any) -> set[str]:
        return {str(mark.at[-1]) for mark in walk(step) if isinstance(mark.mark, Execution)}

    own = how(stage()) - how(Sft(data="mixture", model="./student"))
    assert own == {"engine", "gpu_memory_utilization"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rewards": {}}, "at least 1 item"),
        ({"rewards": {"math": 0}}, "greater than 0"),
        ({"rewards": {"math": "high"}}, "valid dictionary"),
        ({"rewards": {"math": {"weight": 1, "tasks": []}}}, "at least 1 item"),
        ({"completions": 1}, "greater than or equal to 2"),
        ({"batch_size": 60}, "multiple of completions 8 times processes 1: 8"),
        ({"batch_size": 64, "completions": 16, "processes": 8}, "16 times processes 8: 128"),
        ({"batch_size": 64, "micro_batch": 48}, "multiple of micro_batch 48"),
        ({"top_p": 0}, "greater than 0"),
        ({"dynamic_sampling": {"max_rounds": 0}}, "greater than or equal to 1"),
        ({"dynamic_sampling": {"rounds": 3}}, "Extra inputs"),
        ({"save_samples": -1}, "greater than or equal to 0"),
        ({"loss_type": "ppo"}, "'grpo', 'dr_grpo', 'dapo'"),
    ],
)
def test_fields_out_of_range(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        stage(**fields)


def test_every_row_is_a_problem_or_left_out(asked: Callable[..., Context]) -> None:
    turns = (Message("user", "0 + 2 = ?"),)
    samples = [
        *sums(3),
        new_sample(turns, completion="<think>\n2\n</think>\n2", answer="2"),  # asked above
        new_sample((Message("user", "say <|im_end|>"),), answer="1"),
        new_sample((Message("tool", "1 + 1"),), answer="2"),
        new_sample((Message("user", "1 + 1 = ? " * 60),), answer="2"),
    ]
    given = asked(samples)
    found = prepared(given, stage(over_length="drop"))
    reasons = {"same_problem": 1, "special_token_in_text": 1, "unknown_role": 1, "too_long": 1}
    assert found.metrics["in"] == 7
    assert found.metrics["problems"] == found.table.num_rows == 3
    assert found.metrics["left_out"] == dict(sorted(reasons.items()))
    rows = read_table(shard_files(given.out / "left_out")).to_pylist()
    assert [row["reason"] for row in rows] == list(reasons)
    first, *_ = found.table.to_pylist()
    assert first["completion"] is None
    assert first["prefill"] == ""


class Whole(CorpusFilter):
    kind: ClassVar[str] = "whole"
    reasons: ClassVar[frozenset[str]] = frozenset({"seen"})

    def judge_all(self, samples: Any, context: Any) -> Any:
        return samples


PARTS = {"math": {"weight": 1, "tasks": ["math"]}, "format": {"weight": 1, "tasks": ["code"]}}


def test_a_problem_that_nothing_judges_is_refused_before_the_training(
    asked: Callable[..., Context],
) -> None:
    samples = [*sums(2, task="math"), *sums(2, task="poem")[1:], *sums(5, task="letter")[3:]]
    given = asked(samples, math=MathAnswer(), format=Format())
    with pytest.raises(RequestError, match=r"judges 2 of task 'letter'\. Give a part these tasks"):
        prepared(given, stage(rewards=PARTS))


@pytest.mark.parametrize(
    ("samples", "fields", "message"),
    [
        (
            sums(3),
            {"max_tokens": 250},
            r"3 of 3 prompts .* 256 positions .* Set max_tokens: \d+ or less",
        ),
        (sums(1), {"max_tokens": 300}, "of 1 prompts leave no room"),
        ([new_sample((Message("tool", "?"),))], {}, r"no row of 'mixture' can be asked: 1 rows"),
    ],
)
def test_refused_data(
    asked: Callable[..., Context], samples: list[Sample], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        prepared(asked(samples), stage(**fields))


def test_a_filter_over_whole_datasets_is_no_reward(asked: Callable[..., Context]) -> None:
    with pytest.raises(RequestError, match=r"reward 'math' \(whole\) judges whole datasets"):
        prepared(asked(sums(8), math=Whole()), stage())


def test_new_tokens_are_for_sft(asked: Callable[..., Context]) -> None:
    given = asked(sums(2))
    step = stage(add_tokens=["<plan>"])
    student = open_student(given.path("./student"), "./student", step)
    with pytest.raises(RequestError, match=r"new tokens <plan>.*sft first"):
        step.prepare(given, student)


@pytest.mark.parametrize(
    ("wish", "device", "installed", "expected"),
    [
        ("auto", "cuda", True, "vllm"),
        ("auto", "cuda", False, "transformers"),
        ("auto", "cpu", True, "transformers"),
        ("vllm", "cuda", True, "vllm"),
        ("transformers", "cuda", True, "transformers"),
        ("vllm", "cpu", True, "the training runs on cpu"),
        ("vllm", "cuda", False, "vllm is not installed"),
    ],
)
def test_who_writes(
    monkeypatch: pytest.MonkeyPatch, wish: str, device: str, installed: bool, expected: str
) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda name: name if installed else None)
    if " " in expected:
        with pytest.raises(RequestError, match=expected):
            engine.choose_engine(wish, device)
    else:
        assert engine.choose_engine(wish, device) == expected


def test_what_trl_is_told(asked: Callable[..., Context]) -> None:
    """As far as it can be checked without a GPU: the config that a training there would have."""
    from trl import GRPOConfig

    from potstill.train.running.bench import Bench
    from potstill.train.running.numerics import Numerics

    given = asked(sums(4))
    student = open_student(given.path("./student"), "./student")
    step = stage(micro_batch=16, updates_per_generation=4, epsilon_high=0.28, loss_type="grpo")
    rows = step.prepare(given, student).table
    longest = max(len(ids) for ids in rows["prompt_ids"].to_pylist())
    for device in ("cuda", "cpu"):
        numerics = Numerics(device, "float32", "float32", 1, 1)
        bench = Bench(step, given, student, numerics, rows, given.state, main=True)
        told = bench.arguments(**arguments.group_arguments(step, bench))
        vllm = {name: value for name, value in told.items() if "vllm" in name}
        if device == "cpu":
            assert vllm == {"use_vllm": False}
            continue
        assert vllm == {
            "use_vllm": True,
            "vllm_mode": "colocate",
            "vllm_gpu_memory_utilization": 0.3,
            "vllm_max_model_length": longest + 64,
        }
        ends = {student.end_of_turn, student.tokenizer.eos_token_id}
        assert told["generation_kwargs"] == {"stop_token_ids": sorted(ends)}
        config = GRPOConfig(**{**told, "use_cpu": True})
        assert (config.per_device_train_batch_size, config.gradient_accumulation_steps) == (16, 4)
        assert (config.generation_batch_size, config.steps_per_generation) == (256, 16)
        assert (config.epsilon, config.epsilon_high, config.beta) == (0.2, 0.28, 0.001)
        assert config.learning_rate == 1e-6


def test_problems_that_fill_no_generation_are_asked_again(asked: Callable[..., Context]) -> None:
    """Two problems where a generation has four: both are asked twice, none is left out."""
    given = asked(sums(2), one=Format())
    step = stage(
        rewards={"one": 1},
        batch_size=8,
        completions=2,
        max_tokens=4,
        max_steps=1,
        save_samples="all",
    )
    metrics = step.run(given)
    assert metrics["samples"] == 8
    table: pa.Table = read_table(shard_files(given.out / "samples"))
    assert sorted(table["prompt_id"].value_counts().field("counts").to_pylist()) == [4, 4]


@pytest.mark.parametrize(
    ("rounds", "vllm", "refused"),
    [(None, False, False), ({}, True, False), ({}, False, True)],
)
def test_pieces_of_a_model_are_asked_equally_often(rounds: Any, vllm: bool, refused: bool) -> None:
    """FSDP cannot be reached without GPUs: what is refused there, with a trainer that has it."""
    trainer = SimpleNamespace(is_fsdp_enabled=True, is_deepspeed_enabled=False, use_vllm=vllm)
    expected = pytest.raises(RequestError, match="engine: vllm") if refused else nullcontext()
    with expected:
        stage(dynamic_sampling=rounds)._refuse_pieces(trainer)
