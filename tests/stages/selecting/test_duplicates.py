"""Groups of duplicates: equal texts of problems, and chains that a filter names."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.pipeline.errors import StepFailed
from potstill.stages.selecting.duplicates import SAME, duplicates, one_per_measures, with_groups

EQUAL = [
    ("What is 5 - 3?", "what is  5 - 3"),
    ("What is ５ + ３？", "What is 5 + 3?"),
    ("小明有 3 个苹果，一共几个？", "小明有3个苹果,一共几个"),
    ('He said: "two".', "he said “two”"),
    ("one\n\ntwo", "one two"),
    ("ﬁve", "five"),
]
DIFFERENT = [
    ("What is 5 - 3?", "What is 5 + 3?"),
    ("What is 5 - 3?", "What is 53?"),
    ("2 * (3 + 4)", "2 * 3 + 4"),
    ("2.5 kg", "25 kg"),
    ("1:30", "130"),
    ("5!", "5"),
    ("f'(x)", "f(x)"),
    ("3 / 4", "3 4"),
    ("一 二", "一 三"),
    ("in to", "into"),
]


def _same(texts: tuple[str, str]) -> bool:
    prompts = [[{"role": "user", "content": text}] for text in texts]
    found = pl.DataFrame({"prompt": prompts}).select(**one_per_measures("problem_text"))[SAME]
    return bool(found[0] == found[1])


@pytest.mark.parametrize("texts", EQUAL)
def test_problems_that_differ_in_writing_alone(texts: tuple[str, str]) -> None:
    assert _same(texts)


@pytest.mark.parametrize("texts", DIFFERENT)
def test_problems_that_differ(texts: tuple[str, str]) -> None:
    assert not _same(texts)


def test_who_asks_belongs_to_the_problem() -> None:
    prompts = [[{"role": role, "content": "x"}] for role in ("system", "user")]
    found = pl.DataFrame({"prompt": prompts}).select(**one_per_measures("problem_text"))[SAME]
    assert found[0] != found[1]


_LINKS = {"id": pl.UInt64, "of": pl.UInt64}


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=30))
def test_chains_end_where_union_says(before: list[int]) -> None:
    """Sample n + 1 is a duplicate of one before it, which may be one itself."""
    of = {n + 1: target % (n + 1) for n, target in enumerate(before)}
    links = pl.DataFrame({"id": list(of), "of": list(of.values())}, schema=_LINKS)
    index = pl.DataFrame({"id": range(len(of) + 2)}, schema={"id": pl.UInt64})

    def end(number: int) -> int:
        return end(of[number]) if number in of else number

    found = with_groups(index, links)[SAME].to_list()
    assert found == [end(number) for number in range(len(of) + 2)]


def test_duplicates_of_a_sample_of_another_dataset_are_one_group() -> None:
    links = pl.DataFrame({"id": [1, 2], "of": [99, 99]}, schema=_LINKS)
    index = pl.DataFrame({"row": [0, 1, 2], "id": [1, 2, 3], "prompt": [0, 0, 0]})
    index = with_groups(index.cast({"id": pl.UInt64}), links)
    (left,) = duplicates(index).to_dicts()
    assert (left["row"], left["of"], left["reason"]) == (1, 0, "duplicate")


@pytest.mark.parametrize("circle", [{1: 2, 2: 1}, {1: 2, 2: 3, 3: 1}, {0: 1, 1: 2, 2: 1}])
def test_a_circle_is_refused(circle: dict[int, int]) -> None:
    links = pl.DataFrame({"id": list(circle), "of": list(circle.values())}, schema=_LINKS)
    with pytest.raises(StepFailed, match="duplicates of one another in a circle"):
        with_groups(pl.DataFrame({"id": [0, 1, 2, 3]}, schema={"id": pl.UInt64}), links)


def test_copies_of_one_sample_are_one_group_whatever_each_of_them_names() -> None:
    """In a mixture ids are not keys: no row may be lost or doubled by what a filter said of it."""
    links = pl.DataFrame({"id": [1, 2, 2], "of": [1, 3, 1]}, schema=_LINKS)
    index = pl.DataFrame({"row": range(5), "id": [1, 1, 2, 2, 3]}).cast({"id": pl.UInt64})
    found = with_groups(index, links)
    assert found["row"].to_list() == list(range(5))
    assert found[SAME].to_list() == [1, 1, 3, 3, 3]
