"""Which examples a problem gets: a function of seed, problem and pool, and never the problem."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench import problem

from potstill.models.few_shot import Drawn, Pool
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Generation, Message, Sample, new_sample

POOL = [problem(f"{'q' * (n % 17)}{n}?", f"is {n}", language="en") for n in range(60)]
PICKS = ["random", "similar_length"]


def drawn(k: int = 3, pick: Any = "random", seed: int = 0) -> Drawn:
    return Drawn(source="examples", k=k, pick=pick, seed=seed)


def ids(rows: list[Sample]) -> list[str]:
    return [row.prompt_id for row in rows]


def ended(sample: Sample, reason: str) -> Sample:
    return replace(sample, generation=Generation("t", "r", "k", 0, 0, reason, 1, 1))


@pytest.mark.parametrize("pick", PICKS)
@given(order=st.randoms(use_true_random=False), seed=st.integers(0, 3), k=st.integers(1, 6))
def test_order_and_copies_in_the_pool_do_not_matter(
    pick: str, order: random.Random, seed: int, k: int
) -> None:
    shuffled = [*POOL, *POOL[:9]]
    order.shuffle(shuffled)
    asked = problem("how long is this question?")
    how = drawn(k, pick, seed)
    assert ids(Pool(how, shuffled).draw(asked)) == ids(Pool(how, POOL).draw(asked))


@pytest.mark.parametrize("pick", PICKS)
@pytest.mark.parametrize("k", [1, 3, 59])
def test_a_problem_is_never_its_own_example(pick: str, k: int) -> None:
    pool = Pool(drawn(k, pick), POOL)
    for asked in POOL:
        found = ids(pool.draw(asked))
        assert len(set(found)) == k
        assert asked.prompt_id not in found


@pytest.mark.parametrize("pick", PICKS)
def test_seed_and_problem_decide(pick: str) -> None:
    asked = [problem(f"{n:03}?") for n in range(40)]
    same_length = [problem(f"x{n:03}", "y") for n in range(40)]
    by_seed = [
        [ids(Pool(drawn(3, pick, s), same_length).draw(one)) for one in asked] for s in (0, 1)
    ]
    assert len({tuple(found) for found in by_seed[0]}) > 30
    assert by_seed[0] != by_seed[1]


def test_every_example_is_used_about_equally_often() -> None:
    pool = Pool(drawn(), POOL)
    counts = Counter(
        found for n in range(4000) for found in ids(pool.draw(problem(f"question {n}")))
    )
    assert len(counts) == len(POOL)
    assert max(counts.values()) < 3 * 12_000 / len(POOL)


def test_a_changed_pool_changes_few_draws() -> None:
    more = [*POOL, problem("one more?", "yes", language="en")]
    asked = [problem(f"question {n}") for n in range(1000)]
    before, after = Pool(drawn(), POOL), Pool(drawn(), more)
    changed = sum(ids(before.draw(one)) != ids(after.draw(one)) for one in asked)
    assert 0 < changed < 200  # 3 of 61 examples: about 50


@given(st.lists(st.integers(0, 30), min_size=4, max_size=40), st.integers(0, 30))
def test_the_nearest_in_length_are_taken(lengths: list[int], length: int) -> None:
    rows = [problem(f"{n:02}{'x' * extra}", "y") for n, extra in enumerate(lengths)]
    found = Pool(drawn(4, "similar_length"), rows).draw(problem("??" + "x" * length))
    distances = [abs(len(row.question) - length - 2) for row in found]
    assert distances == sorted(distances, reverse=True)  # the nearest one stands last
    assert sorted(distances) == sorted(abs(extra - length) for extra in lengths)[:4]


USELESS = [
    problem("no completion"),
    problem("empty", ""),
    ended(problem("cut", "y"), "length"),
    new_sample((Message("system", "s"),), completion="y"),
    new_sample(
        (Message("user", "a"), Message("assistant", "b"), Message("user", "c")), completion="y"
    ),
]


@pytest.mark.parametrize("useless", USELESS, ids=lambda sample: sample.question or "no question")
def test_what_is_of_no_use_is_not_drawn(useless: Sample) -> None:
    good = [ended(problem("good", "y"), "stop"), problem("more", "y")]
    pool = Pool(drawn(2), [*good, useless])
    assert set(ids(pool.draw(problem("asked")))) == set(ids(good))
    with pytest.raises(RequestError, match="draws 3 examples from step 'examples', but only 2"):
        Pool(drawn(3), [*good, useless])


def test_a_problem_in_a_pool_of_just_enough_is_told() -> None:
    pool = Pool(drawn(3), POOL[:3])
    assert len(pool.draw(problem("another"))) == 3
    with pytest.raises(RequestError, match="has only 2 other problems"):
        pool.draw(POOL[0])


def test_one_completion_of_each_problem() -> None:
    rows = [
        replace(problem(f"{n}?", f"is {n} {m}"), id=f"{n}-{m}") for n in range(3) for m in range(9)
    ]
    assert len(set(ids(Pool(drawn(3), rows).draw(problem("asked"))))) == 3
    with pytest.raises(RequestError, match="only 3"):
        Pool(drawn(4), rows)


def test_examples_are_in_the_language_of_the_problem_where_there_are_enough() -> None:
    chinese = [problem(f"问题 {n}", "答", language="zh") for n in range(4)]
    pool = Pool(drawn(4), [*POOL, *chinese])
    assert {row.language for row in pool.draw(problem("问", language="zh"))} == {"zh"}
    assert {row.language for row in pool.draw(problem("q", language="en"))} == {"en"}
    assert len(pool.draw(chinese[0])) == 4  # only three others in Chinese: all are drawn from
    assert len(pool.draw(problem("q", language="fr"))) == 4


@given(st.randoms(use_true_random=False), st.integers(3, 70))
def test_a_large_pool_is_cut_by_content(order: random.Random, most: int) -> None:
    shuffled = [*POOL, *POOL[:20]]
    order.shuffle(shuffled)
    one, other = Pool(drawn(), POOL, most=most), Pool(drawn(), shuffled, most=most)
    asked = problem("asked")
    assert ids(one.draw(asked)) == ids(other.draw(asked))
    assert one.note == other.note
    assert (one.note is None) == (most >= len(POOL))
    if one.note:
        assert f"draws from {most} problems" in one.note


def test_draws_are_pinned() -> None:
    """A change here re-buys every completion that was asked for with drawn examples."""
    asked = problem("how long is this question?")
    found = {
        pick: [row.question for row in Pool(drawn(3, pick), POOL).draw(asked)] for pick in PICKS
    }
    assert found == PINNED


PINNED = {
    "random": ["qqqqqq6?", "qqqqqqqqqqqqq30?", "17?"],
    "similar_length": [f"{'q' * 16}{n}?" for n in (50, 16, 33)],
}
