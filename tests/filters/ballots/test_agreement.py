"""Which answer most samples give: clusters by what a filter accepts, found with few questions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from equal_numbers import Equal
from hypothesis import given
from hypothesis import strategies as st
from workbench import problem

from potstill.filters.ballots.agreement import Poll, agree
from potstill.pipeline.sample import Sample


def poll(*answers: str | None) -> Poll:
    Equal.asked.clear()
    (found,) = agree([samples(answers)], Equal())
    return found


def samples(answers: Sequence[str | None]) -> list[Sample]:
    return [problem("?", None if text is None else f"\\boxed{{{text}}}") for text in answers]


def leaders(found: Poll) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.answer, each.members) for each in found.leaders]


def test_equal_answers_do_not_split_the_vote() -> None:
    found = poll("1/2", "3", "0.5", "3", "1/2", "2/4", "3")
    assert leaders(found) == [("1/2", (0, 2, 4, 5))]


def test_the_answer_is_written_as_most_write_it() -> None:
    assert leaders(poll("2/4", "0.5", "1/2", "0.5"))[0][0] == "0.5"
    assert leaders(poll("2/4", "1/2"))[0][0] == "2/4"


def test_who_gives_no_readable_answer_has_no_vote() -> None:
    assert leaders(poll("3", None, "x", "", "x", "x")) == [("3", (0,))]
    assert leaders(poll("x", None, "")) == []
    assert leaders(poll()) == []


def test_equals_are_told() -> None:
    assert leaders(poll("1", "2", "2", "1", "3")) == [("1", (0, 3)), ("2", (1, 2))]


def test_nothing_is_asked_about_answers_that_cannot_win() -> None:
    poll("1", "1", "1", "2", "3")
    assert Equal.asked[5:] == [("2", "1"), ("3", "1")]


def test_each_writing_is_asked_about_once() -> None:
    poll(*["1", "2"] * 20)
    assert Equal.asked[40:] == [("2", "1")]


def test_many_problems_are_asked_about_together() -> None:
    problems = [samples(["1", "2", "2/1"]), samples([]), samples(["5", "5"]), samples(["7", "x"])]
    found = agree(problems, Equal())
    assert [leaders(each) for each in found] == [
        [("2", (1, 2))],
        [],
        [("5", (0, 1))],
        [("7", (0,))],
    ]


NUMBERS = st.lists(st.sampled_from(["1", "2/2", "1.0", "2", "4/2", "3", "x", "0.5", "1/2"]))


@given(NUMBERS)
def test_leaders_are_those_of_a_count_by_value(answers: list[str]) -> None:
    counts: dict[Fraction, list[int]] = {}
    for at, text in enumerate(answers):
        if text != "x":
            counts.setdefault(Fraction(text), []).append(at)
    most = max(map(len, counts.values()), default=0)
    expected = sorted(tuple(members) for members in counts.values() if len(members) == most)
    found = poll(*answers)
    assert sorted(each.members for each in found.leaders) == expected
    for one, other in combinations(found.clusters, 2):
        assert not set(one.members) & set(other.members)
