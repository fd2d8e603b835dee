"""word_problems: the same seed gives the same rows, splits never meet, and no answer is wrong."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.stages.word_problems import (
    LANGUAGES,
    SPLITS,
    draw_problem,
    problems,
    word_problems,
    worked_solution,
)
from potstill.stages.word_stories import HIGHEST, SCENARIOS

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SUM = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")


def recompute(left: int, sign: str, right: int) -> int:
    """Arithmetic of the test's own, so that a slip in the module's table cannot hide."""
    if sign == "/":
        quotient, rest = divmod(left, right)
        assert rest == 0, f"{left} / {right} is not exact"
        return quotient
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


def test_rows_have_the_promised_shape() -> None:
    rows = list(word_problems(6, seed=1))
    assert [row["language"] for row in rows] == ["en", "zh"] * 3
    for row in rows:
        assert set(row) == {"prompt", "answer", "task", "language", "source"}
        assert (row["task"], row["source"]) == ("math", "word_problems")
        assert isinstance(row["answer"], str)
        assert re.fullmatch(r"[1-9]\d?", row["answer"])


def test_known_rows_stay_the_same() -> None:
    """Golden: recipes name this data by its seed; a silent change would orphan paid traces."""
    rows = list(word_problems(2, seed=7))
    assert [(row["prompt"], row["answer"]) for row in rows] == [
        (
            "Ben has 3 apples. Mia has 3 times as many. "
            "How many apples do Ben and Mia have together?",
            "12",
        ),
        ("小明有2个鸡蛋，小华的鸡蛋是小明的3倍。两人一共有几个鸡蛋？", "8"),
    ]


@given(seed=st.integers(0, 2**32), few=st.integers(0, 20), more=st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_same_seed_same_rows_and_more_only_appends(seed: int, few: int, more: int) -> None:
    short = list(word_problems(few, seed))
    long = list(word_problems(few + more, seed))
    assert long[:few] == short
    assert len(long) == few + more


def test_seeds_differ() -> None:
    assert list(word_problems(20, seed=1)) != list(word_problems(20, seed=2))


@given(seeds=st.tuples(st.integers(0, 2**32), st.integers(0, 2**32)))
@settings(max_examples=20, deadline=None)
def test_splits_are_disjoint_whatever_the_seeds(seeds: tuple[int, int]) -> None:
    train = {problem.content for problem in problems(300, seeds[0], split="train")}
    heldout = {problem.content for problem in problems(100, seeds[1], split="heldout")}
    assert not train & heldout


def test_a_story_and_its_translation_are_in_the_same_split() -> None:
    for problem in problems(200, seed=3):
        twins = {
            draw.split
            for language in LANGUAGES
            for draw in [type(problem)(problem.scenario, problem.numbers, language, 0, 1, 2)]
        }
        assert twins == {"train"}


@given(
    seed=st.integers(0, 2**32), language=st.sampled_from(LANGUAGES), split=st.sampled_from(SPLITS)
)
@settings(max_examples=200, deadline=None)
def test_answers_are_exact(seed: int, language: str, split: str) -> None:
    problem = draw_problem(Random(seed), language, split)
    result = 0
    for step in problem.steps:
        result = recompute(step.left, step.sign, step.right)
        assert step.result == result
        assert 1 <= result <= HIGHEST
    assert problem.answer == result


@pytest.mark.parametrize("split", SPLITS)
def test_traces_show_right_sums_and_the_boxed_answer(split: str) -> None:
    for problem in problems(300, seed=5, split=split):
        thoughts, answer = worked_solution(problem).removeprefix("<think>\n").split("\n</think>\n")
        sums = SUM.findall(thoughts)
        assert len(sums) == len(problem.steps)
        for left, sign, right, result in sums:
            assert recompute(int(left), sign, int(right)) == int(result)
        assert f"\\boxed{{{problem.answer}}}" in answer


def test_every_number_of_the_question_comes_from_the_problem() -> None:
    for problem in problems(300, seed=6):
        told = sorted(map(int, re.findall(r"\d+", problem.question)))
        assert told == sorted(problem.numbers)


def test_each_language_is_written_in_its_script() -> None:
    for problem in problems(200, seed=4):
        text = problem.question + "".join(problem.sentences(problem.language))
        if problem.language == "en":
            assert text.isascii()
        else:
            assert CHINESE.search(text)
            assert not re.search(r"[A-Za-z]", text)


def test_no_story_twice_and_all_stories_told() -> None:
    drawn = list(problems(2000, seed=9))
    assert len({problem.content for problem in drawn}) == 2000
    counts = Counter(problem.scenario.key for problem in drawn)
    assert set(counts) == {scenario.key for scenario in SCENARIOS}
    heldout = {problem.scenario.key for problem in problems(200, seed=9, split="heldout")}
    assert heldout == set(counts)


def test_more_rows_than_stories_still_end(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [scenario for scenario in SCENARIOS if scenario.key == "times_as_many"]
    monkeypatch.setattr("potstill.stages.word_problems.SCENARIOS", few)
    contents = [problem.content for problem in problems(100, seed=1, split="heldout")]
    assert len(contents) == 100
    assert len(set(contents)) < 100


def test_a_single_language() -> None:
    assert {row["language"] for row in word_problems(10, seed=1, languages=["zh"])} == {"zh"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "test"}, "split is 'test'; expected train or heldout"),
        ({"languages": ["en", "fr"]}, "expected a list of en and/or zh"),
        ({"languages": []}, "expected a list of en and/or zh"),
        ({"languages": "en"}, "expected a list of en and/or zh"),
        ({"rows": -1}, "rows is -1; expected 0 or more"),
    ],
)
def test_wrong_requests_say_what_was_expected(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        word_problems(**{"rows": 1, "seed": 1, **arguments})  # type: ignore[arg-type]
