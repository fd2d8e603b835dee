"""Groups that teach, groups that do not, and which problems are asked in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from toys import InProcess

from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Message, Sample, new_sample
from potstill.pipeline.verdict import Verdict
from potstill.train.grouped.order import problem_order
from potstill.train.grouped.rollouts import Batch, Drawing, Written
from potstill.train.rewards import Part, open_reward

END = 0
MODEL: Any = SimpleNamespace(
    stop_ids=frozenset({END}), decode=lambda tokens: "".join(map(chr, tokens))
)


class Reads(InProcess):
    """The score is the digit that was written, in tenths; a question mark is unknown."""

    kind: ClassVar[str] = "reads"
    reasons: ClassVar[frozenset[str]] = frozenset({"read", "asked"})

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion or ""
        return Verdict(None, "asked") if text == "?" else Verdict(int(text) / 9, "read")


def problem(number: int, prefill: str = "") -> dict[str, Any]:
    asked = new_sample((Message("user", f"problem {number}"),), answer=str(number))
    return {**asked.to_row(), "id": f"id{number}", "prompt_ids": [number], "prefill": prefill}


PROBLEMS = [problem(number) for number in range(8)]


class Script:
    """Answers each problem with its own digits, in turn; remembers what was asked."""

    def __init__(self, answers: dict[int, str]) -> None:
        self.answers = answers
        self.asked: list[list[int]] = []

    def __call__(self, prompts: list[list[int]]) -> Written:
        numbers = [number for (number,) in prompts]
        self.asked.append(list(dict.fromkeys(numbers)))
        count: dict[int, int] = {}
        tokens = []
        for number in numbers:
            at = count.setdefault(number, 0)
            count[number] += 1
            tokens.append([ord(self.answers[number][at]), END])
        return tokens, None


@pytest.fixture
def drawing() -> Iterator[Drawing]:
    with open_reward({"reads": Part(Reads())}, JudgeContext()) as reward:
        yield Drawing(reward, MODEL, 2, PROBLEMS, max_rounds=0, seed=7)


def numbers(batch: Batch, which: str = "groups") -> list[int]:
    return [group.rollouts[0].row["prompt_ids"][0] for group in getattr(batch, which)]


def draw(
    drawing: Drawing, answers: dict[int, str], rounds: int, step: int = 0
) -> tuple[Batch, Script]:
    script = Script(answers)
    varied = Drawing(drawing.reward, MODEL, 2, PROBLEMS, rounds, drawing.seed)
    return varied.draw(PROBLEMS[:3], script, step, (0, 1)), script


@pytest.mark.parametrize(
    ("written", "kind"),
    [("19", "teaching"), ("11", "zero_variance"), ("?1", "unknown"), ("??", "unknown")],
)
def test_what_teaches(drawing: Drawing, written: str, kind: str) -> None:
    batch, _ = draw(drawing, dict.fromkeys(range(8), written), rounds=0)
    assert {group.kind for group in batch.groups} == {kind}
    assert batch.counts == {"teaching": 0, "zero_variance": 0, "unknown": 0, "replaced": 0} | {
        kind: 3
    }


def test_groups_that_teach_nothing_are_replaced(drawing: Drawing) -> None:
    answers = {0: "11", 1: "19", 2: "??", **dict.fromkeys(range(3, 8), "19")}
    batch, script = draw(drawing, answers, rounds=3)
    assert batch.counts == {"teaching": 3, "zero_variance": 0, "unknown": 0, "replaced": 2}
    assert script.asked[0] == [0, 1, 2]
    assert numbers(batch) == [script.asked[1][0], 1, script.asked[1][1]]
    assert numbers(batch, "first") == [0, 1, 2]
    assert numbers(batch, "replaced") == [0, 2]
    assert (batch.rounds, len(script.asked)) == (1, 2)
    assert set(script.asked[1]).isdisjoint(script.asked[0])


def test_rounds_end_and_the_batch_stays_full(drawing: Drawing) -> None:
    batch, script = draw(drawing, dict.fromkeys(range(8), "11"), rounds=1)
    assert numbers(batch) == [0, 1, 2]
    assert batch.counts == {"teaching": 0, "zero_variance": 3, "unknown": 0, "replaced": 3}
    assert numbers(batch, "replaced") == script.asked[1]


def test_no_problem_is_asked_twice_in_a_generation(drawing: Drawing) -> None:
    batch, script = draw(drawing, dict.fromkeys(range(8), "11"), rounds=9)
    asked = [number for each in script.asked for number in each]
    assert sorted(asked) == list(range(8))  # all there are, then no more
    assert batch.rounds == 2
    assert batch.counts["replaced"] == 5


def test_the_same_is_asked_instead_after_a_kill_and_other_things_at_another_step(
    drawing: Drawing,
) -> None:
    poor = dict.fromkeys(range(8), "11")
    asked = [draw(drawing, poor, 3, step)[1].asked[1:] for step in (4, 4, 5, 6)]
    assert asked[0] == asked[1]
    assert len({str(each) for each in asked[1:]}) > 1


def test_processes_ask_different_problems_instead(drawing: Drawing) -> None:
    wide = Drawing(drawing.reward, MODEL, 2, [problem(n) for n in range(100)], 3, 7)
    seen: list[set[int]] = []
    for process in range(2):
        script = Script(dict.fromkeys(range(100), "11"))
        wide.draw([problem(process)], script, 0, (process, 2))
        seen.append({number for each in script.asked[1:] for number in each})
    assert all(len(each) == 3 for each in seen)
    assert seen[0].isdisjoint(seen[1])


@pytest.mark.parametrize(
    ("tokens", "completion", "finish"),
    [([ord("5"), END], "<think>\n5", "stop"), ([ord("5")], "<think>\n5", "length")],
)
def test_what_the_filters_see(
    drawing: Drawing, tokens: list[int], completion: str, finish: str
) -> None:
    """The template's own beginning is put back, the end token taken off, a cut known as a cut."""

    def say(prompts: Sequence[Any]) -> Written:
        return [tokens] * len(prompts), [[-0.5] * len(tokens)] * len(prompts)

    class Counts(Reads):
        def judge_one(self, sample: Sample) -> Verdict:
            seen.append(sample)
            return Verdict(1.0, "read")

    seen: list[Sample] = []
    with open_reward({"reads": Part(Counts())}, JudgeContext()) as reward:
        batch = Drawing(reward, MODEL, 2, PROBLEMS, 0, 7).draw(
            [problem(3, "<think>\n")], say, 12, (0, 1)
        )
    first, second = seen
    assert (first.completion, first.answer, first.question) == (completion, "3", "problem 3")
    assert first.generation is not None
    assert second.generation is not None
    made = first.generation
    assert (made.teacher, made.finish_reason, made.prefilled_think) == ("policy", finish, True)
    assert (made.prompt_tokens, made.completion_tokens) == (1, len(tokens))
    assert [made.index, second.generation.index] == [0, 1]
    assert batch.rollouts[0].logprobs == [-0.5] * len(tokens)


@pytest.mark.parametrize(
    ("problems", "together", "length"), [(6, 3, 6), (7, 3, 9), (2, 5, 5), (5, 5, 5)]
)
def test_every_problem_is_asked_in_every_epoch(problems: int, together: int, length: int) -> None:
    orders = [problem_order(problems, together, seed=7, epoch=epoch) for epoch in range(3)]
    assert all(len(order) == length for order in orders)
    assert all(set(order) == set(range(problems)) for order in orders)
    assert orders[0] == problem_order(problems, together, 7, 0)
    assert len({tuple(order) for order in orders}) > 1 or problems < 3
