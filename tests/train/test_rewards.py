"""The reward for trl: sums of scores, unknown parts, columns, cut completions, and trl itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import pytest
from toys import InProcess

from potstill.filters.format import Format
from potstill.filters.math import MathAnswer
from potstill.pipeline.errors import RequestError
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Message, Sample, new_sample
from potstill.pipeline.verdict import Verdict
from potstill.train.rewards import Part, open_reward


class Says(InProcess):
    """The score that stands in the completion after its name; nothing there is unknown."""

    kind: ClassVar[str] = "says"
    reasons: ClassVar[frozenset[str]] = frozenset({"said", "silent"})
    name: str

    def judge_one(self, sample: Sample) -> Verdict:
        for word in (sample.completion or "").split():
            name, _, score = word.partition("=")
            if name == self.name:
                return Verdict(float(score), "said")
        return Verdict(None, "silent")


def reward_of(*completions: str, **parts: Part) -> list[float | None]:
    with open_reward(parts, JudgeContext()) as reward:
        return reward([""] * len(completions), completions)


A, B = Says(name="a"), Says(name="b")


@pytest.mark.parametrize(
    ("completion", "a", "b", "expected"),
    [
        ("a=1 b=1", Part(A), Part(B, 0.5), 1.5),
        ("a=1 b=0", Part(A), Part(B, 0.5), 1.0),
        ("a=0.5 b=0.2", Part(A, 2.0), Part(B, 0.5), 1.1),
        ("b=1", Part(A), Part(B), None),  # a required part is unknown
        ("a=1", Part(A), Part(B, 0.5, required=False), 1.5),  # its weight goes to what is known
        ("a=0", Part(A), Part(B, 0.5, required=False), 0.0),
        ("", Part(A, required=False), Part(B, required=False), None),
    ],
)
def test_the_sum(completion: str, a: Part, b: Part, expected: float | None) -> None:
    (found,) = reward_of(completion, a=a, b=b)
    assert found == (None if expected is None else pytest.approx(expected))


def test_chats_columns_prefills_and_cut_completions_reach_the_filters() -> None:
    seen: list[Sample] = []

    class Looks(InProcess):
        kind: ClassVar[str] = "looks"
        reasons: ClassVar[frozenset[str]] = frozenset({"seen"})

        def judge_one(self, sample: Sample) -> Verdict:
            seen.append(sample)
            return Verdict(1.0, "seen")

    with open_reward(
        {"looks": Part(Looks())}, JudgeContext(), ends=[7], prefill="<think>\n"
    ) as reward:
        turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "2+3?"}]
        found = reward(
            [turns, turns],
            [[{"role": "assistant", "content": "five</think>5"}]] * 2,
            completion_ids=[[1, 2, 7], [1, 2, 3]],
            answer=[5, None],
            language=["en", "zh"],
            trainer_state=None,
        )
    assert found == [1.0, 1.0]
    first, second = seen
    assert (first.question, first.completion) == ("2+3?", "<think>\nfive</think>5")
    assert (first.answer, second.answer, second.language) == ("5", None, "zh")
    assert first.generation is not None
    assert second.generation is not None
    assert (first.generation.finish_reason, second.generation.finish_reason) == ("stop", "length")


def test_parts_are_logged_with_their_reasons_and_unknown_is_no_number() -> None:
    columns: dict[str, list[Any]] = {}
    metrics: dict[str, float] = {}
    with open_reward({"a": Part(A), "b": Part(B, required=False)}, JudgeContext()) as reward:
        reward(
            ["", "", ""],
            ["a=1 b=1", "a=0", "b=0"],
            log_extra=columns.__setitem__,
            log_metric=metrics.__setitem__,
        )
    assert columns == {
        "a/score": [1.0, 0.0, None],
        "a/reason": ["said", "said", "silent"],
        "b/score": [1.0, None, 0.0],
        "b/reason": ["said", "silent", "said"],
    }
    assert metrics == {
        "reward_parts/a": 0.5,
        "reward_parts/b": 0.5,
        "reward_parts/sum": 1.0,  # of 2 and 0; the third is unknown
        "reward_parts/unknown": pytest.approx(1 / 3),
    }


MATH_ONLY = frozenset({"math"})


@pytest.mark.parametrize(
    ("task", "completion", "expected"),
    [
        ("math", "a=1 b=1", 1.5),
        ("math", "b=1", None),
        ("general", "a=1 b=1", 0.5),  # a is no part of it: no score, no weight, not unknown
        ("general", "b=1", 0.5),
        ("general", "a=1", None),
    ],
)
def test_parts_for_some_tasks_only(task: str, completion: str, expected: float | None) -> None:
    parts = {"a": Part(A, tasks=MATH_ONLY), "b": Part(B, 0.5)}
    asked = new_sample((Message("user", "?"),), completion=completion, task=task)
    with open_reward(parts, JudgeContext()) as reward:
        (judged,) = reward.judge([asked])
        assert reward([""], [completion], task=[task]) == [judged.reward]
    assert judged.reward == expected
    assert set(judged.verdicts) == ({"a", "b"} if task == "math" else {"b"})


@pytest.mark.parametrize("parts", [{}, {"a": Part(A, 0.0)}, {"a": Part(A), "b": Part(B, -1.0)}])
def test_a_reward_needs_parts_with_weights(parts: dict[str, Part]) -> None:
    with pytest.raises(RequestError, match="expected one or more above 0"):
        reward_of("a=1", **parts)


@pytest.mark.slow
def test_trl_leaves_out_what_is_unknown_and_takes_the_rest(
    students: dict[str, Path], tmp_path: Path
) -> None:
    """A real GRPO step on a group that holds a right, a wrong and an unknown completion."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import GRPOConfig, GRPOTrainer

    from potstill.models.chat import load_tokenizer

    turns = [{"role": "user", "content": "2 + 4 = ?"}]
    data = Dataset.from_list([{"prompt": turns, "answer": "6"}, {"prompt": turns, "answer": None}])
    arguments = GRPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=8,
        num_generations=4,
        max_completion_length=12,
        max_steps=2,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to=[],
        logging_steps=1,
        save_strategy="no",
        temperature=1.0,
    )
    torch.manual_seed(0)
    parts = {"math": Part(MathAnswer()), "format": Part(Format(), 0.5)}
    with open_reward(parts, JudgeContext(), ends=[]) as reward:
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(students["qwen"]),
            processing_class=load_tokenizer(students["qwen"]),
            reward_funcs=reward,
            args=arguments,
            train_dataset=data,
        )
        rewards: list[float] = []
        original = trainer._calculate_rewards

        def watched(*given: Any) -> Any:
            table = original(*given)
            rewards.extend(table.flatten().tolist())
            return table

        trainer._calculate_rewards = watched
        trainer.train()
    unknown = [math.isnan(each) for each in rewards]
    assert sum(unknown) == len(rewards) / 2, "the problem without a key is unknown, never 0"
    logged = [line for line in trainer.state.log_history if "reward_parts/unknown" in line]
    assert [line["reward_parts/unknown"] for line in logged] == [0.5, 0.5]
    assert all(math.isfinite(line["reward"]) for line in logged)
    assert {"math/score", "math/reason", "format/score"} <= trainer._logs["extra"].keys()
